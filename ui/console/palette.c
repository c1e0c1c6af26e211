#include <stdlib.h>
#include <string.h>

#include <wpa/memory.h>

#include "console/ui.h"
#include "console/verbs.h"

#define SHOWN_MAX 8
#define MATCHES_MAX 128

/* A command that is no key. run gets what stands behind the name, without blanks around. */
typedef struct special {
    const char *name, *usage, *help;
    void (*run)(wpa_ui *ui, const char *rest);
} special;

static void run_lock(wpa_ui *ui, const char *rest)
{
    (void)rest;
    (void)wpa_ui_send(ui, wpa_command_new(WPA_COMMAND_SIGN_OUT));
}

/* False: the text is no id. */
static bool open_by_id(wpa_ui *ui, const char *text)
{
    wpa_object object = wpa_object_parse(text);
    if (object.kind == WPA_OBJECT_NONE) {
        return false;
    }
    if (!wpa_view_of_object(object.kind)) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s has no page of its own: a list shows it", text);
    }
    wpa_ui_open(ui, object);
    return true;
}

static void run_goto(wpa_ui *ui, const char *rest)
{
    if (open_by_id(ui, rest)) {
        return;
    }
    wpa_command *command = wpa_command_new(WPA_COMMAND_FIND);
    command->text = wpa_arena_text(command->arena, rest);
    (void)wpa_ui_send(ui, command);
}

/* The workflow that is meant: the one that is named, selected, or searched for by its name. */
static void run_depends(wpa_ui *ui, const char *rest)
{
    wpa_object object = *rest ? wpa_object_parse(rest) : wpa_ui_selected(ui);
    if (object.kind == WPA_OBJECT_WORKFLOW) {
        wpa_ui_show_map(ui, object);
    } else if (!*rest) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "depends: of which workflow? Give its name or id");
    } else {
        wpa_command *command = wpa_command_new(WPA_COMMAND_FIND);
        command->text = wpa_arena_text(command->arena, rest);
        ui->map_request = wpa_ui_send(ui, command);
    }
}

static void run_verify(wpa_ui *ui, const char *rest)
{
    (void)rest;
    if (wpa_ui_send(ui, wpa_command_new(WPA_COMMAND_VERIFY_AUDIT))) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "recomputing the hashes of the audit log ...");
    }
}

static void run_theme(wpa_ui *ui, const char *rest)
{
    wpa_error err = {0};
    for (size_t i = 0; i < ui->n_themes; i++) {
        bool is_it = wpa_text_is(ui->themes[i]->name, rest) ||
                     (wpa_text_starts(ui->themes[i]->name, "wpa-") &&
                      wpa_text_is(ui->themes[i]->name + 4, rest));
        if (is_it) {
            ui->theme = i;
            ui->theme_changed = true;
            return;
        }
    }
    if (!wpa_ui_load_theme(ui, rest, &err)) {
        wpa_ui_say_error(ui, "theme", &err);
    }
}

static void run_analyse_all(wpa_ui *ui, const char *rest)
{
    (void)rest;
    wpa_object none = {WPA_OBJECT_NONE, 0};
    if (wpa_ui_check_change(ui, WPA_VERB_ANALYSE, none)) {
        (void)wpa_ui_send(ui, wpa_command_new(WPA_COMMAND_ANALYSE));
    }
}

static void run_filter(wpa_ui *ui, const char *rest)
{
    int list = wpa_ui_page(ui)->view->list;
    if (list < 0) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "this view is no list");
        return;
    }
    wpa_ui_filter_list(ui, (wpa_list)list, rest);
}

/* "d-4 because ..." -> the object (or the selected one) and the text behind. */
static wpa_object split_object(wpa_ui *ui, const char *rest, const char **text)
{
    char word[WPA_SHORT];
    size_t n = strcspn(rest, " ");
    (void)wpa_text_format(word, sizeof word, "%.*s", (int)n, rest);
    wpa_object object = wpa_object_parse(word);
    if (object.kind == WPA_OBJECT_NONE) {
        *text = rest;
        return wpa_ui_selected(ui);
    }
    *text = rest + n + strspn(rest + n, " ");
    return object;
}

