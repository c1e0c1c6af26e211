#include "rules/extract.h"

#include <ctype.h>
#include <string.h>

#include <wpa/text.h>

#include "expr/expr.h"
#include "rules/site.h"

#define DEPTH_MAX 20

/* ---- names and expressions ---- */

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/** A name with what is asked of it: "needs.a.outputs.b"; empty behind the last one up to end. */
static wpa_span name_between(const char *text, size_t from, size_t end)
{
    for (size_t i = from; i < end;) {
        size_t behind = i + 1;
        if (text[i] == '\'') { /* a string; quotes in it are doubled */
            behind += strcspn(text + behind, "'");
            behind += text[behind] == '\'';
        } else if (isalpha((unsigned char)text[i])) {
            while (is_word_char(text[behind]) ||
                   (text[behind] == '.' && is_word_char(text[behind + 1]))) {
                behind++;
            }
            return (wpa_span){i, behind};
        }
        i = behind;
    }
    return (wpa_span){0, 0};
}

/* The names of a text: what stands in its expressions, or all of it. */
typedef struct name_walk {
    const char *text;
    size_t length;
    size_t at, end; /* what is left of the expression that is walked */
    bool is_bare;
} name_walk;

static name_walk walk_names(const char *text, bool is_bare)
{
    size_t length = strlen(text);
    return (name_walk){text, length, 0, is_bare ? length : 0, is_bare};
}

/** On to the next expression; false behind the last one. */
static bool enter_next(name_walk *walk)
{
    const char *open = walk->is_bare ? NULL : strstr(walk->text + walk->end, "${{");
    if (!open) {
        return false;
    }
    walk->at = (size_t)(open - walk->text) + 3;
    size_t close = wpa_expr_close(walk->text, walk->length, walk->at);
    walk->end = close == SIZE_MAX ? walk->length : close;
    return true;
}

/** The next name; empty behind the last one. */
static wpa_span next_name(name_walk *walk)
{
    do {
        wpa_span name = name_between(walk->text, walk->at, walk->end);
        if (name.end) {
            walk->at = name.end;
            return name;
        }
    } while (enter_next(walk));
    return (wpa_span){0, 0};
}

static bool is_of_context(const char *text, wpa_span path, const char *context)
{
    size_t length = strlen(context);
    return wpa_span_length(path) >= length &&
           strncasecmp(text + path.start, context, length) == 0 &&
           !is_word_char(text[path.start + length]);
}

bool wpa_extract_names(const char *text, bool is_bare, const char *context)
{
    name_walk walk = walk_names(text, is_bare);
    for (wpa_span path = next_name(&walk); path.end; path = next_name(&walk)) {
        if (is_of_context(text, path, context)) {
            return true;
        }
    }
    return false;
}

static bool names_any(const char *text, bool is_bare, const char *const contexts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_extract_names(text, is_bare, contexts[i])) {
            return true;
        }
    }
    return false;
}

/* ---- holes ---- */

static const char *key_of(const wpa_yaml_node *node)
{
    for (; node; node = node->parent) {
        if (node->key && node->key->text) {
            return node->key->text;
        }
    }
    return "";
}

/** The key of the mapping or list around it. */
static const char *group_of(const wpa_yaml_node *node)
{
    return node->parent ? key_of(node->parent) : "";
}

static bool is_item_of(const wpa_yaml_node *mapping, const char *list)
{
    return mapping && mapping->parent && mapping->parent->kind == WPA_YAML_SEQUENCE &&
           wpa_text_is(key_of(mapping->parent), list);
}

/** A step's name is for people: that of the first will do. */
static bool is_name_of_step(const wpa_yaml_node *node)
{
    return node->key && wpa_text_is(node->key->text, "name") && is_item_of(node->parent, "steps");
}

/** May an expression stand here, where there is none? */
static bool may_be_hole(wpa_extract_kind kind, const wpa_yaml_node *node)
{
    static const char *const closed[] = {"uses",  "id",    "run",  "if",
                                         "shell", "needs", "name", "permissions"};
    const char *key = key_of(node), *group = group_of(node);
    bool is_value = wpa_text_is(group, "with") || wpa_text_is(group, "env");
    bool is_line = node->style == WPA_YAML_PLAIN || node->style == WPA_YAML_SINGLE_QUOTED ||
                   node->style == WPA_YAML_DOUBLE_QUOTED;
    if (!is_line || wpa_span_length(node->span) == 0) {
        return false;
    }
    return kind == WPA_EXTRACT_ACTION
               ? is_value || wpa_text_is(key, "working-directory")
               : is_value || (wpa_text_index(key, closed, WPA_COUNT(closed)) < 0 &&
                              !wpa_text_is(group, "permissions"));
}

