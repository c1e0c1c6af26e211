#include "rules/extract_jobs.h"

#include <string.h>

#include "rules/needs.h"
#include "rules/work.h"

typedef wpa_extract_copy copy;

/* What stays with the caller; permissions are asked for on both sides. */
static const char *const callers_keys[] = {"needs", "if", "permissions"};

/* A name that tells the legs apart belongs to them. */
static bool keeps_name(const wpa_outline_job *job)
{
    const char *name = wpa_yaml_text(wpa_yaml_get(job->node, "name"));
    return name && !wpa_extract_names(name, false, "matrix") &&
           !wpa_extract_names(name, false, "strategy");
}

static bool stays(const wpa_outline_job *job, const char *key)
{
    return wpa_text_is(key, "name")
               ? keeps_name(job)
               : wpa_text_index(key, callers_keys, WPA_COUNT(callers_keys)) >= 0;
}

/* Does the workflow that is called have it? */
static bool moves(const wpa_outline_job *job, const char *key)
{
    return !stays(job, key) || wpa_text_is(key, "permissions");
}

/* Is the token handed to somebody, of whom it is not known what for, and nowhere said what it may?
 */
static bool has_open_token(const copy *c)
{
    wpa_needs needs = {.is_complete = true};
    wpa_needs_add_job(&needs, c->job);
    return !needs.is_complete && !wpa_yaml_find(c->job->node, "permissions") &&
           !wpa_yaml_get(c->source->yaml->root, "permissions") &&
           (wpa_work_mentions(c->job->node, "GITHUB_TOKEN") ||
            wpa_work_mentions(c->job->node, "github.token"));
}

/* Does all that the job says mean the same in a workflow that is called? */
static bool is_movable(const copy *c)
{
    static const char *const keys[] = {
        "name",     "needs",    "if",          "permissions",       "runs-on",  "environment",
        "outputs",  "env",      "concurrency", "timeout-minutes",   "strategy", "container",
        "services", "defaults", "steps",       "continue-on-error", "snapshot"};
    const wpa_yaml_node *node = c->job->node;
    if (c->source->kind != WPA_INPUT_WORKFLOW || node->kind != WPA_YAML_MAPPING ||
        node->style != WPA_YAML_BLOCK || c->job->is_call || has_open_token(c) ||
        wpa_work_mentions(node, "id-token") || /* whom a cloud trusts by the workflow's name */
        wpa_extract_line_start(c->source->yaml, node->span.start) == SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        const char *key = node->pairs[i].key->text;
        if (!key || wpa_text_index(key, keys, WPA_COUNT(keys)) < 0) {
            return false;
        }
    }
    return true;
}

static const wpa_yaml_node *root_value(const copy *c, const char *key)
{
    return wpa_yaml_get(c->source->yaml->root, key);
}

static bool is_same_text(const wpa_yaml_node *a, const wpa_yaml_node *b)
{
    wpa_slice x = a ? wpa_work_text(a) : (wpa_slice){"", 0};
    wpa_slice y = b ? wpa_work_text(b) : (wpa_slice){"", 0};
    return x.length == y.length && memcmp(x.at, y.at, x.length) == 0;
}

/* What the whole workflow says for its jobs does not reach one that it calls. */
static bool have_same_root(const copy *a, const copy *b)
{
    static const char *const keys[] = {"env", "defaults", "permissions"};
    bool are_same = true;
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        are_same = are_same && is_same_text(root_value(a, keys[i]), root_value(b, keys[i]));
    }
    return are_same;
}

/* Adds what moves of the jobs; false: they cannot be one. */
static bool add_jobs(wpa_extract *x, const copy copies[])
{
    const wpa_yaml_node *node = copies[0].job->node;
    const wpa_yaml_node *env = root_value(&copies[0], "env");
    const wpa_yaml_node *parts[WPA_EXTRACT_COPIES_MAX];
    for (size_t k = 0; k < x->n; k++) {
        parts[k] = root_value(&copies[k], "env");
    }
    if (env && !wpa_extract_add(x, parts)) {
        return false;
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        const char *key = node->pairs[i].key->text;
        bool is_moving = moves(copies[0].job, key);
        for (size_t k = 0; k < x->n && is_moving; k++) {
            const wpa_yaml_pair *pair = wpa_yaml_find(copies[k].job->node, key);
            if (!pair) {
                return false;
            }
            parts[k] = pair->value;
        }
        if (is_moving && !wpa_extract_add(x, parts)) {
            return false;
        }
    }
    return true;
}

