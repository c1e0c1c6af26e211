#include <wpa/clock.h>

#include "views/list_view.h"

#define RULE_COLS 6 /* of a rule around its words */

static const wpa_verb hints[] = {WPA_VERB_OPEN,     WPA_VERB_FILTER,  WPA_VERB_COPY,
                                 WPA_VERB_COPY_ROW, WPA_VERB_COMMAND, WPA_VERB_HELP,
                                 WPA_VERB_NONE};

static void right(wpa_ui *ui, const wpa_list_view *view, char *text, size_t size_bytes)
{
    char time[WPA_SHORT];
    if (view->chain_fault) {
        (void)wpa_text_copy(text, size_bytes, "CHAIN BROKEN, see :verify chain");
    } else if (view->chain_verified_to_us) {
        (void)wpa_text_format(
            text, size_bytes, "chain verified to %s",
            wpa_time_text(view->chain_verified_to_us, wpa_ui_now(ui), time, sizeof time));
    } else {
        (void)wpa_text_copy(text, size_bytes, "newest first   not verified: :verify chain");
    }
}

static void short_hash(const char *hash, char *text, size_t size_bytes)
{
    size_t n = hash ? wpa_slice_of(hash).length : 0;
    (void)wpa_text_format(text, size_bytes, n > 8 ? "%.4s..%s" : "%s%s", hash ? hash : "-",
                          n > 8 ? hash + n - 2 : "");
}

static void strip(wpa_ui *ui, const wpa_canvas *canvas, const void *data,
                  const wpa_detail_view *detail)
{
    const wpa_audit_row *row = data;
    char title[WPA_SHORT], rule[256], hash[WPA_SHORT], prev[WPA_SHORT];
    char seq[WPA_SHORT];
    const char *state = !detail || detail->missing ? ""
                        : detail->audit->is_sound  ? "  ok"
                                                   : "  DOES NOT AGREE";
    (void)ui;
    short_hash(row->hash, hash, sizeof hash);
    short_hash(row->prev, prev, sizeof prev);
    (void)wpa_text_format(title, sizeof title, "Entry %s",
                          wpa_count_text(row->seq, seq, sizeof seq));
    (void)wpa_text_format(rule, sizeof rule, "hash %s  previous %s%s", hash, prev, state);
    bool has_room = wpa_text_cells(title) + wpa_text_cells(rule) + RULE_COLS <= canvas->cols;
    if (!has_room) {
        (void)wpa_text_format(rule, sizeof rule, "hash %s%s", hash, state);
    }
    wpa_rule(canvas, 0, title, rule, false);
    char stamp[WPA_TIMESTAMP_SIZE], text[512];
    (void)wpa_text_format(text, sizeof text, "%s  %s  %s on %s",
                          wpa_timestamp_format(row->at_us, stamp), row->who, row->action,
                          row->subject);
    int at = wpa_put_wrapped(canvas, 1, 2, canvas->cols - 3, WPA_PAINT_TEXT, text);
    at = wpa_put_wrapped(canvas, at, 2, canvas->cols - 4, WPA_PAINT_MUTED, row->detail);
    if (!has_room) {
        (void)wpa_putf(canvas, at, 2, WPA_PAINT_MUTED, "previous hash %s", prev);
    }
}

static const wpa_list_kind kind = {
    .title = "Audit log",
    .table = &wpa_audit_table,
    .strip_rows = 6,
    .strip = strip,
    .empty = "The audit log is empty.",
    .right = right,
};

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    const wpa_audit_row *row = wpa_list_row(ui, page);
    if (verb == WPA_VERB_OPEN) {
        if (row && row->object.kind != WPA_OBJECT_NONE) {
            wpa_ui_open(ui, row->object);
        }
        return true;
    }
    return wpa_list_verb(ui, page, verb);
}

const wpa_view wpa_view_audit = {
    .id = "audit",
    .tab = 8,
    .topic = "the audit log",
    .contexts = WPA_IN_LIST,
    .list = WPA_LIST_AUDIT,
    .hints = hints,
    .data = &kind,
    .state_bytes = sizeof(wpa_list_state),
    .open = wpa_list_open,
    .draw = wpa_list_draw,
    .verb = verb,
    .selected = wpa_list_selected,
    .changed = wpa_list_changed,
    .cursor = wpa_list_cursor,
    .row_text = wpa_list_row_text,
};
