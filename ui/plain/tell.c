#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <wpa/buf.h>

#include "plain/plain.h"
#include "views/list_view.h"

#define PAGE_COLS 100
#define SUMMARY_ROWS 5 /* of what needs the Guardian, and of what is live */

/* What stands for a word; a glyph beside its word is left out. */
static const struct {
    uint32_t glyph;
    const char *word;
    bool has_word; /* a word may stand behind it that says the same */
} glyphs[] = {
    {0x2713, "ok", true},      {0x2717, "failed", true}, {0x27F3, "running", true},
    {0x25CC, "waiting", true}, {0x25C9, "", true},       {0x2B22, "", true},
    {0x21BA, "", true},        {0x2219, "-", true},      {0x25B4, "up ", false},
    {0x25BE, "down ", false},  {0x25B8, "", false},      {0x25AA, "marked", false},
    {0x22EF, "...", false},    {0x21BB, "again", false},
};

static bool is_picture(uint32_t c)
{
    return (c >= 0x2500 && c <= 0x259F) || (c >= 0x2800 && c <= 0x28FF) || c == '\t';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void add_glyph(wpa_buf *out, size_t i, const char *behind)
{
    if (!glyphs[i].has_word || behind[0] != ' ' || !is_letter(behind[1])) {
        wpa_buf_text(out, glyphs[i].word);
    }
}

static void add_character(wpa_buf *out, uint32_t c, const char *behind)
{
    char bytes[4];
    for (size_t i = 0; i < WPA_COUNT(glyphs); i++) {
        if (glyphs[i].glyph == c) {
            add_glyph(out, i, behind);
            return;
        }
    }
    if (is_picture(c)) {
        wpa_buf_char(out, ' ');
    } else {
        wpa_buf_append(out, bytes, wpa_utf8_encode(c, bytes));
    }
}

/* Of several blanks two stay: where a column ends. */
static void close_gaps(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool is_gap =
            *from == ' ' && (to == text || (to[-1] == ' ' && (to - text < 2 || to[-2] == ' ')));
        if (!is_gap) {
            *to++ = *from;
        }
    }
    while (to > text && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
}

static char *words_of(const char *text, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new((size_t)1 << 20);
    size_t length = strlen(text), at = 0;
    while (at < length) {
        uint32_t c = wpa_utf8_next(text, length, &at);
        add_character(out, c, text + at);
    }
    char *words = wpa_buf_dup(out, arena);
    close_gaps(words);
    return words;
}

/* "   48 │          echo": the number, and the line of a file with its blanks; 0: no such row. */
static size_t length_of_numbers(const char *text)
{
    static const char line[] = "│";
    size_t n = strspn(text, " 0123456789");
    return wpa_text_starts(text + n, line) ? n + strlen(line) : 0;
}

char *wpa_plain_words(const char *text, wpa_arena *arena)
{
    size_t numbers = length_of_numbers(text);
    if (numbers) {
        const char *number = wpa_arena_printf(arena, "%.*s", (int)numbers, text);
        return wpa_arena_printf(arena, "%s:%s", words_of(number, arena), text + numbers);
    }
    return words_of(text, arena);
}

void wpa_plain_say(wpa_plain *plain, const char *format, ...)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    va_list values;
    va_start(values, format);
    const char *text = wpa_arena_vprintf(arena, format, values);
    va_end(values);
    text = wpa_text_visible(arena, text, strlen(text), false);
    const char *line = wpa_arena_printf(arena, "%s%s\n", plain->has_prompt ? "\n" : "", text);
    plain->has_prompt = false;
    for (size_t n = strlen(line); n && !plain->has_no_reader;) {
        ssize_t written = write(plain->out_fd, line, n);
        plain->has_no_reader = written < 0;
        line += written > 0 ? written : 0;
        n -= written > 0 ? (size_t)written : 0;
    }
}

/* ---- what is offered ---- */

