/*
 * Template schemas as C: definitions refer to each other by name, so each gets a number first.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <wpa/yaml.h>

#include "gen.h"

#define CHOICES_DEPTH_MAX 20

typedef struct schema {
    FILE *out;
    const char *name; /* of the C array */
    json_t *numbers;  /* name -> number */
    json_t *definitions;
} schema;

static void write_def_ref(schema *s, const char *name)
{
    json_t *number = name ? json_object_get(s->numbers, name) : NULL;
    if (!number) {
        gen_die("definition '%s' is missing", name ? name : "");
    }
    (void)fprintf(s->out, "&wpa_fact_%s_schema[%lld]", s->name,
                  (long long)json_integer_value(number));
}

/* The basic types that definitions name without defining them. */
static const char *const basic[] = {"any",  "string",   "boolean", "number",
                                    "null", "sequence", "mapping"};
static const char *const basic_kinds[] = {"ANY",  "STRING",   "BOOLEAN", "NUMBER",
                                          "NULL", "SEQUENCE", "MAPPING"};

static const char *type_of(json_t *property)
{
    return json_is_object(property) ? gen_text(property, "type") : json_string_value(property);
}

/** Required, or of one text alone. */
static bool is_telling(const schema *s, json_t *property)
{
    const char *type = type_of(property);
    json_t *definition = type ? json_object_get(s->definitions, type) : NULL;
    return gen_is_true(property, "required") ||
           gen_text(json_object_get(definition, "string"), "constant");
}

/** From 1 the first property behind index from that has this bit; 0: none. */
static size_t with_bit(json_t *properties, size_t from, uint32_t bit)
{
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach(properties, key, value)
    {
        (void)value;
        if (i++ >= from && wpa_yaml_name_of(key).bit == bit) {
            return i;
        }
    }
    return 0;
}

static void write_properties(schema *s, size_t n, json_t *properties)
{
    if (json_object_size(properties) > UINT8_MAX) {
        gen_die("a mapping has too many properties");
    }
    size_t number = 0;
    (void)fprintf(s->out, "static const wpa_schema_property %s_properties_%zu[] = {\n", s->name, n);
    const char *key;
    json_t *value;
    json_object_foreach(properties, key, value)
    {
        (void)fputs("{{", s->out);
        gen_literal(s->out, key);
        wpa_yaml_name name = wpa_yaml_name_of(key);
        (void)fprintf(s->out, ", %" PRIu32 ", %" PRIu32 "U}, ", name.length, name.bit);
        write_def_ref(s, type_of(value));
        (void)fprintf(s->out, ", %s, %zu},\n", gen_is_true(value, "required") ? "true" : "false",
                      with_bit(properties, ++number, name.bit));
    }
    (void)fputs("};\n", s->out);
    (void)fprintf(s->out, "static const uint8_t %s_by_bit_%zu[] = {", s->name, n);
    for (unsigned bit = 0; bit < 32; bit++) {
        (void)fprintf(s->out, "%zu, ", with_bit(properties, 0, (uint32_t)1 << bit));
    }
    (void)fputs("};\n", s->out);
    (void)fprintf(s->out, "static const wpa_schema_property *const %s_telling_%zu[] = {", s->name,
                  n);
    size_t i = 0;
    json_object_foreach(properties, key, value)
    {
        if (is_telling(s, value)) {
            (void)fprintf(s->out, "&%s_properties_%zu[%zu], ", s->name, n, i);
        }
        i++;
    }
    (void)fputs("NULL};\n", s->out);
}

static uint32_t keys_of(json_t *properties)
{
    uint32_t keys = 0;
    const char *key;
    json_t *value;
    json_object_foreach(properties, key, value)
    {
        (void)value;
        keys |= wpa_yaml_name_of(key).bit;
    }
    return keys;
}

static uint32_t telling_keys_of(const schema *s, json_t *properties)
{
    uint32_t keys = 0;
    const char *key;
    json_t *value;
    json_object_foreach(properties, key, value)
    {
        keys |= is_telling(s, value) ? wpa_yaml_name_of(key).bit : 0;
    }
    return keys;
}

static int count_required(json_t *properties)
{
    int n = 0;
    const char *key;
    json_t *value;
    json_object_foreach(properties, key, value)
    {
        n += gen_is_true(value, "required");
    }
    return n;
}

