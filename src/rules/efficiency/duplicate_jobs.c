/* EFF-004: jobs of several workflows that differ in little. */
#include <string.h>

#include "rules/extract.h"
#include "rules/fleet.h"
#include "rules/graph.h"
#include "rules/needs.h"
#include "rules/similarity.h"
#include "rules/work.h"

#define ALIKE_MAX WPA_SIMILARITY_FOUND_MAX
#define SHOWN_MAX 8
#define HOLES_MAX 4
#define FAR_MAX 256    /* repositories that are looked at */
#define FAR_COUNT 2    /* others that have the job: three make many */
#define FAR_LEAST 0.95 /* how alike it is there */
#define WEIGHT_MIN 30  /* below that a call is longer than what it replaces */

static const wpa_rule_option options[] = {
    {"similarity", "0.85", "share from which jobs are alike"},
    {"min-steps", "3", "jobs of fewer steps are left alone"},
    {0},
};

/* Another file's job that is alike. */
typedef struct twin {
    const wpa_graph_file *file;
    size_t job;
    double alike;
} twin;

/* What the repair has to do with. */
typedef struct subject {
    const wpa_outline_job *job;
    const twin *twins; /* [n] */
    size_t n;
} subject;

/* Those that are alike, of other files; one of a file before this one is enough: it is told of
 * there. */
static size_t find_twins(wpa_similarity_kin *kin, const wpa_graph_file *file, double least,
                         twin twins[])
{
    wpa_similarity_member members[ALIKE_MAX];
    size_t n_members = wpa_similarity_kin_jobs(kin, least, members), n = 0;
    for (size_t i = 0; i < n_members; i++) { /* by path */
        const wpa_graph_file *owner = members[i].owner;
        int order = owner == file ? 0 : strcmp(owner->path, file->path);
        double alike =
            order == 0 ? 0
                       : wpa_similarity_kin_alike(kin, owner->jobs[members[i].job].likeness, least);
        if (alike > 0) {
            twins[n++] = (twin){owner, members[i].job, alike};
        }
        if (alike > 0 && order < 0) {
            break;
        }
    }
    return n;
}

/* What differs between the two, to become inputs: "the runner", "node-version", "script of step 4".
 */
static const char *holes_between(wpa_rule_run *run, const wpa_outline_job *a,
                                 const wpa_outline_job *b)
{
    bool is_elsewhere = !wpa_text_is(wpa_yaml_text(wpa_yaml_get(a->node, "runs-on")),
                                     wpa_yaml_text(wpa_yaml_get(b->node, "runs-on")));
    const char *text = is_elsewhere ? "the runner" : "";
    size_t n = is_elsewhere;
    for (size_t i = 0; i < a->n_steps && a->n_steps == b->n_steps && n < HOLES_MAX; i++) {
        const wpa_yaml_node *x = a->steps[i].with, *y = b->steps[i].with;
        for (size_t k = 0; x && y && k < x->n_pairs && n < HOLES_MAX; k++) {
            const char *key = wpa_yaml_text(x->pairs[k].key);
            const char *other = key ? wpa_yaml_text(wpa_yaml_get(y, key)) : NULL;
            if (key && !wpa_text_is(wpa_yaml_text(x->pairs[k].value), other)) {
                text = wpa_arena_printf(run->arena, "%s%s%s", text, n++ ? ", " : "", key);
            }
        }
        bool is_script = a->steps[i].run && b->steps[i].run;
        if (is_script && n < HOLES_MAX &&
            !wpa_text_is(wpa_yaml_text(a->steps[i].run), wpa_yaml_text(b->steps[i].run))) {
            text = wpa_arena_printf(run->arena, "%s%sthe script of step %zu", text, n++ ? ", " : "",
                                    i + 1);
        }
    }
    return n ? text : NULL;
}

static void report(wpa_rule_run *run, const wpa_outline_job *job, const twin twins[], size_t n)
{
    const twin *best = &twins[0];
    bool has_callee = false;
    for (size_t i = 0; i < n; i++) {
        best = twins[i].alike > best->alike ? &twins[i] : best;
        has_callee = has_callee || wpa_graph_trigger_find(twins[i].file, "workflow_call");
    }
    const wpa_source *other = wpa_rule_source_at(run, best->file->path);
    const char *holes = other && best->job < other->outline->n_jobs
                            ? holes_between(run, job, &other->outline->jobs[best->job])
                            : NULL;
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){job, wpa_arena_dup(run->arena, twins, n * sizeof *twins), n};
    wpa_finding *finding = wpa_rule_report(
        run, job->key->span, NULL, s, "job %s is %d %% the same as job %s of %s%s%s%s",
        wpa_rule_quote(run, job->id, strlen(job->id)), (int)(best->alike * 100),
        wpa_rule_quote(run, best->file->jobs[best->job].id, strlen(best->file->jobs[best->job].id)),
        wpa_rule_quote(run, best->file->path, strlen(best->file->path)),
        has_callee ? ", which can be called" : "", holes ? "; they differ in " : "",
        holes ? holes : "");
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        const wpa_source *source = wpa_rule_source_at(run, twins[i].file->path);
        if (source) {
            wpa_rule_relate_in(run, finding, source, twins[i].file->jobs[twins[i].job].key_span,
                               "%d %% the same", (int)(twins[i].alike * 100));
        }
    }
    if (has_callee) {
        finding->severity = WPA_SEVERITY_HIGH;
    }
}

