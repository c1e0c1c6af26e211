/* From a blob to a result: out of the cache, or by running the rules. */
#include <stdlib.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "analysis/default_config.h"
#include "analysis/internal.h"
#include "auth/hash.h"
#include "facts/refreshed.h"
#include "gen/sql.h"
#include "lint/lint.h"
#include "report/report.h"
#include "rules/config.h"
#include "rules/fleet.h"
#include "rules/graph.h"

#define TREE_MAX_ENTRIES 500000
/* A forge switches schedules off where nothing has happened for so long. */
#define IDLE_S (INT64_C(60) * 24 * 60 * 60)
#define RESULT_MAX_BYTES ((size_t)64 << 20)
/* A result that read more of the repository than this is not kept. */
#define READS_MAX 200

static const char *const config_paths[] = {"wpa.yml", ".wpa.yml", ".github/wpa.yml"};

/* How much of the repository a result depends on, besides single files that were read. */
typedef enum reach {
    REACH_PATHS,       /* which files there are */
    REACH_DEFINITIONS, /* what all definitions hold */
    REACH_COUNT
} reach;

/* What an analysis depends on besides the bytes. */
typedef struct surroundings {
    wpa_surroundings around;
    const char *fleet_config; /* that lies below the repository's own, or NULL */
    const char *config_path;  /* of the repository's wpa.yml, or NULL */
    const char *config;       /* [config_bytes] */
    size_t config_bytes;
    const char *config_fault; /* for which it doesn't count, or NULL */
    const char *programs;     /* which are asked about scripts, in which version; NULL: none */
    char digests[REACH_COUNT][WPA_SHA256_HEX_SIZE];
    wpa_analysis_alike alike; /* definitions of other repositories */
    wpa_git_entries entries; /* the whole tree, by path as git lists it; empty if it is too large */
} surroundings;

/* Where a neighbour's text comes from: the tree of one commit. */
typedef struct commit_reader {
    wpa_git *git;
    const char *commit;
} commit_reader;

/* ---- the repository around the file ---- */

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool list_paths(wpa_git *git, const char *commit, surroundings *s, wpa_arena *arena,
                       wpa_error *err)
{
    wpa_surroundings *around = &s->around;
    wpa_git_entries entries = {0};
    if (!wpa_git_tree_list(git, commit, "", true, TREE_MAX_ENTRIES, arena, &entries, err)) {
        if (err->code != WPA_E_LIMIT) {
            return false;
        }
        wpa_error_clear(err); /* too many to list: rules that need them stay silent */
        return true;
    }
    const char **paths = wpa_arena_array(arena, entries.n ? entries.n : 1, sizeof *paths);
    for (size_t i = 0; i < entries.n; i++) {
        paths[i] = entries.items[i].path;
    }
    qsort(paths, entries.n, sizeof *paths, compare_paths);
    around->paths = paths;
    around->n_paths = entries.n;
    around->has_paths = true;
    s->entries = entries;
    return true;
}

static const char *read_at_commit(void *context, const char *path, size_t max_bytes,
                                  wpa_arena *arena, size_t *size_bytes)
{
    commit_reader *at = context;
    wpa_git_entry entry;
    wpa_error err = {0};
    bool is_file = wpa_git_tree_find(at->git, at->commit, path, arena, &entry, &err) &&
                   entry.kind == WPA_GIT_FILE;
    return is_file ? wpa_git_blob_read(at->git, entry.oid, max_bytes, arena, size_bytes, &err)
                   : NULL;
}

/** The graph of all definitions at the commit; one that cannot be read is left out. */
static void join_definitions(wpa_git *git, surroundings *s, wpa_arena *arena)
{
    wpa_graph *graph = wpa_graph_new(s->around.repository, arena);
    for (size_t i = 0; i < s->entries.n; i++) {
        const wpa_git_entry *entry = &s->entries.items[i];
        wpa_input_kind kind;
        wpa_error err = {0};
        if (entry->kind != WPA_GIT_FILE || !wpa_input_of_path(entry->path, &kind)) {
            continue;
        }
        WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
        size_t size_bytes;
        const char *text =
            wpa_git_blob_read(git, entry->oid, WPA_YAML_MAX_BYTES, scratch, &size_bytes, &err);
        if (text) {
            wpa_graph_add(
                graph, wpa_source_read(kind, entry->path, text, size_bytes, &s->around, scratch));
        }
    }
    wpa_graph_close(graph);
    s->around.graph = graph;
}

