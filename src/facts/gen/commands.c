/* The table of commands: members of a record are the fields of the struct, by the same names. */
#include "facts/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

#define PATTERN_WORDS_MAX 16

typedef struct row {
    const char *name;
    json_t *record;
    size_t number; /* of the record, which its lists are named by */
} row;

static int compare_rows(const void *a, const void *b)
{
    const row *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static void write_roles(FILE *out, json_t *roles)
{
    size_t i;
    json_t *role;
    (void)fputs(".roles = 0", out);
    json_array_foreach(roles, i, role)
    {
        (void)fputs(" | WPA_DOES_", out);
        for (const char *c = json_string_value(role); *c; c++) {
            (void)fputc(*c >= 'a' && *c <= 'z' ? *c - 32 : *c, out);
        }
    }
    (void)fputs(", ", out);
}

/* Members that name the row rather than fill a field of it. */
static int is_name(const char *key)
{
    return strcmp(key, "programs") == 0 || strcmp(key, "names") == 0;
}

static void write_lists_of(FILE *out, const char *table, size_t number, json_t *record)
{
    const char *key;
    json_t *value;
    json_object_foreach(record, key, value)
    {
        if (json_is_array(value) && !is_name(key) && strcmp(key, "roles") != 0) {
            char prefix[128];
            (void)snprintf(prefix, sizeof prefix, "%s_%s", table, key);
            gen_list(out, prefix, number, value);
        }
    }
}

/* ---- patterns, see facts/patterns.h ---- */

/** Bytes of the "**" that the choices begin with of a word that fits any argument. */
static size_t open_prefix(const char *word, size_t length)
{
    return length > 2 && strncmp(word, "**", 2) == 0 ? 2 : 0;
}

/** The choices of one word; those that are shorter than what is left off at the front fit nothing.
 */
static size_t write_choices(FILE *out, const char *word, size_t length)
{
    size_t skip = open_prefix(word, length), n = 0;
    for (size_t at = 0; at < length;) {
        size_t end = at;
        while (end < length && word[end] != '|') {
            end++;
        }
        if (end - at >= skip) {
            const char *text = word + at + skip;
            size_t size = end - at - skip;
            (void)fputs("{\"", out);
            gen_escaped(out, text, size);
            (void)fprintf(out, "\", %zu, %s}, ", size, memchr(text, '*', size) ? "true" : "false");
            n++;
        }
        at = end + 1;
    }
    return n;
}

/** Bits of the letters, see wpa_fact_first_bit, that what fits the word begins with. */
static uint32_t firsts_of(const char *word, size_t length)
{
    size_t skip = open_prefix(word, length);
    uint32_t firsts = 0;
    for (size_t at = 0; at < length;) {
        const char *bar = memchr(word + at, '|', length - at);
        size_t end = bar ? (size_t)(bar - word) : length;
        char first = end - at > skip ? word[at + skip] : '\0';
        firsts |= first == '*' ? UINT32_MAX : wpa_fact_first_bit(&first);
        at = end + 1;
    }
    return firsts;
}

/** The words of a pattern as TABLE_choices_NUMBER and TABLE_words_NUMBER. */
static void write_pattern(FILE *out, const char *table, size_t number, const char *pattern)
{
    size_t counts[PATTERN_WORDS_MAX], n = 0, first = 0;
    (void)fprintf(out, "static const wpa_fact_choice %s_choices_%zu[] = {", table, number);
    for (const char *word = pattern; *word; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        if (n == PATTERN_WORDS_MAX) {
            gen_die("%s: '%s' has too many words", table, pattern);
        }
        counts[n++] = write_choices(out, word, length);
        word += length;
    }
    (void)fprintf(out, "};\nstatic const wpa_fact_pattern_word %s_words_%zu[] = {", table, number);
    n = 0;
    for (const char *word = pattern; *word; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        bool is_anywhere = *word == '-' || open_prefix(word, length);
        (void)fprintf(out, "{%s_choices_%zu + %zu, %zu, %s, %" PRIu32 "U}, ", table, number, first,
                      counts[n], is_anywhere ? "true" : "false", firsts_of(word, length));
        first += counts[n++];
        word += length;
    }
    (void)fputs("};\n", out);
}

static size_t count_words(const char *pattern)
{
    size_t n = 0;
    for (; *pattern; n++) {
        pattern += strcspn(pattern, " ");
        pattern += strspn(pattern, " ");
    }
    return n;
}

static void write_patterns(FILE *out, const char *table, json_t *records)
{
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        const char *pattern = gen_text(record, "words");
        if (pattern && *pattern) {
            write_pattern(out, table, i, pattern);
        }
    }
}

