#include "edit/unified.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#define RESULT_MAX_BYTES ((size_t)8 << 20)
#define NUMBER_MAX 100000000

/* Lines of a text, one after the other, without their line breaks. */
typedef struct line_reader {
    const char *at, *end;
    wpa_slice line;
    bool has_break; /* the line ended with one */
    size_t n;       /* number of the line, from 1 */
} line_reader;

typedef struct hunk {
    size_t old_start, old_count, new_start, new_count;
} hunk;

typedef struct applying {
    line_reader diff, before;
    const char *path;
    bool is_new, is_deleted; /* said by the head */
    size_t n_written;        /* lines */
    bool is_cut;             /* what was written last has no line break */
    wpa_buf *out;
    wpa_error *err;
} applying;

static bool next_line(line_reader *r)
{
    if (r->at == r->end) {
        return false;
    }
    const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
    r->has_break = stop != NULL;
    stop = stop ? stop : r->end;
    r->line = (wpa_slice){r->at, (size_t)(stop - r->at)};
    r->at = stop + r->has_break;
    r->n++;
    return true;
}

static bool starts(wpa_slice line, const char *prefix)
{
    size_t length = strlen(prefix);
    return line.length >= length && memcmp(line.at, prefix, length) == 0;
}

static bool complain(const applying *a, const char *what)
{
    return WPA_FAIL(a->err, WPA_E_INVALID, "line %zu of the diff %s", a->diff.n, what);
}

/* ---- the head -----------------------------------------------------------------------------------
 */

/** Lines that `git diff` puts before the names and that say nothing more. */
static bool is_extended_head(wpa_slice line)
{
    return starts(line, "diff --git ") || starts(line, "index ") ||
           starts(line, "new file mode 100644") || starts(line, "deleted file mode ");
}

bool wpa_unified_is(const char *text, size_t size_bytes)
{
    line_reader r = {.at = text, .end = text + size_bytes};
    while (next_line(&r) && is_extended_head(r.line)) {
        if (starts(r.line, "diff --git ")) {
            return true;
        }
    }
    if (starts(r.line, "@@ -")) {
        return true;
    }
    return starts(r.line, "--- ") && next_line(&r) && starts(r.line, "+++ ");
}

/** The name behind "--- ", as far as a tab: there a date may follow. */
static bool check_name(applying *a, wpa_slice line, const char *side, bool *is_absent)
{
    const char *tab = memchr(line.at, '\t', line.length);
    wpa_slice name = {line.at + 4, (tab ? (size_t)(tab - line.at) : line.length) - 4};
    if (wpa_slice_is(name, "/dev/null")) {
        *is_absent = true;
        return true;
    }
    if (starts(name, side)) {
        name.at += 2;
        name.length -= 2;
    }
    return wpa_slice_is(name, a->path) || complain(a, "names another file");
}

/** Up to the first hunk, which is the current line afterwards. */
static bool read_head(applying *a)
{
    while (next_line(&a->diff)) {
        wpa_slice line = a->diff.line;
        if (starts(line, "@@ -")) {
            return true;
        }
        if (starts(line, "--- ")) {
            bool is_fine = check_name(a, line, "a/", &a->is_new);
            if (!is_fine || !next_line(&a->diff) || !starts(a->diff.line, "+++ ")) {
                return is_fine && complain(a, "must be followed by one that begins with '+++ '");
            }
            if (!check_name(a, a->diff.line, "b/", &a->is_deleted)) {
                return false;
            }
        } else if (!is_extended_head(line)) {
            return complain(a, "is neither head nor hunk (a rename, a mode or a binary file?)");
        }
    }
    return complain(a, "is its last, and there was no hunk");
}

/* ---- hunks --------------------------------------------------------------------------------------
 */

static bool read_number(wpa_slice *rest, size_t *number)
{
    size_t value = 0, n = 0;
    while (n < rest->length && rest->at[n] >= '0' && rest->at[n] <= '9' && value <= NUMBER_MAX) {
        value = value * 10 + (size_t)(rest->at[n++] - '0');
    }
    *number = value;
    rest->at += n;
    rest->length -= n;
    return n > 0 && value <= NUMBER_MAX;
}

static bool skip(wpa_slice *rest, const char *text)
{
    if (!starts(*rest, text)) {
        return false;
    }
    rest->at += strlen(text);
    rest->length -= strlen(text);
    return true;
}

/** "12,3" or "12", which is "12,1". */
static bool read_range(wpa_slice *rest, size_t *start, size_t *count)
{
    *count = 1;
    return read_number(rest, start) && (!skip(rest, ",") || read_number(rest, count)) &&
           (*count == 0 || *start > 0);
}

static bool read_hunk(applying *a, hunk *h)
{
    wpa_slice rest = a->diff.line;
    return (skip(&rest, "@@ -") && read_range(&rest, &h->old_start, &h->old_count) &&
            skip(&rest, " +") && read_range(&rest, &h->new_start, &h->new_count) &&
            skip(&rest, " @@")) ||
           complain(a, "is no head of a hunk (expected as '@@ -1,3 +1,4 @@')");
}