static size_t count_moving(const wpa_outline_job *job)
{
    size_t n = 0;
    for (size_t i = 0; i < job->node->n_pairs; i++) {
        n += moves(job, job->node->pairs[i].key->text);
    }
    return n;
}

/* Two jobs as one: what differs becomes inputs. NULL: they cannot be. */
static wpa_extract *join(wpa_rule_run *run, wpa_extract_kind kind, const copy *first, const copy *c)
{
    if (!is_movable(c) || !have_same_root(first, c) ||
        count_moving(first->job) != count_moving(c->job) ||
        keeps_name(first->job) != keeps_name(c->job)) {
        return NULL;
    }
    const copy both[] = {*first, *c};
    wpa_extract *x = wpa_arena_alloc(run->arena, sizeof *x);
    *x = (wpa_extract){.run = run, .kind = kind, .n = WPA_COUNT(both)};
    return add_jobs(x, both) ? x : NULL;
}

/* The first of them and those that can be one with it; none if not even that can move. */
static size_t list_alike(wpa_rule_run *run, const copy copies[], size_t n, copy alike[])
{
    size_t n_alike = 1;
    alike[0] = copies[0];
    if (!is_movable(&copies[0])) {
        return 0;
    }
    for (size_t i = 1; i < n && n_alike < WPA_EXTRACT_COPIES_MAX; i++) {
        alike[n_alike] = copies[i];
        n_alike += join(run, WPA_EXTRACT_CALLEE, &copies[0], &copies[i]) != NULL;
    }
    return n_alike;
}

/* Lines of the job's entries, as wide as they are. */
static wpa_span body_of(const copy *c)
{
    const wpa_yaml_node *node = c->job->node;
    return (wpa_span){wpa_extract_line_start(c->source->yaml, node->span.start),
                      wpa_yaml_entry_span(node->pairs[node->n_pairs - 1].value).end};
}

static const char *list_secrets(wpa_extract *x, bool is_call, int indent)
{
    wpa_arena *arena = x->run->arena;
    const char *text = x->n_secrets ? wpa_arena_printf(arena, "%*ssecrets:\n", indent, "") : "";
    for (size_t i = 0; i < x->n_secrets; i++) {
        const char *name = x->secrets[i];
        text = is_call ? wpa_arena_printf(arena, "%s%*s%s: ${{ secrets.%s }}\n", text, indent + 2,
                                          "", name, name)
                       : wpa_arena_printf(arena, "%s%*s%s:\n%*srequired: false\n", text, indent + 2,
                                          "", name, indent + 4, "");
    }
    return text;
}

static const char *list_outputs(wpa_extract *x, const wpa_outline_job *job)
{
    const wpa_yaml_node *outputs = wpa_yaml_get(job->node, "outputs");
    wpa_arena *arena = x->run->arena;
    const char *text = outputs ? "    outputs:\n" : "";
    for (size_t i = 0; wpa_yaml_is(outputs, WPA_YAML_MAPPING) && i < outputs->n_pairs; i++) {
        const char *name = outputs->pairs[i].key->text;
        text = wpa_arena_printf(arena, "%s      %s:\n        value: ${{ jobs.%s.outputs.%s }}\n",
                                text, name, job->id, name);
    }
    return text;
}

/*
 * Where nobody says what the token may do, it is what the known steps need, on both sides: a
 * workflow that is called may ask for no more than its caller has. NULL: it is said.
 */
