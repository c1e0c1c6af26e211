#include <string.h>

#include "panes/panes.h"
#include "views/views.h"

#define TWO_COLUMNS 110
#define THREE_COLUMNS 180
#define PANES WPA_DASH_PANES

/*
 * Panes that can be focused, in the order of Tab and of wpa_pane_names; what is not on the screen
 * is passed over.
 */
static const wpa_pane *const order[PANES] = {
    &wpa_pane_workflows, &wpa_pane_live,     &wpa_pane_needs_you, &wpa_pane_findings,
    &wpa_pane_queue,     &wpa_pane_activity, &wpa_pane_jobs,      &wpa_pane_engine,
};

typedef struct dash {
    wpa_cursor cursors[PANES];
    int focus;
    bool is_shown[PANES];
    bool is_zoomed;
} dash;

static int index_of(const wpa_pane *pane)
{
    for (int i = 0; i < PANES; i++) {
        if (wpa_text_is(order[i]->id, pane->id)) {
            return i;
        }
    }
    return 0;
}

static void place(wpa_ui *ui, dash *state, const wpa_pane *pane, const wpa_canvas *canvas, int row,
                  int col, int rows, int cols)
{
    int i = index_of(pane);
    if (rows <= 1 || cols <= 2) {
        return;
    }
    wpa_canvas part = wpa_canvas_part(canvas, row, col, rows, cols);
    state->is_shown[i] = true;
    wpa_zone_add(&part, 0, 0, rows, cols, WPA_ZONE_PANE, i);
    wpa_pane_draw(ui, pane, &part, &state->cursors[i], state->focus == i);
}

