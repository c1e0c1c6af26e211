/*
 * SEC-050: what is written so that neither people nor programs see what it is: paths that wind,
 * expressions that are constants, characters one cannot see, code in base64.
 */
#include <string.h>

#include "core/lanes.h"
#include "rules/decoded.h"
#include "rules/expressions.h"
#include "rules/outline.h"
#include "rules/pin.h"
#include "rules/steps.h"

typedef enum shape {
    SHAPE_PATH,
    SHAPE_CONSTANT,
    SHAPE_CHARACTER
} shape;

typedef struct subject {
    shape shape;
    wpa_span span;
    const char *text; /* to write in its place */
} subject;

static const void *subject_new(wpa_rule_run *run, shape what, wpa_span span, const char *text)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){what, span, text};
    return s;
}

/* ---- paths in uses ---- */

/* What is odd about the path's parts, or NULL. The first part of a local path is its dot. */
static const char *oddity_of(wpa_slice path, bool is_local)
{
    size_t start = is_local ? 2 : 0;
    for (size_t i = start; i <= path.length; i++) {
        if (i < path.length && path.at[i] != '/') {
            continue;
        }
        wpa_slice part = {path.at + start, i - start};
        bool is_last = i == path.length;
        if (wpa_slice_is(part, "..")) {
            return "goes up and down again";
        }
        if (wpa_slice_is(part, ".")) {
            return "has a '.' that means nothing";
        }
        if (part.length == 0 && !(is_local && is_last)) {
            return "has an empty part";
        }
        start = i + 1;
    }
    return NULL;
}

/* The path without what means nothing; NULL if it would leave its repository. */
static const char *normal_path(wpa_slice path, bool is_local, wpa_arena *arena)
{
    const char *out = wpa_path_in_tree("", path, arena);
    return out && is_local           ? wpa_arena_printf(arena, "./%s", out)
           : out && strchr(out, '/') ? out
                                     : NULL;
}

/* "owner/repo", as nearly all are: neither of the two parts is empty or of dots. */
static bool is_plain_slug(const wpa_outline_uses *uses)
{
    bool is_bare = uses->kind == WPA_OUTLINE_REPOSITORY && uses->slug.at == uses->node->text &&
                   uses->repo.length == uses->slug.length && uses->owner.length;
    return is_bare && uses->repo.at[0] != '.' && uses->repo.at[uses->owner.length + 1] != '.';
}

static void check_path(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    if (is_plain_slug(uses)) {
        return;
    }
    const char *text = wpa_yaml_text(uses->node);
    bool is_local = text && (wpa_text_starts(text, "./") || wpa_text_starts(text, "$/"));
    if (!text || uses->kind == WPA_OUTLINE_DOCKER || wpa_outline_has_expression(text) ||
        (!is_local && !strchr(text, '@'))) {
        return;
    }
    wpa_slice path = {text, strcspn(text, "@")};
    const char *oddity = oddity_of(path, is_local);
    if (!oddity) {
        return;
    }
    const char *normal =
        wpa_text_starts(text, "$") ? NULL : normal_path(path, is_local, run->arena);
    wpa_span span = wpa_yaml_source_span(uses->node, 0, path.length);
    (void)wpa_rule_report(run, span, NULL,
                          normal ? subject_new(run, SHAPE_PATH, span, normal) : NULL,
                          "the path in %s %s, which hides from rules what is used",
                          wpa_rule_quote(run, text, strlen(text)), oddity);
}

/* ---- expressions ---- */

typedef struct visit {
    wpa_rule_run *run;
    const wpa_expr_place *place;
    size_t covered; /* end of the last constant reported: its parts are not reported again */
    bool is_condition;
} visit;

static bool is_literal(const wpa_expr *node)
{
    return node->kind == WPA_EXPR_NULL || node->kind == WPA_EXPR_BOOL ||
           node->kind == WPA_EXPR_NUMBER || node->kind == WPA_EXPR_STRING;
}

/* Does nothing in the tree depend on the run? Of most trees the first leaf tells. */
static bool is_closed(const wpa_expr *node)
{
    static const char *const impure[] = {"hashFiles", "success", "failure", "always", "cancelled"};
    bool is_call =
        node->kind == WPA_EXPR_CALL && wpa_text_index(node->text, impure, WPA_COUNT(impure)) >= 0;
    bool is_open = node->kind == WPA_EXPR_NAME || is_call;
    for (size_t i = 0; i < node->n_args && !is_open; i++) {
        is_open = !is_closed(node->args[i]);
    }
    return !is_open;
}