static const char *needed_permissions(wpa_extract *x, const copy *c)
{
    wpa_needs needs = {.is_complete = true};
    if (root_value(c, "permissions") || wpa_yaml_find(c->job->node, "permissions")) {
        return NULL;
    }
    wpa_needs_add_job(&needs, c->job);
    return needs.n ? wpa_needs_text(&needs, x->run->arena) : "permissions:\n  contents: read";
}

/* The same lines, further right. */
static const char *indented(const char *text, size_t indent, wpa_arena *arena)
{
    const char *lines = "";
    while (text && *text) {
        size_t length = strcspn(text, "\n");
        lines = wpa_arena_printf(arena, "%s%*s%.*s\n", lines, (int)indent, "", (int)length, text);
        text += length + (text[length] == '\n');
    }
    return lines;
}

/* An entry of the workflow's root, with its lines and a blank one. */
static const char *root_entry(wpa_extract *x, const copy *c, const char *key)
{
    const wpa_yaml_node *value = root_value(c, key);
    if (!value) {
        return "";
    }
    const char *text = wpa_extract_text(x, c->source->yaml, wpa_yaml_entry_span(value), 0, 0);
    return text ? wpa_arena_printf(x->run->arena, "%s\n", text) : "";
}

static const char *write_callee(wpa_extract *x, const copy *c, const char *title)
{
    const wpa_yaml_node *node = c->job->node;
    wpa_span body = body_of(c);
    size_t column = node->span.start - body.start;
    for (size_t i = 0; i < node->n_pairs; i++) {
        if (!moves(c->job, node->pairs[i].key->text)) {
            wpa_extract_edit(x, wpa_yaml_entry_span(node->pairs[i].value), "%s", "");
        }
    }
    const char *job = wpa_extract_text(x, c->source->yaml, body, column, 4);
    const char *inputs = wpa_extract_inputs(x, 4), *secrets = list_secrets(x, false, 4);
    const char *outputs = list_outputs(x, c->job);
    const char *needed = needed_permissions(x, c);
    const char *permissions = needed ? wpa_arena_printf(x->run->arena, "%s\n\n", needed)
                                     : root_entry(x, c, "permissions");
    return job ? wpa_arena_printf(x->run->arena,
                                  "name: %s\non:\n  workflow_call:\n%s%s%s\n%s%s%sjobs:\n"
                                  "  %s:\n%s",
                                  title, inputs, secrets, outputs, permissions,
                                  root_entry(x, c, "env"), root_entry(x, c, "defaults"), c->job->id,
                                  job)
               : NULL;
}

/* i: which of the extract's copies it is. */
static void replace_copy(wpa_extract *x, wpa_fix *fix, const copy *c, size_t i, const char *path)
{
    const wpa_yaml_doc *doc = c->source->yaml;
    const wpa_yaml_node *node = c->job->node;
    wpa_arena *arena = x->run->arena;
    wpa_span body = body_of(c);
    size_t column = node->span.start - body.start;
    const char *kept = "";
    for (size_t k = 0; k < node->n_pairs; k++) {
        if (stays(c->job, node->pairs[k].key->text)) {
            wpa_span entry = wpa_yaml_entry_span(node->pairs[k].value);
            bool is_open = entry.end && doc->source[entry.end - 1] != '\n';
            kept = wpa_arena_printf(arena, "%s%.*s%s", kept, (int)wpa_span_length(entry),
                                    doc->source + entry.start, is_open ? "\n" : "");
        }
    }
    const char *needed = indented(needed_permissions(x, c), column, arena);
    const char *call =
        wpa_arena_printf(arena, "%s%*suses: ./%s\n%s%s", needed, (int)column, "", path,
                         wpa_extract_with(x, i, column), list_secrets(x, true, (int)column));
    const char *lines = wpa_extract_lines(doc, call, arena);
    wpa_rule_edit_in(x->run, fix, doc, body, "%s%s", kept, lines);
}

