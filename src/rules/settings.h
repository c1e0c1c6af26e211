/*
 * What the user wants of the rules: which run, how they count, what is silenced. Built from
 * wpa.yml (config.h) and the command line; read-only while rules run, so threads share it.
 */
#pragma once

#include <stdint.h>

#include <wpa/map.h>

#include "rules/registry.h"

typedef enum wpa_toggle {
    WPA_TOGGLE_UNSET,
    WPA_TOGGLE_ON, /* named by --only: runs whatever its persona */
    WPA_TOGGLE_OFF
} wpa_toggle;

typedef struct wpa_text_list {
    const char *const *items; /* [n] */
    size_t n;
} wpa_text_list;

/** What the configuration changes about one rule. */
typedef struct wpa_rule_setting {
    wpa_toggle toggle;
    bool has_severity, has_confidence, has_persona;
    wpa_severity severity; /* in place of what the rule reports */
    wpa_confidence confidence;
    wpa_persona persona;
    wpa_text_list paths;       /* globs of the only files it is about; none: all */
    const wpa_map *options;    /* name → text, or NULL */
    const wpa_map *checks_off; /* numbers of checks that are off, or NULL */
    const wpa_map *checks;     /* number → wpa_check_setting, or NULL */
} wpa_rule_setting;

/** What the configuration changes about one check of a rule. */
typedef struct wpa_check_setting {
    bool has_severity;
    wpa_severity severity;
} wpa_check_setting;

/** Names that exist, by which a reference is judged. */
typedef struct wpa_name_list {
    bool is_known; /* else nothing is said about any name */
    wpa_text_list names;
} wpa_name_list;

/** What the configuration says of the repository itself, which no file of it tells. */
typedef struct wpa_own {
    const char *forge; /* "ghes@3.18", or NULL */
    wpa_visibility visibility;
    wpa_text_list runner_labels, ephemeral; /* globs of labels of its own runners */
    const wpa_map *runner_images;           /* glob of labels → image, or NULL */
    const wpa_map *runner_rates;            /* glob of labels → what a minute costs, or NULL */
    wpa_name_list secrets, variables, environments;
    wpa_name_list reviewed;           /* environments whose jobs wait for a reviewer */
    wpa_name_list dependabot_secrets; /* all that runs which Dependabot starts have */
    wpa_text_list first_party;        /* owners that are trusted as the repository's own */
    const char *codeowners;           /* "@my-org/platform", or NULL */
} wpa_own;

/** A program outside that prints SARIF for a tree. */
typedef struct wpa_analyser {
    const char *name;
    wpa_text_list command;
    int64_t timeout_ms;
} wpa_analyser;

/** Rules as they are for some paths. */
typedef struct wpa_path_setting {
    const char *glob;
    const wpa_yaml_node *rules; /* as under "rules:" */
    const char *file;           /* where it stands */
} wpa_path_setting;

/** An entry of "ignore:" in wpa.yml. All that is given must fit. */
typedef struct wpa_ignore_entry {
    const char *path;         /* glob over the path, or NULL */
    const char *const *rules; /* [n_rules] names as in comments */
    size_t n_rules;
    int64_t line;            /* 0: any */
    int64_t column;          /* 0: any */
    const char *message;     /* PCRE2 pattern, or NULL */
    bool is_wide;            /* the pattern is tried on ids and foreign names too */
    bool is_base_name;       /* path is the file's name alone, whatever folder it is in */
    const char *fingerprint; /* whole or leading hex digits, or NULL */
    const char *reason;
    bool has_no_room;  /* a place under a rule, which cannot have a reason */
    const char *until; /* "YYYY-MM-DD", or NULL */
    const char *file;  /* where the entry stands, for unused-ignore */
    size_t at_line;
} wpa_ignore_entry;

/** Programs that are asked about scripts, as "tools:" names them. */
typedef enum wpa_tool {
    WPA_TOOL_SHELLCHECK,
    WPA_TOOL_PYFLAKES, /* or ruff */
    WPA_TOOL_NODE,
    WPA_TOOL_PWSH,
    WPA_TOOL_BASH, /* and what else is asked about scripts of POSIX shells */
    WPA_TOOL_COUNT
} wpa_tool;

/** [WPA_TOOL_COUNT], as they stand below "tools:". */
extern const char *const wpa_tool_names[];