/* fromJSON('[...]') and the like: the one way to write a list. */
static bool is_list(const wpa_expr *node, const wpa_expr_value *value)
{
    return node->kind == WPA_EXPR_CALL && wpa_text_is_ci(node->text, "fromJSON") &&
           value->type == WPA_EXPR_IS_UNKNOWN;
}

/* The value as an expression writes it; NULL for what has no literal. */
static const char *literal_of(const wpa_expr_value *value, wpa_arena *arena)
{
    const char *text = wpa_expr_value_text(value, arena);
    if (!text || value->type == WPA_EXPR_IS_UNKNOWN) {
        return NULL;
    }
    if (value->type == WPA_EXPR_IS_NULL) {
        return "null";
    }
    if (value->type != WPA_EXPR_IS_STRING) {
        return text;
    }
    char *quoted = wpa_arena_alloc(arena, 2 * strlen(text) + 3), *out = quoted;
    *out++ = '\'';
    for (; *text; text++) {
        *out++ = *text;
        if (*text == '\'') {
            *out++ = '\'';
        }
    }
    *out = '\'';
    return quoted;
}

/* Text that may stand in the scalar as it is: no quotes to undo, nothing YAML reads in its way. */
static bool is_plain(const char *text)
{
    return *text &&
           !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                              "0123456789_./ -")] &&
           text[0] != '-' && text[0] != ' ' && text[strlen(text) - 1] != ' ';
}

/* What to write for a constant: a text for a whole fence, a literal for a part. */
static const void *constant_fix(const visit *v, const wpa_expr *node, const wpa_expr_value *value)
{
    const wpa_expr_place *place = v->place;
    wpa_arena *arena = v->run->arena;
    bool is_root = node == place->parsed.root;
    bool is_fence = is_root && !place->is_bare && !v->is_condition;
    const char *text = is_fence ? wpa_expr_value_text(value, arena) : literal_of(value, arena);
    bool is_whole = place->outer.start == 0 && place->outer.end == place->node->length;
    bool keeps_type = !is_whole || value->type == WPA_EXPR_IS_STRING;
    if (!text || (is_fence && (!is_plain(text) || !keeps_type)) || (is_root && !is_fence) ||
        strpbrk(text, "\n\r")) {
        return NULL;
    }
    if (is_fence && is_whole && value->type == WPA_EXPR_IS_STRING) {
        wpa_yaml_node as_text = {.kind = WPA_YAML_SCALAR, .style = WPA_YAML_PLAIN};
        as_text.text = text;
        as_text.length = (uint32_t)strlen(text);
        bool is_quoted = place->node->style != WPA_YAML_PLAIN;
        if (!is_quoted && wpa_yaml_scalar_type(&as_text) != WPA_YAML_TEXT) {
            return NULL; /* 'true' is text, true is not */
        }
    }
    wpa_span span = is_fence ? wpa_expr_outer_span(place) : wpa_expr_source_span(place, node->span);
    return subject_new(v->run, SHAPE_CONSTANT, span, text);
}

static void check_constant(visit *v, const wpa_expr *node)
{
    bool is_root = node == v->place->parsed.root;
    bool is_operation = !is_literal(node);
    bool is_switch =
        is_root && v->is_condition && v->place->is_bare; /* "if: false" hides nothing */
    if ((!is_operation && (!is_root || is_switch)) || !is_closed(node)) {
        return;
    }
    wpa_expr_value value = wpa_expr_fold(node, NULL, NULL, v->run->arena);
    if (is_list(node, &value)) {
        return;
    }
    v->covered = node->span.end;
    (void)wpa_rule_report(v->run, wpa_expr_source_span(v->place, node->span), NULL,
                          constant_fix(v, node, &value),
                          is_root ? "the expression is a constant, which need not be computed"
                                  : "this part of the expression is a constant, written as if it "
                                    "were none");
}

static bool is_call_of(const wpa_expr *node, const char *name)
{
    return node->kind == WPA_EXPR_CALL && node->n_args == 1 && wpa_text_is_ci(node->text, name);
}