static bool find_config(wpa_git *git, const char *commit, surroundings *s, wpa_arena *arena,
                        wpa_error *err)
{
    for (size_t i = 0; i < WPA_COUNT(config_paths) && !s->config; i++) {
        wpa_git_entry entry;
        if (!wpa_surroundings_has(&s->around, config_paths[i])) {
            continue;
        }
        if (!wpa_git_tree_find(git, commit, config_paths[i], arena, &entry, err)) {
            return false;
        }
        s->config = entry.kind == WPA_GIT_FILE
                        ? wpa_git_blob_read(git, entry.oid, WPA_YAML_MAX_BYTES, arena,
                                            &s->config_bytes, err)
                        : NULL;
        s->config_path = s->config ? config_paths[i] : NULL;
        wpa_error_clear(err); /* one that is too large is as good as none */
    }
    return true;
}

static void hash_text(wpa_sha256_state *hash, const char *text)
{
    wpa_sha256_update(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

/** The settings of ShellCheck reach every script, whichever rule asks. */
static bool is_of_everyone(const char *path)
{
    return wpa_text_is(path, ".shellcheckrc") || wpa_text_is(path, "shellcheckrc");
}

static bool is_within(reach r, const char *path)
{
    wpa_input_kind kind;
    return r == REACH_DEFINITIONS && wpa_input_of_path(path, &kind);
}

static void hash_fleet(wpa_sha256_state *hash, const wpa_fleet *fleet)
{
    for (size_t i = 0; fleet && i < fleet->n_uses; i++) {
        const wpa_fleet_use *use = &fleet->uses[i];
        const size_t numbers[] = {(size_t)use->major, use->n_places, use->n_repositories};
        hash_text(hash, use->slug);
        wpa_sha256_update(hash, numbers, sizeof numbers);
    }
}

/** Files that a result read by themselves are kept with it; these are what no reading shows. */
static void digest_surroundings(surroundings *s, const wpa_analysis_subject *subject, reach r)
{
    wpa_sha256_state hash;
    uint8_t digest[WPA_SHA256_SIZE];
    wpa_sha256_init(&hash);
    hash_text(&hash, subject->path);
    hash_text(&hash, subject->kind);
    hash_text(&hash, s->around.default_branch);
    hash_text(&hash, s->around.owner);
    hash_text(&hash, s->around.idle_since);
    hash_text(&hash, r == REACH_DEFINITIONS ? "definitions" : "paths");
    for (size_t i = 0; i < s->entries.n; i++) {
        const wpa_git_entry *entry = &s->entries.items[i];
        bool counts = is_of_everyone(entry->path) || is_within(r, entry->path);
        hash_text(&hash, entry->path);
        hash_text(&hash, counts ? entry->oid : NULL);
    }
    hash_fleet(&hash, s->around.fleet);
    for (size_t i = 0; i < s->alike.n; i++) {
        hash_text(&hash, s->alike.items[i].repository);
        hash_text(&hash, s->alike.items[i].path);
        hash_text(&hash, s->alike.items[i].blob_oid);
    }
    hash_text(&hash, s->fleet_config);
    hash_text(&hash, s->config_path);
    wpa_sha256_update(&hash, s->config ? s->config : "", s->config_bytes);
    hash_text(&hash, s->programs);
    for (int i = 0; i < WPA_FACTS_COUNT; i++) {
        hash_text(&hash, wpa_facts_date((wpa_fact_table)i));
    }
    hash_text(&hash, wpa_facts_digest());
    wpa_sha256_final(&hash, digest);
    wpa_hex_encode(digest, WPA_SHA256_SIZE, s->digests[r]);
}

/** The day of the commit, if that is so long ago that a forge draws conclusions; or NULL. */
static const char *idle_since(wpa_git *git, const char *commit, wpa_arena *arena)
{
    wpa_git_commit read;
    wpa_error err = {0};
    char day[WPA_TIMESTAMP_SIZE];
    if (!wpa_git_commit_read(git, commit, arena, &read, &err) || read.time_s < 0 ||
        wpa_now_us() / 1000000 - read.time_s <= IDLE_S) {
        return NULL;
    }
    wpa_timestamp_format(read.time_s * 1000000, day);
    return wpa_arena_slice(arena, day, strlen("YYYY-MM-DD"));
}

static bool look_around(wpa_git *git, const wpa_analysis_subject *subject, wpa_arena *arena,
                        surroundings *s, wpa_error *err)
{
    s->around = (wpa_surroundings){
        .repository = subject->repository,
        .owner = *subject->owner ? subject->owner : NULL,
        .default_branch = *subject->branch ? subject->branch : NULL,
        .idle_since = idle_since(git, subject->head_commit, arena),
    };
    commit_reader *reader = wpa_arena_alloc(arena, sizeof *reader);
    *reader = (commit_reader){git, wpa_arena_text(arena, subject->head_commit)};
    s->around.read = read_at_commit;
    s->around.read_context = reader;
    return list_paths(git, subject->head_commit, s, arena, err) &&
           find_config(git, subject->head_commit, s, arena, err);
}

/* ---- running the rules ---- */

static bool has_failed(const wpa_result *result, const wpa_rule *rule)
{
    for (size_t i = 0; i < result->n_notes; i++) {
        if (wpa_text_is(result->notes[i].rule, rule->id)) {
            return true;
        }
    }
    return false;
}

/** Could a program that the rule speaks for not be asked? */
static bool is_unasked(const wpa_lint *lint, const wpa_rule *rule)
{
    size_t n;
    const wpa_note *notes = wpa_lint_notes(lint, &n);
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is(notes[i].rule, rule->id)) {
            return true;
        }
    }
    return false;
}

