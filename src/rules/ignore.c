#include "rules/ignore.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "facts/facts.h"
#include "rules/registry.h"

#define NAMES_MAX 64
#define DASH_LINES_MAX                                                                             \
    100 /* that a step may begin below its dash: more would be searched anew                       \
           for every comment between them */

/* A comment as found: in the YAML itself or in a script inside it. */
typedef struct remark {
    wpa_span span;
    size_t line;
    bool is_alone;
    bool is_of_script;
    const char *text; /* behind the mark and blanks */
} remark;

typedef struct reader {
    const wpa_source *source;
    const char *today;
    wpa_arena *arena;
    wpa_ignores *ignores;
    size_t quiet_from, quiet_to; /* behind the first of them only comments until the second */
    size_t reached, reached_end; /* the line asked about last, and where its step or job ends */
} reader;

/* ---- the words of a comment -------------------------------------------------------------------*/

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

static const char *take_prefix(const char *at, const char *prefix)
{
    return wpa_text_starts(at, prefix) ? skip_blanks(at + strlen(prefix)) : NULL;
}

static const char *parse_names(const char *at, wpa_ignore *ignore, wpa_arena *arena)
{
    const char **names = wpa_arena_array(arena, NAMES_MAX, sizeof *names);
    ignore->names = names;
    ignore->is_used = wpa_arena_array(arena, NAMES_MAX, sizeof *ignore->is_used);
    if (*at != '[') {
        ignore->fault = "names no rule (write ignore[rule])";
        return at;
    }
    at++;
    while (*at != ']') {
        at += strspn(at, " \t,");
        size_t length = strcspn(at, " \t,]");
        if (length && ignore->n_names < NAMES_MAX) {
            names[ignore->n_names++] = wpa_arena_slice(arena, at, length);
        }
        at += length;
        if (*at == '\0') {
            ignore->fault = "has no closing ']'";
            return at;
        }
    }
    if (ignore->n_names == 0) {
        ignore->fault = "names no rule (write ignore[rule])";
    }
    return skip_blanks(at + 1);
}

/** "YYYY-MM-DD" at the front of the rest of a comment. */
static bool take_date(const char *at, char date[11])
{
    char text[11] = "";
    if (strcspn(at, " \t\r") != sizeof text - 1) {
        return false;
    }
    memcpy(text, at, sizeof text - 1);
    bool is_date = wpa_facts_days(text) >= 0;
    memcpy(date, text, is_date ? sizeof text : 0);
    return is_date;
}

static void parse_reason(const char *at, wpa_ignore *ignore, const char *today, wpa_arena *arena)
{
    const char *date = take_prefix(at, "until=");
    if (date && take_date(date, ignore->until)) {
        ignore->has_ended = strcmp(ignore->until, today) < 0;
        at = skip_blanks(date + sizeof ignore->until - 1);
    } else if (date) {
        ignore->fault = "has an end that is no date (write until=YYYY-MM-DD)";
    }
    size_t length = strlen(at);
    while (length && strchr(" \t\r", at[length - 1])) {
        length--;
    }
    ignore->reason = wpa_text_visible(arena, at, length, false);
    for (size_t i = 0; i < ignore->n_names; i++) {
        if (wpa_text_is(ignore->names[i], "*") && length == 0) {
            ignore->fault = "silences every rule and gives no reason";
        }
    }
}

/* ---- how far a comment reaches ----------------------------------------------------------------*/

static bool is_blank_or_comment(const wpa_yaml_doc *doc, size_t line)
{
    wpa_span span = wpa_yaml_line(doc, line);
    const char *at = doc->source + span.start;
    size_t blanks = strspn(at, " \t");
    return blanks >= wpa_span_length(span) || at[blanks] == '#' || at[blanks] == '\r';
}

static size_t next_line(reader *r, size_t line)
{
    const wpa_yaml_doc *doc = r->source->yaml;
    if (line < r->quiet_from || line >= r->quiet_to) {
        size_t at = line + 1;
        while (at <= doc->n_lines && is_blank_or_comment(doc, at)) {
            at++;
        }
        r->quiet_from = line;
        r->quiet_to = at;
    }
    return r->quiet_to;
}

