#include "widgets/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <wpa/text.h>

char *wpa_score_text(double score, char *text, size_t size_bytes)
{
    (void)wpa_text_format(text, size_bytes, score < 0 ? "-" : "%.0f", score);
    return text;
}

wpa_paint wpa_score_paint(double score)
{
    if (score < 0) {
        return WPA_PAINT_MUTED;
    }
    return score >= 80   ? WPA_PAINT_SCORE_GOOD
           : score >= 50 ? WPA_PAINT_SCORE_FAIR
                         : WPA_PAINT_SCORE_POOR;
}

char *wpa_count_text(int64_t count, char *text, size_t size_bytes)
{
    if (count < 0) {
        (void)wpa_text_copy(text, size_bytes, "-");
        return text;
    }
    char digits[32];
    (void)wpa_text_format(digits, sizeof digits, "%" PRId64, count);
    size_t n = strlen(digits), at = 0;
    for (size_t i = 0; i < n && at + 2 < size_bytes; i++) {
        if (i && (n - i) % 3 == 0) {
            text[at++] = ',';
        }
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

char *wpa_age_text(int64_t then_us, int64_t now_us, char *text, size_t size_bytes)
{
    int64_t s = (now_us - then_us) / 1000000;
    if (then_us == 0) {
        (void)wpa_text_copy(text, size_bytes, "-");
    } else if (s < 60) {
        (void)wpa_text_format(text, size_bytes, "%" PRId64 " s", s < 0 ? 0 : s);
    } else if (s < 3600) {
        (void)wpa_text_format(text, size_bytes, "%" PRId64 " m", s / 60);
    } else if (s < (int64_t)48 * 3600) {
        (void)wpa_text_format(text, size_bytes, "%" PRId64 " h", s / 3600);
    } else {
        (void)wpa_text_format(text, size_bytes, "%" PRId64 " d", s / 86400);
    }
    return text;
}

char *wpa_took_text(int64_t took_ms, char *text, size_t size_bytes)
{
    int64_t s = took_ms / 1000;
    if (took_ms < 0) {
        (void)wpa_text_copy(text, size_bytes, "-");
    } else if (took_ms < 10000) {
        (void)wpa_text_format(text, size_bytes, "%.1f s", (double)took_ms / 1000);
    } else if (s < 60) {
        (void)wpa_text_format(text, size_bytes, "%" PRId64 " s", s);
    } else if (s < 3600) {
        (void)wpa_text_format(text, size_bytes, "%" PRId64 " m %02" PRId64, s / 60, s % 60);
    } else {
        (void)wpa_text_format(text, size_bytes, "%" PRId64 " h %02" PRId64, s / 3600, s / 60 % 60);
    }
    return text;
}

char *wpa_timer_text(int64_t ms, char *text, size_t size_bytes)
{
    int64_t s = ms / 1000;
    if (ms < 0) {
        (void)wpa_text_copy(text, size_bytes, "--:--");
    } else if (s < 6000) {
        (void)wpa_text_format(text, size_bytes, "%02" PRId64 ":%02" PRId64, s / 60, s % 60);
    } else {
        (void)wpa_text_format(text, size_bytes, "%" PRId64 "h%02" PRId64, s / 3600, s / 60 % 60);
    }
    return text;
}

char *wpa_downtime_text(int64_t ms, char *text, size_t size_bytes)
{
    if (ms >= 0 && ms < 60000) {
        (void)wpa_text_format(text, size_bytes, "%.1f s", (double)ms / 1000);
        return text;
    }
    return wpa_took_text(ms, text, size_bytes);
}

static struct tm utc_of(int64_t time_us)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm utc = {0};
    (void)gmtime_r(&seconds, &utc);
    return utc;
}

char *wpa_clock_text(int64_t time_us, char *text, size_t size_bytes)
{
    struct tm utc = utc_of(time_us);
    (void)wpa_text_format(text, size_bytes, "%02d:%02d:%02d", utc.tm_hour, utc.tm_min, utc.tm_sec);
    return text;
}

char *wpa_time_text(int64_t time_us, int64_t now_us, char *text, size_t size_bytes)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (time_us == 0) {
        (void)wpa_text_copy(text, size_bytes, "-");
        return text;
    }
    struct tm then = utc_of(time_us), now = utc_of(now_us);
    if (then.tm_year == now.tm_year && then.tm_yday == now.tm_yday) {
        return wpa_clock_text(time_us, text, size_bytes);
    }
    if (now_us - time_us < (int64_t)6 * 86400 * 1000000) {
        (void)wpa_text_format(text, size_bytes, "%s %02d:%02d:%02d", days[then.tm_wday % 7],
                              then.tm_hour, then.tm_min, then.tm_sec);
    } else {
        (void)wpa_text_format(text, size_bytes, "%d %s %02d:%02d", then.tm_mday,
                              months[then.tm_mon % 12], then.tm_hour, then.tm_min);
    }
    return text;
}

