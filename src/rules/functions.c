#include "rules/functions.h"

#include <ctype.h>
#include <string.h>

#define FUNCTIONS_MAX 64
#define DEPTH_MAX 64
#define SPANS_MAX 64
#define INDEX_MAX 99

typedef struct function {
    wpa_slice name;
    wpa_span body; /* the braces included */
} function;

typedef struct functions {
    function *items; /* [n] inner ones before those around them */
    size_t n, capacity;
} functions;

/* ---- where functions stand ---------------------------------------------------------------------
 */

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* The name in front of the brace: "name() {", "function name {"; empty if there is none. */
static wpa_slice name_before(const char *text, size_t brace)
{
    size_t end = brace;
    while (end && strchr(" \t\r\n", text[end - 1])) {
        end--;
    }
    bool is_marked = end > 1 && text[end - 1] == ')' && text[end - 2] == '(';
    end -= is_marked ? 2 : 0;
    while (is_marked && end && text[end - 1] == ' ') {
        end--;
    }
    size_t start = end;
    while (start && is_of_name(text[start - 1])) {
        start--;
    }
    is_marked = is_marked || (start >= 9 && memcmp(text + start - 9, "function ", 9) == 0);
    return (wpa_slice){text + start, is_marked ? end - start : 0};
}

static void add_function(wpa_arena *arena, functions *list, wpa_slice name, wpa_span body)
{
    if (name.length && list->n < FUNCTIONS_MAX) {
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        list->items[list->n++] = (function){name, body};
    }
}

/* All of a step's script, gathered once a rule. */
static const functions *functions_of(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_new;
    functions *list = wpa_site_keep(run, 'f', step, NULL, sizeof *list, &is_new);
    const wpa_script *script = is_new ? step->script : NULL;
    size_t open[DEPTH_MAX], depth = 0;
    for (size_t i = 0; script && script->contexts && i < script->length; i++) {
        char c = script->text[i];
        if ((c != '{' && c != '}') || script->contexts[i] != WPA_SHELL_PLAIN) {
            continue;
        }
        if (c == '{') {
            if (depth == DEPTH_MAX) {
                break;
            }
            open[depth++] = i;
        } else if (depth) {
            size_t start = open[--depth];
            add_function(run->lasting, list, name_before(script->text, start),
                         (wpa_span){start, i + 1});
        }
    }
    return list;
}

/* The innermost function that the offset stands in, or NULL. */
static const function *function_at(const functions *list, size_t at)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].body.start <= at && at < list->items[i].body.end) {
            return &list->items[i];
        }
    }
    return NULL;
}

/* ---- what they are given -----------------------------------------------------------------------
 */

bool wpa_positional_is(const char *name)
{
    return *name == '@' || (*name >= '1' && *name <= '9');
}

typedef struct collector {
    wpa_span *spans;
    size_t n, capacity;
    wpa_arena *arena;
    size_t index;  /* of the parameter, from 0 */
    bool takes_on; /* and all behind it */
} collector;

/* Words fall apart where an expansion stands without quotes. */
static bool may_fall_apart(const wpa_script *script, const wpa_shell_word *word)
{
    size_t at = word->span.start;
    return script->text[at] == '$' && script->contexts && script->contexts[at] == WPA_SHELL_PLAIN;
}

static void collect(collector *l, const wpa_script *script, const wpa_shell_command *c,
                    size_t first)
{
    for (size_t i = first; i < c->n_words && l->n < SPANS_MAX; i++) {
        size_t index = i - first;
        bool is_it = index == l->index || (index > l->index && l->takes_on) ||
                     (index < l->index && may_fall_apart(script, &c->words[i]));
        if (is_it) {
            l->spans = wpa_arena_grow(l->arena, l->spans, l->n, &l->capacity, sizeof *l->spans);
            l->spans[l->n++] = c->words[i].span;
        }
    }
}

/* The first word that "set" makes a parameter: behind "--", or no option itself. */
static size_t first_set(const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (wpa_text_is(word, "--")) {
            return i + 1;
        }
        if (*word != '-' && *word != '+') {
            return wpa_text_starts(c->words[i - 1].text, "-") ? c->n_words : i; /* "-o pipefail" */
        }
    }
    return c->n_words;
}

/* The first word behind the function's name where the command calls it, 0 if it does not; a name
   like "retry" is no wrapper where the script has a function of its own by it. */
static size_t first_given(const wpa_shell_command *c, const function *f)
{
    for (size_t i = 0; i <= c->first; i++) {
        if (wpa_slice_is(f->name, c->words[i].text)) {
            return i + 1;
        }
    }
    return 0;
}

/* Does "shift" stand before, or in a loop around it, so that any word may be the first? */
static bool shifts(const char *text, wpa_span body, size_t at)
{
    size_t reach = wpa_text_find(text + body.start, wpa_span_length(body), "while ") ||
                           wpa_text_find(text + body.start, wpa_span_length(body), "until ")
                       ? body.end
                       : at;
    return body.start < reach &&
           wpa_text_find(text + body.start, reach - body.start, "shift") != NULL;
}

wpa_positional wpa_positional_of(wpa_rule_run *run, const wpa_outline_step *step, const char *name,
                                 size_t at)
{
    const wpa_script *script = step->script;
    if (!script || !script->is_readable || !wpa_rule_spend(run, script->length)) {
        return (wpa_positional){0};
    }
    const functions *list = functions_of(run, step);
    const function *f = function_at(list, at);
    collector l = {.arena = run->arena, .takes_on = *name == '@'};
    for (const char *digit = name; *digit >= '0' && *digit <= '9' && l.index < INDEX_MAX; digit++) {
        l.index = l.index * 10 + (size_t)(*digit - '0');
    }
    l.index -= l.index ? 1 : 0;
    wpa_span body = f ? f->body : (wpa_span){0, script->length};
    l.takes_on = l.takes_on || shifts(script->text, body, at);
    for (size_t i = 0; i < script->n_commands && wpa_rule_spend(run, 1); i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (c->is_nested_script || c->n_words <= c->first) {
            continue;
        }
        size_t given = f ? first_given(c, f) : 0;
        if (given && function_at(list, c->span.start) != f) {
            collect(&l, script, c, given);
        } else if (!f && c->span.start < at && wpa_text_is(c->name, "set") &&
                   !function_at(list, c->span.start)) {
            l.n = first_set(c) < c->n_words ? 0 : l.n; /* in place of those before */
            collect(&l, script, c, first_set(c));
        }
    }
    return (wpa_positional){l.spans, l.n};
}
