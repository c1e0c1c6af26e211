/* The map as a diagram: three columns and the lines between them. */
#include <string.h>
#include <strings.h>

#include "views/map.h"

#define LEAST_COLS 64
#define LEAST_ROWS 12
#define TOP 2        /* title rule and headings */
#define STRIP_ROWS 3 /* the selected edge */
#define SCORE_COLS 4
#define COMMIT_CHARS 40
#define SHORT_COMMIT 7

/* Columns of the canvas: the left text from 2 to left, the middle's text, the right one's. */
typedef struct layout {
    int left, middle, middle_end, right, right_end;
    int top, rows, centre; /* of the lists; the row of the middle's name */
} layout;

bool wpa_map_fits(const wpa_canvas *canvas)
{
    return canvas->cols >= LEAST_COLS && canvas->rows >= LEAST_ROWS;
}

static layout lay_out(const wpa_canvas *canvas, const wpa_workflow_detail *it)
{
    int middle = canvas->cols / 4, side = (canvas->cols - middle - 12) / 2;
    layout l = {.left = 2 + side, .top = TOP + 1, .rows = canvas->rows - TOP - 1 - STRIP_ROWS - 1};
    l.middle = l.left + 4;
    l.middle_end = l.middle + middle;
    l.right = l.middle_end + 4;
    l.right_end = canvas->cols - 1;
    bool is_tall = it->n_uses > 2 || it->n_used_by > 2;
    l.centre = l.top + (is_tall ? 1 : 0);
    return l;
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool is_commit(const char *text)
{
    return strlen(text) == COMMIT_CHARS && strspn(text, "0123456789abcdef") == COMMIT_CHARS;
}

/* What stands behind the @; NULL: nothing does. */
static const char *version_of(const char *ref)
{
    const char *at = strrchr(ref, '@');
    return at && at[1] ? at + 1 : NULL;
}

/* "actions/checkout v4", "actions/checkout 11bd719"; a workflow of the fleet by its own name. */
static void put_name(const wpa_use_row *row, char *text, size_t size_bytes)
{
    const char *version = row->object.kind == WPA_OBJECT_NONE ? version_of(row->name) : NULL;
    if (version) {
        (void)wpa_text_format(text, size_bytes, "%.*s %.*s", (int)(version - 1 - row->name),
                              row->name, is_commit(version) ? SHORT_COMMIT : (int)strlen(version),
                              version);
    } else {
        (void)wpa_text_copy(text, size_bytes, row->name);
    }
}

/* How a change of what is used comes to its user. */
static void put_reach(const wpa_use_row *row, const char *user, char *text, size_t size_bytes)
{
    const char *version = version_of(row->ref);
    if (wpa_text_starts(row->ref, "./")) {
        (void)wpa_text_format(text, size_bytes, "one repository: both change in one commit");
    } else if (version && (is_commit(version) || wpa_text_starts(version, "sha256:"))) {
        (void)wpa_text_format(text, size_bytes, "fixed: it changes when this line names another");
    } else {
        (void)wpa_text_format(text, size_bytes, "%s can move, and %s with it at once",
                              version ? version : "it", user);
    }
}

static int64_t count_repositories(const wpa_use_row *rows, size_t n)
{
    int64_t count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t length = strcspn(rows[i].name, "/") + 1;
        bool is_seen = false;
        for (size_t k = 0; k < i && !is_seen; k++) {
            is_seen = strncmp(rows[k].name, rows[i].name, length) == 0;
        }
        count += !is_seen;
    }
    return count;
}

/* Workflows, not lines: one may name it in several places. */
static int64_t count_workflows(const wpa_use_row *rows, size_t n)
{
    int64_t count = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_seen = false;
        for (size_t k = 0; k < i && !is_seen; k++) {
            is_seen = wpa_object_is(rows[k].object, rows[i].object);
        }
        count += !is_seen;
    }
    return count;
}

/* ---- lines ----------------------------------------------------------------------------------- */

enum {
    UP = 1,
    DOWN = 2,
    LEFT = 4,
    RIGHT = 8
};