/** Rules whose silence means that there is nothing: of a file read in part, syntax alone. */
static wpa_json *list_done(const wpa_result *result, const wpa_lint *lint, bool *is_complete,
                           wpa_arena *arena)
{
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    wpa_json *list = wpa_json_new_array(arena);
    *is_complete = !result->source->is_partial;
    for (size_t i = 0; i < n_rules; i++) {
        if (has_failed(result, rules[i])) {
            *is_complete = false;
        } else if (is_unasked(lint, rules[i])) {
            continue; /* what it found before, where the program was there, stays */
        } else if (!result->source->is_partial || wpa_text_is(rules[i]->id, "syntax")) {
            wpa_json_push_text(list, rules[i]->id);
        }
    }
    return list;
}

static wpa_json *list_findings(const wpa_result *result, wpa_arena *arena)
{
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < result->n_findings; i++) {
        wpa_json *record = wpa_finding_json(result->findings[i], NULL, arena);
        wpa_json_set_text(record, "evidence", result->findings[i]->evidence);
        wpa_json_push(list, record);
    }
    return list;
}

/** [{"rule", "text"}] what could not be looked at, and why; in place of a rule the wpa.yml. */
static wpa_json *list_notes(const surroundings *s, const wpa_result *result, const wpa_lint *lint,
                            wpa_arena *arena)
{
    size_t n;
    const wpa_note *notes[] = {result->notes, wpa_lint_notes(lint, &n)};
    const size_t counts[] = {result->n_notes, n};
    wpa_json *list = wpa_json_new_array(arena);
    if (s->config_fault) {
        const char *text = wpa_arena_printf(arena, "it does not count: %s", s->config_fault);
        wpa_json *note = wpa_json_push_object(list);
        wpa_json_set_text(note, "rule", s->config_path);
        wpa_json_set_text(note, "text", text);
    }
    for (size_t i = 0; i < WPA_COUNT(notes); i++) {
        for (size_t k = 0; k < counts[i]; k++) {
            wpa_json *note = wpa_json_push_object(list);
            wpa_json_set_text(note, "rule", notes[i][k].rule);
            wpa_json_set_text(note, "text", notes[i][k].text);
        }
    }
    return list;
}

