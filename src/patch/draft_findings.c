/* Drafts from findings, by their fixes. */
#include <stdlib.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "gen/sql.h"
#include "patch/agreement.h"
#include "patch/drafting.h"
#include "rules/fix_tree.h"
#include "rules/generated.h"

/* More than WPA_PATCH_FINDINGS_MAX lines can come to. */
#define NOTES_MAX_BYTES ((size_t)64 << 20)
/* Tries of what could not be fixed yet, each only if the one before has fixed anything. */
#define ROUNDS_MAX 5

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

typedef struct drafting {
    wpa_drafting base;
    wpa_fix_tree *fixes; /* the repository as it will be; NULL: not begun */
    wpa_map *edits;      /* path → own_edits */
    size_t left_capacity;
    unsigned declares;
    wpa_dimension worst_dimension;
    const char *worst_message, *rule, *where;
    bool is_one_rule;
    const char **left_out;
    wpa_buf *notes; /* a line for each finding */
} drafting;

static void leave_out(drafting *d, const wpa_rows *rows, size_t row, const char *why)
{
    size_t *n = &d->base.draft->n_left_out;
    d->left_out =
        wpa_arena_grow(d->base.arena, d->left_out, *n, &d->left_capacity, sizeof *d->left_out);
    d->left_out[(*n)++] =
        wpa_arena_printf(d->base.arena, "f-%s %s: %s", wpa_rows_text(rows, row, F_ID),
                         wpa_rows_text(rows, row, F_RULE), why);
}

static void note_answered(drafting *d, const wpa_rows *rows, size_t row, const char *title,
                          unsigned declares)
{
    wpa_patch_draft *draft = d->base.draft;
    wpa_severity severity = WPA_SEVERITY_LOW;
    wpa_dimension dimension = WPA_DIMENSION_QUALITY;
    (void)!wpa_severity_from(wpa_rows_text(rows, row, F_SEVERITY), &severity);
    (void)!wpa_dimension_from(wpa_rows_text(rows, row, F_DIMENSION), &dimension);
    const char *rule = wpa_rows_text(rows, row, F_RULE);
    if (draft->n_findings == 0 || severity > draft->severity ||
        (severity == draft->severity && dimension < d->worst_dimension)) {
        draft->severity = severity;
        d->worst_dimension = dimension;
        d->worst_message = wpa_rows_dup(rows, row, F_MESSAGE, d->base.arena);
    }
    d->is_one_rule = draft->n_findings == 0 || (d->is_one_rule && wpa_text_is(d->rule, rule));
    d->rule = wpa_arena_text(d->base.arena, rule);
    d->declares |= declares;
    wpa_drafting_answer(&d->base, wpa_rows_int(rows, row, F_ID));
    wpa_buf_printf(d->notes, "%s/%s: %s\n", wpa_rows_text(rows, row, F_REPOSITORY),
                   wpa_rows_text(rows, row, F_PATH), title);
}

