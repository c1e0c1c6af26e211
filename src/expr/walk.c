#include <stdlib.h>
#include <string.h>

#include "core/room.h"
#include "expr/expr.h"

static void walk(const wpa_expr *node, const wpa_expr *parent, wpa_expr_visitor visit,
                 void *context)
{
    visit(node, parent, context);
    for (size_t i = 0; i < node->n_args; i++) {
        walk(node->args[i], node, visit, context);
    }
}

void wpa_expr_walk(const wpa_expr *root, wpa_expr_visitor visit, void *context)
{
    if (root) {
        walk(root, NULL, visit, context);
    }
}

typedef struct collector {
    wpa_arena *arena;
    wpa_budget *budget;
    wpa_expr_reference *list;
    size_t n, capacity;
} collector;

static bool is_link(const wpa_expr *node)
{
    return node->kind == WPA_EXPR_MEMBER || node->kind == WPA_EXPR_INDEX ||
           node->kind == WPA_EXPR_STAR;
}

static const char *link_name(const wpa_expr *node)
{
    bool is_literal = node->kind == WPA_EXPR_INDEX && node->args[1]->kind == WPA_EXPR_STRING;
    return node->kind == WPA_EXPR_STAR     ? "*"
           : node->kind == WPA_EXPR_MEMBER ? node->text
           : is_literal                    ? node->args[1]->text
                                           : "[]";
}

/* Behind the copy, in lower case. */
static char *put_lower(char *to, const char *text)
{
    for (; *text; text++) {
        *to++ = (char)(*text >= 'A' && *text <= 'Z' ? *text + 'a' - 'A' : *text);
    }
    return to;
}

static wpa_expr_reference describe(const wpa_expr *node, wpa_arena *arena)
{
    wpa_expr_reference reference = {.node = node};
    const char *names[WPA_EXPR_MAX_DEPTH + 1]; /* from the last to the first */
    size_t n = 0, length = 0;
    const wpa_expr *at = node;
    for (; is_link(at) && n < WPA_COUNT(names); at = at->args[0]) {
        names[n] = link_name(at);
        length += 1 + strlen(names[n++]);
        reference.is_computed = reference.is_computed || (at->kind == WPA_EXPR_INDEX &&
                                                          at->args[1]->kind != WPA_EXPR_STRING);
    }
    reference.name = at;
    char *path = wpa_arena_room(arena, strlen(at->text) + length + 1);
    char *end = put_lower(path, at->text);
    while (n > 0) {
        *end++ = '.';
        end = put_lower(end, names[--n]);
    }
    *end = '\0';
    reference.path = path;
    return reference;
}

/* Is it a chain that begins with a context, not with a call or a group? */
static bool begins_with_name(const wpa_expr *node)
{
    while (is_link(node)) {
        node = node->args[0];
    }
    return node->kind == WPA_EXPR_NAME;
}

/* Making a path of it. */
#define REFERENCE_WORK 20

static void collect(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    collector *c = context;
    if (!wpa_budget_spend(c->budget, 1)) {
        return;
    }
    bool is_inner = parent && is_link(parent) && parent->args[0] == node;
    if (is_inner || !begins_with_name(node)) {
        return;
    }
    c->list = wpa_arena_grow(c->arena, c->list, c->n, &c->capacity, sizeof *c->list);
    c->list[c->n++] = describe(node, c->arena);
    (void)wpa_budget_spend(c->budget, REFERENCE_WORK);
}

static int compare(const void *a, const void *b)
{
    const wpa_expr_reference *x = a, *y = b;
    size_t left = x->node->span.start, right = y->node->span.start;
    return left < right ? -1 : left > right;
}

/** How many nodes of a tree that is one chain of names and nothing else, as most are; else 0. */
static size_t chain_length(const wpa_expr *node)
{
    size_t n = 1;
    for (; is_link(node) && node->n_args == 1; n++) {
        node = node->args[0];
    }
    return node->kind == WPA_EXPR_NAME ? n : 0;
}

wpa_expr_reference *wpa_expr_references(const wpa_expr *root, wpa_arena *arena, size_t *n)
{
    size_t n_nodes = root ? chain_length(root) : 0;
    if (n_nodes > 0 && wpa_budget_spend(wpa_arena_budget(arena), n_nodes + REFERENCE_WORK)) {
        wpa_expr_reference *only = wpa_arena_room(arena, sizeof *only);
        *only = describe(root, arena);
        *n = 1;
        return only;
    }
    collector c = {.arena = arena, .budget = wpa_arena_budget(arena)};
    wpa_expr_walk(root, collect, &c);
    if (c.n > 1) {
        qsort(c.list, c.n, sizeof *c.list, compare);
    }
    *n = c.n;
    return c.list;
}