/* fromJSON(toJSON(x)): there and back again. */
static void check_round_trip(visit *v, const wpa_expr *node)
{
    if (!is_call_of(node, "fromJSON") || !is_call_of(node->args[0], "toJSON")) {
        return;
    }
    const wpa_expr *inner = node->args[0]->args[0];
    const char *text = wpa_arena_slice(
        v->run->arena, v->place->node->text + v->place->inner.start + inner->span.start,
        wpa_span_length(inner->span));
    wpa_span span = wpa_expr_source_span(v->place, node->span);
    (void)wpa_rule_report(v->run, span, NULL, subject_new(v->run, SHAPE_CONSTANT, span, text),
                          "fromJSON(toJSON(...)) gives back what it was given");
}

static void check_index(visit *v, const wpa_expr *node)
{
    if (node->kind != WPA_EXPR_INDEX || is_literal(node->args[1]) || is_closed(node->args[1]) ||
        !wpa_rule_is_wanted(v->run, WPA_PERSONA_PEDANTIC)) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(v->run, wpa_expr_source_span(v->place, node->args[1]->span), NULL, NULL,
                        "which member is read is known only when it runs");
    finding->persona = WPA_PERSONA_PEDANTIC;
}

static void check_node(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    (void)parent;
    visit *v = context;
    if (node->span.start < v->covered) {
        return;
    }
    check_constant(v, node);
    if (node->span.start >= v->covered) {
        check_round_trip(v, node);
        check_index(v, node);
    }
}

/* Kinds without which nothing is constant, goes there and back, or is reached by what is computed.
 */
static const uint32_t looked_at = 1U << WPA_EXPR_NULL | 1U << WPA_EXPR_BOOL |
                                  1U << WPA_EXPR_NUMBER | 1U << WPA_EXPR_STRING |
                                  1U << WPA_EXPR_CALL | 1U << WPA_EXPR_INDEX;

/* A tree that stands in the file again has as little to it, unless it is a literal alone, of which
 * the place tells. */
static void check_expression(wpa_rule_run *run, const wpa_expression *expression)
{
    const wpa_expr_place *place = expression->place;
    if (!wpa_expr_may_have(&place->parsed, looked_at) || place->parsed.memo->is_clear) {
        return;
    }
    const wpa_yaml_node *key = place->node->key;
    size_t n_before = wpa_rule_n_reported(run);
    visit v = {run, place, 0, key && wpa_text_is(wpa_yaml_text(key), "if")};
    wpa_expr_walk(place->parsed.root, check_node, &v);
    place->parsed.memo->is_clear =
        wpa_rule_n_reported(run) == n_before && !is_literal(place->parsed.root);
}

static void check_expressions(wpa_rule_run *run)
{
    const wpa_expressions *all = run->source->expressions;
    size_t n = wpa_rule_spend(run, all->n) ? all->n : 0;
    for (size_t i = 0; i < n; i++) {
        if (all->items[i].place->parsed.root) {
            check_expression(run, &all->items[i]);
        }
    }
}

/* ---- characters nobody sees ---- */

/* Characters that turn the text round, or take no room. */
static bool is_invisible(uint32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200B ||
           c == 0x200E || c == 0x200F || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF ||
           c == 0x180E || c == 0x00AD;
}

/* Letters of other alphabets that look like ours. */
static bool is_lookalike(uint32_t c)
{
    static const char like[] = "\xD0\xB0\xD0\xB5\xD0\xBE\xD1\x80\xD1\x81\xD1\x83\xD1\x85\xD1\x96"
                               "\xD1\x98\xD1\x95\xD0\x90\xD0\x92\xD0\x95\xD0\x9A\xD0\x9C\xD0\x9D"
                               "\xD0\x9E\xD0\xA0\xD0\xA1\xD0\xA2\xD0\xA5\xCE\xBF\xCE\xB1\xCE\xBD";
    bool may_be = c >= 0x370 && c < 0x500; /* Greek and Cyrillic, as all of them */
    for (size_t at = 0; may_be && at < sizeof like - 1;) {
        if (wpa_utf8_next(like, sizeof like - 1, &at) == c) {
            return true;
        }
    }
    return c >= 0xFF21 && c <= 0xFF5A; /* full-width */
}

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Are as many bytes as lanes have characters of ASCII? */
static bool are_plain(const char *text)
{
    return !wpa_lanes_bits((wpa_lanes)(wpa_lanes_at(text) > 0x7f));
}

