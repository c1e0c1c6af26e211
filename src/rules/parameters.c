#include "rules/parameters.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define FUNCTIONS_MAX 64
#define PARAMETERS_MAX 16
#define DEPTH_MAX 64
#define VALUES_MAX 512
#define TRIES_MAX 256 /* words "function" that are looked behind */
/* Bytes of attributes and comments between a function's brace and its "param". */
#define HEAD_MAX_BYTES 512

typedef struct parameter {
    wpa_slice name;
    wpa_span fallback; /* what it is if a call gives nothing; empty: nothing */
} parameter;

typedef struct function {
    wpa_slice name; /* "$name" of a block that a variable holds */
    wpa_span body;  /* what stands within the braces; its end is 0 while they are open */
    parameter parameters[PARAMETERS_MAX];
    size_t n_parameters;
} function;

typedef struct reader {
    const wpa_script *script;
    function *functions; /* [n] in the order in which they begin */
    size_t n, capacity;
    wpa_arena *arena; /* for the time of the call */
} reader;

/* ---- where functions stand ---------------------------------------------------------------------
 */

static bool is_code(const wpa_script *script, size_t at)
{
    return at < script->length && script->contexts[at] == WPA_SHELL_PLAIN;
}

static size_t skip_blanks(const wpa_script *script, size_t at)
{
    while (at < script->length &&
           (strchr(" \t\r\n", script->text[at]) || script->contexts[at] == WPA_SHELL_COMMENT)) {
        at++;
    }
    return at;
}

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '$' || c == ':';
}

/* Does this word of code stand here, in any case of letters? */
static bool has_word(const wpa_script *script, size_t at, const char *word)
{
    size_t n = strlen(word);
    return is_code(script, at) && at + n < script->length &&
           strncasecmp(script->text + at, word, n) == 0 && !is_of_word(script->text[at + n]) &&
           (at == 0 || !is_of_word(script->text[at - 1]));
}

/* Behind the bracket that closes the one here; the script's end if none does. */
static size_t behind_bracket(const wpa_script *script, size_t at)
{
    long depth = 0;
    for (; at < script->length; at++) {
        char c = is_code(script, at) ? script->text[at] : ' ';
        depth += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
        if (depth == 0) {
            return at + 1;
        }
    }
    return at;
}

/* One parameter's text: attributes, a type, "$name", "= value". */
static void add_parameter(const wpa_script *script, function *f, wpa_span text)
{
    long depth = 0;
    for (size_t i = text.start; i < text.end && f->n_parameters < PARAMETERS_MAX; i++) {
        char c = is_code(script, i) ? script->text[i] : ' ';
        depth += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
        size_t length = depth == 0 && c == '$' ? wpa_text_name_length(script->text + i + 1) : 0;
        if (length) {
            size_t behind = skip_blanks(script, i + 1 + length);
            bool has_fallback = behind < text.end && script->text[behind] == '=';
            f->parameters[f->n_parameters++] = (parameter){
                .name = {script->text + i + 1, length},
                .fallback = {behind + 1, has_fallback ? text.end : behind + 1},
            };
            return;
        }
    }
}

/* What stands within the brackets that open here, between commas. */
static void add_parameters(const wpa_script *script, function *f, size_t open)
{
    size_t close = behind_bracket(script, open) - 1, start = open + 1;
    long depth = 0;
    for (size_t i = start; i <= close && i < script->length; i++) {
        char c = is_code(script, i) ? script->text[i] : ' ';
        if (i == close || (c == ',' && depth == 0)) {
            add_parameter(script, f, (wpa_span){start, i});
            start = i + 1;
        }
        depth += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
    }
}

/* "param(...)" at the head of a body, behind attributes. */
static void add_head(const wpa_script *script, function *f)
{
    size_t at = skip_blanks(script, f->body.start), end = f->body.start + HEAD_MAX_BYTES;
    while (at < end && at < script->length && script->text[at] == '[') {
        at = skip_blanks(script, behind_bracket(script, at));
    }
    bool is_head = at + 5 < script->length && is_code(script, at) &&
                   strncasecmp(script->text + at, "param", 5) == 0;
    size_t open = is_head ? skip_blanks(script, at + 5) : 0;
    if (is_head && is_code(script, open) && script->text[open] == '(') {
        add_parameters(script, f, open);
    }
}

/* "function name", with its parameters in brackets or not: up to its brace, else behind the word.
 */
static size_t read_named(const wpa_script *script, size_t at, size_t word_length, function *f)
{
    size_t start = skip_blanks(script, at + word_length), end = start;
    while (end < script->length && is_of_word(script->text[end])) {
        end++;
    }
    size_t open = skip_blanks(script, end);
    *f = (function){.name = {script->text + start, end - start}};
    if (is_code(script, open) && script->text[open] == '(') {
        add_parameters(script, f, open);
        open = skip_blanks(script, behind_bracket(script, open));
    }
    bool is_one = end > start && is_code(script, open) && script->text[open] == '{';
    *f = is_one ? *f : (function){0};
    return is_one ? open : at + word_length;
}

/* "$name = {": the name in front of a brace. */
static wpa_slice variable_before(const wpa_script *script, size_t brace)
{
    const char *text = script->text;
    size_t end = brace;
    for (size_t marks = 0;
         end && (strchr(" \t", text[end - 1]) || (text[end - 1] == '=' && !marks++));) {
        end--;
    }
    size_t start = end;
    while (start && (isalnum((unsigned char)text[start - 1]) || text[start - 1] == '_')) {
        start--;
    }
    bool is_one =
        start && start < end && text[start - 1] == '$' && memchr(text + end, '=', brace - end);
    return is_one ? (wpa_slice){text + start - 1, end - start + 1} : (wpa_slice){text, 0};
}