static void reach_spans(reader *r, const remark *at, wpa_ignore *ignore)
{
    const wpa_yaml_doc *doc = r->source->yaml;
    size_t line = at->is_alone ? next_line(r, at->line) : at->line;
    if (line != r->reached) {
        const wpa_yaml_node *block = wpa_ignore_block_on(doc, line);
        r->reached = line;
        r->reached_end = block ? wpa_ignore_last_line(doc, block) : line;
    }
    ignore->reach = WPA_IGNORE_SPANS;
    ignore->first_line = line;
    ignore->last_line = r->reached_end;
}

static void close_region(reader *r, const remark *at)
{
    wpa_ignores *all = r->ignores;
    for (size_t i = all->n; i-- > 0;) {
        if (all->items[i].reach == WPA_IGNORE_BETWEEN && all->items[i].last_line == 0) {
            all->items[i].last_line = at->line;
            return;
        }
    }
    all->items = wpa_arena_grow(r->arena, all->items, all->n, &all->capacity, sizeof *all->items);
    all->items[all->n++] = (wpa_ignore){
        .span = at->span,
        .reason = "",
        .first_line = at->line,
        .last_line = at->line,
        .fault = "ends what no ignore-start began",
    };
}

/* ---- reading ----------------------------------------------------------------------------------*/

static const struct {
    const char *verb;
    wpa_ignore_reach reach;
} verbs[] = {
    {"ignore-next-line", WPA_IGNORE_NEXT_LINE},
    {"ignore-start", WPA_IGNORE_BETWEEN},
    {"ignore-file", WPA_IGNORE_FILE},
    {"ignore", WPA_IGNORE_SPANS},
};

static bool take_verb(const char **at, wpa_ignore *ignore)
{
    size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyz-");
    for (size_t i = 0; i < WPA_COUNT(verbs); i++) {
        if (wpa_slice_is((wpa_slice){*at, length}, verbs[i].verb)) {
            ignore->reach = verbs[i].reach;
            *at = skip_blanks(*at + length);
            return true;
        }
    }
    return false;
}

static void set_reach(reader *r, const remark *at, wpa_ignore *ignore)
{
    ignore->first_line = ignore->last_line = at->line;
    switch (ignore->reach) {
    case WPA_IGNORE_SPANS:
        reach_spans(r, at, ignore);
        return;
    case WPA_IGNORE_NEXT_LINE:
        ignore->first_line = ignore->last_line = next_line(r, at->line);
        return;
    case WPA_IGNORE_BETWEEN:
        ignore->last_line = 0; /* until an ignore-end closes it */
        return;
    case WPA_IGNORE_ANY_SPAN:
        if (!at->is_of_script) { /* there it stands where the finding is */
            wpa_ignore_reach_around(r->source->yaml, at->is_alone, ignore);
        }
        return;
    case WPA_IGNORE_FILE:
        return;
    }
}

static void read_ignore(reader *r, const remark *at, const char *text, bool is_foreign)
{
    wpa_ignore ignore = {.span = at->span, .reason = "", .is_foreign = is_foreign};
    if (!take_verb(&text, &ignore)) {
        ignore.reach = WPA_IGNORE_SPANS;
        ignore.fault = "is no form of ignore (ignore, ignore-next-line, ignore-start, ignore-file)";
    } else {
        text = parse_names(text, &ignore, r->arena);
        parse_reason(text, &ignore, r->today, r->arena);
    }
    ignore.reach = is_foreign ? WPA_IGNORE_ANY_SPAN : ignore.reach;
    set_reach(r, at, &ignore);
    wpa_ignores *all = r->ignores;
    all->items = wpa_arena_grow(r->arena, all->items, all->n, &all->capacity, sizeof *all->items);
    all->items[all->n++] = ignore;
}

static void read_remark(reader *r, const remark *at)
{
    const char *own = take_prefix(at->text, "wpa:");
    const char *foreign = take_prefix(at->text, "zizmor:");
    if (own && wpa_text_starts(own, "ignore-end")) {
        close_region(r, at);
    } else if (own) {
        read_ignore(r, at, own, false);
    } else if (foreign && wpa_text_starts(foreign, "ignore[")) {
        read_ignore(r, at, foreign, true);
    }
}

