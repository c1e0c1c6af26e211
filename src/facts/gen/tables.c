/* The smaller tables, written as plain C structs. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

typedef struct table_name {
    const char *file;
    const char *name;
} table_name;

/* In the order of wpa_fact_table. */
static const table_name tables[] = {
    {"actions", "actions"},
    {"tags", "tags"},
    {"events", "events"},
    {"contexts", "contexts"},
    {"permissions", "permissions"},
    {"runners", "runners"},
    {"untrusted", "untrusted"},
    {"advisories", "advisories"},
    {"archived", "archived"},
    {"caches", "caches"},
    {"speedups", "speedups"},
    {NULL, "schema"},
    {"commands", "commands"},
    {"images", "images"},
    {"toolchains", "toolchains"},
    {"forges", "forges"},
    {"migrations", "migrations"},
    {"supply", "supply"},
    {"payloads", "payloads"},
    {"values", "values"},
    {"dependabot-v2", "dependabot"},
    {"pre-commit-v4", "pre-commit"},
    {"timezones", "timezones"},
};

/* What GitHub ships has no head of ours: it was taken when the events were. */
static const char *const schema_files[] = {"github-workflow-v1.0", "github-action-v1.0"};

/* Records of every list in a file. */
static size_t count_rows(json_t *root)
{
    size_t n = 0;
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        n += json_is_object(value) ? json_object_size(value) : json_array_size(value);
    }
    return n;
}

static size_t count_refs(json_t *root)
{
    size_t n = 0, i;
    json_t *repo;
    json_array_foreach(gen_need(root, "repos_list"), i, repo)
    {
        n += count_rows(repo);
    }
    return n;
}

static size_t count_schema(const char *folder)
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof schema_files / sizeof *schema_files; i++) {
        json_t *root = gen_load(folder, schema_files[i]);
        n += count_rows(root);
        json_decref(root);
    }
    return n;
}

static void write_origin(FILE *out, const char *folder, const table_name *table)
{
    json_t *root = gen_load(folder, table->file ? table->file : "events");
    bool is_tags = strcmp(table->name, "tags") == 0;
    size_t n_rows = !table->file ? count_schema(folder)
                    : is_tags    ? count_refs(root)
                                 : count_rows(root);
    (void)fprintf(out, "{\"%s\", ", table->name);
    gen_literal(out, json_string_value(gen_need(root, "generated")));
    (void)fputs(", ", out);
    gen_literal(out, table->file ? json_string_value(gen_need(root, "source"))
                                 : "@actions/workflow-parser");
    (void)fputs(", ", out);
    gen_literal(out, table->file ? json_string_value(gen_need(root, "licence")) : "MIT");
    (void)fprintf(out, ", %zu},\n", n_rows);
    json_decref(root);
}

static void write_origins(FILE *out, const char *folder)
{
    (void)fputs("const wpa_fact_origin wpa_fact_origins[WPA_FACTS_COUNT] = {\n", out);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        write_origin(out, folder, &tables[i]);
    }
    (void)fputs("};\n\n", out);
}

/* A field of a struct: .name = "value", left out when the member is absent. */
static void write_field(FILE *out, const char *field, json_t *record, const char *key)
{
    const char *text = gen_text(record, key);
    if (text) {
        (void)fprintf(out, ".%s = ", field);
        gen_literal(out, text);
        (void)fputs(", ", out);
    }
}

static void write_flag(FILE *out, const char *field, bool value)
{
    (void)fprintf(out, ".%s = %s, ", field, value ? "true" : "false");
}

static void write_number(FILE *out, const char *field, json_t *record, const char *key,
                         json_int_t absent)
{
    json_t *value = json_object_get(record, key);
    (void)fprintf(out, ".%s = %lld, ", field,
                  (long long)(value ? json_integer_value(value) : absent));
}

static bool is_true(json_t *record, const char *key)
{
    return json_is_true(json_object_get(record, key));
}

static void write_lists(FILE *out, json_t *records, const char *key, const char *prefix)
{
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        gen_list(out, prefix, i, json_object_get(record, key));
    }
}

