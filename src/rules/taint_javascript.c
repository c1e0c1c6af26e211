/* What scripts of actions/github-script read: env, the event, and names that hold either. */
#include <ctype.h>
#include <string.h>

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

/* "const name = value" before the offset, the last of them; false if there is none. */
static bool find_holder(const char *text, size_t before, const char *name, size_t length,
                        wpa_span *value)
{
    static const char *const words[] = {"const ", "let ", "var "};
    bool is_found = false;
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        for (const char *at = strstr(text, words[i]); at && at < text + before;
             at = strstr(at + 1, words[i])) {
            const char *held = at + strlen(words[i]);
            const char *behind = held + length + strspn(held + length, " ");
            if (strncmp(held, name, length) == 0 && *behind == '=') {
                size_t start = (size_t)(behind - text) + 1;
                *value = (wpa_span){start, start + strcspn(text + start, ";\r\n")};
                is_found = value->end <= before;
            }
        }
    }
    return is_found;
}

/* "const { title, body: text } = value": "value.body" for the name text; NULL if there is none. */
static const char *find_member(wpa_rule_run *run, const char *text, size_t before, const char *name,
                               size_t length)
{
    for (const char *open = strstr(text, "const {"); open && open < text + before;
         open = strstr(open + 1, "const {")) {
        const char *close = strpbrk(open + 7, "}\r\n;");
        const char *value = close && *close == '}' ? close + 1 + strspn(close + 1, " ") : NULL;
        if (!value || *value != '=' || value[1] == '=') {
            continue;
        }
        value += 1 + strspn(value + 1, " ");
        for (const char *at = open + 7; at < close; at += strcspn(at, ",}") + 1) {
            at += strspn(at, " ");
            size_t n = wpa_text_name_length(at);
            const char *as = at[n] == ':' ? at + n + 1 + strspn(at + n + 1, " ") : at;
            if (n && wpa_text_name_length(as) == length && strncmp(as, name, length) == 0) {
                return wpa_arena_printf(run->arena, "%.*s.%.*s", (int)strcspn(value, ";\r\n "),
                                        value, (int)n, at);
            }
        }
    }
    return NULL;
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

static wpa_taint of_span(wpa_rule_run *run, const wpa_site *site, const char *text, wpa_span span,
                         unsigned depth)
{
    wpa_taint worst = of_readers(run, site, text, span);
    worst = worst.grade ? worst : of_answers(run, site, text, span);
    for (size_t i = span.start; i < span.end && depth < HOLDERS_MAX; i++) {
        bool begins = (isalpha((unsigned char)text[i]) || text[i] == '_') &&
                      (i == 0 || !strchr(WPA_IDENTIFIER ".", text[i - 1]));
        size_t length = begins ? wpa_text_name_length(text + i) : 0;
        wpa_span value;
        bool is_asked = length && !worst.grade && wpa_rule_spend(run, i);
        const char *member = is_asked ? find_member(run, text, span.start, text + i, length) : NULL;
        if (member) {
            worst = of_readers(run, site, member, (wpa_span){0, strlen(member)});
        } else if (is_asked && find_holder(text, span.start, text + i, length, &value) &&
                   !is_harmless(text, value)) {
            wpa_taint taint = of_span(run, site, text, value, depth + 1);
            worst = wpa_taint_is_of_outsider(&taint) ? taint : worst;
        }
        i += length ? length - 1 : 0;
    }
    return worst;
}

wpa_taint wpa_taint_of_javascript(wpa_rule_run *run, const wpa_site *site,
                                  const wpa_yaml_node *script, wpa_span span)
{
    return of_span(run, site, script->text, span, 0);
}
