/* Taint inside scripts: variables, assignments, what their text reads. */
#include <ctype.h>
#include <string.h>

#include "rules/taint_internal.h"

#define NAME_MAX_BYTES 128

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};

/* ---- variables ---------------------------------------------------------------------------------
 */

static bool mentions(const char *text, size_t length, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n < length; i++) {
        bool is_start = text[i] == '$';
        size_t at = i + 1 + (size_t)(is_start && text[i + 1] == '{');
        if (is_start && at + n <= length && strncmp(text + at, name, n) == 0 &&
            !(isalnum((unsigned char)text[at + n]) || text[at + n] == '_')) {
            return true;
        }
    }
    return false;
}

/* Has the script tested the variable against a pattern before, and left if it did not fit? */
static bool is_tested(const wpa_script *script, const char *name, size_t at)
{
    if (!script || !strstr(script->text, "exit")) {
        return false;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_test = wpa_text_is(c->name, "[[") && wpa_shell_word_find(c, "=~");
        bool is_grep = wpa_text_is(c->name, "grep") && i > 0 && wpa_text_is(c->before, "|");
        wpa_span span = is_grep ? script->commands[i - 1].span : c->span;
        if ((is_test || is_grep) && c->span.end <= at && span.end > span.start &&
            mentions(script->text + span.start, wpa_span_length(span), name)) {
            return true;
        }
    }
    return false;
}

/* Do words behind the command's name assign as well? */
static bool declares(const wpa_shell_command *c)
{
    static const char *const builtins[] = {"export", "local", "declare", "readonly", "typeset"};
    return wpa_text_index(c->name, builtins, WPA_COUNT(builtins)) >= 0;
}

/* "NAME=value" in a script. */
typedef struct assignment {
    const char *word; /* begins with the name */
    size_t name_length;
    size_t at; /* where its command begins */
    wpa_span value;
    bool is_judged, is_harmless; /* the second once the first is set */
    bool is_open;                /* being traced: what leads back to it adds nothing */
} assignment;

typedef struct assignments {
    assignment *items;
    size_t n, capacity;
} assignments;

static void add_assignment(wpa_arena *arena, assignments *list, const wpa_shell_command *c,
                           const wpa_shell_word *word)
{
    const char *equals = strchr(word->text, '=');
    size_t length = equals ? (size_t)(equals - word->text) : 0;
    wpa_span value = {word->span.start + length + 1, word->span.end};
    length -= length && word->text[length - 1] == '+' ? 1 : 0;
    if (length && value.start < value.end) {
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        list->items[list->n++] = (assignment){
            .word = word->text, .name_length = length, .at = c->span.start, .value = value};
    }
}

/* All of a step's script, gathered once a rule: "NAME=x cmd", "export NAME=x". */
static const assignments *assignments_of(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_new;
    assignments *list = wpa_site_keep(run, 'v', step, NULL, sizeof *list, &is_new);
    for (size_t i = 0; is_new && step->script && i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        size_t n = declares(c) ? c->n_words : c->first;
        for (size_t k = 0; k < n && k < c->n_words; k++) {
            add_assignment(run->lasting, list, c, &c->words[k]);
        }
    }
    return list;
}

/* The worst that the script gives the variable before this offset. */
static wpa_taint trace_assignments(wpa_tracer *t, const wpa_site *site, const char *name, size_t at,
                                   bool *is_assigned)
{
    const assignments *list = assignments_of(t->run, site->step);
    wpa_taint worst = none;
    size_t length = strlen(name);
    *is_assigned = false;
    for (size_t i = 0; i < list->n; i++) {
        assignment *a = &list->items[i];
        if (a->at >= at || a->name_length != length || memcmp(a->word, name, length) != 0) {
            continue;
        }
        *is_assigned = true;
        if (!a->is_judged) {
            a->is_judged = true;
            a->is_harmless = wpa_taint_is_sanitised(site->step->script->text, a->value);
        }
        t->is_cut = t->is_cut || a->is_open;
        if (!a->is_harmless && !a->is_open) {
            a->is_open = true;
            wpa_taint taint = wpa_trace_script(t, site, a->value);
            list->items[i].is_open = false;
            worst = wpa_taint_worse(worst, taint);
        }
    }
    return worst;
}