/* The first odd character of a text, as bytes of it; empty if it has none. */
static wpa_span find_odd(const char *text, size_t length, bool *is_hidden)
{
    uint32_t before = 0;
    if (wpa_text_is_ascii(text, length)) {
        return (wpa_span){0, 0};
    }
    for (size_t at = 0; at < length;) {
        while (at + WPA_LANES < length && are_plain(text + at)) {
            at += WPA_LANES;
            before = (unsigned char)text[at - 1];
        }
        if ((unsigned char)text[at] < 0x80 && at + 1 < length &&
            (unsigned char)text[at + 1] < 0x80) {
            before = (unsigned char)text[at++];
            continue;
        }
        size_t start = at;
        uint32_t c = wpa_utf8_next(text, length, &at);
        size_t ahead = at;
        uint32_t next = ahead < length ? wpa_utf8_next(text, length, &ahead) : 0;
        *is_hidden = is_invisible(c);
        if (*is_hidden || (is_lookalike(c) && (is_letter(before) || is_letter(next)))) {
            return (wpa_span){start, at};
        }
        before = c;
    }
    return (wpa_span){0, 0};
}

/* Where the next character of another alphabet stands in the file: as such, and by an escape that
   stands for one; its end if nowhere. */
typedef struct odd_places {
    size_t letter, escape;
} odd_places;

static size_t next_letter(const wpa_yaml_doc *doc, size_t at)
{
    size_t n = doc->is_plain ? doc->size_bytes : at;
    while (n + WPA_LANES <= doc->size_bytes && are_plain(doc->source + n)) {
        n += WPA_LANES;
    }
    while (n < doc->size_bytes && (unsigned char)doc->source[n] < 0x80) {
        n++;
    }
    return n;
}

static size_t next_escape(const wpa_yaml_doc *doc, size_t from)
{
    const char *at = doc->source + from, *end = doc->source + doc->size_bytes;
    for (; (at = memchr(at, '\\', (size_t)(end - at))); at++) {
        char c = at[1];
        if (c == 'x' || c == 'u' || c == 'U' || c == 'N' || c == '_' || c == 'L' || c == 'P') {
            return (size_t)(at - doc->source);
        }
    }
    return doc->size_bytes;
}

static odd_places first_odd(const wpa_yaml_doc *doc)
{
    return (odd_places){next_letter(doc, 0), next_escape(doc, 0)};
}

/* For spans in the order of the file, which is gone through once for all of them. */
static bool may_hold_odd(odd_places *next, const wpa_yaml_doc *doc, wpa_span span)
{
    next->letter = next->letter < span.start ? next_letter(doc, span.start) : next->letter;
    next->escape = next->escape < span.start ? next_escape(doc, span.start) : next->escape;
    return next->letter < span.end || next->escape < span.end;
}

static void check_characters(wpa_rule_run *run, const wpa_yaml_node *node, const char *what)
{
    bool is_hidden = false;
    bool may_be_odd = wpa_yaml_is(node, WPA_YAML_SCALAR) && node->text &&
                      (!node->doc->is_plain || node->style == WPA_YAML_DOUBLE_QUOTED);
    wpa_span at = may_be_odd ? find_odd(node->text, node->length, &is_hidden) : (wpa_span){0, 0};
    if (at.end == at.start) {
        return;
    }
    wpa_span span = wpa_yaml_source_span(node, at.start, at.end);
    wpa_finding *finding = wpa_rule_report(
        run, span, NULL, is_hidden ? subject_new(run, SHAPE_CHARACTER, span, "") : NULL,
        is_hidden ? "%s holds %s, which nobody sees: what runs is not what one reads"
                  : "%s holds %s, a letter of another alphabet that looks like ours",
        what, wpa_rule_quote(run, node->text + at.start, at.end - at.start));
    finding->severity = WPA_SEVERITY_HIGH;
}

