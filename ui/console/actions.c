#include <inttypes.h>
#include <string.h>

#include "console/ui.h"

/* ---- may it be done -------------------------------------------------------------------------- */

static bool refuse(wpa_ui *ui, wpa_verb verb, wpa_object object)
{
    const wpa_verb_info *info = wpa_verb_info_of(verb);
    char key[32];
    (void)wpa_keymap_key(&ui->keymap, verb, key, sizeof key);
    wpa_ui_say(ui, WPA_NOTICE_ERROR, "%s needs the right to %s: you may look only", key,
               info->hint);
    wpa_command *command = wpa_command_new(WPA_COMMAND_REFUSED);
    command->object = object;
    command->text = wpa_arena_text(command->arena, info->name);
    (void)wpa_ui_send(ui, command);
    return false;
}

bool wpa_ui_check_change(wpa_ui *ui, wpa_verb verb, wpa_object object)
{
    if (!wpa_ui_is_live(ui)) {
        wpa_ui_say(ui, WPA_NOTICE_ERROR,
                   "the database is lost: nothing can be changed until it is back");
        return false;
    }
    if (!wpa_ui_may(ui, wpa_verb_info_of(verb)->action)) {
        return refuse(ui, verb, object);
    }
    if (ui->local_us < ui->hold_keys_until_us) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "selection changed, press again");
        return false;
    }
    return true;
}

static void send_for(wpa_ui *ui, wpa_command_kind kind, wpa_object object)
{
    wpa_command *command = wpa_command_new(kind);
    command->object = object;
    (void)wpa_ui_send(ui, command);
}

/* All that matches the filter, but for what was left out of it: the engine looks what that is. */
static void put_matching(wpa_ui *ui, wpa_command *command, const wpa_cursor *left_out)
{
    const wpa_rows *rows = &ui->lists[WPA_LIST_FINDINGS];
    wpa_list_query *query = &command->query;
    query->list = WPA_LIST_FINDINGS;
    query->terms = wpa_filter_terms(ui, query->list, rows->filter, command->arena, &query->n_terms);
    query->scope = ui->scope;
    command->is_matching = true;
    command->n_expected = rows->view->n_matching - (int64_t)left_out->n_marks;
}

/* Marked rows of the list that is open, or the selected thing: in the command's arena. */
static void put_objects(wpa_ui *ui, wpa_command *command, wpa_object selected)
{
    const wpa_cursor *cursor = wpa_ui_marks(ui);
    bool has_marks = cursor && wpa_cursor_has_marks(cursor);
    const wpa_object *from = has_marks ? cursor->marks : &selected;
    command->n_objects = has_marks ? cursor->n_marks : 1;
    wpa_object *objects = wpa_arena_array(command->arena, command->n_objects + 1, sizeof *objects);
    memcpy(objects, from, command->n_objects * sizeof *objects);
    command->objects = objects;
    if (has_marks && cursor->marks_all) {
        put_matching(ui, command, cursor);
    }
}

/* How many the command is about: "f-7", "2 findings", "1,204 findings, all that match sev:high". */
static char *put_count(const wpa_ui *ui, const wpa_command *command, char *text, size_t size_bytes)
{
    char n[WPA_SHORT], id[WPA_SHORT];
    const char *filter = ui->lists[WPA_LIST_FINDINGS].filter;
    if (command->is_matching) {
        (void)wpa_text_format(text, size_bytes, "%s findings, all that %s%.300s",
                              wpa_count_text(command->n_expected, n, sizeof n),
                              *filter ? "match " : "there are", filter);
    } else if (command->n_objects > 1) {
        (void)wpa_text_format(text, size_bytes, "%zu findings", command->n_objects);
    } else {
        (void)wpa_object_text(command->objects[0], id, sizeof id);
        (void)wpa_text_copy(text, size_bytes, id);
    }
    return text;
}