static void write_count(FILE *out, const char *name, json_t *records)
{
    (void)fprintf(out, "};\nconst size_t wpa_fact_n_%s = %zu;\n\n", name,
                  json_is_object(records) ? json_object_size(records) : json_array_size(records));
}

static void write_names(FILE *out, const char *name, json_t *records, const char *key)
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

static void write_archived(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "archived");
    json_t *ends = gen_need(root, "deprecated_versions");
    json_t *archived = gen_need(root, "archived");
    size_t i;
    json_t *record;
    (void)fputs("const wpa_fact_end wpa_fact_ends[] = {\n", out);
    json_array_foreach(ends, i, record)
    {
        (void)fputs("{", out);
        write_field(out, "match", record, "match");
        write_field(out, "status", record, "status");
        write_field(out, "since", record, "since");
        write_field(out, "replacement", record, "replacement");
        write_field(out, "source", record, "source");
        (void)fputs("},\n", out);
    }
    write_count(out, "ends", ends);
    write_lists(out, archived, "successors", "successors");
    (void)fputs("const wpa_fact_archived wpa_fact_archive[] = {\n", out);
    json_array_foreach(archived, i, record)
    {
        (void)fputs("{", out);
        write_field(out, "repo", record, "repo");
        write_field(out, "status", record, "status");
        write_field(out, "basis", record, "successor_basis");
        (void)fprintf(out, ".successors = successors_%zu},\n", i);
    }
    write_count(out, "archive", archived);
    json_decref(root);
}

static void write_ranges(FILE *out, size_t n, json_t *affected)
{
    json_t *ranges = json_object_get(affected, "ranges");
    if (json_array_size(ranges)) {
        (void)fprintf(out, "static const wpa_fact_range ranges_%zu[] = {\n", n);
        size_t i;
        json_t *range;
        json_array_foreach(ranges, i, range)
        {
            (void)fputs("{", out);
            write_field(out, "introduced", range, "introduced");
            write_field(out, "fixed", range, "fixed");
            write_field(out, "last_affected", range, "last_affected");
            (void)fputs("},\n", out);
        }
        (void)fputs("};\n", out);
    }
    gen_list(out, "versions", n, json_object_get(affected, "versions"));
}

static void write_advisory(FILE *out, size_t n, size_t advisory, json_t *record, json_t *affected)
{
    size_t n_ranges = json_array_size(json_object_get(affected, "ranges"));
    (void)fputs("{", out);
    write_field(out, "action", affected, "action");
    write_field(out, "id", record, "id");
    write_field(out, "published", record, "published");
    write_field(out, "severity", record, "severity");
    write_field(out, "kind", record, "class");
    write_field(out, "summary", record, "summary");
    write_field(out, "source", record, "source");
    write_field(out, "first_patched", affected, "first_patched");
    if (n_ranges) {
        (void)fprintf(out, ".ranges = ranges_%zu, .n_ranges = %zu, ", n, n_ranges);
    }
    (void)fprintf(out, ".versions = versions_%zu, .bad_commits = bad_commits_%zu, ", n, advisory);
    write_flag(out, "exposes_callers", is_true(record, "exposes_callers"));
    (void)fputs("},\n", out);
}

static void write_advisories(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "advisories");
    json_t *records = gen_need(root, "advisories");
    size_t i, k, n = 0;
    json_t *record, *affected;
    json_array_foreach(records, i, record)
    {
        gen_list(out, "bad_commits", i, json_object_get(record, "bad_commits"));
        json_array_foreach(gen_need(record, "affected"), k, affected)
        {
            write_ranges(out, n++, affected);
        }
    }
    (void)fputs("const wpa_fact_advisory wpa_fact_advisories[] = {\n", out);
    n = 0;
    json_array_foreach(records, i, record){json_array_foreach(
        gen_need(record, "affected"), k, affected){write_advisory(out, n++, i, record, affected);
}
}
(void)fprintf(out, "};\nconst size_t wpa_fact_n_advisories = %zu;\n\n", n);
json_decref(root);
}

