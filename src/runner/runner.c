#include "runner/runner.h"

#include <wpa/text.h>

#define TIMEOUT_MS INT64_C(600000) /* ten minutes */

static const char *const usual_reports[] = {
    "*TEST-*.xml", "*junit*.xml", "*test-results/*.xml", "*test-reports/*.xml", "*testresults.xml",
    "*.junit",     "*lcov.info",  "*coverage.info",      "*coverage.xml",       "*cobertura*.xml",
    "*.tap",       NULL};

static bool add_file(wpa_case_report *report, const wpa_sandbox_file *file, const char **trouble,
                     wpa_arena *arena)
{
    wpa_error err = {0};
    char text[1024];
    bool is_known = false;
    if (!wpa_case_report_add(report, file->path, file->data, file->size_bytes, &is_known, &err)) {
        *trouble = wpa_arena_text(arena, wpa_error_text(&err, text, sizeof text));
        return false;
    }
    return is_known;
}

const wpa_runner_result *wpa_runner_run(const wpa_runner_spec *spec, const char *tree,
                                        wpa_arena *arena, wpa_error *err)
{
    const wpa_sandbox_request request = {
        .argv = spec->argv,
        .has_network = spec->has_network,
        .source = tree,
        .folder = spec->folder,
        .environment = spec->environment,
        .outputs = spec->reports ? spec->reports : usual_reports,
        .markers = spec->markers,
        .limits = {.wall_ms = spec->timeout_ms > 0 ? spec->timeout_ms : TIMEOUT_MS},
        .is_cancelled = spec->is_cancelled,
        .cancel_context = spec->cancel_context,
    };
    wpa_runner_result *result = wpa_arena_alloc(arena, sizeof *result);
    const wpa_sandbox_result *run = wpa_sandbox_run(&request, arena, err);
    if (!run) {
        return NULL;
    }
    wpa_case_report *report = wpa_case_report_new(arena);
    for (size_t i = 0; i < run->n_files; i++) {
        add_file(report, &run->files[i], &result->trouble, arena);
    }
    if (report->n_cases == 0) {
        const wpa_sandbox_file output = {.path = "standard output",
                                         .data = (const uint8_t *)run->out.text,
                                         .size_bytes = run->out.size_bytes};
        const char *ignored = NULL; /* output that merely looks like a report is not one */
        add_file(report, &output, &ignored, arena);
    }
    result->run = run;
    result->report = report;
    return result;
}

bool wpa_runner_is_success(const wpa_runner_result *result)
{
    return result->run->end == WPA_SANDBOX_EXITED && result->run->exit_code == 0;
}
