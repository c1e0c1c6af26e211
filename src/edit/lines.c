#include "edit/lines.h"

#include <stdlib.h>
#include <string.h>

#define DISTANCE_MAX 2000
#define FAILURES_MAX 8 /* searches for nothing, of the pieces of one text */

wpa_lines wpa_lines_split(const char *text, size_t size_bytes, wpa_arena *arena)
{
    size_t capacity = 16;
    wpa_lines result = {.items = wpa_arena_array(arena, capacity, sizeof(wpa_slice))};
    for (size_t at = 0; at < size_bytes;) {
        const char *end = memchr(text + at, '\n', size_bytes - at);
        size_t length = end ? (size_t)(end - text) + 1 - at : size_bytes - at;
        result.items =
            wpa_arena_grow(arena, result.items, result.n, &capacity, sizeof *result.items);
        result.items[result.n++] = (wpa_slice){text + at, length};
        at += length;
    }
    return result;
}

static bool is_equal(wpa_slice a, wpa_slice b)
{
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

/* ---- Myers: the shortest way through the grid of lines, farthest points by diagonal ---- */

typedef struct grid {
    const wpa_slice *a, *b;
    int n, m;
    int **trace; /* [d] farthest x of diagonals -d … d after d steps, at index k + d */
} grid;

/** Farthest x on diagonal k before the d-th step, and whether it is reached by an added line. */
static int step_from(const grid *g, int d, int k, bool *is_added)
{
    const int *before = g->trace[d - 1];
    int reach = d - 1;
    int down = k + 1 <= reach ? before[k + 1 + reach] : -1;   /* a line of b added */
    int right = k - 1 >= -reach ? before[k - 1 + reach] : -1; /* a line of a removed */
    *is_added = k == -d || (k != d && right < down);
    return *is_added ? down : right + 1;
}

static int slide(const grid *g, int x, int k)
{
    int y = x - k;
    while (x < g->n && y < g->m && is_equal(g->a[x], g->b[y])) {
        x++;
        y++;
    }
    return x;
}

/** Number of changed lines, or -1 if there are too many. */
static int search(grid *g, wpa_arena *arena)
{
    g->trace = wpa_arena_array(arena, DISTANCE_MAX + 1, sizeof *g->trace);
    for (int d = 0; d <= DISTANCE_MAX; d++) {
        g->trace[d] = wpa_arena_array(arena, 2 * (size_t)d + 1, sizeof **g->trace);
        for (int k = -d; k <= d; k += 2) {
            bool is_added;
            int x = d ? step_from(g, d, k, &is_added) : 0;
            x = x <= g->n && x - k <= g->m && x >= 0 ? slide(g, x, k) : x;
            g->trace[d][k + d] = x;
            if (x >= g->n && x - k >= g->m) {
                return d;
            }
        }
    }
    return -1;
}

/** Walk back from the end; ops come out in reverse and are turned. */
static void backtrack(const grid *g, int distance, wpa_line_script *out)
{
    size_t from = out->n;
    int x = g->n, y = g->m;
    for (int d = distance; d > 0; d--) {
        int k = x - y;
        bool is_added;
        int start = step_from(g, d, k, &is_added);
        for (; x > start; x--, y--) {
            out->ops[out->n++] = ' ';
        }
        out->ops[out->n++] = is_added ? '+' : '-';
        x -= !is_added;
        y -= is_added;
    }
    for (; x > 0; x--) {
        out->ops[out->n++] = ' ';
    }
    for (size_t i = from, j = out->n; i + 1 < j; i++) {
        char op = out->ops[--j];
        out->ops[j] = out->ops[i];
        out->ops[i] = op;
    }
}

static void fill(wpa_line_script *out, char op, size_t n)
{
    memset(out->ops + out->n, op, n);
    out->n += n;
}

/* ---- texts that differ too much for that: in pieces, between lines that each has once ---- */

/* A line that both have once. */
typedef struct anchor {
    size_t a, b;    /* its index in either */
    size_t before;  /* of the anchors, the last of the longest row that this one can end */
    bool is_chosen; /* in the longest row of all */
} anchor;

typedef struct numbered {
    wpa_slice line;
    size_t index;
} numbered;

static int compare_lines(const void *left, const void *right)
{
    const numbered *a = left, *b = right;
    size_t length = a->line.length < b->line.length ? a->line.length : b->line.length;
    int order = memcmp(a->line.at, b->line.at, length);
    return order ? order : (a->line.length > b->line.length) - (a->line.length < b->line.length);
}

static int compare_anchors(const void *left, const void *right)
{
    const anchor *a = left, *b = right;
    return (a->a > b->a) - (a->a < b->a);
}

/** The lines in order, those that are there once alone. */
static size_t single_lines(const wpa_slice *lines, size_t n, numbered *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (numbered){lines[i], i};
    }
    qsort(out, n, sizeof *out, compare_lines);
    size_t n_single = 0;
    for (size_t i = 0; i < n;) {
        size_t next = i + 1;
        while (next < n && is_equal(out[next].line, out[i].line)) {
            next++;
        }
        if (next == i + 1) {
            out[n_single++] = out[i];
        }
        i = next;
    }
    return n_single;
}