static uint32_t corner(unsigned ways)
{
    static const uint32_t glyphs[16] = {
        [UP] = 0x2502,
        [DOWN] = 0x2502,
        [UP | DOWN] = 0x2502,
        [LEFT] = 0x2500,
        [RIGHT] = 0x2500,
        [LEFT | RIGHT] = 0x2500,
        [UP | LEFT] = 0x2518,
        [UP | RIGHT] = 0x2514,
        [DOWN | LEFT] = 0x2510,
        [DOWN | RIGHT] = 0x250C,
        [UP | DOWN | LEFT] = 0x2524,
        [UP | DOWN | RIGHT] = 0x251C,
        [DOWN | LEFT | RIGHT] = 0x252C,
        [UP | LEFT | RIGHT] = 0x2534,
        [UP | DOWN | LEFT | RIGHT] = 0x253C,
    };
    return glyphs[ways & 15];
}

/* The upright line of a side, from its first row to its last, with a branch to the middle. */
static void draw_trunk(const wpa_canvas *canvas, int col, int first, int last, int centre,
                       unsigned to_rows, unsigned to_centre)
{
    int from = first < centre ? first : centre, to = last > centre ? last : centre;
    for (int row = from; row <= to; row++) {
        unsigned ways = (row > from ? UP : 0) | (row < to ? DOWN : 0) |
                        (row >= first && row <= last ? to_rows : 0) |
                        (row == centre ? to_centre : 0);
        wpa_fill(canvas, row, col, 1, WPA_PAINT_RULE, corner(ways));
    }
}

/* ---- columns --------------------------------------------------------------------------------- */

static bool is_in_both(const wpa_workflow_detail *it, wpa_map_side side, const wpa_use_row *row)
{
    size_t n = 0;
    const wpa_use_row *others =
        wpa_map_rows(it, side == WPA_MAP_USES ? WPA_MAP_USED_BY : WPA_MAP_USES, &n);
    for (size_t i = 0; i < n && row->object.kind != WPA_OBJECT_NONE; i++) {
        if (wpa_object_is(others[i].object, row->object)) {
            return true;
        }
    }
    return false;
}

/* A row of a side in its part of the canvas; returns the column behind its name. */
static int draw_item(const wpa_canvas *part, const wpa_workflow_detail *it, wpa_map_side side,
                     const wpa_use_row *row, bool is_selected, const char *search)
{
    char name[512], score[WPA_SHORT];
    wpa_canvas line = *part;
    int end = line.cols;
    bool is_cycle = is_in_both(it, side, row);
    put_name(row, name, sizeof name);
    if (is_selected) {
        line.paint = WPA_PAINT_SELECTED;
        wpa_fill(&line, 0, 0, line.cols, WPA_PAINT_SELECTED, ' ');
        wpa_rest_cursor(&line, 0, 0);
    }
    if (row->score >= 0 && line.cols > 3 * SCORE_COLS) {
        (void)wpa_put_right(&line, 0, end, wpa_score_paint(row->score),
                            wpa_score_text(row->score, score, sizeof score));
        end -= SCORE_COLS;
    }
    end -= is_cycle ? 2 : 0;
    int col = wpa_put_fit(&line, 0, 0, end, WPA_PAINT_TEXT, name);
    if (*search && strcasestr(name, search)) {
        wpa_flag(&line, 0, 0, col, WPA_CELL_UNDERLINE);
    }
    if (is_cycle) {
        col = wpa_put(&line, 0, col + 1, WPA_PAINT_CHECK_NEAR, "↻");
    }
    return row->score >= 0 ? part->cols : col;
}

/* The rows of a side that fit, as many of them as there is room for beside "3 more". */
static void scroll(wpa_map_column *column, int n, int rows)
{
    int room = n > rows ? rows - 2 : n; /* both ends may say that there are more */
    room = room < 1 ? 1 : room;
    column->top = column->index < column->top ? column->index : column->top;
    column->top = column->index >= column->top + room ? column->index - room + 1 : column->top;
    column->top = column->top > n - room ? n - room : column->top;
    column->top = column->top < 0 ? 0 : column->top;
    column->n_shown = room;
}

static void draw_more(const wpa_canvas *canvas, const layout *l, wpa_map_side side, int row, int n)
{
    bool is_left = side == WPA_MAP_USES;
    int col = is_left ? 2 : l->right;
    (void)wpa_put_fitf(canvas, row, col, is_left ? l->left - 3 : l->right_end - col,
                       WPA_PAINT_MUTED, "%d more", n);
}