static void add_function(reader *r, const function *f)
{
    r->functions = wpa_arena_grow(r->arena, r->functions, r->n, &r->capacity, sizeof *r->functions);
    r->functions[r->n] = *f;
    if (!f->n_parameters) {
        add_head(r->script, &r->functions[r->n]);
    }
    r->n++;
}

/* Every function, and every block that a variable holds. */
static void read_functions(reader *r)
{
    const wpa_script *script = r->script;
    size_t open[DEPTH_MAX], depth = 0; /* number of the function whose brace it is, or none */
    size_t n_tries = 0;
    function pending = {0};
    for (size_t i = 0; i < script->length && r->n < FUNCTIONS_MAX; i++) {
        char c = is_code(script, i) ? script->text[i] : ' ';
        size_t word = has_word(script, i, "function") ? 8 : has_word(script, i, "filter") ? 6 : 0;
        if (word && n_tries++ < TRIES_MAX) {
            i = read_named(script, i, word, &pending) - 1;
        } else if (c == '{' && depth < DEPTH_MAX) {
            wpa_slice name = pending.name.length ? pending.name : variable_before(script, i);
            pending.name = name;
            pending.body = (wpa_span){i + 1, 0};
            open[depth++] = name.length ? r->n : FUNCTIONS_MAX;
            if (name.length) {
                add_function(r, &pending);
            }
            pending = (function){0};
        } else if (c == '}' && depth && open[--depth] < FUNCTIONS_MAX) {
            r->functions[open[depth]].body.end = i;
        }
    }
}

/* ---- what they are given -----------------------------------------------------------------------
 */

static void add_value(wpa_parameter_values *list, wpa_arena *arena, const function *f,
                      wpa_slice name, wpa_span value)
{
    if (name.length && value.start < value.end && list->n < VALUES_MAX) {
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        list->items[list->n++] = (wpa_parameter_value){name, f->body, value};
    }
}

/* The parameter that "-Name" or the beginning of its name means; n_parameters if none. */
static size_t parameter_named(const function *f, const char *word, size_t length)
{
    size_t i = 0;
    while (i < f->n_parameters && (length > f->parameters[i].name.length ||
                                   strncasecmp(f->parameters[i].name.at, word, length) != 0)) {
        i++;
    }
    return length ? i : f->n_parameters;
}

/* A call's words: those behind "-Name" go to that parameter, others to the next that is free. */
static void bind(wpa_parameter_values *list, wpa_arena *arena, const function *f,
                 const wpa_shell_command *c, size_t first)
{
    static const char rest[] = "args";
    bool is_bound[PARAMETERS_MAX + 1] = {false};
    const wpa_shell_word *free[PARAMETERS_MAX];
    size_t n_free = 0, next = 0;
    for (size_t i = first; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        bool is_name = word[0] == '-' && isalpha((unsigned char)word[1]);
        size_t length = is_name ? strcspn(word + 1, ":") : 0;
        size_t at = parameter_named(f, word + 1, length);
        if (is_name && word[1 + length] == ':') {
            is_bound[at] = true;
            add_value(list, arena, f,
                      at < f->n_parameters ? f->parameters[at].name : (wpa_slice){0},
                      c->words[i].span);
        } else if (is_name && at < f->n_parameters && i + 1 < c->n_words &&
                   c->words[i + 1].text[0] != '-') {
            is_bound[at] = true;
            add_value(list, arena, f, f->parameters[at].name, c->words[++i].span);
        } else if (!is_name && n_free < WPA_COUNT(free)) {
            free[n_free++] = &c->words[i];
        }
    }
    for (size_t i = 0; i < n_free; i++) {
        while (next < f->n_parameters && is_bound[next]) {
            next++;
        }
        wpa_slice name = next < f->n_parameters ? f->parameters[next].name : wpa_slice_of(rest);
        add_value(list, arena, f, name, free[i]->span);
        next++;
    }
}

/* The first word behind the function's name where the command calls it, 0 if it does not. */
static size_t first_given(const wpa_shell_command *c, const function *f)
{
    for (size_t i = 0; i <= c->first && i < c->n_words; i++) {
        if (strlen(c->words[i].text) == f->name.length &&
            strncasecmp(c->words[i].text, f->name.at, f->name.length) == 0) {
            return i + 1;
        }
    }
    return 0;
}

static void add_calls(wpa_rule_run *run, const wpa_script *script, const function *f,
                      wpa_parameter_values *list, wpa_arena *arena)
{
    for (size_t i = 0; i < script->n_commands && wpa_rule_spend(run, 1); i++) {
        const wpa_shell_command *c = &script->commands[i];
        size_t first = first_given(c, f);
        if (first && first < c->n_words) {
            bind(list, arena, f, c, first);
        }
    }
}

wpa_parameter_values wpa_parameter_values_of(wpa_rule_run *run, const wpa_outline_step *step,
                                             wpa_arena *arena)
{
    wpa_parameter_values list = {0};
    const wpa_script *script = step->lexed;
    bool may_have = script && script->is_readable && script->contexts &&
                    memchr(script->text, '{', script->length) &&
                    wpa_rule_spend(run, script->length);
    reader r = {.script = script, .arena = run->arena};
    if (may_have) {
        read_functions(&r);
    }
    for (size_t i = 0; i < r.n; i++) {
        function *f = &r.functions[i];
        f->body.end = f->body.end ? f->body.end : script->length;
        for (size_t k = 0; k < f->n_parameters; k++) {
            add_value(&list, arena, f, f->parameters[k].name, f->parameters[k].fallback);
        }
        add_calls(run, script, f, &list, arena);
    }
    return list;
}