static bool write_line(applying *a, wpa_slice line, bool has_break)
{
    if (a->is_cut) {
        return complain(a, "adds behind a last line that has no line break");
    }
    wpa_buf_append(a->out, line.at, line.length);
    wpa_buf_text(a->out, has_break ? "\n" : "");
    a->is_cut = !has_break;
    a->n_written++;
    return true;
}

/** Lines before the hunk stay. An empty side names the line before it. */
static bool copy_to(applying *a, const hunk *h)
{
    size_t upto = h->old_count ? h->old_start - 1 : h->old_start;
    if (upto < a->before.n) {
        return complain(a, "goes back behind the hunk before it");
    }
    while (a->before.n < upto) {
        if (!next_line(&a->before)) {
            return complain(a, "names a line that the file does not have");
        }
        if (!write_line(a, a->before.line, a->before.has_break)) {
            return false;
        }
    }
    size_t at = h->new_count ? h->new_start - 1 : h->new_start;
    return at == a->n_written || complain(a, "does not fit the hunks before it");
}

/** Is the next line of the diff the mark that the one before it has no line break? */
static bool take_mark(line_reader *diff)
{
    line_reader ahead = *diff;
    bool is_mark = next_line(&ahead) && starts(ahead.line, "\\ ");
    *diff = is_mark ? ahead : *diff;
    return is_mark;
}

static bool take_old(applying *a, wpa_slice line, bool has_break)
{
    bool is_same = next_line(&a->before) && a->before.line.length == line.length &&
                   memcmp(a->before.line.at, line.at, line.length) == 0 &&
                   a->before.has_break == has_break;
    return is_same || complain(a, "is not what stands there in the file");
}

static bool apply_line(applying *a, hunk *h)
{
    wpa_slice whole = a->diff.line;
    if (whole.length == 0) {
        return complain(a, "is empty: a line of a hunk begins with a blank, '-' or '+'");
    }
    char op = whole.at[0];
    wpa_slice line = {whole.at + 1, whole.length - 1};
    bool is_old = op == ' ' || op == '-', is_new = op == ' ' || op == '+';
    if (!is_old && !is_new) {
        return complain(a, "begins neither with a blank, '-' nor '+'");
    }
    if ((is_old && h->old_count == 0) || (is_new && h->new_count == 0)) {
        return complain(a, "is one more than the head of its hunk counts");
    }
    bool has_break = !take_mark(&a->diff);
    h->old_count -= is_old;
    h->new_count -= is_new;
    return (!is_old || take_old(a, line, has_break)) && (!is_new || write_line(a, line, has_break));
}

static bool apply_hunk(applying *a)
{
    hunk h;
    if (!read_hunk(a, &h) || !copy_to(a, &h)) {
        return false;
    }
    while (h.old_count + h.new_count > 0) {
        if (!next_line(&a->diff)) {
            return complain(a, "is its last, and the hunk is not complete");
        }
        if (!apply_line(a, &h)) {
            return false;
        }
    }
    return true;
}

static bool apply_all(applying *a)
{
    if (!read_head(a)) {
        return false;
    }
    do {
        if (!starts(a->diff.line, "@@ -")) {
            return complain(a, "is not part of a hunk (one diff changes one file)");
        }
        if (!apply_hunk(a)) {
            return false;
        }
    } while (next_line(&a->diff));
    while (next_line(&a->before)) {
        if (!write_line(a, a->before.line, a->before.has_break)) {
            return false;
        }
    }
    return true;
}

bool wpa_unified_apply(const char *diff, size_t diff_bytes, const char *path, const char *before,
                       size_t before_bytes, wpa_arena *arena, wpa_unified_result *result,
                       wpa_error *err)
{
    if (diff_bytes > WPA_UNIFIED_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "a diff has at most %zu bytes", WPA_UNIFIED_MAX_BYTES);
    }
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(RESULT_MAX_BYTES);
    const char *old = before ? before : "";
    applying a = {.diff = {.at = diff, .end = diff + diff_bytes},
                  .before = {.at = old, .end = old + (before ? before_bytes : 0)},
                  .path = path,
                  .out = out,
                  .err = err};
    if (!apply_all(&a)) {
        return false;
    }
    if (a.is_new && before) {
        return WPA_FAIL(err, WPA_E_INVALID, "the diff makes a file that is there already");
    }
    if (a.is_deleted && wpa_buf_size(out) > 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "the diff deletes the file but leaves lines of it");
    }
    if (!wpa_buf_check(out, "the file with the diff applied", err)) {
        return false;
    }
    *result = (wpa_unified_result){.bytes = a.is_deleted ? NULL : wpa_buf_dup(out, arena),
                                   .size_bytes = wpa_buf_size(out)};
    return true;
}