/** Of n anchors in the order of a those that are in the order of b as well, as many as can be. */
static void choose(anchor *anchors, size_t n, wpa_arena *arena)
{
    size_t *ends = wpa_arena_array(arena, n, sizeof *ends); /* [i] the lowest end of a row of i+1 */
    size_t longest = 0;
    for (size_t i = 0; i < n; i++) {
        size_t low = 0, high = longest;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (anchors[ends[middle]].b < anchors[i].b) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        anchors[i].before = low ? ends[low - 1] : SIZE_MAX;
        ends[low] = i;
        longest = low == longest ? longest + 1 : longest;
    }
    for (size_t i = longest ? ends[longest - 1] : SIZE_MAX; i != SIZE_MAX; i = anchors[i].before) {
        anchors[i].is_chosen = true;
    }
}

/** The anchors that both texts have in one order; returns how many of the array are looked at. */
static size_t find_anchors(wpa_lines a, wpa_lines b, anchor **out, wpa_arena *arena)
{
    numbered *left = wpa_arena_array(arena, a.n + 1, sizeof *left);
    numbered *right = wpa_arena_array(arena, b.n + 1, sizeof *right);
    size_t n_left = single_lines(a.items, a.n, left), n_right = single_lines(b.items, b.n, right);
    anchor *anchors = wpa_arena_array(arena, n_left + 1, sizeof *anchors);
    size_t n = 0;
    for (size_t i = 0, k = 0; i < n_left && k < n_right;) {
        int order = compare_lines(&left[i], &right[k]);
        if (order == 0) {
            anchors[n++] = (anchor){.a = left[i].index, .b = right[k].index};
        }
        i += order <= 0;
        k += order >= 0;
    }
    qsort(anchors, n, sizeof *anchors, compare_anchors);
    choose(anchors, n, arena);
    *out = anchors;
    return n;
}

/** What stands between two anchors; what still differs too much is replaced as a whole. */
static void compare_piece(wpa_lines a, wpa_lines b, size_t *n_failures, wpa_arena *scratch,
                          wpa_line_script *out)
{
    int distance = -1;
    grid g = {.a = a.items, .b = b.items};
    bool is_small = a.n + b.n <= DISTANCE_MAX; /* the search comes to an end */
    bool is_fit = a.n <= (size_t)DISTANCE_MAX * 8 && b.n <= (size_t)DISTANCE_MAX * 8;
    if (a.n && b.n && (is_small || (is_fit && *n_failures < FAILURES_MAX))) {
        g.n = (int)a.n;
        g.m = (int)b.n;
        distance = search(&g, scratch);
        *n_failures += distance < 0;
    }
    if (distance >= 0) {
        backtrack(&g, distance, out);
    } else {
        fill(out, '-', a.n);
        fill(out, '+', b.n);
    }
    wpa_arena_reset(scratch);
}

static void compare_in_pieces(wpa_lines a, wpa_lines b, wpa_line_script *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    anchor *anchors;
    size_t n = find_anchors(a, b, &anchors, arena), at_a = 0, at_b = 0, n_failures = 0;
    for (size_t i = 0; i < n; i++) {
        if (anchors[i].is_chosen) {
            compare_piece((wpa_lines){a.items + at_a, anchors[i].a - at_a},
                          (wpa_lines){b.items + at_b, anchors[i].b - at_b}, &n_failures, scratch,
                          out);
            fill(out, ' ', 1);
            at_a = anchors[i].a + 1;
            at_b = anchors[i].b + 1;
        }
    }
    compare_piece((wpa_lines){a.items + at_a, a.n - at_a}, (wpa_lines){b.items + at_b, b.n - at_b},
                  &n_failures, scratch, out);
}

wpa_line_script wpa_lines_compare(wpa_lines a, wpa_lines b, wpa_arena *arena)
{
    size_t head = 0, tail = 0;
    while (head < a.n && head < b.n && is_equal(a.items[head], b.items[head])) {
        head++;
    }
    while (tail < a.n - head && tail < b.n - head &&
           is_equal(a.items[a.n - 1 - tail], b.items[b.n - 1 - tail])) {
        tail++;
    }
    wpa_line_script out = {.ops = wpa_arena_alloc(arena, a.n + b.n + 1)};
    size_t n = a.n - head - tail, m = b.n - head - tail;
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    int distance = -1;
    grid g = {.a = a.items + head, .b = b.items + head};
    if (n <= (size_t)DISTANCE_MAX * 8 && m <= (size_t)DISTANCE_MAX * 8) {
        g.n = (int)n;
        g.m = (int)m;
        distance = search(&g, scratch);
    }
    fill(&out, ' ', head);
    if (distance >= 0) {
        backtrack(&g, distance, &out);
    } else {
        compare_in_pieces((wpa_lines){a.items + head, n}, (wpa_lines){b.items + head, m}, &out);
    }
    fill(&out, ' ', tail);
    return out;
}
