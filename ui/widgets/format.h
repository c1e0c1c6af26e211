/* Numbers, times, ids and states in the words of the console. All write into size_bytes. */
#pragma once

#include <wpa/snapshot.h>

#include "paint.h"

#define WPA_SHORT 64

/** "41", "-" for unknown; overall scores are shown without decimals in lists. */
char *wpa_score_text(double score, char *text, size_t size_bytes);
wpa_paint wpa_score_paint(double score);
/** "1,000,000", "-" for unknown. */
char *wpa_count_text(int64_t count, char *text, size_t size_bytes);
/** "12 s", "4 m", "15 h", "9 d": how long ago. */
char *wpa_age_text(int64_t then_us, int64_t now_us, char *text, size_t size_bytes);
/** "3 m 12", "12 s", "0.4 s", "-". */
char *wpa_took_text(int64_t took_ms, char *text, size_t size_bytes);
/** "04:12", "--:--" for unknown: bake timers. */
char *wpa_timer_text(int64_t ms, char *text, size_t size_bytes);
/** "0.0 s", "12.3 s", "3 m 12", "-". */
char *wpa_downtime_text(int64_t ms, char *text, size_t size_bytes);
/** "07:42:10" UTC. */
char *wpa_clock_text(int64_t time_us, char *text, size_t size_bytes);
/** "07:42:10", "Sat 16:20:14" when not today, "14 Nov 16:20" when older than six days. */
char *wpa_time_text(int64_t time_us, int64_t now_us, char *text, size_t size_bytes);
/** "d-1042", "" for none. */
char *wpa_object_text(wpa_object object, char *text, size_t size_bytes);
/** The other way round; {NONE, 0} if it is none. */
wpa_object wpa_object_parse(const char *text);
bool wpa_object_is(wpa_object a, wpa_object b);

/** "CRIT", "HIGH", "MED", "LOW", "OPP". */
const char *wpa_severity_short(wpa_severity severity, wpa_kind kind);
wpa_paint wpa_severity_paint(wpa_severity severity, wpa_kind kind);
/** Columns of a tally from worst to OPP: index into open[dimension], short word, role. */
typedef struct wpa_tally_column {
    int index;
    const char *word;
    wpa_paint paint;
} wpa_tally_column;
extern const wpa_tally_column wpa_tally_columns[WPA_TALLY_COUNT];
/** "SEC", "PERF", "EFF", "COMPAT", "QUAL"; and the three letters of score columns. */
const char *wpa_dimension_short(wpa_dimension dimension);
const char *wpa_dimension_letters(wpa_dimension dimension);
const char *wpa_dimension_text(wpa_dimension dimension);

const char *wpa_patch_glyph(wpa_patch_state state);
wpa_paint wpa_patch_paint(wpa_patch_state state);
const char *wpa_suite_glyph(wpa_suite_state state);
wpa_paint wpa_suite_paint(wpa_suite_state state);
const char *wpa_suite_text(wpa_suite_state state);
/** Word, glyph and role of a deployment as lists show it: "applying", "baking", "held" ... */
const char *wpa_ui_deployment_text(const wpa_deployment_row *row);
const char *wpa_deployment_glyph(const wpa_deployment_row *row);
wpa_paint wpa_deployment_paint(const wpa_deployment_row *row);
const char *wpa_check_text(wpa_check_state state);
wpa_paint wpa_check_paint(wpa_check_state state);
wpa_paint wpa_notice_paint(wpa_notice_level level);
/** "2 of 5", of what has ended "2": how many it was still to be given is kept no more. */
char *wpa_attempt_text(const wpa_job_row *row, char *text, size_t size_bytes);
/** A finding's state in words: "open", "in patch". */
const char *wpa_ui_finding_text(wpa_finding_state state);