/* Something can be done to all that match only once it is known what that is. */
static bool can_count(wpa_ui *ui)
{
    const wpa_rows *rows = &ui->lists[WPA_LIST_FINDINGS];
    const wpa_cursor *cursor = wpa_ui_marks(ui);
    if (!cursor || !cursor->marks_all) {
        return true;
    }
    if (rows->is_asking || !rows->view || rows->view->is_at_least || rows->view->n_matching < 0) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "it is still being counted how many that are: again, soon");
        return false;
    }
    if (rows->view->ignored) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "not understood: %s; more would match than is meant",
                   rows->view->ignored);
        return false;
    }
    return true;
}

/* ---- workflows and findings ------------------------------------------------------------------ */

static void analyse(wpa_ui *ui, wpa_object object)
{
    if (wpa_ui_check_change(ui, WPA_VERB_ANALYSE, object)) {
        send_for(ui, WPA_COMMAND_ANALYSE, object);
    }
}

static void make_patch(wpa_ui *ui, wpa_object object)
{
    const wpa_finding_row *row = wpa_ui_finding(ui, object.id);
    const wpa_cursor *marks = wpa_ui_marks(ui);
    bool is_one = !marks || !wpa_cursor_has_marks(marks);
    if (is_one && row && row->patch_id) {
        wpa_ui_open(ui, (wpa_object){WPA_OBJECT_PATCH, row->patch_id});
        return;
    }
    if (is_one && row && !row->has_fix) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s has no fix that can be made by itself", row->code);
        return;
    }
    if (!wpa_ui_check_change(ui, WPA_VERB_PATCH, object) || !can_count(ui)) {
        return;
    }
    char what[WPA_MESSAGE_MAX * 2];
    wpa_command *command = wpa_command_new(WPA_COMMAND_CREATE_PATCH);
    put_objects(ui, command, object);
    if (command->n_objects == 1 && !command->is_matching) {
        (void)wpa_ui_send(ui, command);
        return;
    }
    wpa_ask *ask = wpa_ask_open(ui, "Patch", command);
    (void)wpa_text_format(ask->question, sizeof ask->question, "Make one patch for %s?",
                          put_count(ui, command, what, sizeof what));
    ask->yes = "make it";
}

static bool fill_ignore(wpa_ui *ui, wpa_error *err)
{
    int64_t ms = 0;
    wpa_command *command = ui->ask.command;
    const char *until = ui->ask.fields[1].field.text;
    if (!wpa_text_to_duration_ms(until, &ms) || ms < 3600000 || ms > (int64_t)366 * 86400000) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' is no time from 1h to 366d, such as 30d", until);
    }
    command->text = wpa_arena_text(command->arena, ui->ask.fields[0].field.text);
    command->until_us = wpa_ui_clock(ui) + ms * 1000;
    return true;
}

static void ignore(wpa_ui *ui, wpa_object object)
{
    if (!wpa_ui_check_change(ui, WPA_VERB_IGNORE, object) || !can_count(ui)) {
        return;
    }
    char what[WPA_MESSAGE_MAX * 2];
    wpa_command *command = wpa_command_new(WPA_COMMAND_IGNORE);
    put_objects(ui, command, object);
    wpa_ask *ask = wpa_ask_open(ui, "Ignore", command);
    (void)wpa_text_format(ask->question, sizeof ask->question, "Ignore %s",
                          put_count(ui, command, what, sizeof what));
    wpa_ask_field(ask, "reason", "", true);
    wpa_ask_field(ask, "for", "30d", true);
    ask->fill = fill_ignore;
}

static bool fill_text(wpa_ui *ui, wpa_error *err)
{
    (void)err;
    ui->ask.command->text = wpa_arena_text(ui->ask.command->arena, ui->ask.fields[0].field.text);
    return true;
}

static void ask_text(wpa_ui *ui, wpa_command_kind kind, wpa_object object, const char *title,
                     const char *label)
{
    char id[WPA_SHORT];
    wpa_command *command = wpa_command_new(kind);
    command->object = object;
    wpa_ask *ask = wpa_ask_open(ui, title, command);
    (void)wpa_text_format(ask->question, sizeof ask->question, "%s %s", title,
                          wpa_object_text(object, id, sizeof id));
    wpa_ask_field(ask, label, "", true);
    ask->fill = fill_text;
}