/* The focus is always on a pane that is shown: keys act on what is seen. */
static void keep_focus(dash *state, const wpa_pane *const shown[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (state->focus == index_of(shown[i])) {
            return;
        }
    }
    state->focus = index_of(shown[0]);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

static void draw_one_column(wpa_ui *ui, dash *state, const wpa_canvas *canvas)
{
    int rows = canvas->rows, row = 0, cols = canvas->cols;
    bool is_tiny = canvas->grid->rows < 24 || canvas->grid->cols < 80;
    int live = most(2, least(wpa_pane_rows(ui, &wpa_pane_live), 4 + (rows - 20) / 3));
    int needs = most(2, least(wpa_pane_rows(ui, &wpa_pane_needs_you), 4 + (rows - 20) / 3));
    static const wpa_pane *const few[] = {&wpa_pane_live, &wpa_pane_needs_you};
    static const wpa_pane *const five[] = {&wpa_pane_workflows, &wpa_pane_live, &wpa_pane_findings,
                                           &wpa_pane_queue, &wpa_pane_needs_you};
    keep_focus(state, is_tiny ? few : five, is_tiny ? WPA_COUNT(few) : WPA_COUNT(five));
    if (is_tiny) {
        live = least(live, rows / 2);
        place(ui, state, &wpa_pane_live, canvas, 0, 0, live, cols);
        place(ui, state, &wpa_pane_needs_you, canvas, live, 0, rows - live, cols);
        return;
    }
    wpa_health_draw(ui, canvas, row++);
    int workflows = rows - 1 - live - needs - 4;
    if (workflows < 4) { /* a strip has taken rows: the others give way first */
        live = 2;
        needs = 3;
        workflows = rows - 1 - live - needs - 4;
    }
    place(ui, state, &wpa_pane_workflows, canvas, row, 0, workflows, cols);
    row += workflows;
    place(ui, state, &wpa_pane_live, canvas, row, 0, live, cols);
    row += live;
    place(ui, state, &wpa_pane_findings, canvas, row, 0, 2, cols);
    place(ui, state, &wpa_pane_queue, canvas, row + 2, 0, 2, cols);
    place(ui, state, &wpa_pane_needs_you, canvas, row + 4, 0, needs, cols);
}

static void draw_line_between(const wpa_canvas *canvas, int row, int col, int rows)
{
    for (int i = 0; i < rows; i++) {
        wpa_fill(canvas, row + i, col, 1, WPA_PAINT_RULE, 0x2502);
    }
}

/* Live, findings by severity, activity: the full-width lower part. Returns its rows. */
static int lower_rows(wpa_ui *ui, int rows)
{
    int live = most(5, least(wpa_pane_rows(ui, &wpa_pane_live_wide), rows / 4));
    return live + 2 + WPA_DIMENSION_COUNT + (rows >= 50 ? 9 : 6);
}

static void draw_lower(wpa_ui *ui, dash *state, const wpa_canvas *canvas, int row)
{
    int rows = canvas->rows, cols = canvas->cols;
    int live = most(5, least(wpa_pane_rows(ui, &wpa_pane_live_wide), rows / 4));
    place(ui, state, &wpa_pane_live_wide, canvas, row, 0, live, cols);
    row += live;
    place(ui, state, &wpa_pane_findings, canvas, row, 0, 2 + WPA_DIMENSION_COUNT, cols);
    row += 2 + WPA_DIMENSION_COUNT;
    place(ui, state, &wpa_pane_activity, canvas, row, 0, rows - row, cols);
}

static void draw_two_columns(wpa_ui *ui, dash *state, const wpa_canvas *canvas)
{
    int cols = canvas->cols, left = cols * 61 / 100;
    int top = canvas->rows - 1 - lower_rows(ui, canvas->rows);
    if (top < 13) {
        draw_one_column(ui, state, canvas);
        return;
    }
    keep_focus(state, order, PANES - 2); /* jobs and engine are not shown */
    wpa_health_draw(ui, canvas, 0);
    int queue = 1 + WPA_PATCH_STATE_COUNT;
    place(ui, state, &wpa_pane_workflows, canvas, 1, 0, top, left);
    place(ui, state, &wpa_pane_needs_you, canvas, 1, left + 1, top - queue, cols - left - 1);
    place(ui, state, &wpa_pane_queue, canvas, 1 + top - queue, left + 1, queue, cols - left - 1);
    draw_line_between(canvas, 1, left, top);
    draw_lower(ui, state, canvas, 1 + top);
}

/* ---- panes that the guardian has chosen ---- */

static const wpa_pane *chosen(const wpa_ui *ui, int i, int cols)
{
    const wpa_pane *pane = order[ui->layout.panes[i]];
    return pane == &wpa_pane_live && cols >= 100 ? &wpa_pane_live_wide : pane;
}

/* Rule, column titles and a row. */
static int least_rows(const wpa_pane *pane)
{
    return 2 + pane->head_rows;
}

static int wanted_rows(wpa_ui *ui, const wpa_pane *pane)
{
    return pane == &wpa_pane_findings ? 2 + WPA_DIMENSION_COUNT
           : pane == &wpa_pane_queue  ? 1 + WPA_PATCH_STATE_COUNT
           : pane == &wpa_pane_engine ? 5
                                      : wpa_pane_rows(ui, pane);
}

/*
 * Rows of each of the panes from first to end in a column: the least for as many as fit, then row
 * by row what they want, and what is left over to the last.
 */
static void share_rows(wpa_ui *ui, int first, int end, int cols, int rows, int heights[PANES])
{
    for (int i = first; i < end; i++) {
        int least_of = least_rows(chosen(ui, i, cols));
        heights[i] = rows >= least_of ? least_of : 0;
        rows -= heights[i];
    }
    for (bool is_given = true; is_given && rows > 0;) {
        is_given = false;
        for (int i = first; i < end && rows > 0; i++) {
            if (heights[i] && heights[i] < wanted_rows(ui, chosen(ui, i, cols))) {
                heights[i]++;
                rows--;
                is_given = true;
            }
        }
    }
    for (int i = end; i-- > first && rows > 0;) {
        heights[i] += heights[i] ? rows : 0;
        rows = heights[i] ? 0 : rows;
    }
}

/* In their order, down the first column and then the next; how many by the width. */
static void draw_chosen(wpa_ui *ui, dash *state, const wpa_canvas *canvas)
{
    int n = ui->layout.n, heights[PANES] = {0};
    bool is_tiny = canvas->grid->rows < 24 || canvas->grid->cols < 80;
    int columns = canvas->cols >= THREE_COLUMNS ? 3 : canvas->cols >= TWO_COLUMNS ? 2 : 1;
    int top = is_tiny ? 0 : 1, rows = canvas->rows - top;
    const wpa_pane *shown[PANES];
    columns = least(columns, n);
    for (int i = 0; i < n; i++) {
        shown[i] = order[ui->layout.panes[i]];
    }
    keep_focus(state, shown, (size_t)n);
    if (!is_tiny) {
        wpa_health_draw(ui, canvas, 0);
    }
    for (int c = 0; c < columns; c++) {
        int first = c * n / columns, end = (c + 1) * n / columns, row = top;
        int left = c * canvas->cols / columns, right = (c + 1) * canvas->cols / columns;
        int cols = right - left - (c + 1 < columns);
        share_rows(ui, first, end, cols, rows, heights);
        for (int i = first; i < end; i++) {
            place(ui, state, chosen(ui, i, cols), canvas, row, left, heights[i], cols);
            row += heights[i];
        }
        if (c + 1 < columns) {
            draw_line_between(canvas, top, right - 1, rows);
        }
    }
}

/* ---- */

static void draw_selected(wpa_ui *ui, dash *state, const wpa_canvas *canvas)
{
    wpa_object object = state->cursors[0].selected;
    const wpa_detail_view *detail = wpa_ui_detail(ui, object);
    const wpa_workflow_row *row =
        object.kind == WPA_OBJECT_WORKFLOW ? wpa_ui_workflow(ui, object.id) : NULL;
    if (!row) {
        wpa_rule(canvas, 0, "Selected", NULL, false);
        return;
    }
    char title[256], text[WPA_SHORT], right[WPA_SHORT];
    (void)wpa_text_format(title, sizeof title, "Selected: %s", row->name);
    (void)wpa_text_format(right, sizeof right, "score %s",
                          wpa_score_text(row->scores.overall, text, sizeof text));
    wpa_rule(canvas, 0, title, right, false);
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        double score = row->scores.dimension[i];
        (void)wpa_put(canvas, 1 + i, 2, WPA_PAINT_TEXT, wpa_dimension_text((wpa_dimension)i));
        (void)wpa_put_right(canvas, 1 + i, 18, wpa_score_paint(score),
                            wpa_score_text(score, text, sizeof text));
        wpa_meter(canvas, 1 + i, 19, canvas->cols - 22, score / 100, -1, wpa_score_paint(score));
    }
    if (!detail || detail->missing) {
        return;
    }
    int at = 3 + WPA_DIMENSION_COUNT;
    (void)wpa_put(canvas, at++, 2, WPA_PAINT_TITLE, "Top findings");
    for (size_t i = 0; i < detail->workflow->n_findings && at < canvas->rows - 6; i++, at++) {
        const wpa_finding_row *finding = &detail->workflow->findings[i];
        (void)wpa_put(canvas, at, 2, wpa_severity_paint(finding->severity, finding->kind),
                      wpa_severity_short(finding->severity, finding->kind));
        (void)wpa_put_fitf(canvas, at, 7, canvas->cols - 18, WPA_PAINT_TEXT, "%s %s", finding->code,
                           finding->message);
        (void)wpa_text_format(text, sizeof text, "line %d", finding->line);
        (void)wpa_put_right(canvas, at, canvas->cols - 1, WPA_PAINT_MUTED, text);
    }
    at++;
    (void)wpa_putf(canvas, at, 2, WPA_PAINT_MUTED, "Uses %zu things, used by %zu (6 shows them)",
                   detail->workflow->n_uses, detail->workflow->n_used_by);
}

