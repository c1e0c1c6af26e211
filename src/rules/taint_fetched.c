/* What steps fetch from outside the files and hand on: see wpa_trace_fetched. */
#include <ctype.h>
#include <string.h>

#include "rules/taint_internal.h"

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};
static const wpa_taint unknown = {WPA_TAINT_UNKNOWN, NULL, NULL, {0}, false, NULL, 0};

/* Members of objects that the forge's API returns and that strangers fill. */
static const char *const api_members[] = {
    ".head.ref",    ".head.label",    ".title",       ".body",           ".head_ref",
    ".headRefName", ".display_title", ".head_branch", ".commit.message", ".filename"};
static const char *const api_trees[] = {".head.sha",         ".head.ref", ".headRefOid",
                                        ".merge_commit_sha", ".head_sha", "headRefName",
                                        "headRefOid"};

static bool names_any(const char *text, const char *const words[], size_t n)
{
    for (size_t i = 0; text && i < n; i++) {
        const char *at = strstr(text, words[i]);
        size_t length = strlen(words[i]);
        while (at && (isalnum((unsigned char)at[length]) || at[length] == '_')) {
            at = strstr(at + 1, words[i]);
        }
        if (at) {
            return true;
        }
    }
    return false;
}

/* What is asked of a line of a script. */
typedef bool line_test(const char *line, size_t length, wpa_arena *arena);

static bool names_member(const char *line, size_t length, wpa_arena *arena)
{
    return names_any(wpa_arena_slice(arena, line, length), api_members, WPA_COUNT(api_members));
}

/* Does the line read a file, and not only for a number in it? */
static bool reads_file(const char *line, size_t length, wpa_arena *arena)
{
    static const char *const numbers[] = {"Number(", "parseInt(", "parseFloat(", ".length",
                                          ".replace(/[^"};
    (void)arena;
    for (size_t i = 0; i < WPA_COUNT(numbers); i++) {
        if (memmem(line, length, numbers[i], strlen(numbers[i]))) {
            return false;
        }
    }
    return memmem(line, length, "readFileSync(", 13) || memmem(line, length, ".readFile(", 10);
}

/* Is an identifier of the expression declared by such a line? */
static bool is_declared_so(const char *script, const char *expression, size_t length,
                           line_test *test, wpa_arena *arena)
{
    for (size_t i = 0; i < length; i++) {
        size_t n = wpa_text_name_length(expression + i);
        const char *name = n && n < length - i ? wpa_arena_slice(arena, expression + i, n) : NULL;
        const char *assignment = name ? wpa_arena_printf(arena, "%s = ", name) : NULL;
        const char *at = assignment ? strstr(script, assignment) : NULL;
        if (at && test(at, strcspn(at, "\n"), arena)) {
            return true;
        }
        i += n;
    }
    return false;
}

/* What a script of the forge's client gives something out by, and under which name; its result has
 * none. */
typedef struct giving {
    const char *call, *name;
    bool is_written; /* to the runner's file: the name stands in a text, "name=..." */
} giving;

static giving output_of(const char *name)
{
    return wpa_text_is_ci(name, "result") ? (giving){"return ", NULL, false}
                                          : (giving){"setOutput(", name, false};
}

/* Is the name written with what follows it: "name=${value}", "name<<END"? */
static bool writes_name(const char *line, const char *name)
{
    size_t n = strlen(name);
    const char *end = line + strcspn(line, "\n");
    for (const char *at = line; (at = memmem(at, (size_t)(end - at), name, n)); at++) {
        bool begins = at > line && strchr("'\"`", at[-1]);
        if (begins && (at[n] == '=' || (at[n] == '<' && at[n + 1] == '<'))) {
            return true;
        }
    }
    return false;
}

/* The next line behind *at that gives it out, from behind the call on; NULL: none does. */
static const char *next_output(const char **at, giving g)
{
    while ((*at = strstr(*at, g.call))) {
        *at += strlen(g.call);
        const char *named = *at + strspn(*at, "'\"`");
        if (g.is_written && writes_name(*at, g.name)) {
            return *at;
        }
        if (!g.name || (strncmp(named, g.name, strlen(g.name)) == 0 &&
                        strchr("'\"`", named[strlen(g.name)]))) {
            return *at;
        }
    }
    return NULL;
}