static void send_reason(wpa_ui *ui, wpa_command_kind kind, wpa_object_kind wanted, wpa_verb verb,
                        const char *rest, bool needs_text)
{
    const char *text = "";
    wpa_object object = split_object(ui, rest, &text);
    if (object.kind != wanted) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s: which one? Give its id", wpa_command_name(kind));
        return;
    }
    if (needs_text && !*text) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s: a reason is needed behind the id",
                   wpa_command_name(kind));
        return;
    }
    if (!wpa_ui_check_change(ui, verb, object)) {
        return;
    }
    char id[WPA_SHORT];
    wpa_command *command = wpa_command_new(kind);
    command->object = object;
    command->text = *text ? wpa_arena_text(command->arena, text) : NULL;
    wpa_ask *ask = wpa_ask_open(ui, "Sure", command);
    (void)wpa_text_format(ask->question, sizeof ask->question, "%s: %s%s%s?",
                          wpa_object_text(object, id, sizeof id), wpa_command_name(kind),
                          *text ? ", because " : "", text);
    ask->yes = "yes";
}

static void run_promote(wpa_ui *ui, const char *rest)
{
    send_reason(ui, WPA_COMMAND_PROMOTE, WPA_OBJECT_DEPLOYMENT, WPA_VERB_HOLD, rest, true);
}

static void run_conclude(wpa_ui *ui, const char *rest)
{
    send_reason(ui, WPA_COMMAND_CONCLUDE, WPA_OBJECT_DEPLOYMENT, WPA_VERB_HOLD, rest, true);
}

static void run_abort(wpa_ui *ui, const char *rest)
{
    send_reason(ui, WPA_COMMAND_ABORT, WPA_OBJECT_DEPLOYMENT, WPA_VERB_HOLD, rest, false);
}

static void run_withdraw(wpa_ui *ui, const char *rest)
{
    send_reason(ui, WPA_COMMAND_WITHDRAW, WPA_OBJECT_PATCH, WPA_VERB_APPROVE, rest, false);
}

static void run_unignore(wpa_ui *ui, const char *rest)
{
    const char *text = "";
    wpa_object object = split_object(ui, rest, &text);
    if (object.kind == WPA_OBJECT_FINDING && wpa_ui_check_change(ui, WPA_VERB_IGNORE, object)) {
        wpa_command *command = wpa_command_new(WPA_COMMAND_UNIGNORE);
        command->objects = wpa_arena_dup(command->arena, &object, sizeof object);
        command->n_objects = 1;
        (void)wpa_ui_send(ui, command);
    }
}

static void run_who(wpa_ui *ui, const char *rest)
{
    (void)rest;
    wpa_ui_push(ui, wpa_view_named("who"), (wpa_object){WPA_OBJECT_NONE, 0});
}

static void run_set(wpa_ui *ui, const char *rest)
{
    size_t length = strcspn(rest, " ");
    if (length != strlen("filter") || strncmp(rest, "filter", length) != 0) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE,
                   "set filter NAME is what can be set here: the rest stands in console.yaml");
        return;
    }
    wpa_saved_set(ui, rest + length + strspn(rest + length, " "));
}

static void run_tour(wpa_ui *ui, const char *rest)
{
    (void)rest;
    wpa_tour_toggle(ui);
}

