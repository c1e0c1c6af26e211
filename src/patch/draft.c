/* Drafts: from findings by their fixes, or from contents. Reads the database and git, writes
 * nothing. */
#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "analysis/default_config.h"
#include "edit/unified.h"
#include "gen/sql.h"
#include "patch/agreement.h"
#include "patch/patch.h"
#include "rules/fix_tree.h"
#include "rules/graph.h"
#include "workflow/workflow.h"

#define REACH_TIMEOUT_MS 60000

enum { /* columns of patch_findings */
    F_ID,
    F_FINGERPRINT,
    F_RULE,
    F_CODE,
    F_SEVERITY,
    F_KIND,
    F_DIMENSION,
    F_STATE,
    F_MESSAGE,
    F_PATH,
    F_REPOSITORY_ID,
    F_REPOSITORY,
    F_URL,
    F_BRANCH,
    F_OWNER,
    F_TAKEN_BY
};

/* A repository at work, opened once for all its files. */
typedef struct patch_place {
    int64_t id;
    const char *name, *url, *branch, *owner, *ref;
    char head[WPA_OID_SIZE];
    wpa_git *git;
    wpa_surroundings around;
    wpa_settings *settings;
} patch_place;

typedef struct drafting {
    wpa_db *db;
    const char *cache_folder;
    wpa_arena *arena;
    wpa_patch_draft *draft;
    patch_place place;   /* the repository of the current file */
    wpa_fix_tree *fixes; /* the repository as it will be; NULL: not begun */
    wpa_map *edits;      /* path → own_edits */
    size_t files_capacity, ids_capacity, left_capacity;
    unsigned declares;
    wpa_dimension worst_dimension;
    const char *worst_message, *rule, *where;
    bool is_one_rule;
    int64_t *ids;
    const char **left_out;
} drafting;

/* ---- where --------------------------------------------------------------------------------- */

static void leave(patch_place *at)
{
    if (at->git) {
        wpa_git_close(at->git);
    }
    *at = (patch_place){0};
}

/** As the analysis asked that found what is to be fixed. */
static bool ask_fleet(drafting *d, wpa_error *err)
{
    const wpa_graph *graph = d->place.around.graph;
    size_t n = wpa_graph_count(graph);
    const wpa_graph_file **files = wpa_arena_array(d->arena, n + 1, sizeof *files);
    for (size_t i = 0; i < n; i++) {
        files[i] = wpa_graph_at(graph, i);
    }
    return wpa_analysis_ask_fleet(d->db, &d->place.around, files, n, d->arena, err);
}

static bool enter(drafting *d, const wpa_rows *rows, size_t row, size_t first_col, wpa_error *err)
{
    patch_place *at = &d->place;
    int64_t id = wpa_rows_int(rows, row, first_col);
    if (at->git && at->id == id) {
        return true;
    }
    leave(at);
    at->id = id;
    at->name = wpa_rows_dup(rows, row, first_col + 1, d->arena);
    at->url = wpa_rows_dup(rows, row, first_col + 2, d->arena);
    at->branch = wpa_rows_dup(rows, row, first_col + 3, d->arena);
    at->owner = wpa_rows_dup(rows, row, first_col + 4, d->arena);
    at->ref = wpa_arena_printf(d->arena, "refs/heads/%s", at->branch);
    at->git = wpa_git_reach(at->url, at->branch, d->cache_folder, REACH_TIMEOUT_MS, err);
    wpa_default_config config;
    return (at->git && wpa_git_ref_read(at->git, at->ref, at->head, err) &&
            wpa_default_config_read(d->db, d->arena, &config, err) &&
            wpa_analysis_look_around(at->git, at->name, at->owner, at->branch, at->head,
                                     config.content, d->arena, &at->around, &at->settings, err) &&
            ask_fleet(d, err)) ||
           wpa_error_within(err, "repository %s", at->name);
}

