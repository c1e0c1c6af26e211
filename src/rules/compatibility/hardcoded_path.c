/* CMP-046: absolute paths that only one kind of runner has. */
#include <string.h>

#include "rules/flow.h"
#include "rules/steps.h"

static const struct {
    const char *prefix, *variable; /* what says the same everywhere */
    bool is_workspace;             /* two more parts belong to it: owner's folder and repository */
} paths[] = {
    {"/home/runner/work/_temp", "RUNNER_TEMP", false},
    {"/Users/runner/work/_temp", "RUNNER_TEMP", false},
    {"D:\\a\\_temp", "RUNNER_TEMP", false},
    {"/home/runner/work/", "GITHUB_WORKSPACE", true},
    {"/Users/runner/work/", "GITHUB_WORKSPACE", true},
    {"D:\\a\\", "GITHUB_WORKSPACE", true},
    {"D:/a/", "GITHUB_WORKSPACE", true},
    {"/d/a/", "GITHUB_WORKSPACE", true},
    {"/opt/hostedtoolcache", "RUNNER_TOOL_CACHE", false},
    {"C:\\hostedtoolcache", "RUNNER_TOOL_CACHE", false},
    {"/Users/runner/hostedtoolcache", "RUNNER_TOOL_CACHE", false},
    {"/Users/runner", "HOME", false},
    {"/home/runner", "HOME", false},
};

/** Of the prefixes: most slashes stand in front of others. */
#define SECOND_LETTERS "hUdo:"

typedef struct subject {
    const wpa_outline_step *step; /* NULL: not in a script */
    size_t offset, length;        /* of what the variable stands for, in the script */
    const char *variable;
} subject;

static bool is_path_char(char c)
{
    return c && !strchr(" \t\r\n\"'`;|&<>(){}$,:", c);
}

/* How much of the path the variable stands for; 0: the workspace's second part is missing. */
static size_t length_of(const char *at, size_t i)
{
    size_t n = strlen(paths[i].prefix);
    for (int parts = 0; paths[i].is_workspace && parts < 2; parts++) {
        size_t start = n;
        while (is_path_char(at[n]) && at[n] != '/' && at[n] != '\\') {
            n++;
        }
        if (n == start) {
            return 0;
        }
        n += parts == 0 && (at[n] == '/' || at[n] == '\\');
    }
    return n;
}

/* The first of the paths that begins at this byte, -1 if none does. */
static int path_at(const char *text, size_t at)
{
    if (!text[at + 1] || !strchr(SECOND_LETTERS, text[at + 1])) {
        return -1;
    }
    bool is_inside =
        at && (is_path_char(text[at - 1]) || text[at - 1] == '}') && text[at - 1] != '=';
    for (size_t i = 0; !is_inside && i < WPA_COUNT(paths); i++) {
        if (strncmp(text + at, paths[i].prefix, strlen(paths[i].prefix)) == 0) {
            char next = text[at + strlen(paths[i].prefix)];
            bool ends = !is_path_char(next) || strchr("/\\", next);
            ends = ends || strchr("/\\", paths[i].prefix[strlen(paths[i].prefix) - 1]);
            if (ends && length_of(text + at, i) > 0) {
                return (int)i;
            }
        }
    }
    return -1;
}

/* Of a machine inside of the runner, where the paths are those that it was given. */
static bool is_virtual_machine(const wpa_outline_step *step)
{
    return wpa_slice_is_ci(step->uses.owner, "vmactions") ||
           wpa_slice_is_ci(step->uses.owner, "cross-platform-actions");
}

/* An input of one of those actions that read "~" as a shell does; others look for such a folder. */
static bool takes_tilde(const wpa_outline_step *step, const wpa_yaml_node *node)
{
    static const char *const actions[] = {"actions/cache", "actions/cache/restore",
                                          "actions/cache/save", "actions/upload-artifact",
                                          "actions/download-artifact"};
    bool takes = false;
    for (size_t i = 0; step && i < WPA_COUNT(actions); i++) {
        takes = takes || wpa_outline_step_uses(step, actions[i]);
    }
    return takes && wpa_text_is(wpa_yaml_text(node->key), "path");
}

/* Variables of the shell have no value yet where only expressions can stand. */
static bool can_be_said(const wpa_outline_step *step, const wpa_yaml_node *node,
                        const char *variable)
{
    bool is_run = step && node == step->run;
    return is_run || !wpa_text_is(variable, "HOME") || takes_tilde(step, node);
}

/* What stands for the path here: outside of scripts an expression does, and "~" for some actions.
 */
static const char *name_at(const wpa_outline_step *step, const wpa_yaml_node *node,
                           const char *variable)
{
    static const struct {
        const char *variable, *expression;
    } names[] = {{"GITHUB_WORKSPACE", "${{ github.workspace }}"},
                 {"RUNNER_TEMP", "${{ runner.temp }}"},
                 {"RUNNER_TOOL_CACHE", "${{ runner.tool_cache }}"}};
    bool is_run = step && node == step->run;
    for (size_t i = 0; !is_run && i < WPA_COUNT(names); i++) {
        if (wpa_text_is(variable, names[i].variable)) {
            return names[i].expression;
        }
    }
    return takes_tilde(step, node) && wpa_text_is(variable, "HOME") ? "'~'" : variable;
}

