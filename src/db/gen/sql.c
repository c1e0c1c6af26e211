/*
 * Build tool: sql/queries/<module>.sql and sql/migrations/NNNN_what.sql into C.
 *
 * usage: sql OUT_H OUT_C FILE.sql...   (folders tell queries and migrations apart)
 *
 * A statement begins with "-- name: x" and has "-- params: a type, b type"; its text ends at the
 * next name. The greatest $n of the text must be the number of parameters declared.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/arena.h>
#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/map.h>
#include <wpa/text.h>

#define FILE_MAX_BYTES ((size_t)8 << 20)
#define OUT_MAX_BYTES ((size_t)64 << 20)
#define LITERAL_MAX_BYTES 3900 /* ISO C promises 4095 */

typedef struct statement {
    const char *name;
    const char *params;
    int n_params;
    char *text;
} statement;

typedef struct tool {
    wpa_arena *arena;
    wpa_map *names;
    wpa_buf *header;
    wpa_buf *queries;
    wpa_buf *migrations;
    wpa_buf *texts;
    int n_queries;
    int n_migrations;
    long last_version;
} tool;

static bool fail(const char *path, const char *what, const char *value)
{
    (void)fprintf(stderr, "%s: %s '%s'\n", path, what, value);
    return false;
}

static int count_params(const char *params)
{
    int depth = 0;
    int n = params[strspn(params, " ")] ? 1 : 0;
    for (const char *at = params; *at; at++) {
        depth += *at == '(';
        depth -= *at == ')';
        n += *at == ',' && depth == 0;
    }
    return n;
}

static int greatest_param(const char *text)
{
    long greatest = 0;
    for (const char *at = strchr(text, '$'); at; at = strchr(at + 1, '$')) {
        if (isdigit((unsigned char)at[1])) {
            long n = strtol(at + 1, NULL, 10);
            greatest = n > greatest ? n : greatest;
        }
    }
    return (int)greatest;
}

static void trim_end(char *text)
{
    size_t n = strlen(text);
    while (n > 0 && (isspace((unsigned char)text[n - 1]) || text[n - 1] == ';')) {
        text[--n] = '\0';
    }
}

static void append_literal(wpa_buf *buf, const char *text)
{
    wpa_buf_text(buf, "\n    \"");
    for (const char *at = text; *at; at++) {
        if (*at == '\n') {
            wpa_buf_text(buf, "\\n\"\n    \"");
        } else if (*at == '"' || *at == '\\') {
            wpa_buf_printf(buf, "\\%c", *at);
        } else {
            wpa_buf_char(buf, *at);
        }
    }
    wpa_buf_text(buf, "\"");
}

/** A long text becomes an array of its bytes: longer literals are not portable. */
static void append_bytes(wpa_buf *buf, const char *name, const char *text)
{
    wpa_buf_printf(buf, "static const char %s[] = {", name);
    for (size_t i = 0; i == 0 || text[i - 1]; i++) {
        wpa_buf_printf(buf, "%s%d,", i % 24 == 0 ? "\n    " : "", (int)(signed char)text[i]);
    }
    wpa_buf_text(buf, "\n};\n");
}

static bool add_statement(tool *t, const char *path, statement *s)
{
    trim_end(s->text);
    s->n_params = count_params(s->params ? s->params : "");
    if (!s->text[0]) {
        return fail(path, "no text for", s->name);
    }
    if (!s->params) {
        return fail(path, "no '-- params:' for", s->name);
    }
    if (greatest_param(s->text) != s->n_params) {
        return fail(path, "the parameters declared are not those used by", s->name);
    }
    if (wpa_map_has(t->names, s->name)) {
        return fail(path, "defined twice:", s->name);
    }
    wpa_map_put(t->names, s->name, t);
    char *upper = wpa_arena_text(t->arena, s->name);
    for (char *at = upper; *at; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
    wpa_buf_printf(t->header, "#define WPA_SQL_%s (&wpa_sql_table[%d])\n", upper, t->n_queries);
    wpa_buf_printf(t->queries, "    {.index = %d, .name = \"%s\", .n_params = %d,\n     .params =",
                   t->n_queries, s->name, s->n_params);
    append_literal(t->queries, s->params);
    wpa_buf_text(t->queries, ", .text =");
    if (strlen(s->text) > LITERAL_MAX_BYTES) {
        char *name = wpa_arena_printf(t->arena, "text_%d", t->n_queries);
        append_bytes(t->texts, name, s->text);
        wpa_buf_printf(t->queries, " %s", name);
    } else {
        append_literal(t->queries, s->text);
    }
    wpa_buf_text(t->queries, "},\n");
    t->n_queries++;
    return true;
}

static const char *directive(const char *line, const char *name)
{
    if (!wpa_text_starts(line, name)) {
        return NULL;
    }
    line += strlen(name);
    return line + strspn(line, " ");
}

static bool add_queries(tool *t, const char *path, char *text)
{
    statement current = {0};
    wpa_buf *body = wpa_buf_new(FILE_MAX_BYTES);
    bool is_good = true;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line && is_good; line = strsep(&rest, "\n")) {
        const char *name = directive(line, "-- name:");
        const char *params = directive(line, "-- params:");
        if (name) {
            current.text = wpa_buf_dup(body, t->arena);
            is_good = !current.name || add_statement(t, path, &current);
            current = (statement){.name = name};
            wpa_buf_truncate(body, 0);
        } else if (params && !current.params) {
            current.params = params;
        } else if (!wpa_text_starts(line, "--") && current.name) {
            wpa_buf_printf(body, "%s\n", line);
        }
    }
    current.text = wpa_buf_dup(body, t->arena);
    is_good = is_good && (!current.name || add_statement(t, path, &current));
    wpa_buf_free(body);
    return is_good;
}

