/* What scripts write: to the runner's files, and to files of their own that they read again. */
#include <pthread.h>
#include <string.h>

#include "match/words.h"
#include "rules/exports.h"
#include "rules/taint_internal.h"

#define WRITINGS_MAX 128
#define STEP_WORK 4

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};

/* ---- what is written to the runner's files -----------------------------------------------------
 */

/* Where the value of name stands in a written text; false if it is not there. */
static bool find_value(const char *text, wpa_span within, const char *name, wpa_span *value)
{
    const wpa_slice word = wpa_slice_of(name);
    const char *start = text + within.start, *end = text + within.end;
    for (const char *at = start;
         word.length && at < end && (at = wpa_text_find_slice(at, (size_t)(end - at) - 1, word));
         at++) {
        if (at > start && !strchr("\"' \t\n", at[-1])) {
            continue;
        }
        const char *behind = at + word.length;
        if (*behind == '=') {
            const char *line_end = memchr(behind, '\n', (size_t)(end - behind));
            *value = (wpa_span){(size_t)(behind + 1 - text),
                                line_end ? (size_t)(line_end - text) : within.end};
            return true;
        }
        if (behind[0] == '<' && behind[1] == '<') {
            *value = (wpa_span){(size_t)(behind + 2 - text), within.end};
            return true;
        }
    }
    return false;
}

static const char *const sanitisers[] = {
    "tr -dc",  "tr -cd", "printf %q", "printf '%q", "printf \"%q", "=%q",    "s/[^",
    "//[^",    "$((",    "| wc ",     "sha256sum",  "sha1sum",     "md5sum", "| base64",
    "grep -c", "@sh",    "@json",     "].id",       ".databaseId"};
static wpa_words sanitising;
static pthread_once_t sanitising_once = PTHREAD_ONCE_INIT;

static void list_sanitisers(void)
{
    sanitising = wpa_words_of(sanitisers, WPA_COUNT(sanitisers));
}

bool wpa_taint_is_sanitised(const char *text, wpa_span span)
{
    (void)pthread_once(&sanitising_once, list_sanitisers);
    return wpa_words_seek(&sanitising, text + span.start, wpa_span_length(span), NULL) != NULL;
}

/*
 * "NAME<<END" by a command of its own: what the next ones write is the value, to the one that ends
 * it.
 */
static wpa_taint trace_lines(wpa_tracer *t, const wpa_site *site, const wpa_export *exports,
                             size_t n, wpa_span delimiter)
{
    const char *text = site->step->run->text;
    size_t length = wpa_text_name_length(text + delimiter.start);
    wpa_taint worst = none;
    size_t behind = delimiter.start + length;
    if (behind < delimiter.end &&
        memmem(text + behind, delimiter.end - behind, text + delimiter.start, length)) {
        return none; /* it ends where it began */
    }
    for (size_t i = 1; length && i < n && wpa_text_is(exports[i].file, exports[0].file); i++) {
        wpa_span value = exports[i].value;
        if (memmem(text + value.start, wpa_span_length(value), text + delimiter.start, length)) {
            break;
        }
        worst = wpa_taint_worse(worst, wpa_trace_script(t, site, value));
    }
    return worst;
}

/** What is printed behind a head, to the end of the line. */
static wpa_taint trace_printed(wpa_tracer *t, const wpa_site *site, const char *head)
{
    const char *text = site->step->run->text;
    wpa_taint worst = none;
    for (const char *at = strstr(text, head); at; at = strstr(at + 1, head)) {
        size_t start = (size_t)(at - text) + strlen(head);
        wpa_span value = {start, start + strcspn(text + start, "\n")};
        if (!wpa_taint_is_sanitised(text, value)) {
            worst = wpa_taint_worse(worst, wpa_trace_script(t, site, value));
        }
    }
    return worst;
}

/** The commands that were there before the files: "::set-output name=NAME::value", and still before
    "##[set-output name=NAME;]value". */
static wpa_taint trace_command(wpa_tracer *t, const wpa_site *site, const char *file,
                               const char *name)
{
    static const struct {
        const char *before, *behind;
    } forms[] = {{"::", "::"}, {"##[", ";]"}, {"##[", "]"}};
    const char *command = wpa_text_is(file, "GITHUB_OUTPUT") ? "set-output" : "set-env";
    wpa_taint worst = none;
    for (size_t i = 0; i < WPA_COUNT(forms); i++) {
        const char *head = wpa_arena_printf(t->run->arena, "%s%s name=%s%s", forms[i].before,
                                            command, name, forms[i].behind);
        worst = wpa_taint_worse(worst, trace_printed(t, site, head));
    }
    return worst;
}

