/* Contexts, where each stands, what their members hold, and functions. */
#include <stdio.h>
#include <string.h>

#include "gen.h"

/** A list beside the names of the properties: their names, or what each is. */
static void write_context_list(FILE *out, const char *list, size_t n, json_t *properties,
                               const char *member)
{
    (void)fprintf(out, "static const char *const context_%s_%zu[] = {", list, n);
    const char *property;
    json_t *value;
    json_object_foreach(properties, property, value)
    {
        gen_literal(out, member ? gen_text(value, member) : property);
        (void)fputs(", ", out);
    }
    (void)fputs("NULL};\n", out);
}

static void write_context_table(FILE *out, json_t *contexts)
{
    const char *name;
    json_t *record;
    size_t n = 0;
    json_object_foreach(contexts, name, record)
    {
        json_t *properties = json_object_get(record, "properties");
        write_context_list(out, "properties", n, properties, NULL);
        write_context_list(out, "types", n++, properties, "type");
    }
    n = 0;
    (void)fputs("const wpa_fact_context wpa_fact_contexts[] = {\n", out);
    json_object_foreach(contexts, name, record)
    {
        (void)fprintf(out, "{\"%s\", context_properties_%zu, context_types_%zu, %d},\n", name, n, n,
                      gen_is_true(record, "open"));
        n++;
    }
    gen_count(out, "contexts", contexts);
    (void)fputs("const char *const wpa_fact_context_list[] = {", out);
    json_object_foreach(contexts, name, record)
    {
        (void)fprintf(out, "\"%s\", ", name);
    }
    (void)fputs("NULL};\n\n", out);
}

/* Members of a context that hold one of few texts, as forms: "runner.os", "needs.*.result". */
static void collect_forms(json_t *forms, const char *context, const char *between, json_t *members)
{
    const char *name;
    json_t *member;
    json_object_foreach(members, name, member)
    {
        json_t *values = json_object_get(member, "values");
        if (values) {
            char path[128];
            (void)snprintf(path, sizeof path, "%s.%s%s", context, between, name);
            json_array_append_new(forms, json_pack("{s:s, s:O}", "path", path, "values", values));
        }
    }
}

static void write_forms(FILE *out, json_t *contexts, json_t *forms)
{
    const char *name;
    json_t *record;
    json_object_foreach(contexts, name, record)
    {
        collect_forms(forms, name, "", json_object_get(record, "properties"));
        collect_forms(forms, name, "*.", json_object_get(record, "each"));
    }
    gen_lists(out, forms, "values", "form_values");
    gen_lists(out, forms, "begins", "form_begins");
    (void)fputs("const wpa_fact_form wpa_fact_forms[] = {\n", out);
    size_t i;
    json_array_foreach(forms, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "path", record, "path");
        (void)fprintf(out, ".path_length = %zu, ", strlen(gen_text(record, "path")));
        gen_field(out, "lacks", record, "lacks");
        gen_field(out, "holds", record, "holds");
        (void)fprintf(out, ".values = form_values_%zu, .begins = form_begins_%zu},\n", i, i);
    }
    gen_count(out, "forms", forms);
}

static void write_functions(FILE *out, json_t *functions)
{
    size_t i;
    json_t *record;
    (void)fputs("const wpa_fact_function wpa_fact_functions[] = {\n", out);
    json_array_foreach(functions, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "name", record, "name");
        (void)fprintf(out, ".min_args = %d, .max_args = %d, ",
                      (int)json_integer_value(gen_need(record, "min_args")),
                      (int)json_integer_value(gen_need(record, "max_args")));
        gen_flag(out, "is_status", gen_is_true(record, "status_function"));
        gen_flag(out, "needs_odd", gen_is_true(record, "odd_args"));
        gen_flag(out, "is_limited", gen_text(record, "only_in") != NULL);
        (void)fputs("},\n", out);
    }
    gen_count(out, "functions", functions);
    gen_names(out, "function", functions, "name");
}

/** The contexts of a key as bits, by their places in the list of all. */
static unsigned bits_of(json_t *names, json_t *contexts)
{
    unsigned bits = 0, bit = 1;
    const char *known;
    size_t i;
    json_t *context, *name;
    json_object_foreach(contexts, known, context)
    {
        json_array_foreach(names, i, name)
        {
            bits |= strcmp(json_string_value(name), known) == 0 ? bit : 0;
        }
        bit <<= 1;
    }
    return bits;
}

void gen_contexts(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "contexts");
    json_t *records = gen_need(root, "availability");
    gen_lists(out, records, "contexts", "key_contexts");
    gen_lists(out, records, "functions", "key_functions");
    (void)fputs("const wpa_fact_availability wpa_fact_availabilities[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "key", record, "key");
        (void)fprintf(out,
                      ".contexts = key_contexts_%zu, .functions = key_functions_%zu, "
                      ".context_bits = 0x%xU},\n",
                      i, i, bits_of(gen_need(record, "contexts"), gen_need(root, "contexts")));
    }
    gen_count(out, "availabilities", records);
    write_context_table(out, gen_need(root, "contexts"));
    write_forms(out, gen_need(root, "contexts"), gen_need(root, "forms"));
    write_functions(out, gen_need(root, "functions"));
    gen_names(out, "open_outputs", gen_need(root, "open_outputs"), "action");
    json_decref(root);
}
