#include "rules/flow.h"

#include <ctype.h>
#include <string.h>

#include "rules/expressions.h"

#define PATH_MAX_BYTES 512
#define NODE_WORK 4

typedef struct collector {
    wpa_flow flow;
    wpa_arena *arena;
} collector;

static bool is_link(const wpa_expr *node)
{
    return node->kind == WPA_EXPR_MEMBER || node->kind == WPA_EXPR_INDEX ||
           node->kind == WPA_EXPR_STAR;
}

/* The name that an index always comes to, "ref" of format('{0}', 'ref'); "*" if it has none. */
static const char *name_of_index(collector *c, const wpa_expr *index)
{
    if (index->kind == WPA_EXPR_STRING) {
        return index->text;
    }
    wpa_expr_value value = index->kind == WPA_EXPR_CALL
                               ? wpa_expr_fold(index, NULL, NULL, c->arena)
                               : (wpa_expr_value){.type = WPA_EXPR_IS_UNKNOWN};
    bool is_name = value.type == WPA_EXPR_IS_STRING && *value.text && !strchr(value.text, '.');
    return is_name ? value.text : "*";
}

static const char *link_name(collector *c, const wpa_expr *node)
{
    return node->kind == WPA_EXPR_MEMBER  ? node->text
           : node->kind == WPA_EXPR_INDEX ? name_of_index(c, node->args[1])
                                          : "*";
}

/* A chain as it is written, with "*" for whatever index is no name; NULL if it is too long. What is
   read as JSON goes on with the members of that: "fromJSON(steps.a.outputs.b).head.ref". */
static const char *path_of(collector *c, const wpa_expr *node)
{
    char path[PATH_MAX_BYTES];
    size_t at = sizeof path - 1;
    path[at] = '\0';
    for (;; node = node->args[0]) {
        node = node->kind == WPA_EXPR_CALL ? node->args[0] : node;
        const char *name = is_link(node) ? link_name(c, node) : node->text;
        size_t length = strlen(name);
        if (length + 1 > at) {
            return NULL;
        }
        memcpy(path + (at -= length), name, length);
        if (!is_link(node)) {
            return wpa_arena_text(c->arena, path + at);
        }
        path[--at] = '.';
    }
}

static const wpa_expr *base_of(const wpa_expr *node)
{
    while (is_link(node)) {
        node = node->args[0];
    }
    return node;
}

static void add_path(collector *c, const wpa_expr *node)
{
    const char *path = c->flow.n < WPA_FLOW_MAX_PATHS ? path_of(c, node) : NULL;
    if (path) {
        c->flow.paths[c->flow.n++] = path;
    }
}

/* A member by which the forge's answers have text of people, of an output read as JSON? */
static bool is_answers_text(const wpa_expr *node, const wpa_expr *call)
{
    static const char *const texts[] = {"ref", "label", "title", "body", "headRefName"};
    bool is_json = call->n_args == 1 && wpa_text_is_ci(call->text, "fromJSON") &&
                   is_link(call->args[0]) && node->kind == WPA_EXPR_MEMBER;
    const wpa_expr *base = is_json ? base_of(call->args[0]) : call;
    return base->kind == WPA_EXPR_NAME &&
           (wpa_text_is_ci(base->text, "steps") || wpa_text_is_ci(base->text, "needs")) &&
           wpa_text_index(node->text, texts, WPA_COUNT(texts)) >= 0;
}

static bool is_test(const char *name)
{
    static const char *const tests[] = {"contains", "startsWith", "endsWith", "hashFiles",
                                        "success",  "failure",    "always",   "cancelled"};
    for (size_t i = 0; i < WPA_COUNT(tests); i++) {
        if (wpa_text_is_ci(name, tests[i])) {
            return true;
        }
    }
    return false;
}

/* "...head.repo.fork": true of whatever a stranger causes. */
static bool is_fork(const collector *c, const wpa_expr *node)
{
    size_t n = 0;
    const wpa_expr_reference *list = wpa_expr_references(node, c->arena, &n);
    return n && list[0].node == node &&
           (wpa_text_ends(list[0].path, ".head.repo.fork") ||
            wpa_text_ends(list[0].path, ".head_repository.fork"));
}

/* Which side of "fork && a || b" a stranger's event comes to: 0 the left, 1 the right, -1 either.
 */
static int side_of_strangers(const collector *c, const wpa_expr *node)
{
    const wpa_expr *left = node->args[0];
    bool is_choice = left->kind == WPA_EXPR_AND && left->args[1]->kind != WPA_EXPR_STRING;
    const wpa_expr *test = is_choice ? left->args[0] : NULL;
    return !test                                                     ? -1
           : is_fork(c, test)                                        ? 0
           : test->kind == WPA_EXPR_NOT && is_fork(c, test->args[0]) ? 1
                                                                     : -1;
}