/* Does a script of the forge's client give it out by such a line, or by names of such lines? */
static bool gives_so(const char *script, giving g, line_test *test, wpa_arena *arena)
{
    const char *at = script;
    for (const char *line = next_output(&at, g); line; line = next_output(&at, g)) {
        size_t length = strcspn(line, "\n");
        if (test(line, length, arena) || is_declared_so(script, line, length, test, arena)) {
            return true;
        }
    }
    return false;
}

/* Is what it gives out under this name of the base that the project chose: "pr.base.ref"? */
static bool gives_base(const char *script, giving g, wpa_arena *arena)
{
    const char *at = script;
    size_t n = 0, n_bases = 0;
    for (const char *line = next_output(&at, g); line; line = next_output(&at, g), n++) {
        const char *text = wpa_arena_slice(arena, line, strcspn(line, "\n"));
        n_bases += strstr(text, ".base.") && !strstr(text, "head");
    }
    return n > 0 && n == n_bases;
}

/* What asks about a text instead of handing it on. */
static bool only_asks(const char *line, size_t length)
{
    static const char *const questions[] = {"==",       "!=",     ".includes(", ".startsWith(",
                                            ".length",  ".test(", ".indexOf(",  "Number(",
                                            "parseInt", "sha",    ".endsWith(", "replace("};
    for (size_t i = 0; i < WPA_COUNT(questions); i++) {
        if (memmem(line, length, questions[i], strlen(questions[i]))) {
            return true;
        }
    }
    return false;
}

/* Variables of the environment that the line reads: "process.env.TITLE". */
static wpa_taint trace_environment(wpa_tracer *t, const wpa_site *site, const char *line)
{
    static const char reader[] = "process.env.";
    wpa_taint worst = none;
    size_t length = strcspn(line, "\n");
    for (const char *at = only_asks(line, length) ? NULL : strstr(line, reader);
         at && at < line + length && wpa_rule_spend(t->run, 16); at = strstr(at, reader)) {
        at += strlen(reader);
        const char *name = wpa_arena_slice(t->run->arena, at, wpa_text_name_length(at));
        worst = wpa_taint_worse(worst, wpa_trace_env(t, site, name));
    }
    return worst;
}

/* What a script gives out of its environment, in the call or a line that declares what it hands on.
 */
static wpa_taint trace_given_env(wpa_tracer *t, const wpa_site *site, const char *script, giving g)
{
    wpa_taint worst = none;
    const char *at = script;
    if (!strstr(script, "process.env.") || !wpa_rule_spend(t->run, strlen(script))) {
        return none;
    }
    for (const char *line = next_output(&at, g); line; line = next_output(&at, g)) {
        worst = wpa_taint_worse(worst, trace_environment(t, site, line));
        const char *value = line + strcspn(line, ",\n");
        value += strspn(value, ", ");
        size_t n = wpa_text_name_length(value);
        bool is_name = n && value[n] == ')' && wpa_rule_spend(t->run, strlen(script));
        const char *declared =
            is_name ? strstr(script, wpa_arena_printf(t->run->arena, " %.*s = ", (int)n, value))
                    : NULL;
        if (declared) {
            worst = wpa_taint_worse(worst, trace_environment(t, site, declared));
        }
    }
    return wpa_taint_add_hop(t, worst, site->source, site->step->uses.span, "gives it out");
}

/* Text that the site's step has from outside the files, as far as any event starts it. */
static wpa_taint foreign_output(wpa_tracer *t, const wpa_site *site, const char *path,
                                const char *shape)
{
    static const char *const any[] = {"*", NULL};
    const wpa_outline_step *step = site->step;
    const wpa_yaml_node *node = step->uses.node ? step->uses.node : step->run;
    wpa_taint taint = wpa_trace_foreign(t, site, any, path, shape);
    return wpa_taint_add_hop(t, taint, site->source, node ? node->span : step->node->span,
                             "gives it out");
}