static const special specials[] = {
    {"goto", "ID or name", "open a thing", run_goto},
    {"depends", "ID or name", "a workflow in the middle of the map", run_depends},
    {"who", "", "who is signed in, and what they look at or decide", run_who},
    {"lock", "", "sign out; deploys and jobs go on", run_lock},
    {"analyse-all", "", "analyse every workflow", run_analyse_all},
    {"verify", "chain", "verify the audit log", run_verify},
    {"theme", "NAME", "dark, light, hc-dark, cvd-light ..., or yours", run_theme},
    {"filter", "TERMS", "narrow this list", run_filter},
    {"set", "filter NAME", "keep this list's filter as @NAME; without one forget it", run_set},
    {"layout", "PANES or NAME", "of the dashboard; save NAME keeps it, default is ours",
     wpa_layout_run},
    {"tour", "", "shows around in five minutes, and changes nothing; again ends it", run_tour},
    {"promote", "d-ID REASON", "go on in spite of a running check", run_promote},
    {"conclude", "d-ID REASON", "stop, leave what is changed", run_conclude},
    {"abort", "d-ID", "call off a planned deployment", run_abort},
    {"withdraw", "p-ID", "withdraw the approval", run_withdraw},
    {"unignore", "f-ID", "stop ignoring", run_unignore},
};

static const struct {
    const char *alias, *name;
} aliases[] = {{"q", "quit"}, {"w", "workflows"}, {"find", "goto"}, {"rollback", "roll-back"}};

/* How well a command fits what was typed: the better, the smaller. */
typedef enum fit {
    FIT_NAME,
    FIT_START,
    FIT_WORD,    /* the start of a word within the name */
    FIT_LETTERS, /* all letters, in their order */
    FIT_NONE,
} fit;

/* One line of the palette: a special or a verb. */
typedef struct entry {
    const special *special;
    wpa_verb verb;
    const char *name;
    fit fit;
    bool is_idle; /* means nothing for what is selected */
} entry;

static bool is_offered(wpa_verb verb)
{
    const wpa_verb_info *info = wpa_verb_info_of(verb);
    bool is_theme = verb == WPA_VERB_THEME || verb == WPA_VERB_FILTER;
    return info->group != WPA_GROUP_MOVE && verb != WPA_VERB_NOT_REFRESH && !is_theme;
}

static bool has_letters(const char *name, const char *letters)
{
    for (; *name && *letters; name++) {
        letters += *name == *letters;
    }
    return !*letters;
}

static fit fit_of(const char *name, const char *typed)
{
    for (size_t i = 0; i < WPA_COUNT(aliases); i++) {
        if (wpa_text_is(aliases[i].alias, typed) && wpa_text_is(aliases[i].name, name)) {
            return FIT_NAME;
        }
    }
    if (wpa_text_is(name, typed)) {
        return FIT_NAME;
    }
    if (wpa_text_starts(name, typed)) {
        return FIT_START;
    }
    for (const char *word = strchr(name, '-'); word; word = strchr(word + 1, '-')) {
        if (wpa_text_starts(word + 1, typed)) {
            return FIT_WORD;
        }
    }
    return has_letters(name, typed) ? FIT_LETTERS : FIT_NONE;
}

static int compare_entries(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    int by_fit = (int)a->fit - (int)b->fit, by_use = (int)a->is_idle - (int)b->is_idle;
    int by_key = (int)!a->verb - (int)!b->verb; /* what has a key is what most are looking for */
    return by_fit ? by_fit : by_key ? by_key : by_use ? by_use : strcmp(a->name, b->name);
}

/* What may be meant by the first word of line, best first; max is enough for all there are. */
static size_t list_matches(wpa_ui *ui, const char *line, entry *entries, size_t max)
{
    char word[WPA_SHORT];
    size_t n = 0;
    unsigned contexts = wpa_ui_contexts(ui) | WPA_ANYWHERE;
    (void)wpa_text_format(word, sizeof word, "%.*s", (int)strcspn(line, " "), line);
    for (size_t i = 0; i < WPA_COUNT(specials) && n < max; i++) {
        const char *name = specials[i].name;
        entries[n] = (entry){.special = &specials[i],
                             .name = name,
                             .fit = fit_of(name, word),
                             .is_idle = !*word}; /* keys are what most are looking for */
        n += entries[n].fit != FIT_NONE;
    }
    for (int i = 1; i < WPA_VERB_COUNT && n < max; i++) {
        const wpa_verb_info *info = wpa_verb_info_of((wpa_verb)i);
        entries[n] = (entry){.verb = (wpa_verb)i,
                             .name = info->name,
                             .fit = fit_of(info->name, word),
                             .is_idle = !(info->contexts & contexts)};
        n += is_offered((wpa_verb)i) && entries[n].fit != FIT_NONE;
    }
    qsort(entries, n, sizeof *entries, compare_entries);
    return n;
}