static void collect(collector *c, const wpa_expr *node)
{
    const wpa_expr *base = base_of(node);
    if (!wpa_budget_spend(wpa_arena_budget(c->arena), NODE_WORK)) {
        return;
    }
    switch (base->kind) {
    case WPA_EXPR_NAME:
        add_path(c, node);
        break;
    case WPA_EXPR_OR: {
        int side = side_of_strangers(c, base);
        if (side != 1) {
            collect(c, base->args[0]);
        }
        if (side != 0) {
            collect(c, base->args[1]);
        }
        break;
    }
    case WPA_EXPR_AND:
        collect(c, base->args[1]); /* a falsy left side is no text that an attacker chose */
        break;
    case WPA_EXPR_CALL:
        if (is_answers_text(node, base)) {
            add_path(c, node);
            break;
        }
        for (size_t i = 0; !is_test(base->text) && i < base->n_args; i++) {
            bool is_condition =
                wpa_text_is_ci(base->text, "case") && i % 2 == 0 && i + 1 < base->n_args;
            if (!is_condition) {
                collect(c, base->args[i]);
            }
        }
        break;
    case WPA_EXPR_NULL:
    case WPA_EXPR_BOOL:
    case WPA_EXPR_NUMBER:
    case WPA_EXPR_STRING:
    case WPA_EXPR_MEMBER:
    case WPA_EXPR_INDEX:
    case WPA_EXPR_STAR:
    case WPA_EXPR_NOT:
    case WPA_EXPR_EQ:
    case WPA_EXPR_NE:
    case WPA_EXPR_LT:
    case WPA_EXPR_LE:
    case WPA_EXPR_GT:
    case WPA_EXPR_GE:
        break; /* a truth, or no text of anybody's */
    }
}

wpa_flow wpa_flow_of(const wpa_expr *root, wpa_arena *arena)
{
    collector c = {.arena = arena, .flow.is_readable = root != NULL};
    if (root) {
        collect(&c, root);
    }
    return c.flow;
}

wpa_flow wpa_flow_read(const char *expression, size_t length, wpa_arena *arena)
{
    return wpa_flow_of(wpa_expr_parse(expression, length, arena).root, arena);
}

/* Does the expression stand before these bytes of the scalar? */
static bool is_before(const wpa_expr_place *place, const wpa_yaml_node *scalar, wpa_span inside)
{
    return place->node == scalar ? place->inner.end < inside.end
                                 : place->node->span.start < scalar->span.start;
}

wpa_flow wpa_flow_at(const wpa_source *source, const wpa_yaml_node *scalar, wpa_span inside,
                     wpa_arena *arena)
{
    const wpa_expression *items = source->expressions->items;
    size_t low = 0, high = source->expressions->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_earlier = is_before(items[middle].place, scalar, inside);
        low = is_earlier ? middle + 1 : low;
        high = is_earlier ? high : middle;
    }
    const wpa_expr_place *place = low < source->expressions->n ? items[low].place : NULL;
    return place && place->node == scalar && wpa_span_contains(place->inner, inside)
               ? wpa_flow_of(place->parsed.root, arena)
               : wpa_flow_read(scalar->text + inside.start, wpa_span_length(inside), arena);
}

/** Is the number of quotes in these bytes odd? */
static bool is_string_open(const char *text, size_t from, size_t to)
{
    bool is_open = false;
    const char *end = text + to, *at = text + from;
    while ((at = memchr(at, '\'', (size_t)(end - at)))) {
        is_open = !is_open;
        at++;
    }
    return is_open;
}

bool wpa_flow_next_fence(const char *text, size_t length, size_t *at, wpa_span *fence,
                         wpa_span *inside)
{
    const char *open = wpa_expr_open(text, length, *at);
    if (!open) {
        return false;
    }
    size_t start = (size_t)(open - text), from = start + 3;
    size_t close = wpa_expr_close(text, length, from), to = close;
    if (close == SIZE_MAX || is_string_open(text, from, close)) {
        return false; /* a string without end swallows what follows */
    }
    while (from < to && isspace((unsigned char)text[from])) {
        from++;
    }
    while (to > from && isspace((unsigned char)text[to - 1])) {
        to--;
    }
    *fence = (wpa_span){start, close + 2};
    *inside = (wpa_span){from, to};
    *at = close + 2;
    return true;
}