/** What lies at the path; "" for nothing that could be read. */
static const char *oid_at_commit(const surroundings *s, const char *path, wpa_arena *arena)
{
    const commit_reader *at = s->around.read_context;
    wpa_git_entry entry;
    wpa_error err = {0};
    bool is_file = wpa_git_tree_find(at->git, at->commit, path, arena, &entry, &err) &&
                   entry.kind == WPA_GIT_FILE;
    return is_file ? wpa_arena_text(arena, entry.oid) : "";
}

/** [[path, oid]] each file that was read beside the one under analysis, once. */
static void list_reads(const surroundings *s, const wpa_surroundings_trace *trace, wpa_json *list,
                       wpa_arena *arena)
{
    wpa_map *seen = wpa_map_new(arena);
    for (size_t i = 0; i < trace->n_reads; i++) {
        const char *path = trace->reads[i].path;
        if (!wpa_map_has(seen, path)) {
            wpa_map_put(seen, path, seen);
            wpa_json *read = wpa_json_new_array(arena);
            wpa_json_push_text(read, path);
            wpa_json_push_text(read, oid_at_commit(s, path, arena));
            wpa_json_push(list, read);
        }
    }
}

static wpa_json *describe(const surroundings *s, const wpa_analysis *analysis, const wpa_lint *lint,
                          wpa_arena *arena)
{
    const wpa_yaml_doc *yaml = analysis->result.source->yaml;
    const wpa_yaml_node *root = yaml ? yaml->root : NULL;
    const char *title = wpa_yaml_text(wpa_yaml_get(root, "name"));
    bool is_complete;
    wpa_json *document = wpa_json_new_object(arena);
    wpa_json_set_bool(document, "valid", analysis->is_valid);
    wpa_json_set_int(document, "jobs", (int64_t)analysis->n_jobs);
    wpa_json_set_text(document, "title", title ? title : "");
    wpa_json_set(document, "triggers", wpa_analysis_list_triggers(root, arena));
    wpa_json *uses = wpa_json_set_array(document, "uses");
    if (root) {
        wpa_analysis_list_named(root, uses, arena);
    }
    wpa_json_set(document, "rules_done", list_done(&analysis->result, lint, &is_complete, arena));
    wpa_json_set_bool(document, "complete", is_complete);
    wpa_json_set(document, "notes", list_notes(s, &analysis->result, lint, arena));
    wpa_json_set(document, "findings", list_findings(&analysis->result, arena));
    return document;
}

/** Screens filter by persona; the score leaves out what is not for everybody. */
static wpa_settings *settings_of(surroundings *s, wpa_arena *arena)
{
    const wpa_persona persona = WPA_PERSONA_PEDANTIC;
    int64_t now_us = wpa_now_us();
    wpa_settings *settings = wpa_default_config_settings(s->fleet_config, persona, now_us, arena);
    wpa_error err = {0};
    if (s->config &&
        !wpa_config_read(s->config_path, s->config, s->config_bytes, settings, arena, &err)) {
        s->config_fault = wpa_arena_text(arena, err.message);
        settings = wpa_default_config_settings(s->fleet_config, persona, now_us, arena);
    }
    return settings;
}

bool wpa_analysis_look_around(wpa_git *git, const char *repository, const char *owner,
                              const char *branch, const char *commit, const char *fleet_config,
                              wpa_arena *arena, wpa_surroundings *around, wpa_settings **settings,
                              wpa_error *err)
{
    surroundings s = {.fleet_config = fleet_config};
    const wpa_analysis_subject subject = {.repository = repository,
                                          .owner = owner,
                                          .branch = branch,
                                          .head_commit = commit,
                                          .path = "",
                                          .kind = ""};
    if (!look_around(git, &subject, arena, &s, err)) {
        return false;
    }
    join_definitions(git, &s, arena);
    *around = s.around;
    *settings = settings_of(&s, arena);
    return true;
}

