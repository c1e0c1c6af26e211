/* What scripts of actions/github-script read: env, the event, and names that hold either. */
#include <ctype.h>
#include <string.h>

#include "rules/javascript_text.h"
#include "rules/parameters.h"
#include "rules/taint_internal.h"

/* Names within names that are followed. */
#define HOLDERS_MAX 4
/* Letters of a name with its members, and of what is declared before a call, that are read. */
#define PATH_MAX_BYTES 256

/* "issue.title" of "issue?.title.trim()": names with dots, as the event has them. */
static const char *path_at(wpa_rule_run *run, const char *at, const char *end)
{
    char path[PATH_MAX_BYTES];
    size_t n = 0;
    for (; at < end && n + 1 < sizeof path; at++) {
        bool is_optional = *at == '?' && at + 1 < end && at[1] == '.';
        if (!is_optional && !(*at && strchr(WPA_IDENTIFIER ".", *at))) {
            break;
        }
        path[n] = *at;
        n += !is_optional;
    }
    return wpa_arena_slice(run->arena, path, n);
}

static wpa_taint of_readers(wpa_rule_run *run, const wpa_site *site, const char *text,
                            wpa_span span)
{
    static const char *const readers[][2] = {{"process.env.", NULL},
                                             {"process.env['", NULL},
                                             {"process.env[\"", NULL},
                                             {"context.payload.", "github.event."},
                                             {"context.payload?.", "github.event."}};
    wpa_taint worst = {0};
    for (size_t i = 0; i < WPA_COUNT(readers); i++) {
        const char *end = text + span.end;
        size_t n = strlen(readers[i][0]);
        for (const char *at = text + span.start;
             (at = memmem(at, (size_t)(end - at), readers[i][0], n));) {
            at += n;
            const char *name = path_at(run, at, end);
            wpa_taint taint = {0};
            if (*name && !readers[i][1]) {
                taint = wpa_taint_of_variable(run, site, name, 0);
            } else if (*name) {
                const char *path = wpa_arena_printf(run->arena, "%s%s", readers[i][1], name);
                taint = wpa_taint_of_path(run, site, path, WPA_TAINT_TEXT);
            }
            worst = wpa_taint_is_of_outsider(&taint) ? taint : worst;
        }
    }
    return worst;
}

/* Is the value cut to a safe set, or made a number? */
static bool is_harmless(const char *text, wpa_span value)
{
    static const char *const makers[] = {".replace(/[^", "parseInt(", "Number(", ".length"};
    for (size_t i = 0; i < WPA_COUNT(makers); i++) {
        if (memmem(text + value.start, wpa_span_length(value), makers[i], strlen(makers[i]))) {
            return true;
        }
    }
    return false;
}

/* Is the name among those that a line gives what the client answers: "const { data: pull } = await
 * github.rest.pulls.get(...)"? */
static bool is_answer(const char *text, const char *name, size_t length)
{
    static const char call[] = "= await github.";
    for (const char *at = strstr(text, call); at; at = strstr(at + 1, call)) {
        const char *line = at;
        while (line > text && line[-1] != '\n' && line[-1] != ';' && at - line < PATH_MAX_BYTES) {
            line--;
        }
        for (; line < at; line++) {
            size_t n = wpa_text_name_length(line);
            if (n == length && memcmp(line, name, n) == 0) {
                return true;
            }
            line += n;
        }
    }
    return false;
}

/* "pull.data.title" within the span, where the forge has told what pull is. */
static wpa_taint of_answers(wpa_rule_run *run, const wpa_site *site, const char *text,
                            wpa_span span)
{
    static const char *const members[] = {".title", ".body", ".head.ref", ".head.label"};
    const char *end = text + span.end;
    for (size_t i = 0; i < WPA_COUNT(members); i++) {
        size_t n = strlen(members[i]);
        for (const char *at = text + span.start;
             (at = memmem(at, (size_t)(end - at), members[i], n)); at += n) {
            const char *base = at;
            while (base > text + span.start && at - base < PATH_MAX_BYTES &&
                   strchr(WPA_IDENTIFIER ".?", base[-1])) {
                base--;
            }
            size_t length = wpa_text_name_length(base);
            if (length && wpa_text_name_length(at + n) == 0 && wpa_rule_spend(run, strlen(text)) &&
                is_answer(text, base, length)) {
                wpa_tracer t = {.run = run, .left = 100};
                return wpa_trace_answer(&t, site, i == 1 ? "the fetched body" : "the fetched text");
            }
        }
    }
    return (wpa_taint){0};
}

/* What is known of a script, once a rule. */
typedef struct reading {
    const uint8_t *contexts;
    wpa_parameter_values given;
} reading;

static const reading *reading_of(wpa_rule_run *run, const wpa_site *site,
                                 const wpa_yaml_node *script)
{
    bool is_new;
    reading *r = wpa_site_keep(run, 'J', site->step, script, sizeof *r, &is_new);
    if (is_new && wpa_rule_spend(run, script->length)) {
        r->contexts = wpa_javascript_contexts(script->text, script->length, run->lasting);
        r->given = wpa_parameter_values_of_javascript(run, script->text, script->length,
                                                      r->contexts, run->lasting);
    }
    return r;
}