static const char *trust_of(json_t *event)
{
    static const char *const names[][2] = {
        {"outsider_privileged", "WPA_TRUST_OUTSIDER_PRIVILEGED"},
        {"outsider", "WPA_TRUST_OUTSIDER"},
        {"insider", "WPA_TRUST_INSIDER"},
        {"inherited", "WPA_TRUST_INHERITED"},
    };
    const char *trust = json_string_value(gen_need(event, "trust"));
    for (size_t i = 0; i < 4; i++) {
        if (trust && strcmp(trust, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    gen_die("unknown trust class");
}

static void write_events(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "events");
    json_t *records = gen_need(root, "events");
    write_lists(out, records, "types", "event_types");
    write_lists(out, records, "default_types", "event_default_types");
    write_lists(out, records, "filters", "event_filters");
    (void)fputs("const wpa_fact_event wpa_fact_events[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        write_field(out, "name", record, "event");
        (void)fprintf(out,
                      ".types = event_types_%zu, .default_types = event_default_types_%zu, "
                      ".filters = event_filters_%zu, .trust = %s, ",
                      i, i, i, trust_of(record));
        write_flag(out, "takes_types", is_true(record, "takes_types"));
        write_flag(out, "has_free_types", is_true(record, "types_free_form"));
        write_flag(out, "on_default_branch", is_true(record, "must_be_on_default_branch"));
        const char *status = gen_text(record, "status");
        write_flag(out, "is_legacy", status && strcmp(status, "legacy") == 0);
        (void)fputs("},\n", out);
    }
    write_count(out, "events", records);
    write_names(out, "event", records, "event");
    json_decref(root);
}

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
                      is_true(record, "open"));
        n++;
    }
    write_count(out, "contexts", contexts);
    (void)fputs("const char *const wpa_fact_context_list[] = {", out);
    json_object_foreach(contexts, name, record)
    {
        (void)fprintf(out, "\"%s\", ", name);
    }
    (void)fputs("NULL};\n\n", out);
}

static void write_functions(FILE *out, json_t *functions)
{
    size_t i;
    json_t *record;
    (void)fputs("const wpa_fact_function wpa_fact_functions[] = {\n", out);
    json_array_foreach(functions, i, record)
    {
        (void)fputs("{", out);
        write_field(out, "name", record, "name");
        (void)fprintf(out, ".min_args = %d, .max_args = %d, ",
                      (int)json_integer_value(gen_need(record, "min_args")),
                      (int)json_integer_value(gen_need(record, "max_args")));
        write_flag(out, "is_status", is_true(record, "status_function"));
        write_flag(out, "needs_odd", is_true(record, "odd_args"));
        write_flag(out, "is_limited", gen_text(record, "only_in") != NULL);
        (void)fputs("},\n", out);
    }
    write_count(out, "functions", functions);
    write_names(out, "function", functions, "name");
}

static void write_contexts(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "contexts");
    json_t *records = gen_need(root, "availability");
    write_lists(out, records, "contexts", "key_contexts");
    write_lists(out, records, "functions", "key_functions");
    (void)fputs("const wpa_fact_availability wpa_fact_availabilities[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        write_field(out, "key", record, "key");
        (void)fprintf(out, ".contexts = key_contexts_%zu, .functions = key_functions_%zu},\n", i,
                      i);
    }
    write_count(out, "availabilities", records);
    write_context_table(out, gen_need(root, "contexts"));
    write_functions(out, gen_need(root, "functions"));
    write_names(out, "open_outputs", gen_need(root, "open_outputs"), "action");
    json_decref(root);
}

static bool has_text(json_t *texts, const char *text)
{
    size_t i;
    json_t *item;
    json_array_foreach(texts, i, item)
    {
        if (strcmp(json_string_value(item), text) == 0) {
            return true;
        }
    }
    return false;
}

static void write_needs(FILE *out, json_t *records, const char *name)
{
    write_lists(out, records, "scopes", name);
    (void)fprintf(out, "const wpa_fact_need wpa_fact_%s[] = {\n", name);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        gen_literal(out, gen_text(record, "name"));
        (void)fprintf(out, ", %s_%zu},\n", name, i);
    }
    write_count(out, name, records);
}