static void run_verb(wpa_ui *ui, wpa_verb verb, const char *rest)
{
    wpa_object object = wpa_object_parse(rest);
    if (*rest && object.kind == WPA_OBJECT_NONE) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "'%s' is no id such as p-7", rest);
        return;
    }
    if (object.kind != WPA_OBJECT_NONE && !wpa_object_is(object, wpa_ui_selected(ui))) {
        wpa_ui_open(ui, object);
    }
    ui->acts_on = object; /* not a row of its page, nor what is marked */
    wpa_ui_do(ui, verb);
    ui->acts_on = (wpa_object){WPA_OBJECT_NONE, 0};
}

/* Is it clear that the chosen of n is meant? What changes the fleet is not done on a guess. */
static bool is_clear(const entry *entries, size_t n, size_t choice)
{
    bool is_only_start = entries[0].fit == FIT_START && (n == 1 || entries[1].fit > FIT_START);
    return choice > 0 || entries[0].fit == FIT_NAME || is_only_start;
}

static void run_entry(wpa_ui *ui, const entry *it, const char *rest)
{
    if (it->special) {
        it->special->run(ui, rest);
    } else {
        run_verb(ui, it->verb, rest);
    }
}

static void run_line(wpa_ui *ui, const char *line, size_t choice)
{
    char name[WPA_SHORT];
    line += strspn(line, " ");
    size_t length = strcspn(line, " ");
    const char *rest = line + length + strspn(line + length, " ");
    (void)wpa_text_format(name, sizeof name, "%.*s", (int)length, line);
    if ((!*name && !choice) || open_by_id(ui, name)) {
        return;
    }
    if (wpa_text_is(name, "analyse") && wpa_text_is(rest, "all")) {
        run_analyse_all(ui, "");
        return;
    }
    entry entries[MATCHES_MAX];
    size_t n = list_matches(ui, name, entries, MATCHES_MAX);
    choice = choice < n ? choice : 0;
    bool is_guess = n && !is_clear(entries, n, choice);
    if (!n) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "no command '%s'", name);
    } else if (is_guess && entries[0].verb && wpa_verb_info_of(entries[0].verb)->is_changing) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "'%s' may mean %s: Tab writes it out, Down chooses", name,
                   entries[0].name);
    } else {
        run_entry(ui, &entries[choice], rest);
    }
}

void wpa_palette_run(wpa_ui *ui, const char *line)
{
    run_line(ui, line, 0);
}

bool wpa_palette_has(const char *name)
{
    for (size_t i = 0; i < WPA_COUNT(aliases); i++) {
        name = wpa_text_is(aliases[i].alias, name) ? aliases[i].name : name;
    }
    for (size_t i = 0; i < WPA_COUNT(specials); i++) {
        if (wpa_text_is(specials[i].name, name)) {
            return true;
        }
    }
    wpa_verb verb = wpa_verb_named(name);
    return verb != WPA_VERB_NONE && is_offered(verb);
}

const char *wpa_palette_special(size_t i, const char **usage, const char **help)
{
    if (i >= WPA_COUNT(specials)) {
        return NULL;
    }
    *usage = specials[i].usage;
    *help = specials[i].help;
    return specials[i].name;
}

void wpa_palette_open(wpa_ui *ui, const char *text)
{
    ui->mode = WPA_MODE_PALETTE;
    ui->prompt_choice = 0;
    ui->history_at = ui->n_history;
    wpa_field_set(&ui->prompt, text);
}

static void remember_line(wpa_ui *ui, const char *line)
{
    if (!*line || (ui->n_history && wpa_text_is(ui->history[ui->n_history - 1], line))) {
        return;
    }
    if (ui->n_history == (int)WPA_COUNT(ui->history)) {
        wpa_free(ui->history[0]);
        memmove(&ui->history[0], &ui->history[1], sizeof ui->history - sizeof ui->history[0]);
        ui->n_history--;
    }
    ui->history[ui->n_history++] = wpa_strdup(line);
}