/** The file as it is at the head; an absent one has no bytes and no id. */
static bool read_before(drafting *d, const char *path, wpa_patch_file *file, wpa_error *err)
{
    const patch_place *at = &d->place;
    wpa_git_entry entry;
    *file = (wpa_patch_file){.repository_id = at->id,
                             .repository = at->name,
                             .ref = at->ref,
                             .base = wpa_arena_text(d->arena, at->head),
                             .path = wpa_arena_text(d->arena, path)};
    if (!wpa_path_check_relative(path, err)) {
        return false;
    }
    if (!wpa_git_tree_find(at->git, at->head, path, d->arena, &entry, err)) {
        bool is_absent = err->code == WPA_E_NOT_FOUND;
        if (is_absent) {
            wpa_error_clear(err);
        }
        return is_absent;
    }
    if (entry.kind != WPA_GIT_FILE && entry.kind != WPA_GIT_EXECUTABLE) {
        return WPA_FAIL(err, WPA_E_REFUSED, "'%s' of %s is a symlink, submodule or folder", path,
                        at->name);
    }
    (void)wpa_text_copy(file->before_oid, sizeof file->before_oid, entry.oid);
    file->before = wpa_git_blob_read(at->git, entry.oid, WPA_PATCH_FILE_MAX_BYTES, d->arena,
                                     &file->before_bytes, err);
    return file->before != NULL;
}

static bool finish_file(drafting *d, wpa_patch_file *file, const char *after, size_t after_bytes,
                        wpa_error *err)
{
    wpa_patch_draft *draft = d->draft;
    if (draft->n_files == WPA_PATCH_FILES_MAX) {
        return WPA_FAIL(err, WPA_E_LIMIT, "a patch changes at most %d files", WPA_PATCH_FILES_MAX);
    }
    file->after = after ? wpa_arena_slice(d->arena, after, after_bytes) : NULL;
    file->after_bytes = after ? after_bytes : 0;
    if (after && !wpa_git_blob_id(after, after_bytes, file->after_oid, err)) {
        return false;
    }
    draft->files = wpa_arena_grow(d->arena, draft->files, draft->n_files, &d->files_capacity,
                                  sizeof *draft->files);
    draft->files[draft->n_files++] = *file;
    return true;
}

static int compare_files(const void *a, const void *b)
{
    const wpa_patch_file *x = a, *y = b;
    if (x->repository_id != y->repository_id) {
        return x->repository_id < y->repository_id ? -1 : 1;
    }
    return strcmp(x->path, y->path);
}

/* ---- from findings ------------------------------------------------------------------------- */

static void leave_out(drafting *d, const wpa_rows *rows, size_t row, const char *why)
{
    d->left_out = wpa_arena_grow(d->arena, d->left_out, d->draft->n_left_out, &d->left_capacity,
                                 sizeof *d->left_out);
    d->left_out[d->draft->n_left_out++] =
        wpa_arena_printf(d->arena, "f-%s %s: %s", wpa_rows_text(rows, row, F_ID),
                         wpa_rows_text(rows, row, F_RULE), why);
}

static void note_answered(drafting *d, const wpa_rows *rows, size_t row, const char *title,
                          unsigned declares)
{
    wpa_patch_draft *draft = d->draft;
    wpa_severity severity = WPA_SEVERITY_LOW;
    wpa_dimension dimension = WPA_DIMENSION_QUALITY;
    (void)!wpa_severity_from(wpa_rows_text(rows, row, F_SEVERITY), &severity);
    (void)!wpa_dimension_from(wpa_rows_text(rows, row, F_DIMENSION), &dimension);
    const char *rule = wpa_rows_text(rows, row, F_RULE);
    if (draft->n_findings == 0 || severity > draft->severity ||
        (severity == draft->severity && dimension < d->worst_dimension)) {
        draft->severity = severity;
        d->worst_dimension = dimension;
        d->worst_message = wpa_rows_dup(rows, row, F_MESSAGE, d->arena);
    }
    d->is_one_rule = draft->n_findings == 0 || (d->is_one_rule && wpa_text_is(d->rule, rule));
    d->rule = wpa_arena_text(d->arena, rule);
    d->declares |= declares;
    d->ids = wpa_arena_grow(d->arena, d->ids, draft->n_findings, &d->ids_capacity, sizeof *d->ids);
    d->ids[draft->n_findings++] = wpa_rows_int(rows, row, F_ID);
    draft->description = wpa_arena_printf(
        d->arena, "%s%s/%s: %s\n", draft->description ? draft->description : "",
        wpa_rows_text(rows, row, F_REPOSITORY), wpa_rows_text(rows, row, F_PATH), title);
}

/* One file while its findings are fixed one after the other. */
typedef struct fixing {
    const char *path;
    wpa_analysis before;
    bool *is_answered;    /* [rows] */
    const char **why_not; /* [rows] of those that are not */
} fixing;

/* What fixes of one file alone did to it; the rest is told by the texts. */
typedef struct own_edits {
    wpa_edit *items;
    size_t n;
} own_edits;