static void extract(wpa_rule_run *run, wpa_finding *finding, const copy copies[], size_t n)
{
    wpa_extract *x = wpa_arena_alloc(run->arena, sizeof *x);
    *x = (wpa_extract){.run = run, .kind = WPA_EXTRACT_CALLEE, .n = n};
    const char *name = wpa_yaml_text(wpa_yaml_get(copies[0].job->node, "name"));
    name = name && !strstr(name, "${{") ? name : copies[0].job->id;
    const char *slug =
        wpa_arena_printf(run->arena, "reusable-%s", wpa_extract_slug(name, run->arena));
    const char *path = wpa_rule_free_path(run, ".github/workflows", slug, ".yml");
    const char *text = path && add_jobs(x, copies)
                           ? write_callee(x, &copies[0], wpa_extract_words(slug, run->arena))
                           : NULL;
    if (!text) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                "move the job into %s, which %zu workflows call", path, n);
    wpa_rule_create(run, fix, path, "%s", text);
    for (size_t i = 0; i < n; i++) {
        replace_copy(x, fix, &copies[i], i, path);
    }
}

/* ---- one that is there already ---- */

#define CALLER 1 /* of the copies of such an extract */

static const wpa_yaml_node *callable(const copy *c)
{
    return wpa_yaml_get(root_value(c, "on"), "workflow_call");
}

/* Does the callee get all it needs from this call, and know all that it names? */
static bool is_served(const wpa_extract *x, const copy *callee)
{
    const wpa_yaml_node *inputs = wpa_yaml_get(callable(callee), "inputs");
    const wpa_yaml_node *secrets = wpa_yaml_get(callable(callee), "secrets");
    for (size_t i = 0; wpa_yaml_is(inputs, WPA_YAML_MAPPING) && i < inputs->n_pairs; i++) {
        const char *name = inputs->pairs[i].key->text;
        const char *required = wpa_yaml_text(wpa_yaml_get(inputs->pairs[i].value, "required"));
        bool is_given = !wpa_text_is(required, "true");
        for (size_t k = 0; k < x->n_holes; k++) {
            is_given = is_given || wpa_text_is(x->holes[k].name, name);
        }
        if (!is_given) {
            return false;
        }
    }
    for (size_t i = 0; i < x->n_secrets; i++) {
        if (!wpa_yaml_find_ci(secrets, x->secrets[i])) {
            return false;
        }
    }
    return true;
}

/* The call that says the same as the job; NULL: there is none. */
static wpa_extract *call_of(wpa_rule_run *run, const copy *callee, const copy *c)
{
    wpa_extract *x = join(run, WPA_EXTRACT_CALL, callee, c);
    return x && is_served(x, callee) ? x : NULL;
}

/* A workflow that can be called, of this job alone. */
static bool is_callee(const copy *c)
{
    return wpa_outline_trigger_find(c->source->outline, "workflow_call") &&
           c->source->outline->n_jobs == 1 &&
           wpa_text_starts(wpa_source_identity(c->source), ".github/workflows/");
}

/* The first, and others like it, call what is there. False: it does not say the same. */
static bool call_existing(wpa_rule_run *run, wpa_finding *finding, const copy copies[], size_t n,
                          const copy *callee)
{
    wpa_extract *x = call_of(run, callee, &copies[0]);
    if (!x) {
        return false;
    }
    const char *path = wpa_source_identity(callee->source);
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "call %s", path);
    replace_copy(x, fix, &copies[0], CALLER, path);
    for (size_t i = 1; i < n; i++) {
        x = copies[i].job != callee->job ? call_of(run, callee, &copies[i]) : NULL;
        if (x) {
            replace_copy(x, fix, &copies[i], CALLER, path);
        }
    }
    return true;
}

void wpa_extract_jobs(wpa_rule_run *run, wpa_finding *finding, const wpa_extract_copy copies[],
                      size_t n)
{
    copy alike[WPA_EXTRACT_COPIES_MAX];
    for (size_t i = 1; i < n; i++) {
        if (is_callee(&copies[i]) && call_existing(run, finding, copies, n, &copies[i])) {
            return;
        }
    }
    size_t n_alike = list_alike(run, copies, n, alike);
    if (n_alike > 1) {
        extract(run, finding, alike, n_alike);
    }
}
