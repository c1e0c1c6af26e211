/*
 * The files actions.json and tags.json: repositories, refs, commits, versions, inputs and outputs
 * as arrays of offsets, sorted for binary search.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/map.h>
#include <wpa/memory.h>

#include "gen.h"

typedef struct ref_row {
    const char *name;
    const char *hex;
    int kind; /* wpa_fact_ref_kind */
    size_t index;
} ref_row;

typedef struct writer {
    FILE *out;
    wpa_arena *arena;
    wpa_map *texts;   /* text -> offset + 1 */
    wpa_map *commits; /* hex -> index + 1 */
    size_t pool_bytes;
} writer;

static uint32_t intern(writer *w, const char *text)
{
    if (!text) {
        return UINT32_MAX;
    }
    uintptr_t known = (uintptr_t)wpa_map_get(w->texts, text);
    if (!known) {
        known = w->pool_bytes + 1;
        wpa_map_put(w->texts, text, (void *)known); // NOLINT(performance-no-int-to-ptr)
        w->pool_bytes += strlen(text) + 1;
    }
    return (uint32_t)(known - 1);
}

static uint32_t commit_of(writer *w, const char *hex)
{
    if (!hex) {
        return UINT32_MAX;
    }
    if (strlen(hex) != 40 || strspn(hex, "0123456789abcdef") != 40) {
        gen_die("'%s' is not a commit", hex);
    }
    uintptr_t known = (uintptr_t)wpa_map_get(w->commits, hex);
    if (!known) {
        known = wpa_map_count(w->commits) + 1;
        wpa_map_put(w->commits, hex, (void *)known); // NOLINT(performance-no-int-to-ptr)
    }
    return (uint32_t)(known - 1);
}

static void write_id(writer *w, uint32_t id)
{
    if (id == UINT32_MAX) {
        (void)fputs("WPA_FACT_NONE, ", w->out);
    } else {
        (void)fprintf(w->out, "%u, ", id);
    }
}

static void write_text(writer *w, const char *text)
{
    write_id(w, intern(w, text));
}

static int compare_folded(const char *a, const char *b)
{
    for (;; a++, b++) {
        int x = tolower((unsigned char)*a), y = tolower((unsigned char)*b);
        if (x != y || !x) {
            return x - y;
        }
    }
}

static int compare_by_name(const void *a, const void *b)
{
    const ref_row *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->kind - y->kind;
}

static int compare_by_commit(const void *a, const void *b)
{
    const ref_row *x = a, *y = b;
    int order = strcmp(x->hex, y->hex);
    return order ? order : compare_by_name(a, b);
}

static int compare_records(const void *a, const void *b, void *key)
{
    json_t *const *x = a, *const *y = b;
    return compare_folded(gen_text(*x, key), gen_text(*y, key));
}

static json_t **sorted(json_t *array, char *key)
{
    json_t **records = wpa_alloc((json_array_size(array) + 1) * sizeof *records);
    for (size_t i = 0; i < json_array_size(array); i++) {
        records[i] = json_array_get(array, i);
    }
    qsort_r((void *)records, json_array_size(array), sizeof(json_t *), compare_records, key);
    return records;
}

static size_t collect(ref_row *rows, size_t n, json_t *object, int kind)
{
    const char *name;
    json_t *hex;
    json_object_foreach(object, name, hex)
    {
        rows[n++] = (ref_row){.name = name, .hex = json_string_value(hex), .kind = kind};
    }
    return n;
}

/* All refs of a repository into rows, in order of names; returns how many. */
static size_t collect_all(ref_row *rows, json_t *repo)
{
    size_t n = collect(rows, 0, gen_need(repo, "tags"), 0);
    n = collect(rows, n, gen_need(repo, "other_tags"), 1);
    n = collect(rows, n, gen_need(repo, "branches"), 2);
    qsort(rows, n, sizeof *rows, compare_by_name);
    for (size_t i = 0; i < n; i++) {
        rows[i].index = i;
    }
    return n;
}

#define REFS_MAX 20000

