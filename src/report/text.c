/* The format for people: what, where, the source with the place marked, the way out. */
#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "report/formats.h"

#define EXCERPT_MAX_CHARS 140
#define EXCERPT_CONTEXT_CHARS 40
#define EXCERPT_BEFORE_CHARS 80
/* More of a line than this is never looked at: what is shown of it is less, in any script. */
#define EXCERPT_MAX_BYTES 2048

/* What a part of the text is; a table says how it looks on a terminal. */
typedef enum tint {
    TINT_NONE,
    TINT_BOLD,
    TINT_DIM,
    TINT_CRITICAL,
    TINT_HIGH,
    TINT_MEDIUM,
    TINT_LOW,
    TINT_HELP
} tint;

static const char *const codes[] = {
    [TINT_NONE] = "",         [TINT_BOLD] = "\033[1m",
    [TINT_DIM] = "\033[2m",   [TINT_CRITICAL] = "\033[1;31m",
    [TINT_HIGH] = "\033[31m", [TINT_MEDIUM] = "\033[33m",
    [TINT_LOW] = "\033[36m",  [TINT_HELP] = "\033[32m",
};

typedef struct writer {
    const wpa_result *file;
    wpa_buf *out;
    wpa_arena *arena;
    bool has_colour;
    int gutter; /* digits of the largest line number shown */
} writer;

static int compare_lines(const void *key, const void *item)
{
    size_t line = *(const size_t *)key, other = ((const wpa_excerpt_line *)item)->line;
    return line < other ? -1 : line > other;
}

/** A line of the file, from its tree or from what was kept of it; false if neither has it. */
static bool find_line(const writer *w, size_t line, wpa_excerpt_line *found)
{
    const wpa_yaml_doc *doc = w->file->source ? w->file->source->yaml : NULL;
    if (doc && line <= doc->n_lines) {
        wpa_span span = wpa_yaml_line(doc, line);
        *found =
            (wpa_excerpt_line){line, span.start, doc->source + span.start, wpa_span_length(span)};
        return true;
    }
    const wpa_excerpt_line *kept =
        w->file->n_lines
            ? bsearch(&line, w->file->lines, w->file->n_lines, sizeof *kept, compare_lines)
            : NULL;
    *found = kept ? *kept : (wpa_excerpt_line){0};
    return kept != NULL;
}

static void put(const writer *w, tint colour, const char *text)
{
    bool is_tinted = w->has_colour && colour != TINT_NONE && *text;
    wpa_buf_text(w->out, is_tinted ? codes[colour] : "");
    wpa_buf_text(w->out, text);
    wpa_buf_text(w->out, is_tinted ? "\033[0m" : "");
}

static tint tint_of(wpa_severity severity)
{
    static const tint tints[] = {TINT_LOW, TINT_MEDIUM, TINT_HIGH, TINT_CRITICAL};
    return tints[severity];
}

static int count_digits(size_t number)
{
    int n = 1;
    while (number >= 10) {
        number /= 10;
        n++;
    }
    return n;
}

static size_t count_chars(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return n;
}

/** A piece of a line as it is shown: tabs one blank wide, the rest made visible. */
static const char *show(const writer *w, const wpa_excerpt_line *line, size_t start, size_t end,
                        bool is_tail, bool is_secret)
{
    if (end - start > EXCERPT_MAX_BYTES) {
        start = is_tail ? end - EXCERPT_MAX_BYTES : start;
        end = start + EXCERPT_MAX_BYTES;
    }
    char *copy = wpa_arena_slice(w->arena, line->text + (start - line->start), end - start);
    for (size_t i = 0; i < end - start; i++) {
        copy[i] = (char)(copy[i] == '\t' ? ' ' : copy[i]);
        copy[i] = (char)(is_secret && i >= 4 ? '*' : copy[i]);
    }
    return wpa_text_visible(w->arena, copy, end - start, false);
}

