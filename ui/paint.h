/*
 * The roles in which the console paints. Screens name a role and never a colour; a theme gives
 * each role its colours and attributes. The second name is the one that theme files use.
 */
#pragma once

/* clang-format off */
#define WPA_PAINTS(X) \
    X(TEXT, "text") X(MUTED, "muted") X(TITLE, "title") X(RULE, "rule") X(FOCUS, "focus") \
    X(SELECTED, "selected") X(SELECTED_UNFOCUSED, "selected.unfocused") X(MARK, "mark") \
    X(KEY, "key") X(HINT, "hint") X(LINK, "link") \
    X(SEV_CRIT, "sev.crit") X(SEV_HIGH, "sev.high") X(SEV_MED, "sev.med") X(SEV_LOW, "sev.low") \
    X(SEV_INFO, "sev.info") \
    X(STATE_PENDING, "state.pending") X(STATE_TESTING, "state.testing") \
    X(STATE_TESTED, "state.tested") X(STATE_APPROVED, "state.approved") \
    X(STATE_DEPLOYED, "state.deployed") X(STATE_FAILED, "state.failed") \
    X(STATE_ROLLED_BACK, "state.rolled_back") \
    X(CHECK_OK, "check.ok") X(CHECK_NEAR, "check.near") X(CHECK_OVER, "check.over") \
    X(CHECK_NONE, "check.none") \
    X(SCORE_GOOD, "score.good") X(SCORE_FAIR, "score.fair") X(SCORE_POOR, "score.poor") \
    X(DIFF_ADD, "diff.add") X(DIFF_DEL, "diff.del") X(DIFF_WORD, "diff.word") \
    X(DIFF_CONTEXT, "diff.context") \
    X(SOURCE_LINE, "source.line") X(SOURCE_NUMBER, "source.number") \
    X(SOURCE_UNDERLINE, "source.underline") \
    X(METER_FILL, "meter.fill") X(METER_REST, "meter.rest") X(METER_LIMIT, "meter.limit") \
    X(CHART_1, "chart.1") X(CHART_2, "chart.2") X(CHART_3, "chart.3") X(CHART_4, "chart.4") \
    X(NOTICE_OK, "notice.ok") X(NOTICE_NOTE, "notice.note") X(NOTICE_ERROR, "notice.error") \
    X(BANNER_ALARM, "banner.alarm") X(BANNER_LOST, "banner.lost") \
    X(BANNER_ROLLBACK, "banner.rollback") X(BANNER_FROZEN, "banner.frozen") \
    X(PROMPT, "prompt") X(PROMPT_ERROR, "prompt.error") X(WARN, "warn")
/* clang-format on */

#define WPA_PAINT_X(name, text) WPA_PAINT_##name,
typedef enum wpa_paint {
    WPA_PAINTS(WPA_PAINT_X) WPA_PAINT_COUNT
} wpa_paint;
#undef WPA_PAINT_X