/* What a step reads out of files, where strangers have brought some in. */
static wpa_taint files_read(wpa_tracer *t, const wpa_site *site)
{
    wpa_taint taint = wpa_trace_intake(t, site);
    return wpa_taint_add_hop(t, taint, site->source, site->step->uses.span, "reads them");
}

/* Does the path lead into the answer that an output has as JSON, to text of people there? */
static bool names_text_of_answer(const char *path)
{
    bool is_text = false;
    for (size_t i = 0; i < WPA_COUNT(api_members) && !is_text; i++) {
        is_text = wpa_text_ends(path, api_members[i]);
    }
    size_t n_parts = 1;
    for (const char *at = path; (at = strchr(at, '.')); at++) {
        n_parts++;
    }
    return is_text && n_parts > 4; /* "steps.ID.outputs.NAME" */
}

/* Is it about pull requests or issues that the route or call asks the forge? */
static bool asks_for_threads(const char *text)
{
    static const char *const words[] = {"/pulls/", "/issues/", "pulls.get(", "issues.get("};
    bool asks = false;
    for (size_t i = 0; text && i < WPA_COUNT(words) && !asks; i++) {
        asks = strstr(text, words[i]) != NULL;
    }
    return asks;
}

/* Outputs that say yes, no, or how many. */
static bool is_verdict(const char *name)
{
    return wpa_text_starts(name, "any_") || wpa_text_starts(name, "only_") ||
           wpa_text_ends(name, "_count") || wpa_text_ends(name, "_keys") ||
           wpa_text_starts(name, "is_");
}

/* Whatever is put into the step: label says what it does with that. */
static wpa_taint trace_given(wpa_tracer *t, const wpa_site *site, const char *label)
{
    const wpa_yaml_node *with = site->step->with;
    wpa_taint worst = none;
    for (size_t i = 0; with && i < with->n_pairs && t->question == WPA_TAINT_TEXT; i++) {
        worst = wpa_taint_worse(worst,
                                wpa_trace_scalar(t, site, wpa_yaml_resolve(with->pairs[i].value)));
    }
    worst = wpa_taint_add_hop(t, worst, site->source, site->step->uses.span, label);
    return wpa_taint_worse(unknown, worst);
}

/* Actions that give a file's text out, and such as cut, join and replace text. */
static const char *const file_readers[] = {
    "juliangruber/read-file-action",    "bfren/read-file",
    "andstor/file-reader-action",       "sebrollen/toml-action",
    "the-coding-turtle/ga-yaml-parser", "falti/dotenv-action"};
static const char *const text_changers[] = {"mad9000/actions-find-and-replace-string",
                                            "frabert/replace-string-action",
                                            "aszc/change-string-case-action",
                                            "actions-ecosystem/action-regex-match",
                                            "kaisugi/action-regex-match",
                                            "haya14busa/action-cond",
                                            "jungwinter/split",
                                            "winterjung/split",
                                            "gr2m/get-json-paths-action"};

static bool uses_any(const wpa_outline_step *step, const char *const actions[], size_t n)
{
    bool does = false;
    for (size_t i = 0; i < n && !does; i++) {
        does = wpa_outline_step_uses(step, actions[i]);
    }
    return does;
}

