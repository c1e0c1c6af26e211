#include "edit/diff.h"

#include <stdint.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#define CONTEXT_LINES 3
#define DISTANCE_MAX 2000
#define DIFF_MAX_BYTES ((size_t)64 << 20)

typedef struct lines {
    wpa_slice *items; /* line breaks included */
    size_t n;
} lines;

/* What happened to the lines: a run is kept, removed or added. */
typedef struct script {
    char *ops; /* ' ', '-' or '+', in order of the output */
    size_t n;
} script;

static lines split(const char *text, size_t size_bytes, wpa_arena *arena)
{
    lines result = {0};
    size_t capacity = 0;
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

/* ---- Myers: the shortest way through the grid of lines, farthest points by diagonal
 * --------------
 */

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
        g->trace[d] = wpa_arena_array(arena, (size_t)(2 * d + 1), sizeof **g->trace);
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
static void backtrack(const grid *g, int distance, script *out)
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

static void fill(script *out, char op, size_t n)
{
    memset(out->ops + out->n, op, n);
    out->n += n;
}

static script compare(lines a, lines b, wpa_arena *arena)
{
    size_t head = 0, tail = 0;
    while (head < a.n && head < b.n && is_equal(a.items[head], b.items[head])) {
        head++;
    }
    while (tail < a.n - head && tail < b.n - head &&
           is_equal(a.items[a.n - 1 - tail], b.items[b.n - 1 - tail])) {
        tail++;
    }
    script out = {.ops = wpa_arena_alloc(arena, a.n + b.n + 1)};
    size_t n = a.n - head - tail, m = b.n - head - tail;
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    int distance = -1;
    grid g = {.a = a.items + head, .b = b.items + head};
    if (n <= DISTANCE_MAX * 8 && m <= DISTANCE_MAX * 8) {
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

/* ---- hunks
 * -------------------------------------------------------------------------------------*/

static void put_line(wpa_buf *buf, char op, wpa_slice line)
{
    wpa_buf_char(buf, op);
    wpa_buf_append(buf, line.at, line.length);
    if (line.length == 0 || line.at[line.length - 1] != '\n') {
        wpa_buf_text(buf, "\n\\ No newline at end of file\n");
    }
}

/** "start,count" as the format wants it: an empty side names the line before. */
static void put_range(wpa_buf *buf, size_t start, size_t count)
{
    wpa_buf_printf(buf, count == 1 ? "%zu" : "%zu,%zu", count ? start + 1 : start, count);
}

/** End of the hunk that begins at op i: changes nearer than twice the context share one. */
static size_t hunk_end(const script *s, size_t i)
{
    size_t end = i, n_kept = 0;
    for (; i < s->n && n_kept <= 2 * CONTEXT_LINES; i++) {
        n_kept = s->ops[i] == ' ' ? n_kept + 1 : 0;
        end = s->ops[i] == ' ' ? end : i + 1;
    }
    end += CONTEXT_LINES;
    return end < s->n ? end : s->n;
}

static size_t count_ops(const script *s, size_t from, size_t to, char op)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        n += s->ops[i] == ' ' || s->ops[i] == op;
    }
    return n;
}

static void put_hunks(wpa_buf *buf, const script *s, lines a, lines b)
{
    size_t done = 0, x = 0, y = 0;
    while (done < s->n) {
        size_t first = done;
        while (first < s->n && s->ops[first] == ' ') {
            first++;
        }
        if (first == s->n) {
            return;
        }
        size_t start = first - done > CONTEXT_LINES ? first - CONTEXT_LINES : done;
        size_t end = hunk_end(s, first);
        x += start - done;
        y += start - done;
        wpa_buf_text(buf, "@@ -");
        put_range(buf, x, count_ops(s, start, end, '-'));
        wpa_buf_text(buf, " +");
        put_range(buf, y, count_ops(s, start, end, '+'));
        wpa_buf_text(buf, " @@\n");
        for (size_t i = start; i < end; i++) {
            put_line(buf, s->ops[i], s->ops[i] == '+' ? b.items[y] : a.items[x]);
            x += s->ops[i] != '+';
            y += s->ops[i] != '-';
        }
        done = end;
    }
}

char *wpa_diff_unified(const char *path, const char *before, size_t before_bytes, const char *after,
                       size_t after_bytes, wpa_arena *arena)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(DIFF_MAX_BYTES);
    lines a = split(before ? before : "", before ? before_bytes : 0, scratch);
    lines b = split(after ? after : "", after ? after_bytes : 0, scratch);
    script s = compare(a, b, scratch);
    if (!memchr(s.ops, '-', s.n) && !memchr(s.ops, '+', s.n) && !before == !after) {
        return wpa_arena_text(arena, "");
    }
    const char *name = wpa_text_visible(scratch, path, strlen(path), false);
    wpa_buf_printf(buf, "--- %s%s\n+++ %s%s\n", before ? "a/" : "", before ? name : "/dev/null",
                   after ? "b/" : "", after ? name : "/dev/null");
    put_hunks(buf, &s, a, b);
    return wpa_buf_dup(buf, arena);
}
