#include "rules/steps.h"

#include <ctype.h>
#include <string.h>

#include "rules/flow.h"

/* Length of what names the workspace at the path's start. */
static size_t workspace_named(wpa_slice path)
{
    static const char *const names[] = {"${{ github.workspace }}", "${{github.workspace}}",
                                        "${{ github['workspace'] }}", "$GITHUB_WORKSPACE",
                                        "/github/workspace"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        size_t length = strlen(names[i]);
        bool is_named = path.length >= length && memcmp(path.at, names[i], length) == 0 &&
                        (path.length == length || path.at[length] == '/');
        if (is_named) {
            return length;
        }
    }
    return 0;
}

bool wpa_path_is_workspace(wpa_slice path)
{
    size_t at = workspace_named(path), depth = 0;
    if (!path.length || (at == 0 && path.at[0] == '/')) {
        return false;
    }
    while (at < path.length) {
        const char *slash = memchr(path.at + at, '/', path.length - at);
        size_t end = slash ? (size_t)(slash - path.at) : path.length;
        wpa_slice part = {path.at + at, end - at};
        if (wpa_slice_is(part, "..")) {
            if (depth == 0) {
                return false;
            }
            depth--;
        } else if (part.length && !wpa_slice_is(part, ".") && !wpa_slice_is(part, "*") &&
                   !wpa_slice_is(part, "**")) {
            depth++;
        }
        at = end + 1;
    }
    return depth == 0;
}

bool wpa_path_is_above_workspace(wpa_slice path)
{
    static const char *const above[] = {"..", "../..", "/home/runner/work", "/github"};
    while (path.length > 1 && path.at[path.length - 1] == '/') {
        path.length--;
    }
    for (size_t i = 0; i < WPA_COUNT(above); i++) {
        if (wpa_slice_is(path, above[i])) {
            return true;
        }
    }
    return false;
}

const char *wpa_path_in_tree(const char *folder, wpa_slice path, wpa_arena *arena)
{
    size_t n = strlen(folder);
    char *out = wpa_arena_alloc(arena, n + path.length + 2);
    memcpy(out, folder, n);
    for (size_t start = 0, end; start < path.length; start = end + 1) {
        const char *slash = memchr(path.at + start, '/', path.length - start);
        end = slash ? (size_t)(slash - path.at) : path.length;
        wpa_slice part = {path.at + start, end - start};
        if (wpa_slice_is(part, "..")) {
            if (n == 0) {
                return NULL;
            }
            n--; /* the slash behind the last part */
            while (n > 0 && out[n - 1] != '/') {
                n--;
            }
        } else if (part.length && !wpa_slice_is(part, ".")) {
            memcpy(out + n, part.at, part.length);
            n += part.length;
            out[n++] = '/';
        }
    }
    out[n ? n - 1 : 0] = '\0';
    return out;
}

/* A step, command or variable that is looked at. */
#define VISIT_WORK 4

void wpa_rule_each_step(wpa_rule_run *run, wpa_step_visitor visit)
{
    const wpa_outline *outline = run->source->outline;
    wpa_rule_visits visits = {.mark = wpa_rule_here(run)};
    for (size_t i = 0; i < outline->n_jobs; i++) {
        size_t n = outline->jobs[i].n_steps;
        n = n && wpa_rule_spend(run, VISIT_WORK * n) ? n : 0;
        for (size_t k = 0; k < n; k++) {
            visit(run, &outline->jobs[i].steps[k]);
            wpa_rule_end_visit(run, &visits);
        }
    }
}

void wpa_rule_each_action(wpa_rule_run *run, wpa_step_visitor visit)
{
    const wpa_outline *outline = run->source->outline;
    wpa_rule_visits visits = {.mark = wpa_rule_here(run)};
    for (size_t i = 0; i < outline->n_users; i++) {
        const wpa_outline_user *user = &outline->users[i];
        bool is_action = user->step && user->uses->kind == WPA_OUTLINE_REPOSITORY;
        if (is_action && wpa_rule_spend(run, VISIT_WORK)) {
            visit(run, user->step);
            wpa_rule_end_visit(run, &visits);
        }
    }
}

void wpa_rule_each_job(wpa_rule_run *run, wpa_job_visitor visit)
{
    const wpa_outline *outline = run->source->outline;
    wpa_rule_visits visits = {.mark = wpa_rule_here(run)};
    for (size_t i = 0; i < outline->n_jobs; i++) {
        visit(run, &outline->jobs[i]);
        wpa_rule_end_visit(run, &visits);
    }
}