char *wpa_object_text(wpa_object object, char *text, size_t size_bytes)
{
    if (object.kind == WPA_OBJECT_NONE) {
        text[0] = '\0';
    } else {
        (void)wpa_text_format(text, size_bytes, "%c-%" PRId64, (char)object.kind, object.id);
    }
    return text;
}

wpa_object wpa_object_parse(const char *text)
{
    int64_t id = 0;
    if (text && text[0] && strchr("wfpdjr", text[0]) && text[1] == '-' &&
        wpa_text_to_int(text + 2, 1, INT64_MAX, &id)) {
        return (wpa_object){.kind = (wpa_object_kind)text[0], .id = id};
    }
    return (wpa_object){.kind = WPA_OBJECT_NONE};
}

bool wpa_object_is(wpa_object a, wpa_object b)
{
    return a.kind == b.kind && a.id == b.id;
}

const wpa_tally_column wpa_tally_columns[WPA_TALLY_COUNT] = {
    {WPA_SEVERITY_CRITICAL, "CRIT", WPA_PAINT_SEV_CRIT},
    {WPA_SEVERITY_HIGH, "HIGH", WPA_PAINT_SEV_HIGH},
    {WPA_SEVERITY_MEDIUM, "MED", WPA_PAINT_SEV_MED},
    {WPA_SEVERITY_LOW, "LOW", WPA_PAINT_SEV_LOW},
    {WPA_TALLY_OPPORTUNITY, "OPP", WPA_PAINT_SEV_INFO},
};

static const wpa_tally_column *column_of(wpa_severity severity, wpa_kind kind)
{
    int index = kind == WPA_KIND_OPPORTUNITY ? (int)WPA_TALLY_OPPORTUNITY : (int)severity;
    for (size_t i = 0; i < WPA_TALLY_COUNT; i++) {
        if (wpa_tally_columns[i].index == index) {
            return &wpa_tally_columns[i];
        }
    }
    return &wpa_tally_columns[WPA_TALLY_COUNT - 1];
}

const char *wpa_severity_short(wpa_severity severity, wpa_kind kind)
{
    return column_of(severity, kind)->word;
}

wpa_paint wpa_severity_paint(wpa_severity severity, wpa_kind kind)
{
    return column_of(severity, kind)->paint;
}

typedef struct dimension_words {
    const char *shortened, *letters, *text;
} dimension_words;

static const dimension_words dimensions[WPA_DIMENSION_COUNT] = {
    [WPA_DIMENSION_SECURITY] = {"SEC", "SEC", "security"},
    [WPA_DIMENSION_PERFORMANCE] = {"PERF", "PRF", "performance"},
    [WPA_DIMENSION_EFFICIENCY] = {"EFF", "EFF", "efficiency"},
    [WPA_DIMENSION_COMPATIBILITY] = {"COMPAT", "CMP", "compatibility"},
    [WPA_DIMENSION_QUALITY] = {"QUAL", "QUA", "quality"},
};