static void walk_keys(wpa_rule_run *run, const wpa_yaml_node *node, odd_places *next, int depth)
{
    bool is_collection = node && node->n_pairs + node->n_items;
    if (is_collection && !node->doc->n_aliases && !may_hold_odd(next, node->doc, node->span)) {
        return;
    }
    for (size_t i = 0; node && depth < WPA_YAML_MAX_DEPTH && i < node->n_pairs; i++) {
        const wpa_yaml_pair *pair = &node->pairs[i];
        check_characters(run, pair->key, "a key");
        if (wpa_text_is(wpa_yaml_text(pair->key), "if")) {
            check_characters(run, pair->value, "a condition");
        }
        walk_keys(run, pair->value, next, depth + 1);
    }
    for (size_t i = 0; node && depth < WPA_YAML_MAX_DEPTH && i < node->n_items; i++) {
        walk_keys(run, node->items[i], next, depth + 1);
    }
}

/* ---- code that is decoded ---- */

static void report_decoded(wpa_rule_run *run, wpa_span span)
{
    wpa_finding *finding = wpa_rule_report(
        run, span, NULL, NULL, "what is decoded here is run, and nobody can read what it is");
    finding->severity = WPA_SEVERITY_HIGH;
    finding->confidence = WPA_CONFIDENCE_MEDIUM;
}

/* ---- all of them ---- */

/* What a file may hold. */
typedef struct look {
    bool may_be_odd, may_decode;
} look;

static void check_step(wpa_rule_run *run, const wpa_outline_step *step, const look *l)
{
    /* A mapping is what the outline takes. */
    const wpa_yaml_pair *with = step->with ? NULL : wpa_yaml_find(step->node, "with");
    if (with && wpa_outline_has_expression(wpa_yaml_text(with->value))) {
        wpa_finding *finding =
            wpa_rule_report(run, (wpa_span){with->key->span.start, with->value->span.end}, NULL,
                            NULL, "which inputs the action gets is known only when it runs");
        finding->persona = WPA_PERSONA_AUDITOR;
    }
    if (l->may_be_odd) {
        check_characters(run, step->uses.node, "what is used");
        check_characters(run, step->run, "the script");
    }
    if (l->may_decode) {
        wpa_decoded_visit(run, step, report_decoded);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    wpa_rule_each_uses(run, check_path);
    check_expressions(run);
    const wpa_yaml_doc *doc = run->source->yaml;
    odd_places odd = first_odd(doc);
    bool may_be_odd = odd.letter < doc->size_bytes || odd.escape < doc->size_bytes;
    const look l = {may_be_odd, wpa_decoded_may(doc)};
    if (l.may_be_odd) {
        walk_keys(run, o->root, &odd, 0);
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (l.may_be_odd) {
            check_characters(run, o->jobs[i].uses.node, "what is used");
        }
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i].steps[k], &l);
        }
    }
    return true;
}

/* Without an expression in its name a job of several legs is shown once for each, with values. */
static bool is_name_of_legs(const wpa_rule_run *run, const subject *s)
{
    const wpa_yaml_node *node = wpa_yaml_node_at(run->source->yaml, s->span.start);
    return node && wpa_text_is(wpa_yaml_text(node->key), "name") && node->parent &&
           wpa_yaml_is(node->parent, WPA_YAML_MAPPING) && wpa_yaml_find(node->parent, "strategy");
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    static const char *const titles[] = {"write the plain path", "write the value",
                                         "take the character out"};
    const subject *s = finding->subject;
    if (s && !is_name_of_legs(run, s)) {
        bool is_safe = s->shape != SHAPE_CHARACTER;
        wpa_fix *fix = wpa_rule_fix(run, finding, is_safe ? WPA_FIX_SAFE : WPA_FIX_UNSAFE, "%s",
                                    titles[s->shape]);
        wpa_rule_edit(run, fix, s->span, "%s", s->text);
    }
}

const wpa_rule wpa_rule_obfuscation = {
    .code = "SEC-050",
    .id = "obfuscation",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Something is written so that one cannot see what it is",
    .why = "Reviewers and rules pass over what they cannot read, which is where attacks hide.",
    .fix = "Write it plainly: the path, the value, the text itself.",
    .elsewhere = (const char *const[]){"zizmor/obfuscation", NULL},
    .declares = WPA_DECLARES_SCRIPT | WPA_DECLARES_PINS | WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
