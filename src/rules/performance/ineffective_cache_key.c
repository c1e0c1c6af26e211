/*
 * PRF-008: cache keys that never hit, or hit for ever. K1 of the run or commit with nothing to fall
 * back on, K2 without a lockfile, K3 of a lockfile that is not there, or not yet, K4 the same on
 * two systems, K5 other paths than where it was saved, K6 a folder that is deleted before use, K7
 * without the version that the folder was made with, K8 a restore key that is the key.
 */
#include <string.h>

#include "rules/caches.h"
#include "rules/expressions.h"
#include "rules/shell_roles.h"
#include "rules/work.h"

/* What a key's text is made of. */
typedef struct key {
    const wpa_outline_step *step;
    const wpa_yaml_node *node;
    const char *text;
    const char *paths;        /* of the step, or NULL */
    const char *restore_keys; /* or NULL */
    wpa_span run_span;        /* of the expression with the run, in the file */
    size_t run_start;         /* in text */
    const wpa_expr *hash;     /* a call of hashFiles, or NULL */
    const wpa_expr_place *hash_place;
    size_t n_hashes;
    bool has_run;
    bool has_system; /* runner.os, runner.arch */
    bool has_matrix;
    bool has_open; /* what may hold anything */
} key;

typedef struct hash_search {
    key *key;
    const wpa_expr_place *place;
} hash_search;

static void note_call(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    (void)parent;
    hash_search *search = context;
    if (node->kind == WPA_EXPR_CALL && wpa_text_is_ci(node->text, "hashFiles")) {
        search->key->hash = node;
        search->key->hash_place = search->place;
        search->key->n_hashes++;
    }
}

static void note_reference(key *k, const char *path, const wpa_expr_place *place)
{
    static const char *const runs[] = {"github.run_id", "github.run_number", "github.run_attempt",
                                       "github.sha", NULL};
    static const char *const fixed[] = {"github.job",        "github.workflow", "github.repository",
                                        "github.event_name", "github.ref",      "github.ref_name",
                                        "github.head_ref",   "github.base_ref", NULL};
    if (wpa_fact_list_has(runs, wpa_slice_of(path))) {
        k->has_run = true;
        k->run_start = place->outer.start;
        k->run_span = wpa_yaml_source_span(k->node, place->outer.start, place->outer.end);
    } else if (wpa_text_starts(path, "runner.")) {
        k->has_system = true;
    } else if (wpa_text_starts(path, "matrix.")) {
        k->has_matrix = true;
    } else if (!wpa_fact_list_has(fixed, wpa_slice_of(path))) {
        k->has_open = true;
    }
}

static key *read_key(wpa_rule_run *run, const wpa_outline_step *step)
{
    key *k = wpa_arena_alloc(run->arena, sizeof *k);
    *k = (key){
        .step = step,
        .node = wpa_outline_with(step, "key"),
        .text = wpa_outline_with_text(step, "key"),
        .paths = wpa_outline_with_text(step, "path"),
        .restore_keys = wpa_outline_with_text(step, "restore-keys"),
    };
    if (!k->text) {
        return NULL;
    }
    size_t n, n_references;
    const wpa_expr_place *places = wpa_expressions_find(run, k->node, &n);
    for (size_t i = 0; i < n; i++) {
        const wpa_expr *root = places[i].parsed.root;
        k->has_open = k->has_open || !root;
        wpa_expr_walk(root, note_call, &(hash_search){k, &places[i]});
        wpa_expr_reference *references = wpa_expr_references(root, run->arena, &n_references);
        for (size_t r = 0; r < n_references; r++) {
            note_reference(k, references[r].path, &places[i]);
        }
    }
    return k;
}

static bool is_cache(const wpa_outline_step *step)
{
    static const char *const slugs[] = {"actions/cache", "actions/cache/restore",
                                        "useblacksmith/cache", "buildjet/cache"};
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        if (wpa_outline_step_uses(step, slugs[i])) {
            return true;
        }
    }
    return false;
}

static bool is_any_cache(const wpa_outline_step *step)
{
    return is_cache(step) || wpa_outline_step_uses(step, "actions/cache/save");
}