static size_t offer(wpa_plain *plain, wpa_object object)
{
    if (plain->n_choices == WPA_COUNT(plain->choices)) {
        return 0;
    }
    plain->choices[plain->n_choices++] = object;
    return plain->n_choices;
}

/* ---- the dashboard ---- */

static void tell_health(wpa_plain *plain, const wpa_dashboard_view *dash)
{
    char text[WPA_MESSAGE_MAX] = "", n[WPA_SHORT];
    double change = round(dash->change_24h);
    if (dash->scores.overall < 0) {
        wpa_plain_say(plain, "Health not known yet: nothing is analysed.");
        return;
    }
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        size_t used = strlen(text);
        (void)wpa_text_format(text + used, sizeof text - used, "%s%s %s", i ? ", " : "",
                              wpa_dimension_text((wpa_dimension)i),
                              wpa_score_text(dash->scores.dimension[i], n, sizeof n));
    }
    if (change > 0 || change < 0) {
        (void)wpa_text_format(n, sizeof n, ", %s %.0f since yesterday", change > 0 ? "up" : "down",
                              fabs(change));
    } else {
        n[0] = '\0';
    }
    wpa_plain_say(plain, "Health %.0f of 100%s: %s.", round(dash->scores.overall), n, text);
}

static void tell_needs(wpa_plain *plain, const wpa_dashboard_view *dash)
{
    char all[WPA_SHORT], id[WPA_SHORT], age[WPA_SHORT];
    size_t shown = dash->n_needs < SUMMARY_ROWS ? dash->n_needs : SUMMARY_ROWS;
    if (!shown) {
        wpa_plain_say(plain, "Nothing waits for you.");
        return;
    }
    bool is_all = (int64_t)shown >= dash->n_needs_all;
    (void)wpa_count_text(dash->n_needs_all, all, sizeof all);
    wpa_plain_say(plain, is_all ? "Needs you, %s:" : "Needs you, %s. First %zu:", all, shown);
    for (size_t i = 0; i < shown; i++) {
        const wpa_needs_row *row = &dash->needs[i];
        wpa_plain_say(plain, "%zu. %s, %s: %s. %s, %s old.", offer(plain, row->object),
                      wpa_object_text(row->object, id, sizeof id), row->verb, row->text,
                      row->state ? row->state : "open",
                      wpa_age_text(row->since_us, wpa_ui_now(plain->ui), age, sizeof age));
    }
}

static void deployment_text(const wpa_deployment_row *row, char *text, size_t size_bytes)
{
    char done[WPA_SHORT], total[WPA_SHORT];
    (void)wpa_text_format(text, size_bytes,
                          "d-%" PRId64 " %s: %s, stage %d of %d, %s of %s workflows", row->id,
                          row->patch ? row->patch : "", wpa_ui_deployment_text(row), row->stage,
                          row->n_stages, wpa_count_text(row->n_done, done, sizeof done),
                          wpa_count_text(row->n_total, total, sizeof total));
}

static void tell_live(wpa_plain *plain, const wpa_dashboard_view *dash)
{
    char text[WPA_MESSAGE_MAX];
    size_t shown = dash->n_live < SUMMARY_ROWS ? dash->n_live : SUMMARY_ROWS;
    if (!shown) {
        wpa_plain_say(plain, "Nothing is being deployed.");
        return;
    }
    wpa_plain_say(plain, "Live deploys, %zu:", dash->n_live);
    for (size_t i = 0; i < shown; i++) {
        deployment_text(&dash->live[i], text, sizeof text);
        wpa_plain_say(plain, "%zu. %s.",
                      offer(plain, (wpa_object){WPA_OBJECT_DEPLOYMENT, dash->live[i].id}), text);
    }
}

static void tell_patches(wpa_plain *plain, const wpa_dashboard_view *dash)
{
    char text[WPA_MESSAGE_MAX] = "", n[WPA_SHORT];
    for (int i = 0; i < WPA_PATCH_STATE_COUNT; i++) {
        size_t used = strlen(text);
        if (dash->patches[i]) {
            (void)wpa_text_format(text + used, sizeof text - used, "%s%s %s", used ? ", " : "",
                                  wpa_patch_state_words[i],
                                  wpa_count_text(dash->patches[i], n, sizeof n));
        }
    }
    wpa_plain_say(plain, "Open findings %s.  Patches: %s.",
                  wpa_count_text(dash->findings.n_open, n, sizeof n), *text ? text : "none");
}