static void walk_history(wpa_ui *ui, int by)
{
    int at = ui->history_at + by;
    if (at >= 0 && at <= ui->n_history) {
        ui->history_at = at;
        ui->prompt_choice = 0;
        wpa_field_set(&ui->prompt, at < ui->n_history ? ui->history[at] : "");
    }
}

static void complete(wpa_ui *ui)
{
    entry entries[MATCHES_MAX];
    char line[WPA_FIELD_MAX_BYTES], id[WPA_SHORT] = "";
    size_t n = list_matches(ui, ui->prompt.text, entries, MATCHES_MAX);
    if (!n || strchr(ui->prompt.text, ' ')) {
        return;
    }
    const entry *chosen = &entries[ui->prompt_choice < (int)n ? ui->prompt_choice : 0];
    bool takes_id =
        chosen->verb && !chosen->is_idle && wpa_verb_info_of(chosen->verb)->group == WPA_GROUP_ACT;
    if (takes_id) {
        (void)wpa_object_text(wpa_ui_selected(ui), id, sizeof id);
    }
    (void)wpa_text_format(line, sizeof line, "%s %s", chosen->name, id);
    wpa_field_set(&ui->prompt, line);
    ui->prompt_choice = 0;
}

/* Down from an older command to newer ones, then through what matches; Up the other way. */
static void choose(wpa_ui *ui, int by)
{
    entry entries[MATCHES_MAX];
    int n = (int)list_matches(ui, ui->prompt.text, entries, MATCHES_MAX);
    bool is_old = ui->history_at < ui->n_history;
    if (is_old || (by < 0 && ui->prompt_choice == 0)) {
        walk_history(ui, by);
    } else if (ui->prompt_choice + by < n) {
        ui->prompt_choice += by;
    }
}

void wpa_palette_key(wpa_ui *ui, const wpa_key *key)
{
    if (key->code == WPA_KEY_ESC || (key->code == WPA_KEY_CTRL && key->character == 'c')) {
        ui->mode = WPA_MODE_NORMAL;
    } else if (key->code == WPA_KEY_ENTER) {
        char line[WPA_FIELD_MAX_BYTES];
        (void)wpa_text_copy(line, sizeof line, ui->prompt.text);
        ui->mode = WPA_MODE_NORMAL;
        remember_line(ui, line);
        run_line(ui, line, (size_t)ui->prompt_choice);
    } else if (key->code == WPA_KEY_TAB) {
        complete(ui);
    } else if (key->code == WPA_KEY_UP) {
        choose(ui, -1);
    } else if (key->code == WPA_KEY_DOWN) {
        choose(ui, 1);
    } else if (key->code == WPA_KEY_BACKSPACE && !ui->prompt.length) {
        ui->mode = WPA_MODE_NORMAL;
    } else if (wpa_field_key(&ui->prompt, key)) {
        ui->prompt_choice = 0;
        ui->history_at = ui->n_history;
    }
}