void wpa_rule_each_command(wpa_rule_run *run, wpa_command_visitor visit)
{
    const wpa_outline *outline = run->source->outline;
    wpa_rule_visits visits = {.mark = wpa_rule_here(run)};
    for (size_t i = 0; i < outline->n_jobs; i++) {
        for (size_t k = 0; k < outline->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &outline->jobs[i].steps[k];
            size_t n = step->lexed ? step->lexed->n_commands : 0;
            n = n && wpa_rule_spend(run, VISIT_WORK * n) ? n : 0;
            for (size_t c = 0; c < n; c++) {
                visit(run, step, &step->lexed->commands[c]);
            }
            if (n) {
                wpa_rule_end_visit(run, &visits);
            }
        }
    }
}

static void visit_env(wpa_rule_run *run, const wpa_outline_step *step, const wpa_yaml_node *env,
                      wpa_env_visitor visit)
{
    env = wpa_yaml_resolve(env);
    size_t n = wpa_yaml_is(env, WPA_YAML_MAPPING) ? env->n_pairs : 0;
    for (size_t i = 0; i < n && wpa_rule_spend(run, VISIT_WORK); i++) {
        if (wpa_yaml_text(env->pairs[i].key)) {
            visit(run, step, &env->pairs[i]);
        }
    }
}

static const wpa_yaml_node *member(const wpa_yaml_node *node, const char *key)
{
    return wpa_yaml_is(node, WPA_YAML_MAPPING) ? wpa_yaml_get(node, key) : NULL;
}

void wpa_rule_each_env(wpa_rule_run *run, wpa_env_visitor visit)
{
    const wpa_outline *outline = run->source->outline;
    visit_env(run, NULL, member(outline->root, "env"), visit);
    for (size_t i = 0; i < outline->n_jobs; i++) {
        const wpa_outline_job *job = &outline->jobs[i];
        visit_env(run, NULL, member(job->node, "env"), visit);
        visit_env(run, NULL, member(member(job->node, "container"), "env"), visit);
        for (size_t k = 0; k < job->n_steps; k++) {
            visit_env(run, &job->steps[k], job->steps[k].env, visit);
        }
    }
}

wpa_finding *wpa_rule_report_script(wpa_rule_run *run, const wpa_outline_step *step, wpa_span span,
                                    const char *check, const void *subject, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *message = wpa_arena_vprintf(run->arena, format, values);
    va_end(values);
    wpa_finding *finding =
        wpa_rule_report(run, wpa_outline_script_span(step, span), check, subject, "%s", message);
    if (step->shell == WPA_SHELL_UNKNOWN && finding->confidence > WPA_CONFIDENCE_LOW) {
        finding->confidence--;
    }
    return finding;
}

void wpa_rule_relate_script(wpa_rule_run *run, wpa_finding *finding, const wpa_yaml_node *script,
                            wpa_span place)
{
    const wpa_yaml_node *key = script ? script->key : NULL;
    if (key && place.start > key->span.end &&
        memchr(script->doc->source + key->span.end, '\n', place.start - key->span.end)) {
        wpa_rule_relate(run, finding, key->span, "in this script");
    }
}

wpa_span wpa_step_span(const wpa_outline_step *step, const wpa_yaml_node *node, size_t from,
                       size_t to)
{
    return step && node == step->run ? wpa_outline_script_span(step, (wpa_span){from, to})
                                     : wpa_yaml_source_span(node, from, to);
}

const wpa_yaml_node *wpa_step_javascript(const wpa_outline_step *step)
{
    const wpa_yaml_node *script = wpa_outline_step_uses(step, "actions/github-script")
                                      ? wpa_outline_with(step, "script")
                                      : NULL;
    return wpa_yaml_text(script) ? script : NULL;
}

/* ---- URLs --------------------------------------------------------------------------------------
 */

wpa_slice wpa_url_host(const char *url)
{
    const char *at = strstr(url, "://");
    if (!at) {
        return (wpa_slice){url, 0};
    }
    at += 3;
    size_t authority = strcspn(at, "/?#\\ \t\r\n\"'`)");
    const char *user = memrchr(at, '@', authority);
    const char *start = user ? user + 1 : at;
    size_t length = authority - (size_t)(start - at);
    if (length && start[0] == '[') {
        const char *close = memchr(start, ']', length);
        return (wpa_slice){start, close ? (size_t)(close - start) + 1 : length};
    }
    const char *colon = memchr(start, ':', length);
    return (wpa_slice){start, colon ? (size_t)(colon - start) : length};
}

