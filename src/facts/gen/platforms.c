/* Images, runtimes, forges, values and migrations, written as plain C structs. */
#include <string.h>

#include "gen.h"

static void write_presences(FILE *out, json_t *tools)
{
    size_t i, k;
    json_t *tool, *presence;
    json_array_foreach(tools, i, tool)
    {
        (void)fprintf(out, "static const wpa_fact_presence presences_%zu[] = {", i);
        json_array_foreach(gen_need(tool, "images"), k, presence)
        {
            (void)fputs("{", out);
            gen_field(out, "image", presence, "image");
            gen_field(out, "version", presence, "version");
            (void)fputs("}, ", out);
        }
        (void)fputs("};\n", out);
    }
}

static void write_tools(FILE *out, json_t *tools)
{
    gen_lists(out, tools, "packages", "tool_packages");
    gen_lists(out, tools, "aliases", "tool_aliases");
    write_presences(out, tools);
    (void)fputs("const wpa_fact_program wpa_fact_programs[] = {\n", out);
    size_t i;
    json_t *tool;
    json_array_foreach(tools, i, tool)
    {
        (void)fputs("{", out);
        gen_field(out, "command", tool, "command");
        gen_field(out, "name", tool, "name");
        gen_field(out, "setup", tool, "setup");
        (void)fprintf(out,
                      ".packages = tool_packages_%zu, .aliases = tool_aliases_%zu, .images = "
                      "presences_%zu, .n_images = %zu},\n",
                      i, i, i, json_array_size(gen_need(tool, "images")));
    }
    gen_count(out, "programs", tools);
}

static void write_images(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "images");
    json_t *images = gen_need(root, "images"), *moves = gen_need(root, "moves");
    json_t *cached = gen_need(root, "cached"), *record;
    size_t i;
    gen_lists(out, images, "labels", "image_labels");
    (void)fputs("const wpa_fact_image wpa_fact_images[] = {\n", out);
    json_array_foreach(images, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "name", record, "image");
        gen_field(out, "version", record, "version");
        gen_field(out, "source", record, "source");
        (void)fprintf(out, ".labels = image_labels_%zu},\n", i);
    }
    gen_count(out, "images", images);
    (void)fputs("const wpa_fact_move wpa_fact_moves[] = {\n", out);
    json_array_foreach(moves, i, record)
    {
        static const char *const keys[] = {"label", "from", "to", "begins", "ends", "source"};
        (void)fputs("{", out);
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            gen_field(out, keys[k], record, keys[k]);
        }
        (void)fputs("},\n", out);
    }
    gen_count(out, "moves", moves);
    write_tools(out, gen_need(root, "tools"));
    gen_lists(out, cached, "versions", "cached_versions");
    (void)fputs("const wpa_fact_cached wpa_fact_cached_versions[] = {\n", out);
    json_array_foreach(cached, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "runtime", record, "tool");
        gen_field(out, "image", record, "image");
        (void)fprintf(out, ".versions = cached_versions_%zu},\n", i);
    }
    gen_count(out, "cached_versions", cached);
    json_decref(root);
}

/** Where the rows of a runtime are among the versions: neighbours. */
static void write_range(FILE *out, json_t *versions, const char *runtime)
{
    size_t i, first = 0, n = 0;
    json_t *record;
    json_array_foreach(versions, i, record)
    {
        const char *name = gen_text(record, "runtime");
        if (!name || strcmp(name, runtime) != 0) {
            continue;
        }
        if (n && first + n != i) {
            gen_die("versions of '%s' are no neighbours", runtime);
        }
        first = n ? first : i;
        n++;
    }
    (void)fprintf(out, ".first_release = %zu, .n_releases = %zu, ", first, n);
}

static void write_toolchains(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "toolchains");
    json_t *runtimes = gen_need(root, "runtimes"), *versions = gen_need(root, "versions"), *record;
    size_t i;
    gen_lists(out, runtimes, "images", "runtime_images");
    gen_lists(out, runtimes, "files", "runtime_files");
    (void)fputs("const wpa_fact_runtime wpa_fact_runtimes[] = {\n", out);
    json_array_foreach(runtimes, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "name", record, "runtime");
        gen_field(out, "command", record, "command");
        gen_field(out, "action", record, "action");
        gen_field(out, "input", record, "input");
        gen_field(out, "file_input", record, "file_input");
        write_range(out, versions, gen_text(record, "runtime"));
        (void)fprintf(out, ".images = runtime_images_%zu, .files = runtime_files_%zu},\n", i, i);
    }
    gen_count(out, "runtimes", runtimes);
    gen_lists(out, versions, "not_on", "release_not_on");
    (void)fputs("const wpa_fact_release wpa_fact_releases[] = {\n", out);
    json_array_foreach(versions, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "runtime", record, "runtime");
        gen_field(out, "version", record, "version");
        gen_field(out, "released", record, "released");
        gen_field(out, "ends", record, "ends");
        (void)fprintf(out, ".not_on = release_not_on_%zu},\n", i);
    }
    gen_count(out, "releases", versions);
    json_decref(root);
}

