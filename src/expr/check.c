#include "expr/check.h"

#include <stdarg.h>
#include <string.h>

#include "expr/checker.h"

#define NAME_MAX_CHARS 60
#define NAMES_MAX 256

static wpa_typed visit(wpa_checker *c, const wpa_expr *node);

/* ---- problems ---- */

wpa_expr_problem *wpa_checker_problem(wpa_checker *c, const char *check, const wpa_expr *node,
                                      wpa_span span, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *message = wpa_arena_vprintf(c->arena, format, values);
    va_end(values);
    c->problems = wpa_arena_grow(c->arena, c->problems, c->n, &c->capacity, sizeof *c->problems);
    wpa_expr_problem *problem = &c->problems[c->n++];
    *problem = (wpa_expr_problem){check, span, message, node, false};
    return problem;
}

const char *wpa_checker_quote(wpa_checker *c, const char *text)
{
    const char *cut = wpa_text_ellipsis(c->arena, text, NAME_MAX_CHARS);
    return wpa_arena_printf(c->arena, "'%s'", wpa_text_visible(c->arena, cut, strlen(cut), false));
}

const char *wpa_checker_hint(wpa_checker *c, const char *text, const char *const names[], size_t n)
{
    /* Of three letters one or two are no likeness. */
    const char *near = strlen(text) < 4 ? NULL : wpa_text_nearest(text, names, n);
    return near ? wpa_arena_printf(c->arena, " (did you mean '%s'?)", near) : "";
}

/* ---- values ---- */

wpa_typed wpa_typed_of(const wpa_type *type)
{
    const wpa_type *never = wpa_type_of(WPA_TYPE_NEVER);
    switch (type->kind) {
    case WPA_TYPE_NULL:
        return (wpa_typed){type, never, type};
    case WPA_TYPE_ARRAY:
    case WPA_TYPE_OBJECT: /* what is missing is null */
        return (wpa_typed){type, type, wpa_type_of(WPA_TYPE_NULL)};
    case WPA_TYPE_NEVER:
    case WPA_TYPE_ANY:
    case WPA_TYPE_BOOL:
    case WPA_TYPE_NUMBER:
    case WPA_TYPE_STRING:
        break;
    }
    return (wpa_typed){type, type, type};
}

static wpa_typed any_value(void)
{
    return wpa_typed_of(wpa_type_of(WPA_TYPE_ANY));
}

static wpa_typed literal(const wpa_expr *node, wpa_type_kind kind)
{
    const wpa_type *type = wpa_type_of(kind), *never = wpa_type_of(WPA_TYPE_NEVER);
    bool is_true =
        node->kind == WPA_EXPR_STRING ? *node->text != '\0' : node->number < 0 || node->number > 0;
    return (wpa_typed){type, is_true ? type : never, is_true ? never : type};
}

/* ---- contexts ---- */

/** Of the known ones, which are in lower case, as they are mostly written; -1: none of them. */
static int index_of(const wpa_expr_scope *scope, const char *name)
{
    const char *const *names = scope->known_contexts;
    for (int i = 0; names && names[i]; i++) {
        bool may_be = !((*names[i] ^ *name) & ~0x20);
        if (may_be && (strcmp(names[i], name) == 0 || wpa_text_is_ci(names[i], name))) {
            return i;
        }
    }
    return -1;
}

static size_t count(const char *const *names)
{
    size_t n = 0;
    while (names && names[n]) {
        n++;
    }
    return n;
}

static const char *where(const wpa_checker *c)
{
    return c->scope->key ? wpa_arena_printf(c->arena, " in '%s'", c->scope->key) : " here";
}

static wpa_typed visit_name(wpa_checker *c, const wpa_expr *node)
{
    const wpa_expr_scope *scope = c->scope;
    int index = index_of(scope, node->text);
    bool is_known = index >= 0;
    if (!is_known && wpa_checker_has_function(node->text)) {
        wpa_checker_problem(c, "E13", node, node->name_span,
                            "there is no context %s; the function is written with '()'",
                            wpa_checker_quote(c, node->text));
        return any_value();
    }
    if (!is_known) {
        wpa_checker_problem(
            c, "E13", node, node->name_span, "there is no context %s%s",
            wpa_checker_quote(c, node->text),
            wpa_checker_hint(c, node->text, scope->known_contexts, count(scope->known_contexts)));
        return any_value();
    }
    if (!(scope->contexts >> index & 1)) {
        wpa_checker_problem(c, "E14", node, node->name_span, "the context %s is not available%s",
                            wpa_checker_quote(c, node->text), where(c));
        return any_value();
    }
    c->contexts |= UINT32_C(1) << index;
    const char *name = scope->known_contexts[index];
    const wpa_type *type = scope->type_of ? scope->type_of(name, scope->data, c->arena) : NULL;
    return type ? wpa_typed_of(type) : any_value();
}

