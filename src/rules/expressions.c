#include "rules/expressions.h"

#include <string.h>

#include "core/room.h"
#include "rules/expression_keys.h"
#include "rules/expression_types.h"
#include "workflow/workflow.h"

#define DEPTH_MAX 100
#define FIRST_CAPACITY 16 /* as many as most files have */
#define PATH_MAX_NAMES 12

/* Most expressions stand in steps, below few keys: what was said of such a place is said again. No
   pattern says more of a step than the name of its key. */
#define JOB_NAMES 2  /* jobs, the job */
#define STEP_NAMES 4 /* and steps, the key */
#define STEP_PLACES_MAX 16

typedef struct step_place {
    const char *name; /* of the step's key */
    bool is_deep;     /* below that */
    bool is_item;
    wpa_key_facts facts;
} step_place;

/* Where the walk is: names of keys from the root, lists leave no trace but the flag. */
typedef struct walker {
    wpa_expressions *out;
    size_t capacity;
    wpa_input_kind kind;
    const wpa_outline *outline;
    const wpa_outline_job *job;
    size_t step;
    size_t next_job;  /* as below, of jobs */
    size_t next_step; /* no step node before this one comes any more */
    const char *path[PATH_MAX_NAMES];
    size_t n_path;
    bool is_of_job, is_of_runs; /* the first name is "jobs", or "runs" */
    bool is_item;               /* of a list below the last key */
    step_place step_places[STEP_PLACES_MAX];
    size_t n_step_places;
    const wpa_yaml_doc *doc;
    size_t next_open, next_escape; /* in the file, see may_open_in */
    wpa_expr_known known;
    wpa_arena *arena;
} walker;

/* ---- the walk ---- */

static wpa_key_facts look_up_anew(const walker *w)
{
    wpa_key_path path = {w->path, w->n_path, w->is_item};
    return wpa_key_facts_of(&path, w->kind == WPA_INPUT_WORKFLOW);
}

static wpa_key_facts look_up(walker *w)
{
    bool is_in_step = w->kind == WPA_INPUT_WORKFLOW && w->n_path >= STEP_NAMES && w->is_of_job &&
                      wpa_text_is(w->path[JOB_NAMES], "steps");
    if (!is_in_step) {
        return look_up_anew(w);
    }
    step_place here = {w->path[STEP_NAMES - 1], w->n_path > STEP_NAMES, w->is_item, {0}};
    for (size_t i = 0; i < w->n_step_places; i++) {
        const step_place *known = &w->step_places[i];
        if (wpa_text_is(known->name, here.name) && known->is_deep == here.is_deep &&
            known->is_item == here.is_item) {
            return known->facts;
        }
    }
    here.facts = look_up_anew(w);
    if (w->n_step_places < STEP_PLACES_MAX) {
        w->step_places[w->n_step_places++] = here;
    }
    return here.facts;
}

static void add(walker *w, const wpa_expr_place *place, size_t n_places, const wpa_key_facts *facts)
{
    if (!w->out->items) {
        w->capacity = FIRST_CAPACITY;
        w->out->items = wpa_arena_room(w->arena, FIRST_CAPACITY * sizeof *w->out->items);
    }
    w->out->items =
        wpa_arena_grow(w->arena, w->out->items, w->out->n, &w->capacity, sizeof *w->out->items);
    wpa_expression *e = &w->out->items[w->out->n++];
    *e = (wpa_expression){
        .place = place,
        .key = facts->key,
        .key_name = facts->name,
        .use = facts->use,
        .job = w->job,
        .step = w->step,
    };
    bool fills = wpa_span_length(place->outer) == place->node->length;
    e->is_whole = n_places == 1 && (place->is_bare || fills);
    e->is_evaluated = e->key || (w->kind == WPA_INPUT_WORKFLOW && w->job);
}

static void look_ahead(walker *w, size_t start)
{
    const wpa_yaml_doc *doc = w->doc;
    size_t length = doc->size_bytes - start;
    if (w->next_open < start) {
        const char *open = wpa_expr_open(doc->source + start, length, 0);
        w->next_open = open ? (size_t)(open - doc->source) : doc->size_bytes;
    }
    if (w->next_escape < start) {
        const char *escape = memchr(doc->source + start, '\\', length);
        w->next_escape = escape ? (size_t)(escape - doc->source) : doc->size_bytes;
    }
}

/**
 * May an expression begin in this node, conditions aside? An escape may stand for any byte of the
 * fence. No byte of the file is looked at twice, since nodes come in its order.
 */