static void write_repos(writer *w, json_t **repos, size_t n_repos)
{
    ref_row *rows = wpa_alloc(REFS_MAX * sizeof *rows);
    (void)fputs("const wpa_fact_ref_row wpa_fact_refs[] = {\n", w->out);
    for (size_t i = 0; i < n_repos; i++) {
        size_t n = collect_all(rows, repos[i]);
        for (size_t k = 0; k < n; k++) {
            (void)fprintf(w->out, "{%u, %u, %d},\n", intern(w, rows[k].name),
                          commit_of(w, rows[k].hex), rows[k].kind);
        }
    }
    (void)fputs("};\n\nconst uint32_t wpa_fact_refs_by_commit[] = {\n", w->out);
    size_t first = 0;
    for (size_t i = 0; i < n_repos; i++) {
        size_t n = collect_all(rows, repos[i]);
        qsort(rows, n, sizeof *rows, compare_by_commit);
        for (size_t k = 0; k < n; k++) {
            (void)fprintf(w->out, "%zu,\n", first + rows[k].index);
        }
        first += n;
    }
    (void)fputs("};\n\nconst wpa_fact_repo wpa_fact_repos[] = {\n", w->out);
    first = 0;
    for (size_t i = 0; i < n_repos; i++) {
        size_t n = collect_all(rows, repos[i]);
        (void)fputs("{", w->out);
        write_text(w, gen_text(repos[i], "repo"));
        write_text(w, gen_text(repos[i], "newest_ref_date"));
        (void)fprintf(w->out, "%zu, %zu},\n", first, n);
        first += n;
    }
    (void)fprintf(w->out, "};\n\nconst size_t wpa_fact_n_repos = %zu;\n\n", n_repos);
    wpa_free(rows);
}

static int major_number(const char *name)
{
    return strcmp(name, "HEAD") == 0 ? -1 : (int)strtol(name + 1, NULL, 10);
}

typedef struct major_row {
    int number;
    json_t *record;
} major_row;

static int compare_majors(const void *a, const void *b)
{
    return ((const major_row *)b)->number - ((const major_row *)a)->number;
}

#define MAJORS_MAX 128

static size_t majors_of(json_t *action, major_row *rows)
{
    size_t n = 0;
    const char *name;
    json_t *record;
    json_object_foreach(gen_need(action, "majors"), name, record)
    {
        if (n == MAJORS_MAX) {
            gen_die("too many majors");
        }
        rows[n++] = (major_row){.number = major_number(name), .record = record};
    }
    qsort(rows, n, sizeof *rows, compare_majors);
    return n;
}

static void write_inputs(writer *w, json_t *inputs)
{
    const char *name;
    json_t *input;
    json_object_foreach(inputs, name, input)
    {
        if (strlen(name) > UINT8_MAX) {
            gen_die("the name of input '%s' is too long", name);
        }
        (void)fputs("{", w->out);
        write_text(w, name);
        write_text(w, gen_text(input, "deprecated"));
        (void)fprintf(w->out, "%d, %d, %zu, %d},\n",
                      json_is_true(json_object_get(input, "required")),
                      json_is_true(json_object_get(input, "default")), strlen(name), *name | 0x20);
    }
}

/** Is there one that must be given? */
static bool wants_input(json_t *inputs)
{
    bool is_wanted = false;
    const char *name;
    json_t *input;
    json_object_foreach(inputs, name, input)
    {
        is_wanted = is_wanted || (json_is_true(json_object_get(input, "required")) &&
                                  !json_is_true(json_object_get(input, "default")));
    }
    return is_wanted;
}

static void write_major(writer *w, const major_row *row, size_t *input, size_t *text)
{
    json_t *m = row->record;
    size_t n_inputs = json_object_size(gen_need(m, "inputs"));
    size_t n_outputs = json_array_size(gen_need(m, "outputs"));
    size_t n_used = json_array_size(json_object_get(m, "uses"));
    (void)fprintf(w->out, "{%d, ", row->number);
    write_text(w, gen_text(m, "ref"));
    write_id(w, commit_of(w, gen_text(m, "sha")));
    write_text(w, gen_text(m, "newest"));
    write_id(w, commit_of(w, gen_text(m, "newest_sha")));
    write_text(w, gen_text(m, "newest_date"));
    write_text(w, gen_text(m, "using"));
    write_text(w, gen_text(m, "image"));
    (void)fprintf(w->out, "%zu, %zu, %zu, %zu, %zu, %zu, %d},\n", *input, n_inputs, *text,
                  n_outputs, *text + n_outputs, n_used, wants_input(gen_need(m, "inputs")));
    *input += n_inputs;
    *text += n_outputs + n_used;
}

static void write_texts_of(writer *w, json_t *texts)
{
    size_t i;
    json_t *text;
    json_array_foreach(texts, i, text)
    {
        write_text(w, json_string_value(text));
        (void)fputs("\n", w->out);
    }
}

