/* wpa data show, update: the facts that rules go by, and newer ones about tags and branches. */
#include <stdio.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/tree.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "facts/update.h"

#define TIMEOUT_MS 20000
#define MOVED_SHOWN_MAX 50
#define FAULTS_SHOWN_MAX 20

/* ---- show ---- */

/** "refreshed" where a refreshed table is in use, and it has something in place of this one. */
static bool is_refreshed(const wpa_cli *cli, wpa_fact_table table)
{
    return table == WPA_FACTS_TAGS && cli->facts.is_used;
}

static size_t rows_of(const wpa_cli *cli, wpa_fact_table table)
{
    return wpa_facts_row_count(table) +
           (is_refreshed(cli, table) ? wpa_refreshed_ref_count(cli->facts.table) : 0);
}

static const char *use_of(const wpa_cli *cli, wpa_fact_table table)
{
    if (!is_refreshed(cli, table)) {
        return "compiled in";
    }
    return wpa_arena_printf(
        cli->arena, "compiled in (%zu rows of %s), and %zu repositories of %s",
        wpa_facts_row_count(table), wpa_facts_compiled_date(table),
        wpa_refreshed_repo_count(cli->facts.table),
        wpa_text_visible(cli->arena, cli->facts.path, strlen(cli->facts.path), false));
}

