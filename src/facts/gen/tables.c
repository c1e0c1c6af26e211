/* The smaller tables, written as plain C structs. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "facts/patterns.h"
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
        const char *match = json_string_value(gen_need(record, "match"));
        const char *at = strchr(match, '@');
        (void)fprintf(out, "{.slug_length = %zu, ", at ? (size_t)(at - match) : 0);
        gen_field(out, "match", record, "match");
        gen_field(out, "status", record, "status");
        gen_field(out, "since", record, "since");
        gen_field(out, "replacement", record, "replacement");
        gen_field(out, "source", record, "source");
        (void)fputs("},\n", out);
    }
    gen_count(out, "ends", ends);
    gen_lists(out, archived, "successors", "successors");
    (void)fputs("const wpa_fact_archived wpa_fact_archive[] = {\n", out);
    json_array_foreach(archived, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "repo", record, "repo");
        gen_field(out, "status", record, "status");
        gen_field(out, "basis", record, "successor_basis");
        (void)fprintf(out, ".successors = successors_%zu},\n", i);
    }
    gen_count(out, "archive", archived);
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
            gen_field(out, "introduced", range, "introduced");
            gen_field(out, "fixed", range, "fixed");
            gen_field(out, "last_affected", range, "last_affected");
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
    gen_field(out, "action", affected, "action");
    gen_field(out, "id", record, "id");
    gen_field(out, "published", record, "published");
    gen_field(out, "severity", record, "severity");
    gen_field(out, "kind", record, "class");
    gen_field(out, "summary", record, "summary");
    gen_field(out, "source", record, "source");
    gen_field(out, "first_patched", affected, "first_patched");
    if (n_ranges) {
        (void)fprintf(out, ".ranges = ranges_%zu, .n_ranges = %zu, ", n, n_ranges);
    }
    (void)fprintf(out, ".versions = versions_%zu, .bad_commits = bad_commits_%zu, ", n, advisory);
    gen_flag(out, "exposes_callers", gen_is_true(record, "exposes_callers"));
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
    gen_lists(out, records, "types", "event_types");
    gen_lists(out, records, "default_types", "event_default_types");
    gen_lists(out, records, "filters", "event_filters");
    (void)fputs("const wpa_fact_event wpa_fact_events[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "name", record, "event");
        (void)fprintf(out,
                      ".types = event_types_%zu, .default_types = event_default_types_%zu, "
                      ".filters = event_filters_%zu, .trust = %s, ",
                      i, i, i, trust_of(record));
        gen_flag(out, "takes_types", gen_is_true(record, "takes_types"));
        gen_flag(out, "has_free_types", gen_is_true(record, "types_free_form"));
        gen_flag(out, "on_default_branch", gen_is_true(record, "must_be_on_default_branch"));
        const char *status = gen_text(record, "status");
        gen_flag(out, "is_legacy", status && strcmp(status, "legacy") == 0);
        (void)fputs("},\n", out);
    }
    gen_count(out, "events", records);
    gen_names(out, "event", records, "event");
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
    gen_lists(out, records, "scopes", name);
    (void)fprintf(out, "const wpa_fact_need wpa_fact_%s[] = {\n", name);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        gen_literal(out, gen_text(record, "name"));
        (void)fprintf(out, ", %s_%zu},\n", name, i);
    }
    gen_count(out, name, records);
}

static void write_firsts(FILE *out, json_t *records)
{
    uint32_t firsts = 0;
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        firsts |= wpa_fact_first_bit(json_string_value(gen_need(record, "name")));
    }
    (void)fprintf(out, "const uint32_t wpa_fact_command_need_firsts = %" PRIu32 "U;\n", firsts);
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
        gen_field(out, "scope", record, "scope");
        gen_field(out, "meaning", record, "meaning");
        gen_field(out, "write_severity", record, "write_severity");
        gen_flag(out, "can_read", has_text(levels, "read"));
        gen_flag(out, "can_write", has_text(levels, "write"));
        (void)fputs("},\n", out);
    }
    gen_count(out, "permissions", records);
    gen_names(out, "permission", records, "scope");
    write_needs(out, gen_need(root, "action_needs"), "action_needs");
    write_needs(out, gen_need(root, "command_needs"), "command_needs");
    write_firsts(out, gen_need(root, "command_needs"));
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

/* Which of the images lists the label, from 1; 0: none. */
static size_t image_row_of(json_t *images, const char *label)
{
    size_t i, k;
    json_t *image, *other;
    json_array_foreach(images, i, image)
    {
        json_array_foreach(gen_need(image, "labels"), k, other)
        {
            if (strcasecmp(json_string_value(other), label) == 0) {
                return i + 1;
            }
        }
    }
    return 0;
}

