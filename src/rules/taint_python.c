/* Variables of Python scripts: what a line assigns, and later lines put to use. */
#include <ctype.h>
#include <string.h>

#include "rules/parameters.h"
#include "rules/taint_internal.h"

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};

/* "name = value" at the beginning of a line, or what "for name in value" goes over. */
typedef struct assignment {
    wpa_span name, value;
    wpa_span body; /* of the function whose parameter it is; empty: of none */
    bool is_open;  /* being traced: what leads back to it adds nothing */
} assignment;

typedef struct assignments {
    assignment *items;
    size_t n, capacity;
} assignments;

#define ASSIGNMENTS_MAX 512
/* Bytes between the brace of a formatted text and the name in it. */
#define FORMAT_REACH 512

static bool begins_name(const char *text, size_t at)
{
    char before = at ? text[at - 1] : ' ';
    return (isalpha((unsigned char)text[at]) || text[at] == '_') &&
           !(isalnum((unsigned char)before) || before == '_' || before == '.');
}

/* What the line assigns: "name = x", "name: str = x", "name += x"; false if it assigns nothing. */
static bool read_assignment(const char *text, size_t line, size_t end, assignment *out)
{
    size_t at = line + strspn(text + line, " \t");
    bool is_loop = wpa_text_starts(text + at, "for ");
    at += is_loop ? 4 : 0;
    size_t length = wpa_text_name_length(text + at);
    if (!length || at + length >= end || !begins_name(text, at)) {
        return false;
    }
    const char *mark = is_loop ? " in " : "=";
    const char *found = memmem(text + at + length, end - at - length, mark, strlen(mark));
    size_t equals = found ? (size_t)(found - text) : end;
    char behind = text[at + length + strspn(text + at + length, " ")];
    bool assigns =
        found &&
        (is_loop || (strchr("=:+", behind) && found[1] != '=' && (behind != ':' || equals < end)));
    *out = (assignment){.name = {at, at + length}, .value = {equals + strlen(mark), end}};
    return assigns && out->value.start < end;
}

/* A value goes on over the lines that its brackets stay open for. */
static size_t end_of_value(const char *text, size_t at, size_t length)
{
    long depth = 0;
    for (; at < length && (text[at] != '\n' || depth > 0); at++) {
        depth += strchr("([{", text[at]) ? 1 : strchr(")]}", text[at]) ? -1 : 0;
    }
    return at;
}

static void add_assignment(wpa_arena *arena, assignments *list, const assignment *a)
{
    list->items = wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = *a;
}

/* What parameters of functions stand for. */
static void add_parameters(wpa_rule_run *run, const wpa_outline_step *step, assignments *list)
{
    wpa_parameter_values given = wpa_parameter_values_of_python(run, step, run->arena);
    const char *text = step->lexed ? step->lexed->text : NULL;
    for (size_t i = 0; i < given.n; i++) {
        const wpa_parameter_value *value = &given.items[i];
        size_t at = (size_t)(value->name.at - text);
        const assignment a = {
            .name = {at, at + value->name.length}, .value = value->value, .body = value->body};
        add_assignment(run->lasting, list, &a);
    }
}

/* Is the name read where what is assigned holds? */
static bool reaches(const assignment *a, wpa_span name)
{
    return a->body.end ? wpa_span_contains(a->body, name) : a->value.end <= name.start;
}

/* All of a step's script, gathered once a rule. */
static const assignments *assignments_of(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_new;
    assignments *list = wpa_site_keep(run, 'y', step, NULL, sizeof *list, &is_new);
    const char *text = step->run->text;
    size_t length = is_new ? step->run->length : 0;
    for (size_t line = 0; line < length && list->n < ASSIGNMENTS_MAX;) {
        size_t end = line + strcspn(text + line, "\n");
        assignment a;
        if (read_assignment(text, line, end, &a)) {
            a.value.end = end_of_value(text, a.value.start, length);
            add_assignment(run->lasting, list, &a);
            end = a.value.end;
        }
        line = end + 1;
    }
    if (is_new) {
        add_parameters(run, step, list);
    }
    return list;
}

/* Is it code, or stands in the braces of a text that is formatted? */
static bool is_read(const wpa_script *script, size_t at)
{
    if (!script || !script->contexts || script->contexts[at] == WPA_SHELL_PLAIN) {
        return true;
    }
    size_t first = at > FORMAT_REACH ? at - FORMAT_REACH : 0;
    while (script->contexts[at] == WPA_SHELL_DOUBLE && at-- > first) {
        if (script->text[at] == '{' || script->text[at] == '}' || script->text[at] == '\n') {
            return script->text[at] == '{';
        }
    }
    return false;
}

/* Does the script match the variable against a pattern, or look it up among words of its own? */
static bool is_tested(const wpa_script *script, wpa_span name)
{
    static const char *const tests[] = {"match(", "fullmatch(", ".isdigit(", ".isalnum(",
                                        "not in "};
    const char *text = script->text;
    for (size_t i = 0; i < WPA_COUNT(tests); i++) {
        for (const char *at = strstr(text, tests[i]); at; at = strstr(at + 1, tests[i])) {
            const char *first = at;
            while (first > text && first[-1] != '\n') {
                first--;
            }
            size_t line = strcspn(first, "\n");
            if (memmem(first, line, text + name.start, wpa_span_length(name))) {
                return true;
            }
        }
    }
    return false;
}