static void draw_side(const wpa_canvas *canvas, const layout *l, const wpa_workflow_detail *it,
                      wpa_map_state *state, wpa_map_side side)
{
    size_t n = 0;
    bool is_left = side == WPA_MAP_USES;
    wpa_map_column *column = &state->columns[side];
    const wpa_use_row *rows = wpa_map_rows(it, side, &n);
    if (!n) {
        (void)wpa_put(canvas, l->centre, is_left ? 2 : l->right, WPA_PAINT_MUTED,
                      is_left ? "nothing" : "nobody");
        return;
    }
    scroll(column, (int)n, l->rows);
    bool is_cut = (int)n > l->rows;
    int first = l->top + (is_cut ? 1 : 0), left = l->left, right = l->right;
    for (int i = 0; i < column->n_shown; i++) {
        const wpa_use_row *row = &rows[column->top + i];
        bool is_selected = state->side == side && column->index == column->top + i;
        wpa_canvas part = is_left
                              ? wpa_canvas_part(canvas, first + i, 2, 1, left - 5)
                              : wpa_canvas_part(canvas, first + i, right, 1, l->right_end - right);
        int end = draw_item(&part, it, side, row, is_selected, state->detail.doc.search);
        if (is_left) {
            wpa_fill(canvas, first + i, 3 + end, left - 3 - end, WPA_PAINT_RULE, 0x2500);
            (void)wpa_put(canvas, first + i, 0, WPA_PAINT_FOCUS, is_selected ? "▸" : " ");
        } else {
            (void)wpa_put(canvas, first + i, right - 2,
                          is_selected ? WPA_PAINT_FOCUS : WPA_PAINT_RULE, is_selected ? "▸" : "─");
        }
    }
    int last = first + column->n_shown - 1, below = (int)n - column->top - column->n_shown;
    if (is_cut && column->top) {
        draw_more(canvas, l, side, first - 1, column->top);
    }
    if (is_cut && below) {
        draw_more(canvas, l, side, last + 1, below);
    }
    draw_trunk(canvas, is_left ? left : right - 3, first, last, l->centre, is_left ? LEFT : RIGHT,
               is_left ? RIGHT : LEFT);
}

/* ---- the middle ------------------------------------------------------------------------------ */

static int draw_reach(const wpa_canvas *part, int row, const wpa_workflow_detail *it)
{
    char workflows[WPA_SHORT], repositories[WPA_SHORT];
    int64_t n = count_workflows(it->used_by, it->n_used_by);
    int64_t n_repositories = count_repositories(it->used_by, it->n_used_by);
    (void)wpa_put_fit(part, row++, 0, part->cols, WPA_PAINT_MUTED, "BLAST RADIUS");
    if (!n) {
        return wpa_put_wrapped(part, row, 0, part->cols, WPA_PAINT_TEXT, "nothing else");
    }
    char text[WPA_MESSAGE_MAX];
    (void)wpa_text_format(text, sizeof text, "%s%s workflow%s in %s repositor%s",
                          it->n_used_by == WPA_USES_MAX ? ">=" : "",
                          wpa_count_text(n, workflows, sizeof workflows), n == 1 ? "" : "s",
                          wpa_count_text(n_repositories, repositories, sizeof repositories),
                          n_repositories == 1 ? "y" : "ies");
    return wpa_put_wrapped(part, row, 0, part->cols, WPA_PAINT_TEXT, text);
}