static void write_details(writer *w, json_t **actions, size_t n)
{
    major_row majors[MAJORS_MAX];
    size_t input = 0, text = 0;
    (void)fputs("const wpa_fact_major_row wpa_fact_majors[] = {\n", w->out);
    for (size_t i = 0; i < n; i++) {
        size_t n_majors = majors_of(actions[i], majors);
        for (size_t k = 0; k < n_majors; k++) {
            write_major(w, &majors[k], &input, &text);
        }
    }
    (void)fputs("};\n\nconst wpa_fact_input_row wpa_fact_inputs[] = {\n", w->out);
    for (size_t i = 0; i < n; i++) {
        size_t n_majors = majors_of(actions[i], majors);
        for (size_t k = 0; k < n_majors; k++) {
            write_inputs(w, gen_need(majors[k].record, "inputs"));
        }
    }
    (void)fputs("};\n\nconst uint32_t wpa_fact_texts[] = {\n", w->out);
    for (size_t i = 0; i < n; i++) {
        size_t n_majors = majors_of(actions[i], majors);
        for (size_t k = 0; k < n_majors; k++) {
            write_texts_of(w, gen_need(majors[k].record, "outputs"));
            write_texts_of(w, json_object_get(majors[k].record, "uses"));
        }
    }
    (void)fputs("};\n\n", w->out);
}

static void write_actions(writer *w, json_t **actions, size_t n)
{
    major_row majors[MAJORS_MAX];
    size_t first = 0;
    (void)fputs("const wpa_fact_action wpa_fact_actions[] = {\n", w->out);
    for (size_t i = 0; i < n; i++) {
        size_t n_majors = majors_of(actions[i], majors);
        json_t *latest = json_object_get(actions[i], "latest");
        (void)fputs("{", w->out);
        write_text(w, gen_text(actions[i], "action"));
        (void)fprintf(w->out, "%lld, ",
                      (long long)json_integer_value(gen_need(actions[i], "rank")));
        write_text(w, gen_text(latest, "tag"));
        write_id(w, commit_of(w, gen_text(latest, "sha")));
        write_text(w, gen_text(latest, "date"));
        (void)fprintf(w->out, "%zu, %zu},\n", first, n_majors);
        first += n_majors;
    }
    (void)fprintf(w->out, "};\n\nconst size_t wpa_fact_n_actions = %zu;\n\n", n);
}

static void write_pools(writer *w)
{
    (void)fputs("const char wpa_fact_pool[] =\n", w->out);
    for (size_t i = 0; i < wpa_map_count(w->texts); i++) {
        const char *text = wpa_map_at(w->texts, i, NULL);
        (void)fputc('"', w->out);
        gen_escaped(w->out, text, strlen(text));
        (void)fputs("\\000\"\n", w->out);
    }
    (void)fputs(";\n\nconst char wpa_fact_commits[] =\n", w->out);
    for (size_t i = 0; i < wpa_map_count(w->commits); i++) {
        const char *hex = wpa_map_at(w->commits, i, NULL);
        (void)fputc('"', w->out);
        for (size_t k = 0; k < 40; k += 2) {
            char pair[3] = {hex[k], hex[k + 1], 0};
            (void)fprintf(w->out, "\\%03o", (unsigned)strtoul(pair, NULL, 16));
        }
        (void)fputs("\"\n", w->out);
    }
    (void)fputs(";\n", w->out);
}

void gen_actions(FILE *out, const char *folder)
{
    json_t *actions = gen_load(folder, "actions");
    json_t *tags = gen_load(folder, "tags");
    json_t *action_list = gen_need(actions, "actions");
    json_t *repo_list = gen_need(tags, "repos_list");
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    writer w = {
        .out = out,
        .arena = arena,
        .texts = wpa_map_new(arena),
        .commits = wpa_map_new(arena),
    };
    char action_key[] = "action", repo_key[] = "repo";
    json_t **by_name = sorted(action_list, action_key);
    json_t **repos = sorted(repo_list, repo_key);
    write_repos(&w, repos, json_array_size(repo_list));
    write_details(&w, by_name, json_array_size(action_list));
    write_actions(&w, by_name, json_array_size(action_list));
    write_pools(&w);
    wpa_free((void *)by_name);
    wpa_free((void *)repos);
    json_decref(actions);
    json_decref(tags);
}