static void draw_three_columns(wpa_ui *ui, dash *state, const wpa_canvas *canvas)
{
    int cols = canvas->cols, left = cols * 48 / 100, middle = cols * 30 / 100;
    int top = canvas->rows - 1 - lower_rows(ui, canvas->rows);
    if (top < 26) {
        draw_two_columns(ui, state, canvas);
        return;
    }
    int right = left + middle + 2, width = cols - right, queue = 1 + WPA_PATCH_STATE_COUNT;
    wpa_health_draw(ui, canvas, 0);
    place(ui, state, &wpa_pane_workflows, canvas, 1, 0, top, left);
    wpa_canvas selected = wpa_canvas_part(canvas, 1, left + 1, top, middle);
    draw_selected(ui, state, &selected);
    int engine = 5, jobs = 6, needs = top - queue - engine - jobs;
    place(ui, state, &wpa_pane_needs_you, canvas, 1, right, needs, width);
    place(ui, state, &wpa_pane_queue, canvas, 1 + needs, right, queue, width);
    place(ui, state, &wpa_pane_jobs, canvas, 1 + needs + queue, right, jobs, width);
    place(ui, state, &wpa_pane_engine, canvas, 1 + needs + queue + jobs, right, engine, width);
    draw_line_between(canvas, 1, left, top);
    draw_line_between(canvas, 1, right - 1, top);
    draw_lower(ui, state, canvas, 1 + top);
}