static void write_runners(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "runners"), *platforms = gen_load(folder, "images");
    json_t *images = gen_need(platforms, "images");
    json_t *records = gen_need(root, "runners");
    gen_lists(out, records, "successors", "runner_successors");
    (void)fputs("const wpa_fact_runner wpa_fact_runners[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "label", record, "label");
        gen_field(out, "image", record, "os");
        gen_field(out, "arch", record, "arch");
        gen_field(out, "deprecated_on", record, "deprecated_on");
        gen_field(out, "removed_on", record, "removed_on");
        gen_field(out, "alias_of", record, "alias_of");
        gen_field(out, "size", record, "size");
        gen_number(out, "usd_per_1000_minutes", record, "usd_per_1000_minutes", 0);
        gen_field(out, "source", record, "source");
        (void)fprintf(out, ".image_row = %zu, ",
                      image_row_of(images, json_string_value(gen_need(record, "label"))));
        (void)fprintf(out, ".os = %s, .state = %s, .successors = runner_successors_%zu},\n",
                      os_of(json_string_value(gen_need(record, "os"))),
                      state_of(json_string_value(gen_need(record, "status"))), i);
    }
    gen_count(out, "runners", records);
    gen_names(out, "runner", records, "label");
    gen_names(out, "self_hosted", gen_need(root, "self_hosted_labels"), NULL);
    json_decref(root);
    json_decref(platforms);
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
    gen_lists(out, records, key, name);
    (void)fprintf(out, "const wpa_fact_named_list wpa_fact_%s[] = {\n", name);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        gen_literal(out, gen_text(record, "action"));
        (void)fprintf(out, ", %s_%zu},\n", name, i);
    }
    gen_count(out, name, records);
}

/** How many of its first bytes each path has in common with the one before, which sorts lower. */
static void write_shared(FILE *out, json_t *records)
{
    size_t i;
    json_t *record;
    const char *before = "";
    (void)fputs("const uint8_t wpa_fact_untrusted_shared[] = {\n", out);
    json_array_foreach(records, i, record)
    {
        size_t n = 0;
        const char *path = gen_text(record, "path");
        if (strcmp(before, path) >= 0) {
            gen_die("untrusted.json: '%s' is not in order", path);
        }
        while (path[n] && path[n] == before[n]) {
            n++;
        }
        (void)fprintf(out, "%zu,", n);
        before = path;
    }
    (void)fputs("\n};\n", out);
}