static inline bool may_open_in(walker *w, const wpa_yaml_node *node)
{
    if (w->next_open < node->span.start || w->next_escape < node->span.start) {
        look_ahead(w, node->span.start);
    }
    return w->next_open < node->span.end || w->next_escape < node->span.end;
}

static void read_scalar(walker *w, const wpa_yaml_node *node)
{
    bool may_be_if = w->n_path && wpa_key_may_be_condition(w->path[w->n_path - 1]);
    if (!may_be_if && !may_open_in(w, node)) {
        return;
    }
    wpa_key_facts facts = {0};
    if (may_be_if) {
        facts = look_up(w);
    }
    bool is_if = may_be_if && facts.use == WPA_EXPRESSION_CONDITION;
    size_t n;
    const wpa_expr_place *places = wpa_expr_find_again(node, is_if, &w->known, w->arena, &n);
    if (n && !may_be_if) {
        facts = look_up(w);
    }
    for (size_t i = 0; i < n; i++) {
        add(w, &places[i], n, &facts);
    }
}

/** Keys whose text is for people: nothing in it is evaluated. */
static bool is_prose(const wpa_yaml_node *key)
{
    static const char *const names[] = {"description", "deprecationMessage"};
    return key->kind == WPA_YAML_SCALAR && wpa_text_index(key->text, names, WPA_COUNT(names)) >= 0;
}

static void enter(walker *w, const wpa_yaml_node *node)
{
    bool may_be_job = !w->job && w->n_path == JOB_NAMES && !w->is_item && w->is_of_job;
    for (size_t i = w->next_job; may_be_job && i < w->outline->n_jobs; i++) {
        if (w->outline->jobs[i].node == node) {
            w->job = &w->outline->jobs[i];
            w->next_job = i + 1;
            w->step = w->job->n_steps;
            w->next_step = 0;
            break;
        }
    }
    for (size_t i = w->next_step; w->job && i < w->job->n_steps && w->is_item; i++) {
        if (w->job->steps[i].node == node) {
            w->step = i;
            w->next_step = i + 1;
            return;
        }
    }
}

static void walk(walker *w, const wpa_yaml_node *node, int depth);

/* In "jobs.<job_id>.with", whose names are inputs of the called workflow? */
static bool is_of_call(const walker *w)
{
    return w->is_of_job && w->n_path == STEP_NAMES - 1 &&
           wpa_text_is(w->path[w->n_path - 1], "with");
}

/*
 * A name that an expression makes, "${{ matrix.name }}: x": GitHub evaluates it in mappings whose
 * names are free and whose values it evaluates, and refuses it elsewhere.
 */
static void read_key(walker *w, const wpa_yaml_node *key)
{
    static const char *const parents[] = {"env", "with"};
    if (w->n_path && may_open_in(w, key) && memchr(key->text, '$', key->length) &&
        wpa_text_index(w->path[w->n_path - 1], parents, WPA_COUNT(parents)) >= 0 &&
        w->n_path < PATH_MAX_NAMES && !is_of_call(w)) {
        w->path[w->n_path++] = key->text;
        read_scalar(w, key);
        w->n_path--;
    }
}

static void walk_pair(walker *w, const wpa_yaml_pair *pair, int depth)
{
    const char *name = wpa_yaml_text(pair->key);
    if (!w->n_path) {
        w->is_of_job = wpa_text_is(name, "jobs");
        w->is_of_runs = wpa_text_is(name, "runs");
    }
    bool is_code = w->n_path && (w->is_of_job || w->is_of_runs);
    if (!name || (!is_code && is_prose(pair->key))) {
        return;
    }
    read_key(w, pair->key);
    bool was_item = w->is_item;
    /* Keys of a merge stand where the merge does; so do steps of parallel groups. */
    bool is_transparent = wpa_text_is(name, "<<") || (w->is_item && wpa_text_is(name, "parallel"));
    bool has_room = w->n_path < PATH_MAX_NAMES;
    if (!is_transparent && has_room) {
        bool may_hold = pair->value->kind != WPA_YAML_SCALAR || wpa_key_may_be_condition(name) ||
                        may_open_in(w, pair->value);
        if (!may_hold) {
            return; /* as most texts are */
        }
        w->path[w->n_path++] = name;
        w->is_item = false;
    }
    walk(w, pair->value, depth + 1);
    w->n_path -= !is_transparent && has_room;
    w->is_item = was_item;
}

