#include "runner/report.h"

#include <math.h>
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "xml/xml.h"

#define MESSAGE_MAX_CHARS 200
#define NAME_MAX_CHARS 400
#define LINES_MAX 1000000000 /* of one file, so that no sum of them overflows */

static const char *const result_names[] = {
    [WPA_CASE_PASSED] = "passed",
    [WPA_CASE_SKIPPED] = "skipped",
    [WPA_CASE_FAILED] = "failed",
    [WPA_CASE_ERROR] = "error",
};

const char *wpa_case_result_name(wpa_case_result result)
{
    return result_names[result];
}

wpa_case_report *wpa_case_report_new(wpa_arena *arena)
{
    wpa_case_report *report = wpa_arena_alloc(arena, sizeof *report);
    report->arena = arena;
    report->names = wpa_map_new(arena);
    return report;
}

/** First line, fit to be shown. */
static const char *short_text(wpa_arena *arena, const char *text, size_t max_chars)
{
    text += strspn(text, " \t\r\n");
    const char *visible = wpa_text_visible(arena, text, strcspn(text, "\r\n"), false);
    return wpa_text_ellipsis(arena, visible, max_chars);
}

/** A case of a name that came before gets a number, so that names identify. */
static const char *unique_name(wpa_case_report *report, const char *name)
{
    name = short_text(report->arena, name, NAME_MAX_CHARS);
    size_t *count = wpa_map_get(report->names, name);
    if (!count) {
        count = wpa_arena_alloc(report->arena, sizeof *count);
        wpa_map_put(report->names, name, count);
    }
    return ++*count > 1 ? wpa_arena_printf(report->arena, "%s #%zu", name, *count) : name;
}

static bool add_case(wpa_case_report *report, const char *name, wpa_case_result result,
                     int64_t time_ms, const char *message, wpa_error *err)
{
    if (report->n_cases >= WPA_REPORT_MAX_CASES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "more than %d test cases", WPA_REPORT_MAX_CASES);
    }
    report->cases = wpa_arena_grow(report->arena, report->cases, report->n_cases, &report->capacity,
                                   sizeof *report->cases);
    report->cases[report->n_cases++] =
        (wpa_case){.name = unique_name(report, name),
                   .result = result,
                   .time_ms = time_ms,
                   .message = short_text(report->arena, message, MESSAGE_MAX_CHARS)};
    report->n_passed += result == WPA_CASE_PASSED;
    report->n_skipped += result == WPA_CASE_SKIPPED;
    report->n_failed += result == WPA_CASE_FAILED || result == WPA_CASE_ERROR;
    return true;
}

/* ---- JUnit XML ---- */

static wpa_case_result junit_result(const wpa_xml *element, const char **message)
{
    static const struct {
        const char *name;
        wpa_case_result result;
    } rows[] = {
        {"error", WPA_CASE_ERROR}, {"failure", WPA_CASE_FAILED}, {"skipped", WPA_CASE_SKIPPED}};
    *message = "";
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        const wpa_xml *found = wpa_xml_find(element, rows[i].name);
        if (found) {
            const char *attribute = wpa_xml_attribute(found, "message");
            *message = attribute ? attribute : wpa_xml_text(found);
            return rows[i].result;
        }
    }
    return WPA_CASE_PASSED;
}

static int64_t time_of(const wpa_xml *element)
{
    const char *text = wpa_xml_attribute(element, "time");
    double seconds = 0;
    bool is_told = text && wpa_text_to_double(text, &seconds) && seconds >= 0 && seconds < 1e9;
    return is_told ? llround(seconds * 1000) : -1;
}