const char *wpa_dimension_short(wpa_dimension dimension)
{
    return dimension < WPA_DIMENSION_COUNT ? dimensions[dimension].shortened : "?";
}

const char *wpa_dimension_letters(wpa_dimension dimension)
{
    return dimension < WPA_DIMENSION_COUNT ? dimensions[dimension].letters : "?";
}

const char *wpa_dimension_text(wpa_dimension dimension)
{
    return dimension < WPA_DIMENSION_COUNT ? dimensions[dimension].text : "?";
}

typedef struct look {
    const char *glyph, *text;
    wpa_paint paint;
} look;

static const look patch_looks[WPA_PATCH_STATE_COUNT] = {
    [WPA_PATCH_PENDING] = {"◌", "pending", WPA_PAINT_STATE_PENDING},
    [WPA_PATCH_TESTING] = {"⟳", "testing", WPA_PAINT_STATE_TESTING},
    [WPA_PATCH_TESTED] = {"✓", "tested", WPA_PAINT_STATE_TESTED},
    [WPA_PATCH_APPROVED] = {"◉", "approved", WPA_PAINT_STATE_APPROVED},
    [WPA_PATCH_DEPLOYED] = {"⬢", "deployed", WPA_PAINT_STATE_DEPLOYED},
    [WPA_PATCH_FAILED] = {"✗", "failed", WPA_PAINT_STATE_FAILED},
    [WPA_PATCH_ROLLED_BACK] = {"↺", "rolled_back", WPA_PAINT_STATE_ROLLED_BACK},
};

const char *wpa_patch_glyph(wpa_patch_state state)
{
    return state < WPA_PATCH_STATE_COUNT ? patch_looks[state].glyph : "?";
}

wpa_paint wpa_patch_paint(wpa_patch_state state)
{
    return state < WPA_PATCH_STATE_COUNT ? patch_looks[state].paint : WPA_PAINT_TEXT;
}

static const look suite_looks[] = {
    [WPA_SUITE_NOT_RUN] = {"∙", "not run", WPA_PAINT_MUTED},
    [WPA_SUITE_WAITING] = {"◌", "waiting", WPA_PAINT_STATE_PENDING},
    [WPA_SUITE_RUNNING] = {"⟳", "running", WPA_PAINT_STATE_TESTING},
    [WPA_SUITE_PASSED] = {"✓", "passed", WPA_PAINT_STATE_TESTED},
    [WPA_SUITE_FAILED] = {"✗", "failed", WPA_PAINT_STATE_FAILED},
    [WPA_SUITE_ERROR] = {"✗", "error", WPA_PAINT_STATE_FAILED},
};

const char *wpa_suite_glyph(wpa_suite_state state)
{
    return (size_t)state < WPA_COUNT(suite_looks) ? suite_looks[state].glyph : "?";
}

wpa_paint wpa_suite_paint(wpa_suite_state state)
{
    return (size_t)state < WPA_COUNT(suite_looks) ? suite_looks[state].paint : WPA_PAINT_TEXT;
}

const char *wpa_suite_text(wpa_suite_state state)
{
    return (size_t)state < WPA_COUNT(suite_looks) ? suite_looks[state].text : "?";
}

static const look deployment_looks[WPA_DEPLOYMENT_STATE_COUNT] = {
    [WPA_DEPLOYMENT_PLANNED] = {"◌", "planned", WPA_PAINT_STATE_PENDING},
    [WPA_DEPLOYMENT_RUNNING] = {"▸", "applying", WPA_PAINT_STATE_TESTING},
    [WPA_DEPLOYMENT_PAUSED] = {"◉", "held", WPA_PAINT_CHECK_NEAR},
    [WPA_DEPLOYMENT_ROLLING_BACK] = {"↺", "rolling back", WPA_PAINT_STATE_ROLLED_BACK},
    [WPA_DEPLOYMENT_SUCCEEDED] = {"⬢", "deployed", WPA_PAINT_STATE_DEPLOYED},
    [WPA_DEPLOYMENT_ABORTED] = {"✗", "failed", WPA_PAINT_STATE_FAILED},
    [WPA_DEPLOYMENT_ROLLED_BACK] = {"↺", "rolled_back", WPA_PAINT_STATE_ROLLED_BACK},
    [WPA_DEPLOYMENT_STUCK] = {"✗", "stuck", WPA_PAINT_SEV_CRIT},
};