/** May a condition stand in this collection? They do in jobs, steps and the runs of an action. */
static bool may_hold_condition(const walker *w, const wpa_yaml_node *node)
{
    if (w->n_path > STEP_NAMES - 1) {
        return wpa_text_ends(w->path[w->n_path - 1], "if");
    }
    bool is_step = w->is_of_job && w->n_path == STEP_NAMES - 1 && w->is_item;
    return is_step ? wpa_yaml_find(node, "if") || wpa_yaml_find(node, "parallel") ||
                         wpa_yaml_find(node, "<<")
                   : !w->n_path || w->is_of_job || w->is_of_runs;
}

static void walk(walker *w, const wpa_yaml_node *node, int depth)
{
    if (depth > DEPTH_MAX) {
        return;
    }
    if (node->kind == WPA_YAML_SCALAR) {
        read_scalar(w, node);
        return;
    }
    if (!may_open_in(w, node) && !may_hold_condition(w, node)) {
        return;
    }
    const wpa_outline_job *job = w->job;
    size_t step = w->step;
    if (node->kind == WPA_YAML_MAPPING) {
        enter(w, node);
    }
    for (size_t i = 0; node->kind == WPA_YAML_MAPPING && i < node->n_pairs; i++) {
        walk_pair(w, &node->pairs[i], depth);
    }
    bool was_item = w->is_item;
    w->is_item = w->is_item || node->kind == WPA_YAML_SEQUENCE;
    for (size_t i = 0; node->kind == WPA_YAML_SEQUENCE && i < node->n_items; i++) {
        walk(w, node->items[i], depth + 1);
    }
    w->is_item = was_item;
    w->job = job;
    w->step = step;
}

wpa_expressions *wpa_expressions_read(const wpa_yaml_doc *doc, wpa_input_kind kind,
                                      const wpa_outline *outline, wpa_arena *arena)
{
    wpa_expressions *out = wpa_arena_alloc(arena, sizeof *out);
    walker w = {.out = out, .kind = kind, .outline = outline, .doc = doc, .arena = arena};
    bool is_read = kind == WPA_INPUT_WORKFLOW || kind == WPA_INPUT_ACTION;
    if (kind == WPA_INPUT_ACTION && outline->n_jobs) { /* stands for the steps of a composite */
        w.job = &outline->jobs[0];
        w.step = w.job->n_steps;
    }
    if (is_read && doc && doc->root) {
        walk(&w, doc->root, 0);
    }
    return out;
}

size_t wpa_expressions_from(const wpa_expressions *all, size_t offset)
{
    size_t low = 0, high = all->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_before = all->items[middle].place->node->span.start < offset;
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    return low;
}

const wpa_expression *wpa_expressions_in(const wpa_expressions *all, const wpa_yaml_node *scalar)
{
    size_t low = wpa_expressions_from(all, scalar->span.start);
    bool is_there = low < all->n && all->items[low].place->node == scalar;
    return is_there ? &all->items[low] : NULL;
}

/* Scalars that were come by as conditions, or not at all, are read as they are asked for. */
const wpa_expr_place *wpa_expressions_find(wpa_rule_run *run, const wpa_yaml_node *scalar,
                                           size_t *n)
{
    const wpa_expressions *all = run->source->expressions;
    const wpa_yaml_node *node = wpa_yaml_resolve(scalar);
    const wpa_expression *first = node ? wpa_expressions_in(all, node) : NULL;
    if (!first || first->place->is_bare) {
        return wpa_expr_find(node, run->arena, n);
    }
    size_t at = (size_t)(first - all->items), end = at;
    while (end < all->n && all->items[end].place->node == node) {
        end++;
    }
    *n = end - at;
    return first->place;
}

bool wpa_expressions_may_be_in(const wpa_expressions *all, const wpa_yaml_node *node, size_t *next)
{
    size_t at = *next;
    while (at < all->n && all->items[at].place->node->span.start < node->span.start) {
        at++;
    }
    *next = at;
    bool is_here = at < all->n && all->items[at].place->node->span.start < node->span.end;
    return is_here || node->doc->n_aliases; /* what an alias puts in here stands elsewhere */
}

wpa_span wpa_expression_span(const wpa_expression *expression, wpa_span in_tree)
{
    return wpa_expr_source_span(expression->place, in_tree);
}

const wpa_outline_step *wpa_expression_step(const wpa_expression *expression)
{
    const wpa_outline_job *job = expression->job;
    return job && expression->step < job->n_steps ? &job->steps[expression->step] : NULL;
}

/* ---- checking ---- */

typedef struct finisher {
    wpa_expression *expression;
    wpa_expr_problem *problems;
    size_t n, capacity;
    wpa_arena *arena;
} finisher;