/* "runner.os == 'Linux' && '/home/…' || '/Users/…'": each system has its own. */
static bool is_chosen_by_system(const wpa_yaml_node *node)
{
    return wpa_text_seek_ci(wpa_yaml_text(node), "runner.os");
}

static void check_text(wpa_rule_run *run, const wpa_outline_step *step, const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    bool is_run = step && node == step->run;
    const wpa_script *script = is_run ? step->lexed : NULL;
    for (size_t at = 0; text && (at += strcspn(text + at, "/DC")) < node->length; at++) {
        int i = path_at(text, at);
        if (i < 0 || (script && script->contexts && script->contexts[at] == WPA_SHELL_COMMENT)) {
            continue;
        }
        if (!is_run && is_chosen_by_system(node)) {
            return;
        }
        size_t end = at;
        while (is_path_char(text[end])) {
            end++;
        }
        end = end > at + 2 ? end : at + length_of(text + at, (size_t)i);
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s =
            (subject){is_run ? step : NULL, at, length_of(text + at, (size_t)i), paths[i].variable};
        wpa_span span = wpa_step_span(step, node, at, at + s->length);
        wpa_finding *finding = wpa_rule_report(
            run, span, NULL, s, "%s is there on some runners only: %s says the same on all of them",
            wpa_rule_quote(run, text + at, s->length), name_at(step, node, s->variable));
        if (!can_be_said(step, node, s->variable)) {
            finding->persona = WPA_PERSONA_PEDANTIC;
        }
        at = end > at ? end - 1 : at;
    }
}

/* In a container the workspace lies elsewhere, and the expression still names the host's. */
static void check_container(wpa_rule_run *run, const wpa_outline_step *step)
{
    size_t at = 0;
    wpa_span fence, inside;
    bool is_inside = wpa_yaml_find(step->job->node, "container") != NULL;
    while (is_inside && step->run &&
           wpa_flow_next_fence(step->run->text, step->run->length, &at, &fence, &inside)) {
        wpa_slice name = {step->run->text + inside.start, wpa_span_length(inside)};
        if (wpa_slice_is(name, "github.workspace")) {
            subject *s = wpa_arena_alloc(run->arena, sizeof *s);
            *s = (subject){step, fence.start, wpa_span_length(fence), "GITHUB_WORKSPACE"};
            (void)wpa_rule_report(run, wpa_step_span(step, step->run, fence.start, fence.end), NULL,
                                  s,
                                  "'github.workspace' is the path outside of the container: "
                                  "GITHUB_WORKSPACE is the one inside");
        }
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    check_text(run, step, step->run);
    check_text(run, step, wpa_yaml_get(step->node, "working-directory"));
    for (size_t i = 0; !is_virtual_machine(step) && step->with && i < step->with->n_pairs; i++) {
        check_text(run, step, wpa_yaml_resolve(step->with->pairs[i].value));
    }
    check_container(run, step);
}

static void check_env(wpa_rule_run *run, const wpa_outline_step *step,
                      const wpa_yaml_pair *variable)
{
    (void)step;
    check_text(run, NULL, wpa_yaml_resolve(variable->value));
}

/* Most files that the rule is asked of only name the workspace by its expression. */
static bool may_hold_path(const wpa_yaml_doc *doc)
{
    bool may = false;
    for (size_t i = 0; i < WPA_COUNT(paths) && !may; i++) {
        may = wpa_yaml_may_hold(doc, paths[i].prefix);
    }
    return may;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    bool may_hold = may_hold_path(run->source->yaml);
    wpa_rule_each_step(run, may_hold ? check_step : check_container);
    if (may_hold) {
        wpa_rule_each_env(run, check_env);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_script *script = s->step ? s->step->script : NULL;
    bool is_cut = s->length && strchr("/\\", s->step ? s->step->run->text[s->offset + s->length - 1]
                                                     : 'x') != NULL;
    if (!script || !script->is_readable || is_cut) {
        return; /* the repository's part is in a variable: what would be left is unknown */
    }
    wpa_shell_context context = (wpa_shell_context)script->contexts[s->offset];
    if (context == WPA_SHELL_PLAIN || context == WPA_SHELL_DOUBLE || context == WPA_SHELL_HEREDOC) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "write $%s", s->variable);
        /* The value may hold blanks, which split a word; YAML's own quotes leave no room. */
        bool takes_quotes =
            context == WPA_SHELL_PLAIN && s->step->run->style != WPA_YAML_DOUBLE_QUOTED;
        wpa_rule_edit(run, fix, finding->span.bytes, takes_quotes ? "\"${%s}\"" : "${%s}",
                      s->variable);
    }
}

const wpa_rule wpa_rule_hardcoded_path = {
    .code = "CMP-046",
    .id = "hardcoded-path",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An absolute path that only one kind of runner has",
    .why = "On another image, on a runner of one's own or in a container the path is another, and "
           "the step fails.",
    .fix = "Use GITHUB_WORKSPACE, RUNNER_TEMP, RUNNER_TOOL_CACHE or HOME.",
    .declares = WPA_DECLARES_SCRIPT,
    .words = (const char *const[]){"/home/runner", "/Users/runner", "D:\\a\\", "D:/a/", "/d/a/",
                                   "hostedtoolcache", "github.workspace", NULL},
    .check = check,
    .repair = repair,
};
