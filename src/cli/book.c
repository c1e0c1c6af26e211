#include "cli/print.h"
#include "cli/work.h"

/* JSON is made at once and text is printed at once, so no rows are kept. */
struct wpa_cli_book {
    wpa_cli *cli;
    wpa_json *object; /* NULL: text, the record is out already */
};

wpa_cli_book *wpa_cli_book_new(wpa_cli *cli, const wpa_rows *rows, const wpa_cli_column columns[],
                               size_t n_columns)
{
    wpa_cli_book *book = wpa_arena_alloc(cli->arena, sizeof *book);
    book->cli = cli;
    if (wpa_cli_wants_json(cli)) {
        book->object = wpa_cli_row_json(rows, 0, columns, n_columns, cli->arena);
    } else {
        wpa_cli_print_record(cli, rows, 0, columns, n_columns);
    }
    return book;
}

bool wpa_cli_book_add(wpa_cli_book *book, const char *key, const wpa_sql *statement, int64_t id,
                      const wpa_cli_column columns[], size_t n_columns, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(book->cli, statement, params, 1, err);
    if (!rows) {
        return false;
    }
    if (book->object) {
        wpa_json_set(book->object, key,
                     wpa_cli_rows_json(rows, columns, n_columns, book->cli->arena));
    } else if (wpa_rows_count(rows) > 0) {
        (void)fputc('\n', book->cli->out);
        wpa_cli_print_rows(book->cli, rows, columns, n_columns, "");
    }
    return true;
}

void wpa_cli_book_print(wpa_cli_book *book)
{
    if (book->object) {
        fprintf(book->cli->out, "%s\n", wpa_json_dump_pretty(book->object, book->cli->arena));
    }
}