static void add_problem(finisher *f, const char *check, const char *message)
{
    const wpa_expr *root = f->expression->place->parsed.root;
    f->problems = wpa_arena_grow(f->arena, f->problems, f->n, &f->capacity, sizeof *f->problems);
    f->problems[f->n++] = (wpa_expr_problem){check, root->span, message, root, false};
}

static bool is_collection(const wpa_type *type)
{
    return type->kind == WPA_TYPE_ARRAY || type->kind == WPA_TYPE_OBJECT;
}

static void check_text(finisher *f, const wpa_type *type)
{
    if (is_collection(type)) {
        bool is_array = type->kind == WPA_TYPE_ARRAY;
        add_problem(f, "E35",
                    wpa_arena_printf(f->arena,
                                     "%s becomes the word '%s' in text; toJSON shows what is in it",
                                     wpa_type_words(type), is_array ? "Array" : "Object"));
    } else if (type->kind == WPA_TYPE_NULL) {
        add_problem(f, "E35", "null becomes nothing in text");
    }
}

/* What a use takes beside ANY, and how it is said. */
static const struct {
    unsigned kinds; /* 1 << wpa_type_kind */
    const char *words;
} wanted[] = {
    [WPA_EXPRESSION_BOOL] = {1U << WPA_TYPE_BOOL, "true or false"},
    [WPA_EXPRESSION_NUMBER] = {1U << WPA_TYPE_NUMBER, "a number"},
    [WPA_EXPRESSION_ARRAY] = {1U << WPA_TYPE_ARRAY, "an array"},
    [WPA_EXPRESSION_OBJECT] = {1U << WPA_TYPE_OBJECT, "an object"},
    [WPA_EXPRESSION_TEXT_OR_ARRAY] = {1U << WPA_TYPE_STRING | 1U << WPA_TYPE_ARRAY |
                                          1U << WPA_TYPE_OBJECT,
                                      "a string or an array"},
    [WPA_EXPRESSION_TEXT_OR_OBJECT] = {1U << WPA_TYPE_STRING | 1U << WPA_TYPE_NUMBER |
                                           1U << WPA_TYPE_OBJECT,
                                       "a string or an object"},
    [WPA_EXPRESSION_NAME_OR_OBJECT] = {1U << WPA_TYPE_STRING | 1U << WPA_TYPE_NUMBER |
                                           1U << WPA_TYPE_BOOL | 1U << WPA_TYPE_OBJECT,
                                       "a string or an object"},
};

static void check_use(finisher *f, const wpa_type *type)
{
    wpa_expression_use use = f->expression->use;
    unsigned kinds = use < WPA_COUNT(wanted) ? wanted[use].kinds : 0;
    bool is_open = type->kind == WPA_TYPE_ANY || type->kind == WPA_TYPE_NEVER;
    if (!kinds || is_open || kinds & 1U << type->kind) {
        return;
    }
    bool is_text = type->kind == WPA_TYPE_STRING &&
                   (use == WPA_EXPRESSION_BOOL || use == WPA_EXPRESSION_NUMBER ||
                    use == WPA_EXPRESSION_ARRAY || use == WPA_EXPRESSION_OBJECT);
    add_problem(f, "E36",
                wpa_arena_printf(f->arena, "the value must be %s, and this is %s%s",
                                 wanted[use].words, wpa_type_words(type),
                                 is_text ? ": fromJSON makes it one" : ""));
}

static void check_default(finisher *f, const wpa_type *type, const wpa_type *declared)
{
    bool is_known = declared && wpa_type_is_scalar(declared) && wpa_type_is_scalar(type);
    if (is_known && declared->kind != type->kind) {
        add_problem(f, "E39",
                    wpa_arena_printf(f->arena, "the input is %s, and its default is %s",
                                     wpa_type_words(declared), wpa_type_words(type)));
    }
}

static void finish(wpa_expression_types *types, wpa_expression *e, wpa_arena *arena)
{
    finisher f = {e, NULL, 0, 0, arena};
    for (size_t i = 0; i < e->checked.n_problems; i++) {
        f.problems = wpa_arena_grow(arena, f.problems, f.n, &f.capacity, sizeof *f.problems);
        f.problems[f.n++] = e->checked.problems[i];
    }
    if (f.n) {
        /* Of what is wrong inside, no value comes that one could speak of. */
    } else if (e->use == WPA_EXPRESSION_TEXT ||
               (!e->is_whole && e->use != WPA_EXPRESSION_CONDITION)) {
        check_text(&f, e->checked.type);
    } else if (e->use == WPA_EXPRESSION_DEFAULT) {
        check_default(&f, e->checked.type, wpa_expression_types_default(types, e));
    } else {
        check_use(&f, e->checked.type);
    }
    e->checked.problems = f.problems;
    e->checked.n_problems = f.n;
}