static wpa_json *run_rules(const wpa_analysis_subject *subject, const surroundings *s,
                           const wpa_settings *settings, wpa_lint *lint,
                           const wpa_analysis_outcome *outcome, wpa_arena *arena)
{
    wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    (void)!wpa_input_of_path(subject->path, &kind);
    const wpa_surroundings *around = wpa_surroundings_traced(&s->around, arena);
    const wpa_source *source =
        wpa_source_read(kind, subject->path, outcome->content, outcome->size_bytes, around, arena);
    WPA_AUTO(wpa_arena) *answers = wpa_lint_batch(lint, &(wpa_lint_file){source, &settings}, 1);
    (void)answers; /* settings has them from here on */
    wpa_analysis analysis = wpa_analysis_of_source(source, settings, arena);
    wpa_json *document = describe(s, &analysis, lint, arena);
    wpa_json_set(document, "fleet_uses",
                 wpa_analysis_list_uses(wpa_graph_own(s->around.graph, source, arena), arena));
    wpa_json_set_text(document, "reach", around->trace->has_asked_graph ? "definitions" : "paths");
    list_reads(s, around->trace, wpa_json_set_array(document, "reads"), arena);
    return document;
}

/* ---- the cache ---- */

/** Is what the result read beside the file still what it was? */
static bool is_unchanged(const wpa_json *result, const surroundings *s, wpa_arena *arena)
{
    const wpa_json *reads = wpa_json_find(result, "reads");
    for (size_t i = 0; i < wpa_json_count(reads); i++) {
        const wpa_json *read = wpa_json_at(reads, i);
        const char *path = wpa_json_text_of(wpa_json_at(read, 0));
        const char *oid = wpa_json_text_of(wpa_json_at(read, 1));
        if (!path || !oid || !wpa_text_is(oid, oid_at_commit(s, path, arena))) {
            return false;
        }
    }
    return true;
}

static const wpa_json *read_cache(wpa_db *db, const wpa_analysis_subject *subject,
                                  const surroundings *s, wpa_arena *arena)
{
    for (int i = 0; i < REACH_COUNT; i++) {
        const char *params[] = {subject->blob_oid, wpa_rules_version(), s->digests[i]};
        wpa_error err = {0};
        WPA_AUTO(wpa_rows) *rows =
            wpa_db_exec(db, WPA_SQL_ANALYSIS_CACHE_GET, params, WPA_COUNT(params), &err);
        if (!rows) {
            return NULL; /* what cannot be had from the cache is made again */
        }
        const char *text = wpa_rows_count(rows) ? wpa_rows_text(rows, 0, 0) : NULL;
        const wpa_json *result =
            text ? wpa_json_parse(text, strlen(text), RESULT_MAX_BYTES, arena, &err) : NULL;
        if (result && is_unchanged(result, s, arena)) {
            return result;
        }
    }
    return NULL;
}

static bool write_cache(wpa_db *db, const wpa_analysis_subject *subject, const surroundings *s,
                        const wpa_json *result, wpa_arena *arena, wpa_error *err)
{
    bool is_wide = wpa_text_is(wpa_json_text_of(wpa_json_find(result, "reach")), "definitions");
    const char *params[] = {subject->blob_oid, wpa_rules_version(),
                            s->digests[is_wide ? REACH_DEFINITIONS : REACH_PATHS],
                            wpa_json_dump(result, arena)};
    return wpa_json_count(wpa_json_find(result, "reads")) > READS_MAX ||
           wpa_db_run(db, WPA_SQL_ANALYSIS_CACHE_PUT, params, WPA_COUNT(params), err);
}