/** Where a comment of a script begins in a line, or NULL: "#" behind a blank, REM or :: in front.
 */
static const char *script_comment(const char *line, size_t length)
{
    static const char *const marks[] = {"# wpa:", "# zizmor:", "#wpa:"};
    static const char *const fronts[] = {
        "REM wpa:", "rem wpa:", "Rem wpa:", "@REM wpa:", "@rem wpa:", ":: wpa:", "::wpa:"};
    size_t blanks = strspn(line, " \t");
    const char *first = line + (blanks < length ? blanks : length);
    for (size_t i = 0; i < WPA_COUNT(fronts); i++) {
        if (wpa_text_starts(first, fronts[i])) {
            return first;
        }
    }
    for (size_t i = 0; i < WPA_COUNT(marks); i++) {
        const char *found = wpa_text_find(line, length, marks[i]);
        if (found && (found == line || strchr(" \t", found[-1]))) {
            return found;
        }
    }
    return NULL;
}

static void read_script_line(reader *r, size_t line)
{
    const wpa_yaml_doc *doc = r->source->yaml;
    wpa_span span = wpa_yaml_line(doc, line);
    const char *text = doc->source + span.start;
    const char *found = script_comment(text, wpa_span_length(span));
    if (!found) {
        return;
    }
    size_t start = (size_t)(found - doc->source);
    const char *copy = wpa_arena_slice(r->arena, found, span.end - start);
    remark at = {
        .span = {start, span.end},
        .line = line,
        .is_alone = strspn(text, " \t") >= start - span.start,
        .is_of_script = true,
        .text = skip_blanks(copy + strspn(copy, "@REMrem#:")),
    };
    read_remark(r, &at);
}

static void read_scripts(reader *r, const wpa_yaml_node *node)
{
    if (!node) {
        return;
    }
    bool is_block = node->style == WPA_YAML_LITERAL || node->style == WPA_YAML_FOLDED;
    if (node->kind == WPA_YAML_SCALAR && is_block) {
        const wpa_yaml_doc *doc = r->source->yaml;
        size_t last = wpa_ignore_last_line(doc, node);
        for (size_t line = wpa_yaml_line_of(doc, node->span.start) + 1; line <= last; line++) {
            read_script_line(r, line);
        }
    }
    for (size_t i = 0; node->kind == WPA_YAML_MAPPING && i < node->n_pairs; i++) {
        read_scripts(r, node->pairs[i].value);
    }
    for (size_t i = 0; node->kind == WPA_YAML_SEQUENCE && i < node->n_items; i++) {
        read_scripts(r, node->items[i]);
    }
}

/** Where in a comment our part begins: behind a version, say, comes another # of its own. */
static size_t own_part(const char *comment)
{
    for (size_t at = 0; comment[at]; at++) {
        bool begins = comment[at] == '#' && (at == 0 || strchr(" \t", comment[at - 1]));
        const char *text = comment + at + strspn(comment + at, "#");
        text += strspn(text, " \t");
        if (begins && (wpa_text_starts(text, "wpa:") || wpa_text_starts(text, "zizmor:"))) {
            return at;
        }
    }
    return 0;
}

static void read_comments(reader *r)
{
    const wpa_yaml_doc *doc = r->source->yaml;
    for (size_t i = 0; i < doc->n_comments; i++) {
        const wpa_yaml_comment *comment = &doc->comments[i];
        size_t length = wpa_span_length(comment->span);
        const char *start = doc->source + comment->span.start;
        if (!wpa_text_find(start, length, "wpa:") && !wpa_text_find(start, length, "zizmor:")) {
            continue;
        }
        const char *copy = wpa_arena_slice(r->arena, start, length);
        size_t at = own_part(copy);
        remark found = {
            .span = {comment->span.start + at, comment->span.end},
            .line = comment->line,
            .is_alone = comment->is_own_line,
            .text = skip_blanks(copy + at + strspn(copy + at, "#")),
        };
        read_remark(r, &found);
    }
}