/* Name of the function of the script that the place stands in, "put() {"; false if that is none. */
static bool function_around(const char *text, size_t place, wpa_slice *name)
{
    const char *open = memrchr(text, '{', place);
    const char *end = open;
    while (end && end > text && strchr(" \t\n()", end[-1])) {
        end--;
    }
    const char *start = end;
    while (start && start > text && strchr(WPA_IDENTIFIER "-", start[-1])) {
        start--;
    }
    *name = (wpa_slice){start, start ? (size_t)(end - start) : 0};
    bool is_marked = name->length && memchr(end, '(', (size_t)(open - end));
    return is_marked || (name->length && start - text >= 9 && !memcmp(start - 9, "function ", 9));
}

/* What a function that writes "$1=$2" is given for this name: "put NAME "$X"". */
static wpa_taint trace_function(wpa_tracer *t, const wpa_site *site, const wpa_export *e,
                                const char *name)
{
    static const char *const forms[] = {"$1=$2", "${1}=${2}", "$1=${2}"};
    const wpa_script *script = site->step->script;
    const char *text = site->step->run->text;
    wpa_slice function;
    wpa_taint worst = none;
    bool is_one = script && script->is_readable &&
                  wpa_words_find(text + e->value.start, wpa_span_length(e->value), forms,
                                 WPA_COUNT(forms), NULL) &&
                  function_around(text, e->value.start, &function) &&
                  wpa_rule_spend(t->run, script->n_commands);
    for (size_t i = 0; is_one && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_call = c->n_words > c->first + 2 && wpa_slice_is(function, c->name) &&
                       wpa_text_is(c->words[c->first + 1].text, name);
        wpa_span value = is_call ? c->words[c->first + 2].span : (wpa_span){0, 0};
        if (is_call && !wpa_taint_is_sanitised(text, value)) {
            worst = wpa_taint_worse(worst, wpa_trace_script(t, site, value));
        }
    }
    return worst;
}

wpa_taint wpa_trace_export(wpa_tracer *t, const wpa_site *site, const char *file, const char *name)
{
    wpa_taint worst = none;
    const wpa_outline_step *step = site->step;
    bool is_any = wpa_text_is(name, "*");
    if (!step->run || !wpa_rule_spend(t->run, step->run->length) ||
        !(is_any || wpa_text_seek(step->run->text, name))) {
        return none;
    }
    bool may_print =
        wpa_text_seek(step->run->text, "::set-") || wpa_text_seek(step->run->text, "##[set-");
    if (may_print && !is_any) {
        worst = trace_command(t, site, file, name);
    }
    if (!wpa_text_seek(step->run->text, file) || !wpa_rule_spend(t->run, step->run->length * 8)) {
        return worst;
    }
    size_t n;
    const wpa_export *exports = wpa_exports_of(t->run, step, &n);
    for (size_t i = 0; i < n; i++) {
        wpa_span value = exports[i].value;
        if (wpa_text_is(exports[i].file, file) && !exports[i].name && !is_any) {
            worst = wpa_taint_worse(worst, trace_function(t, site, &exports[i], name));
        }
        if (wpa_text_is(exports[i].file, file) &&
            (is_any || find_value(step->run->text, exports[i].value, name, &value))) {
            wpa_taint taint = wpa_taint_is_sanitised(step->run->text, value)
                                  ? none
                                  : wpa_trace_script(t, site, value);
            if (!is_any && step->run->text[value.start - 1] == '<') {
                taint = wpa_taint_worse(taint, trace_lines(t, site, exports + i, n - i, value));
            }
            taint = wpa_taint_add_hop(
                t, taint, site->source,
                wpa_site_span(t->run, step->run, exports[i].value.start, exports[i].value.end),
                wpa_arena_printf(t->run->arena, "written to %s", file));
            taint.grade = taint.grade == WPA_TAINT_NONE ? WPA_TAINT_UNKNOWN : taint.grade;
            worst = wpa_taint_worse(worst, taint);
        }
    }
    return worst;
}

/* ---- files that scripts write and read ---------------------------------------------------------
 */

/* A file of a script's own, and what is written to it. */
typedef struct written {
    const char *file;
    size_t at; /* where the command ends that writes it */
    wpa_span value;
} written;

typedef struct writings {
    written *items;
    size_t n, capacity;
} writings;

static const char *plain_path(const char *path)
{
    while (wpa_text_starts(path, "./")) {
        path += 2;
    }
    return path;
}

