#include "edit/diff.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "edit/lines.h"

#define CONTEXT_LINES 3
#define DIFF_MAX_BYTES ((size_t)64 << 20)

/* ---- hunks ---- */

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
static size_t hunk_end(const wpa_line_script *s, size_t i)
{
    size_t end = i, n_kept = 0;
    for (; i < s->n && n_kept <= (size_t)2 * CONTEXT_LINES; i++) {
        n_kept = s->ops[i] == ' ' ? n_kept + 1 : 0;
        end = s->ops[i] == ' ' ? end : i + 1;
    }
    end += CONTEXT_LINES;
    return end < s->n ? end : s->n;
}

static size_t count_ops(const wpa_line_script *s, size_t from, size_t to, char op)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        n += s->ops[i] == ' ' || s->ops[i] == op;
    }
    return n;
}

static void put_hunks(wpa_buf *buf, const wpa_line_script *s, wpa_lines a, wpa_lines b)
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
    wpa_lines a = wpa_lines_split(before ? before : "", before ? before_bytes : 0, scratch);
    wpa_lines b = wpa_lines_split(after ? after : "", after ? after_bytes : 0, scratch);
    wpa_line_script s = wpa_lines_compare(a, b, scratch);
    if (!memchr(s.ops, '-', s.n) && !memchr(s.ops, '+', s.n) && !before == !after) {
        return wpa_arena_text(arena, "");
    }
    const char *name = wpa_text_visible(scratch, path, strlen(path), false);
    wpa_buf_printf(buf, "--- %s%s\n+++ %s%s\n", before ? "a/" : "", before ? name : "/dev/null",
                   after ? "b/" : "", after ? name : "/dev/null");
    put_hunks(buf, &s, a, b);
    return wpa_buf_dup(buf, arena);
}