typedef struct question {
    wpa_rule_run *run;
    const wpa_site *site;
    const wpa_yaml_node *script;
} question;

static wpa_taint of_span(const question *q, wpa_span span, unsigned depth);

static wpa_taint of_value(const question *q, wpa_span value, unsigned depth)
{
    wpa_taint taint = {0};
    if (!is_harmless(q->script->text, value)) {
        taint = of_span(q, value, depth + 1);
    }
    return wpa_taint_is_of_outsider(&taint) ? taint : (wpa_taint){0};
}

/* ---- names
 * ---------------------------------------------------------------------------------------
 */

/* A value goes on over the lines that its brackets stay open for, or that go on with an operator.
 */
static size_t end_of_value(const question *q, const uint8_t *contexts, size_t at)
{
    const char *text = q->script->text;
    size_t length = q->script->length;
    at += strspn(text + at, " \t\r\n");
    for (long depth = 0; at < length; at++) {
        char c = contexts[at] == WPA_SHELL_PLAIN && text[at] ? text[at] : ' ';
        depth += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
        size_t next = c == '\n' ? at + strspn(text + at, " \t\r\n") : at;
        bool is_end = c == ';' || (c == '\n' && (!text[next] || !strchr(".?:+|&", text[next])));
        if (depth < 0 || (depth == 0 && is_end)) {
            break;
        }
    }
    return at;
}

static bool is_name_at(const char *text, size_t at, wpa_slice name)
{
    return wpa_text_name_length(text + at) == name.length &&
           memcmp(text + at, name.at, name.length) == 0;
}

static bool is_declared(const char *text, size_t at)
{
    static const char *const words[] = {"const ", "let ", "var "};
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        size_t n = strlen(words[i]);
        if (at >= n && memcmp(text + at - n, words[i], n) == 0) {
            return true;
        }
    }
    return false;
}

/* "name = value", "name += value" here; false: nothing is given to it. */
static bool read_value(const question *q, const uint8_t *contexts, size_t at, size_t length,
                       wpa_span *value)
{
    const char *text = q->script->text;
    size_t behind = at + length + strspn(text + at + length, " ");
    bool adds = text[behind] == '+' && text[behind + 1] == '=';
    behind += adds;
    bool assigns = text[behind] == '=' && !strchr("=>", text[behind + 1]) &&
                   contexts[behind] == WPA_SHELL_PLAIN;
    if (assigns) {
        *value = (wpa_span){adds ? at : behind + 1, end_of_value(q, contexts, behind + 1)};
    }
    return assigns;
}

/* What the name is given before the offset, from its last declaration on; *is_known if it is. */
static wpa_taint of_holder(const question *q, const uint8_t *contexts, size_t before,
                           wpa_slice name, unsigned depth, bool *is_known)
{
    const char *text = q->script->text;
    wpa_taint worst = {0};
    for (const char *found = text;
         (found = wpa_text_find_slice(found, (size_t)(text + before - found), name)) != NULL;
         found += name.length) {
        size_t at = (size_t)(found - text);
        wpa_span value;
        bool is_whole = (at == 0 || !strchr(WPA_IDENTIFIER ".", text[at - 1])) &&
                        contexts[at] == WPA_SHELL_PLAIN && is_name_at(text, at, name);
        if (!is_whole || !read_value(q, contexts, at, name.length, &value) || value.end > before) {
            continue;
        }
        wpa_taint taint = of_value(q, value, depth);
        worst = is_declared(text, at) || taint.grade ? taint : worst;
        *is_known = true;
    }
    return worst;
}

#define PATTERNS_MAX 4

/* "title, comment: { body: text }": "comment.body" for the name text; NULL if it is not in it. */
static const char *path_within(const question *q, const uint8_t *contexts, wpa_span pattern,
                               wpa_slice name, unsigned depth)
{
    const char *text = q->script->text;
    for (size_t at = pattern.start; at < pattern.end && depth < PATTERNS_MAX;) {
        at += strspn(text + at, " \t\r\n,.");
        wpa_slice key = {text + at, wpa_text_name_length(text + at)};
        size_t behind = at + key.length + strspn(key.at + key.length, " ");
        size_t target =
            text[behind] == ':' ? behind + 1 + strspn(text + behind + 1, " \t\r\n") : at;
        bool is_pattern = text[target] == '{' || text[target] == '[';
        size_t close = is_pattern ? wpa_javascript_closing(text, pattern.end, contexts, target) : 0;
        const char *inner =
            close ? path_within(q, contexts, (wpa_span){target + 1, close}, name, depth + 1) : NULL;
        if (inner && key.length && text[target] == '{') {
            return wpa_arena_printf(q->run->arena, "%.*s.%s", (int)key.length, key.at, inner);
        }
        if (inner || (!is_pattern && is_name_at(text, target, name))) {
            return wpa_arena_slice(q->run->arena, key.at, key.length);
        }
        at = close ? close : target;
        at += strcspn(text + at, ",") + 1;
    }
    return NULL;
}