static bool add_migration(tool *t, const char *path, const char *text)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    long version = strtol(name, NULL, 10);
    if (version <= t->last_version) {
        return fail(path, "a number that another migration has, or none:", name);
    }
    t->last_version = version;
    char *symbol = wpa_arena_printf(t->arena, "migration_%ld", version);
    append_bytes(t->texts, symbol, text);
    wpa_buf_printf(t->migrations, "    {.version = %ld, .name = \"%.*s\", .text = %s},\n", version,
                   (int)strcspn(name, "."), name, symbol);
    t->n_migrations++;
    return true;
}

static bool add_file(tool *t, const char *path)
{
    wpa_error err = {0};
    size_t size_bytes = 0;
    char *text = wpa_file_read(path, FILE_MAX_BYTES, t->arena, &size_bytes, &err);
    if (!text) {
        return fail(path, "cannot read", err.message);
    }
    return strstr(path, "/migrations/") ? add_migration(t, path, text) : add_queries(t, path, text);
}

static bool write_out(const char *path, const char *text)
{
    wpa_error err = {0};
    return wpa_file_replace(path, text, strlen(text), 0644, &err) ||
           fail(path, "cannot write", err.message);
}

static bool write_header(tool *t, const char *path)
{
    wpa_buf *out = wpa_buf_new(OUT_MAX_BYTES);
    wpa_buf_printf(
        out,
        "/* Generated from sql/queries. */\n#pragma once\n\n#include \"db/db.h\"\n\n"
        "extern const wpa_sql wpa_sql_table[];\nextern const size_t wpa_sql_count;\n\n%s",
        wpa_buf_data(t->header));
    bool is_good = write_out(path, wpa_buf_data(out));
    wpa_buf_free(out);
    return is_good;
}

static bool write_source(tool *t, const char *path)
{
    wpa_buf *out = wpa_buf_new(OUT_MAX_BYTES);
    wpa_buf_printf(
        out, "/* Generated from sql/. */\n#include \"gen/sql.h\"\n\n#include \"db/pg.h\"\n\n%s\n",
        wpa_buf_data(t->texts));
    wpa_buf_printf(out,
                   "const wpa_sql wpa_sql_table[] = {\n%s};\nconst size_t wpa_sql_count = %d;\n",
                   wpa_buf_data(t->queries), t->n_queries);
    wpa_buf_printf(out,
                   "\nconst wpa_migration wpa_migrations[] = {\n%s};\n"
                   "const size_t wpa_migration_count = %d;\n",
                   wpa_buf_data(t->migrations), t->n_migrations);
    bool is_good = write_out(path, wpa_buf_data(out));
    wpa_buf_free(out);
    return is_good;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: sql OUT_H OUT_C FILE.sql...\n");
        return 2;
    }
    wpa_arena *arena = wpa_arena_new();
    tool t = {
        .arena = arena,
        .names = wpa_map_new(arena),
        .header = wpa_buf_new(OUT_MAX_BYTES),
        .queries = wpa_buf_new(OUT_MAX_BYTES),
        .migrations = wpa_buf_new(OUT_MAX_BYTES),
        .texts = wpa_buf_new(OUT_MAX_BYTES),
    };
    bool is_good = true;
    for (int i = 3; i < argc && is_good; i++) {
        is_good = add_file(&t, argv[i]);
    }
    is_good = is_good && write_header(&t, argv[1]) && write_source(&t, argv[2]);
    wpa_buf_free(t.header);
    wpa_buf_free(t.queries);
    wpa_buf_free(t.migrations);
    wpa_buf_free(t.texts);
    wpa_arena_free(arena);
    return is_good ? 0 : 1;
}