/* ---- rows ---- */

static void write_text(FILE *out, const char *table, const char *key, const char *text,
                       size_t number)
{
    if (strcmp(key, "words") != 0) {
        (void)fprintf(out, ".%s = ", key);
        gen_literal(out, text);
        (void)fputs(", ", out);
    } else if (*text) {
        (void)fprintf(out, ".words = {%s_words_%zu, %zu}, ", table, number, count_words(text));
    }
}

static void write_fields(FILE *out, const char *table, const row *at)
{
    const char *key;
    json_t *value;
    json_object_foreach(at->record, key, value)
    {
        if (is_name(key)) {
            continue;
        }
        if (strcmp(key, "roles") == 0) {
            write_roles(out, value);
        } else if (json_is_array(value)) {
            (void)fprintf(out, ".%s = %s_%s_%zu, ", key, table, key, at->number);
        } else if (json_is_string(value)) {
            write_text(out, table, key, json_string_value(value), at->number);
        } else if (json_is_integer(value)) {
            (void)fprintf(out, ".%s = %lld, ", key, (long long)json_integer_value(value));
        } else {
            (void)fprintf(out, ".%s = %s, ", key, json_is_true(value) ? "true" : "false");
        }
    }
}

/* The rows of a record that names several programs, or the one of any other. */
static size_t add_rows(row *rows, size_t n, json_t *record, size_t number)
{
    json_t *names = json_object_get(record, "programs");
    names = names ? names : json_object_get(record, "names");
    if (!names) {
        rows[n++] = (row){"", record, number};
        return n;
    }
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        rows[n++] = (row){json_string_value(name), record, number};
    }
    return n;
}

void gen_rows(FILE *out, json_t *root, const char *key, const char *type, const char *array)
{
    json_t *records = gen_need(root, key);
    size_t i, n = 0, capacity = 0;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        json_t *names = json_object_get(record, "programs");
        names = names ? names : json_object_get(record, "names");
        capacity += names ? json_array_size(names) : 1;
        write_lists_of(out, array, i, record);
    }
    write_patterns(out, array, records);
    row *rows = calloc(capacity + 1, sizeof *rows);
    if (!rows) {
        gen_die("out of memory");
    }
    json_array_foreach(records, i, record)
    {
        n = add_rows(rows, n, record, i);
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    (void)fprintf(out, "const wpa_fact_%s wpa_fact_%s[] = {\n", type, array);
    for (i = 0; i < n; i++) {
        (void)fputs("{", out);
        if (*rows[i].name) {
            (void)fputs(".program = ", out);
            gen_literal(out, rows[i].name);
            (void)fputs(", ", out);
        }
        write_fields(out, array, &rows[i]);
        (void)fputs("},\n", out);
    }
    (void)fprintf(out, "};\nconst size_t wpa_fact_n_%s = %zu;\n\n", array, n);
    free(rows);
}

void gen_commands(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "commands");
    gen_rows(out, root, "commands", "command", "commands");
    gen_rows(out, root, "wrappers", "wrapper", "wrappers");
    gen_rows(out, root, "launchers", "launcher", "launchers");
    gen_rows(out, root, "installers", "installer", "installers");
    gen_rows(out, root, "action_roles", "action_role", "action_roles");
    gen_rows(out, root, "closed_programs", "name", "closed_programs");
    gen_rows(out, root, "tool_variables", "name", "tool_variables");
    gen_rows(out, root, "tools", "tool", "tools");
    gen_rows(out, root, "hosts", "host", "hosts");
    json_decref(root);
}