/* One file while its findings are fixed one after the other. */
typedef struct fixing {
    wpa_arena *arena; /* of this file alone */
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

/** A step without a name goes by the text of its script, which a fix before may have changed. */
static bool is_in_changed_step(const wpa_finding *now, const wpa_finding *old)
{
    if (now->rule != old->rule || !wpa_text_is(now->check, old->check) ||
        now->n_structure != old->n_structure || !wpa_text_is(now->message, old->message)) {
        return false;
    }
    size_t n_other = 0;
    for (size_t i = 0; i < now->n_structure; i++) {
        bool is_other = !wpa_text_is(now->structure[i], old->structure[i]);
        if (is_other && (i == 0 || !wpa_text_is(old->structure[i - 1], "steps"))) {
            return false;
        }
        n_other += is_other;
    }
    return n_other == 1;
}

/** The finding as it is in the text now: a fix before may have changed what it quotes. */
static const wpa_finding *find_now(const fixing *f, const wpa_result *now, const char *fingerprint)
{
    const wpa_finding *same = find_by_fingerprint(now, fingerprint);
    const wpa_finding *old = find_by_fingerprint(&f->before.result, fingerprint);
    for (size_t i = 0; !same && old && i < now->n_findings; i++) {
        same = is_same_place(now->findings[i], old) ? now->findings[i] : NULL;
    }
    for (size_t i = 0; !same && old && i < now->n_findings; i++) {
        bool is_moved = is_in_changed_step(now->findings[i], old) &&
                        !find_by_fingerprint(&f->before.result, now->findings[i]->fingerprint);
        same = is_moved ? now->findings[i] : NULL;
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
static void add_edits(drafting *d, const char *path, const wpa_fix *fix)
{
    own_edits *own = wpa_map_get(d->edits, path);
    wpa_edit *edits = wpa_arena_array(d->base.arena, fix->n_edits, sizeof *edits);
    for (size_t i = 0; i < fix->n_edits; i++) {
        const char *text = wpa_arena_text(d->base.arena, fix->edits[i].text);
        edits[i] = (wpa_edit){fix->edits[i].bytes, text, strlen(text)};
    }
    qsort(edits, fix->n_edits, sizeof *edits, compare_edits);
    if (!own) {
        own = wpa_arena_alloc(d->base.arena, sizeof *own);
        own->items = edits;
        own->n = fix->n_edits;
        wpa_map_put(d->edits, path, own);
        return;
    }
    size_t before_bytes = size_before(d, path);
    own->items = wpa_edits_compose(own->items, own->n, edits, fix->n_edits, before_bytes,
                                   d->base.arena, &own->n);
}

/** The best of its fixes, in this file alone or over several. */
static wpa_fix_outcome take_fix(drafting *d, const wpa_source *source, const wpa_finding *finding,
                                wpa_arena *scratch)
{
    const wpa_fix_choice choice = {.has_unsafe = true, .fingerprint = finding->fingerprint};
    const char *path = wpa_source_identity(source);
    if (!wpa_fix_is_of_file(source, finding->fixes[0])) {
        return wpa_fix_tree_fix(d->fixes, path, d->base.place.settings, &choice);
    }
    wpa_fix_outcome outcome = wpa_rules_fix(source, d->base.place.settings, &choice, scratch);
    if (outcome.n_applied) {
        add_edits(d, path, outcome.fixes[0]);
        wpa_fix_tree_put(d->fixes, path, outcome.text, outcome.size_bytes);
    }
    return outcome;
}

/** What it takes to find out goes with it: a patch may answer thousands. */
static void try_fix(drafting *d, fixing *f, const wpa_rows *rows, size_t row)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const char *fingerprint = wpa_rows_text(rows, row, F_FINGERPRINT);
    const wpa_source *source = wpa_fix_tree_source(d->fixes, f->path, scratch);
    wpa_analysis now = wpa_analysis_of_source(source, d->base.place.settings, scratch);
    const wpa_finding *finding = find_now(f, &now.result, fingerprint);
    if (!finding) {
        f->why_not[row] =
            f->why_not[row] ? f->why_not[row] : "it is no longer at the head of the branch";
        return;
    }
    if (finding->n_fixes == 0) {
        wpa_span where;
        bool is_made = wpa_generated_find(source->yaml->source, source->yaml->size_bytes, &where);
        f->why_not[row] =
            is_made ? "its file is made from another one, which is to be changed" : "it has no fix";
        return;
    }
    wpa_fix_outcome outcome = take_fix(d, source, finding, scratch);
    if (outcome.n_applied == 0) {
        f->why_not[row] = outcome.n_notes ? wpa_arena_text(f->arena, outcome.notes[0].text)
                                          : "its fix did not hold";
        return;
    }
    f->is_answered[row] = true;
    note_answered(d, rows, row, outcome.fixes[0]->title, outcome.fixes[0]->declares);
}

/** In rounds, as wpa check does: what cannot be fixed yet may be once another fix is there. */
static void try_fixes(drafting *d, fixing *f, const wpa_rows *rows, size_t first, size_t end)
{
    bool has_answered = true;
    for (size_t round = 0; round < ROUNDS_MAX && has_answered; round++) {
        has_answered = false;
        for (size_t row = first; row < end; row++) {
            if (!f->is_answered[row]) {
                try_fix(d, f, rows, row);
                has_answered = has_answered || f->is_answered[row];
            }
        }
    }
}

/** What no fix of its own has answered may be gone with another's. */
static void settle(drafting *d, fixing *f, const wpa_rows *rows, size_t first, size_t end)
{
    const wpa_source *source = wpa_fix_tree_source(d->fixes, f->path, f->arena);
    wpa_analysis after = wpa_analysis_of_source(source, d->base.place.settings, f->arena);
    wpa_analysis_change change = wpa_analysis_compare(&f->before, &after, f->arena);
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
    while (end < wpa_rows_count(rows) &&
           wpa_rows_int(rows, end, F_REPOSITORY_ID) == d->base.place.id &&
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
        d->fixes = wpa_fix_tree_new(&d->base.place.around, d->base.arena);
        d->edits = wpa_map_new(d->base.arena);
    }
    return wpa_drafting_read(&d->base, path, &file, err);
}

/** All rows of one file, from row on; *row moves behind them. */
static bool draft_file(drafting *d, const wpa_rows *rows, size_t *row, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t first = *row, n = wpa_rows_count(rows);
    const char *path = wpa_rows_text(rows, first, F_PATH);
    fixing f = {.arena = arena,
                .path = path,
                .is_answered = wpa_arena_array(arena, n, sizeof(bool)),
                .why_not = wpa_arena_array(arena, n, sizeof(char *))};
    if (!wpa_drafting_enter(&d->base, rows, first, F_REPOSITORY_ID, err) || !begin(d, path, err)) {
        return false;
    }
    *row = end_of_file(d, rows, first);
    d->where = wpa_arena_printf(d->base.arena, "%s/%s", d->base.place.name, path);
    const wpa_source *source = wpa_fix_tree_source(d->fixes, path, arena);
    if (!source) {
        for (size_t i = first; i < *row; i++) {
            leave_out(d, rows, i, "its file is no longer at the head of the branch");
        }
        return true;
    }
    f.before = wpa_analysis_of_source(source, d->base.place.settings, arena);
    try_fixes(d, &f, rows, first, *row);
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
        if (!wpa_drafting_read(&d->base, changes[i].path, &file, err)) {
            return false;
        }
        file.edits = own ? own->items : NULL;
        file.n_edits = own ? own->n : 0;
        if (!wpa_drafting_add(&d->base, &file, changes[i].after, changes[i].after_bytes, err)) {
            return false;
        }
    }
    wpa_fix_tree_free(d->fixes);
    d->fixes = NULL;
    wpa_patch_look_at_agreement(&d->base.place.around, d->base.place.settings, d->base.place.id,
                                d->base.arena, d->base.draft);
    return true;
}

static bool check_rows(const wpa_rows *rows, const int64_t ids[], size_t n, wpa_error *err)
{
    bool are_all = wpa_rows_count(rows) == n; /* each row is one of them, and no two are the same */
    for (size_t i = 0; i < n && !are_all; i++) {
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
            return WPA_FAIL(err, WPA_E_CONFLICT,
                            "f-%s is answered by p-%s already (deploy that, or reject it first)",
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
    wpa_patch_draft *draft = d->base.draft;
    const char **declares = wpa_arena_array(d->base.arena, 32, sizeof *declares);
    for (unsigned bit = 0; bit < WPA_DECLARES_COUNT; bit++) {
        if (d->declares & (1U << bit)) {
            declares[draft->n_declares++] = wpa_declares_name(bit);
        }
    }
    draft->declares = declares;
    draft->left_out = d->left_out;
    for (size_t i = 0; i < draft->n_left_out; i++) {
        wpa_buf_printf(d->notes, "not answered: %s\n", d->left_out[i]);
    }
    draft->description = draft->engine_notes = wpa_buf_dup(d->notes, d->base.arena);
    draft->type = types[d->worst_dimension];
    draft->issue = d->worst_message;
    const char *where = draft->n_files == 1
                            ? d->where
                            : wpa_arena_printf(d->base.arena, "%zu files", draft->n_files);
    draft->name = name             ? wpa_arena_text(d->base.arena, name)
                  : d->is_one_rule ? wpa_arena_printf(d->base.arena, "%s in %s", d->rule, where)
                                   : wpa_arena_printf(d->base.arena, "%zu findings in %s",
                                                      draft->n_findings, where);
}

static bool draft_rows(drafting *d, const wpa_rows *rows, wpa_error *err)
{
    for (size_t row = 0; row < wpa_rows_count(rows);) {
        if (!draft_file(d, rows, &row, err)) {
            return false;
        }
        bool is_last = row == wpa_rows_count(rows) ||
                       wpa_rows_int(rows, row, F_REPOSITORY_ID) != d->base.place.id;
        if (is_last && !finish_place(d, err)) {
            return false;
        }
    }
    if (d->base.draft->n_files == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "no fix can be applied: %s",
                        d->left_out ? d->left_out[0] : "no finding was named");
    }
    return true;
}

bool wpa_patch_draft_findings(wpa_db *db, const int64_t finding_ids[], size_t n, const char *name,
                              const char *cache_folder, wpa_arena *arena, wpa_patch_draft *draft,
                              wpa_error *err)
{
    WPA_AUTO(wpa_buf) *notes = wpa_buf_new(NOTES_MAX_BYTES);
    drafting d = {.base = {.db = db, .cache_folder = cache_folder, .arena = arena, .draft = draft},
                  .notes = notes};
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
    wpa_drafting_end(&d.base);
    if (is_drafted) {
        describe(&d, name);
    }
    return is_drafted;
}
