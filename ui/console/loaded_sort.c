/*
 * The order of the rows that are loaded, for as long as there is no database to ask: by the keys
 * that it sorts by (wpa.v_workflow and its like), as far as the rows tell them.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "console/ui.h"

/* What a row is sorted by, the smaller one first: a number, a text, a line in it, the id. */
typedef struct key {
    double number;
    char text[128]; /* small letters; names that are alike this far stand by their ids */
    int line;
    int64_t id;
    bool is_newest_first; /* ids that are alike in all else: the later one first */
    size_t at;            /* place of the row as it came */
} key;

static void put_name(key *k, const char *name)
{
    (void)wpa_text_copy(k->text, sizeof k->text, name ? name : "");
    for (char *c = k->text; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
}

/* Unknown scores stand at the end. */
static double score_key(double score)
{
    return score < 0 ? 1000 : score;
}

static bool workflow_key(const void *row, wpa_sort sort, key *k)
{
    const wpa_workflow_row *it = row;
    switch ((int)sort) {
    case WPA_SORT_DEFAULT:
    case WPA_SORT_SCORE:
        k->number = score_key(it->scores.overall);
        return true;
    case WPA_SORT_NAME:
        put_name(k, it->name);
        return true;
    case WPA_SORT_FINDINGS:
        k->number = -(double)it->n_findings;
        return true;
    case WPA_SORT_AGE:
        k->number = it->analysed_at_us ? -(double)it->analysed_at_us : 1;
        return true;
    default:
        return false;
    }
}

static bool finding_key(const void *row, wpa_sort sort, key *k)
{
    const wpa_finding_row *it = row;
    switch ((int)sort) {
    case WPA_SORT_DEFAULT:
    case WPA_SORT_SEVERITY:
        k->number = it->kind == WPA_KIND_OPPORTUNITY ? 1 : -(double)it->severity;
        k->is_newest_first = true;
        return true;
    case WPA_SORT_NAME:
        put_name(k, it->workflow);
        k->line = it->line;
        return true;
    case WPA_SORT_AGE:
        k->number = -(double)it->first_seen_us;
        return true;
    case WPA_SORT_STATE:
        put_name(k, wpa_finding_state_name(it->state));
        return true;
    default:
        return false;
    }
}

/* What needs attention first, as WPA_SORT_DEFAULT says. */
static int attention(wpa_patch_state state)
{
    static const wpa_patch_state order[] = {
        WPA_PATCH_TESTED,  WPA_PATCH_FAILED,   WPA_PATCH_TESTING,    WPA_PATCH_APPROVED,
        WPA_PATCH_PENDING, WPA_PATCH_DEPLOYED, WPA_PATCH_ROLLED_BACK};
    int i = 0;
    while (i < (int)WPA_COUNT(order) && order[i] != state) {
        i++;
    }
    return i;
}

static bool patch_key(const void *row, wpa_sort sort, key *k)
{
    const wpa_patch_row *it = row;
    switch ((int)sort) {
    case WPA_SORT_DEFAULT:
        k->number = attention(it->state);
        k->is_newest_first = true;
        return true;
    case WPA_SORT_NAME:
        put_name(k, it->name);
        return true;
    case WPA_SORT_AGE:
        k->number = -(double)it->created_at_us;
        return true;
    case WPA_SORT_STATE:
        put_name(k, wpa_patch_state_words[it->state]);
        return true;
    default:
        return false;
    }
}

static bool (*const keys_of[WPA_LIST_COUNT])(const void *row, wpa_sort sort, key *k) = {
    [WPA_LIST_WORKFLOWS] = workflow_key,
    [WPA_LIST_FINDINGS] = finding_key,
    [WPA_LIST_PATCHES] = patch_key,
};

static int compare_keys(const void *left, const void *right)
{
    const key *a = left, *b = right;
    if (a->number < b->number || a->number > b->number) {
        return a->number < b->number ? -1 : 1;
    }
    int by_text = strcmp(a->text, b->text);
    by_text = by_text ? by_text : a->line - b->line;
    int by_id = a->id == b->id ? 0 : (a->id < b->id) != a->is_newest_first ? -1 : 1;
    return by_text ? by_text : by_id;
}

static void turn(char *rows, size_t n, size_t bytes, wpa_arena *arena)
{
    char *held = wpa_arena_alloc(arena, bytes);
    for (size_t i = 0; i < n / 2; i++) {
        char *a = rows + i * bytes, *b = rows + (n - 1 - i) * bytes;
        memcpy(held, a, bytes);
        memcpy(a, b, bytes);
        memcpy(b, held, bytes);
    }
}

static void sort_rows(char *rows, size_t n, size_t bytes, wpa_list list, wpa_sort sort,
                      wpa_arena *arena)
{
    key *keys = wpa_arena_array(arena, n + 1, sizeof *keys);
    char *copy = wpa_arena_dup(arena, rows, n * bytes);
    for (size_t i = 0; i < n; i++) {
        const char *row = rows + i * bytes;
        memcpy(&keys[i].id, row, sizeof keys[i].id); /* each row begins with it */
        keys[i].at = i;
        (void)keys_of[list](row, sort, &keys[i]);
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n; i++) {
        memcpy(rows + i * bytes, copy + keys[i].at * bytes, bytes);
    }
}

void wpa_loaded_sort(wpa_list_view *view, void *rows, size_t bytes, wpa_sort sort,
                     bool is_descending)
{
    key probe = {0};
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    bool is_same = view->sort == sort;
    bool can_sort = keys_of[view->list] && view->n_rows && keys_of[view->list](rows, sort, &probe);
    if (!is_same && can_sort) {
        sort_rows(rows, view->n_rows, bytes, view->list, sort, scratch);
        view->sort = sort;
        view->is_descending = false;
    }
    if (view->is_descending != is_descending) {
        turn(rows, view->n_rows, bytes, scratch);
        view->is_descending = is_descending;
    }
}
