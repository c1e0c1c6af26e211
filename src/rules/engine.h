/*
 * Running rules over one file, and what comes out: findings in their final order, each with its
 * fingerprint, state and fixes. Pure: no files, no network, no database, no clock.
 */
#pragma once

#include "rules/settings.h"

#define WPA_FINDINGS_PER_RULE_MAX 200
#define WPA_FINDINGS_PER_FILE_MAX 2000
/** Other definitions of the repository that are read for one file. */
#define WPA_NEIGHBOURS_MAX 500
/** And how long these may be together: there is no more once they are. */
#define WPA_NEIGHBOURS_MAX_BYTES ((size_t)640 * 1024)
/** What one rule may look at in one file, and all of them together (see wpa_budget). */
#define WPA_RULE_WORK_MAX ((size_t)30 * 1000 * 1000)
#define WPA_RULES_WORK_MAX ((size_t)120 * 1000 * 1000)
/** What one rule may hold while it runs over one file. */
#define WPA_RULE_BYTES_MAX ((size_t)24 * 1024 * 1024)
/** Processor time for one file; rules that do not get their turn within it are noted. */
#define WPA_RULES_TIME_MAX_MS 2000

/** A line of the file, for showing what a finding speaks of. */
typedef struct wpa_excerpt_line {
    size_t line, start; /* number, and offset in the file */
    const char *text;   /* [length] without the line break */
    size_t length;
} wpa_excerpt_line;

/** What nobody could tell, and no rule has guessed. */
typedef struct wpa_undecided {
    size_t n_unknown;     /* uses of repositories that no table has */
    size_t n_unversioned; /* uses of known ones at a ref that no table has */
    size_t n_unread;      /* scripts that could not be read as their shell would */
} wpa_undecided;

typedef struct wpa_result {
    const char *path;              /* of the file, as shown */
    const wpa_source *source;      /* NULL where only the outcome is left */
    const wpa_excerpt_line *lines; /* [n_lines] then, ascending: those that findings speak of */
    size_t n_lines;
    int64_t spent_us; /* processor time that the rules took; part by size of what several took */
    size_t work;      /* and what they looked at, counted */
    wpa_finding **findings; /* [n_findings], in order; ignored ones are among them */
    size_t n_findings;
    const wpa_note *notes;
    size_t n_notes;
    const uint64_t *used; /* [n_used] ids of entries of the configuration that silenced something */
    size_t n_used;
    wpa_undecided undecided;
} wpa_result;

/** Analyse one file with every rule that the settings leave on. Never fails: see the notes. */
wpa_result wpa_rules_run(const wpa_source *source, const wpa_settings *settings, wpa_arena *arena);

/** Files that are judged together at most, and what they had better hold together: more than the
    caches of a processor do with all that is made of it is no faster than one after the other. */
#define WPA_RULES_TOGETHER_MAX 16
#define WPA_RULES_TOGETHER_BYTES ((size_t)48 * 1024)

/** One file of several, and what came of it. */
typedef struct wpa_rules_task {
    const wpa_source *source;
    const wpa_settings *settings;
    wpa_result result;
} wpa_rules_task;

/**
 * The same for n <= WPA_RULES_TOGETHER_MAX files, which takes less time than one by one. All that
 * their results hold is in one arena.
 */
void wpa_rules_run_together(wpa_rules_task *tasks, size_t n, wpa_arena *arena);
