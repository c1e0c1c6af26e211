/* Build-time program: facts FOLDER ACTIONS_C TABLES_C PLATFORMS_C turns the data folder into C
 * tables. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

void gen_die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    (void)fputs("facts: ", stderr);
    (void)vfprintf(stderr, format, values);
    (void)fputc('\n', stderr);
    va_end(values);
    exit(1);
}

json_t *gen_load(const char *folder, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s.json", folder, name);
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        gen_die("%s:%d: %s", path, error.line, error.text);
    }
    return root;
}

json_t *gen_need(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!value) {
        gen_die("member '%s' is missing", key);
    }
    return value;
}

const char *gen_text(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void gen_escaped(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '?') {
            (void)fprintf(out, "\\%03o", c);
        } else {
            (void)fputc(c, out);
        }
    }
}

void gen_literal(FILE *out, const char *text)
{
    if (!text) {
        (void)fputs("NULL", out);
        return;
    }
    (void)fputc('"', out);
    gen_escaped(out, text, strlen(text));
    (void)fputc('"', out);
}

void gen_list(FILE *out, const char *prefix, size_t number, json_t *texts)
{
    (void)fprintf(out, "static const char *const %s_%zu[] = {", prefix, number);
    size_t i;
    json_t *text;
    json_array_foreach(texts, i, text)
    {
        gen_literal(out, json_string_value(text));
        (void)fputs(", ", out);
    }
    (void)fputs("NULL};\n", out);
}

static bool is_of_name(json_t *records, size_t i, const char *key, const char *name)
{
    return strcmp(json_string_value(gen_need(json_array_get(records, i), key)), name) == 0;
}

void gen_need_neighbours(json_t *records, const char *key)
{
    for (size_t i = 1; i < json_array_size(records); i++) {
        const char *name = json_string_value(gen_need(json_array_get(records, i), key));
        bool is_first = !is_of_name(records, i - 1, key, name);
        for (size_t k = 0; is_first && k < i; k++) {
            if (is_of_name(records, k, key, name)) {
                gen_die("records of '%s' do not stand together", name);
            }
        }
    }
}

void gen_field(FILE *out, const char *field, json_t *record, const char *key)
{
    const char *text = gen_text(record, key);
    if (text) {
        (void)fprintf(out, ".%s = ", field);
        gen_literal(out, text);
        (void)fputs(", ", out);
    }
}

void gen_flag(FILE *out, const char *field, bool value)
{
    (void)fprintf(out, ".%s = %s, ", field, value ? "true" : "false");
}

void gen_number(FILE *out, const char *field, json_t *record, const char *key, json_int_t absent)
{
    json_t *value = json_object_get(record, key);
    (void)fprintf(out, ".%s = %lld, ", field,
                  (long long)(value ? json_integer_value(value) : absent));
}

bool gen_is_true(json_t *record, const char *key)
{
    return json_is_true(json_object_get(record, key));
}

void gen_lists(FILE *out, json_t *records, const char *key, const char *prefix)
{
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        gen_list(out, prefix, i, json_object_get(record, key));
    }
}

void gen_count(FILE *out, const char *name, json_t *records)
{
    (void)fprintf(out, "};\nconst size_t wpa_fact_n_%s = %zu;\n\n", name,
                  json_is_object(records) ? json_object_size(records) : json_array_size(records));
}

void gen_names(FILE *out, const char *name, json_t *records, const char *key)
{
    (void)fprintf(out, "const char *const wpa_fact_%s_list[] = {", name);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        gen_literal(out, key ? gen_text(record, key) : json_string_value(record));
        (void)fputs(", ", out);
    }
    (void)fputs("NULL};\n\n", out);
}

static FILE *open_output(const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        gen_die("cannot write %s", path);
    }
    (void)fputs("/* Generated from src/facts/data; do not edit. */\n"
                "#include \"facts/tables.h\"\n\n"
                "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\n",
                out);
    return out;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        gen_die("usage: facts FOLDER ACTIONS_C TABLES_C PLATFORMS_C");
    }
    FILE *actions = open_output(argv[2]);
    gen_actions(actions, argv[1]);
    FILE *tables = open_output(argv[3]);
    gen_tables(tables, argv[1]);
    FILE *platforms = open_output(argv[4]);
    gen_platforms(platforms, argv[1]);
    return fclose(actions) != 0 || fclose(tables) != 0 || fclose(platforms) != 0;
}