/* ---- members ---- */

/** "steps.build" of a chain, for messages; "this object" for what is no plain chain. */
static const char *chain_text(wpa_checker *c, const wpa_expr *node)
{
    size_t n;
    const wpa_expr_reference *list = wpa_expr_references(node, c->arena, &n);
    for (size_t i = 0; i < n; i++) {
        if (list[i].node == node && !list[i].is_computed) {
            return wpa_checker_quote(c, list[i].path);
        }
    }
    return "this object";
}

static void report_unknown_member(wpa_checker *c, const wpa_expr *node, wpa_span span,
                                  const wpa_type *object, const char *name)
{
    for (size_t i = 0; i < object->n_later; i++) {
        if (wpa_text_is_ci(object->later[i].name, name)) {
            wpa_checker_problem(c, "E23", node, span,
                                "%s comes later, so nothing is known of it here",
                                wpa_checker_quote(c, name));
            return;
        }
    }
    const char *names[NAMES_MAX];
    size_t n = object->n_members < NAMES_MAX ? object->n_members : NAMES_MAX;
    for (size_t i = 0; i < n; i++) {
        names[i] = object->members[i].name;
    }
    wpa_checker_problem(c, "E23", node, span, "%s has no member %s%s", chain_text(c, node->args[0]),
                        wpa_checker_quote(c, name), wpa_checker_hint(c, name, names, n));
}

static const wpa_type *member_of(wpa_checker *c, const wpa_expr *node, wpa_span span,
                                 const wpa_type *object, const char *name)
{
    const wpa_type *type = wpa_type_member_find(object, name);
    if (!type) {
        report_unknown_member(c, node, span, wpa_type_resolve(object), name);
    }
    return type ? type : wpa_type_of(WPA_TYPE_ANY);
}

/** .name behind .*: of each element. */
static const wpa_type *filtered_member(wpa_checker *c, const wpa_expr *node, wpa_span span,
                                       const wpa_type *element, const char *name)
{
    const wpa_type *any = wpa_type_of(WPA_TYPE_ANY);
    if (element->kind == WPA_TYPE_OBJECT) {
        const wpa_type *type = wpa_type_member_find(element, name);
        if (!type) {
            wpa_checker_problem(c, "E26", node, span, "no element of %s has a member %s",
                                chain_text(c, node->args[0]), wpa_checker_quote(c, name));
        }
        return wpa_type_filter(c->arena, type ? type : any);
    }
    if (wpa_type_is_scalar(element) || element->kind == WPA_TYPE_ARRAY) {
        wpa_checker_problem(c, "E25", node, span,
                            "the elements of %s are no objects, so %s of them is nothing",
                            chain_text(c, node->args[0]), wpa_checker_quote(c, name));
    }
    return wpa_type_filter(c->arena, any);
}

/* Has a value no members? What is null because it is not there is forgiven, a written null is not.
 */
static bool is_bare(const wpa_expr *node, const wpa_type *type)
{
    return wpa_type_is_scalar(type) &&
           (type->kind != WPA_TYPE_NULL || node->args[0]->kind == WPA_EXPR_NULL);
}

static wpa_typed access_member(wpa_checker *c, const wpa_expr *node, wpa_span span,
                               const wpa_type *of, const char *name)
{
    if (of->kind == WPA_TYPE_OBJECT) {
        return wpa_typed_of(member_of(c, node, span, of, name));
    }
    if (of->kind == WPA_TYPE_ARRAY && of->is_filter) {
        return wpa_typed_of(filtered_member(c, node, span, of->item, name));
    }
    if (of->kind == WPA_TYPE_ARRAY || is_bare(node, of)) {
        wpa_checker_problem(c, "E24", node, span, "%s is %s and has no members%s",
                            chain_text(c, node->args[0]), wpa_type_words(of),
                            of->kind == WPA_TYPE_ARRAY ? ": its elements are reached with '.*'"
                                                       : "");
    }
    return any_value();
}

