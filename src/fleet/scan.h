/* Finding workflows and definitions at the head of a repository's branch. */
#pragma once

#include "fleet/fleet.h"
#include "git/git.h"
#include "job/job.h"

#define WPA_SCAN_MAX_ENTRIES 500000
#define WPA_SCAN_MAX_BYTES ((size_t)1 << 20) /* of one file: what the YAML reader takes */
#define WPA_SCAN_NETWORK_MS 120000

typedef struct wpa_scan_file {
    const char *path;
    const char *name; /* "ledger-api-ci" */
    const char *kind; /* "workflow", "action", "dependabot" */
    char blob[WPA_OID_SIZE];
    size_t size_bytes;
    const char *error; /* why it is not analysed, or NULL */
} wpa_scan_file;

typedef struct wpa_scan {
    char head[WPA_OID_SIZE];
    wpa_scan_file *files;
    size_t n;
    size_t capacity;
} wpa_scan;

/** What stands at the tip of the branch. Symlinks and too large files are listed with an error. */
bool wpa_scan_read(wpa_git *git, const char *repository, const char *branch, wpa_arena *arena,
                   wpa_scan *scan, wpa_error *err) WPA_CHECK;

/**
 * Job "scan", subject "repository:<id>": read the head, store what is there, order an analysis of
 * what has changed. A repository that cannot be read keeps what is known of it, gets the state
 * "error" with the reason, and the job is done: the next scan tries again.
 */
bool wpa_scan_job(wpa_job_context *context, wpa_error *err);