static void tell_summary(wpa_plain *plain)
{
    const wpa_ui *ui = plain->ui;
    const wpa_session_view *session = ui->session;
    wpa_plain_say(plain, "wpa %s. Signed in as %s, %s%s. %s.", session->fleet ? session->fleet : "",
                  session->name ? session->name : "nobody",
                  session->role == WPA_ROLE_GUARDIAN ? "guardian" : "viewer",
                  session->is_read_only ? ", read-only" : "",
                  wpa_ui_is_live(ui) ? "Live" : "The database is lost");
    size_t n = 0;
    const wpa_notice_row *alarms = wpa_ui_alarms(ui, &n);
    for (size_t i = 0; i < n; i++) {
        wpa_plain_say(plain, "ALARM %s", alarms[i].text);
    }
    if (!ui->dash) {
        wpa_plain_say(plain, "Nothing has been read yet.");
    } else if (!ui->dash->n_workflows) {
        wpa_plain_say(plain, "No workflows are being watched yet: 'wpa fleet add PATH-or-URL' adds "
                             "a repository.");
    } else {
        tell_health(plain, ui->dash);
        tell_needs(plain, ui->dash);
        tell_live(plain, ui->dash);
        tell_patches(plain, ui->dash);
    }
    wpa_plain_say(plain, "Type a number, a command, or ? for help.");
}

/* ---- lists ---- */

static void tell_columns(wpa_plain *plain, const wpa_table *table)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = "";
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *title = table->columns[i].title;
        if (*title) {
            text = wpa_arena_printf(arena, "%s%s%s", text, *text ? ", " : "", title);
        }
    }
    wpa_plain_say(plain, "Columns: %s.", text);
}

static void tell_empty(wpa_plain *plain, const wpa_list_kind *kind, const wpa_rows *rows)
{
    if (rows->filter[0]) {
        wpa_plain_say(plain, "Nothing matches %s.  Type filter alone to lift the filter.",
                      rows->filter);
    } else {
        wpa_plain_say(plain, "%s", kind->empty);
    }
}

static void tell_list(wpa_plain *plain, const wpa_page *page)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_list_kind *kind = page->view->data;
    const wpa_rows *rows = &plain->ui->lists[page->view->list];
    const wpa_list_view *view = rows->view;
    char n[WPA_SHORT], all[WPA_SHORT];
    if (!view) {
        wpa_plain_say(plain, "%s: not read yet.", kind->title);
        return;
    }
    int first = plain->told.first < (int)view->n_rows ? plain->told.first : 0;
    int end =
        first + WPA_PLAIN_ROWS < (int)view->n_rows ? first + WPA_PLAIN_ROWS : (int)view->n_rows;
    plain->told.first = first;
    (void)wpa_count_text(view->n_matching, n, sizeof n);
    wpa_plain_say(plain, rows->filter[0] ? "%s, %s of %s, filter %s." : "%s, %s.", kind->title, n,
                  wpa_count_text(view->n_all, all, sizeof all), rows->filter);
    if (!view->n_rows) {
        tell_empty(plain, kind, rows);
        return;
    }
    tell_columns(plain, kind->table);
    for (int i = first; i < end; i++) {
        const void *row = (const char *)view->rows + (size_t)i * kind->table->row_bytes;
        const char *text = wpa_table_text(kind->table, row, wpa_ui_now(plain->ui), arena);
        wpa_plain_say(plain, "%zu. %s", offer(plain, kind->table->at(view->rows, (size_t)i)),
                      wpa_plain_words(text, arena));
    }
    if (end < (int)view->n_rows) {
        wpa_plain_say(plain, "Rows %d to %d of %zu.  Type more for the next.", first + 1, end,
                      view->n_rows);
    } else if (view->has_after) {
        wpa_plain_say(plain, "These are the loaded rows: filter TERMS brings others.");
    }
}

