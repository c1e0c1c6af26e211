/*
 * What was found, in the formats people and programs read. A format is a row of a table; each
 * writes a whole report into a buffer. Everything that comes from files is made visible.
 */
#pragma once

#include <wpa/buf.h>

#include "json/json.h"
#include "rules/results.h"

#define WPA_REPORT_MAX_BYTES ((size_t)1 << 30)

typedef enum wpa_report_order {
    WPA_ORDER_PATH,
    WPA_ORDER_SEVERITY, /* worst first */
    WPA_ORDER_RULE,
    WPA_ORDER_AGE, /* what has been on record longest first, what is new last */
    WPA_ORDER_COUNT
} wpa_report_order;

typedef struct wpa_report {
    const wpa_results *results; /* of all files; or NULL, and: */
    const wpa_result *files;    /* [n_files] in the order of their paths */
    size_t n_files;
    const wpa_note
        *notes; /* [n_notes] of the run as a whole; those of files stand with the files */
    size_t n_notes;
    const char *repository; /* name, or NULL */
    bool has_colour;
    bool shows_ignored;
    bool has_baseline; /* findings were compared with a baseline */
    wpa_report_order order;
} wpa_report;

/** All files together. */
typedef struct wpa_report_counts {
    wpa_result_counts all;
    size_t n_files, n_clean_files, n_notes;
} wpa_report_counts;

/** What a format shows that costs something to find out. A set of bits. */
typedef enum wpa_format_shows {
    WPA_SHOWS_LINES = 1 << 0,    /* of the files */
    WPA_SHOWS_FIXES = 1 << 1,    /* or how many there are */
    WPA_SHOWS_IDENTITY = 1 << 2, /* fingerprints and structure */
    WPA_SHOWS_RELATED = 1 << 3,  /* other places of a finding */
} wpa_format_shows;

typedef struct wpa_format {
    const char *name;  /* as behind --format */
    const char *words; /* what it is for */
    unsigned shows;    /* wpa_format_shows bits */
    void (*write)(const wpa_report *report, wpa_buf *out);
} wpa_format;

/** Every format; the first is the default. */
const wpa_format *wpa_formats_all(size_t *n);
/** NULL with *err naming the nearest. */
const wpa_format *wpa_format_find(const char *name, wpa_error *err);
/** "path", "severity", "rule", "age". */
bool wpa_report_order_from(const char *name, wpa_report_order *order) WPA_CHECK;

wpa_report_counts wpa_report_count(const wpa_report *report);
/** A table for people, in Markdown: a row a file, a column a dimension; the worst files first. */
void wpa_report_table(const wpa_report *report, size_t max_rows, wpa_buf *out);

/** The finding record as JSON ("wpa.finding/1"); the one form for API, database and files. */
wpa_json *wpa_finding_json(const wpa_finding *finding, const char *repository, wpa_arena *arena);

/** Is an open finding there that the settings say must fail the check? */
bool wpa_report_fails(const wpa_report *report, const wpa_settings *settings);
