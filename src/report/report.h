/*
 * What was found, in the formats people and programs read. A format is a row of a table; each
 * writes a whole report into a buffer. Everything that comes from files is made visible.
 */
#pragma once

#include <wpa/buf.h>

#include "json/json.h"
#include "rules/engine.h"

#define WPA_REPORT_MAX_BYTES ((size_t)1 << 30)

typedef struct wpa_report {
    const wpa_result *files; /* [n_files] in the order of their paths */
    size_t n_files;
    const wpa_note
        *notes; /* [n_notes] of the run as a whole; those of files stand with the files */
    size_t n_notes;
    const char *repository; /* name, or NULL */
    bool has_colour;
    bool shows_ignored;
    bool is_sorted_by_severity; /* worst first, instead of by place */
} wpa_report;

/** How many findings there are, by state and by what they are. */
typedef struct wpa_report_counts {
    size_t n_open, n_ignored, n_baseline, n_fixable, n_files, n_clean_files, n_notes;
    size_t by_severity[WPA_SEVERITY_COUNT]; /* open ones */
    size_t by_kind[WPA_KIND_COUNT];
    size_t by_dimension[WPA_DIMENSION_COUNT];
} wpa_report_counts;

typedef struct wpa_format {
    const char *name;  /* as behind --format */
    const char *words; /* what it is for */
    void (*write)(const wpa_report *report, wpa_buf *out);
} wpa_format;

/** Every format; the first is the default. */
const wpa_format *wpa_formats_all(size_t *n);
/** NULL with *err naming the nearest. */
const wpa_format *wpa_format_find(const char *name, wpa_error *err);

wpa_report_counts wpa_report_count(const wpa_report *report);

/** The finding record as JSON ("wpa.finding/1"); the one form for API, database and files. */
wpa_json *wpa_finding_json(const wpa_finding *finding, const char *repository, wpa_arena *arena);
/** One finding as the text format shows it, source excerpt and all. */
void wpa_finding_text(const wpa_source *source, const wpa_finding *finding, bool has_colour,
                      wpa_buf *out);

/** Is an open finding there that the settings say must fail the check? */
bool wpa_report_fails(const wpa_report *report, const wpa_settings *settings);