static const wpa_finding *find_by_fingerprint(const wpa_result *result, const char *fingerprint)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        if (wpa_text_is(result->findings[i]->fingerprint, fingerprint)) {
            return result->findings[i];
        }
    }
    return NULL;
}

static bool is_same_place(const wpa_finding *a, const wpa_finding *b)
{
    if (a->rule != b->rule || !wpa_text_is(a->check, b->check) ||
        a->n_structure != b->n_structure) {
        return false;
    }
    for (size_t i = 0; i < a->n_structure; i++) {
        if (!wpa_text_is(a->structure[i], b->structure[i])) {
            return false;
        }
    }
    return true;
}

/** The finding as it is in the text now: a fix before may have changed what it quotes. */
static const wpa_finding *find_now(const fixing *f, const wpa_result *now, const char *fingerprint)
{
    const wpa_finding *same = find_by_fingerprint(now, fingerprint);
    const wpa_finding *old = find_by_fingerprint(&f->before.result, fingerprint);
    for (size_t i = 0; !same && old && i < now->n_findings; i++) {
        same = is_same_place(now->findings[i], old) ? now->findings[i] : NULL;
    }
    return same;
}

static int compare_edits(const void *a, const void *b)
{
    const wpa_edit *x = a, *y = b;
    return (x->bytes.start > y->bytes.start) - (x->bytes.start < y->bytes.start);
}

static size_t size_before(const drafting *d, const char *path)
{
    size_t n;
    const wpa_fix_change *changes = wpa_fix_tree_changes(d->fixes, &n);
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is(changes[i].path, path)) {
            return changes[i].before_bytes;
        }
    }
    return 0;
}

/** What the fix did to the file, on top of what was done to it before. */
static void add_edits(drafting *d, const wpa_source *source, const wpa_fix *fix)
{
    const char *path = wpa_source_identity(source);
    own_edits *own = wpa_map_get(d->edits, path);
    wpa_edit *edits = wpa_arena_array(d->arena, fix->n_edits, sizeof *edits);
    for (size_t i = 0; i < fix->n_edits; i++) {
        const char *text = fix->edits[i].text;
        edits[i] = (wpa_edit){fix->edits[i].bytes, text, strlen(text)};
    }
    qsort(edits, fix->n_edits, sizeof *edits, compare_edits);
    if (!own) {
        own = wpa_arena_alloc(d->arena, sizeof *own);
        own->items = edits;
        own->n = fix->n_edits;
        wpa_map_put(d->edits, path, own);
        return;
    }
    size_t before_bytes = size_before(d, path);
    own->items =
        wpa_edits_compose(own->items, own->n, edits, fix->n_edits, before_bytes, d->arena, &own->n);
}

/** The best of its fixes, in this file alone or over several. */
static wpa_fix_outcome take_fix(drafting *d, const wpa_source *source, const wpa_finding *finding)
{
    const wpa_fix_choice choice = {.has_unsafe = true, .fingerprint = finding->fingerprint};
    const char *path = wpa_source_identity(source);
    if (!wpa_fix_is_of_file(source, finding->fixes[0])) {
        return wpa_fix_tree_fix(d->fixes, path, d->place.settings, &choice);
    }
    wpa_fix_outcome outcome = wpa_rules_fix(source, d->place.settings, &choice, d->arena);
    if (outcome.n_applied) {
        add_edits(d, source, outcome.fixes[0]);
        wpa_fix_tree_put(d->fixes, path, outcome.text, outcome.size_bytes);
    }
    return outcome;
}

static void try_fix(drafting *d, fixing *f, const wpa_rows *rows, size_t row)
{
    const char *fingerprint = wpa_rows_text(rows, row, F_FINGERPRINT);
    const wpa_source *source = wpa_fix_tree_source(d->fixes, f->path, d->arena);
    wpa_analysis now = wpa_analysis_of_source(source, d->place.settings, d->arena);
    const wpa_finding *finding = find_now(f, &now.result, fingerprint);
    if (!finding || finding->n_fixes == 0) {
        f->why_not[row] = finding ? "it has no fix" : "it is no longer at the head of the branch";
        return;
    }
    wpa_fix_outcome outcome = take_fix(d, source, finding);
    if (outcome.n_applied == 0) {
        f->why_not[row] = outcome.n_notes ? outcome.notes[0].text : "its fix did not hold";
        return;
    }
    f->is_answered[row] = true;
    note_answered(d, rows, row, outcome.fixes[0]->title, outcome.fixes[0]->declares);
}