/* "since": {"gitea": "1.26", "ghes": null} as two lists side by side. */
static void write_since(FILE *out, size_t n, json_t *since)
{
    const char *forge;
    json_t *version;
    json_t *forges = json_array(), *versions = json_array();
    json_object_foreach(since, forge, version)
    {
        (void)json_array_append_new(forges, json_string(forge));
        (void)json_array_append_new(
            versions, json_string(json_is_string(version) ? json_string_value(version) : ""));
    }
    gen_list(out, "feature_forges", n, forges);
    gen_list(out, "feature_since", n, versions);
    json_decref(forges);
    json_decref(versions);
}

static void write_forges(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "forges");
    json_t *features = gen_need(root, "features"), *record;
    size_t i;
    json_array_foreach(features, i, record)
    {
        write_since(out, i, gen_need(record, "since"));
    }
    (void)fputs("const wpa_fact_feature wpa_fact_features[] = {\n", out);
    json_array_foreach(features, i, record)
    {
        (void)fputs("{", out);
        gen_field(out, "name", record, "feature");
        gen_field(out, "kind", record, "kind");
        gen_field(out, "match", record, "match");
        gen_field(out, "say", record, "say");
        gen_field(out, "replacement", record, "replacement");
        (void)fprintf(out, ".forges = feature_forges_%zu, .since = feature_since_%zu},\n", i, i);
    }
    gen_count(out, "features", features);
    gen_list(out, "forge_names", 0, gen_need(root, "forges"));
    (void)fputs("const wpa_fact_list wpa_fact_forge_names = forge_names_0;\n\n", out);
    json_decref(root);
}

static size_t write_names(FILE *out, json_t *record, const char *key, const char *kind)
{
    size_t i;
    json_t *name, *names = json_object_get(record, key);
    json_array_foreach(names, i, name)
    {
        (void)fputs("{", out);
        gen_field(out, "action", record, "action");
        (void)fputs(".input = ", out);
        gen_literal(out, json_string_value(name));
        (void)fprintf(out, ", .kind = %s, .words = value_words_0},\n", kind);
    }
    return json_array_size(names);
}

/* Booleans and counts by name, choices with their words; one row an input. */
static void write_values(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "values");
    json_t *rows = gen_need(root, "actions"), *record, *words;
    json_t *booleans = json_pack("[ss]", "true", "false");
    const char *name;
    size_t i, n = 0, n_lists = 0;
    gen_need_neighbours(rows, "action");
    gen_list(out, "value_words", 0, booleans);
    json_array_foreach(rows, i, record)
    {
        json_object_foreach(json_object_get(record, "choices"), name, words)
        {
            gen_list(out, "value_words", ++n_lists, words);
        }
    }
    n_lists = 0;
    (void)fputs("const wpa_fact_values wpa_fact_value_rows[] = {\n", out);
    json_array_foreach(rows, i, record)
    {
        n += write_names(out, record, "booleans", "WPA_VALUE_BOOLEAN");
        n += write_names(out, record, "counts", "WPA_VALUE_COUNT");
        json_object_foreach(json_object_get(record, "choices"), name, words)
        {
            (void)fputs("{", out);
            gen_field(out, "action", record, "action");
            (void)fputs(".input = ", out);
            gen_literal(out, name);
            (void)fprintf(out, ", .kind = WPA_VALUE_CHOICE, .words = value_words_%zu},\n",
                          ++n_lists);
            n++;
        }
    }
    (void)fprintf(out, "};\nconst size_t wpa_fact_n_value_rows = %zu;\n\n", n);
    json_decref(booleans);
    json_decref(root);
}

static const char *change_of(json_t *record)
{
    static const char *const names[][2] = {{"input-renamed", "WPA_CHANGE_INPUT_RENAMED"},
                                           {"output-renamed", "WPA_CHANGE_OUTPUT_RENAMED"},
                                           {"default", "WPA_CHANGE_DEFAULT"},
                                           {"behaviour", "WPA_CHANGE_BEHAVIOUR"},
                                           {"partner", "WPA_CHANGE_PARTNER"}};
    const char *kind = json_string_value(gen_need(record, "kind"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (kind && strcmp(kind, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    gen_die("unknown kind of migration");
}

static void write_migrations(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "migrations");
    json_t *rows = gen_need(root, "migrations"), *record;
    size_t i;
    gen_need_neighbours(rows, "action");
    (void)fputs("const wpa_fact_migration wpa_fact_migrations[] = {\n", out);
    json_array_foreach(rows, i, record)
    {
        (void)fprintf(out, "{.to = %d, .change = %s, ",
                      (int)json_integer_value(gen_need(record, "to")), change_of(record));
        gen_field(out, "action", record, "action");
        gen_field(out, "name", record, "name");
        gen_field(out, "replacement", record, "new");
        gen_field(out, "text", record, "text");
        (void)fputs("},\n", out);
    }
    gen_count(out, "migrations", rows);
    json_decref(root);
}

void gen_platforms(FILE *out, const char *folder)
{
    (void)fputs("#include \"facts/platform_tables.h\"\n\n", out);
    write_images(out, folder);
    write_toolchains(out, folder);
    write_forges(out, folder);
    write_values(out, folder);
    write_migrations(out, folder);
}