/* Another cache step of the file with this very key: handed on within the run. */
static const wpa_outline_step *find_same(const wpa_outline *o, const key *k)
{
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t s = 0; s < o->jobs[i].n_steps; s++) {
            const wpa_outline_step *other = &o->jobs[i].steps[s];
            if (other != k->step && is_any_cache(other) &&
                wpa_text_is(wpa_outline_with_text(other, "key"), k->text)) {
                return other;
            }
        }
    }
    return NULL;
}

/* ---- K1, K2, K3, K8: the text alone ---- */

/* What another file of the same run may read or have saved. */
static bool is_handed_on(const wpa_rule_run *run, const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (o->jobs[i].is_call) {
            return true;
        }
    }
    return run->source->kind != WPA_INPUT_WORKFLOW || wpa_outline_trigger_find(o, "workflow_call");
}

static void check_run(wpa_rule_run *run, const wpa_outline *o, const key *k)
{
    if (k->has_run && !k->restore_keys && !find_same(o, k) && !is_handed_on(run, o)) {
        (void)wpa_rule_report(run, k->node->span, "K1", k,
                              "the key is another one for every run or commit and there are no "
                              "restore-keys: the cache is never found");
    }
}

/* Folders whose contents a lockfile decides. */
static bool is_of_lockfile(const char *paths)
{
    static const char *const words[] = {"node_modules", ".npm",     "yarn",     "pnpm",
                                        ".m2",          ".gradle",  ".cargo",   "vendor/bundle",
                                        "pip",          ".venv",    "pypoetry", "go/pkg/mod",
                                        ".nuget",       "composer", "Pods",     ".pub-cache"};
    for (size_t i = 0; paths && i < WPA_COUNT(words); i++) {
        if (strstr(paths, words[i])) {
            return true;
        }
    }
    return false;
}

static void check_constant(wpa_rule_run *run, const key *k)
{
    bool falls_back = k->restore_keys && wpa_outline_step_uses(k->step, "actions/cache/restore");
    if (k->n_hashes || k->has_run || k->has_open || falls_back) {
        return;
    }
    bool is_dependencies = is_of_lockfile(k->paths);
    bool has_digit = strpbrk(k->text, "0123456789") != NULL;
    wpa_finding *finding =
        wpa_rule_report(run, k->node->span, "K2", NULL,
                        "the key never changes: what was saved first is restored for ever%s",
                        is_dependencies ? ", whatever the lockfile says" : "");
    if (!is_dependencies || has_digit) { /* a tool of one version, renamed by hand */
        finding->persona = WPA_PERSONA_PEDANTIC;
        finding->confidence = WPA_CONFIDENCE_LOW;
    }
}

/* A checkout elsewhere: patterns do not stand for the files of this tree. */
static bool has_own_layout(const wpa_outline_job *job)
{
    bool has_checkout = false;
    for (size_t i = 0; i < job->n_steps; i++) {
        bool is_checkout = wpa_outline_step_uses(&job->steps[i], "actions/checkout");
        has_checkout = has_checkout || is_checkout;
        if (is_checkout && (wpa_outline_with(&job->steps[i], "path") ||
                            wpa_outline_with(&job->steps[i], "repository"))) {
            return true;
        }
    }
    return !has_checkout;
}

/* hashFiles is asked when the step begins. */
static bool check_order(wpa_rule_run *run, const key *k)
{
    if (!k->n_hashes || !wpa_work_is_before_checkout(k->step) ||
        !wpa_work_is_hosted(k->step->job)) {
        return false;
    }
    (void)wpa_rule_report(run, wpa_expr_source_span(k->hash_place, k->hash->span), "K3", NULL,
                          "hashFiles finds no file before the checkout: the hash is empty and the "
                          "key constant");
    return true;
}