/** What no fix of its own has answered may be gone with another's. */
static void settle(drafting *d, fixing *f, const wpa_rows *rows, size_t first, size_t end)
{
    const wpa_source *source = wpa_fix_tree_source(d->fixes, f->path, d->arena);
    wpa_analysis after = wpa_analysis_of_source(source, d->place.settings, d->arena);
    wpa_analysis_change change = wpa_analysis_compare(&f->before, &after, d->arena);
    for (size_t row = first; row < end; row++) {
        for (size_t i = 0; !f->is_answered[row] && i < change.n_gone; i++) {
            if (wpa_text_is(change.gone[i]->fingerprint, wpa_rows_text(rows, row, F_FINGERPRINT))) {
                f->is_answered[row] = true;
                note_answered(d, rows, row, "gone with the other fixes", 0);
            }
        }
        if (!f->is_answered[row]) {
            leave_out(d, rows, row, f->why_not[row]);
        }
    }
}

static size_t end_of_file(const drafting *d, const wpa_rows *rows, size_t first)
{
    size_t end = first;
    while (end < wpa_rows_count(rows) && wpa_rows_int(rows, end, F_REPOSITORY_ID) == d->place.id &&
           wpa_text_is(wpa_rows_text(rows, end, F_PATH), wpa_rows_text(rows, first, F_PATH))) {
        end++;
    }
    return end;
}

/** The repository as it will be; nothing is done where a symlink stands in the file's place. */
static bool begin(drafting *d, const char *path, wpa_error *err)
{
    wpa_patch_file file;
    if (!d->fixes) {
        d->fixes = wpa_fix_tree_new(&d->place.around, d->arena);
        d->edits = wpa_map_new(d->arena);
    }
    return read_before(d, path, &file, err);
}

/** All rows of one file, from row on; *row moves behind them. */
static bool draft_file(drafting *d, const wpa_rows *rows, size_t *row, wpa_error *err)
{
    size_t first = *row, n = wpa_rows_count(rows);
    const char *path = wpa_rows_text(rows, first, F_PATH);
    fixing f = {.path = path,
                .is_answered = wpa_arena_array(d->arena, n, sizeof(bool)),
                .why_not = wpa_arena_array(d->arena, n, sizeof(char *))};
    if (!enter(d, rows, first, F_REPOSITORY_ID, err) || !begin(d, path, err)) {
        return false;
    }
    *row = end_of_file(d, rows, first);
    d->where = wpa_arena_printf(d->arena, "%s/%s", d->place.name, path);
    const wpa_source *source = wpa_fix_tree_source(d->fixes, path, d->arena);
    if (!source) {
        for (size_t i = first; i < *row; i++) {
            leave_out(d, rows, i, "its file is no longer at the head of the branch");
        }
        return true;
    }
    f.before = wpa_analysis_of_source(source, d->place.settings, d->arena);
    for (size_t i = first; i < *row; i++) {
        try_fix(d, &f, rows, i);
    }
    settle(d, &f, rows, first, *row);
    return true;
}

/** The files of the repository that fixes have changed, those that findings were not of too. */
static bool finish_place(drafting *d, wpa_error *err)
{
    size_t n = 0;
    const wpa_fix_change *changes = d->fixes ? wpa_fix_tree_changes(d->fixes, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        wpa_patch_file file;
        const own_edits *own = changes[i].is_shared ? NULL : wpa_map_get(d->edits, changes[i].path);
        if (!read_before(d, changes[i].path, &file, err)) {
            return false;
        }
        file.edits = own ? own->items : NULL;
        file.n_edits = own ? own->n : 0;
        if (!finish_file(d, &file, changes[i].after, changes[i].after_bytes, err)) {
            return false;
        }
    }
    wpa_fix_tree_free(d->fixes);
    d->fixes = NULL;
    wpa_patch_look_at_agreement(&d->place.around, d->place.settings, d->place.id, d->arena,
                                d->draft);
    return true;
}