static void take_result(const wpa_json *result, wpa_analysis_outcome *outcome)
{
    outcome->is_valid = wpa_json_bool_of(wpa_json_find(result, "valid"), false);
    outcome->is_complete = wpa_json_bool_of(wpa_json_find(result, "complete"), false);
    outcome->n_jobs = wpa_json_int_of(wpa_json_find(result, "jobs"), 0);
    outcome->title = wpa_json_text_of(wpa_json_find(result, "title"));
    outcome->triggers = wpa_json_find(result, "triggers");
    outcome->uses = wpa_json_find(result, "uses");
    outcome->fleet_uses = wpa_json_find(result, "fleet_uses");
    outcome->rules_done = wpa_json_find(result, "rules_done");
    outcome->findings = wpa_json_find(result, "findings");
    outcome->notes = wpa_json_find(result, "notes");
}

/** A file that is not there or too large is an outcome; a lost connection is an error. */
static bool explain_fault(wpa_analysis_outcome *outcome, wpa_arena *arena, wpa_error *err)
{
    bool is_of_file =
        err->code == WPA_E_NOT_FOUND || err->code == WPA_E_LIMIT || err->code == WPA_E_INVALID;
    if (is_of_file) {
        outcome->fault = wpa_arena_text(arena, err->message);
        wpa_error_clear(err);
    }
    return is_of_file;
}

/** What the fleet knows is part of what a result depends on: it is asked for before the cache. */
static bool ask_fleet(wpa_db *db, const wpa_analysis_subject *subject,
                      wpa_analysis_outcome *outcome, surroundings *s, wpa_arena *arena,
                      wpa_error *err)
{
    wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    (void)!wpa_input_of_path(subject->path, &kind);
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const wpa_source *source = wpa_source_read(kind, subject->path, outcome->content,
                                               outcome->size_bytes, &s->around, scratch);
    const wpa_graph_file *file = wpa_graph_own(NULL, source, scratch);
    outcome->fleet_marks = wpa_analysis_list_marks(file, arena);
    return wpa_analysis_ask_fleet(db, &s->around, &file, 1, arena, err) &&
           wpa_analysis_ask_alike(db, subject->workflow_id, outcome->fleet_marks, arena, &s->alike,
                                  err);
}

bool wpa_analysis_evaluate(wpa_db *db, wpa_git *git, const wpa_analysis_subject *subject,
                           wpa_arena *arena, wpa_analysis_outcome *outcome, wpa_error *err)
{
    surroundings s = {0};
    outcome->fault = subject->error;
    if (outcome->fault) {
        return true;
    }
    outcome->content = wpa_git_blob_read(git, subject->blob_oid, WPA_YAML_MAX_BYTES, arena,
                                         &outcome->size_bytes, err);
    if (!outcome->content || !look_around(git, subject, arena, &s, err)) {
        return explain_fault(outcome, arena, err);
    }
    wpa_default_config config;
    if (!ask_fleet(db, subject, outcome, &s, arena, err) ||
        !wpa_default_config_read(db, arena, &config, err)) {
        return false;
    }
    s.fleet_config = config.content;
    const wpa_settings *settings = settings_of(&s, arena);
    WPA_AUTO(wpa_lint) *lint = wpa_lint_open(settings, 1, true, err);
    if (!lint) {
        return explain_fault(outcome, arena, err);
    }
    s.programs = wpa_lint_programs_asked(lint);
    for (int i = 0; i < REACH_COUNT; i++) {
        digest_surroundings(&s, subject, (reach)i);
    }
    const wpa_json *result = read_cache(db, subject, &s, arena);
    outcome->is_cached = result != NULL;
    if (!result) {
        if (!wpa_analysis_join_alike(db, &s.alike, &s.around, arena, err)) {
            return false;
        }
        join_definitions(git, &s, arena);
        result = run_rules(subject, &s, settings, lint, outcome, arena);
        if (!write_cache(db, subject, &s, result, arena, err)) {
            return false;
        }
    }
    take_result(result, outcome);
    return true;
}
