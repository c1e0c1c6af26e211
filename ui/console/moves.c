/*
 * Lists that move under the reader. Rows that come in above the screen are counted, rows that would
 * change places wait until the cursor has been still, and what is other after the database was lost
 * is told. A row is known by the id that it begins with.
 */
#include <string.h>

#include "console/ui.h"

#define STILL_US ((int64_t)2 * 1000000)
#define BACK_US ((int64_t)5 * 1000000)

/* Rows of one message, of one size. */
typedef struct table {
    const char *rows;
    size_t n, bytes;
} table;

static table table_of(const wpa_list_view *view)
{
    return (table){view->rows, view->n_rows, wpa_loaded_row_bytes(view->list)};
}

static int64_t id_at(const table *t, size_t i)
{
    int64_t id = 0;
    memcpy(&id, t->rows + i * t->bytes, sizeof id);
    return id;
}

/* Place of the row with this id; t->n: none. */
static size_t find(const table *t, int64_t id)
{
    size_t i = 0;
    while (i < t->n && id_at(t, i) != id) {
        i++;
    }
    return i;
}

const void *wpa_moves_row(const wpa_list_view *view, int64_t id)
{
    const table t = table_of(view);
    size_t i = find(&t, id);
    return i < t.n ? t.rows + i * t.bytes : NULL;
}

static void forget(wpa_row_ids *ids, int64_t id)
{
    size_t kept = 0;
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->ids[i] != id) {
            ids->ids[kept++] = ids->ids[i];
        }
    }
    ids->n = kept;
}

bool wpa_moves_has(const wpa_row_ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->ids[i] == id) {
            return true;
        }
    }
    return false;
}

void wpa_moves_add(wpa_row_ids *ids, int64_t id)
{
    if (ids->n < WPA_COUNT(ids->ids) && !wpa_moves_has(ids, id)) {
        ids->ids[ids->n++] = id;
    }
}

/* ---- what is new ----------------------------------------------------------------------------- */

/* Rows between or above those that were there: what comes in at the edges of a window that has
   moved on is not new. */
static void note_new(wpa_rows *rows, const table *old, const table *now, bool is_start)
{
    size_t first = now->n, last = 0;
    for (size_t i = 0; i < now->n; i++) {
        if (find(old, id_at(now, i)) < old->n) {
            first = first < i ? first : i;
            last = i;
        }
    }
    for (size_t i = is_start ? 0 : first; first < now->n && i < last; i++) {
        if (find(old, id_at(now, i)) == old->n) {
            wpa_moves_add(&rows->fresh, id_at(now, i));
        }
    }
}

int wpa_moves_new_above(const wpa_rows *rows, int top)
{
    const table t = table_of(rows->view);
    int n = 0;
    for (size_t i = 0; i < t.n && (int)i < top && rows->fresh.n; i++) {
        n += wpa_moves_has(&rows->fresh, id_at(&t, i));
    }
    return n;
}

void wpa_moves_seen(wpa_rows *rows, const wpa_cursor *cursor)
{
    const table t = table_of(rows->view);
    for (int i = 0; i < cursor->n_shown && rows->fresh.n; i++) {
        size_t at = (size_t)cursor->top + (size_t)i;
        if (at < t.n) {
            forget(&rows->fresh, id_at(&t, at));
        }
    }
    if (rows->changed.n && cursor->index >= 0 && (size_t)cursor->index < t.n) {
        forget(&rows->changed, id_at(&t, (size_t)cursor->index));
    }
}

/* ---- what changes places --------------------------------------------------------------------- */

static bool is_reordered(const table *old, const table *now)
{
    size_t last = 0;
    for (size_t i = 0; i < now->n; i++) {
        size_t at = find(old, id_at(now, i));
        if (at < old->n && at < last) {
            return true;
        }
        last = at < old->n ? at : last;
    }
    return false;
}

/* The rows as they are now, in the order in which they were; what is new stands where it came. */
static const wpa_list_view *in_old_order(wpa_msg *msg, const table *old, const table *now)
{
    wpa_list_view *view = wpa_arena_dup(msg->arena, msg->body, sizeof *view);
    char *rows = wpa_arena_array(msg->arena, now->n, now->bytes);
    size_t next = 0;
    for (size_t i = 0; i < now->n; i++) {
        size_t from = i;
        if (find(old, id_at(now, i)) < old->n) {
            do {
                from = find(now, id_at(old, next++));
            } while (from == now->n);
        }
        memcpy(rows + i * now->bytes, now->rows + from * now->bytes, now->bytes);
    }
    view->rows = rows;
    return view;
}