static bool check_rows(const wpa_rows *rows, const int64_t ids[], size_t n, wpa_error *err)
{
    for (size_t i = 0; i < n; i++) {
        bool is_there = false;
        for (size_t row = 0; row < wpa_rows_count(rows) && !is_there; row++) {
            is_there = wpa_rows_int(rows, row, F_ID) == ids[i];
        }
        if (!is_there) {
            return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no f-%lld", (long long)ids[i]);
        }
    }
    for (size_t row = 0; row < wpa_rows_count(rows); row++) {
        if (!wpa_rows_is_null(rows, row, F_TAKEN_BY)) {
            return WPA_FAIL(err, WPA_E_CONFLICT, "f-%s is answered by p-%s already",
                            wpa_rows_text(rows, row, F_ID), wpa_rows_text(rows, row, F_TAKEN_BY));
        }
    }
    return true;
}

/* A fix of security findings is a security patch, and so on. */
static const char *const types[WPA_DIMENSION_COUNT] = {
    [WPA_DIMENSION_SECURITY] = "security",      [WPA_DIMENSION_PERFORMANCE] = "performance",
    [WPA_DIMENSION_EFFICIENCY] = "performance", [WPA_DIMENSION_COMPATIBILITY] = "bug_fix",
    [WPA_DIMENSION_QUALITY] = "refactor",
};

static void describe(drafting *d, const char *name)
{
    wpa_patch_draft *draft = d->draft;
    const char **declares = wpa_arena_array(d->arena, 32, sizeof *declares);
    for (unsigned bit = 0; bit < WPA_DECLARES_COUNT; bit++) {
        if (d->declares & (1U << bit)) {
            declares[draft->n_declares++] = wpa_declares_name(bit);
        }
    }
    draft->declares = declares;
    draft->finding_ids = d->ids;
    draft->left_out = d->left_out;
    for (size_t i = 0; i < draft->n_left_out; i++) {
        draft->description =
            wpa_arena_printf(d->arena, "%snot answered: %s\n", draft->description, d->left_out[i]);
    }
    draft->engine_notes = draft->description;
    draft->type = types[d->worst_dimension];
    draft->issue = d->worst_message;
    const char *where =
        draft->n_files == 1 ? d->where : wpa_arena_printf(d->arena, "%zu files", draft->n_files);
    draft->name = name ? wpa_arena_text(d->arena, name)
                  : d->is_one_rule
                      ? wpa_arena_printf(d->arena, "%s in %s", d->rule, where)
                      : wpa_arena_printf(d->arena, "%zu findings in %s", draft->n_findings, where);
}

static bool draft_rows(drafting *d, const wpa_rows *rows, wpa_error *err)
{
    for (size_t row = 0; row < wpa_rows_count(rows);) {
        if (!draft_file(d, rows, &row, err)) {
            return false;
        }
        bool is_last =
            row == wpa_rows_count(rows) || wpa_rows_int(rows, row, F_REPOSITORY_ID) != d->place.id;
        if (is_last && !finish_place(d, err)) {
            return false;
        }
    }
    if (d->draft->n_files) {
        qsort(d->draft->files, d->draft->n_files, sizeof *d->draft->files, compare_files);
    }
    if (d->draft->n_files == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "no fix can be applied: %s",
                        d->left_out ? d->left_out[0] : "no finding was named");
    }
    return true;
}

bool wpa_patch_draft_findings(wpa_db *db, const int64_t finding_ids[], size_t n, const char *name,
                              const char *cache_folder, wpa_arena *arena, wpa_patch_draft *draft,
                              wpa_error *err)
{
    drafting d = {.db = db, .cache_folder = cache_folder, .arena = arena, .draft = draft};
    *draft = (wpa_patch_draft){0};
    if (n == 0 || n > WPA_PATCH_FINDINGS_MAX) {
        return WPA_FAIL(err, WPA_E_INVALID, "a patch answers 1 to %d findings, not %zu",
                        WPA_PATCH_FINDINGS_MAX, n);
    }
    const char *params[] = {wpa_db_array_int(arena, finding_ids, n)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_PATCH_FINDINGS, params, 1, err);
    if (!rows || !check_rows(rows, finding_ids, n, err)) {
        return false;
    }
    bool is_drafted = draft_rows(&d, rows, err);
    wpa_fix_tree_free(d.fixes);
    leave(&d.place);
    if (is_drafted) {
        describe(&d, name);
    }
    return is_drafted;
}

/* ---- from contents ------------------------------------------------------------------------- */

static bool apply_diff(drafting *d, const wpa_patch_file *file, wpa_patch_replacement *content,
                       wpa_error *err)
{
    wpa_unified_result result;
    if (!wpa_unified_apply(content->bytes, content->size_bytes, content->path, file->before,
                           file->before_bytes, d->arena, &result, err)) {
        return false;
    }
    content->bytes = result.bytes;
    content->size_bytes = result.size_bytes;
    return true;
}

