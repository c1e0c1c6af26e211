/* The table of what github.event holds: members are written as "name:type", the type of a list in
 * brackets. */
#include <string.h>

#include "gen.h"

static const char *kind_of(const char *type, size_t length)
{
    static const char *const kinds[][2] = {{"string", "STRING"},
                                           {"number", "NUMBER"},
                                           {"boolean", "BOOLEAN"},
                                           {"any", "ANY"},
                                           {"object", "OBJECT"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i][0]) == length && strncmp(type, kinds[i][0], length) == 0) {
            return kinds[i][1];
        }
    }
    return "OBJECT";
}

/** Index of the object of that name among the table's; -1: no object of the table. */
static int object_of(json_t *objects, const char *type, size_t length)
{
    size_t i;
    json_t *object;
    json_array_foreach(objects, i, object)
    {
        const char *name = json_string_value(gen_need(object, "name"));
        if (strlen(name) == length && strncmp(type, name, length) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void write_member(FILE *out, json_t *objects, const char *text, size_t length)
{
    const char *colon = memchr(text, ':', length);
    if (!colon || colon + 1 == text + length) {
        gen_die("a member of a payload has no type: %s", text);
    }
    const char *type = colon + 1;
    size_t type_length = length - (size_t)(type - text);
    bool is_list = *type == '[';
    type += is_list;
    type_length -= is_list ? 2 : 0;
    int object = object_of(objects, type, type_length);
    (void)fputs("{\"", out);
    gen_escaped(out, text, (size_t)(colon - text));
    (void)fprintf(out, "\", WPA_PAYLOAD_%s, %s, ", kind_of(type, type_length),
                  is_list ? "true" : "false");
    if (object >= 0) {
        (void)fprintf(out, "&wpa_fact_payload_objects[%d]},\n", object);
    } else {
        (void)fputs("NULL},\n", out);
    }
}

static size_t write_members(FILE *out, json_t *objects, const char *array, size_t number,
                            const char *members)
{
    size_t n = 0;
    (void)fprintf(out, "static const wpa_fact_payload_member %s_%zu[] = {\n", array, number);
    for (const char *at = members + strspn(members, " "); *at; at += strspn(at, " "), n++) {
        size_t length = strcspn(at, " ");
        write_member(out, objects, at, length);
        at += length;
    }
    (void)fputs("{0}};\n", out);
    return n;
}

/** The records under a key as wpa_fact_<array>[], each with its members. */
static void write_records(FILE *out, json_t *root, const char *key, const char *type,
                          const char *array)
{
    json_t *objects = gen_need(root, "objects"), *records = gen_need(root, key), *record;
    size_t i;
    json_array_foreach(records, i, record)
    {
        const char *members = json_string_value(gen_need(record, "members"));
        size_t n = write_members(out, objects, array, i, members);
        (void)json_object_set_new(record, "n_members", json_integer((json_int_t)n));
    }
    (void)fprintf(out, "const wpa_fact_%s wpa_fact_%s[] = {\n", type, array);
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "name", record, "name");
        gen_field(out, "event", record, "event");
        gen_field(out, "type", record, "type");
        if (gen_is_true(record, "is_open")) {
            gen_flag(out, "is_open", true);
        }
        gen_number(out, "n_members", record, "n_members", 0);
        (void)fprintf(out, ".members = %s_%zu},\n", array, i);
    }
    gen_count(out, array, records);
}

void gen_payloads(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "payloads");
    write_records(out, root, "objects", "payload_object", "payload_objects");
    write_records(out, root, "events", "payload", "payloads");
    write_records(out, root, "activities", "payload_activity", "payload_activities");
    json_decref(root);
}