static wpa_taint trace_variable(wpa_tracer *t, const wpa_site *site, const char *name, size_t at)
{
    bool is_assigned;
    const wpa_script *script = site->step->script;
    wpa_trace_memo memo;
    if (!t->left || !wpa_rule_spend(t->run, script ? script->n_commands + 16 : 16)) {
        t->is_cut = true;
        return none;
    }
    const wpa_taint *known = wpa_trace_known(t, site, 'V', at, name, &memo);
    if (known) {
        return *known;
    }
    t->left--;
    wpa_taint taint = trace_assignments(t, site, name, at, &is_assigned);
    if (!is_assigned) {
        taint = wpa_trace_env(t, site, name);
    }
    bool is_refused = taint.grade > WPA_TAINT_UNKNOWN && is_tested(script, name, at);
    taint = is_refused ? none : taint;
    wpa_trace_keep(t, &memo, &taint);
    return taint;
}

wpa_taint wpa_taint_of_variable(wpa_rule_run *run, const wpa_site *site, const char *name,
                                size_t at)
{
    wpa_tracer t = {.run = run, .left = 1000};
    return trace_variable(&t, site, name, at);
}

/* ---- text of scripts ---------------------------------------------------------------------------
 */

/* What all readers of the environment in other languages have in them. */
static bool has_readers(const char *text, wpa_span span)
{
    return wpa_text_find(text + span.start, wpa_span_length(span), "env") != NULL;
}

/* The next place from here on where a variable may be read; the end if there is none. */
static size_t next_read(const char *text, wpa_span span, size_t at, wpa_shell shell,
                        bool has_readers)
{
    bool is_marked = shell != WPA_SHELL_PYTHON && shell != WPA_SHELL_CMD && !has_readers;
    const char *mark = is_marked ? memchr(text + at, '$', span.end - at) : text + at;
    return mark ? (size_t)(mark - text) : span.end;
}

/* The name of a variable that is read at text[*at]; *at moves behind it. False: none is. */
static bool read_variable(const char *text, size_t length, wpa_shell shell, size_t *at, char *name)
{
    /* Of Python, and of programs that stand in a script of another language. */
    static const char *const readers[] = {
        "process.env.",      "os.environ[\"",    "os.environ['", "os.getenv(\"", "os.getenv('",
        "os.environ.get(\"", "os.environ.get('", "environ[\"",   "environ['",    "environ.get(\"",
        "environ.get('",     "getenv(\"",        "getenv('"};
    size_t i = *at;
    bool is_found = false;
    if (shell == WPA_SHELL_PYTHON || text[i] == 'p' || text[i] == 'o') {
        for (size_t k = 0; k < WPA_COUNT(readers) && !is_found; k++) {
            size_t n = strlen(readers[k]);
            is_found = i + n < length && strncmp(text + i, readers[k], n) == 0;
            i += is_found ? n : 0;
        }
    } else if (shell == WPA_SHELL_CMD) {
        is_found = text[i] == '%' || text[i] == '!';
        i += is_found ? 1 : 0;
    } else if (text[i] == '$') {
        i++;
        i += i < length && text[i] == '{' ? 1 : 0;
        i += shell == WPA_SHELL_PWSH && i + 4 < length && strncasecmp(text + i, "env:", 4) == 0 ? 4
                                                                                                : 0;
        is_found = true;
    }
    size_t n = 0;
    while (is_found && i + n < length && n + 1 < NAME_MAX_BYTES &&
           (isalnum((unsigned char)text[i + n]) || text[i + n] == '_')) {
        name[n] = text[i + n];
        n++;
    }
    name[n] = '\0';
    if (n) {
        *at = i + n - 1;
    }
    return n > 0;
}

static bool expands_at(const wpa_script *script, size_t at)
{
    if (!script || !script->contexts || at >= script->length) {
        return true;
    }
    uint8_t context = script->contexts[at];
    return context != WPA_SHELL_SINGLE && context != WPA_SHELL_HEREDOC_QUOTED &&
           context != WPA_SHELL_COMMENT;
}