const char *wpa_ui_deployment_text(const wpa_deployment_row *row)
{
    if (row->state >= WPA_DEPLOYMENT_STATE_COUNT) {
        return "?";
    }
    if (row->state == WPA_DEPLOYMENT_RUNNING && row->stage_state == WPA_STAGE_BAKING) {
        return "baking";
    }
    return deployment_looks[row->state].text;
}

const char *wpa_deployment_glyph(const wpa_deployment_row *row)
{
    return row->state < WPA_DEPLOYMENT_STATE_COUNT ? deployment_looks[row->state].glyph : "?";
}

wpa_paint wpa_deployment_paint(const wpa_deployment_row *row)
{
    return row->state < WPA_DEPLOYMENT_STATE_COUNT ? deployment_looks[row->state].paint
                                                   : WPA_PAINT_TEXT;
}

static const look check_looks[] = {
    [WPA_CHECK_NONE] = {"∙", "none", WPA_PAINT_CHECK_NONE},
    [WPA_CHECK_OK] = {"✓", "ok", WPA_PAINT_CHECK_OK},
    [WPA_CHECK_NEAR] = {"▴", "near", WPA_PAINT_CHECK_NEAR},
    [WPA_CHECK_OVER] = {"✗", "over", WPA_PAINT_CHECK_OVER},
};

const char *wpa_check_text(wpa_check_state state)
{
    return (size_t)state < WPA_COUNT(check_looks) ? check_looks[state].text : "?";
}

wpa_paint wpa_check_paint(wpa_check_state state)
{
    return (size_t)state < WPA_COUNT(check_looks) ? check_looks[state].paint : WPA_PAINT_TEXT;
}

wpa_paint wpa_notice_paint(wpa_notice_level level)
{
    static const wpa_paint paints[WPA_NOTICE_LEVEL_COUNT] = {
        [WPA_NOTICE_OK] = WPA_PAINT_NOTICE_OK,
        [WPA_NOTICE_NOTE] = WPA_PAINT_NOTICE_NOTE,
        [WPA_NOTICE_ERROR] = WPA_PAINT_NOTICE_ERROR,
        [WPA_NOTICE_ALARM] = WPA_PAINT_BANNER_ALARM,
    };
    return level < WPA_NOTICE_LEVEL_COUNT ? paints[level] : WPA_PAINT_TEXT;
}

char *wpa_attempt_text(const wpa_job_row *row, char *text, size_t size_bytes)
{
    bool has_ended = row->state != WPA_JOB_QUEUED && row->state != WPA_JOB_RUNNING;
    (void)wpa_text_format(text, size_bytes, has_ended ? "%d" : "%d of %d", row->attempt,
                          row->max_attempts);
    return text;
}

const char *wpa_ui_finding_text(wpa_finding_state state)
{
    static const char *const texts[WPA_FINDING_STATE_COUNT] = {
        [WPA_FINDING_OPEN] = "open",           [WPA_FINDING_IGNORED] = "ignored",
        [WPA_FINDING_BASELINE] = "baseline",   [WPA_FINDING_IN_PATCH] = "in patch",
        [WPA_FINDING_VERIFYING] = "verifying", [WPA_FINDING_FIXED] = "fixed",
    };
    return state < WPA_FINDING_STATE_COUNT ? texts[state] : "?";
}