static void comment(wpa_ui *ui, wpa_object object)
{
    if (wpa_ui_check_change(ui, WPA_VERB_COMMENT, object)) {
        ask_text(ui, WPA_COMMAND_COMMENT, object, "Comment on", "text");
    }
}

/* ---- patches --------------------------------------------------------------------------------- */

/* The patch that a key on this thing means; none if there is none. */
static wpa_object patch_of(wpa_ui *ui, wpa_object object)
{
    if (object.kind == WPA_OBJECT_PATCH) {
        return object;
    }
    if (object.kind == WPA_OBJECT_FINDING) {
        const wpa_finding_row *row = wpa_ui_finding(ui, object.id);
        return (wpa_object){row && row->patch_id ? WPA_OBJECT_PATCH : WPA_OBJECT_NONE,
                            row ? row->patch_id : 0};
    }
    if (object.kind == WPA_OBJECT_DEPLOYMENT) {
        const wpa_deployment_row *row = wpa_ui_deployment(ui, object.id);
        return (wpa_object){row ? WPA_OBJECT_PATCH : WPA_OBJECT_NONE, row ? row->patch_id : 0};
    }
    return (wpa_object){WPA_OBJECT_NONE, 0};
}

static void test_patch(wpa_ui *ui, wpa_object object)
{
    wpa_object patch = patch_of(ui, object);
    if (patch.kind == WPA_OBJECT_NONE) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "no patch to test: p makes one");
    } else if (wpa_ui_check_change(ui, WPA_VERB_TEST, patch)) {
        send_for(ui, WPA_COMMAND_TEST, patch);
    }
}

/* Does the patch's state allow it? Unknown: the engine will say. */
static bool state_allows(wpa_ui *ui, wpa_object patch, unsigned states, const char *what)
{
    const wpa_patch_row *row = wpa_ui_patch(ui, patch.id);
    char id[WPA_SHORT];
    if (row && !(states & 1U << row->state)) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s is %s: %s", wpa_object_text(patch, id, sizeof id),
                   wpa_patch_state_words[row->state], what);
        return false;
    }
    return true;
}

static void approve(wpa_ui *ui, wpa_object patch)
{
    if (!wpa_ui_check_change(ui, WPA_VERB_APPROVE, patch) ||
        !state_allows(ui, patch, 1U << WPA_PATCH_TESTED, "only a tested patch can be approved")) {
        return;
    }
    char id[WPA_SHORT];
    const wpa_patch_row *row = wpa_ui_patch(ui, patch.id);
    wpa_command *command = wpa_command_new(WPA_COMMAND_APPROVE);
    command->object = patch;
    wpa_ask *ask = wpa_ask_open(ui, "Approve", command);
    (void)wpa_text_format(ask->question, sizeof ask->question, "Approve %s  %s?",
                          wpa_object_text(patch, id, sizeof id),
                          row ? wpa_text_ellipsis(ask->command->arena, row->name, WPA_NAME_CHARS)
                              : "");
    ask->yes = "approve";
    ask->object = patch;
}

static int draw_plan_stage(const wpa_canvas *canvas, int row, int i, const wpa_plan_stage *stage)
{
    char count[WPA_SHORT], took[WPA_SHORT];
    bool is_wide = canvas->cols >= WPA_ASK_WIDE_COLS;
    int bake = canvas->cols - 11; /* "bake 1 m 00" */
    int col = wpa_putf(canvas, row, 0, WPA_PAINT_TEXT,
                       is_wide ? "stage %d  %8.8s  %s workflow%s" : "%d %8.8s %s workflow%s", i + 1,
                       stage->label, wpa_count_text(stage->n_workflows, count, sizeof count),
                       stage->n_workflows == 1 ? "" : "s");
    if (bake - 1 > 35 && col < 35) {
        (void)wpa_put_fit(canvas, row, 35, bake - 36, WPA_PAINT_MUTED,
                          stage->targets ? stage->targets : "");
    }
    (void)wpa_putf(canvas, row, bake, WPA_PAINT_TEXT, "bake %s",
                   wpa_took_text(stage->bake_ms, took, sizeof took));
    return row + 1;
}

