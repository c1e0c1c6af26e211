/* The options of `wpa check`. Private to check. */
#pragma once

#include "analysis/tree.h"
#include "report/report.h"

#define WPA_CHECK_FORMATS_MAX 8

typedef enum wpa_check_fix {
    WPA_CHECK_FIX_NONE,
    WPA_CHECK_FIX_SAFE,
    WPA_CHECK_FIX_ALL
} wpa_check_fix;

/* One --format, to standard output or a file. */
typedef struct wpa_check_format {
    const wpa_format *format;
    const char *file; /* NULL: standard output */
} wpa_check_format;

typedef struct wpa_check_options {
    wpa_settings *settings;
    wpa_check_format formats[WPA_CHECK_FORMATS_MAX];
    size_t n_formats;
    const char **paths; /* [n_paths] */
    size_t n_paths, paths_capacity;
    wpa_check_fix fix;
    bool *fix_rules; /* [number of rules] of --fix=RULE,…, or NULL */
    bool is_diff, exits_zero, keeps_going, shows_ignored, is_verbose;
    bool lists_rules, lists_rules_as_json;
    bool is_sorted_by_severity;
    bool has_only;
    const char *explain;
    const char *config;
    bool has_no_config;
    const char *stdin_path;
    bool has_kind;
    wpa_input_kind kind;
    int64_t n_threads;
    bool wants_help;
} wpa_check_options;

/** Errors WPA_E_INVALID: unknown option, bad value. Reads the configuration in between, so that
 * the command line beats it. */
bool wpa_check_options_read(int argc, char *const argv[], wpa_check_options *options,
                            wpa_arena *arena, wpa_error *err) WPA_CHECK;
/** For --help. */
const char *wpa_check_usage(wpa_arena *arena);