/* An output of an action of another repository, by table or by what its inputs ask for. */
static wpa_taint trace_action(wpa_tracer *t, const wpa_site *site, const char *name,
                              const char *path)
{
    const wpa_outline_step *step = site->step;
    if (wpa_facts_output_is_tainted(step->uses.slug, wpa_slice_of(name)) && !is_verdict(name)) {
        return foreign_output(t, site, path, "names of files or branches");
    }
    if (wpa_outline_uses_trait(step, WPA_TRAIT_AI_AGENT)) {
        return trace_given(t, site, "answers it");
    }
    if (uses_any(step, text_changers, WPA_COUNT(text_changers)) && !is_verdict(name)) {
        return trace_given(t, site, "hands it on");
    }
    if (uses_any(step, file_readers, WPA_COUNT(file_readers))) {
        return wpa_taint_worse(unknown, files_read(t, site));
    }
    const char *route = wpa_outline_with_text(step, "route");
    if (names_text_of_answer(path) && asks_for_threads(route)) {
        return foreign_output(t, site, path, "text of the forge");
    }
    bool is_tree = t->question == WPA_TAINT_CODE &&
                   (strcasestr(name, "head") || (route && strstr(route, "/pulls/")));
    return is_tree ? foreign_output(t, site, path, "a tree of their own") : unknown;
}

/* What a script of actions/github-script gives out; path is shown for it. */
static wpa_taint trace_giving(wpa_tracer *t, const wpa_site *site, giving g, const char *path)
{
    const wpa_yaml_node *script = wpa_outline_with(site->step, "script");
    const char *text = wpa_yaml_text(script);
    wpa_taint taint =
        wpa_taint_worse(wpa_trace_scalar(t, site, script), trace_given_env(t, site, text, g));
    bool is_foreign = t->question == WPA_TAINT_CODE
                          ? names_any(text, api_trees, WPA_COUNT(api_trees)) &&
                                !gives_base(text, g, t->run->arena)
                          : gives_so(text, g, names_member, t->run->arena) ||
                                (names_text_of_answer(path) && asks_for_threads(text));
    if (is_foreign) {
        taint = wpa_taint_worse(taint, foreign_output(t, site, path, "text of the forge"));
    }
    if (strstr(text, "readFile") && gives_so(text, g, reads_file, t->run->arena)) {
        taint = wpa_taint_worse(taint, files_read(t, site));
    }
    return wpa_taint_worse(unknown, taint);
}

/* An output of a script of actions/github-script. */
static wpa_taint trace_client(wpa_tracer *t, const wpa_site *site, const char *name,
                              const char *path)
{
    const char *text = wpa_outline_with_text(site->step, "script");
    bool gives = text && strstr(text, wpa_text_is_ci(name, "result") ? "return" : name);
    wpa_taint taint = gives ? trace_giving(t, site, output_of(name), path) : unknown;
    if (gives && strstr(text, "GITHUB_OUTPUT")) {
        giving written = {"GITHUB_OUTPUT", name, true};
        taint = wpa_taint_worse(taint, trace_giving(t, site, written, path));
    }
    return taint;
}

wpa_taint wpa_trace_client_env(wpa_tracer *t, const wpa_site *site, const char *name)
{
    static const char call[] = "exportVariable(";
    const char *text = wpa_outline_step_uses(site->step, "actions/github-script")
                           ? wpa_outline_with_text(site->step, "script")
                           : NULL;
    const char *at = text;
    giving g = {call, name, false};
    bool sets = text && wpa_rule_spend(t->run, strlen(text)) && next_output(&at, g);
    return sets ? trace_giving(t, site, g, wpa_arena_printf(t->run->arena, "env.%s", name)) : none;
}

/* An output of a run: script that asks the forge by commands: "gh pr view --json headRefOid". */
static wpa_taint trace_commands(wpa_tracer *t, const wpa_site *site, const char *name,
                                const char *path)
{
    const char *script = site->step->run->text;
    bool asks = t->question == WPA_TAINT_CODE && strstr(script, name) &&
                names_any(script, api_trees, WPA_COUNT(api_trees));
    wpa_taint taint = asks ? foreign_output(t, site, path, "a tree of their own") : unknown;
    return wpa_taint_worse(unknown, taint);
}

wpa_taint wpa_trace_fetched(wpa_tracer *t, const wpa_site *site, const char *name, const char *path)
{
    if (site->step->run) {
        return trace_commands(t, site, name, path);
    }
    return wpa_outline_step_uses(site->step, "actions/github-script")
               ? trace_client(t, site, name, path)
               : trace_action(t, site, name, path);
}
