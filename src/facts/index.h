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
/** Tables of actions that are asked for each use of one. */
typedef enum wpa_slug_table {
    WPA_SLUG_NEEDS,
    WPA_SLUG_ROLES,
    WPA_SLUG_CACHES,
    WPA_SLUG_LOGINS,
    WPA_SLUG_DEBUG_ACTIONS,
    WPA_SLUG_MIGRATIONS,
    WPA_SLUG_RUNTIMES,
    WPA_SLUG_PUBLISH_ACTIONS,
    WPA_SLUG_REPLACEMENTS,
    WPA_SLUG_TOOLS,
    WPA_SLUG_VALUES,
    WPA_SLUG_TABLE_COUNT
} wpa_slug_table;

/** Where these tables have an action. */
typedef struct wpa_slug_rows {
    uint16_t first[WPA_SLUG_TABLE_COUNT]; /* row, from 1; 0: the table has none */
    uint8_t n[WPA_SLUG_TABLE_COUNT];      /* how many of its rows stand together there */
    uint8_t traits;                       /* 1 << wpa_fact_trait */
} wpa_slug_rows;

/** The rows of an action, all of them by one look; NULL: no table has it. Thread: any. */
const wpa_slug_rows *wpa_facts_slug_rows(wpa_slice slug);
/**
 * The first row of a program, by its name byte for byte, in a table of programs but that of
 * commands, whose row comes with WPA_KNOWN_ROW_SHIFT: its others are behind it. WPA_NO_ROW: none.
 * Thread: any.
 */
size_t wpa_facts_program_row(wpa_facts_column column, const char *name);
