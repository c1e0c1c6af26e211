/* CMP-015: filter patterns of branches, tags and paths that GitHub reads as something else. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

/* One pattern, and how far it is read. */
typedef struct pattern {
    wpa_rule_run *run;
    const wpa_yaml_node *node;
    const char *text;
    size_t length;
    size_t first; /* behind the "!" of an excluding pattern */
    bool is_ref;
} pattern;

/* What a safe repair takes out of the pattern. */
typedef struct subject {
    const wpa_yaml_node *node;
    size_t from, to;
} subject;

static void report(const pattern *p, size_t at, size_t length, const subject *repair,
                   const char *what)
{
    wpa_span span = length ? wpa_yaml_source_span(p->node, at, at + length) : p->node->span;
    subject *copy = repair ? wpa_arena_dup(p->run->arena, repair, sizeof *repair) : NULL;
    wpa_rule_report(p->run, span, NULL, copy, "pattern %s %s",
                    wpa_rule_quote(p->run, p->text, p->length), what);
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Behind a closed set of characters from its "["; what is wrong in it is reported. */
static size_t check_set(const pattern *p, size_t at)
{
    size_t start = at++, n_chars = 0;
    while (at < p->length && p->text[at] != ']') {
        bool is_range = at + 2 < p->length && p->text[at + 1] == '-';
        if (is_range && p->text[at + 2] == ']') {
            report(p, at, 2, NULL, "has a range without an end");
            n_chars += 2;
            at += 2;
        } else if (is_range) {
            if (!is_alnum(p->text[at]) || !is_alnum(p->text[at + 2])) {
                report(p, at, 3, NULL, "has a range of others than letters and digits");
            } else if (p->text[at] > p->text[at + 2]) {
                report(p, at, 3, NULL, "has a range whose end lies before its start");
            }
            n_chars += 2;
            at += 3;
        } else {
            n_chars++;
            at++;
        }
    }
    if (at >= p->length) {
        report(p, start, p->length - start, NULL, "has a [ that nothing closes");
        return p->length;
    }
    if (n_chars < 2) {
        report(p, start, at + 1 - start, NULL,
               n_chars ? "has a set of one character, which needs no brackets"
                       : "has an empty set, which nothing fits");
    }
    return at + 1;
}

/* "?" and "+" say how often the character before may stand, so there must be one. */
static void check_repeat(const pattern *p, size_t at)
{
    char before = at > p->first ? p->text[at - 1] : '\0';
    bool is_escaped = at > p->first + 1 && p->text[at - 2] == '\\';
    if (at == p->first || (strchr("*?+", before) && !is_escaped)) {
        report(p, at, 1, NULL,
               p->text[at] == '?' ? "has a ? that follows no character it could make optional"
                                  : "has a + that follows no character it could repeat");
    }
}

static size_t check_escape(const pattern *p, size_t at)
{
    char next = at + 1 < p->length ? p->text[at + 1] : '\0';
    if (next && strchr("[?*+\\!", next)) {
        if (p->is_ref && strchr("[?*\\", next)) {
            report(p, at, 2, NULL, "has a character that no name of a branch or tag may have");
        }
        return at + 2;
    }
    if (p->is_ref) {
        report(p, at, 1, NULL,
               "has a \\ before a character that needs none, and no ref can hold a \\");
    } else {
        report(p, at, 1, NULL, "has a \\; paths are written with /");
    }
    return at + 1;
}

static void check_chars(const pattern *p)
{
    /* Most patterns have nothing to look at. */
    size_t at = p->first + strcspn(p->text + p->first, p->is_ref ? "\\[?+\r\n \t~^:" : "\\[?+\r\n");
    while (at < p->length) {
        char c = p->text[at];
        if (c == '\\') {
            at = check_escape(p, at);
            continue;
        }
        if (c == '[') {
            at = check_set(p, at);
            continue;
        }
        if (c == '?' || c == '+') {
            check_repeat(p, at);
        } else if (c == '\n' || c == '\r') {
            subject trim = {p->node, at, p->length};
            report(p, at, 1, at + 1 == p->length ? &trim : NULL,
                   "has a line break, which no name has");
        } else if (p->is_ref && strchr(" \t~^:", c)) {
            report(p, at, 1, NULL, "has a character that no name of a branch or tag may have");
        }
        at++;
    }
}

/* What may not stand at the ends. */
static void check_ends(const pattern *p)
{
    const char *text = p->text + p->first;
    size_t length = p->length - p->first, last = p->length - 1;
    bool is_escaped = length > 1 && p->text[last - 1] == '\\';
    if (p->is_ref) {
        if (text[0] == '/') {
            report(p, p->first, 1, NULL, "begins with /, and no name of a branch or tag does");
        } else if (strchr("/.", p->text[last]) && !is_escaped) {
            report(p, last, 1, NULL, "ends as no name of a branch or tag can");
        }
        return;
    }
    if (text[0] == ' ' || p->text[last] == ' ') {
        bool is_front = text[0] == ' ';
        size_t blanks = is_front ? strspn(text, " ") : 0;
        while (!is_front && blanks < length && p->text[last - blanks] == ' ') {
            blanks++;
        }
        size_t at = is_front ? p->first : p->length - blanks;
        subject trim = {p->node, at, at + blanks};
        report(p, at, blanks, &trim, "has blanks at its end, which no path has");
    }
    bool is_dot = text[0] == '.' && (text[1] == '/' || !text[1]);
    bool is_up = wpa_text_starts(text, "../") || wpa_text_is(text, "..");
    if (is_dot || is_up) {
        subject trim = {p->node, p->first, p->first + 2};
        report(p, p->first, is_up ? 2 : 1, is_dot && text[1] && text[2] ? &trim : NULL,
               "begins with . or .., and paths begin at the root of the repository");
    } else if (text[0] == '/') {
        subject trim = {p->node, p->first, p->first + 1};
        report(p, p->first, 1, length > 1 ? &trim : NULL,
               "begins with /, and paths of a repository do not: it fits nothing");
    }
}

static void check_pattern(wpa_rule_run *run, const wpa_yaml_node *node, bool is_ref)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(node);
    const char *text = wpa_yaml_text(value);
    bool is_empty = !text || !*text || wpa_yaml_is_null(value); /* said by the rule schema */
    if (is_empty || value->is_incomplete || wpa_outline_has_expression(text)) {
        return;
    }
    pattern p = {.run = run, .node = value, .text = text, .length = value->length};
    p.is_ref = is_ref;
    p.first = text[0] == '!';
    if (p.length == p.first) {
        report(&p, 0, 0, NULL, "excludes nothing: a pattern must follow the !");
        return;
    }
    check_chars(&p);
    check_ends(&p);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    static const struct {
        const char *name;
        bool is_ref;
    } filters[] = {{"branches", true},    {"branches-ignore", true}, {"tags", true},
                   {"tags-ignore", true}, {"paths", false},          {"paths-ignore", false}};
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_triggers; i++) {
        for (size_t k = 0; k < WPA_COUNT(filters); k++) {
            const wpa_yaml_node *value = wpa_yaml_get(o->triggers[i].config, filters[k].name);
            for (size_t n = 0; wpa_yaml_is(value, WPA_YAML_SEQUENCE) && n < value->n_items; n++) {
                check_pattern(run, value->items[n], filters[k].is_ref);
            }
            if (wpa_yaml_is(value, WPA_YAML_SCALAR)) {
                check_pattern(run, value, filters[k].is_ref);
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    bool is_one_line = s && s->node->style != WPA_YAML_LITERAL && s->node->style != WPA_YAML_FOLDED;
    if (is_one_line) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "remove it");
        wpa_rule_edit(run, fix, wpa_yaml_source_span(s->node, s->from, s->to), "%s", "");
    }
}

const wpa_rule wpa_rule_glob = {
    .code = "CMP-015",
    .id = "glob",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"branches", "tags", "paths", NULL},
    .summary = "A filter pattern of branches, tags or paths cannot mean what it says",
    .why = "The pattern fits nothing, or something else, and the workflow does not start or always "
           "does.",
    .fix = "Write the pattern as GitHub reads it; blanks and ./ in front are taken off by wpa.",
    .elsewhere = (const char *const[]){"actionlint/glob", NULL},
    .declares = WPA_DECLARES_TRIGGERS,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
