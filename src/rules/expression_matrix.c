/*
 * What the matrix of a job holds: strict where the file says all of it, loose wherever a row or a
 * leg may be there that it does not show.
 */
#include "rules/expression_matrix.h"

#include "workflow/workflow.h"

typedef struct maker {
    const wpa_source *source;
    wpa_arena *arena;
} maker;

static const wpa_type *any(void)
{
    return wpa_type_of(WPA_TYPE_ANY);
}

/* Names are those of the file, and of types made of it: they live as long as the types. */
static wpa_type_builder own_builder(wpa_arena *arena)
{
    wpa_type_builder builder = wpa_type_builder_new(arena);
    builder.keeps_names = true;
    return builder;
}

static const wpa_type *yaml_type(const wpa_yaml_node *written, wpa_arena *arena, int depth);

/* depth: of the mapping. */
static void add_pair(wpa_type_builder *builder, const wpa_yaml_pair *pair, int depth)
{
    const char *name = wpa_yaml_text(pair->key);
    bool is_open = !name || wpa_text_is(name, "<<") || wpa_outline_has_expression(name);
    builder->is_loose = builder->is_loose || is_open;
    if (!is_open) {
        wpa_type_builder_add(builder, name, yaml_type(pair->value, builder->arena, depth + 1));
    }
}

static const wpa_type *yaml_type(const wpa_yaml_node *written, wpa_arena *arena, int depth)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(written);
    if (!node || depth > WPA_TYPE_MAX_DEPTH || wpa_yaml_is(node, WPA_YAML_ALIAS)) {
        return any();
    }
    if (node->kind == WPA_YAML_SEQUENCE) {
        const wpa_type *item = wpa_type_of(WPA_TYPE_NEVER);
        for (size_t i = 0; i < node->n_items; i++) {
            item = wpa_type_merge(item, yaml_type(node->items[i], arena, depth + 1), arena);
        }
        return wpa_type_array(arena, node->n_items ? item : any());
    }
    if (node->kind == WPA_YAML_MAPPING) {
        wpa_type_builder builder = own_builder(arena);
        for (size_t i = 0; i < node->n_pairs; i++) {
            add_pair(&builder, &node->pairs[i], depth);
        }
        return wpa_type_builder_end(&builder);
    }
    static const wpa_type_kind kinds[] = {[WPA_YAML_TEXT] = WPA_TYPE_STRING,
                                          [WPA_YAML_NULL] = WPA_TYPE_ANY, /* often left blank */
                                          [WPA_YAML_BOOL] = WPA_TYPE_BOOL,
                                          [WPA_YAML_INT] = WPA_TYPE_NUMBER,
                                          [WPA_YAML_FLOAT] = WPA_TYPE_NUMBER};
    bool is_open = wpa_outline_has_expression(node->text);
    return is_open ? any() : wpa_type_of(kinds[wpa_yaml_scalar_type(node)]);
}

/* What one expression is that stands for a whole value, as far as it asks no context: the type of
   fromJSON of a literal. */
static const wpa_type *computed_type(const maker *m, const wpa_yaml_node *scalar)
{
    const wpa_expression *e = wpa_yaml_is(scalar, WPA_YAML_SCALAR)
                                  ? wpa_expressions_in(m->source->expressions, scalar)
                                  : NULL;
    bool is_read = e && e->is_whole && e->place->parsed.root;
    return is_read ? wpa_expr_check(e->place->parsed.root, &(wpa_expr_scope){0}, m->arena).type
                   : any();
}

static const wpa_type *elements_of(const wpa_type *type)
{
    bool is_known = wpa_type_is(type, WPA_TYPE_ARRAY) && !type->is_filter && type->item;
    return is_known && !wpa_type_is(type->item, WPA_TYPE_NEVER) ? type->item : any();
}

static void add_row(const maker *m, wpa_type_builder *builder, const wpa_matrix_row *row)
{
    const wpa_type *type =
        row->is_open ? elements_of(computed_type(m, row->node)) : wpa_type_of(WPA_TYPE_NEVER);
    bool is_known = !row->is_open; /* values of several kinds are any */
    for (size_t i = 0; i < row->n_values && is_known; i++) {
        type = wpa_type_merge(type, yaml_type(row->values[i], builder->arena, 0), builder->arena);
        is_known = !wpa_type_is(type, WPA_TYPE_ANY);
    }
    wpa_type_builder_add(builder, row->name, wpa_type_is(type, WPA_TYPE_NEVER) ? any() : type);
}

/* Members of a leg that is written out. */
static void add_written_leg(wpa_type_builder *builder, const wpa_yaml_node *leg)
{
    for (size_t i = 0; i < leg->n_pairs; i++) {
        add_pair(builder, &leg->pairs[i], 0);
    }
}

/* Members of a leg that include adds. */
static void add_leg(wpa_type_builder *builder, const wpa_type *leg)
{
    for (size_t i = 0; i < leg->n_members; i++) {
        wpa_type_builder_add(builder, leg->members[i].name, leg->members[i].type);
    }
    builder->is_loose = builder->is_loose || !wpa_type_is_strict(leg);
}

/* The matrix that an expression makes: NULL if its rows cannot be told. */
static const wpa_type *computed_matrix(const maker *m, const wpa_yaml_node *scalar)
{
    const wpa_type *whole = computed_type(m, scalar);
    if (!wpa_type_is_strict(whole) || whole->n_later || m->source->is_partial) {
        return NULL;
    }
    wpa_type_builder builder = own_builder(m->arena);
    for (size_t i = 0; i < whole->n_members; i++) {
        const wpa_type_member *row = &whole->members[i];
        if (wpa_text_is_ci(row->name, "include")) {
            add_leg(&builder, elements_of(row->type));
        } else if (!wpa_text_is_ci(row->name, "exclude")) {
            wpa_type_builder_add(&builder, row->name, elements_of(row->type));
        }
    }
    return wpa_type_builder_end(&builder);
}

static const wpa_type *written_matrix(const maker *m, const wpa_outline_job *job,
                                      const wpa_yaml_node *written)
{
    const wpa_strategy strategy = wpa_strategy_of(job->node, m->arena); /* no legs are asked for */
    const wpa_yaml_node *matrix = wpa_yaml_get(written, "matrix");
    wpa_type_builder builder = own_builder(m->arena);
    bool is_whole = !written || (wpa_yaml_is(written, WPA_YAML_MAPPING) &&
                                 (!matrix || wpa_yaml_is(matrix, WPA_YAML_MAPPING)));
    builder.is_loose = strategy.is_unknown || m->source->is_partial || !is_whole ||
                       strategy.matrix.is_include_open;
    for (size_t i = 0; i < strategy.matrix.n_rows; i++) {
        const wpa_matrix_row *row = &strategy.matrix.rows[i];
        builder.is_loose = builder.is_loose || wpa_outline_has_expression(row->name);
        add_row(m, &builder, row);
    }
    for (size_t i = 0; i < strategy.matrix.n_includes; i++) {
        add_written_leg(&builder, strategy.matrix.includes[i]);
    }
    return wpa_type_builder_end(&builder);
}

const wpa_type *wpa_expression_matrix_type(const wpa_source *source, const wpa_outline_job *job,
                                           wpa_arena *arena)
{
    const maker m = {source, arena};
    const wpa_yaml_node *written = wpa_yaml_get(job->node, "strategy");
    const wpa_type *computed = computed_matrix(&m, wpa_yaml_get(written, "matrix"));
    return computed ? computed : written_matrix(&m, job, written);
}