bool wpa_url_is_local(wpa_slice host)
{
    static const char *const private_parts[] = {"127.",    "10.",     "192.168.", "169.254.",
                                                "172.17.", "0.0.0.0", "[::1]",    "[fe80"};
    if (wpa_slice_is_ci(host, "localhost") || !memchr(host.at, '.', host.length)) {
        return true; /* a name without dots is that of a service or a machine nearby */
    }
    for (size_t i = 0; i < WPA_COUNT(private_parts); i++) {
        size_t n = strlen(private_parts[i]);
        if (host.length >= n && memcmp(host.at, private_parts[i], n) == 0) {
            return true;
        }
    }
    static const char *const suffixes[] = {".localhost", ".local", ".internal",     ".test",
                                           ".lan",       ".svc",   ".cluster.local"};
    for (size_t i = 0; i < WPA_COUNT(suffixes); i++) {
        size_t n = strlen(suffixes[i]);
        if (host.length > n && memcmp(host.at + host.length - n, suffixes[i], n) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- values of names ---------------------------------------------------------------------------
 */

static const char *literal(const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    return text && !wpa_outline_has_expression(text) ? text : NULL;
}

static const char *resolve_env(const wpa_rule_run *run, const wpa_outline_step *step,
                               const char *name)
{
    const wpa_yaml_node *scopes[] = {step->env, member(step->job->node, "env"),
                                     member(run->source->outline->root, "env")};
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        const wpa_yaml_node *value = member(scopes[i], name);
        if (value) {
            return literal(value);
        }
    }
    return NULL;
}

static const char *resolve_matrix(const wpa_outline_step *step, const char *name)
{
    const wpa_yaml_node *matrix = member(member(step->job->node, "strategy"), "matrix");
    const wpa_yaml_node *row = member(matrix, name);
    bool is_single =
        wpa_yaml_is(row, WPA_YAML_SEQUENCE) && row->n_items == 1 && !member(matrix, "include");
    return is_single ? literal(row->items[0]) : NULL;
}

static const char *resolve_input(const wpa_rule_run *run, const char *name)
{
    const wpa_yaml_node *root = run->source->outline->root;
    const wpa_yaml_node *inputs = member(root, "inputs");
    const wpa_yaml_node *input = member(inputs, name);
    return input ? literal(member(input, "default")) : NULL;
}

/* The name inside "${{ env.X }}" if that is all of the text. */
static const char *only_name(const wpa_rule_run *run, const char *text)
{
    wpa_span fence, inside;
    size_t at = 0, length = strlen(text);
    if (!wpa_flow_next_fence(text, length, &at, &fence, &inside) || fence.start != 0 ||
        text[fence.end + strspn(text + fence.end, " \n")] != '\0') {
        return NULL;
    }
    const char *name = wpa_arena_slice(run->arena, text + inside.start, wpa_span_length(inside));
    for (const char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c)) {
            return NULL;
        }
    }
    return name;
}

const char *wpa_step_resolve(const wpa_rule_run *run, const wpa_outline_step *step,
                             const char *text)
{
    if (!wpa_outline_has_expression(text)) {
        return text;
    }
    const char *name = only_name(run, text);
    const char *value = !name                              ? NULL
                        : wpa_text_starts(name, "env.")    ? resolve_env(run, step, name + 4)
                        : wpa_text_starts(name, "matrix.") ? resolve_matrix(step, name + 7)
                        : wpa_text_starts(name, "inputs.") ? resolve_input(run, name + 7)
                                                           : NULL;
    return value;
}

/* ---- the tree ---- */

static bool is_whole_checkout(const wpa_outline_step *step)
{
    static const char *const elsewhere[] = {"repository", "path", "ref", "sparse-checkout"};
    bool is_whole = wpa_outline_step_uses(step, "actions/checkout") && !step->condition;
    for (size_t i = 0; i < WPA_COUNT(elsewhere); i++) {
        is_whole = is_whole && !wpa_outline_with(step, elsewhere[i]);
    }
    return is_whole;
}

/** Does a script go to another commit, or take files away? */
static bool moves_tree(const wpa_outline_step *step)
{
    static const char *const verbs[] = {"checkout", "switch", "reset", "clean",
                                        "pull",     "merge",  "rebase"};
    const wpa_script *script = step->script;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        for (size_t k = 0; k < WPA_COUNT(verbs); k++) {
            if (wpa_shell_is(c, "git", verbs[k])) {
                return true;
            }
        }
        const wpa_shell_word *what = wpa_shell_argument(c, 0);
        if (wpa_shell_is(c, "gh", "pr") || (wpa_shell_is(c, "rm", NULL) && what &&
                                            (strchr(what->text, '*') || what->text[0] == '$'))) {
            return true;
        }
    }
    return wpa_outline_step_uses(step, "actions/checkout");
}

bool wpa_steps_have_tree(const wpa_outline_step *step)
{
    bool has_tree = false;
    for (size_t i = 0; i < step->index; i++) {
        const wpa_outline_step *before = &step->job->steps[i];
        const char *folder = wpa_outline_with_text(before, "path");
        if (is_whole_checkout(before)) {
            has_tree = true;
        } else if (moves_tree(before)) { /* another repository in a folder of its own is fine */
            has_tree = has_tree && folder && wpa_outline_step_uses(before, "actions/checkout");
        }
    }
    return has_tree;
}
