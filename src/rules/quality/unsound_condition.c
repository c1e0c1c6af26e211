/*
 * QUA-013: a condition with a fence and something beside it is text, and text counts as true: words
 * around the fence, two fences, a negation in front, the line break that a block keeps.
 */
#include <string.h>

#include <wpa/buf.h>

#include "rules/expressions.h"
#include "rules/rule.h"

/* All expressions of one condition. */
typedef struct subject {
    const wpa_yaml_node *value;
    const wpa_expression *items; /* [n] */
    size_t n;
} subject;

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!strchr(" \t\r\n", text[i])) {
            return false;
        }
    }
    return true;
}

static bool is_block(const wpa_yaml_node *value)
{
    return value->style == WPA_YAML_LITERAL || value->style == WPA_YAML_FOLDED;
}

/** Only the line break that a block scalar keeps stands behind the fence. */
static bool is_newline_only(const subject *s)
{
    wpa_span outer = s->items[0].place->outer;
    return is_block(s->value) && s->n == 1 && outer.start == 0 &&
           is_blank(s->value->text + outer.end, s->value->length - outer.end);
}

static void check_condition(wpa_rule_run *run, const subject *s)
{
    const wpa_expression *first = &s->items[0], *last = &s->items[s->n - 1];
    bool is_open = last->place->parsed.fault == WPA_EXPR_NOT_CLOSED;
    if ((s->n == 1 && first->is_whole) || is_open) {
        return; /* what is not closed GitHub refuses: expression-syntax */
    }
    const void *kept = wpa_arena_dup(run->arena, s, sizeof *s);
    if (is_newline_only(s)) {
        wpa_rule_report(run, s->value->span, NULL, kept,
                        "the condition is always true: the block keeps a line break behind "
                        "'${{ }}', which makes it text");
        return;
    }
    bool is_blank_only = s->n == 1 && is_blank(s->value->text, first->place->outer.start) &&
                         is_blank(s->value->text + first->place->outer.end,
                                  s->value->length - first->place->outer.end);
    wpa_rule_report(run, s->value->span, NULL, kept,
                    "the condition is always true: %s outside of '${{ }}' makes it text",
                    s->n > 1        ? "what stands between two fences"
                    : is_blank_only ? "the blank"
                                    : "what stands");
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = run->source->expressions;
    for (size_t i = 0; i < all->n;) {
        subject s = {all->items[i].place->node, &all->items[i], 0};
        while (i < all->n && all->items[i].place->node == s.value) {
            s.n++;
            i++;
        }
        if (s.items[0].use == WPA_EXPRESSION_CONDITION) {
            check_condition(run, &s);
        }
    }
    return true;
}

/* ---- repair ---- */

/** The chomping mark goes into the header: "|" becomes "|-". */
static void chomp(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value)
{
    const char *source = value->doc->source;
    size_t at = value->span.start + 1;
    at += strspn(source + at, "123456789");
    size_t n_marks = strspn(source + at, "+-");
    at -= n_marks && source[at] != '+' && source[at] != '-';
    wpa_rule_edit(run, fix, (wpa_span){at, at + n_marks}, "%s", "-");
}

/** Operators bind to what is next to a fence: what is looser inside takes brackets. */
static bool takes_brackets(const subject *s, const wpa_expression *e)
{
    const wpa_expr *root = e->place->parsed.root;
    bool is_loose = root->kind >= WPA_EXPR_AND && root->kind <= WPA_EXPR_GE;
    bool is_alone =
        s->n == 1 && e->place->outer.start == 0 &&
        is_blank(s->value->text + e->place->outer.end, s->value->length - e->place->outer.end);
    return is_loose && !is_alone;
}

/** Blanks just inside a fence. */
static wpa_span trimmed(const subject *s, const wpa_expression *e)
{
    wpa_span span = e->place->inner;
    while (span.start < span.end && is_blank(s->value->text + span.start, 1)) {
        span.start++;
    }
    while (span.end > span.start && is_blank(s->value->text + span.end - 1, 1)) {
        span.end--;
    }
    return span;
}