static bool is_still(const wpa_ui *ui)
{
    return ui->local_us - ui->last_key_us >= STILL_US;
}

void wpa_moves_take(wpa_ui *ui, wpa_rows *rows, wpa_msg *msg)
{
    const wpa_list_view *view = msg->body, *before = rows->view;
    bool is_same = before && before->request_id == view->request_id && !rows->local;
    rows->is_order_held = false;
    if (!is_same) {
        rows->fresh.n = rows->changed.n = 0;
        rows->was_lost = false;
        wpa_msg_free(rows->msg);
        rows->msg = msg;
        wpa_loaded_forget(rows);
        return;
    }
    const table old = table_of(before), now = table_of(view);
    note_new(rows, &old, &now, !view->has_before);
    wpa_msg_free(rows->before_msg);
    rows->before_msg = rows->msg;
    rows->before = before;
    rows->msg = msg;
    rows->view = view;
    if (!rows->is_asking && !is_still(ui) && is_reordered(&old, &now)) {
        rows->is_order_held = true;
        rows->view = in_old_order(msg, &old, &now);
    }
}

void wpa_moves_taken(wpa_ui *ui)
{
    for (int i = 0; i < WPA_LIST_COUNT; i++) {
        wpa_rows *rows = &ui->lists[i];
        rows->was_lost = rows->was_lost && !rows->before;
        wpa_msg_free(rows->before_msg);
        rows->before_msg = NULL;
        rows->before = NULL;
    }
}

bool wpa_moves_settle(wpa_rows *rows)
{
    bool was_held = rows->is_order_held;
    if (was_held) {
        wpa_loaded_forget(rows);
    }
    return was_held;
}

bool wpa_moves_settle_still(wpa_ui *ui)
{
    bool has_settled = false;
    for (int i = 0; i < WPA_LIST_COUNT && is_still(ui); i++) {
        has_settled |= wpa_moves_settle(&ui->lists[i]);
    }
    return has_settled;
}

/* ---- the database was lost, and is back ------------------------------------------------------ */

void wpa_moves_back(wpa_ui *ui, int64_t lost_at_us)
{
    ui->back.lost_at_us = lost_at_us;
    ui->back.until_us = 0;
    for (int i = 0; i < WPA_LIST_COUNT; i++) {
        ui->lists[i].was_lost = ui->lists[i].request_id != 0;
    }
}

void wpa_moves_count(wpa_ui *ui)
{
    const wpa_dashboard_view *dash = ui->dash;
    if (!ui->back.lost_at_us || !wpa_ui_is_live(ui)) {
        return;
    }
    size_t n = 0;
    while (n < dash->n_activity && dash->activity[n].at_us > ui->back.lost_at_us) {
        n++;
    }
    ui->back.n = (int)n;
    ui->back.is_at_least = n && n == dash->n_activity;
    ui->back.away_us = wpa_ui_clock(ui) - ui->back.lost_at_us;
    ui->back.until_us = ui->local_us + BACK_US;
    ui->back.lost_at_us = 0;
}

int wpa_moves_draw_back(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    if (!ui->back.until_us || wpa_ui_is_lost(ui)) {
        return row;
    }
    char away[WPA_SHORT];
    int list = wpa_ui_page(ui)->view->list;
    bool is_marked = list >= 0 && ui->lists[list].changed.n;
    int col = wpa_put(canvas, row, 1, WPA_PAINT_TITLE, "BACK");
    (void)wpa_took_text(ui->back.away_us / 1000, away, sizeof away);
    if (ui->back.n) {
        col = wpa_putf(canvas, row, col, WPA_PAINT_TEXT, ", %s%d change%s while away",
                       ui->back.is_at_least ? ">=" : "", ui->back.n, ui->back.n == 1 ? "" : "s");
    } else {
        col = wpa_put(canvas, row, col, WPA_PAINT_TEXT, ", nothing happened while away");
    }
    (void)wpa_put_fitf(canvas, row, col, canvas->cols - col - 1, WPA_PAINT_MUTED, " (%s)%s", away,
                       is_marked ? "   + marks rows that are other" : "");
    return row + 1;
}