/** Is there anything in the object that members can be taken of? */
static const wpa_type *elements_of(wpa_checker *c, const wpa_type *of)
{
    if (of->kind == WPA_TYPE_OBJECT) {
        return wpa_type_values(of, c->arena);
    }
    const wpa_type *item = of->item;
    if (of->is_filter && item->kind == WPA_TYPE_OBJECT) {
        return wpa_type_values(item, c->arena);
    }
    return of->is_filter && item->kind == WPA_TYPE_ARRAY ? item->item
           : of->is_filter                               ? wpa_type_of(WPA_TYPE_ANY)
                                                         : item;
}

static wpa_typed visit_star(wpa_checker *c, const wpa_expr *node)
{
    const wpa_type *of = visit(c, node->args[0]).whole, *any = wpa_type_of(WPA_TYPE_ANY);
    bool is_collection = of->kind == WPA_TYPE_ARRAY || of->kind == WPA_TYPE_OBJECT;
    if (wpa_type_is_scalar(of)) {
        wpa_checker_problem(c, "E27", node, node->name_span,
                            "%s is %s: '*' takes the elements of arrays and objects alone",
                            chain_text(c, node->args[0]), wpa_type_words(of));
    } else if (is_collection && of->is_filter && wpa_type_is_scalar(of->item)) {
        wpa_checker_problem(c, "E29", node, node->name_span,
                            "the elements of %s are no collections, so '*' of them is nothing",
                            chain_text(c, node->args[0]));
    } else if (is_collection) {
        const wpa_type *elements = elements_of(c, of);
        if (elements->kind == WPA_TYPE_NEVER) {
            wpa_checker_problem(c, "E28", node, node->name_span,
                                "%s is empty, so '*' of it is nothing",
                                chain_text(c, node->args[0]));
            elements = any;
        }
        return wpa_typed_of(wpa_type_filter(c->arena, elements));
    }
    return wpa_typed_of(wpa_type_filter(c->arena, any));
}

static wpa_typed index_object(wpa_checker *c, const wpa_expr *node, const wpa_type *of,
                              const wpa_type *index)
{
    /* Maps of anything may have numbers for names, as the ports of a service do. */
    const wpa_type *item = wpa_type_resolve(of)->item;
    bool fits = index->kind == WPA_TYPE_STRING || index->kind == WPA_TYPE_ANY ||
                (item && item->kind != WPA_TYPE_STRING);
    if (!fits) {
        wpa_checker_problem(c, "E31", node, node->args[1]->span,
                            "members of %s are reached by a string, and this is %s",
                            chain_text(c, node->args[0]), wpa_type_words(index));
    }
    const wpa_type *values = wpa_type_values(of, c->arena);
    return values->kind == WPA_TYPE_NEVER ? any_value() : wpa_typed_of(values);
}

static wpa_typed visit_index(wpa_checker *c, const wpa_expr *node)
{
    const wpa_type *of = visit(c, node->args[0]).whole;
    const wpa_type *index = visit(c, node->args[1]).whole;
    if (node->args[1]->kind == WPA_EXPR_STRING &&
        (of->kind == WPA_TYPE_OBJECT || (of->kind == WPA_TYPE_ARRAY && of->is_filter))) {
        return access_member(c, node, node->args[1]->span, of, node->args[1]->text);
    }
    if (of->kind == WPA_TYPE_OBJECT) {
        return index_object(c, node, of, index);
    }
    if (of->kind == WPA_TYPE_ARRAY) {
        bool fits = index->kind == WPA_TYPE_NUMBER || index->kind == WPA_TYPE_ANY || of->is_filter;
        if (!fits) {
            wpa_checker_problem(c, "E30", node, node->args[1]->span,
                                "elements of %s are reached by a number, and this is %s",
                                chain_text(c, node->args[0]), wpa_type_words(index));
        }
        return wpa_typed_of(of->item);
    }
    if (is_bare(node, of)) {
        wpa_checker_problem(c, "E32", node, node->name_span, "%s is %s and has no elements",
                            chain_text(c, node->args[0]), wpa_type_words(of));
    }
    return any_value();
}

/* ---- operators ---- */

static bool is_collection(const wpa_type *type)
{
    return type->kind == WPA_TYPE_ARRAY || type->kind == WPA_TYPE_OBJECT;
}

static bool can_be_equal(const wpa_type *a, const wpa_type *b)
{
    bool is_open = a->kind == WPA_TYPE_ANY || b->kind == WPA_TYPE_ANY || a->kind == WPA_TYPE_NULL ||
                   b->kind == WPA_TYPE_NULL;
    return is_open || (!is_collection(a) && !is_collection(b)) || a->kind == b->kind;
}

static bool has_order(const wpa_type *type)
{
    return type->kind == WPA_TYPE_ANY || type->kind == WPA_TYPE_NUMBER ||
           type->kind == WPA_TYPE_STRING || type->kind == WPA_TYPE_NEVER;
}