static void report_open_regions(wpa_ignores *ignores, const wpa_yaml_doc *doc)
{
    for (size_t i = 0; i < ignores->n; i++) {
        wpa_ignore *ignore = &ignores->items[i];
        if (ignore->reach == WPA_IGNORE_BETWEEN && ignore->last_line == 0) {
            ignore->fault = "is closed by no ignore-end";
            ignore->last_line = doc->n_lines;
        }
    }
}

wpa_ignores *wpa_ignores_read(const wpa_source *source, const char *today, wpa_arena *arena)
{
    reader r = {.source = source,
                .today = today,
                .arena = arena,
                .ignores = wpa_arena_alloc(arena, sizeof(wpa_ignores))};
    if (source->yaml) {
        const wpa_yaml_doc *doc = source->yaml;
        bool has_any = (wpa_yaml_may_hold(doc, "wpa:") &&
                        wpa_text_find(doc->source, doc->size_bytes, "wpa:")) ||
                       (wpa_yaml_may_hold(doc, "zizmor:") &&
                        wpa_text_find(doc->source, doc->size_bytes, "zizmor:"));
        if (has_any) { /* few files have */
            read_comments(&r);
            read_scripts(&r, doc->root);
        }
        report_open_regions(r.ignores, source->yaml);
    }
    return r.ignores;
}

/* ---- applying ---------------------------------------------------------------------------------*/

bool wpa_ignore_name_fits(const char *name, const wpa_finding *finding)
{
    if (wpa_text_is(name, "*")) {
        return true;
    }
    if (wpa_text_starts(name, "dimension:")) {
        return wpa_text_is(name + strlen("dimension:"), wpa_dimension_name(finding->dimension));
    }
    if (wpa_rule_is_named(finding->rule, name)) {
        return true;
    }
    const char *slash = strchr(name, '/');
    wpa_slice rule = {name, slash ? (size_t)(slash - name) : 0};
    return slash && finding->check && wpa_text_is_ci(slash + 1, finding->check) &&
           (wpa_slice_is_ci(rule, finding->rule->id) || wpa_slice_is_ci(rule, finding->rule->code));
}

static bool foreign_name_fits(const char *name, const wpa_finding *finding)
{
    for (const char *const *at = finding->rule->elsewhere; at && *at; at++) {
        if (wpa_text_starts(*at, "zizmor/") && wpa_text_is(*at + strlen("zizmor/"), name)) {
            return true;
        }
    }
    return false;
}

static bool touches(const wpa_finding_span *span, size_t first, size_t last)
{
    size_t end = span->end.line;
    end -= end > span->start.line && span->end.column == 1; /* the end is exclusive */
    return span->start.line <= last && first <= end;
}

static bool touches_any(const wpa_finding *finding, size_t line)
{
    bool does = touches(&finding->span, line, line);
    for (size_t i = 0; i < finding->n_related && !does; i++) {
        does = touches(&finding->related[i].span, line, line);
    }
    return does;
}

static bool reaches(const wpa_ignore *ignore, const wpa_finding *finding)
{
    size_t start = finding->span.start.line;
    switch (ignore->reach) {
    case WPA_IGNORE_SPANS:
        return touches(&finding->span, ignore->first_line, ignore->last_line);
    case WPA_IGNORE_NEXT_LINE:
    case WPA_IGNORE_BETWEEN:
        return start >= ignore->first_line && start <= ignore->last_line;
    case WPA_IGNORE_FILE:
        return true;
    case WPA_IGNORE_ANY_SPAN:
        return (start >= ignore->first_around && start <= ignore->last_around) ||
               touches_any(finding, ignore->first_line);
    }
    return false;
}

static void apply_one(wpa_ignore *ignore, wpa_finding *finding)
{
    for (size_t i = 0; i < ignore->n_names; i++) {
        bool fits = ignore->is_foreign ? foreign_name_fits(ignore->names[i], finding)
                                       : wpa_ignore_name_fits(ignore->names[i], finding);
        if (fits) {
            ignore->is_used[i] = true;
            finding->state = WPA_FINDING_IGNORED;
            finding->state_reason = ignore->reason;
        }
    }
}