/** References to the mappings that a definition may be, through all its choices. */
static void write_mappings(schema *s, const char *name, int depth)
{
    json_t *definition = json_object_get(s->definitions, name), *choice;
    if (depth > CHOICES_DEPTH_MAX) {
        gen_die("definition '%s' is a choice of itself", name);
    }
    if (json_object_get(definition, "mapping") || strcmp(name, "mapping") == 0) {
        write_def_ref(s, name);
        (void)fputs(", ", s->out);
    }
    size_t i;
    json_array_foreach(json_object_get(definition, "one-of"), i, choice)
    {
        write_mappings(s, json_string_value(choice), depth + 1);
    }
}

static void write_parts(schema *s, size_t n, const char *name, json_t *definition)
{
    json_t *properties = json_object_get(json_object_get(definition, "mapping"), "properties");
    if (json_object_size(properties)) {
        write_properties(s, n, properties);
    }
    json_t *choices = json_object_get(definition, "one-of");
    if (choices) {
        (void)fprintf(s->out, "static const wpa_schema_def *const %s_choices_%zu[] = {", s->name,
                      n);
        size_t i;
        json_t *choice;
        json_array_foreach(choices, i, choice)
        {
            write_def_ref(s, json_string_value(choice));
            (void)fputs(", ", s->out);
        }
        (void)fputs("NULL};\n", s->out);
    }
    (void)fprintf(s->out, "static const wpa_schema_def *const %s_mappings_%zu[] = {", s->name, n);
    write_mappings(s, name, 0);
    (void)fputs("NULL};\n", s->out);
    char prefix[64];
    (void)snprintf(prefix, sizeof prefix, "%s_allowed", s->name);
    gen_list(s->out, prefix, n, json_object_get(definition, "allowed-values"));
}

static const char *kind_of(json_t *definition)
{
    return json_object_get(definition, "mapping")          ? "MAPPING"
           : json_object_get(definition, "sequence")       ? "SEQUENCE"
           : json_object_get(definition, "one-of")         ? "ONE_OF"
           : json_object_get(definition, "allowed-values") ? "ALLOWED"
           : json_object_get(definition, "string")         ? "STRING"
           : json_object_get(definition, "boolean")        ? "BOOLEAN"
           : json_object_get(definition, "number")         ? "NUMBER"
           : json_object_get(definition, "null")           ? "NULL"
                                                           : "ANY";
}

/** The kinds of a definition and of all that it may be, as bits in C. */
static void write_takes(const schema *s, const char *name, int depth)
{
    json_t *definition = json_object_get(s->definitions, name), *choice;
    const char *kind = definition ? kind_of(definition) : NULL;
    for (size_t i = 0; !kind && i < sizeof basic / sizeof *basic; i++) {
        kind = strcmp(name, basic[i]) == 0 ? basic_kinds[i] : NULL;
    }
    if (!kind || depth > CHOICES_DEPTH_MAX) {
        gen_die("definition '%s' is missing, or a choice of itself", name);
    }
    (void)fprintf(s->out, "1U << WPA_SCHEMA_%s", kind);
    size_t i;
    json_array_foreach(json_object_get(definition, "one-of"), i, choice)
    {
        (void)fputs(" | ", s->out);
        write_takes(s, json_string_value(choice), depth + 1);
    }
}

/* In the order of wpa_schema_texts. */
static const char *const texts[] = {"SOME", "FILLED", "ALL"};

/** Which scalars a definition takes whatever they hold, as an index of texts. */
static int texts_of(const schema *s, const char *name)
{
    if (strcmp(name, "any") == 0 || strcmp(name, "string") == 0) {
        return 2;
    }
    json_t *definition = json_object_get(s->definitions, name), *choice;
    const char *kind = definition ? kind_of(definition) : "";
    json_t *string = json_object_get(definition, "string");
    bool is_open = strcmp(kind, "STRING") == 0 && !gen_text(string, "constant");
    int most = strcmp(kind, "ANY") == 0                   ? 2
               : !is_open                                 ? 0
               : gen_is_true(string, "require-non-empty") ? 1
                                                          : 2;
    size_t i;
    json_array_foreach(json_object_get(definition, "one-of"), i, choice)
    {
        int of_choice = texts_of(s, json_string_value(choice));
        most = of_choice > most ? of_choice : most;
    }
    return most;
}