static void check_files(wpa_rule_run *run, const key *k)
{
    if (k->n_hashes != 1 || !wpa_work_knows_tree(run) || has_own_layout(k->step->job) ||
        run->source->kind != WPA_INPUT_WORKFLOW) {
        return;
    }
    for (size_t i = 0; i < k->hash->n_args; i++) {
        const wpa_expr *pattern = k->hash->args[i];
        bool is_known = pattern->kind == WPA_EXPR_STRING && pattern->text[0] != '!' &&
                        !strpbrk(pattern->text, "[{~\\\n");
        const char *glob =
            is_known && wpa_text_starts(pattern->text, "./") ? pattern->text + 2 : pattern->text;
        if (!is_known || wpa_surroundings_match(run->source->around, glob)) {
            return;
        }
    }
    wpa_span span = wpa_expr_source_span(k->hash_place, k->hash->span);
    wpa_finding *finding = wpa_rule_report(
        run, span, "K3", k,
        "no file of the repository fits %s: the hash is empty and the key constant",
        wpa_rule_quote(run, k->text + k->hash_place->inner.start + k->hash->span.start,
                       wpa_span_length(k->hash->span)));
    finding->confidence = WPA_CONFIDENCE_MEDIUM; /* a step may make it */
}

static void check_restore_keys(wpa_rule_run *run, const key *k)
{
    size_t at = 0;
    wpa_slice line;
    while (k->restore_keys && wpa_work_next_line(k->restore_keys, &at, &line)) {
        if (wpa_slice_is(line, k->text)) {
            wpa_finding *finding = wpa_rule_report(
                run, wpa_outline_with(k->step, "restore-keys")->span, "K8", NULL,
                "a restore key that is the key finds nothing that the key does not");
            finding->severity = WPA_SEVERITY_LOW;
            return;
        }
    }
}

/* ---- K4, K7: legs that must not share ---- */

static bool has_many_systems(const wpa_outline_job *job)
{
    const wpa_fact_runner *first = NULL;
    for (size_t i = 0; i < job->n_labels; i++) {
        const wpa_fact_runner *runner = job->labels[i].runner;
        if (runner && job->labels[i].is_from_matrix) {
            if (first && (first->os != runner->os || !wpa_text_is(first->arch, runner->arch))) {
                return true;
            }
            first = runner;
        }
    }
    return false;
}

/* "key: never" of a step that only restores: what it finds goes by its restore-keys. */
static bool is_found_by_prefix(const key *k)
{
    bool only_restores = wpa_outline_step_uses(k->step, "actions/cache/restore");
    return only_restores && k->restore_keys && strstr(k->restore_keys, "${{");
}

/* A step for some of the legs: which of them it leaves is not asked further. */
static bool is_for_some_legs(const wpa_outline_step *step)
{
    static const char *const words[] = {"runner.os", "runner.arch", "matrix.", NULL};
    return step->condition && wpa_work_mentions_any(step->condition, words);
}

static void check_systems(wpa_rule_run *run, const key *k)
{
    if (!is_found_by_prefix(k) && !is_for_some_legs(k->step) && !k->has_system && !k->has_matrix &&
        !k->has_open && has_many_systems(k->step->job)) {
        (void)wpa_rule_report(run, k->node->span, "K4", k,
                              "legs on different systems share this key: each restores what "
                              "another one has made");
    }
}

/* A folder that only fits the version it was made with. */
static bool is_bound(const char *paths)
{
    static const char *const words[] = {"node_modules", ".venv", "site-packages", "vendor/bundle"};
    for (size_t i = 0; paths && i < WPA_COUNT(words); i++) {
        if (strstr(paths, words[i])) {
            return true;
        }
    }
    return false;
}

static void check_version(wpa_rule_run *run, const key *k)
{
    static const char *const inputs[] = {"node-version", "python-version", "ruby-version"};
    if (k->has_matrix || k->has_open || !is_bound(k->paths)) {
        return;
    }
    for (size_t i = 0; i < k->step->job->n_steps; i++) {
        for (size_t n = 0; n < WPA_COUNT(inputs); n++) {
            const wpa_yaml_node *input = wpa_outline_with(&k->step->job->steps[i], inputs[n]);
            if (input && wpa_work_mentions(input, "matrix.")) {
                wpa_finding *finding =
                    wpa_rule_report(run, k->node->span, "K7", NULL,
                                    "legs of different versions share this key, and its folder "
                                    "fits only the version it was made with");
                wpa_rule_relate(run, finding, input->span, "the version");
                finding->confidence = WPA_CONFIDENCE_MEDIUM;
                return;
            }
        }
    }
}

/* ---- K5, K6: what happens to the folder ---- */