static void draw_entry(wpa_ui *ui, const wpa_canvas *box, int row, const entry *it, bool is_chosen)
{
    char key[32] = "", id[WPA_SHORT] = "";
    const wpa_verb_info *info = it->verb ? wpa_verb_info_of(it->verb) : NULL;
    bool is_allowed = (!info || wpa_ui_may(ui, info->action)) && !(info && it->is_idle);
    wpa_paint paint = is_allowed ? WPA_PAINT_TEXT : WPA_PAINT_MUTED;
    wpa_canvas line = wpa_canvas_part(box, row, 1, 1, box->cols - 2);
    line.paint = is_chosen ? WPA_PAINT_SELECTED : -1;
    wpa_fill(&line, 0, 0, line.cols, WPA_PAINT_TEXT, ' ');
    if (info) {
        (void)wpa_keymap_key(&ui->keymap, it->verb, key, sizeof key);
        if (info->group == WPA_GROUP_ACT && !it->is_idle) {
            (void)wpa_object_text(wpa_ui_selected(ui), id, sizeof id);
        }
    }
    (void)wpa_put(&line, 0, 0, WPA_PAINT_FOCUS, is_chosen ? "▸" : " ");
    (void)wpa_put_fitf(&line, 0, 1, 30, paint, "%s %s", it->name,
                       it->special ? it->special->usage : id);
    if (line.cols > 33 + 8) {
        (void)wpa_put_fit(&line, 0, 33, line.cols - 33 - 8, WPA_PAINT_MUTED,
                          it->special ? it->special->help
                          : info      ? info->help
                                      : "");
    }
    (void)wpa_put_right(&line, 0, line.cols - 1, WPA_PAINT_KEY, key);
}

/* What matches, in a box above the prompt, around the chosen. */
static void draw_matches(wpa_ui *ui, const wpa_canvas *canvas, const entry *entries, int n)
{
    char title[WPA_FIELD_MAX_BYTES + 64];
    entry all[MATCHES_MAX];
    int room = canvas->rows - 6 > SHOWN_MAX ? SHOWN_MAX : canvas->rows - 6;
    int shown = n > room ? room : n, width = canvas->cols - 2 > 100 ? 100 : canvas->cols - 2;
    int first = ui->prompt_choice >= shown ? ui->prompt_choice - shown + 1 : 0;
    if (shown < 1) {
        return;
    }
    (void)wpa_text_format(title, sizeof title, "commands matching \"%s\"   %d of %zu",
                          ui->prompt.text, n, list_matches(ui, "", all, MATCHES_MAX));
    wpa_canvas box = wpa_canvas_part(canvas, canvas->rows - 4 - shown, 1, shown + 2, width);
    wpa_box(&box, title);
    for (int i = 0; i < shown; i++) {
        draw_entry(ui, &box, i + 1, &entries[first + i], first + i == ui->prompt_choice);
    }
}

static void draw_advice(wpa_ui *ui, const wpa_canvas *canvas, int row, const entry *chosen)
{
    wpa_object object = wpa_object_parse(ui->prompt.text);
    bool has_rest = strchr(ui->prompt.text, ' ') != NULL;
    int width = canvas->cols - 4;
    if (chosen && chosen->special && has_rest) {
        (void)wpa_put_fitf(canvas, row, 3, width, WPA_PAINT_MUTED, "%s %s: %s", chosen->name,
                           chosen->special->usage, chosen->special->help);
    } else if (object.kind != WPA_OBJECT_NONE) {
        (void)wpa_put_fitf(canvas, row, 3, width, WPA_PAINT_MUTED, "Enter opens %s",
                           ui->prompt.text);
    } else if (!chosen) {
        (void)wpa_put(canvas, row, 3, WPA_PAINT_PROMPT_ERROR, "no such command");
    } else {
        (void)wpa_put_fit(canvas, row, 3, width, WPA_PAINT_MUTED,
                          canvas->cols < 60 ? "Tab completes, Up Down choose"
                                            : "Tab completes, Down chooses, Up older commands");
    }
}

void wpa_palette_draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    entry entries[MATCHES_MAX];
    int n = (int)list_matches(ui, ui->prompt.text, entries, MATCHES_MAX), bottom = canvas->rows - 1;
    if (ui->prompt_choice >= n) { /* fewer match: what is selected may have changed */
        ui->prompt_choice = 0;
    }
    draw_matches(ui, canvas, entries, n);
    wpa_fill(canvas, bottom - 1, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    wpa_fill(canvas, bottom, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    draw_advice(ui, canvas, bottom - 1, n ? &entries[ui->prompt_choice] : NULL);
    (void)wpa_put(canvas, bottom, 0, WPA_PAINT_PROMPT, ":");
    wpa_field_draw(&ui->prompt, canvas, bottom, 1, canvas->cols - 2, 0, true);
}
