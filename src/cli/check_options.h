/* The options of `wpa check`. Private to check. */
#pragma once

#include "analysis/tree.h"
#include "cli/cli.h"
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
    const char *const *paths; /* [n_paths] */
    size_t n_paths;
    wpa_check_fix fix;
    bool *fix_rules; /* [number of rules] of --fix=RULE,…, or NULL */
    bool is_diff, exits_zero, keeps_going, shows_ignored;
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
} wpa_check_options;

/** Options and configuration; the command line beats the file. Errors WPA_E_INVALID. */
bool wpa_check_options_read(const wpa_cli *cli, wpa_check_options *options,
                            wpa_error *err) WPA_CHECK;