/** May the value stand in a call: what it names is known there? */
static bool may_be_passed(wpa_extract_kind kind, const wpa_yaml_node *node)
{
    static const char *const unseen[] = {"matrix", "strategy", "env",     "steps",
                                         "runner", "job",      "secrets", "hashFiles"};
    bool is_line =
        memchr(node->doc->source + node->span.start, '\n', wpa_span_length(node->span)) == NULL;
    return is_line &&
           (kind == WPA_EXTRACT_ACTION || !names_any(node->text, false, unseen, WPA_COUNT(unseen)));
}

static bool is_known_name(const wpa_extract *x, const char *name)
{
    for (size_t i = 0; i < x->n_holes; i++) {
        if (wpa_text_is(x->holes[i].name, name)) {
            return true;
        }
    }
    return false;
}

static const char *new_name(const wpa_extract *x, const char *text)
{
    const char *slug = wpa_extract_slug(text, x->run->arena);
    slug = *slug && !isdigit((unsigned char)*slug)
               ? slug
               : wpa_arena_printf(x->run->arena, "value-%s", slug);
    const char *name = slug;
    for (int i = 2; is_known_name(x, name); i++) {
        name = wpa_arena_printf(x->run->arena, "%s-%d", slug, i);
    }
    return name;
}

/** The hole with these values, an old one if there is one of them; NULL: too many. */
static wpa_extract_hole *hole_for(wpa_extract *x, const wpa_extract_hole *wanted, const char *name)
{
    for (size_t i = 0; i < x->n_holes; i++) {
        bool is_same = x->holes[i].type == wanted->type;
        for (size_t k = 0; k < x->n && is_same; k++) {
            is_same = wpa_text_is(x->holes[i].values[k], wanted->values[k]);
        }
        if (is_same) {
            return &x->holes[i];
        }
    }
    if (x->n_holes == WPA_EXTRACT_HOLES_MAX) {
        return NULL;
    }
    const char *unique = new_name(x, name);
    wpa_extract_hole *hole = &x->holes[x->n_holes++];
    *hole = *wanted;
    hole->name = unique;
    return hole;
}

static const char *raw(const wpa_yaml_node *node, wpa_arena *arena)
{
    return wpa_arena_slice(arena, node->doc->source + node->span.start,
                           wpa_span_length(node->span));
}

static bool is_in_flow(const wpa_yaml_node *node)
{
    for (const wpa_yaml_node *at = node->parent; at; at = at->parent) {
        if (at->style == WPA_YAML_FLOW) {
            return true;
        }
    }
    return false;
}

/** "x" of "${{ inputs.x }}", NULL for anything else. */
static const char *input_of(const char *text, wpa_arena *arena)
{
    size_t start = wpa_text_starts(text, "${{") ? 3 + strspn(text + 3, " ") : 0;
    size_t name = start + strlen("inputs."), end = name;
    if (!start || strncmp(text + start, "inputs.", strlen("inputs.")) != 0) {
        return NULL;
    }
    while (is_word_char(text[end])) {
        end++;
    }
    bool is_whole = wpa_text_is(text + end + strspn(text + end, " "), "}}");
    return is_whole ? wpa_arena_slice(arena, text + name, end - name) : NULL;
}

/** What is called takes an input here: the caller's text is its value, the same for all places. */
static bool add_value(wpa_extract *x, const wpa_yaml_node *callee, const wpa_yaml_node *caller)
{
    const char *name = input_of(callee->text, x->run->arena), *value = raw(caller, x->run->arena);
    if (!name || !may_be_passed(x->kind, caller) || wpa_span_length(caller->span) == 0) {
        return false;
    }
    for (size_t i = 0; i < x->n_holes; i++) {
        if (wpa_text_is(x->holes[i].name, name)) {
            return wpa_text_is(x->holes[i].values[1], value);
        }
    }
    if (x->n_holes == WPA_EXTRACT_HOLES_MAX) {
        return false;
    }
    x->holes[x->n_holes++] = (wpa_extract_hole){.name = name, .values = {value, value}};
    return true;
}