static void add_written(wpa_arena *arena, writings *list, const wpa_shell_word *target,
                        const wpa_shell_command *c, wpa_span value)
{
    const char *file = plain_path(target->text);
    bool is_file = *file && !wpa_text_starts(file, "/dev/") && !strstr(file, "GITHUB_") &&
                   !strchr(file, '&') && value.end > value.start;
    if (is_file && list->n < WRITINGS_MAX) {
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        size_t end = target->span.end > c->span.end ? target->span.end : c->span.end;
        list->items[list->n++] = (written){file, end, value};
    }
}

/* All of a step's script, gathered once a rule: "... > file", "... | tee file". */
static const writings *writings_of(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_new;
    writings *list = wpa_site_keep(run, 'w', step, NULL, sizeof *list, &is_new);
    const wpa_script *script = step->script && step->script->is_readable ? step->script : NULL;
    for (size_t i = 0; is_new && script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        for (size_t k = 0; k < c->n_redirects && !c->is_nested_script; k++) {
            const wpa_shell_redirect *r = &c->redirects[k];
            if (wpa_text_is(r->operator, ">") || wpa_text_is(r->operator, ">>")) {
                add_written(run->lasting, list, &r->target, c, wpa_exports_text(script, i, r));
            }
        }
        const wpa_shell_word *file = wpa_text_is(c->name, "tee") ? wpa_shell_argument(c, 0) : NULL;
        if (file && !c->is_nested_script) {
            add_written(run->lasting, list, file, c, wpa_exports_text(script, i, NULL));
        }
    }
    return list;
}

/*
 * The worst that this script, before this offset, or a step before it wrote to the file; *is_known
 * if one of them did.
 */
static wpa_taint trace_file(wpa_tracer *t, const wpa_site *site, const char *file, size_t at,
                            bool *is_known)
{
    wpa_taint worst = none;
    file = plain_path(file);
    *is_known = false;
    const wpa_outline_step *first = site->job->steps;
    bool is_in_row = site->step >= first && site->step < first + site->job->n_steps;
    size_t n_before = is_in_row ? (size_t)(site->step - first) : 0;
    bool is_asked = *file && wpa_rule_spend(t->run, STEP_WORK * (n_before + 1));
    for (size_t s = 0; is_asked && s <= n_before; s++) {
        const wpa_outline_step *step = site->step - s;
        if (!step->script) {
            continue; /* it has no list to be looked up */
        }
        const writings *list = writings_of(t->run, step);
        wpa_site where = *site;
        where.step = step;
        for (size_t i = list->n; i-- > 0;) {
            const written *w = &list->items[i];
            bool is_before = step != site->step || w->at <= at;
            if (!is_before || !wpa_text_is(w->file, file) || !wpa_rule_spend(t->run, 16)) {
                continue;
            }
            *is_known = true;
            if (!wpa_taint_is_sanitised(step->run->text, w->value)) {
                wpa_taint taint = wpa_trace_script(t, &where, w->value);
                worst = wpa_taint_worse(
                    worst, wpa_taint_add_hop(
                               t, taint, site->source,
                               wpa_site_span(t->run, step->run, w->value.start, w->value.end),
                               wpa_arena_printf(t->run->arena, "written to %s", file)));
            }
        }
    }
    return worst;
}

wpa_taint wpa_taint_of_file(wpa_rule_run *run, const wpa_site *site, const char *file, size_t at)
{
    wpa_tracer t = {.run = run, .left = 1000};
    bool is_known;
    return trace_file(&t, site, file, at, &is_known);
}

wpa_taint wpa_trace_files(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    static const char *const readers[] = {"cat", "head", "tail", "tac", "fold", "envsubst"};
    const wpa_script *script = site->step->script;
    wpa_taint worst = none;
    bool is_asked = script && script->is_readable && wpa_rule_spend(t->run, script->n_commands);
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_reader = c->n_words && wpa_span_contains(span, c->span) &&
                         wpa_text_index(c->name, readers, WPA_COUNT(readers)) >= 0;
        bool is_known;
        for (size_t k = c->first + 1; is_reader && k < c->n_words; k++) {
            const wpa_shell_word *word = &c->words[k];
            if (word->text[0] != '-') {
                wpa_taint taint = trace_file(t, site, word->text, word->span.start, &is_known);
                worst = wpa_taint_worse(worst, taint);
            }
        }
        for (size_t k = 0; k < c->n_redirects; k++) {
            const wpa_shell_word *target = &c->redirects[k].target;
            if (wpa_text_is(c->redirects[k].operator, "<") &&
                wpa_span_contains(span, target->span)) {
                wpa_taint taint = trace_file(t, site, target->text, target->span.start, &is_known);
                worst = wpa_taint_worse(worst, taint);
            }
        }
    }
    return worst;
}