const wpa_workflow *wpa_expressions_triggers(const wpa_source *source)
{
    wpa_expressions *all = source->expressions;
    if (!all->triggers && source->kind == WPA_INPUT_WORKFLOW) {
        all->triggers = wpa_model_triggers(source->yaml, source->yaml->arena);
    }
    return all->triggers;
}

/** Is all that the types of b depended on the same at both places? */
static bool is_in_reach(const wpa_expression *a, const wpa_expression *b, int reach)
{
    return reach == WPA_TYPES_OF_FILE ||
           (a->job == b->job && (reach == WPA_TYPES_OF_JOB || a->step == b->step));
}

/** Does one tree mean the same at both places? About half of them stand in a file again. */
static bool is_alike(const wpa_expression *a, const wpa_expression *b, int reach)
{
    return a->key == b->key && a->key_name == b->key_name && a->use == b->use &&
           a->is_whole == b->is_whole && a->use != WPA_EXPRESSION_DEFAULT &&
           is_in_reach(a, b, reach);
}

/** Has it the same type at both places, where nothing is wrong with it, whatever is made of it? */
static bool has_type_of(const wpa_expression *a, const wpa_expression *b, int reach)
{
    uint32_t allowed = a->key ? a->key->context_bits : UINT32_MAX;
    bool is_allowed = !b->checked.depends_on_key && (b->checked.contexts & ~allowed) == 0;
    return is_allowed && b->checked.n_problems == 0 && is_in_reach(a, b, reach);
}

static void check_one(wpa_expressions *all, size_t i, wpa_arena *arena)
{
    wpa_expression *e = &all->items[i];
    wpa_expr_memo *memo = e->place->parsed.memo;
    const wpa_expression *before = memo->n_checked ? &all->items[memo->n_checked - 1] : NULL;
    bool is_known = before && is_alike(e, before, memo->reach);
    if (is_known || (before && has_type_of(e, before, memo->reach))) {
        e->checked = before->checked;
        e->is_again = is_known;
        if (!is_known) {
            finish(all->types, e, arena);
        }
        return;
    }
    wpa_expr_scope scope = wpa_expression_types_scope(all->types, e);
    e->checked = wpa_expr_check(e->place->parsed.root, &scope, arena);
    memo->n_checked = i + 1;
    memo->reach = wpa_expression_types_reach(all->types);
    finish(all->types, e, arena);
}

const wpa_expressions *wpa_expressions_check(wpa_rule_run *run)
{
    wpa_expressions *all = run->source->expressions;
    if (all->is_checked || !run->source->yaml) {
        return all;
    }
    all->is_checked = true;
    /* As long as the file, not as the run: rules go over it again while fixes are tried. */
    wpa_arena *arena = run->source->yaml->arena;
    for (size_t i = 0; i < all->n; i++) {
        const wpa_expression *e = &all->items[i];
        if (!e->is_evaluated || !e->place->parsed.root) {
            continue;
        }
        all->types = all->types ? all->types : wpa_expression_types_new(run);
        check_one(all, i, arena);
    }
    return all;
}

const wpa_expr_reference *wpa_expression_references(wpa_rule_run *run,
                                                    const wpa_expression *expression, size_t *n)
{
    const wpa_expressions *all = run->source->expressions;
    wpa_expression *e = &all->items[expression - all->items];
    wpa_expr_memo *memo = e->place->parsed.memo;
    if (memo && !memo->has_references) {
        memo->references = wpa_expr_references(e->place->parsed.root, run->source->yaml->arena,
                                               &memo->n_references);
        memo->has_references = true;
    }
    *n = memo ? memo->n_references : 0;
    return memo ? memo->references : NULL;
}

const wpa_type *wpa_expression_type(wpa_rule_run *run, const wpa_expression *expression,
                                    const wpa_expr *part)
{
    wpa_expression_types *types = run->source->expressions->types;
    if (!types) {
        return wpa_type_of(WPA_TYPE_ANY);
    }
    wpa_expression_types_ask(types, run);
    wpa_expr_scope scope = wpa_expression_types_scope(types, expression);
    return wpa_expr_check(part, &scope, run->arena).type;
}