typedef struct wpa_tool_setting {
    bool is_off;
    bool is_required; /* its absence is an error */
    const char *path; /* of the program, or NULL: wherever it is found */
} wpa_tool_setting;

typedef struct wpa_settings {
    wpa_persona persona;
    wpa_persona dimension_persona[WPA_DIMENSION_COUNT];
    bool dimension_off[WPA_DIMENSION_COUNT];
    bool kind_off[WPA_KIND_COUNT];
    wpa_severity min_severity;
    wpa_confidence min_confidence;
    /** Least severity of an open finding of each kind that fails the check; COUNT: none. */
    wpa_severity fail_on[WPA_KIND_COUNT];
    /** [number of rules + 1] in the order of the registry; the last is for any rule outside it. */
    wpa_rule_setting *rules;
    const wpa_ignore_entry *ignores;
    size_t n_ignores;
    bool ignores_off;           /* --no-ignores */
    bool require_reason;        /* ignores without one are reported */
    bool is_unlimited;          /* as many findings as there are: for judging fixes by number */
    bool has_no_repairs;        /* what is found is counted, not mended */
    bool has_no_identities;     /* nobody asks for structure and fingerprint of what is found */
    bool has_no_related;        /* nor for its other places */
    const char *const *exclude; /* [n_exclude] globs of paths that are not read */
    size_t n_exclude;
    wpa_tool_setting tools[WPA_TOOL_COUNT];
    const struct wpa_lint_answers *lint; /* what they said of the scripts; NULL: not asked */
    bool has_only;                       /* --only: no path switches a rule on again */
    wpa_own own;
    const wpa_path_setting *path_settings; /* [n_path_settings] */
    size_t n_path_settings;
    const wpa_analyser *analysers; /* [n_analysers] */
    size_t n_analysers;
    const char *file;                    /* the wpa.yml that was read last, or NULL */
    wpa_text_list faults;                /* what was wrong in it, by place */
    const char *baseline;                /* file, or NULL */
    int64_t max_file_bytes;              /* 0: as many as are read at all */
    bool reads_zizmor, reads_actionlint; /* their configuration files count too */
    char today[11];                      /* "YYYY-MM-DD": when ignores with until= end */
} wpa_settings;

/** Defaults; everything in the arena. now_us is the clock (wpa_now_us), passed for tests. */
wpa_settings *wpa_settings_new(int64_t now_us, wpa_arena *arena);
/** The entry for one rule. */
wpa_rule_setting *wpa_settings_of(const wpa_settings *settings, const wpa_rule *rule);
/** The persona that findings of this dimension are for. */
static inline wpa_persona wpa_settings_level(const wpa_settings *settings, wpa_dimension dimension)
{
    wpa_persona own = settings->dimension_persona[dimension];
    return own > settings->persona ? own : settings->persona;
}
/** The settings for one file: themselves, unless "paths:" changes rules for it. */
const wpa_settings *wpa_settings_at(const wpa_settings *settings, const char *path,
                                    wpa_arena *arena);
/** Of all that a result depends on. */
void wpa_settings_digest(const wpa_settings *settings, uint8_t digest[32]);
/** Silence what "ignore:" of the configuration says; entries that are over do nothing. */
/**
 * ids gets those of the entries that silenced something, appended to its first *n_ids; grown in the
 * arena. Each id is there once.
 */
void wpa_ignore_entries_apply(const wpa_settings *settings, const wpa_source *source,
                              wpa_finding **findings, size_t n_findings, wpa_arena *arena,
                              const uint64_t **ids, size_t *n_ids);
/** Tells entries apart by what they say, wherever they stand. */
uint64_t wpa_ignore_entry_id(const wpa_ignore_entry *entry);
/** Does the entry's path fit a file's path in its repository? */
bool wpa_ignore_entry_is_about(const wpa_ignore_entry *entry, const char *identity);
/** Does an entry of "ignore:" fit any of these findings, whatever their state? */
bool wpa_ignore_entry_is_used(const wpa_ignore_entry *entry, const wpa_source *source,
                              wpa_finding *const *findings, size_t n_findings);
/** Does a glob fit a path? "**" any folders, "*" within one part, "?" one character, "{a,b}"
 * either. */
bool wpa_glob_fits(const char *glob, const char *path);