/* ---- pages of one thing ---- */

static void tell_line(wpa_plain *plain, const char *row, wpa_arena *arena, bool *was_blank)
{
    static const char rule[] = "─";
    char *words = wpa_plain_words(row, arena);
    bool is_heading = wpa_text_starts(row, rule);
    if (*words) {
        wpa_plain_say(plain, is_heading ? "%s:" : "%s", words);
    } else if (!*was_blank && !is_heading) {
        wpa_plain_say(plain, "%s", "");
    }
    *was_blank = !*words;
}

/* What else can be gone to from here: the things on the page, each once. */
static void tell_items(wpa_plain *plain, const wpa_page *page, const wpa_doc_state *doc)
{
    char id[WPA_SHORT];
    for (int i = 0; i < doc->n_items; i++) {
        wpa_object object = doc->objects[i];
        bool is_new = object.kind != WPA_OBJECT_NONE && !wpa_object_is(object, page->object);
        for (size_t k = 0; k < plain->n_choices && is_new; k++) {
            is_new = !wpa_object_is(object, plain->choices[k]);
        }
        size_t n = is_new ? offer(plain, object) : 0;
        if (n) {
            wpa_plain_say(plain, "%zu. %s", n, wpa_object_text(object, id, sizeof id));
        }
    }
}

static void tell_drawn(wpa_plain *plain, wpa_page *page)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_grid) *grid = wpa_grid_new(WPA_DOC_ROWS, PAGE_COLS);
    wpa_canvas canvas = wpa_canvas_of(grid, false);
    page->view->draw(plain->ui, page, &canvas);
    int last = WPA_DOC_ROWS - 1;
    while (last > 0 && !*wpa_grid_row_text(grid, last, arena)) {
        last--;
    }
    bool was_blank = true;
    for (int row = 0; row <= last; row++) {
        tell_line(plain, wpa_grid_row_text(grid, row, arena), arena, &was_blank);
    }
    if (page->view->doc) {
        tell_items(plain, page, page->view->doc(page));
    }
}

/* What can be done to it: the hints of its view, written out. */
static void tell_commands(wpa_plain *plain, const wpa_page *page)
{
    const wpa_detail_view *detail = wpa_ui_detail(plain->ui, page->object);
    if (detail && detail->missing) {
        return;
    }
    char text[WPA_MESSAGE_MAX] = "";
    unsigned contexts = wpa_ui_contexts_of(page->object.kind);
    for (const wpa_verb *verb = page->view->hints; verb && *verb != WPA_VERB_NONE; verb++) {
        const wpa_verb_info *info = wpa_verb_info_of(*verb);
        size_t used = strlen(text);
        bool is_for_it = info->contexts & contexts || (*verb == WPA_VERB_ROLL_BACK && contexts);
        if (info->group == WPA_GROUP_ACT && is_for_it && wpa_ui_may(plain->ui, info->action) &&
            *verb != WPA_VERB_COPY) {
            (void)wpa_text_format(text + used, sizeof text - used, "%s%s", used ? ", " : "",
                                  info->name);
        }
    }
    if (*text) {
        wpa_plain_say(plain, "Commands here: %s, back.", text);
    }
}

bool wpa_plain_has_page(wpa_plain *plain)
{
    wpa_ui *ui = plain->ui;
    wpa_page *page = wpa_ui_page(ui);
    if (wpa_ui_is_lost(ui)) {
        return true;
    }
    if (page->view->list >= 0) {
        return ui->lists[page->view->list].view && !ui->lists[page->view->list].is_asking;
    }
    if (page->object.kind != WPA_OBJECT_NONE) {
        return wpa_ui_detail(ui, page->object) != NULL;
    }
    return page->view->tab != 1 || ui->dash;
}

