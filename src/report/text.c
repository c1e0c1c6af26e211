/* The format for people: what, where, the source with the place marked, the way out. */
#include <string.h>

#include <wpa/text.h>

#include "report/formats.h"

#define EXCERPT_MAX_CHARS 140
#define EXCERPT_CONTEXT_CHARS 40
#define EXCERPT_BEFORE_CHARS 80
#define EXCERPT_MAX_LINES 3

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
    const wpa_source *source;
    wpa_buf *out;
    wpa_arena *arena;
    bool has_colour;
    int gutter; /* digits of the largest line number shown */
} writer;

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
static const char *show(const writer *w, size_t start, size_t end, bool is_secret)
{
    char *copy = wpa_arena_slice(w->arena, w->source->yaml->source + start, end - start);
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
    const wpa_yaml_doc *doc = w->source->yaml;
    wpa_span whole = wpa_yaml_line(doc, line);
    part.start = clamp(part.start, whole); /* it may go on to other lines, or be a line break */
    part.end = clamp(part.end, whole);
    const char *before =
        crop(w, show(w, whole.start, part.start, false), EXCERPT_BEFORE_CHARS, true);
    const char *inside =
        crop(w, show(w, part.start, part.end, is_secret), EXCERPT_MAX_CHARS, false);
    const char *behind = crop(w, show(w, part.end, whole.end, false), EXCERPT_CONTEXT_CHARS, false);
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
    size_t shown = last - span->start.line >= EXCERPT_MAX_LINES ? 1 : last - span->start.line + 1;
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
    size_t line = finding->span.start.line + EXCERPT_MAX_LINES;
    for (size_t i = 0; i < finding->n_related; i++) {
        size_t other = finding->related[i].span.start.line + EXCERPT_MAX_LINES;
        line = other > line ? other : line;
    }
    return count_digits(line);
}

void wpa_finding_text(const wpa_source *source, const wpa_finding *finding, bool has_colour,
                      wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    writer w = {source, out, arena, has_colour, widest_line(finding)};
    put_head(&w, finding);
    if (source && source->yaml && source->yaml->size_bytes) {
        put_gutter(&w, 0);
        wpa_buf_char(out, '\n');
        put_excerpt(&w, &finding->span, tint_of(finding->severity), '^', "", finding->is_secret);
        put_related(&w, finding);
    }
    for (size_t i = 0; i < finding->n_fixes; i++) {
        wpa_buf_printf(out, "%*s = ", w.gutter, "");
        put(&w, TINT_HELP,
            wpa_arena_printf(arena, "fix (%s)", wpa_safety_name(finding->fixes[i]->safety)));
        wpa_buf_printf(out, ": %s\n", finding->fixes[i]->title);
    }
    wpa_buf_char(out, '\n');
}

static void put_notes(const wpa_note *notes, size_t n, wpa_buf *out, wpa_arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "note: %s%s%s%s%s\n",
                       notes[i].path ? wpa_visible_path(notes[i].path, arena) : "",
                       notes[i].path ? ": " : "", notes[i].rule ? notes[i].rule : "",
                       notes[i].rule ? ": " : "", notes[i].text);
    }
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void put_summary(const wpa_report *report, wpa_buf *out)
{
    wpa_report_counts counts = wpa_report_count(report);
    wpa_buf_printf(out, "%zu finding%s in %zu file%s", counts.n_open, plural(counts.n_open),
                   counts.n_files, plural(counts.n_files));
    const char *separator = ": ";
    for (size_t i = WPA_SEVERITY_COUNT; i-- > 0;) {
        if (counts.by_severity[i]) {
            wpa_buf_printf(out, "%s%zu %s", separator, counts.by_severity[i],
                           wpa_severity_name((wpa_severity)i));
            separator = ", ";
        }
    }
    wpa_buf_printf(out, "; %zu with a fix, %zu ignored\n", counts.n_fixable, counts.n_ignored);
}

void wpa_format_text(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t n;
    wpa_listed *list =
        wpa_report_list(report, report->is_sorted_by_severity, report->shows_ignored, arena, &n);
    for (size_t i = 0; i < n; i++) {
        wpa_finding_text(list[i].source, list[i].finding, report->has_colour, out);
    }
    for (size_t i = 0; i < report->n_files; i++) {
        put_notes(report->files[i].notes, report->files[i].n_notes, out, arena);
    }
    put_notes(report->notes, report->n_notes, out, arena);
    put_summary(report, out);
}
