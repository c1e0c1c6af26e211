/* wpa data show: the facts that rules go by, and which of them were refreshed. */
#include <stdio.h>
#include <string.h>

#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/print.h"

/** What was refreshed of a table: how many of what, and in which file; n 0: nothing. */
typedef struct freshness {
    size_t n, n_rows;
    const char *what, *path;
} freshness;

static freshness freshness_of(const wpa_cli *cli, wpa_fact_table table)
{
    const wpa_told *told = cli->facts.told;
    const char *path = cli->facts.told_path;
    if (table == WPA_FACTS_TAGS && cli->facts.is_used) {
        return (freshness){wpa_refreshed_repo_count(cli->facts.table),
                           wpa_refreshed_ref_count(cli->facts.table), "repositories",
                           cli->facts.path};
    }
    bool is_used = told && !wpa_text_is(wpa_facts_date(table), wpa_facts_compiled_date(table));
    if (table == WPA_FACTS_ADVISORIES && is_used) {
        return (freshness){told->n_advisories, told->n_advisories, "rows", path};
    }
    if (table == WPA_FACTS_ARCHIVED && is_used) {
        return (freshness){told->n_repos, told->n_repos, "repositories", path};
    }
    if (table == WPA_FACTS_ACTIONS && is_used) {
        return (freshness){told->n_actions, told->n_actions, "actions", path};
    }
    return (freshness){0};
}

static const char *use_of(const wpa_cli *cli, wpa_fact_table table, const freshness *fresh)
{
    if (!fresh->n) {
        return "compiled in";
    }
    return wpa_arena_printf(cli->arena, "compiled in (%zu rows of %s), and %zu %s of %s",
                            wpa_facts_row_count(table), wpa_facts_compiled_date(table), fresh->n,
                            fresh->what,
                            wpa_text_visible(cli->arena, fresh->path, strlen(fresh->path), false));
}

static wpa_json *describe_table(const wpa_cli *cli, wpa_fact_table table)
{
    wpa_json *row = wpa_json_new_object(cli->arena);
    const freshness fresh = freshness_of(cli, table);
    wpa_json_set_text(row, "name", wpa_facts_table_name(table));
    wpa_json_set_int(row, "rows", (int64_t)(wpa_facts_row_count(table) + fresh.n_rows));
    wpa_json_set_text(row, "date", wpa_facts_date(table));
    wpa_json_set_int(row, "age_days",
                     wpa_facts_days(cli->today) - wpa_facts_days(wpa_facts_date(table)));
    wpa_json_set_text(row, "source", wpa_facts_source(table));
    wpa_json_set_text(row, "licence", wpa_facts_licence(table));
    wpa_json_set_text(row, "in_use", fresh.n ? "refreshed" : "compiled in");
    wpa_json_set_text(row, "compiled_date", wpa_facts_compiled_date(table));
    if (fresh.n) {
        wpa_json_set_text(row, "path", fresh.path);
        wpa_json_set_int(row, wpa_arena_printf(cli->arena, "refreshed_%s", fresh.what),
                         (int64_t)fresh.n);
    }
    return row;
}

static void show_json(const wpa_cli *cli)
{
    wpa_json *list = wpa_json_new_array(cli->arena);
    for (int i = 0; i < WPA_FACTS_COUNT; i++) {
        wpa_json_push(list, describe_table(cli, (wpa_fact_table)i));
    }
    (void)fprintf(cli->out, "%s\n", wpa_json_dump_pretty(list, cli->arena));
}

static void show_table(const wpa_cli *cli, wpa_fact_table table)
{
    const freshness fresh = freshness_of(cli, table);
    (void)fprintf(cli->out, "%-12s %6zu rows of %s  %s\n", wpa_facts_table_name(table),
                  wpa_facts_row_count(table) + fresh.n_rows, wpa_facts_date(table),
                  use_of(cli, table, &fresh));
    (void)fprintf(cli->out, "%-12s from %s\n%-12s licence: %s\n", "", wpa_facts_source(table), "",
                  wpa_facts_licence(table));
}

static int run_show(wpa_cli *cli, wpa_error *err)
{
    (void)err;
    const char *note = wpa_facts_age_note(cli->today, cli->arena);
    if (wpa_cli_wants_json(cli)) {
        show_json(cli);
    } else {
        for (int i = 0; i < WPA_FACTS_COUNT; i++) {
            show_table(cli, (wpa_fact_table)i);
        }
    }
    if (cli->facts.table && !cli->facts.is_used) {
        (void)fprintf(cli->err, "note: %s is of %s, older than what is compiled in: not used\n",
                      wpa_text_visible(cli->arena, cli->facts.path, strlen(cli->facts.path), false),
                      wpa_refreshed_date(cli->facts.table));
    }
    if (cli->facts.fault) {
        (void)fprintf(cli->err, "note: %s\n", cli->facts.fault);
    }
    if (note) {
        (void)fprintf(cli->err, "note: %s\n", note);
    }
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_data_show = {
    .name = "data show",
    .operands = "",
    .summary = "the facts that rules go by: how many, of when, from where, under which licence",
    .details = "Every table is compiled in; tags and branches of actions, advisories, which "
               "repositories are archived, and what action.yml files say may have been refreshed "
               "since by wpa data update. A table of more than 90 days is named, here and by "
               "wpa check.",
    .has_json = true,
    .is_light = true,
    .run = run_show,
};