static bool add_junit(wpa_case_report *report, const wpa_xml *element, const char *suite,
                      wpa_error *err)
{
    for (const wpa_xml *at = wpa_xml_child(element); at; at = wpa_xml_next(at)) {
        const char *name = wpa_xml_attribute(at, "name");
        name = name ? name : "(no name)";
        if (wpa_text_is(wpa_xml_name(at), "testsuite")) {
            const char *inner =
                suite ? wpa_arena_printf(report->arena, "%s / %s", suite, name) : name;
            if (!add_junit(report, at, inner, err)) {
                return false;
            }
        } else if (wpa_text_is(wpa_xml_name(at), "testcase")) {
            const char *message, *group = wpa_xml_attribute(at, "classname");
            wpa_case_result result = junit_result(at, &message);
            const char *full =
                wpa_arena_printf(report->arena, "%s%s%s%s%s", suite ? suite : "",
                                 suite ? " / " : "", group ? group : "", group ? " / " : "", name);
            if (!add_case(report, full, result, time_of(at), message, err)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- Cobertura ---- */

static void add_cobertura(wpa_case_report *report, const wpa_xml *element)
{
    for (const wpa_xml *at = wpa_xml_child(element); at; at = wpa_xml_next(at)) {
        /* A method lists lines that its class lists again. */
        if (wpa_text_is(wpa_xml_name(at), "methods")) {
            continue;
        }
        int64_t hits = 0;
        const char *text = wpa_xml_attribute(at, "hits");
        if (wpa_text_is(wpa_xml_name(at), "line") && text &&
            wpa_text_to_int(text, 0, INT64_MAX, &hits)) {
            report->lines_found++;
            report->lines_hit += hits > 0;
        }
        add_cobertura(report, at);
    }
}

static bool add_xml(wpa_case_report *report, const uint8_t *data, size_t size_bytes, bool *is_known,
                    wpa_error *err)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const wpa_xml *root = wpa_xml_parse((const char *)data, size_bytes, scratch, err);
    if (!root) {
        return false;
    }
    const char *name = wpa_xml_name(root);
    if (wpa_text_is(name, "coverage")) {
        add_cobertura(report, root);
        return true;
    }
    if (wpa_text_is(name, "testsuites")) {
        return add_junit(report, root, NULL, err);
    }
    if (wpa_text_is(name, "testsuite")) {
        return add_junit(report, root, wpa_xml_attribute(root, "name"), err);
    }
    *is_known = false;
    return true;
}

/* ---- formats of lines ---- */

/** Next line of *text, which moves on; false at the end. */
static bool next_line(wpa_slice *text, wpa_slice *line)
{
    if (text->length == 0) {
        return false;
    }
    const char *end = memchr(text->at, '\n', text->length);
    size_t length = end ? (size_t)(end - text->at) : text->length;
    *line = (wpa_slice){text->at, length > 0 && text->at[length - 1] == '\r' ? length - 1 : length};
    size_t step = end ? length + 1 : length;
    text->at += step;
    text->length -= step;
    return true;
}

static bool skip_prefix(wpa_slice *line, const char *prefix)
{
    size_t length = strlen(prefix);
    if (line->length < length || memcmp(line->at, prefix, length) != 0) {
        return false;
    }
    line->at += length;
    line->length -= length;
    return true;
}

static bool number_in(wpa_slice slice, int64_t *value)
{
    char text[24] = {0};
    if (slice.length >= sizeof text) {
        return false;
    }
    memcpy(text, slice.at, slice.length);
    return wpa_text_to_int(text, 0, LINES_MAX, value);
}

/* Summaries where there are any, else the lines themselves: some writers leave LF and LH out. */
static void add_lcov(wpa_case_report *report, wpa_slice text)
{
    wpa_slice line;
    int64_t found = -1, hit = -1, lines = 0, lines_hit = 0;
    while (next_line(&text, &line)) {
        if (skip_prefix(&line, "LF:")) {
            found = number_in(line, &found) ? found : -1;
        } else if (skip_prefix(&line, "LH:")) {
            hit = number_in(line, &hit) ? hit : -1;
        } else if (skip_prefix(&line, "DA:")) {
            const char *comma = memchr(line.at, ',', line.length);
            lines++;
            lines_hit +=
                comma && comma + 1 < line.at + line.length && comma[1] >= '1' && comma[1] <= '9';
        } else if (skip_prefix(&line, "end_of_record")) {
            bool is_summed = found >= 0 && hit >= 0 && hit <= found;
            report->lines_found += is_summed ? found : lines;
            report->lines_hit += is_summed ? hit : lines_hit;
            found = hit = -1;
            lines = lines_hit = 0;
        }
    }
}

/** "ok 3 - name # SKIP why" without its "ok"; false if this is no result line. */
static bool add_tap_line(wpa_case_report *report, wpa_slice line, bool is_ok, wpa_error *err)
{
    char text[1024] = {0};
    size_t length = line.length < sizeof text - 1 ? line.length : sizeof text - 1;
    memcpy(text, line.at, length);
    char *name = text + strspn(text, " ");
    name += strspn(name, "0123456789");
    name += strspn(name, " ");
    name += *name == '-' ? 1 : 0;
    name += strspn(name, " ");
    char *directive = strstr(name, " # ");
    directive = directive ? directive : (*name == '#' ? name - 1 : NULL);
    bool is_excused = false;
    if (directive) {
        const char *word = strchr(directive, '#') + 1;
        word += strspn(word, " ");
        is_excused = strncasecmp(word, "skip", 4) == 0 || strncasecmp(word, "todo", 4) == 0;
        if (is_excused) {
            *(directive < text ? text : directive) = '\0';
        }
    }
    wpa_case_result result = is_excused ? WPA_CASE_SKIPPED
                             : is_ok    ? WPA_CASE_PASSED
                                        : WPA_CASE_FAILED;
    return add_case(report, *name ? name : "(no name)", result, -1, "", err);
}

/* Subtests are indented and are summed up by their parent's line, which alone is read. */
static bool add_tap(wpa_case_report *report, wpa_slice text, wpa_error *err)
{
    wpa_slice line;
    while (next_line(&text, &line)) {
        bool is_bad = skip_prefix(&line, "not ok");
        bool is_result = is_bad || skip_prefix(&line, "ok");
        if (is_result && (line.length == 0 || line.at[0] == ' ')) {
            if (!add_tap_line(report, line, !is_bad, err)) {
                return false;
            }
        } else if (skip_prefix(&line, "Bail out!") &&
                   !add_case(report, "(bailed out)", WPA_CASE_ERROR, -1,
                             wpa_arena_slice(report->arena, line.at, line.length), err)) {
            return false;
        }
    }
    return true;
}

static bool has_tap(wpa_slice text)
{
    wpa_slice line;
    while (next_line(&text, &line)) {
        if (skip_prefix(&line, "TAP version ")) {
            return true;
        }
        if (skip_prefix(&line, "1..")) {
            return line.length > 0 && line.at[0] >= '0' && line.at[0] <= '9';
        }
    }
    return false;
}

static bool has_lcov(wpa_slice text)
{
    bool has_file = false;
    wpa_slice line;
    while (next_line(&text, &line)) {
        has_file = has_file || skip_prefix(&line, "SF:");
        if (has_file && skip_prefix(&line, "end_of_record")) {
            return true;
        }
    }
    return false;
}

bool wpa_case_report_add(wpa_case_report *report, const char *name, const uint8_t *data,
                         size_t size_bytes, bool *is_known, wpa_error *err)
{
    wpa_slice text = {(const char *)data, size_bytes};
    size_t start = size_bytes >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (start < size_bytes && strchr(" \t\r\n", text.at[start]) && text.at[start]) {
        start++;
    }
    *is_known = true;
    bool is_read = true;
    if (start < size_bytes && text.at[start] == '<') {
        is_read = add_xml(report, data, size_bytes, is_known, err);
    } else if (has_lcov(text)) {
        add_lcov(report, text);
    } else if (has_tap(text)) {
        is_read = add_tap(report, text, err);
    } else {
        *is_known = false;
    }
    return is_read || wpa_error_within(err, "read report '%s'", name);
}

double wpa_case_report_coverage(const wpa_case_report *report)
{
    return report->lines_found > 0 ? 100.0 * (double)report->lines_hit / (double)report->lines_found
                                   : -1;
}

typedef struct case_list {
    const wpa_case **items;
    size_t n, capacity;
} case_list;

static void add_to_list(case_list *list, const wpa_case *item, wpa_arena *arena)
{
    list->items = wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = item;
}

wpa_case_report_change wpa_case_report_compare(const wpa_case_report *before,
                                               const wpa_case_report *after, wpa_arena *arena)
{
    wpa_map *now = wpa_map_new(arena);
    for (size_t i = 0; i < after->n_cases; i++) {
        wpa_map_put(now, after->cases[i].name, &after->cases[i]);
    }
    case_list broken = {0}, missing = {0}, skipped = {0};
    for (size_t i = 0; i < before->n_cases; i++) {
        const wpa_case *old = &before->cases[i];
        if (old->result != WPA_CASE_PASSED) {
            continue;
        }
        const wpa_case *found = wpa_map_get(now, old->name);
        if (!found) {
            add_to_list(&missing, old, arena);
        } else if (found->result == WPA_CASE_SKIPPED) {
            add_to_list(&skipped, found, arena);
        } else if (found->result != WPA_CASE_PASSED) {
            add_to_list(&broken, found, arena);
        }
    }
    return (wpa_case_report_change){.broken = broken.items,
                                    .n_broken = broken.n,
                                    .missing = missing.items,
                                    .n_missing = missing.n,
                                    .skipped = skipped.items,
                                    .n_skipped = skipped.n};
}
