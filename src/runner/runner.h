/* Run a repository's own test command in the sandbox and read what its framework reports. */
#pragma once

#include "runner/report.h"
#include "sandbox/sandbox.h"

typedef struct wpa_runner_spec {
    const char *const *argv;        /* NULL behind the last; looked up in /usr/bin and the like */
    const char *folder;             /* where it starts, relative to the tree; NULL: its top */
    const char *const *reports;     /* patterns, NULL behind the last; NULL: the usual places */
    const char *const *environment; /* "NAME=value", NULL behind the last; NULL: none */
    const char *const *markers;     /* stand-ins for secrets, see wpa_sandbox_request */
    bool has_network;
    int64_t timeout_ms; /* 0: ten minutes */
    bool (*is_cancelled)(void *context);
    void *cancel_context;
} wpa_runner_spec;

typedef struct wpa_runner_result {
    const wpa_sandbox_result *run;
    const wpa_case_report *report;
    const char *trouble; /* why a report could not be read, NULL: none */
} wpa_runner_result;

/**
 * tree      host folder with the files; it is copied, never changed.
 *
 * Returns   what happened, in arena; NULL with *err as wpa_sandbox_run.
 */
const wpa_runner_result *wpa_runner_run(const wpa_runner_spec *spec, const char *tree,
                                        wpa_arena *arena, wpa_error *err);

/** Did the command end by itself with code 0? */
bool wpa_runner_is_success(const wpa_runner_result *result);