/* A fleet without workflows: what to do first. */
static void draw_empty(const wpa_canvas *canvas)
{
    static const char *const lines[] = {
        "                  No workflows are being watched yet.",
        "",
        "1  Add a repository      wpa fleet add PATH-or-URL",
        "2  or many               wpa fleet import fleet.yml",
        "3  then analyse          :analyse all",
        "",
        "wpa reads .github/workflows in each repository.  Nothing is changed in any",
        "repository until a patch has been tested, approved and deployed by you.",
        "",
        "   Learn in 5 minutes    :tour",
    };
    int left = canvas->cols / 2 - 38 < 1 ? 1 : canvas->cols / 2 - 38;
    for (int i = 0; i < (int)WPA_COUNT(lines); i++) {
        (void)wpa_put(canvas, 3 + i, left + 4, WPA_PAINT_TEXT, lines[i]);
    }
}

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    dash *state = page->state;
    memset(state->is_shown, 0, sizeof state->is_shown);
    if (ui->dash && ui->dash->n_workflows == 0) {
        draw_empty(canvas);
    } else if (state->is_zoomed) {
        place(ui, state, order[state->focus], canvas, 0, 0, canvas->rows, canvas->cols);
    } else if (ui->layout.n) {
        draw_chosen(ui, state, canvas);
    } else if (canvas->cols >= THREE_COLUMNS) {
        draw_three_columns(ui, state, canvas);
    } else if (canvas->cols >= TWO_COLUMNS) {
        draw_two_columns(ui, state, canvas);
    } else {
        draw_one_column(ui, state, canvas);
    }
}

static bool has_rows(const wpa_pane *pane)
{
    return pane->count != NULL;
}

static void changed(wpa_ui *ui, wpa_page *page)
{
    dash *state = page->state;
    for (int i = 0; i < PANES && ui->dash; i++) {
        if (!has_rows(order[i])) {
            continue;
        }
        wpa_cursor_follow(&state->cursors[i], ui, order[i]->count(ui), order[i]->at);
        if (state->cursors[i].is_lost && i == state->focus) {
            ui->hold_keys_until_us = ui->local_us + (int64_t)750 * 1000;
        }
        state->cursors[i].is_lost = false;
    }
}

static void open(wpa_ui *ui, wpa_page *page)
{
    changed(ui, page);
}

static void next_pane(dash *state, int by)
{
    for (int i = 0; i < PANES; i++) {
        state->focus = (state->focus + by + PANES) % PANES;
        if (state->is_shown[state->focus] && order[state->focus]->hints) {
            return;
        }
    }
}

static void move_in(wpa_ui *ui, dash *state, int i, int by)
{
    const wpa_pane *pane = order[i];
    if (has_rows(pane) && ui->dash) {
        wpa_cursor_move(&state->cursors[i], ui, pane->count(ui), pane->at, by);
    }
}

static void move(wpa_ui *ui, dash *state, int by)
{
    move_in(ui, state, state->focus, by);
}