/* ---- in other repositories ---- */

/* Does another repository have a job that is nearly the same? */
static const wpa_graph_file *find_far(const wpa_graph *other, const wpa_similarity_job *own,
                                      wpa_arena *scratch)
{
    wpa_similarity_member members[ALIKE_MAX];
    wpa_similarity_kin *kin = wpa_similarity_kin_of(wpa_graph_similar(other), own, 1, scratch);
    size_t n = wpa_similarity_kin_jobs(kin, FAR_LEAST, members);
    for (size_t i = 0; i < n; i++) {
        const wpa_graph_file *file = members[i].owner;
        const wpa_similarity_job *job = file->jobs[members[i].job].likeness;
        if (job != own && wpa_similarity_kin_alike(kin, job, FAR_LEAST) > 0) {
            return file;
        }
    }
    return NULL;
}

/* The job of this file in the whole fleet: what is in many repositories belongs into a shared one.
 */
static void check_far(wpa_rule_run *run, const wpa_outline_job *job, const wpa_similarity_job *own,
                      wpa_arena *scratch)
{
    const wpa_fleet *fleet = run->source->around->fleet;
    const char *self = run->source->around->repository, *first = NULL, *path = NULL;
    size_t n = 0;
    for (size_t i = 0; fleet && i < fleet->n_graphs && i < FAR_MAX; i++) {
        const char *name = wpa_graph_repository(fleet->graphs[i]);
        const wpa_graph_file *file =
            wpa_text_is(name, self) ? NULL : find_far(fleet->graphs[i], own, scratch);
        if (file) {
            first = first ? first : name;
            path = path ? path : file->path;
            n++;
        }
    }
    if (n >= FAR_COUNT && first) {
        wpa_rule_report(
            run, job->key->span, NULL, NULL,
            "job %s stands in %zu more repositories, nearly the same, such as %s of %s: a workflow "
            "in a shared repository would hold it once",
            wpa_rule_quote(run, job->id, strlen(job->id)), n,
            wpa_rule_quote(run, path, strlen(path)), wpa_rule_quote(run, first, strlen(first)));
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    const wpa_graph_file *file = graph ? wpa_graph_own(graph, run->source, run->arena) : NULL;
    const char *self = wpa_source_identity(run->source);
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    double least = wpa_rule_option_real(run, "similarity", 0.5, 1, 0.85);
    int64_t least_steps = wpa_rule_option_int(run, "min-steps", 1, 64, 3);
    for (size_t i = 0; file && i < file->n_jobs; i++) {
        const wpa_similarity_job *own = file->jobs[i].likeness;
        if (!own || (int64_t)own->n_steps < least_steps || own->n_real < 2 ||
            own->weight < WEIGHT_MIN) {
            continue;
        }
        twin twins[ALIKE_MAX];
        wpa_arena_reset(scratch);
        wpa_similarity_kin *kin = wpa_work_kin(run, wpa_graph_similar(graph), own, least);
        size_t n = find_twins(kin, file, least, twins);
        bool is_first = n > 0;
        for (size_t k = 0; k < n; k++) { /* said once, where the first of them stands */
            is_first = is_first && strcmp(twins[k].file->path, self) > 0;
        }
        if (is_first) {
            report(run, &o->jobs[i], twins, n);
        } else if (n == 0) {
            check_far(run, &o->jobs[i], own, scratch);
        }
    }
    return true;
}

/* ---- the workflow that is called --------------------------------------------------------------*/

/* What stays with the caller; permissions are asked for on both sides. */
static const char *const callers_keys[] = {"needs", "if", "permissions"};

typedef struct copy {
    const wpa_source *source;
    const wpa_outline_job *job;
} copy;

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
        bool moves = !stays(copies[0].job, key) || wpa_text_is(key, "permissions");
        for (size_t k = 0; k < x->n && moves; k++) {
            const wpa_yaml_pair *pair = wpa_yaml_find(copies[k].job->node, key);
            if (!pair) {
                return false;
            }
            parts[k] = pair->value;
        }
        if (moves && !wpa_extract_add(x, parts)) {
            return false;
        }
    }
    return true;
}