static void write_definition(schema *s, size_t n, const char *name, json_t *definition)
{
    json_t *mapping = json_object_get(definition, "mapping");
    json_t *sequence = json_object_get(definition, "sequence");
    json_t *string = json_object_get(definition, "string");
    json_t *properties = json_object_get(mapping, "properties");
    size_t n_properties = json_object_size(properties);
    (void)fprintf(s->out,
                  "{.name = \"%s\", .name_length = %zu, .name_bit = %" PRIu32
                  "U, .kind = WPA_SCHEMA_%s, .takes = ",
                  name, strlen(name), wpa_yaml_name_of(name).bit, kind_of(definition));
    write_takes(s, name, 0);
    (void)fprintf(s->out, ", .texts = WPA_SCHEMA_TEXTS_%s, ", texts[texts_of(s, name)]);
    if (n_properties) {
        (void)fprintf(s->out, ".properties = %s_properties_%zu, .n_properties = %zu, ", s->name, n,
                      n_properties);
        (void)fprintf(s->out,
                      ".telling = %s_telling_%zu, .by_bit = %s_by_bit_%zu, .keys = %" PRIu32 "U, ",
                      s->name, n, s->name, n, keys_of(properties));
        (void)fprintf(s->out, ".telling_keys = %" PRIu32 "U, .n_required = %d, ",
                      telling_keys_of(s, properties), count_required(properties));
    }
    if (json_object_get(mapping, "loose-value-type")) {
        (void)fputs(".is_loose = true, .loose = ", s->out);
        write_def_ref(s, gen_text(mapping, "loose-value-type"));
        (void)fputs(", ", s->out);
    }
    if (sequence) {
        (void)fputs(".item = ", s->out);
        write_def_ref(s, gen_text(sequence, "item-type"));
        (void)fputs(", ", s->out);
    }
    if (json_object_get(definition, "one-of")) {
        (void)fprintf(s->out, ".choices = %s_choices_%zu, ", s->name, n);
    }
    gen_field(s->out, "constant", string, "constant");
    gen_flag(s->out, "is_non_empty", gen_is_true(string, "require-non-empty"));
    gen_flag(s->out, "takes_expressions", json_array_size(json_object_get(definition, "context")));
    (void)fprintf(s->out, ".mappings = %s_mappings_%zu, .allowed = %s_allowed_%zu},\n", s->name, n,
                  s->name, n);
}

void gen_schema(FILE *out, const char *folder, const char *file, const char *name)
{
    json_t *root = gen_load(folder, file);
    schema s = {.out = out, .name = name, .numbers = json_object()};
    s.definitions = gen_need(root, "definitions");
    size_t n = 0;
    const char *key;
    json_t *definition;
    json_object_foreach(s.definitions, key, definition)
    {
        (void)json_object_set_new(s.numbers, key, json_integer((json_int_t)n++));
    }
    for (size_t i = 0; i < sizeof basic / sizeof *basic; i++) {
        (void)json_object_set_new(s.numbers, basic[i], json_integer((json_int_t)(n + i)));
    }
    (void)fprintf(out, "static const char *const %s_none[] = {NULL};\n", name);
    (void)fprintf(out, "static const wpa_schema_def *const %s_no_mappings[] = {NULL};\n", name);
    n = 0;
    json_object_foreach(s.definitions, key, definition)
    {
        write_parts(&s, n++, key, definition);
    }
    (void)fprintf(out, "const wpa_schema_def wpa_fact_%s_schema[] = {\n", name);
    n = 0;
    json_object_foreach(s.definitions, key, definition)
    {
        write_definition(&s, n++, key, definition);
    }
    for (size_t i = 0; i < sizeof basic / sizeof *basic; i++) {
        (void)fprintf(out,
                      "{.name = \"%s\", .name_length = %zu, .name_bit = %" PRIu32
                      "U, .kind = WPA_SCHEMA_%s, .takes = 1U << WPA_SCHEMA_%s, .is_loose = true, "
                      ".texts = WPA_SCHEMA_TEXTS_%s, "
                      ".mappings = %s_no_mappings, .allowed = %s_none},\n",
                      basic[i], strlen(basic[i]), wpa_yaml_name_of(basic[i]).bit, basic_kinds[i],
                      basic_kinds[i], texts[texts_of(&s, basic[i])], name, name);
    }
    (void)fprintf(out, "};\nconst size_t wpa_fact_n_%s_schema = %zu;\n\n", name,
                  n + sizeof basic / sizeof *basic);
    json_decref(s.numbers);
    json_decref(root);
}