/* A click: the pane has the keys now, and its row is selected. */
static void pick(wpa_ui *ui, wpa_page *page, int pane, int index)
{
    dash *state = page->state;
    if (pane >= 0 && pane < PANES && order[pane]->hints) {
        state->focus = pane;
        if (index >= 0) {
            move(ui, state, index - state->cursors[pane].index);
        }
    }
}

static void roll(wpa_ui *ui, wpa_page *page, int pane, int by)
{
    if (pane >= 0 && pane < PANES) {
        move_in(ui, page->state, pane, by);
    }
}

/* Enter on a pane without rows goes to its view. */
static bool open_pane(wpa_ui *ui, const dash *state)
{
    const wpa_pane *pane = order[state->focus];
    if (pane == &wpa_pane_findings) {
        wpa_ui_show_tab(ui, 3);
    } else if (pane == &wpa_pane_queue) {
        wpa_ui_show_tab(ui, 4);
    } else {
        return false;
    }
    return true;
}

/* The dashboard has no filter of its own: that of its pane's view. */
static void filter_pane(wpa_ui *ui, const dash *state)
{
    static const struct {
        const wpa_pane *pane;
        int tab;
    } tabs[] = {
        {&wpa_pane_live, 5},
        {&wpa_pane_findings, 3},
        {&wpa_pane_queue, 4},
        {&wpa_pane_activity, 8},
    };
    int tab = 2;
    for (size_t i = 0; i < WPA_COUNT(tabs); i++) {
        tab = order[state->focus] == tabs[i].pane ? tabs[i].tab : tab;
    }
    wpa_ui_show_tab(ui, tab);
    while (wpa_ui_pop(ui)) { /* what is open above the list has a search, and no filter */
    }
    wpa_filter_open(ui);
}

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    dash *state = page->state;
    switch ((int)verb) {
    case WPA_VERB_DOWN:
    case WPA_VERB_UP:
        move(ui, state, verb == WPA_VERB_DOWN ? 1 : -1);
        return true;
    case WPA_VERB_PAGE_DOWN:
    case WPA_VERB_HALF_DOWN:
        move(ui, state, 10);
        return true;
    case WPA_VERB_PAGE_UP:
    case WPA_VERB_HALF_UP:
        move(ui, state, -10);
        return true;
    case WPA_VERB_FIRST:
    case WPA_VERB_LAST:
        move(ui, state, verb == WPA_VERB_LAST ? 100000 : -100000);
        return true;
    case WPA_VERB_NEXT_PANE:
        next_pane(state, 1);
        return true;
    case WPA_VERB_PREVIOUS_PANE:
        next_pane(state, -1);
        return true;
    case WPA_VERB_ZOOM:
        state->is_zoomed = !state->is_zoomed;
        return true;
    case WPA_VERB_BACK:
        if (!state->is_zoomed) {
            return false;
        }
        state->is_zoomed = false;
        return true;
    case WPA_VERB_OPEN:
        return open_pane(ui, state);
    case WPA_VERB_FILTER:
        filter_pane(ui, state);
        return true;
    default:
        return false;
    }
}

static wpa_object selected(wpa_ui *ui, wpa_page *page)
{
    dash *state = page->state;
    (void)ui;
    return has_rows(order[state->focus]) ? state->cursors[state->focus].selected
                                         : (wpa_object){WPA_OBJECT_NONE, 0};
}

static wpa_object watched(wpa_ui *ui, wpa_page *page)
{
    dash *state = page->state;
    return ui->grid->cols >= THREE_COLUMNS && !ui->layout.n ? state->cursors[0].selected
                                                            : (wpa_object){WPA_OBJECT_NONE, 0};
}

static const wpa_verb *hints_for(wpa_ui *ui, wpa_page *page)
{
    (void)ui;
    return order[((dash *)page->state)->focus]->hints;
}

const wpa_view wpa_view_dash = {
    .id = "dash",
    .tab = 1,
    .topic = "the dashboard",
    .state_bytes = sizeof(dash),
    .contexts = WPA_IN_PANES,
    .list = -1,
    .hints_for = hints_for,
    .open = open,
    .draw = draw,
    .verb = verb,
    .selected = selected,
    .watched = watched,
    .changed = changed,
    .pick = pick,
    .roll = roll,
};
