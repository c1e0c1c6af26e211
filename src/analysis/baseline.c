#include "analysis/baseline.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "core/large.h"
#include "core/paged.h"
#include "json/json.h"

typedef struct known_file known_file;

/* There may be as many as all files have findings, and more than should be in memory. */
typedef struct entry {
    const char *fingerprint, *rule, *reason, *date;
    known_file *file;
    struct entry *next;   /* of the same file */
    atomic_bool is_there; /* a finding answers to it */
} entry;

struct known_file {
    const char *path;
    entry *entries;
    atomic_bool was_looked_at;
};

struct wpa_baseline {
    wpa_arena *arena;
    const char *today;
    wpa_map *entries; /* fingerprint → entry */
    wpa_map *files;   /* path → known_file */
    wpa_map *words;   /* themselves: rules, reasons and dates recur */
    bool is_whole;
    wpa_baseline_has_run has_run; /* NULL: all have */
    void *context;
};

wpa_baseline *wpa_baseline_new(const char *today)
{
    wpa_arena *arena = wpa_arena_new_large();
    wpa_baseline *baseline = wpa_arena_alloc(arena, sizeof *baseline);
    baseline->arena = arena;
    baseline->today = wpa_arena_text(arena, today);
    baseline->entries = wpa_map_new(arena);
    baseline->files = wpa_map_new(arena);
    baseline->words = wpa_map_new(arena);
    return baseline;
}

void wpa_baseline_free(wpa_baseline *baseline)
{
    if (baseline) {
        wpa_arena_free(baseline->arena);
    }
}

/* ---- adding ---- */

static const char *keep_word(wpa_baseline *baseline, const char *text)
{
    char *known = wpa_map_get(baseline->words, text);
    if (!known) {
        known = wpa_arena_text(baseline->arena, text);
        wpa_map_put_borrowed(baseline->words, known, known);
    }
    return known;
}

static known_file *file_at(wpa_baseline *baseline, const char *path)
{
    known_file *file = wpa_map_get(baseline->files, path);
    if (!file) {
        file = wpa_arena_alloc(baseline->arena, sizeof *file);
        file->path = wpa_arena_text(baseline->arena, path);
        wpa_map_put_borrowed(baseline->files, file->path, file);
    }
    return file;
}

/** The one with this fingerprint. */
static entry *entry_of(wpa_baseline *baseline, const char *fingerprint, const char *path)
{
    entry *own = wpa_map_get(baseline->entries, fingerprint);
    wpa_paged_relax();
    if (!own) {
        own = wpa_arena_alloc(baseline->arena, sizeof *own);
        own->fingerprint = wpa_arena_text(baseline->arena, fingerprint);
        wpa_map_put_borrowed(baseline->entries, own->fingerprint, own);
        own->file = file_at(baseline, path);
        own->next = own->file->entries;
        own->file->entries = own;
    }
    return own;
}

/* ---- reading ---- */

static bool take_entry(void *context, const wpa_json *item, wpa_error *err)
{
    wpa_baseline *baseline = context;
    const char *fingerprint = wpa_json_get_text(item, "fingerprint", err);
    const char *rule = "", *path = "", *reason = "baseline", *date = "";
    if (!fingerprint || !wpa_json_opt_text(item, "rule", &rule, err) ||
        !wpa_json_opt_text(item, "path", &path, err) ||
        !wpa_json_opt_text(item, "reason", &reason, err) ||
        !wpa_json_opt_text(item, "date", &date, err)) {
        return false;
    }
    if (strlen(fingerprint) != 40 || strspn(fingerprint, "0123456789abcdef") != 40) {
        return wpa_json_fail(item, err, "its fingerprint is none");
    }
    entry *own = entry_of(baseline, fingerprint, path);
    own->rule = keep_word(baseline, rule);
    own->reason = keep_word(baseline, reason);
    own->date = keep_word(baseline, date);
    return true;
}

bool wpa_baseline_parse(wpa_baseline *baseline, const char *path, const char *text,
                        size_t size_bytes, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_json_items items;
    const wpa_json *document = wpa_json_parse_around(text, size_bytes, WPA_BASELINE_MAX_BYTES,
                                                     "findings", arena, &items, err);
    const char *schema = document ? wpa_json_get_text(document, "schema", err) : NULL;
    if (schema && !wpa_text_is(schema, "wpa.baseline/1")) {
        return WPA_FAIL(err, WPA_E_INVALID, "%s is no baseline that this program reads", path);
    }
    bool ok = schema && wpa_json_get_array(document, "findings", err) &&
              wpa_json_visit_items(&items, take_entry, baseline, err);
    return ok || wpa_error_within(err, "baseline %s", path);
}

bool wpa_baseline_read(wpa_baseline *baseline, const char *path, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_large();
    size_t size_bytes;
    const char *text = wpa_file_read(path, WPA_BASELINE_MAX_BYTES, arena, &size_bytes, err);
    return text && wpa_baseline_parse(baseline, path, text, size_bytes, err);
}

void wpa_baseline_add(wpa_baseline *baseline, const wpa_finding *finding, const char *path,
                      const char *reason)
{
    if (wpa_map_has(baseline->entries, finding->fingerprint)) {
        return; /* keeps its date */
    }
    entry *fresh = entry_of(baseline, finding->fingerprint, path);
    fresh->rule = finding->rule->id;
    fresh->reason = keep_word(baseline, reason);
    fresh->date = baseline->today;
    atomic_store(&fresh->is_there, true);
}

