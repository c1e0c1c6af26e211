/* Reports for other people's dashboards: JUnit, GitLab, Markdown. */
#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "report/formats.h"

#define MARKDOWN_MAX_FINDINGS 500

/* ---- JUnit ---- */

/** Text of an XML attribute or element. */
static void put_xml(wpa_buf *out, const char *text)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\n', "&#10;"}};
    for (; *text; text++) {
        const char *entity = NULL;
        for (size_t i = 0; i < WPA_COUNT(entities); i++) {
            entity = entities[i].c == *text ? entities[i].entity : entity;
        }
        if (entity) {
            wpa_buf_text(out, entity);
        } else {
            wpa_buf_char(out, *text);
        }
    }
}

static void put_failure(wpa_buf *out, const wpa_finding *finding, wpa_arena *arena)
{
    wpa_buf_text(out, "      <failure type=\"");
    put_xml(out, wpa_severity_name(finding->severity));
    wpa_buf_text(out, "\" message=\"");
    put_xml(out, finding->message);
    wpa_buf_text(out, "\">");
    put_xml(out,
            wpa_arena_printf(arena, "%s:%zu:%zu: %s [%s]", wpa_visible_path(finding->path, arena),
                             finding->span.start.line, finding->span.start.column, finding->message,
                             wpa_finding_name(finding, arena)));
    wpa_buf_text(out, "</failure>\n");
}

static void put_case_head(wpa_buf *out, const char *name, const wpa_result *file, wpa_arena *arena)
{
    wpa_buf_text(out, "    <testcase name=\"");
    put_xml(out, name);
    wpa_buf_text(out, "\" classname=\"");
    put_xml(out, wpa_visible_path(file->path, arena));
    wpa_buf_char(out, '"');
}

/** Is it the first open finding of its rule in the file? */
static bool is_first_of_rule(const wpa_result *file, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (file->findings[j]->state == WPA_FINDING_OPEN &&
            file->findings[j]->rule == file->findings[i]->rule) {
            return false;
        }
    }
    return true;
}

/** A case is a rule, with a failure for each of its findings. */
static void put_case(wpa_buf *out, const wpa_result *file, size_t first, wpa_arena *arena)
{
    const wpa_rule *rule = file->findings[first]->rule;
    put_case_head(out, rule->id, file, arena);
    wpa_buf_text(out, ">\n");
    for (size_t i = first; i < file->n_findings; i++) {
        if (file->findings[i]->rule == rule && file->findings[i]->state == WPA_FINDING_OPEN) {
            put_failure(out, file->findings[i], arena);
        }
    }
    wpa_buf_text(out, "    </testcase>\n");
}

static size_t count_cases(const wpa_result *file)
{
    size_t n = 0;
    for (size_t i = 0; i < file->n_findings; i++) {
        n += file->findings[i]->state == WPA_FINDING_OPEN && is_first_of_rule(file, i);
    }
    return n;
}

static void put_suite(wpa_buf *out, const wpa_result *file, wpa_arena *arena)
{
    size_t n = count_cases(file);
    wpa_buf_text(out, "  <testsuite name=\"");
    put_xml(out, wpa_visible_path(file->path, arena));
    wpa_buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.6f\">\n",
                   n ? n : 1, n, (double)file->spent_us / 1e6);
    for (size_t i = 0; i < file->n_findings; i++) {
        if (file->findings[i]->state == WPA_FINDING_OPEN && is_first_of_rule(file, i)) {
            put_case(out, file, i, arena);
        }
    }
    if (n == 0) {
        put_case_head(out, "clean", file, arena);
        wpa_buf_text(out, "/>\n");
    }
    wpa_buf_text(out, "  </testsuite>\n");
}

void wpa_format_junit(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"wpa\">\n");
    for (size_t i = 0; i < wpa_report_count_files(report); i++) {
        wpa_arena_reset(arena);
        wpa_result file = wpa_report_file(report, i, arena);
        put_suite(out, &file, arena);
    }
    wpa_buf_text(out, "</testsuites>\n");
}

/* ---- GitLab ---- */

typedef struct writer {
    wpa_buf *out;
    wpa_arena *scratch;
    bool has_items;
} writer;

static void put_quality(void *context, const wpa_result *file, const wpa_finding *finding)
{
    static const char *const severities[] = {"minor", "major", "critical", "blocker"};
    static const char *const categories[] = {"Security", "Performance", "Performance",
                                             "Compatibility", "Clarity"};
    _Static_assert(WPA_COUNT(severities) == WPA_SEVERITY_COUNT, "one for each");
    _Static_assert(WPA_COUNT(categories) == WPA_DIMENSION_COUNT, "one for each");
    writer *w = context;
    wpa_arena_reset(w->scratch);
    wpa_json *item = wpa_json_new_object(w->scratch);
    wpa_json_set_text(item, "type", "issue");
    wpa_json_set_text(item, "description", finding->message);
    wpa_json_set_text(item, "check_name", wpa_finding_name(finding, w->scratch));
    wpa_json_set_text(item, "fingerprint", finding->fingerprint);
    wpa_json_set_text(item, "severity", severities[finding->severity]);
    wpa_json_push_text(wpa_json_set_array(item, "categories"), categories[finding->dimension]);
    wpa_json *location = wpa_json_set_object(item, "location");
    wpa_json_set_text(location, "path", wpa_visible_path(file->path, w->scratch));
    wpa_json *lines = wpa_json_set_object(location, "lines");
    wpa_json_set_int(lines, "begin", (int64_t)finding->span.start.line);
    wpa_json_set_int(lines, "end", (int64_t)finding->span.end.line);
    wpa_put_item(w->out, &w->has_items, item);
}