/** Does the fence at this place stand within quotes? Then it was meant to be put into a string. */
static bool is_in_string(const subject *s, size_t place)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i <= place; i++) {
        wpa_span outer = s->items[i].place->outer;
        for (; at < outer.start; at++) {
            n += s->value->text[at] == '\'';
        }
        at = outer.end;
    }
    return n % 2 == 1;
}

/** The condition without its fences, to see whether it is one expression then. */
static bool is_one_expression(wpa_rule_run *run, const subject *s)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(WPA_EXPR_MAX_BYTES);
    size_t at = 0;
    for (size_t i = 0; i < s->n; i++) {
        const wpa_expr_place *place = s->items[i].place;
        if (!place->parsed.root || is_in_string(s, i)) {
            return false;
        }
        wpa_buf_append(buf, s->value->text + at, place->outer.start - at);
        wpa_buf_char(buf, '(');
        wpa_buf_append(buf, s->value->text + place->inner.start, wpa_span_length(place->inner));
        wpa_buf_char(buf, ')');
        at = place->outer.end;
    }
    wpa_buf_append(buf, s->value->text + at, s->value->length - at);
    const char *text = wpa_buf_dup(buf, run->arena);
    return !wpa_buf_is_full(buf) && wpa_expr_parse(text, strlen(text), run->arena).root;
}

static void edit(wpa_rule_run *run, wpa_fix *fix, const subject *s, size_t from, size_t to,
                 const char *text)
{
    if (from < to || *text) {
        wpa_rule_edit(run, fix, wpa_yaml_source_span(s->value, from, to), "%s", text);
    }
}

/** Fences of the parts go, one is put around all that is not blank. */
static void join_fences(wpa_rule_run *run, wpa_fix *fix, const subject *s)
{
    const wpa_yaml_node *value = s->value;
    size_t start = 0, end = value->length;
    while (start < end && is_blank(value->text + start, 1)) {
        start++;
    }
    while (end > start && is_blank(value->text + end - 1, 1)) {
        end--;
    }
    for (size_t i = 0; i < s->n; i++) {
        wpa_span outer = s->items[i].place->outer, inner = trimmed(s, &s->items[i]);
        bool has_brackets = takes_brackets(s, &s->items[i]);
        bool is_first = outer.start == start, is_last = outer.end == end;
        const char *open = has_brackets ? "(" : "", *close = has_brackets ? ")" : "";
        edit(run, fix, s, is_first ? 0 : outer.start, inner.start,
             is_first ? wpa_arena_printf(run->arena, "${{ %s", open) : open);
        edit(run, fix, s, inner.end, is_last && !is_block(value) ? value->length : outer.end,
             is_last ? wpa_arena_printf(run->arena, "%s }}", close) : close);
    }
    if (s->items[0].place->outer.start != start) {
        edit(run, fix, s, 0, start, "${{ ");
    }
    if (s->items[s->n - 1].place->outer.end != end) {
        edit(run, fix, s, end, is_block(value) ? end : value->length, " }}");
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (is_newline_only(s)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE,
                                    "drop the line break that makes the condition always true");
        chomp(run, fix, s->value);
        return;
    }
    if (is_one_expression(run, s)) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "put one '${{ }}' around the whole");
        join_fences(run, fix, s);
        if (is_block(s->value) && s->value->text[s->value->length - 1] == '\n') {
            chomp(run, fix, s->value);
        }
    }
}

const wpa_rule wpa_rule_unsound_condition = {
    .code = "QUA-013",
    .id = "unsound-condition",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A condition is always true because something stands outside its fence",
    .why = "Text around '${{ }}' makes the whole a non-empty string, and that counts as true.",
    .fix = "Put the whole condition into one '${{ }}', or leave the fence out.",
    .elsewhere = (const char *const[]){"zizmor/unsound-condition", "actionlint/if-cond#1",
                                       "poutine/if_always_true", NULL},
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