static void check_paths(wpa_rule_run *run, const wpa_outline *o, const key *k)
{
    const wpa_outline_step *other = find_same(o, k);
    const char *paths = other ? wpa_outline_with_text(other, "path") : NULL;
    bool restores = wpa_outline_step_uses(k->step, "actions/cache/restore");
    if (!restores || !paths || !k->paths || wpa_text_is(paths, k->paths) ||
        wpa_outline_step_uses(other, "actions/cache/restore")) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, k->node->span, "K5", NULL,
                        "saved under other paths: a cache is found only by the same key and paths");
    wpa_rule_relate(run, finding, other->node->span, "saved here");
}

static void check_deleted(wpa_rule_run *run, const key *k)
{
    if (!k->paths || !strstr(k->paths, "node_modules")) {
        return;
    }
    for (size_t i = k->step->index + 1; i < k->step->job->n_steps; i++) {
        const wpa_outline_step *step = &k->step->job->steps[i];
        const wpa_script *script = wpa_step_commands(step);
        for (size_t c = 0; script && !step->condition && c < script->n_commands; c++) {
            const wpa_shell_command *command = &script->commands[c];
            bool is_guarded =
                wpa_work_mentions(step->run, "if ") || wpa_text_is(command->before, "||");
            if (wpa_shell_is(command, "npm", "ci") && !is_guarded) {
                wpa_finding *finding = wpa_rule_report(
                    run, wpa_outline_with(k->step, "path")->span, "K6", NULL,
                    "node_modules is restored and then deleted: npm ci begins with removing it");
                wpa_rule_relate(run, finding, wpa_outline_script_span(step, command->span),
                                "removes it");
                return;
            }
        }
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline *o, const wpa_outline_step *step)
{
    const key *k = is_cache(step) ? read_key(run, step) : NULL;
    if (!k) {
        return;
    }
    check_run(run, o, k);
    check_constant(run, k);
    if (!check_order(run, k)) {
        check_files(run, k);
    }
    check_restore_keys(run, k);
    check_systems(run, k);
    check_version(run, k);
    check_paths(run, o, k);
    check_deleted(run, k);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, o, &o->jobs[i].steps[k]);
        }
    }
    return true;
}

static void repair_run(wpa_rule_run *run, wpa_finding *finding, const key *k)
{
    const char *prefix = wpa_arena_slice(run->arena, k->text, k->run_start);
    if (*prefix && k->node->key) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "fall back on %s", prefix);
        (void)wpa_rule_insert_behind(run, fix, k->node, "restore-keys: %s", prefix);
    }
}

static void repair_files(wpa_rule_run *run, wpa_finding *finding, const key *k)
{
    const wpa_expr *pattern = k->hash->args[0];
    const char *slash = strrchr(pattern->text, '/');
    const char *name = slash ? slash + 1 : pattern->text;
    const char *found =
        wpa_surroundings_match(run->source->around, wpa_arena_printf(run->arena, "**/%s", name));
    if (found && k->hash->n_args == 1 && !strchr(found, '\'')) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "hash %s", found);
        wpa_rule_edit(run, fix, wpa_expr_source_span(k->hash_place, pattern->span), "'**/%s'",
                      name);
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const key *k = finding->subject;
    if (wpa_text_is(finding->check, "K1")) {
        repair_run(run, finding, k);
    } else if (k && wpa_text_is(finding->check, "K3")) { /* else the checkout is to be moved */
        repair_files(run, finding, k);
    } else if (wpa_text_is(finding->check, "K4")) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "name the system in the key");
        size_t at = k->node->span.start + (k->node->style != WPA_YAML_PLAIN);
        wpa_rule_edit(run, fix, (wpa_span){at, at}, "${{ runner.os }}-");
    }
}

const wpa_rule wpa_rule_ineffective_cache_key = {
    .code = "PRF-008",
    .id = "ineffective-cache-key",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A cache key that never hits, or hits for ever",
    .why = "A cache that is never found costs the time to save it; one that never changes hands "
           "old dependencies on.",
    .fix = "Build the key of system, version and the hash of the lockfile, with restore-keys.",
    .checks = (const char *const[]){"K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", NULL},
    .declares = WPA_DECLARES_CACHE,
    .words = (const char *const[]){"actions/cache", "useblacksmith/cache", "buildjet/cache", NULL},
    .check = check,
    .repair = repair,
};