void wpa_format_gitlab(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    writer w = {out, scratch, false};
    wpa_pick pick = {.order = report->order};
    wpa_buf_char(out, '[');
    wpa_report_visit(report, &pick, put_quality, &w);
    wpa_buf_text(out, "\n]\n");
}

/* ---- Markdown ---- */

/** Text of a table's cell: nothing in it may end the cell or begin markup. */
static void put_cell(wpa_buf *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\`*_{}[]<>|#@", *text)) {
            wpa_buf_char(out, '\\');
        }
        wpa_buf_char(out, *text);
    }
}

/* A row of the table, and what it is sorted by. */
typedef struct row {
    size_t file, worst, n_open;
} row;

static int compare_rows(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->worst != y->worst) {
        return x->worst > y->worst ? -1 : 1;
    }
    if (x->n_open != y->n_open) {
        return x->n_open > y->n_open ? -1 : 1;
    }
    return x->file < y->file ? -1 : x->file > y->file;
}

static row *list_rows(const wpa_report *report, wpa_arena *arena, size_t *n)
{
    size_t n_files = wpa_report_count_files(report);
    row *rows = wpa_arena_array(arena, n_files + 1, sizeof *rows);
    *n = 0;
    for (size_t i = 0; i < n_files; i++) {
        const wpa_result_counts counts = wpa_report_counts_at(report, i);
        size_t worst = 0;
        for (size_t k = 0; k < WPA_SEVERITY_COUNT; k++) {
            worst = counts.by_severity[k] ? k : worst;
        }
        if (counts.n_open) {
            rows[(*n)++] = (row){i, worst, counts.n_open};
        }
    }
    if (*n) {
        qsort(rows, *n, sizeof *rows, compare_rows);
    }
    return rows;
}

static void put_row(const wpa_report *report, const row *r, wpa_buf *out, wpa_arena *arena)
{
    const wpa_result_counts counts = wpa_report_counts_at(report, r->file);
    wpa_buf_text(out, "| ");
    put_cell(out, wpa_visible_path(wpa_report_file(report, r->file, arena).path, arena));
    for (size_t i = 0; i < WPA_DIMENSION_COUNT; i++) {
        wpa_buf_printf(out, " | %zu", counts.by_dimension[i]);
    }
    wpa_buf_printf(out, " | %s |\n", wpa_severity_name((wpa_severity)r->worst));
}

void wpa_report_table(const wpa_report *report, size_t max_rows, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    wpa_report_counts counts = wpa_report_count(report);
    size_t n;
    row *rows = list_rows(report, arena, &n);
    wpa_buf_printf(out, "**wpa check**: %zu open in %zu of %zu files, %zu with a fix, %zu ignored",
                   counts.all.n_open, n, counts.n_files, counts.all.n_fixable,
                   counts.all.n_ignored);
    if (report->has_baseline) {
        wpa_buf_printf(out, ", %zu in the baseline", counts.all.n_baseline);
    }
    wpa_buf_text(out, "\n\n");
    if (n == 0) {
        return;
    }
    wpa_buf_text(out, "| file |");
    for (size_t i = 0; i < WPA_DIMENSION_COUNT; i++) {
        wpa_buf_printf(out, " %s |", wpa_dimension_name((wpa_dimension)i));
    }
    wpa_buf_text(out, " worst |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |\n");
    for (size_t i = 0; i < n && i < max_rows; i++) {
        wpa_arena_reset(scratch);
        put_row(report, &rows[i], out, scratch);
    }
    if (n > max_rows) {
        wpa_buf_printf(out, "\nand %zu files more\n", n - max_rows);
    }
}

static void put_bullet(void *context, const wpa_result *file, const wpa_finding *finding)
{
    writer *w = context;
    wpa_arena_reset(w->scratch);
    wpa_buf_printf(w->out, "- **%s** ", wpa_severity_name(finding->severity));
    put_cell(w->out, wpa_visible_path(file->path, w->scratch));
    wpa_buf_printf(w->out, ":%zu:%zu ", finding->span.start.line, finding->span.start.column);
    put_cell(w->out, finding->message);
    wpa_buf_printf(w->out, " (`%s`)\n", wpa_finding_name(finding, w->scratch));
}

void wpa_format_markdown(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    writer w = {out, scratch, false};
    wpa_pick pick = {WPA_ORDER_SEVERITY, false, MARKDOWN_MAX_FINDINGS};
    wpa_report_table(report, SIZE_MAX, out);
    wpa_buf_char(out, '\n');
    wpa_report_visit(report, &pick, put_bullet, &w);
}