/** Open findings of the file that are not there any more with the new content. */
static bool answer_gone(drafting *d, const wpa_patch_file *file,
                        const wpa_patch_replacement *content, wpa_error *err)
{
    const patch_place *at = &d->place;
    char repository[WPA_DB_NUMBER_SIZE];
    if (!file->before || !content->bytes || wpa_file_kind_of(file->path) == WPA_FILE_OTHER) {
        return true;
    }
    wpa_analysis before = wpa_analysis_of(file->path, file->before, file->before_bytes, &at->around,
                                          at->settings, d->arena);
    wpa_analysis after = wpa_analysis_of(file->path, content->bytes, content->size_bytes,
                                         &at->around, at->settings, d->arena);
    wpa_analysis_change change = wpa_analysis_compare(&before, &after, d->arena);
    const char **gone = wpa_arena_array(d->arena, change.n_gone + 1, sizeof *gone);
    for (size_t i = 0; i < change.n_gone; i++) {
        gone[i] = change.gone[i]->fingerprint;
    }
    const char *params[] = {wpa_db_number(at->id, repository), file->path,
                            wpa_db_array(d->arena, gone, change.n_gone)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(d->db, WPA_SQL_PATCH_ANSWERED, params, WPA_COUNT(params), err);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        d->ids = wpa_arena_grow(d->arena, d->ids, d->draft->n_findings, &d->ids_capacity,
                                sizeof *d->ids);
        d->ids[d->draft->n_findings++] = wpa_rows_int(rows, i, 0);
    }
    d->draft->finding_ids = d->ids;
    return rows != NULL;
}

static bool draft_content(drafting *d, const wpa_patch_replacement *content, wpa_error *err)
{
    const char *params[] = {content->repository};
    wpa_patch_file file;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(d->db, WPA_SQL_PATCH_REPOSITORY, params, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no repository '%s'", content->repository);
    }
    if (content->bytes && content->size_bytes > WPA_PATCH_FILE_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "'%s' has %zu bytes, at most %zu can be patched",
                        content->path, content->size_bytes, WPA_PATCH_FILE_MAX_BYTES);
    }
    if (!enter(d, rows, 0, 0, err) || !read_before(d, content->path, &file, err)) {
        return false;
    }
    wpa_patch_replacement whole = *content;
    if (content->is_diff && !apply_diff(d, &file, &whole, err)) {
        return wpa_error_within(err, "'%s'", content->path);
    }
    content = &whole;
    bool is_same = content->bytes ? file.before && file.before_bytes == content->size_bytes &&
                                        memcmp(file.before, content->bytes, file.before_bytes) == 0
                                  : !file.before;
    if (is_same) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' of %s is like that already", content->path,
                        content->repository);
    }
    return answer_gone(d, &file, content, err) &&
           finish_file(d, &file, content->bytes, content->size_bytes, err);
}

bool wpa_patch_draft_contents(wpa_db *db, const wpa_patch_replacement contents[], size_t n,
                              const char *cache_folder, wpa_arena *arena, wpa_patch_draft *draft,
                              wpa_error *err)
{
    drafting d = {.db = db, .cache_folder = cache_folder, .arena = arena, .draft = draft};
    *draft = (wpa_patch_draft){.type = "feature",
                               .severity = WPA_SEVERITY_MEDIUM,
                               .is_by_person = true,
                               .name = "",
                               .description = "",
                               .issue = ""};
    if (n == 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "a patch needs at least one file");
    }
    bool is_drafted = true;
    for (size_t i = 0; i < n && is_drafted; i++) {
        is_drafted = draft_content(&d, &contents[i], err);
    }
    if (is_drafted) {
        wpa_patch_look_at_agreement(&d.place.around, d.place.settings, d.place.id, arena, draft);
    }
    leave(&d.place);
    if (is_drafted) {
        qsort(draft->files, draft->n_files, sizeof *draft->files, compare_files);
    }
    for (size_t i = 1; is_drafted && i < draft->n_files; i++) {
        if (compare_files(&draft->files[i - 1], &draft->files[i]) == 0) {
            return WPA_FAIL(err, WPA_E_INVALID, "'%s' of %s is given twice", draft->files[i].path,
                            draft->files[i].repository);
        }
    }
    return is_drafted;
}