static wpa_json *describe_table(const wpa_cli *cli, wpa_fact_table table)
{
    wpa_json *row = wpa_json_new_object(cli->arena);
    bool is_fresh = is_refreshed(cli, table);
    wpa_json_set_text(row, "name", wpa_facts_table_name(table));
    wpa_json_set_int(row, "rows", (int64_t)rows_of(cli, table));
    wpa_json_set_text(row, "date", wpa_facts_date(table));
    wpa_json_set_int(row, "age_days",
                     wpa_facts_days(cli->today) - wpa_facts_days(wpa_facts_date(table)));
    wpa_json_set_text(row, "source", wpa_facts_source(table));
    wpa_json_set_text(row, "licence", wpa_facts_licence(table));
    wpa_json_set_text(row, "in_use", is_fresh ? "refreshed" : "compiled in");
    wpa_json_set_text(row, "compiled_date", wpa_facts_compiled_date(table));
    if (is_fresh) {
        wpa_json_set_text(row, "path", cli->facts.path);
        wpa_json_set_int(row, "refreshed_repositories",
                         (int64_t)wpa_refreshed_repo_count(cli->facts.table));
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
    (void)fprintf(cli->out, "%-12s %6zu rows of %s  %s\n", wpa_facts_table_name(table),
                  rows_of(cli, table), wpa_facts_date(table), use_of(cli, table));
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

/* ---- which repositories ---- */

typedef struct collection {
    wpa_arena *arena;
    wpa_map *seen; /* in lower case → as it is written */
} collection;

static void add_slug(collection *c, wpa_slice slug)
{
    size_t slashes = 0, length = 0;
    while (length < slug.length && slug.at[length] != '@' &&
           !(slug.at[length] == '/' && ++slashes == 2)) {
        length++;
    }
    slug.length = length;
    if (!wpa_refreshed_slug_is_valid(slug) || wpa_map_count(c->seen) >= WPA_REFRESHED_MAX_REPOS) {
        return;
    }
    char *key = wpa_arena_slice(c->arena, slug.at, slug.length);
    const char *name = wpa_arena_text(c->arena, key);
    for (char *at = key; *at; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    }
    if (!wpa_map_has(c->seen, key)) {
        wpa_map_put(c->seen, key, (void *)(uintptr_t)name);
    }
}

/** "uses:" of a step or job; "repo:" of a hook. */
static void add_value(collection *c, const char *key, const char *value)
{
    static const char forge[] = "https://github.com/";
    size_t length = strlen(value);
    if (wpa_text_is(key, "uses") && value[0] != '.' && value[0] != '$' &&
        !wpa_text_starts(value, "docker://") && strchr(value, '@')) {
        add_slug(c, wpa_slice_of(value));
    } else if (wpa_text_is(key, "repo") && wpa_text_starts(value, forge)) {
        length -= sizeof forge - 1;
        length -= wpa_text_ends(value, ".git") ? strlen(".git") : 0;
        add_slug(c, (wpa_slice){value + sizeof forge - 1, length});
    }
}

static void collect(collection *c, const wpa_yaml_node *node)
{
    for (size_t i = 0; node->kind == WPA_YAML_MAPPING && i < node->n_pairs; i++) {
        const char *key = wpa_yaml_text(node->pairs[i].key);
        const char *value = wpa_yaml_text(node->pairs[i].value);
        if (key && value) {
            add_value(c, key, value);
        }
        collect(c, node->pairs[i].value);
    }
    for (size_t i = 0; node->kind == WPA_YAML_SEQUENCE && i < node->n_items; i++) {
        collect(c, node->items[i]);
    }
}

static wpa_arena *on_batch(void *context, wpa_tree_file *const files[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const wpa_yaml_doc *yaml = files[i]->source ? files[i]->source->yaml : NULL;
        if (yaml && yaml->root) {
            collect(context, yaml->root);
        }
    }
    return NULL;
}

/** What the files of a folder use; no rule runs for that. */
static bool add_used(collection *c, const char *folder, wpa_error *err)
{
    size_t n_rules;
    wpa_settings *settings = wpa_settings_new(wpa_now_us(), c->arena);
    (void)wpa_rules_all(&n_rules);
    for (size_t i = 0; i <= n_rules; i++) {
        settings->rules[i].toggle = WPA_TOGGLE_OFF;
    }
    const wpa_tree_options options = {
        .settings = settings, .stdin_fd = -1, .batch = on_batch, .context = c};
    if (!wpa_path_exists(folder)) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no '%s'", folder);
    }
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
    return wpa_tree_add(tree, folder, err) && wpa_tree_finish(tree, err);
}

static void add_known(collection *c, const wpa_refreshed *before)
{
    for (size_t i = 0; i < wpa_facts_action_count(); i++) {
        add_slug(c, wpa_slice_of(wpa_facts_action_name(wpa_facts_action_at(i))));
    }
    for (size_t i = 0; before && i < wpa_refreshed_repo_count(before); i++) {
        add_slug(c, wpa_slice_of(wpa_facts_repo_name(wpa_refreshed_repo_at(before, i))));
    }
}

static const char *const *list_slugs(const collection *c)
{
    size_t n = wpa_map_count(c->seen);
    const char **slugs = wpa_arena_array(c->arena, n + 1, sizeof *slugs);
    for (size_t i = 0; i < n; i++) {
        void *value;
        (void)wpa_map_at(c->seen, i, &value);
        slugs[i] = value;
    }
    return slugs;
}

/* ---- update ---- */

static bool write_table(const char *path, const wpa_facts_outcome *outcome, wpa_arena *arena,
                        wpa_error *err)
{
    const char *folder = wpa_arena_slice(arena, path, (size_t)(strrchr(path, '/') - path));
    return (wpa_dir_make(folder, 0755, err) &&
            wpa_file_replace(path, outcome->table, outcome->table_bytes, 0644, err)) ||
           wpa_error_within(err, "write refreshed facts");
}

static void say_faults(const wpa_cli *cli, const wpa_facts_outcome *outcome)
{
    for (size_t i = 0; i < outcome->n_faults && i < FAULTS_SHOWN_MAX; i++) {
        (void)fprintf(
            cli->err, "wpa: %s\n",
            wpa_text_visible(cli->arena, outcome->faults[i], strlen(outcome->faults[i]), false));
    }
    if (outcome->n_faults > FAULTS_SHOWN_MAX) {
        (void)fprintf(cli->err, "wpa: and %zu more\n", outcome->n_faults - FAULTS_SHOWN_MAX);
    }
}

/** A release that moved is what pins are for: those who did not pin run other code now. */
static void say_moved(const wpa_cli *cli, const wpa_facts_outcome *outcome)
{
    for (size_t i = 0; i < outcome->n_moved && i < MOVED_SHOWN_MAX; i++) {
        const wpa_facts_moved *moved = &outcome->moved[i];
        char before[2 * WPA_COMMIT_BYTES + 1], after[2 * WPA_COMMIT_BYTES + 1];
        wpa_hex_encode(moved->before, WPA_COMMIT_BYTES, before);
        wpa_hex_encode(moved->after, WPA_COMMIT_BYTES, after);
        (void)fprintf(cli->out, "moved: %s@%s was %s, is %s\n", moved->slug, moved->tag, before,
                      after);
    }
    if (outcome->n_moved > MOVED_SHOWN_MAX) {
        (void)fprintf(cli->out, "and %zu more tags moved\n", outcome->n_moved - MOVED_SHOWN_MAX);
    }
}

static void say_outcome(const wpa_cli *cli, const wpa_facts_request *request,
                        const wpa_facts_outcome *outcome, const char *path)
{
    say_moved(cli, outcome);
    (void)fprintf(cli->out, "%zu of %zu repositories refreshed", outcome->n_refreshed,
                  request->n_slugs);
    if (outcome->n_refreshed < request->n_slugs) {
        (void)fprintf(cli->out, "; the others stay as of %s or the day they were last refreshed",
                      wpa_facts_compiled_date(WPA_FACTS_TAGS));
    }
    (void)fprintf(cli->out, "\n%s\n", wpa_text_visible(cli->arena, path, strlen(path), false));
}

static bool refuse_silence(const wpa_facts_request *request, const wpa_facts_outcome *outcome,
                           wpa_error *err)
{
    const char *since = request->before ? wpa_refreshed_date(request->before)
                                        : wpa_facts_compiled_date(WPA_FACTS_TAGS);
    return WPA_FAIL(
        err, WPA_E_UNAVAILABLE,
        "nothing was refreshed, %zu of %zu repositories were asked: facts stay as of %s",
        request->n_slugs - outcome->n_unasked, request->n_slugs, since);
}

static int run_update(wpa_cli *cli, wpa_error *err)
{
    const char *folder = cli->n_operands ? cli->operands[0] : NULL;
    collection c = {cli->arena, wpa_map_new(cli->arena)};
    const char *path = wpa_facts_place(wpa_cli_is_given(cli, "system"), cli->arena, err);
    if (!path || (folder && !add_used(&c, folder, err))) {
        return WPA_CLI_FAILED;
    }
    if (!folder) {
        add_known(&c, cli->facts.table);
    }
    const wpa_facts_request request = {
        .from = wpa_cli_text(cli, "from"),
        .timeout_ms = wpa_cli_duration_ms(cli, "timeout", TIMEOUT_MS),
        .slugs = list_slugs(&c),
        .n_slugs = wpa_map_count(c.seen),
        .before = cli->facts.table,
        .today = cli->today,
    };
    wpa_facts_outcome outcome;
    if (request.n_slugs == 0) {
        (void)fprintf(cli->out, "no action of another repository is used there\n");
        return WPA_EXIT_OK;
    }
    if (!wpa_facts_update(&request, cli->arena, &outcome, err)) {
        return WPA_CLI_FAILED;
    }
    say_faults(cli, &outcome);
    if (!outcome.table) {
        (void)refuse_silence(&request, &outcome, err);
        return WPA_CLI_FAILED;
    }
    if (!write_table(path, &outcome, cli->arena, err)) {
        return WPA_CLI_FAILED;
    }
    say_outcome(cli, &request, &outcome, path);
    return WPA_EXIT_OK;
}

/* ---- the commands ---- */

const wpa_cli_command wpa_cli_data_show = {
    .name = "data show",
    .operands = "",
    .summary = "the facts that rules go by: how many, of when, from where, under which licence",
    .details = "Every table is compiled in; tags and branches of actions may have been refreshed "
               "since by wpa data update. A table of more than 90 days is named, here and by "
               "wpa check.",
    .has_json = true,
    .is_light = true,
    .run = run_show,
};

static const wpa_cli_option update_options[] = {
    {"from", 0, WPA_CLI_TEXT, "FOLDER|URL",
     "ask a mirror: repositories at FOLDER/OWNER/NAME or URL/OWNER/NAME, or a tags.txt there"},
    {"system", 0, WPA_CLI_FLAG, NULL, "for everybody on this machine, below /usr/local/share/wpa"},
    {"timeout", 0, WPA_CLI_DURATION, "DURATION", "for one repository, 20s unless given"},
};

const wpa_cli_command wpa_cli_data_update = {
    .name = "data update",
    .operands = "[FOLDER]",
    .summary = "ask the forge for tags and branches of actions as they are today",
    .details =
        "Asks the repositories of the actions that FOLDER uses, or of all that wpa knows, for "
        "their "
        "tags and branches over git, eight at a time; nothing is fetched, and no rule needs the "
        "network. The answers are checked and put into wpa/facts/tags.txt below XDG_DATA_HOME in "
        "one step; a repository that does not answer keeps what was known. Rules that speak of "
        "pins, versions and releases go by it from then on, unless it is older than what is "
        "compiled in. A tag of a release that has moved since is printed.\n\n"
        "A tags.txt that one machine has written serves others as a mirror. Without a network what "
        "is there stays in use, with its date; the exit code is 6 if nothing was refreshed.",
    .options = update_options,
    .n_options = WPA_COUNT(update_options),
    .max_operands = 1,
    .run = run_update,
};