/* Text that the forge answers with, by the path of a member: "data.title". */
static wpa_taint of_answered(const question *q, const char *path)
{
    static const char *const members[] = {"title", "body", "head.ref", "head.label"};
    for (size_t i = 0; i < WPA_COUNT(members); i++) {
        if (wpa_text_ends(path, members[i])) {
            wpa_tracer t = {.run = q->run, .left = 100};
            return wpa_trace_answer(&t, q->site, i == 1 ? "the fetched body" : "the fetched text");
        }
    }
    return (wpa_taint){0};
}

/* "const { title, body: text } = value", "const [, text] = value": *is_known if the name is in one
 * before the offset. */
static wpa_taint of_pattern(const question *q, const uint8_t *contexts, size_t before,
                            wpa_slice name, unsigned depth, bool *is_known)
{
    const char *text = q->script->text;
    wpa_taint worst = {0};
    for (size_t at = 0; at < before; at++) {
        bool is_open = (text[at] == '{' || text[at] == '[') && is_declared(text, at) &&
                       contexts[at] == WPA_SHELL_PLAIN && wpa_rule_spend(q->run, before - at);
        size_t close = is_open ? wpa_javascript_closing(text, before, contexts, at) : 0;
        size_t equals = close ? close + 1 + strspn(text + close + 1, " ") : 0;
        if (!close || text[equals] != '=') {
            continue;
        }
        const char *path = path_within(q, contexts, (wpa_span){at + 1, close}, name, 0);
        if (!path) {
            continue;
        }
        size_t start = equals + 1 + strspn(text + equals + 1, " ");
        wpa_span value = {start, end_of_value(q, contexts, start)};
        *is_known = true;
        if (text[at] == '[') {
            worst = of_value(q, value, depth);
        } else if (wpa_text_starts(text + start, "await github.")) {
            worst = of_answered(q, path);
        } else {
            const char *member = wpa_arena_printf(q->run->arena, "%.*s.%s",
                                                  (int)wpa_span_length(value), text + start, path);
            worst = of_readers(q->run, q->site, member, (wpa_span){0, strlen(member)});
        }
    }
    return worst;
}

/* A parameter of the function that the name stands in: what the calls give it. */
static wpa_taint of_parameter(const question *q, const reading *r, wpa_span name, unsigned depth,
                              bool *is_known)
{
    const char *text = q->script->text;
    wpa_taint worst = {0};
    for (size_t i = 0; i < r->given.n && !worst.grade; i++) {
        const wpa_parameter_value *given = &r->given.items[i];
        bool is_it =
            wpa_span_contains(given->body, name) && is_name_at(text, name.start, given->name);
        if (is_it && wpa_rule_spend(q->run, wpa_span_length(given->value))) {
            worst = of_value(q, given->value, depth);
            *is_known = true;
        }
    }
    return worst;
}

/* The name at the offset, read within what begins at before. */
static wpa_taint of_name(const question *q, const reading *r, size_t before, size_t at,
                         unsigned depth)
{
    const char *text = q->script->text;
    wpa_slice name = {text + at, wpa_text_name_length(text + at)};
    bool is_known = false;
    wpa_taint taint = of_parameter(q, r, (wpa_span){at, at + name.length}, depth, &is_known);
    if (!is_known) {
        taint = of_pattern(q, r->contexts, before, name, depth, &is_known);
    }
    return is_known ? taint : of_holder(q, r->contexts, before, name, depth, &is_known);
}

static wpa_taint of_span(const question *q, wpa_span span, unsigned depth)
{
    const reading *r = reading_of(q->run, q->site, q->script);
    const char *text = q->script->text;
    wpa_taint worst = of_readers(q->run, q->site, text, span);
    worst = worst.grade ? worst : of_answers(q->run, q->site, text, span);
    for (size_t i = span.start; r->contexts && i < span.end && depth < HOLDERS_MAX; i++) {
        bool begins = (isalpha((unsigned char)text[i]) || text[i] == '_') &&
                      (i == 0 || !strchr(WPA_IDENTIFIER ".", text[i - 1]));
        size_t length = begins ? wpa_text_name_length(text + i) : 0;
        bool is_asked = length && !worst.grade && r->contexts[i] == WPA_SHELL_PLAIN &&
                        wpa_rule_spend(q->run, i);
        if (is_asked) {
            wpa_taint taint = of_name(q, r, span.start, i, depth);
            worst = wpa_taint_is_of_outsider(&taint) ? taint : worst;
        }
        i += length ? length - 1 : 0;
    }
    return worst;
}

wpa_taint wpa_taint_of_javascript(wpa_rule_run *run, const wpa_site *site,
                                  const wpa_yaml_node *script, wpa_span span)
{
    const question q = {run, site, script};
    return of_span(&q, span, 0);
}