/* Lines that a finding speaks of, at its own place or at a related one. */
typedef struct stretch {
    size_t first, last;
    size_t reached; /* the last line of all in that part of the list of which this is the middle */
    wpa_finding *finding;
} stretch;

static stretch stretch_of(const wpa_finding_span *span, wpa_finding *finding)
{
    size_t first = span->start.line, last = span->end.line;
    last -= last > first && span->end.column == 1; /* the end is exclusive */
    return (stretch){first, last > first ? last : first, 0, finding};
}

static int compare_stretches(const void *a, const void *b)
{
    size_t of_a = ((const stretch *)a)->first, of_b = ((const stretch *)b)->first;
    return (of_a > of_b) - (of_a < of_b);
}

/** The last line of all from one item to before another. */
static size_t note_reached(stretch *items, size_t from, size_t to)
{
    if (from == to) {
        return 0;
    }
    size_t middle = from + (to - from) / 2;
    size_t before = note_reached(items, from, middle);
    size_t behind = note_reached(items, middle + 1, to);
    size_t reached = before > behind ? before : behind;
    items[middle].reached = reached > items[middle].last ? reached : items[middle].last;
    return items[middle].reached;
}

static stretch *list_stretches(wpa_finding **findings, size_t n_findings, wpa_arena *arena,
                               size_t *n)
{
    size_t n_spans = 0;
    for (size_t i = 0; i < n_findings; i++) {
        n_spans += 1 + findings[i]->n_related;
    }
    stretch *items = wpa_arena_array(arena, n_spans + 1, sizeof *items);
    *n = 0;
    for (size_t i = 0; i < n_findings; i++) {
        wpa_finding *finding = findings[i];
        if (finding->rule->runs_last) {
            continue;
        }
        items[(*n)++] = stretch_of(&finding->span, finding);
        for (size_t k = 0; k < finding->n_related; k++) {
            items[(*n)++] = stretch_of(&finding->related[k].span, finding);
        }
    }
    qsort(items, *n, sizeof *items, compare_stretches);
    (void)note_reached(items, 0, *n);
    return items;
}

/** To what touches the lines: a file may have thousands of comments, and of findings. */
static void apply_to(wpa_ignore *ignore, const stretch *items, size_t from, size_t to, size_t first,
                     size_t last)
{
    size_t middle = from + (to - from) / 2;
    if (from == to || items[middle].reached < first) {
        return;
    }
    apply_to(ignore, items, from, middle, first, last);
    if (items[middle].first > last) {
        return;
    }
    if (items[middle].last >= first && reaches(ignore, items[middle].finding)) {
        apply_one(ignore, items[middle].finding);
    }
    apply_to(ignore, items, middle + 1, to, first, last);
}

static void apply(wpa_ignore *ignore, const stretch *items, size_t n)
{
    switch (ignore->reach) {
    case WPA_IGNORE_SPANS:
    case WPA_IGNORE_NEXT_LINE:
    case WPA_IGNORE_BETWEEN:
        apply_to(ignore, items, 0, n, ignore->first_line, ignore->last_line);
        return;
    case WPA_IGNORE_ANY_SPAN:
        apply_to(ignore, items, 0, n, ignore->first_around, ignore->last_around);
        apply_to(ignore, items, 0, n, ignore->first_line, ignore->first_line);
        return;
    case WPA_IGNORE_FILE:
        apply_to(ignore, items, 0, n, 0, SIZE_MAX);
        return;
    }
}

void wpa_ignores_apply(wpa_ignores *ignores, wpa_finding **findings, size_t n_findings)
{
    if (!ignores->n || !n_findings) { /* as in most files */
        return;
    }
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    size_t n;
    const stretch *items = list_stretches(findings, n_findings, scratch, &n);
    for (size_t i = 0; i < ignores->n; i++) {
        wpa_ignore *ignore = &ignores->items[i];
        if (!ignore->fault && !ignore->has_ended) {
            apply(ignore, items, n);
        }
    }
}