static bool is_harmless(const char *text, wpa_span value)
{
    static const char *const makers[] = {"shlex.quote(", " int(",      "=int(",
                                         "len(",         "hexdigest(", ".isdigit("};
    for (size_t i = 0; i < WPA_COUNT(makers); i++) {
        if (memmem(text + value.start - 1, wpa_span_length(value) + 1, makers[i],
                   strlen(makers[i]))) {
            return true;
        }
    }
    return wpa_taint_is_sanitised(text, value);
}

/* ---- the event's file --------------------------------------------------------------------------
 */

/* Names within names that hold a part of the event. */
#define PARTS_MAX 4
#define MEMBER_MAX_BYTES 128

/* '["issue"]', ".get('issue')" behind a name: "issue"; *at moves behind it. Empty: neither is. */
static wpa_slice member_at(const char *text, size_t *at, size_t end)
{
    bool is_get = wpa_text_starts(text + *at, ".get(");
    size_t quote = *at + (is_get ? 5 : 1);
    bool is_one = (is_get || text[*at] == '[') && quote < end && strchr("\"'", text[quote]);
    size_t n = is_one ? wpa_text_name_length(text + quote + 1) : 0;
    size_t close = quote + 1 + n;
    if (!n || close + 1 >= end || text[close] != text[quote]) {
        return (wpa_slice){NULL, 0};
    }
    close += 1 + strcspn(text + close + 1, is_get ? ")\n" : "]\n");
    *at = close + 1;
    return (wpa_slice){text + quote + 1, n};
}

/*
 * What a name with its members is of the event that "name = json.load(...)" has read from its file:
 * "github.event.issue.title"; NULL if it is nothing of it.
 */
static const char *path_of_event(wpa_tracer *t, const wpa_site *site, wpa_span name, size_t end,
                                 unsigned depth)
{
    const assignments *list = assignments_of(t->run, site->step);
    const char *text = site->step->run->text, *path = NULL;
    size_t length = wpa_span_length(name);
    for (size_t i = 0; i < list->n && depth < PARTS_MAX; i++) {
        const assignment *a = &list->items[i];
        if (!reaches(a, name) || wpa_span_length(a->name) != length ||
            memcmp(text + a->name.start, text + name.start, length) != 0) {
            continue;
        }
        size_t start = a->value.start + strspn(text + a->value.start, " ");
        wpa_span inner = {start, start + wpa_text_name_length(text + start)};
        bool is_load = wpa_text_starts(text + start, "json.load");
        path = is_load ? "github.event"
               : inner.end > inner.start && !a->body.end
                   ? path_of_event(t, site, inner, a->value.end, depth + 1)
                   : NULL;
    }
    for (size_t at = name.end; path && at < end;) {
        wpa_slice member = member_at(text, &at, end);
        if (!member.length || member.length > MEMBER_MAX_BYTES) {
            break;
        }
        path = wpa_arena_printf(t->run->arena, "%s.%.*s", path, (int)member.length, member.at);
    }
    return path;
}

static wpa_taint trace_event(wpa_tracer *t, const wpa_site *site, wpa_span name, size_t end)
{
    const char *text = site->step->run->text;
    bool is_asked = strchr("[.", text[name.end]) && strstr(text, "GITHUB_EVENT_PATH") &&
                    wpa_rule_spend(t->run, site->step->run->length);
    const char *path = is_asked ? path_of_event(t, site, name, end, 0) : NULL;
    return path ? wpa_trace_path(t, site, path) : none;
}

/* ---- names -------------------------------------------------------------------------------------
 */

static wpa_taint trace_name(wpa_tracer *t, const wpa_site *site, wpa_span name)
{
    const assignments *list = assignments_of(t->run, site->step);
    const char *text = site->step->run->text;
    size_t length = wpa_span_length(name);
    wpa_taint worst = none;
    for (size_t i = 0; i < list->n; i++) {
        assignment *a = &list->items[i];
        bool is_it = reaches(a, name) && wpa_span_length(a->name) == length &&
                     memcmp(text + a->name.start, text + name.start, length) == 0;
        t->is_cut = t->is_cut || (is_it && a->is_open);
        if (!is_it || a->is_open || is_harmless(text, a->value)) {
            continue;
        }
        a->is_open = true;
        worst = wpa_taint_worse(worst, wpa_trace_script(t, site, a->value));
        a->is_open = false;
    }
    return worst;
}

wpa_taint wpa_trace_python(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    const wpa_script *script = site->step->lexed;
    const char *text = site->step->run->text;
    wpa_taint worst = none;
    for (size_t i = span.start; script && script->is_readable && i < span.end; i++) {
        if (!begins_name(text, i)) {
            continue;
        }
        wpa_span name = {i, i + wpa_text_name_length(text + i)};
        i = name.end - 1;
        if (!is_read(script, name.start) || !wpa_rule_spend(t->run, ASSIGNMENTS_MAX)) {
            continue;
        }
        wpa_taint taint =
            wpa_taint_worse(trace_name(t, site, name), trace_event(t, site, name, span.end));
        bool is_open = wpa_taint_is_tainted(&taint) && wpa_rule_spend(t->run, script->length) &&
                       !is_tested(script, name);
        if (is_open) {
            worst = wpa_taint_worse(worst, wpa_taint_add_hop(t, taint, site->source,
                                                             wpa_site_span(t->run, site->step->run,
                                                                           name.start, name.end),
                                                             "read here"));
        }
    }
    return worst;
}
