#include "analysis/baseline.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "json/json.h"

#define WRITE_MAX_BYTES WPA_BASELINE_MAX_BYTES

typedef struct entry {
    const char *fingerprint, *rule, *path, *reason, *date;
    atomic_bool is_there; /* a finding answers to it */
} entry;

struct wpa_baseline {
    wpa_arena *arena;
    const char *today;
    wpa_map *entries;     /* fingerprint → entry */
    wpa_map *paths;       /* of files that were looked at */
    pthread_mutex_t lock; /* of paths */
    bool is_whole;
    wpa_baseline_has_run has_run; /* NULL: all have */
    void *context;
};

wpa_baseline *wpa_baseline_new(const char *today, wpa_arena *arena)
{
    wpa_baseline *baseline = wpa_arena_alloc(arena, sizeof *baseline);
    baseline->arena = arena;
    baseline->today = wpa_arena_text(arena, today);
    baseline->entries = wpa_map_new(arena);
    baseline->paths = wpa_map_new(arena);
    (void)pthread_mutex_init(&baseline->lock, NULL);
    return baseline;
}

/* ---- reading ---- */

static const char *dup(const wpa_baseline *baseline, const char *text)
{
    return wpa_arena_text(baseline->arena, text ? text : "");
}

static bool take_entry(wpa_baseline *baseline, const wpa_json *item, wpa_error *err)
{
    entry *fresh = wpa_arena_alloc(baseline->arena, sizeof *fresh);
    const char *fingerprint = wpa_json_get_text(item, "fingerprint", err);
    const char *rule = NULL, *path = NULL, *reason = NULL, *date = NULL;
    if (!fingerprint || !wpa_json_opt_text(item, "rule", &rule, err) ||
        !wpa_json_opt_text(item, "path", &path, err) ||
        !wpa_json_opt_text(item, "reason", &reason, err) ||
        !wpa_json_opt_text(item, "date", &date, err)) {
        return false;
    }
    if (strlen(fingerprint) != 40 || strspn(fingerprint, "0123456789abcdef") != 40) {
        return wpa_json_fail(item, err, "its fingerprint is none");
    }
    fresh->fingerprint = dup(baseline, fingerprint);
    fresh->rule = dup(baseline, rule);
    fresh->path = dup(baseline, path);
    fresh->reason = dup(baseline, reason ? reason : "baseline");
    fresh->date = dup(baseline, date);
    wpa_map_put(baseline->entries, fresh->fingerprint, fresh);
    return true;
}

bool wpa_baseline_parse(wpa_baseline *baseline, const char *path, const char *text,
                        size_t size_bytes, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_json *document = wpa_json_parse(text, size_bytes, WPA_BASELINE_MAX_BYTES, arena, err);
    const char *schema = document ? wpa_json_get_text(document, "schema", err) : NULL;
    if (schema && !wpa_text_is(schema, "wpa.baseline/1")) {
        return WPA_FAIL(err, WPA_E_INVALID, "%s is no baseline that this program reads", path);
    }
    const wpa_json *list = schema ? wpa_json_get_array(document, "findings", err) : NULL;
    for (size_t i = 0; list && i < wpa_json_count(list); i++) {
        if (!take_entry(baseline, wpa_json_at(list, i), err)) {
            list = NULL;
        }
    }
    return list || wpa_error_within(err, "baseline %s", path);
}

bool wpa_baseline_read(wpa_baseline *baseline, const char *path, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
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
    entry *fresh = wpa_arena_alloc(baseline->arena, sizeof *fresh);
    fresh->fingerprint = dup(baseline, finding->fingerprint);
    fresh->rule = dup(baseline, finding->rule->id);
    fresh->path = dup(baseline, path);
    fresh->reason = dup(baseline, reason);
    fresh->date = baseline->today;
    atomic_store(&fresh->is_there, true);
    wpa_map_put(baseline->entries, fresh->fingerprint, fresh);
}

/* ---- comparing ---- */

void wpa_baseline_apply(wpa_baseline *baseline, const char *identity, wpa_result *result)
{
    (void)pthread_mutex_lock(&baseline->lock);
    wpa_map_put(baseline->paths, identity, baseline);
    (void)pthread_mutex_unlock(&baseline->lock);
    for (size_t i = 0; i < result->n_findings; i++) {
        wpa_finding *finding = result->findings[i];
        entry *known = wpa_map_get(baseline->entries, finding->fingerprint);
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
    bool was_looked_at = baseline->is_whole || wpa_map_has(baseline->paths, at->path);
    return !atomic_load(&at->is_there) && was_looked_at &&
           (!baseline->has_run || baseline->has_run(baseline->context, at->rule));
}

wpa_baseline_gone *wpa_baseline_list_gone(const wpa_baseline *baseline, wpa_arena *arena, size_t *n)
{
    size_t n_entries = wpa_map_count(baseline->entries);
    wpa_baseline_gone *gone = wpa_arena_array(arena, n_entries + 1, sizeof *gone);
    *n = 0;
    for (size_t i = 0; i < n_entries; i++) {
        const entry *at = entry_at(baseline, i);
        if (is_gone(baseline, at)) {
            gone[(*n)++] = (wpa_baseline_gone){at->fingerprint, at->rule, at->path};
        }
    }
    return gone;
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

static int compare_entries(const void *a, const void *b)
{
    const entry *x = *(entry *const *)a, *y = *(entry *const *)b;
    int order = strcmp(x->path, y->path);
    order = order ? order : strcmp(x->rule, y->rule);
    return order ? order : strcmp(x->fingerprint, y->fingerprint);
}

static void put_entry(wpa_buf *out, const entry *at, bool is_first, wpa_arena *arena)
{
    wpa_json *item = wpa_json_new_object(arena);
    wpa_json_set_text(item, "path", at->path);
    wpa_json_set_text(item, "rule", at->rule);
    wpa_json_set_text(item, "fingerprint", at->fingerprint);
    wpa_json_set_text(item, "reason", at->reason);
    wpa_json_set_text(item, "date", at->date);
    wpa_buf_text(out, is_first ? "\n  " : ",\n  "); /* a line each, so that merges are easy */
    wpa_buf_text(out, wpa_json_dump(item, arena));
}

bool wpa_baseline_write(const wpa_baseline *baseline, const char *path, bool only_there,
                        wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WRITE_MAX_BYTES);
    size_t n = wpa_map_count(baseline->entries), n_written = 0;
    entry **entries = wpa_arena_array(arena, n + 1, sizeof *entries);
    for (size_t i = 0; i < n; i++) {
        entries[i] = entry_at(baseline, i);
    }
    qsort(entries, n, sizeof *entries, compare_entries);
    wpa_buf_text(out, "{\"schema\": \"wpa.baseline/1\", \"findings\": [");
    for (size_t i = 0; i < n; i++) {
        if (!only_there || !is_gone(baseline, entries[i])) {
            put_entry(out, entries[i], n_written++ == 0, arena);
        }
    }
    wpa_buf_text(out, "\n]}\n");
    return wpa_buf_check(out, "baseline", err) &&
           wpa_file_replace(path, wpa_buf_data(out), wpa_buf_size(out), 0644, err);
}
