#include "edit/lines.h"

#include <string.h>

#define DISTANCE_MAX 2000

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
        fill(&out, '-', n);
        fill(&out, '+', m);
    }
    fill(&out, ' ', tail);
    return out;
}