static void write_untrusted(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "untrusted");
    json_t *records = gen_need(root, "untrusted");
    gen_lists(out, records, "triggers", "untrusted_triggers");
    (void)fputs("const wpa_fact_untrusted wpa_fact_untrusteds[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        const char *note = gen_text(record, "note");
        (void)fputs("{", out);
        gen_field(out, "path", record, "path");
        gen_field(out, "shape", record, "shape");
        (void)fprintf(out, ".taint = %s, .triggers = untrusted_triggers_%zu, ", taint_of(record),
                      i);
        gen_flag(out, "covers_below", note && strstr(note, "below it too") != NULL);
        gen_flag(out, "is_of_members", gen_is_true(record, "members_only"));
        (void)fputs("},\n", out);
    }
    gen_count(out, "untrusteds", records);
    write_shared(out, records);
    write_named(out, gen_need(root, "code_inputs"), "inputs", "code_inputs");
    write_named(out, gen_need(root, "taint_outputs"), "outputs", "taint_outputs");
    gen_rows(out, root, "tree_programs", "tree_program", "tree_programs");
    gen_rows(out, root, "guarded_checkouts", "name", "guarded_checkouts");
    static const char *const traits[] = {"metadata_only",    "member_checks", "artifact_downloads",
                                         "ai_agents",        "tree_runners",  "mergers",
                                         "comment_commands", "publishers"};
    for (size_t k = 0; k < sizeof traits / sizeof traits[0]; k++) {
        gen_names(out, traits[k], gen_need(root, traits[k]), "action");
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
        {"action", "action"},
        {"manager", "manager"},
        {"input", "input"},
        {"on", "on"},
        {"off", "off"},
        {"default_input", "default_input"},
        {"source", "source"},
        {"read_only", "read_only"},
        {"only_with", "only_with"},
    };
    json_t *root = gen_load(folder, "caches");
    json_t *records = gen_need(root, "caches");
    gen_need_neighbours(records, "action");
    gen_lists(out, records, "paths", "cache_paths");
    gen_lists(out, records, "lockfiles", "cache_lockfiles");
    gen_lists(out, records, "installs", "cache_installs");
    (void)fputs("const wpa_fact_cache wpa_fact_caches[] = {\n", out);
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        (void)fputs("{", out);
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            gen_field(out, texts[k][0], record, texts[k][1]);
        }
        gen_number(out, "since", record, "since", 0);
        gen_number(out, "since_minor", record, "since_minor", 0);
        gen_number(out, "until", record, "until", 999);
        (void)fprintf(out,
                      ".by_default = %s, .paths = cache_paths_%zu, .lockfiles = "
                      "cache_lockfiles_%zu, .installs = cache_installs_%zu},\n",
                      cache_default_of(record), i, i, i);
    }
    gen_count(out, "caches", records);
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
            gen_field(out, fields[k], record, fields[k]);
        }
        (void)fputs("},\n", out);
    }
    gen_count(out, "slow_installs", installs);
    (void)fputs("const char *const wpa_fact_service_healths[][2] = {\n", out);
    json_array_foreach(healths, i, record)
    {
        (void)fputs("{", out);
        gen_literal(out, gen_text(record, "image"));
        (void)fputs(", ", out);
        gen_literal(out, gen_text(record, "command"));
        (void)fputs("},\n", out);
    }
    gen_count(out, "service_healths", healths);
    json_t *images = gen_need(root, "large_images");
    (void)fputs("const char *const wpa_fact_large_images[] = {\n", out);
    json_array_foreach(images, i, record)
    {
        gen_literal(out, gen_text(record, "image"));
        (void)fputs(",\n", out);
    }
    gen_count(out, "large_images", images);
    json_decref(root);
}

static void write_timezones(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "timezones");
    gen_names(out, "timezone", gen_need(root, "timezones"), NULL);
    json_decref(root);
}

void gen_tables(FILE *out, const char *folder)
{
    write_origins(out, folder);
    write_archived(out, folder);
    write_advisories(out, folder);
    write_events(out, folder);
    gen_contexts(out, folder);
    write_permissions(out, folder);
    write_runners(out, folder);
    write_untrusted(out, folder);
    write_caches(out, folder);
    write_speedups(out, folder);
    gen_schema(out, folder, schema_files[0], "workflow");
    gen_schema(out, folder, schema_files[1], "action");
    gen_commands(out, folder);
    gen_schema(out, folder, "dependabot-v2", "dependabot");
    gen_schema(out, folder, "pre-commit-v4", "pre_commit");
    write_timezones(out, folder);
    gen_supply(out, folder);
    gen_payloads(out, folder);
}