void wpa_plain_tell_page(wpa_plain *plain)
{
    wpa_page *page = wpa_ui_page(plain->ui);
    plain->n_choices = 0;
    if (page->view->tab == 1) {
        tell_summary(plain);
    } else if (page->view->draw == wpa_list_draw) {
        tell_list(plain, page);
    } else {
        tell_drawn(plain, page);
        tell_commands(plain, page);
    }
}

/* ---- help ---- */

static bool is_for_screens(wpa_verb verb)
{
    static const wpa_verb verbs[] = {
        WPA_VERB_ZOOM,    WPA_VERB_MARK,      WPA_VERB_MARK_ALL, WPA_VERB_FREEZE,
        WPA_VERB_THEME,   WPA_VERB_MOUSE,     WPA_VERB_WRAP,     WPA_VERB_SIDE_BY_SIDE,
        WPA_VERB_REPAINT, WPA_VERB_INTERRUPT, WPA_VERB_SUSPEND,  WPA_VERB_NOT_REFRESH,
        WPA_VERB_COMMAND, WPA_VERB_HELP,      WPA_VERB_FILTER,   WPA_VERB_WHITESPACE,
    };
    for (size_t i = 0; i < WPA_COUNT(verbs); i++) {
        if (verbs[i] == verb) {
            return true;
        }
    }
    return wpa_verb_info_of(verb)->group == WPA_GROUP_MOVE;
}

void wpa_plain_tell_help(wpa_plain *plain)
{
    wpa_plain_say(plain, "A number opens what was told under it.  Enter alone tells this page "
                         "again.  more tells the next rows of a list.");
    wpa_plain_say(plain, "Commands act on the id or number behind them, else on the thing whose "
                         "page was told: approve p-7, deploy 2, rollback d-3.");
    for (int i = 1; i < WPA_VERB_COUNT; i++) {
        const wpa_verb_info *info = wpa_verb_info_of((wpa_verb)i);
        if (!is_for_screens((wpa_verb)i)) {
            wpa_plain_say(plain, "%s: %s%s", info->name, info->help,
                          wpa_ui_may(plain->ui, info->action) ? "" : " (your role may not)");
        }
    }
    const char *usage = NULL, *help = NULL, *name = NULL;
    for (size_t i = 0; (name = wpa_palette_special(i, &usage, &help)) != NULL; i++) {
        wpa_plain_say(plain, "%s%s%s: %s", name, *usage ? " " : "", usage, help);
    }
    wpa_plain_say(plain, "An asterisk: it acts at once; c and Enter within the window cancels.");
}

/* ---- questions ---- */

static void tell_field(wpa_plain *plain)
{
    const wpa_ask *ask = &plain->ui->ask;
    const char *text = ask->fields[ask->focus].field.text;
    if (ask->error.code != WPA_OK) {
        wpa_plain_say(plain, "error %s", ask->error.message);
    }
    wpa_plain_say(plain, *text ? "%s, Enter alone is %s:" : "%s, Enter alone does nothing:",
                  ask->fields[ask->focus].label, text);
}

void wpa_plain_tell_ask(wpa_plain *plain)
{
    wpa_ask *ask = &plain->ui->ask;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    if (!plain->is_ask_told) {
        plain->is_ask_told = true;
        wpa_plain_say(plain, "%s", ask->question);
        WPA_AUTO(wpa_grid) *grid = wpa_grid_new(WPA_DOC_ROWS, PAGE_COLS);
        wpa_canvas canvas = wpa_canvas_of(grid, false);
        int rows = ask->draw ? ask->draw(plain->ui, &canvas, 0) : 0;
        for (int row = 0; row < rows && row < WPA_DOC_ROWS; row++) {
            const char *words = wpa_plain_words(wpa_grid_row_text(grid, row, arena), arena);
            if (*words) {
                wpa_plain_say(plain, "%s", words);
            }
        }
    }
    if (ask->n_fields) {
        tell_field(plain);
    } else {
        wpa_plain_say(plain, "Type yes and Enter to %s; anything else does nothing.",
                      ask->yes && !wpa_text_is(ask->yes, "yes") ? ask->yes : "do it");
    }
}