static void write_permissions(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "permissions");
    json_t *records = gen_need(root, "permissions");
    (void)fputs("const wpa_fact_permission wpa_fact_permissions[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        json_t *levels = gen_need(record, "levels");
        (void)fputs("{", out);
        write_field(out, "scope", record, "scope");
        write_field(out, "meaning", record, "meaning");
        write_field(out, "write_severity", record, "write_severity");
        write_flag(out, "can_read", has_text(levels, "read"));
        write_flag(out, "can_write", has_text(levels, "write"));
        (void)fputs("},\n", out);
    }
    write_count(out, "permissions", records);
    write_names(out, "permission", records, "scope");
    write_needs(out, gen_need(root, "action_needs"), "action_needs");
    write_needs(out, gen_need(root, "command_needs"), "command_needs");
    json_decref(root);
}

static const char *os_of(const char *os)
{
    return strncmp(os, "Ubuntu", 6) == 0    ? "WPA_OS_LINUX"
           : strncmp(os, "macOS", 5) == 0   ? "WPA_OS_MACOS"
           : strncmp(os, "Windows", 7) == 0 ? "WPA_OS_WINDOWS"
                                            : "WPA_OS_UNKNOWN";
}

static const char *state_of(const char *status)
{
    return strcmp(status, "current") == 0      ? "WPA_RUNNER_CURRENT"
           : strcmp(status, "preview") == 0    ? "WPA_RUNNER_PREVIEW"
           : strcmp(status, "deprecated") == 0 ? "WPA_RUNNER_DEPRECATED"
                                               : "WPA_RUNNER_REMOVED";
}

static void write_runners(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "runners");
    json_t *records = gen_need(root, "runners");
    write_lists(out, records, "successors", "runner_successors");
    (void)fputs("const wpa_fact_runner wpa_fact_runners[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        write_field(out, "label", record, "label");
        write_field(out, "image", record, "os");
        write_field(out, "arch", record, "arch");
        write_field(out, "deprecated_on", record, "deprecated_on");
        write_field(out, "removed_on", record, "removed_on");
        write_field(out, "alias_of", record, "alias_of");
        write_field(out, "size", record, "size");
        write_number(out, "usd_per_1000_minutes", record, "usd_per_1000_minutes", 0);
        write_field(out, "source", record, "source");
        (void)fprintf(out, ".os = %s, .state = %s, .successors = runner_successors_%zu},\n",
                      os_of(json_string_value(gen_need(record, "os"))),
                      state_of(json_string_value(gen_need(record, "status"))), i);
    }
    write_count(out, "runners", records);
    write_names(out, "runner", records, "label");
    write_names(out, "self_hosted", gen_need(root, "self_hosted_labels"), NULL);
    json_decref(root);
}

static const char *taint_of(json_t *record)
{
    const char *name = json_string_value(gen_need(record, "class"));
    return strcmp(name, "fixed") == 0        ? "WPA_TAINT_FIXED"
           : strcmp(name, "structured") == 0 ? "WPA_TAINT_STRUCTURED"
           : strcmp(name, "arbitrary") == 0  ? "WPA_TAINT_ARBITRARY"
                                             : "WPA_TAINT_FLOW";
}

static void write_named(FILE *out, json_t *records, const char *key, const char *name)
{
    write_lists(out, records, key, name);
    (void)fprintf(out, "const wpa_fact_named_list wpa_fact_%s[] = {\n", name);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        gen_literal(out, gen_text(record, "action"));
        (void)fprintf(out, ", %s_%zu},\n", name, i);
    }
    write_count(out, name, records);
}