/** The last (or first) max characters of a text, with a mark for what is left out. */
static const char *crop(const writer *w, const char *text, size_t max, bool is_tail)
{
    size_t n = count_chars(text), skip = n > max ? n - max : 0;
    if (!skip) {
        return text;
    }
    if (!is_tail) {
        return wpa_text_ellipsis(w->arena, text, max);
    }
    while (skip) {
        text++;
        skip -= ((unsigned char)*text & 0xC0) != 0x80;
    }
    return wpa_arena_printf(w->arena, "...%s", text);
}

static void put_gutter(const writer *w, size_t line)
{
    const char *number = line ? wpa_arena_printf(w->arena, "%*zu |", w->gutter, line)
                              : wpa_arena_printf(w->arena, "%*s |", w->gutter, "");
    put(w, TINT_DIM, number);
}

static size_t clamp(size_t offset, wpa_span within)
{
    offset = offset < within.start ? within.start : offset;
    return offset > within.end ? within.end : offset;
}

/** One line of source with the part [from, to) marked beneath. */
static void put_marked_line(const writer *w, size_t line, wpa_span part, tint colour, char mark,
                            const char *label, bool is_secret)
{
    wpa_excerpt_line found;
    if (!find_line(w, line, &found)) {
        return;
    }
    wpa_span whole = {found.start, found.start + found.length};
    part.start = clamp(part.start, whole); /* it may go on to other lines, or be a line break */
    part.end = clamp(part.end, whole);
    const char *before =
        crop(w, show(w, &found, whole.start, part.start, true, false), EXCERPT_BEFORE_CHARS, true);
    const char *inside =
        crop(w, show(w, &found, part.start, part.end, false, is_secret), EXCERPT_MAX_CHARS, false);
    const char *behind =
        crop(w, show(w, &found, part.end, whole.end, false, false), EXCERPT_CONTEXT_CHARS, false);
    put_gutter(w, line);
    wpa_buf_printf(w->out, " %s%s%s\n", before, inside, behind);
    put_gutter(w, 0);
    size_t n_before = count_chars(before), n_inside = count_chars(inside);
    char *marks = wpa_arena_alloc(w->arena, n_inside + 2);
    memset(marks, mark, n_inside ? n_inside : 1);
    wpa_buf_printf(w->out, " %*s", (int)n_before, "");
    put(w, colour, marks);
    if (label && *label) {
        wpa_buf_char(w->out, ' ');
        put(w, colour, label);
    }
    wpa_buf_char(w->out, '\n');
}

static void put_excerpt(const writer *w, const wpa_finding_span *span, tint colour, char mark,
                        const char *label, bool is_secret)
{
    size_t last = span->end.line;
    last -= last > span->start.line && span->end.column == 1;
    size_t shown =
        last - span->start.line >= WPA_EXCERPT_LINES_MAX ? 1 : last - span->start.line + 1;
    for (size_t i = 0; i < shown; i++) {
        bool is_last = i + 1 == shown;
        put_marked_line(w, span->start.line + i, span->bytes, colour, mark, is_last ? label : "",
                        is_secret);
    }
    if (last - span->start.line + 1 > shown) {
        put_gutter(w, 0);
        put(w, TINT_DIM,
            wpa_arena_printf(w->arena, " ... and %zu lines more\n", last - span->start.line));
    }
}

static void put_head(const writer *w, const wpa_finding *finding)
{
    put(w, tint_of(finding->severity), wpa_severity_name(finding->severity));
    put(w, TINT_DIM,
        wpa_arena_printf(w->arena, " %s %s", finding->rule->code,
                         wpa_finding_name(finding, w->arena)));
    wpa_buf_text(w->out, ": ");
    put(w, TINT_BOLD, finding->message);
    if (finding->state != WPA_FINDING_OPEN) {
        const char *reason = finding->state_reason ? finding->state_reason : "";
        put(w, TINT_DIM,
            wpa_arena_printf(w->arena, " (%s%s%s)", wpa_finding_state_name(finding->state),
                             *reason ? ": " : "", reason));
    }
    wpa_buf_printf(w->out, "\n%*s--> %s:%zu:%zu\n", w->gutter, "",
                   wpa_visible_path(finding->path, w->arena), finding->span.start.line,
                   finding->span.start.column);
}