/* ---- comparing ---- */

void wpa_baseline_apply(wpa_baseline *baseline, const char *identity, wpa_result *result)
{
    known_file *file = wpa_map_get(baseline->files, identity);
    if (file) {
        atomic_store(&file->was_looked_at, true);
    }
    for (size_t i = 0; i < result->n_findings; i++) {
        wpa_finding *finding = result->findings[i];
        entry *known = wpa_map_get(baseline->entries, finding->fingerprint);
        wpa_paged_relax();
        if (!known) {
            continue;
        }
        atomic_store(&known->is_there, true);
        finding->since = *known->date ? known->date : NULL;
        if (finding->state == WPA_FINDING_OPEN) {
            finding->state = WPA_FINDING_BASELINE;
            finding->state_reason = known->reason;
        }
    }
}

static entry *entry_at(const wpa_baseline *baseline, size_t i)
{
    void *value;
    (void)wpa_map_at(baseline->entries, i, &value);
    wpa_paged_relax();
    return value;
}

void wpa_baseline_judge(wpa_baseline *baseline, bool is_whole, wpa_baseline_has_run has_run,
                        void *context)
{
    baseline->is_whole = is_whole;
    baseline->has_run = has_run;
    baseline->context = context;
}

static bool is_gone(const wpa_baseline *baseline, const entry *at)
{
    bool was_looked_at = baseline->is_whole || atomic_load(&at->file->was_looked_at);
    return !atomic_load(&at->is_there) && was_looked_at &&
           (!baseline->has_run || baseline->has_run(baseline->context, at->rule));
}

size_t wpa_baseline_list_gone(const wpa_baseline *baseline, wpa_baseline_gone *gone, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < wpa_map_count(baseline->entries) && n < max; i++) {
        const entry *at = entry_at(baseline, i);
        if (is_gone(baseline, at)) {
            gone[n++] = (wpa_baseline_gone){at->fingerprint, at->rule, at->file->path};
        }
    }
    return n;
}

size_t wpa_baseline_count_gone(const wpa_baseline *baseline)
{
    size_t n = 0;
    for (size_t i = 0; i < wpa_map_count(baseline->entries); i++) {
        n += is_gone(baseline, entry_at(baseline, i));
    }
    return n;
}

/* ---- writing ---- */

/* What is written, file by file: sorting all entries at once would want them in memory. */
typedef struct writing {
    const wpa_baseline *baseline;
    bool only_there, has_items;
    wpa_buf *out;
    wpa_arena *arena; /* of a file */
} writing;

static int compare_files(const void *a, const void *b)
{
    return strcmp((*(known_file *const *)a)->path, (*(known_file *const *)b)->path);
}

static int compare_entries(const void *a, const void *b)
{
    const entry *x = *(const entry *const *)a, *y = *(const entry *const *)b;
    int order = strcmp(x->rule, y->rule);
    return order ? order : strcmp(x->fingerprint, y->fingerprint);
}

static void put_entry(writing *w, const entry *at)
{
    wpa_json *item = wpa_json_new_object(w->arena);
    wpa_json_set_text(item, "path", at->file->path);
    wpa_json_set_text(item, "rule", at->rule);
    wpa_json_set_text(item, "fingerprint", at->fingerprint);
    wpa_json_set_text(item, "reason", at->reason);
    wpa_json_set_text(item, "date", at->date);
    /* A line each, so that merges are easy. */
    wpa_buf_text(w->out, w->has_items ? ",\n  " : "\n  ");
    wpa_json_append(w->out, item);
    w->has_items = true;
}

static void put_file(writing *w, const known_file *file)
{
    const entry **entries = NULL;
    size_t n = 0, capacity = 0;
    wpa_arena_reset(w->arena);
    for (const entry *at = file->entries; at; at = at->next) {
        wpa_paged_relax();
        if (!w->only_there || !is_gone(w->baseline, at)) {
            entries = wpa_arena_grow(w->arena, entries, n, &capacity, sizeof(const entry *));
            entries[n++] = at;
        }
    }
    if (n) {
        qsort(entries, n, sizeof(const entry *), compare_entries);
    }
    for (size_t i = 0; i < n; i++) {
        put_entry(w, entries[i]);
    }
}

static void put_all(void *context, wpa_buf *out)
{
    writing *w = context;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_large();
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    size_t n = wpa_map_count(w->baseline->files);
    known_file **files = wpa_arena_array(arena, n + 1, sizeof *files);
    for (size_t i = 0; i < n; i++) {
        void *file;
        (void)wpa_map_at(w->baseline->files, i, &file);
        files[i] = file;
    }
    qsort(files, n, sizeof *files, compare_files);
    w->out = out;
    w->arena = scratch;
    wpa_buf_text(out, "{\"schema\": \"wpa.baseline/1\", \"findings\": [");
    for (size_t i = 0; i < n; i++) {
        put_file(w, files[i]);
    }
    wpa_buf_text(out, "\n]}\n");
}

bool wpa_baseline_write(const wpa_baseline *baseline, const char *path, bool only_there,
                        wpa_error *err)
{
    writing w = {.baseline = baseline, .only_there = only_there};
    return wpa_file_replace_by(path, WPA_BASELINE_MAX_BYTES, 0644, put_all, &w, err);
}