/** The copies differ in this scalar: an input takes its place. */
static bool add_hole(wpa_extract *x, const wpa_yaml_node *const copies[])
{
    wpa_extract_hole wanted = {.type = wpa_yaml_scalar_type(copies[0]), .of = group_of(copies[0])};
    if (x->kind == WPA_EXTRACT_CALL) {
        return add_value(x, copies[0], copies[1]);
    }
    for (size_t i = 0; i < x->n; i++) {
        bool is_of_moved = x->n_own_steps && wpa_extract_names(copies[i]->text, false, "steps");
        if (is_of_moved || !may_be_hole(x->kind, copies[i]) || !may_be_passed(x->kind, copies[i])) {
            return false;
        }
        wanted.values[i] = raw(copies[i], x->run->arena);
        bool is_same_type = wpa_yaml_scalar_type(copies[i]) == wanted.type;
        wanted.type = is_same_type ? wanted.type : WPA_YAML_TEXT;
    }
    bool is_typed = wanted.type == WPA_YAML_INT || wanted.type == WPA_YAML_BOOL;
    wanted.type = is_typed && x->kind == WPA_EXTRACT_CALLEE ? wanted.type : WPA_YAML_TEXT;
    const wpa_extract_hole *hole = hole_for(x, &wanted, key_of(copies[0]));
    if (hole) {
        const char *quote = is_in_flow(copies[0]) ? "\"" : "";
        wpa_extract_edit(x, copies[0]->span, "%s${{ inputs.%s }}%s", quote, hole->name, quote);
    }
    return hole != NULL;
}

/* ---- what the new definition cannot see ---- */

static bool is_own_step(const wpa_extract *x, const char *text, wpa_span path)
{
    const char *id = text + path.start + strlen("steps.");
    for (size_t i = 0; i < x->n_own_steps; i++) {
        size_t length = strlen(x->own_steps[i]);
        if (strncmp(id, x->own_steps[i], length) == 0 && !is_word_char(id[length])) {
            return true;
        }
    }
    return false;
}

static bool is_unseen(const wpa_extract *x, const char *text, wpa_span path)
{
    static const char *const of_action[] = {"secrets", "needs", "vars", "inputs"};
    static const char *const of_callee[] = {"needs", "inputs"};
    bool is_action = x->kind == WPA_EXTRACT_ACTION;
    const char *const *contexts = is_action ? of_action : of_callee;
    size_t n = is_action ? WPA_COUNT(of_action) : WPA_COUNT(of_callee);
    for (size_t i = 0; i < n; i++) {
        if (is_of_context(text, path, contexts[i])) {
            return true;
        }
    }
    return is_action && is_of_context(text, path, "steps") && !is_own_step(x, text, path);
}

static bool add_secret(wpa_extract *x, const char *text, wpa_span path)
{
    size_t start = path.start + strlen("secrets");
    if (text[start] != '.' || start + 1 >= path.end) {
        return false; /* all of them, or one that is computed */
    }
    const char *name = wpa_arena_slice(x->run->arena, text + start + 1, path.end - start - 1);
    if (wpa_text_is_ci(name, "GITHUB_TOKEN")) {
        return true;
    }
    for (size_t i = 0; i < x->n_secrets; i++) {
        if (wpa_text_is(x->secrets[i], name)) {
            return true;
        }
    }
    if (x->n_secrets == WPA_EXTRACT_HOLES_MAX) {
        return false;
    }
    x->secrets[x->n_secrets++] = name;
    return true;
}

/** Is the path all of its expression: nothing is compared with it? */
static bool is_whole(const char *text, wpa_span path)
{
    size_t start = path.start, end = path.end + strspn(text + path.end, " ");
    while (start && text[start - 1] == ' ') {
        start--;
    }
    return start >= 3 && strncmp(text + start - 3, "${{", 3) == 0 &&
           strncmp(text + end, "}}", 2) == 0;
}

