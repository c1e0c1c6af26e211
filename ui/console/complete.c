/* Tab in the filter: fields, and what the field before the cursor takes. */
#include <string.h>
#include <strings.h>

#include "console/ui.h"

#define CHOICES_MAX 128

/* What is being typed at the cursor, and what may stand in its place. */
typedef struct choices {
    size_t from;       /* of the prompt's text, up to the cursor */
    const char *field; /* whose values they are; NULL: they are fields */
    const char *words[CHOICES_MAX];
    size_t n;
    wpa_arena *arena;
} choices;

static void offer(choices *c, const char *typed, const char *word)
{
    if (!word || c->n == CHOICES_MAX || strncasecmp(word, typed, strlen(typed)) != 0) {
        return;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (wpa_text_is(c->words[i], word)) {
            return;
        }
    }
    c->words[c->n++] = word;
}

static void offer_fields(choices *c, wpa_list list, const char *typed)
{
    const char *const *fields = wpa_filter_fields(list);
    for (size_t i = 0; fields[i]; i++) {
        bool is_range = wpa_text_is(fields[i], "age") || wpa_text_is(fields[i], "score");
        offer(c, typed, wpa_arena_printf(c->arena, "%s%s", fields[i], is_range ? "<" : ":"));
    }
}

static void offer_saved(choices *c, const wpa_ui *ui, wpa_list list, const char *typed)
{
    c->field = "saved";
    if (wpa_filter_has_field(list, "by")) {
        offer(c, typed, "@mine");
    }
    for (size_t i = 0; i < ui->filters.n; i++) {
        offer(c, typed, wpa_arena_printf(c->arena, "@%s", ui->filters.items[i].name));
    }
}

/* A filter's blanks end its terms: what has one can only be meant with ? in its place. */
static const char *without_blanks(const choices *c, const char *name)
{
    char *copy = wpa_arena_text(c->arena, name);
    for (char *at = copy; copy && *at; at++) {
        *at = *at == ' ' || *at == ',' ? '?' : *at;
    }
    return copy;
}

static void offer_workflow(choices *c, const char *typed, const wpa_workflow_row *row)
{
    bool is_repository = wpa_text_is(c->field, "repo");
    offer(c, typed, without_blanks(c, is_repository ? row->repository : row->name));
}

/* Workflows that are loaded anywhere. */
static void offer_workflows(choices *c, const wpa_ui *ui, const char *typed)
{
    const wpa_list_view *view = ui->lists[WPA_LIST_WORKFLOWS].view;
    for (size_t i = 0; ui->dash && i < ui->dash->n_worst; i++) {
        offer_workflow(c, typed, &ui->dash->worst[i]);
    }
    for (size_t i = 0; view && i < view->n_rows; i++) {
        offer_workflow(c, typed, &view->workflows[i]);
    }
}

static void offer_values(choices *c, const wpa_ui *ui, wpa_list list, const char *typed)
{
    size_t n = 0;
    const char *const *words = wpa_filter_words(list, c->field, &n);
    for (size_t i = 0; i < n; i++) {
        offer(c, typed, words[i]);
    }
    if (wpa_text_is(c->field, "wf") || wpa_text_is(c->field, "repo")) {
        offer_workflows(c, ui, typed);
    } else if (wpa_text_is(c->field, "by") || wpa_text_is(c->field, "requester")) {
        offer(c, typed, ui->session->name);
    }
}

/* Finds the term at the cursor, and in it the value that is typed. */
static void find_choices(const wpa_ui *ui, wpa_list list, choices *c)
{
    const wpa_field *prompt = &ui->prompt;
    size_t from = prompt->at;
    while (from > 0 && prompt->text[from - 1] != ' ') {
        from--;
    }
    from += prompt->text[from] == '!';
    c->from = from < prompt->at ? from : prompt->at;
    char *term = wpa_arena_slice(c->arena, prompt->text + c->from, prompt->at - c->from);
    if (*term == '@') {
        offer_saved(c, ui, list, term);
        return;
    }
    size_t name = strcspn(term, ":=<>");
    if (!term[name]) {
        offer_fields(c, list, term);
        return;
    }
    c->field = wpa_arena_slice(c->arena, term, name);
    if (!wpa_filter_has_field(list, c->field)) {
        return;
    }
    size_t value = name + strspn(term + name, ":=<>");
    const char *comma = strrchr(term + value, ',');
    value = comma ? (size_t)(comma - term) + 1 : value;
    c->from += value;
    offer_values(c, ui, list, term + value);
}

const char *wpa_complete_words(const wpa_ui *ui, wpa_list list, char *text, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    choices c = {.arena = arena};
    text[0] = '\0';
    find_choices(ui, list, &c);
    if (!c.n || !c.field) {
        return text;
    }
    (void)wpa_text_format(text, size_bytes, "%s: ", c.field);
    for (size_t i = 0; i < c.n; i++) {
        size_t used = strlen(text);
        (void)wpa_text_format(text + used, size_bytes - used, " %s", c.words[i]);
    }
    return text;
}

static size_t common_length(const choices *c)
{
    size_t length = strlen(c->words[0]);
    for (size_t i = 1; i < c->n; i++) {
        while (strncasecmp(c->words[i], c->words[0], length) != 0) {
            length--;
        }
    }
    return length;
}

void wpa_complete(wpa_ui *ui, wpa_list list)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    choices c = {.arena = arena};
    wpa_field *prompt = &ui->prompt;
    find_choices(ui, list, &c);
    size_t length = c.n ? common_length(&c) : 0;
    while (length > 0 && ((unsigned char)c.words[0][length] & 0xC0) == 0x80) {
        length--; /* names may differ within a character */
    }
    if (length <= prompt->at - c.from && c.n != 1) {
        return;
    }
    char line[2 * WPA_FIELD_MAX_BYTES];
    (void)wpa_text_format(line, sizeof line, "%.*s%.*s", (int)c.from, prompt->text, (int)length,
                          c.words[0]);
    size_t at = strlen(line);
    (void)wpa_text_copy(line + at, sizeof line - at, prompt->text + prompt->at);
    if (strlen(line) < sizeof prompt->text) {
        wpa_field_set(prompt, line);
        prompt->at = at;
    }
}