static int draw_plan(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, ui->ask.object);
    if (!detail || detail->missing) {
        (void)wpa_put(canvas, row, 0, WPA_PAINT_MUTED, "reading the plan ...");
        return row + 1;
    }
    const wpa_patch_detail *patch = detail->patch;
    for (size_t i = 0; i < patch->n_plan; i++) {
        row = draw_plan_stage(canvas, row, (int)i, &patch->plan[i]);
    }
    char took[WPA_SHORT], text[WPA_MESSAGE_MAX];
    (void)wpa_text_format(text, sizeof text, "bakes %s in all.  %d check%s%s%s",
                          wpa_took_text(patch->plan_ms, took, sizeof took), patch->n_plan_checks,
                          patch->n_plan_checks == 1 ? "" : "s", patch->plan_note ? "; " : "",
                          patch->plan_note ? patch->plan_note : "");
    row = wpa_put_wrapped(canvas, row + (canvas->cols >= WPA_ASK_WIDE_COLS), 0, canvas->cols,
                          WPA_PAINT_TEXT, text);
    if (patch->overlaps) {
        row = wpa_put_wrapped(canvas, row, 0, canvas->cols, WPA_PAINT_CHECK_NEAR, patch->overlaps);
    }
    return row;
}

/* The plan that was on the screen is the one that is started: its digest goes along. */
static bool fill_deploy(wpa_ui *ui, wpa_error *err)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, ui->ask.object);
    if (!detail || detail->missing) {
        return WPA_FAIL(err, WPA_E_REFUSED, "the plan has not been read yet: wait for it");
    }
    if (detail->patch->plan_digest) {
        ui->ask.command->digest =
            wpa_arena_text(ui->ask.command->arena, detail->patch->plan_digest);
    }
    return true;
}

static void deploy(wpa_ui *ui, wpa_object patch)
{
    if (!wpa_ui_check_change(ui, WPA_VERB_DEPLOY, patch) ||
        !state_allows(ui, patch, 1U << WPA_PATCH_TESTED | 1U << WPA_PATCH_APPROVED,
                      "only a tested or approved patch can be deployed")) {
        return;
    }
    char id[WPA_SHORT], workflows[WPA_SHORT], repositories[WPA_SHORT];
    const wpa_patch_row *row = wpa_ui_patch(ui, patch.id);
    wpa_command *command = wpa_command_new(WPA_COMMAND_DEPLOY);
    command->object = patch;
    wpa_ask *ask = wpa_ask_open(ui, "Deploy", command);
    (void)wpa_object_text(patch, id, sizeof id);
    if (row) {
        (void)wpa_text_format(
            ask->question, sizeof ask->question,
            "Deploy %s  %s  to %s workflow%s in %s repositor%s?", id,
            wpa_text_ellipsis(ask->command->arena, row->name, WPA_NAME_CHARS),
            wpa_count_text(row->n_workflows, workflows, sizeof workflows),
            row->n_workflows == 1 ? "" : "s",
            wpa_count_text(row->n_repositories, repositories, sizeof repositories),
            row->n_repositories == 1 ? "y" : "ies");
    } else {
        (void)wpa_text_format(ask->question, sizeof ask->question, "Deploy %s?", id);
    }
    ask->object = patch;
    ask->yes = "deploy";
    ask->draw = draw_plan;
    ask->fill = fill_deploy;
}

static void reject(wpa_ui *ui, wpa_object object)
{
    if (!wpa_ui_check_change(ui, WPA_VERB_REJECT, object)) {
        return;
    }
    const wpa_patch_row *row = wpa_ui_patch(ui, object.id);
    if (object.kind == WPA_OBJECT_JOB || (row && row->state == WPA_PATCH_TESTING)) {
        bool is_job = object.kind == WPA_OBJECT_JOB;
        char id[WPA_SHORT];
        wpa_command *command =
            wpa_command_new(is_job ? WPA_COMMAND_CANCEL_JOB : WPA_COMMAND_STOP_TEST);
        command->object = object;
        wpa_ask *ask = wpa_ask_open(ui, "Stop", command);
        (void)wpa_text_format(ask->question, sizeof ask->question, "Stop %s%s?",
                              is_job ? "" : "the test of ", wpa_object_text(object, id, sizeof id));
        ask->yes = "stop it";
        return;
    }
    if (state_allows(ui, object,
                     1U << WPA_PATCH_PENDING | 1U << WPA_PATCH_TESTED | 1U << WPA_PATCH_FAILED,
                     "it can no longer be rejected")) {
        ask_text(ui, WPA_COMMAND_REJECT, object, "Reject", "reason");
    }
}