static bool add_path(wpa_extract *x, const wpa_yaml_node *node, wpa_span path, bool is_bare)
{
    const char *text =
        wpa_arena_slice(x->run->arena, node->text + path.start, wpa_span_length(path));
    const char *last = strrchr(text, '.');
    bool is_input = wpa_text_starts(text, "inputs.");
    /* In a script it would be text that becomes code; what decides is compared as it is. */
    if (!last || x->kind == WPA_EXTRACT_CALL || wpa_text_is(key_of(node), "run") ||
        (is_bare && !wpa_text_starts(text, "needs.")) ||
        (is_input && (x->kind != WPA_EXTRACT_ACTION || !is_whole(node->text, path)))) {
        return false;
    }
    wpa_extract_hole wanted = {.type = WPA_YAML_TEXT, .is_path = true, .of = text};
    for (size_t i = 0; i < x->n; i++) {
        wanted.values[i] = wpa_arena_printf(x->run->arena, "${{ %s }}", text);
    }
    wpa_span span = wpa_site_span(x->run, node, path.start, path.end);
    bool is_as_written = wpa_span_length(span) == strlen(text) &&
                         strncmp(node->doc->source + span.start, text, wpa_span_length(span)) == 0;
    const wpa_extract_hole *hole = is_as_written ? hole_for(x, &wanted, last + 1) : NULL;
    if (hole) {
        wpa_extract_edit(x, span, "inputs.%s", hole->name);
    }
    return hole != NULL;
}

/** A scalar that is the same in all: what it names has to be there too. */
static bool add_scalar(wpa_extract *x, const wpa_yaml_node *node)
{
    bool is_bare = node->key && wpa_text_is(node->key->text, "if") && !strstr(node->text, "${{");
    if (!is_bare && !strstr(node->text, "${{")) {
        return true;
    }
    name_walk walk = walk_names(node->text, is_bare);
    for (wpa_span path = next_name(&walk); path.end; path = next_name(&walk)) {
        char behind = node->text[path.end];
        if (is_unseen(x, node->text, path) &&
            (behind == '[' || !add_path(x, node, path, is_bare))) {
            return false;
        }
        if (x->kind != WPA_EXTRACT_ACTION && is_of_context(node->text, path, "secrets") &&
            (behind == '[' || !add_secret(x, node->text, path))) {
            return false;
        }
    }
    return true;
}

/* ---- alignment ---- */

static bool align(wpa_extract *x, const wpa_yaml_node *const copies[], int depth);

static bool align_scalars(wpa_extract *x, const wpa_yaml_node *const copies[])
{
    bool are_same = true;
    for (size_t i = 1; i < x->n; i++) {
        are_same = are_same && wpa_text_is(copies[i]->text, copies[0]->text);
    }
    if (are_same) {
        return add_scalar(x, copies[0]);
    }
    return is_name_of_step(copies[0]) ? add_scalar(x, copies[0]) : add_hole(x, copies);
}

static bool align_mappings(wpa_extract *x, const wpa_yaml_node *const copies[], int depth)
{
    const wpa_yaml_node *parts[WPA_EXTRACT_COPIES_MAX];
    for (size_t i = 0; i < copies[0]->n_pairs; i++) {
        const wpa_yaml_pair *pair = &copies[0]->pairs[i];
        parts[0] = pair->value;
        for (size_t k = 1; k < x->n; k++) {
            const wpa_yaml_pair *other =
                pair->key->text ? wpa_yaml_find(copies[k], pair->key->text) : NULL;
            parts[k] = other ? other->value : NULL;
            if (!other) {
                return false;
            }
        }
        if (wpa_text_is(pair->key->text, "<<") || !align(x, parts, depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool align_lists(wpa_extract *x, const wpa_yaml_node *const copies[], int depth)
{
    const wpa_yaml_node *parts[WPA_EXTRACT_COPIES_MAX];
    for (size_t i = 0; i < copies[0]->n_items; i++) {
        for (size_t k = 0; k < x->n; k++) {
            parts[k] = copies[k]->items[i];
        }
        if (!align(x, parts, depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool align(wpa_extract *x, const wpa_yaml_node *const copies[], int depth)
{
    const wpa_yaml_node *first = copies[0];
    for (size_t i = 0; i < x->n; i++) {
        const wpa_yaml_node *copy = copies[i];
        if (copy->kind != first->kind || copy->kind == WPA_YAML_ALIAS || wpa_yaml_anchor(copy) ||
            wpa_yaml_tag(copy) || copy->is_incomplete || copy->holds_nul || depth > DEPTH_MAX ||
            copy->n_pairs != first->n_pairs || copy->n_items != first->n_items) {
            return false;
        }
    }
    switch (first->kind) {
    case WPA_YAML_SCALAR:
        return align_scalars(x, copies);
    case WPA_YAML_MAPPING:
        return align_mappings(x, copies, depth);
    case WPA_YAML_SEQUENCE:
        return align_lists(x, copies, depth);
    case WPA_YAML_ALIAS:
        break;
    }
    return false;
}

bool wpa_extract_add(wpa_extract *x, const wpa_yaml_node *const copies[])
{
    return align(x, copies, 0);
}