/* ---- what changes by itself ---- */

static void tell_link(wpa_plain *plain)
{
    const wpa_ui *ui = plain->ui;
    char clock[WPA_SHORT];
    bool is_lost = wpa_ui_is_lost(ui);
    if (is_lost && !plain->is_lost_told) {
        wpa_plain_say(plain,
                      "error database lost: %s. What was told is from %sZ. Nothing can be changed "
                      "until it is back.",
                      ui->link->reason ? ui->link->reason : "no answer",
                      wpa_clock_text(ui->link->lost_at_us, clock, sizeof clock));
    }
    plain->is_lost_told = is_lost;
}

static void tell_rollback(wpa_plain *plain)
{
    const wpa_ui *ui = plain->ui;
    char id[WPA_SHORT];
    bool is_open = wpa_rollback_is_open(ui);
    if (is_open && !plain->is_rollback_told) {
        int64_t left_us = ui->rollback.until_us - wpa_ui_clock(ui);
        double seconds = left_us > 0 ? ceil((double)left_us / 1e6) : 0;
        (void)wpa_object_text(ui->rollback.deployment, id, sizeof id);
        wpa_plain_say(plain,
                      ui->rollback.is_own ? "Rolling back %s in %.0f second%s. Type c and Enter to "
                                            "cancel, now and Enter to start at once."
                                          : "Rolling back %s in %.0f second%s, ordered by %s.",
                      id, seconds, seconds > 1 ? "s" : "", ui->rollback.by);
    }
    plain->is_rollback_told = is_open;
}

static const wpa_plain_live *known_live(const wpa_plain *plain, int64_t id)
{
    for (size_t i = 0; i < plain->n_live; i++) {
        if (plain->live[i].id == id) {
            return &plain->live[i];
        }
    }
    return NULL;
}

/* Of those told as live, some are no longer. */
static void tell_ended(wpa_plain *plain, const wpa_dashboard_view *dash)
{
    char text[WPA_MESSAGE_MAX];
    for (size_t i = 0; i < plain->n_live; i++) {
        int64_t id = plain->live[i].id;
        const wpa_deployment_row *back = dash->last_rollback;
        bool is_live = false;
        for (size_t k = 0; k < dash->n_live; k++) {
            is_live |= dash->live[k].id == id;
        }
        if (!is_live && back && back->id == id) {
            deployment_text(back, text, sizeof text);
            wpa_plain_say(plain, "note %s", text);
        } else if (!is_live) {
            wpa_plain_say(plain, "note d-%" PRId64 " has ended: d-%" PRId64 " tells how", id, id);
        }
    }
}

static void tell_deployments(wpa_plain *plain)
{
    const wpa_dashboard_view *dash = plain->ui->dash;
    wpa_plain_live next[WPA_PLAIN_LIVE];
    char text[WPA_MESSAGE_MAX];
    size_t n = dash->n_live < WPA_PLAIN_LIVE ? dash->n_live : WPA_PLAIN_LIVE;
    for (size_t i = 0; i < n; i++) {
        const wpa_deployment_row *row = &dash->live[i];
        const wpa_plain_live *old = known_live(plain, row->id);
        next[i] = (wpa_plain_live){row->id, row->state, row->stage, row->stage_state};
        bool is_same = old && old->state == row->state && old->stage == row->stage &&
                       old->stage_state == row->stage_state;
        if (plain->knows_live && !is_same) {
            deployment_text(row, text, sizeof text);
            wpa_plain_say(plain, "note %s", text);
        }
    }
    tell_ended(plain, dash);
    memcpy(plain->live, next, n * sizeof *next);
    plain->n_live = n;
    plain->knows_live = true;
}

void wpa_plain_tell_changes(wpa_plain *plain)
{
    tell_link(plain);
    if (wpa_ui_is_signed_in(plain->ui)) {
        tell_rollback(plain);
        if (plain->ui->dash) {
            tell_deployments(plain);
        }
    }
}