static void write_untrusted(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "untrusted");
    json_t *records = gen_need(root, "untrusted");
    write_lists(out, records, "triggers", "untrusted_triggers");
    (void)fputs("const wpa_fact_untrusted wpa_fact_untrusteds[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        const char *note = gen_text(record, "note");
        (void)fputs("{", out);
        write_field(out, "path", record, "path");
        write_field(out, "shape", record, "shape");
        (void)fprintf(out, ".taint = %s, .triggers = untrusted_triggers_%zu, ", taint_of(record),
                      i);
        write_flag(out, "covers_below", note && strstr(note, "below it too") != NULL);
        (void)fputs("},\n", out);
    }
    write_count(out, "untrusteds", records);
    write_named(out, gen_need(root, "code_inputs"), "inputs", "code_inputs");
    write_named(out, gen_need(root, "taint_outputs"), "outputs", "taint_outputs");
    static const char *const traits[] = {"metadata_only",    "member_checks", "artifact_downloads",
                                         "ai_agents",        "tree_runners",  "mergers",
                                         "comment_commands", "publishers"};
    for (size_t k = 0; k < sizeof traits / sizeof traits[0]; k++) {
        write_names(out, traits[k], gen_need(root, traits[k]), "action");
    }
    json_decref(root);
}

static const char *cache_default_of(json_t *record)
{
    static const char *const names[][2] = {
        {"off", "WPA_CACHE_OFF"},           {"on", "WPA_CACHE_ON"},
        {"restore", "WPA_CACHE_RESTORE"},   {"package-manager", "WPA_CACHE_PACKAGE_MANAGER"},
        {"lockfile", "WPA_CACHE_LOCKFILE"},
    };
    const char *name = json_string_value(gen_need(record, "default"));
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    gen_die("unknown default of a cache");
}

static void write_caches(FILE *out, const char *folder)
{
    static const char *const texts[][2] = {
        {"action", "action"}, {"manager", "manager"},
        {"input", "input"},   {"on", "on"},
        {"off", "off"},       {"default_input", "default_input"},
        {"source", "source"}, {"read_only", "read_only"},
    };
    json_t *root = gen_load(folder, "caches");
    json_t *records = gen_need(root, "caches");
    write_lists(out, records, "paths", "cache_paths");
    write_lists(out, records, "lockfiles", "cache_lockfiles");
    write_lists(out, records, "installs", "cache_installs");
    (void)fputs("const wpa_fact_cache wpa_fact_caches[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            write_field(out, texts[k][0], record, texts[k][1]);
        }
        write_number(out, "since", record, "since", 0);
        write_number(out, "until", record, "until", 999);
        (void)fprintf(out,
                      ".by_default = %s, .paths = cache_paths_%zu, .lockfiles = "
                      "cache_lockfiles_%zu, .installs = cache_installs_%zu},\n",
                      cache_default_of(record), i, i, i);
    }
    write_count(out, "caches", records);
    json_decref(root);
}

static void write_speedups(FILE *out, const char *folder)
{
    static const char *const fields[] = {"program", "words", "package", "action", "tool", "source"};
    json_t *root = gen_load(folder, "speedups");
    json_t *installs = gen_need(root, "slow_installs");
    json_t *healths = gen_need(root, "service_health");
    size_t i;
    json_t *record;
    (void)fputs("const wpa_fact_slow_install wpa_fact_slow_installs[] = {\n", out);
    json_array_foreach(installs, i, record)
    {
        (void)fputs("{", out);
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
            write_field(out, fields[k], record, fields[k]);
        }
        (void)fputs("},\n", out);
    }
    write_count(out, "slow_installs", installs);
    (void)fputs("const char *const wpa_fact_service_healths[][2] = {\n", out);
    json_array_foreach(healths, i, record)
    {
        (void)fputs("{", out);
        gen_literal(out, gen_text(record, "image"));
        (void)fputs(", ", out);
        gen_literal(out, gen_text(record, "command"));
        (void)fputs("},\n", out);
    }
    write_count(out, "service_healths", healths);
    json_t *images = gen_need(root, "large_images");
    (void)fputs("const char *const wpa_fact_large_images[] = {\n", out);
    json_array_foreach(images, i, record)
    {
        gen_literal(out, gen_text(record, "image"));
        (void)fputs(",\n", out);
    }
    write_count(out, "large_images", images);
    json_decref(root);
}