static void show_diff(wpa_ui *ui, wpa_object object)
{
    wpa_object patch = patch_of(ui, object);
    if (patch.kind == WPA_OBJECT_NONE) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "no patch yet: p makes one");
        return;
    }
    wpa_ui_push(ui, wpa_view_named("diff"), patch);
}

/* ---- deployments and the rest ---------------------------------------------------------------- */

static void hold(wpa_ui *ui, wpa_object object)
{
    const wpa_deployment_row *row = wpa_ui_deployment(ui, object.id);
    if (!wpa_ui_check_change(ui, WPA_VERB_HOLD, object)) {
        return;
    }
    if (row && row->state != WPA_DEPLOYMENT_RUNNING && row->state != WPA_DEPLOYMENT_PAUSED) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "H holds a running deployment; this one is %s",
                   wpa_ui_deployment_text(row));
        return;
    }
    bool is_held = row && row->state == WPA_DEPLOYMENT_PAUSED;
    send_for(ui, is_held ? WPA_COMMAND_RESUME : WPA_COMMAND_HOLD, object);
}

/* R on a patch means its live deployment. */
static void roll_back(wpa_ui *ui, wpa_object object)
{
    if (object.kind == WPA_OBJECT_PATCH) {
        const wpa_patch_row *row = wpa_ui_patch(ui, object.id);
        if (row && row->is_live && row->deployment_id) {
            object = (wpa_object){WPA_OBJECT_DEPLOYMENT, row->deployment_id};
        }
    }
    wpa_rollback_start(ui, object);
}

static void acknowledge(wpa_ui *ui, wpa_object object)
{
    if (object.kind != WPA_OBJECT_NOTICE) {
        size_t n = 0;
        const wpa_notice_row *alarms = wpa_ui_alarms(ui, &n);
        if (!n) {
            wpa_ui_say(ui, WPA_NOTICE_NOTE, "there is no alarm to acknowledge");
            return;
        }
        object = (wpa_object){WPA_OBJECT_NOTICE, alarms[0].id};
    }
    if (wpa_ui_check_change(ui, WPA_VERB_ACKNOWLEDGE, object)) {
        send_for(ui, WPA_COMMAND_ACKNOWLEDGE, object);
    }
}

static void copy(wpa_ui *ui, wpa_object object, bool is_row)
{
    char id[WPA_SHORT];
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_page *page = wpa_ui_page(ui);
    bool has_id = object.kind != WPA_OBJECT_NONE;
    const char *text =
        page->view->row_text && (is_row || !has_id) ? page->view->row_text(ui, page, arena) : NULL;
    text = text ? text : wpa_object_text(object, id, sizeof id);
    if (*text) {
        wpa_ui_copy(ui, text);
    }
}

static void copy_id(wpa_ui *ui, wpa_object object)
{
    copy(ui, object, false);
}

static void copy_row(wpa_ui *ui, wpa_object object)
{
    copy(ui, object, true);
}

static const struct {
    wpa_verb verb;
    void (*act)(wpa_ui *ui, wpa_object object);
} acts[] = {
    {WPA_VERB_OPEN, wpa_ui_open},
    {WPA_VERB_ANALYSE, analyse},
    {WPA_VERB_PATCH, make_patch},
    {WPA_VERB_IGNORE, ignore},
    {WPA_VERB_COMMENT, comment},
    {WPA_VERB_TEST, test_patch},
    {WPA_VERB_APPROVE, approve},
    {WPA_VERB_DEPLOY, deploy},
    {WPA_VERB_REJECT, reject},
    {WPA_VERB_DIFF, show_diff},
    {WPA_VERB_HOLD, hold},
    {WPA_VERB_ROLL_BACK, roll_back},
    {WPA_VERB_ACKNOWLEDGE, acknowledge},
    {WPA_VERB_LOG, wpa_ui_open},
    {WPA_VERB_COPY, copy_id},
    {WPA_VERB_COPY_ROW, copy_row},
};