static wpa_typed visit_comparison(wpa_checker *c, const wpa_expr *node)
{
    const wpa_type *a = visit(c, node->args[0]).whole, *b = visit(c, node->args[1]).whole;
    bool is_equality = node->kind == WPA_EXPR_EQ || node->kind == WPA_EXPR_NE;
    if (is_equality && !can_be_equal(a, b)) {
        wpa_checker_problem(c, "E34", node, node->span,
                            "%s is never equal to %s, whatever their values", wpa_type_words(a),
                            wpa_type_words(b));
    } else if (!is_equality && (is_collection(a) || is_collection(b))) {
        const wpa_type *bad = is_collection(a) ? a : b;
        wpa_checker_problem(c, "E34", node, node->span, "%s is neither less nor greater than %s",
                            wpa_type_words(bad), wpa_type_words(bad == a ? b : a));
    } else if (!is_equality && !(has_order(a) && has_order(b))) {
        const wpa_type *bad = has_order(a) ? b : a;
        wpa_checker_problem(c, "E34", node, node->span,
                            "%s has no order of its own: it is compared as the number %s",
                            wpa_type_words(bad), bad->kind == WPA_TYPE_NULL ? "0" : "0 or 1");
    }
    return wpa_typed_of(wpa_type_of(WPA_TYPE_BOOL));
}

static wpa_typed visit_logic(wpa_checker *c, const wpa_expr *node)
{
    wpa_typed a = visit(c, node->args[0]), b = visit(c, node->args[1]);
    bool is_and = node->kind == WPA_EXPR_AND;
    if ((is_and ? a.truthy : a.falsy)->kind == WPA_TYPE_NEVER) {
        return a; /* the right side is never reached */
    }
    if (is_and) {
        const wpa_type *falsy = wpa_type_merge(a.falsy, b.falsy, c->arena);
        return (wpa_typed){wpa_type_merge(a.falsy, b.whole, c->arena), b.truthy, falsy};
    }
    const wpa_type *truthy = wpa_type_merge(a.truthy, b.truthy, c->arena);
    return (wpa_typed){wpa_type_merge(a.truthy, b.whole, c->arena), truthy, b.falsy};
}

static wpa_typed visit_call(wpa_checker *c, const wpa_expr *node)
{
    wpa_typed *types = wpa_arena_array(c->arena, node->n_args + 1, sizeof *types);
    for (size_t i = 0; i < node->n_args; i++) {
        types[i] = visit(c, node->args[i]);
    }
    return wpa_checker_call(c, node, types);
}

static wpa_typed visit(wpa_checker *c, const wpa_expr *node)
{
    switch (node->kind) {
    case WPA_EXPR_NULL:
        return literal(node, WPA_TYPE_NULL);
    case WPA_EXPR_BOOL:
        return literal(node, WPA_TYPE_BOOL);
    case WPA_EXPR_NUMBER:
        return literal(node, WPA_TYPE_NUMBER);
    case WPA_EXPR_STRING:
        return literal(node, WPA_TYPE_STRING);
    case WPA_EXPR_NAME:
        return visit_name(c, node);
    case WPA_EXPR_MEMBER:
        return access_member(c, node, node->name_span, visit(c, node->args[0]).whole, node->text);
    case WPA_EXPR_INDEX:
        return visit_index(c, node);
    case WPA_EXPR_STAR:
        return visit_star(c, node);
    case WPA_EXPR_CALL:
        return visit_call(c, node);
    case WPA_EXPR_NOT:
        (void)visit(c, node->args[0]);
        return wpa_typed_of(wpa_type_of(WPA_TYPE_BOOL));
    case WPA_EXPR_AND:
    case WPA_EXPR_OR:
        return visit_logic(c, node);
    case WPA_EXPR_EQ:
    case WPA_EXPR_NE:
    case WPA_EXPR_LT:
    case WPA_EXPR_LE:
    case WPA_EXPR_GT:
    case WPA_EXPR_GE:
        return visit_comparison(c, node);
    }
    return any_value();
}

wpa_expr_checked wpa_expr_check(const wpa_expr *root, const wpa_expr_scope *scope, wpa_arena *arena)
{
    wpa_checker c = {.scope = scope, .arena = arena};
    const wpa_type *type = root ? visit(&c, root).whole : wpa_type_of(WPA_TYPE_ANY);
    return (wpa_expr_checked){type, c.problems, c.n, c.contexts, c.depends_on_key};
}