/* ---- schema: definitions refer to each other by name, so each gets a number first --------------
 */

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

static void write_properties(schema *s, size_t n, json_t *properties)
{
    (void)fprintf(s->out, "static const wpa_schema_property %s_properties_%zu[] = {\n", s->name, n);
    const char *key;
    json_t *value;
    json_object_foreach(properties, key, value)
    {
        const char *type =
            json_is_object(value) ? gen_text(value, "type") : json_string_value(value);
        (void)fputs("{", s->out);
        gen_literal(s->out, key);
        (void)fputs(", ", s->out);
        write_def_ref(s, type);
        (void)fprintf(s->out, ", %s},\n", is_true(value, "required") ? "true" : "false");
    }
    (void)fputs("};\n", s->out);
}

static void write_parts(schema *s, size_t n, json_t *definition)
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
    char prefix[64];
    (void)snprintf(prefix, sizeof prefix, "%s_allowed", s->name);
    gen_list(s->out, prefix, n, json_object_get(definition, "allowed-values"));
    (void)snprintf(prefix, sizeof prefix, "%s_contexts", s->name);
    gen_list(s->out, prefix, n, json_object_get(definition, "context"));
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

static void write_definition(schema *s, size_t n, const char *name, json_t *definition)
{
    json_t *mapping = json_object_get(definition, "mapping");
    json_t *sequence = json_object_get(definition, "sequence");
    json_t *string = json_object_get(definition, "string");
    size_t n_properties = json_object_size(json_object_get(mapping, "properties"));
    (void)fprintf(s->out, "{.name = \"%s\", .kind = WPA_SCHEMA_%s, ", name, kind_of(definition));
    if (n_properties) {
        (void)fprintf(s->out, ".properties = %s_properties_%zu, .n_properties = %zu, ", s->name, n,
                      n_properties);
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
    write_field(s->out, "constant", string, "constant");
    write_flag(s->out, "is_non_empty", is_true(string, "require-non-empty"));
    (void)fprintf(s->out, ".allowed = %s_allowed_%zu, .contexts = %s_contexts_%zu},\n", s->name, n,
                  s->name, n);
}

static void write_schema(FILE *out, const char *folder, const char *file, const char *name)
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
    n = 0;
    json_object_foreach(s.definitions, key, definition)
    {
        write_parts(&s, n++, definition);
    }
    (void)fprintf(out, "const wpa_schema_def wpa_fact_%s_schema[] = {\n", name);
    n = 0;
    json_object_foreach(s.definitions, key, definition)
    {
        write_definition(&s, n++, key, definition);
    }
    for (size_t i = 0; i < sizeof basic / sizeof *basic; i++) {
        (void)fprintf(out,
                      "{.name = \"%s\", .kind = WPA_SCHEMA_%s, .is_loose = true, .allowed = "
                      "%s_none, .contexts = %s_none},\n",
                      basic[i], basic_kinds[i], name, name);
    }
    (void)fprintf(out, "};\nconst size_t wpa_fact_n_%s_schema = %zu;\n\n", name,
                  n + sizeof basic / sizeof *basic);
    json_decref(s.numbers);
    json_decref(root);
}

static void write_timezones(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "timezones");
    write_names(out, "timezone", gen_need(root, "timezones"), NULL);
    json_decref(root);
}

void gen_tables(FILE *out, const char *folder)
{
    write_origins(out, folder);
    write_archived(out, folder);
    write_advisories(out, folder);
    write_events(out, folder);
    write_contexts(out, folder);
    write_permissions(out, folder);
    write_runners(out, folder);
    write_untrusted(out, folder);
    write_caches(out, folder);
    write_speedups(out, folder);
    write_schema(out, folder, schema_files[0], "workflow");
    write_schema(out, folder, schema_files[1], "action");
    gen_commands(out, folder);
    write_schema(out, folder, "dependabot-v2", "dependabot");
    write_schema(out, folder, "pre-commit-v4", "pre_commit");
    write_timezones(out, folder);
    gen_supply(out, folder);
    gen_payloads(out, folder);
}