bool wpa_ui_act(wpa_ui *ui, wpa_verb verb)
{
    for (size_t i = 0; i < WPA_COUNT(acts); i++) {
        if (acts[i].verb == verb) {
            acts[i].act(ui, wpa_ui_selected(ui));
            return true;
        }
    }
    return false;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void found(wpa_ui *ui, const wpa_reply_view *reply)
{
    if (reply->error.code != WPA_OK) {
        wpa_ui_say_error(ui, "find", &reply->error);
    } else if (reply->request_id == ui->map_request && reply->object.kind == WPA_OBJECT_WORKFLOW) {
        wpa_ui_show_map(ui, reply->object);
    } else {
        wpa_ui_open(ui, reply->object);
    }
}

/* What the marks were made for is done. */
static void clear_marks(wpa_ui *ui)
{
    for (int tab = 1; tab <= WPA_TABS; tab++) {
        for (int i = 0; i < ui->n_pages[tab]; i++) {
            wpa_page *page = &ui->pages[tab][i];
            if (page->view->cursor && page->view->list == WPA_LIST_FINDINGS) {
                (void)wpa_cursor_clear_marks(page->view->cursor(page));
            }
        }
    }
}

/* Its rows stay as they were; what was typed meanwhile is asked for. */
static void list_failed(wpa_ui *ui, const wpa_reply_view *reply)
{
    for (int i = 0; i < WPA_LIST_COUNT; i++) {
        if (ui->lists[i].request_id == reply->request_id) {
            ui->lists[i].is_asking = false;
            if (ui->lists[i].is_late) {
                wpa_ui_watch_list(ui, (wpa_list)i, NULL, false);
            }
        }
    }
}

void wpa_ui_reply(wpa_ui *ui, const wpa_reply_view *reply)
{
    switch ((int)reply->kind) {
    case WPA_COMMAND_FIRST_GUARDIAN:
    case WPA_COMMAND_SIGN_IN:
    case WPA_COMMAND_SIGN_IN_READ_ONLY:
    case WPA_COMMAND_SIGN_IN_BROWSER:
        wpa_sign_in_reply(ui, reply);
        return;
    case WPA_COMMAND_ROLL_BACK:
    case WPA_COMMAND_ROLL_BACK_NOW:
    case WPA_COMMAND_CANCEL_ROLL_BACK:
        wpa_rollback_reply(ui, reply);
        return;
    case WPA_COMMAND_FIND:
        found(ui, reply);
        return;
    case WPA_COMMAND_PLACE:
        return; /* nobody has asked for it: told again in a minute */
    case WPA_COMMAND_WATCH_OBJECT:
        ui->is_watch_open = false;
        break;
    case WPA_COMMAND_WATCH_LIST:
        list_failed(ui, reply);
        break;
    default:
        break;
    }
    if (reply->error.code != WPA_OK) {
        wpa_ui_say_error(ui, wpa_command_name(reply->kind), &reply->error);
    } else if (reply->text) {
        wpa_ui_say(ui, WPA_NOTICE_OK, "%s", reply->text);
    }
    bool used_marks = reply->kind == WPA_COMMAND_CREATE_PATCH || reply->kind == WPA_COMMAND_IGNORE;
    if (used_marks && reply->error.code == WPA_OK) {
        clear_marks(ui);
    }
    bool opens = reply->kind == WPA_COMMAND_CREATE_PATCH || reply->kind == WPA_COMMAND_DEPLOY;
    if (opens && reply->error.code == WPA_OK && reply->object.kind != WPA_OBJECT_NONE) {
        wpa_ui_open(ui, reply->object);
    }
}
