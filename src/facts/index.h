/*
 * Rows of the tables by name, without going through them: one table of hashes for all, made by the
 * first who asks. Private to src/facts.
 */
#pragma once

#include <wpa/text.h>

typedef enum wpa_facts_column {
    WPA_COLUMN_ACTION_NEEDS,
    WPA_COLUMN_ACTION_ROLES,
    WPA_COLUMN_ADVISORIES,
    WPA_COLUMN_ARCHIVE,
    WPA_COLUMN_CACHES,
    WPA_COLUMN_CLOSED_PROGRAMS,
    WPA_COLUMN_CLOUD_LOGINS,
    WPA_COLUMN_CODE_INPUTS,
    WPA_COLUMN_COMMANDS,
    WPA_COLUMN_CREATORS,
    WPA_COLUMN_DEBUG_ACTIONS,
    WPA_COLUMN_EVENTS,
    WPA_COLUMN_INSTALLERS,
    WPA_COLUMN_LAUNCHERS,
    WPA_COLUMN_MIGRATIONS,
    WPA_COLUMN_OIDC_ACTIONS,
    WPA_COLUMN_ORIGINALS,
    WPA_COLUMN_PROGRAMS,
    WPA_COLUMN_PUBLISH_ACTIONS,
    WPA_COLUMN_PUBLISH_COMMANDS,
    WPA_COLUMN_RENAMED_OWNERS,
    WPA_COLUMN_REPLACEMENTS,
    WPA_COLUMN_RUNNERS,
    WPA_COLUMN_RUNTIMES,
    WPA_COLUMN_TAINT_OUTPUTS,
    WPA_COLUMN_TOOLS,
    WPA_COLUMN_VALUES,
    WPA_COLUMN_WRAPPERS,
    WPA_COLUMN_COUNT,
    WPA_COLUMN_TRAITS = WPA_COLUMN_COUNT, /* of lists, by wpa_fact_trait: no table has them */
    WPA_COLUMN_ACTIONS,                   /* of the tables whose texts are in wpa_fact_pool */
    WPA_COLUMN_REPOS,
    WPA_COLUMN_KNOWN, /* programs, by which of the tables have them */
    WPA_COLUMN_SLUGS  /* actions, likewise */
} wpa_facts_column;

#define WPA_NO_ROW SIZE_MAX

/**
 * The first row, from this one on, whose name is this without regard to ASCII case; WPA_NO_ROW:
 * none. Thread: any.
 */
size_t wpa_facts_row(wpa_facts_column column, wpa_slice name, size_t from);
/** Of a table whose rows of one name stand together: the first, and how many there are. */
size_t wpa_facts_rows(wpa_facts_column column, wpa_slice name, size_t *n);
/**
 * Which tables of actions have one of this name, as a set of WPA_FACTS_HAS(column): most have none,
 * and need not be asked.
 */
uint32_t wpa_facts_slug_known(wpa_slice slug);
#define WPA_FACTS_HAS(column) (UINT32_C(1) << (column))
/**
 * The first row of a program, by its name byte for byte, in a table of programs: its others are
 * behind it. WPA_NO_ROW: none. Thread: any.
 */
size_t wpa_facts_program_row(wpa_facts_column column, const char *name);