static size_t count_moving(const wpa_outline_job *job)
{
    size_t n = 0;
    for (size_t i = 0; i < job->node->n_pairs; i++) {
        const char *key = job->node->pairs[i].key->text;
        n += !stays(job, key) || wpa_text_is(key, "permissions");
    }
    return n;
}

static bool is_twin(wpa_rule_run *run, const copy *first, const copy *c)
{
    const copy both[] = {*first, *c};
    wpa_extract *x = wpa_arena_alloc(run->arena, sizeof *x);
    *x = (wpa_extract){.run = run, .kind = WPA_EXTRACT_CALLEE, .n = 2};
    return is_movable(c) && have_same_root(first, c) &&
           count_moving(first->job) == count_moving(c->job) &&
           keeps_name(first->job) == keeps_name(c->job) && add_jobs(x, both);
}

static bool read_twin(wpa_rule_run *run, const twin *t, copy *c)
{
    const wpa_source *source = wpa_rule_source_at(run, t->file->path);
    if (!source || !source->yaml || t->job >= source->outline->n_jobs) {
        return false;
    }
    *c = (copy){source, &source->outline->jobs[t->job]};
    return true;
}

static size_t list_copies(wpa_rule_run *run, const subject *s, copy copies[])
{
    size_t n = 1;
    copies[0] = (copy){run->source, s->job};
    if (!is_movable(&copies[0])) {
        return 0;
    }
    for (size_t i = 0; i < s->n && n < WPA_EXTRACT_COPIES_MAX; i++) {
        n += read_twin(run, &s->twins[i], &copies[n]) && is_twin(run, &copies[0], &copies[n]);
    }
    return n;
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
        const char *key = node->pairs[i].key->text;
        if (stays(c->job, key) && !wpa_text_is(key, "permissions")) {
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

static void replace_copy(wpa_extract *x, wpa_fix *fix, const copy copies[], size_t i,
                         const char *path)
{
    const copy *c = &copies[i];
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
        replace_copy(x, fix, copies, i, path);
    }
}

/* ---- one that is there already ---- */

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
    const copy both[] = {*callee, *c};
    wpa_extract *x = wpa_arena_alloc(run->arena, sizeof *x);
    *x = (wpa_extract){.run = run, .kind = WPA_EXTRACT_CALL, .n = 2};
    bool fits = is_movable(c) && have_same_root(callee, c) &&
                count_moving(callee->job) == count_moving(c->job) &&
                keeps_name(callee->job) == keeps_name(c->job) && add_jobs(x, both) &&
                is_served(x, callee);
    return fits ? x : NULL;
}

/* A workflow that can be called, of this job alone. */
static bool is_callee(const copy *c)
{
    return wpa_outline_trigger_find(c->source->outline, "workflow_call") &&
           c->source->outline->n_jobs == 1 &&
           wpa_text_starts(wpa_source_identity(c->source), ".github/workflows/");
}

/* The job, and others like it, call what is there. False: it does not say the same. */
static bool call_existing(wpa_rule_run *run, wpa_finding *finding, const subject *s,
                          const copy *callee)
{
    copy pair[2] = {{run->source, s->job}, {run->source, s->job}};
    wpa_extract *x = call_of(run, callee, &pair[1]);
    if (!x) {
        return false;
    }
    const char *path = wpa_source_identity(callee->source);
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "call %s", path);
    replace_copy(x, fix, pair, 1, path);
    for (size_t i = 0; i < s->n; i++) {
        bool is_other = read_twin(run, &s->twins[i], &pair[1]) && pair[1].job != callee->job;
        x = is_other ? call_of(run, callee, &pair[1]) : NULL;
        if (x) {
            replace_copy(x, fix, pair, 1, path);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    copy copies[WPA_EXTRACT_COPIES_MAX];
    if (!s) {
        return; /* no file of this repository */
    }
    for (size_t i = 0; i < s->n; i++) {
        if (read_twin(run, &s->twins[i], &copies[0]) && is_callee(&copies[0]) &&
            call_existing(run, finding, s, &copies[0])) {
            return;
        }
    }
    size_t n = list_copies(run, s, copies);
    if (n > 1) {
        extract(run, finding, copies, n);
    }
}

const wpa_rule wpa_rule_duplicate_jobs = {
    .code = "EFF-004",
    .id = "duplicate-jobs",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "The same job stands in several workflows",
    .why = "A change has to be made in each of them, and is forgotten in one.",
    .fix = "Move it into a workflow that is called, with inputs for what differs, and call it.",
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_NAMES | WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV |
                WPA_DECLARES_MATRIX | WPA_DECLARES_RUNNER | WPA_DECLARES_CONTAINER |
                WPA_DECLARES_TIMEOUTS | WPA_DECLARES_CONCURRENCY | WPA_DECLARES_PERMISSIONS,
    .options = options,
    .compares = true,
    .check = check,
    .repair = repair,
};