static void draw_middle(const wpa_canvas *canvas, const layout *l, const wpa_workflow_detail *it,
                        const wpa_map_state *state)
{
    char score[WPA_SHORT];
    int width = l->middle_end - l->middle - 1, row = 0;
    wpa_canvas line = wpa_canvas_part(canvas, l->centre, l->middle, 1, width);
    bool is_selected = state->side == WPA_MAP_CENTRE;
    if (is_selected) {
        line.paint = WPA_PAINT_SELECTED;
        wpa_fill(&line, 0, 0, line.cols, WPA_PAINT_SELECTED, ' ');
        wpa_rest_cursor(&line, 0, 0);
    }
    (void)wpa_score_text(it->row.scores.overall, score, sizeof score);
    (void)wpa_put_right(&line, 0, width, wpa_score_paint(it->row.scores.overall), score);
    /* It stands in no column with others: its score takes no more room than it has digits. */
    (void)wpa_put_fit(&line, 0, 0, width - wpa_text_cells(score) - 1, WPA_PAINT_TITLE,
                      it->row.name);
    if (it->n_uses) {
        wpa_fill(canvas, l->centre, l->left + 1, 1, WPA_PAINT_RULE, 0x2500);
        (void)wpa_put(canvas, l->centre, l->left + 2,
                      is_selected ? WPA_PAINT_FOCUS : WPA_PAINT_RULE, is_selected ? "▸" : "─");
    } else if (is_selected) {
        (void)wpa_put(canvas, l->centre, l->left + 2, WPA_PAINT_FOCUS, "▸");
    }
    if (it->n_used_by) {
        wpa_fill(canvas, l->centre, l->middle_end, 1, WPA_PAINT_RULE, 0x2500);
    }
    /* Up to the trunk, which only the name's row has to reach: the longest trigger is whole. */
    wpa_canvas part = wpa_canvas_part(canvas, l->centre + 1, l->middle,
                                      l->top + l->rows - l->centre - 1, width + 1);
    bool is_called = it->triggers && strstr(it->triggers, "workflow_call");
    (void)wpa_put_fit(&part, row++, 0, part.cols, WPA_PAINT_MUTED,
                      is_called ? "reusable workflow" : "workflow");
    (void)wpa_put_fit(&part, ++row, 0, part.cols, WPA_PAINT_MUTED, "TRIGGERS");
    row = wpa_put_wrapped(&part, row + 1, 0, part.cols, WPA_PAINT_TEXT,
                          it->triggers ? it->triggers : "none known");
    (void)draw_reach(&part, row + 1, it);
}

/* ---- the selected edge ----------------------------------------------------------------------- */

static void draw_edge(const wpa_canvas *canvas, int row, const wpa_workflow_detail *it,
                      const wpa_map_state *state)
{
    char title[1024], text[2048], id[WPA_SHORT], name[512], n[WPA_SHORT];
    const wpa_use_row *use = wpa_map_row(it, state);
    if (!use) {
        wpa_rule(canvas, row, it->row.name,
                 wpa_object_text((wpa_object){WPA_OBJECT_WORKFLOW, it->row.id}, id, sizeof id),
                 false);
        (void)wpa_put_fitf(canvas, row + 1, 2, canvas->cols - 3, WPA_PAINT_TEXT,
                           "%s open finding%s   %s   Enter opens it",
                           wpa_count_text(it->row.n_findings, n, sizeof n),
                           it->row.n_findings == 1 ? "" : "s", it->path ? it->path : "");
        return;
    }
    bool is_used = state->side == WPA_MAP_USES;
    put_name(use, name, sizeof name);
    const char *user = is_used ? it->row.name : name, *used = is_used ? name : it->row.name;
    (void)wpa_text_format(title, sizeof title, "%s uses %s", user, used);
    wpa_rule(canvas, row, title, wpa_object_text(use->object, id, sizeof id), false);
    char at[WPA_SHORT] = "";
    if (use->line > 0) {
        (void)wpa_text_format(at, sizeof at, "line %d  ", use->line);
    }
    (void)wpa_put_fitf(canvas, row + 1, 2, canvas->cols - 3, WPA_PAINT_TEXT, "%suses: %s%s", at,
                       use->ref,
                       is_in_both(it, state->side, use) ? "   each uses the other ↻" : "");
    put_reach(use, user, text, sizeof text);
    (void)wpa_put_fit(canvas, row + 2, 2, canvas->cols - 3, WPA_PAINT_MUTED, text);
}

void wpa_map_draw(const wpa_canvas *canvas, const wpa_workflow_detail *it, wpa_map_state *state)
{
    char title[512], right[WPA_SHORT];
    layout l = lay_out(canvas, it);
    (void)wpa_text_format(title, sizeof title, "Map: %s", it->row.name);
    (void)wpa_text_format(right, sizeof right, "uses %zu   used by %zu", it->n_uses, it->n_used_by);
    wpa_rule(canvas, 0, title, right, true);
    (void)wpa_put(canvas, 1, 2, WPA_PAINT_MUTED, "USES");
    (void)wpa_put(canvas, 1, l.middle, WPA_PAINT_MUTED, "THIS");
    (void)wpa_put(canvas, 1, l.right, WPA_PAINT_MUTED, "USED BY");
    draw_side(canvas, &l, it, state, WPA_MAP_USES);
    draw_side(canvas, &l, it, state, WPA_MAP_USED_BY);
    draw_middle(canvas, &l, it, state);
    draw_edge(canvas, canvas->rows - STRIP_ROWS, it, state);
}