/* "$([ -n "$X" ] && echo true)": what a test reads nobody gets. */
static bool is_only_asked(const wpa_script *script, size_t at)
{
    static const char *const tests[] = {"[", "[[", "test"};
    for (size_t i = 0; script && script->is_readable && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (c->nested && !c->is_nested_script && c->span.start <= at && at < c->span.end &&
            wpa_text_index(c->name, tests, WPA_COUNT(tests)) >= 0) {
            return true;
        }
    }
    return false;
}

/* "$(cat "$DIR/version")": what comes out is what stands in the file, not its name. */
static bool only_names_file(const wpa_shell_command *c, size_t at)
{
    static const char *const readers[] = {"cat", "head", "tail", "tac", "wc", "stat", "sha256sum"};
    if (c->first >= c->n_words || at < c->words[c->first].span.end || at >= c->span.end ||
        wpa_text_index(c->name, readers, WPA_COUNT(readers)) < 0) {
        return false;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (wpa_span_contains(c->words[i].span, (wpa_span){at, at})) {
            return !wpa_text_starts(c->words[i].text, "<(");
        }
    }
    return false;
}

static bool is_in_file_name(wpa_tracer *t, const wpa_site *site, size_t at)
{
    const wpa_script *script = site->step->script;
    bool is_asked = script && script->is_readable && wpa_rule_spend(t->run, script->n_commands);
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        if (!script->commands[i].is_nested_script && only_names_file(&script->commands[i], at)) {
            return true;
        }
    }
    return false;
}

/* The expressions of the span, but for those in names of files that are read. */
static wpa_taint trace_expressions(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    wpa_taint worst = none;
    wpa_span fence, inside;
    const wpa_yaml_node *node = site->step->run;
    for (size_t at = span.start; wpa_flow_next_fence(node->text, span.end, &at, &fence, &inside);) {
        wpa_taint taint = wpa_trace_text(t, site, node, fence);
        if (wpa_taint_is_tainted(&taint) && is_in_file_name(t, site, fence.start)) {
            continue;
        }
        worst = wpa_taint_worse(worst, taint);
    }
    return worst;
}

wpa_taint wpa_trace_script(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    const wpa_outline_step *step = site->step;
    const wpa_yaml_node *node = step->run;
    if (!node || span.end > node->length) {
        return none;
    }
    if (t->depth >= WPA_TAINT_MAX_HOPS || !t->left ||
        !wpa_rule_spend(t->run, wpa_span_length(span) * 4)) {
        t->is_cut = true;
        return none;
    }
    t->depth++;
    t->left--;
    wpa_taint worst = trace_expressions(t, site, span);
    bool reads_otherwise = has_readers(node->text, span);
    for (size_t i = span.start; i < span.end; i++) {
        char name[NAME_MAX_BYTES];
        i = next_read(node->text, span, i, step->shell, reads_otherwise);
        size_t start = i;
        if (i == span.end) {
            break;
        }
        bool is_read = read_variable(node->text, span.end, step->shell, &i, name);
        if (!is_read || (node->text[start] == '$' && !expands_at(step->script, start))) {
            continue;
        }
        wpa_taint taint = trace_variable(t, site, name, start);
        if (wpa_taint_is_tainted(&taint) && !is_only_asked(site->step->script, start) &&
            !is_in_file_name(t, site, start)) {
            worst = wpa_taint_worse(
                worst, wpa_taint_add_hop(t, taint, site->source,
                                         wpa_site_span(t->run, node, start, i + 1), "read here"));
        }
    }
    if (step->shell == WPA_SHELL_PYTHON) {
        worst = wpa_taint_worse(worst, wpa_trace_python(t, site, span));
    }
    worst = wpa_taint_worse(worst, wpa_trace_disk(t, site, span));
    worst = wpa_taint_worse(worst, wpa_trace_files(t, site, span));
    worst = wpa_taint_worse(worst, wpa_trace_forge(t, site, span));
    worst = wpa_taint_worse(worst, wpa_trace_event(t, site, span));
    t->depth--;
    return worst;
}