static void put_related(const writer *w, const wpa_finding *finding)
{
    for (size_t i = 0; i < finding->n_related; i++) {
        const wpa_related *related = &finding->related[i];
        if (wpa_text_is(related->path, finding->path)) {
            put_excerpt(w, &related->span, TINT_DIM, '-', related->label, finding->is_secret);
        } else {
            put_gutter(w, 0);
            wpa_buf_printf(w->out, " %s:%zu:%zu: %s\n", wpa_visible_path(related->path, w->arena),
                           related->span.start.line, related->span.start.column, related->label);
        }
    }
}

static int widest_line(const wpa_finding *finding)
{
    size_t line = finding->span.start.line + WPA_EXCERPT_LINES_MAX;
    for (size_t i = 0; i < finding->n_related; i++) {
        size_t other = finding->related[i].span.start.line + WPA_EXCERPT_LINES_MAX;
        line = other > line ? other : line;
    }
    return count_digits(line);
}

/* What is written as it is visited. */
typedef struct visitor {
    wpa_buf *out;
    wpa_arena *scratch;
    bool has_colour;
} visitor;

static void put_finding(void *context, const wpa_result *file, const wpa_finding *finding)
{
    visitor *v = context;
    wpa_buf *out = v->out;
    wpa_arena_reset(v->scratch);
    writer w = {file, out, v->scratch, v->has_colour, widest_line(finding)};
    wpa_excerpt_line first;
    put_head(&w, finding);
    if (find_line(&w, finding->span.start.line, &first) && (first.length || first.line > 1)) {
        put_gutter(&w, 0);
        wpa_buf_char(out, '\n');
        put_excerpt(&w, &finding->span, tint_of(finding->severity), '^', "", finding->is_secret);
        put_related(&w, finding);
    }
    for (size_t i = 0; i < finding->n_fixes; i++) {
        wpa_buf_printf(out, "%*s = ", w.gutter, "");
        put(&w, TINT_HELP,
            wpa_arena_printf(w.arena, "fix (%s)", wpa_safety_name(finding->fixes[i]->safety)));
        wpa_buf_printf(out, ": %s\n", finding->fixes[i]->title);
    }
    wpa_buf_char(out, '\n');
}

static void put_note(void *context, const wpa_note *note)
{
    visitor *v = context;
    wpa_arena_reset(v->scratch);
    wpa_buf_printf(v->out, "note: %s\n", wpa_note_text(note, v->scratch));
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void put_summary(const wpa_report *report, wpa_buf *out)
{
    wpa_report_counts counts = wpa_report_count(report);
    wpa_buf_printf(out, "%zu finding%s in %zu file%s", counts.all.n_open, plural(counts.all.n_open),
                   counts.n_files, plural(counts.n_files));
    const char *separator = ": ";
    for (size_t i = WPA_SEVERITY_COUNT; i-- > 0;) {
        if (counts.all.by_severity[i]) {
            wpa_buf_printf(out, "%s%zu %s", separator, counts.all.by_severity[i],
                           wpa_severity_name((wpa_severity)i));
            separator = ", ";
        }
    }
    wpa_buf_printf(out, "; %zu with a fix, %zu ignored", counts.all.n_fixable,
                   counts.all.n_ignored);
    if (report->has_baseline) {
        wpa_buf_printf(out, ", %zu in the baseline", counts.all.n_baseline);
    }
    wpa_buf_char(out, '\n');
}

void wpa_format_text(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    visitor v = {out, scratch, report->has_colour};
    wpa_pick pick = wpa_report_pick(report);
    wpa_report_visit(report, &pick, put_finding, &v);
    wpa_report_visit_notes(report, put_note, &v);
    put_summary(report, out);
}
