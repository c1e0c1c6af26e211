/* wpa data update: newer facts about actions, from their repositories and from their forge. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/tree.h"
#include "auth/secret.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/session.h"
#include "facts/ask.h"
#include "facts/update.h"

#define TIMEOUT_MS 20000
#define MOVED_SHOWN_MAX 50
#define FAULTS_SHOWN_MAX 20

/* ---- which repositories ---- */

typedef struct collection {
    wpa_arena *arena;
    wpa_map *seen;    /* repositories: in lower case → as it is written */
    wpa_map *actions; /* the same of actions, with their path */
} collection;

static void add_to(const collection *c, wpa_map *names, wpa_slice name)
{
    char *key = wpa_arena_slice(c->arena, name.at, name.length);
    const char *written = wpa_arena_text(c->arena, key);
    for (char *at = key; *at; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    }
    if (wpa_map_count(names) < WPA_REFRESHED_MAX_REPOS && !wpa_map_has(names, key)) {
        wpa_map_put(names, key, (void *)(uintptr_t)written);
    }
}

/** Callable workflows are no actions, whose file is one of a certain name. */
static void add_action(const collection *c, wpa_slice name)
{
    const char *at = memchr(name.at, '@', name.length);
    name.length = at ? (size_t)(at - name.at) : name.length;
    const char *text = wpa_arena_slice(c->arena, name.at, name.length);
    bool is_workflow = wpa_text_ends(text, ".yml") || wpa_text_ends(text, ".yaml");
    if (wpa_told_action_is_valid(name) && !is_workflow) {
        add_to(c, c->actions, name);
    }
}

static void add_slug(const collection *c, wpa_slice slug)
{
    size_t slashes = 0, length = 0;
    while (length < slug.length && slug.at[length] != '@' &&
           !(slug.at[length] == '/' && ++slashes == 2)) {
        length++;
    }
    slug.length = length;
    if (wpa_refreshed_slug_is_valid(slug)) {
        add_to(c, c->seen, slug);
    }
}

/** "uses:" of a step or job; "repo:" of a hook. */
static void add_value(const collection *c, const char *key, const char *value)
{
    static const char forge[] = "https://github.com/";
    size_t length = strlen(value);
    if (wpa_text_is(key, "uses") && value[0] != '.' && value[0] != '$' &&
        !wpa_text_starts(value, "docker://") && strchr(value, '@')) {
        add_slug(c, wpa_slice_of(value));
        add_action(c, wpa_slice_of(value));
    } else if (wpa_text_is(key, "repo") && wpa_text_starts(value, forge)) {
        length -= sizeof forge - 1;
        length -= wpa_text_ends(value, ".git") ? strlen(".git") : 0;
        add_slug(c, (wpa_slice){value + sizeof forge - 1, length});
    }
}

static void collect(const collection *c, const wpa_yaml_node *node)
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

static void add_known(const collection *c, const wpa_refreshed *before, const wpa_told *told)
{
    for (size_t i = 0; i < wpa_facts_action_count(); i++) {
        wpa_slice name = wpa_slice_of(wpa_facts_action_name(wpa_facts_action_at(i)));
        add_slug(c, name);
        add_action(c, name);
    }
    for (size_t i = 0; before && i < wpa_refreshed_repo_count(before); i++) {
        add_slug(c, wpa_slice_of(wpa_facts_repo_name(wpa_refreshed_repo_at(before, i))));
    }
    for (size_t i = 0; told && i < told->n_actions; i++) {
        add_action(c, wpa_slice_of(told->actions[i].name));
    }
}

static const char *const *list_names(const collection *c, const wpa_map *names)
{
    size_t n = wpa_map_count(names);
    const char **list = wpa_arena_array(c->arena, n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        void *value;
        (void)wpa_map_at(names, i, &value);
        list[i] = value;
    }
    return list;
}

/* ---- what is asked for ---- */

typedef struct plan {
    unsigned tables;   /* bits 1 << WPA_FACTS_… */
    wpa_secret *token; /* that forge.token points into, or NULL */
    wpa_facts_request refs;
    wpa_ask_request forge;
    const char *refs_path, *told_path; /* that are written */
} plan;

/** The words of --only, or all that can be refreshed. */
static bool read_tables(const wpa_cli *cli, unsigned *tables, wpa_error *err)
{
    static const wpa_fact_table known[] = {WPA_FACTS_TAGS, WPA_FACTS_ADVISORIES, WPA_FACTS_ARCHIVED,
                                           WPA_FACTS_ACTIONS};
    const char *words = wpa_cli_text(cli, "only");
    *tables = words ? 0 : WPA_ASK_TABLES | 1U << WPA_FACTS_TAGS;
    while (words && *words) {
        size_t length = strcspn(words, ","), i = 0;
        while (i < WPA_COUNT(known) &&
               !wpa_slice_is((wpa_slice){words, length}, wpa_facts_table_name(known[i]))) {
            i++;
        }
        if (i == WPA_COUNT(known)) {
            return WPA_FAIL(err, WPA_E_INVALID,
                            "'%.*s' is no table that can be refreshed: tags, advisories, archived "
                            "and actions are",
                            (int)length, words);
        }
        *tables |= 1U << known[i];
        words += length + (words[length] == ',');
    }
    return *tables != 0 || WPA_FAIL(err, WPA_E_INVALID, "--only names no table");
}

static const char *without_slash(const wpa_cli *cli, const char *url)
{
    size_t length = url ? strlen(url) : 0;
    while (length && url[length - 1] == '/') {
        length--;
    }
    return url ? wpa_arena_slice(cli->arena, url, length) : NULL;
}

/** GitHub, unless a mirror is asked; that has no API but the one that is named with it. */
static bool read_forge(wpa_cli *cli, plan *p, wpa_error *err)
{
    wpa_ask_request *forge = &p->forge;
    const char *api = wpa_cli_text(cli, "api"), *token = wpa_cli_text(cli, "token-file");
    bool is_web = forge->from && (wpa_text_starts(forge->from, "https://") ||
                                  wpa_text_starts(forge->from, "http://"));
    forge->api = without_slash(cli, api || forge->from ? api : WPA_ASK_GITHUB_API);
    forge->web = !forge->from    ? WPA_ASK_GITHUB_WEB
                 : api && is_web ? without_slash(cli, forge->from)
                                 : NULL;
    if (!token) {
        return true;
    }
    p->token = wpa_cli_ask_passphrase(cli, "", token, false, err);
    forge->token = p->token ? (const char *)wpa_secret_bytes(p->token) : NULL;
    return p->token != NULL;
}

static bool make_plan(wpa_cli *cli, plan *p, wpa_error *err)
{
    const char *folder = cli->n_operands ? cli->operands[0] : NULL;
    collection c = {cli->arena, wpa_map_new(cli->arena), wpa_map_new(cli->arena)};
    p->forge.from = wpa_cli_text(cli, "from");
    if (!read_tables(cli, &p->tables, err) || !read_forge(cli, p, err) ||
        (folder && !add_used(&c, folder, err))) {
        return false;
    }
    if (!folder) {
        add_known(&c, cli->facts.table, cli->facts.told);
    }
    p->refs = (wpa_facts_request){.from = p->forge.from,
                                  .timeout_ms = wpa_cli_duration_ms(cli, "timeout", TIMEOUT_MS),
                                  .slugs = list_names(&c, c.seen),
                                  .n_slugs = wpa_map_count(c.seen),
                                  .before = cli->facts.table,
                                  .today = cli->today};
    p->forge.tables = p->tables & WPA_ASK_TABLES;
    p->forge.timeout_ms = p->refs.timeout_ms;
    p->forge.slugs = p->refs.slugs;
    p->forge.n_slugs = p->refs.n_slugs;
    p->forge.actions = list_names(&c, c.actions);
    p->forge.n_actions = wpa_map_count(c.actions);
    p->forge.before = cli->facts.told;
    p->forge.tags = cli->facts.table;
    p->forge.today = cli->today;
    return true;
}

/* ---- one at a time ---- */

/** Who has the turn has written his number into the file. */
static bool say_holder(int fd, wpa_error *err)
{
    char number[24] = "";
    ssize_t n = pread(fd, number, sizeof number - 1, 0);
    number[n > 0 ? (size_t)n : 0] = '\0';
    number[strspn(number, "0123456789")] = '\0';
    return WPA_FAIL(err, WPA_E_CONFLICT, "another 'wpa data update' is at it%s%s: wait for its end",
                    *number ? ", process " : "", number);
}

/**
 * Of two at once the one that ends last would write what it knew as it began, without what the
 * other one has learned. Held until the file is closed, also by a program that was killed.
 */
static int take_turn(const char *folder, wpa_arena *arena, wpa_error *err)
{
    const char *path = wpa_path_join(arena, folder, "update.lock");
    if (!wpa_dir_make(folder, 0755, err)) {
        (void)wpa_error_within(err, "write refreshed facts");
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        (void)WPA_FAIL(err, WPA_E_IO, "cannot open '%s': %s", path, wpa_strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)say_holder(fd, err);
        (void)close(fd);
        return -1;
    }
    if (ftruncate(fd, 0) == 0) {
        (void)dprintf(fd, "%jd\n", (intmax_t)getpid());
    }
    return fd;
}

/* ---- what came of it ---- */

/** The old table stands until the new one is whole. */
static bool write_table(const char *path, const char *table, size_t table_bytes, wpa_error *err)
{
    return wpa_file_replace(path, table, table_bytes, 0644, err) ||
           wpa_error_within(err, "write refreshed facts");
}

static void say_faults(const wpa_cli *cli, const char *const faults[], size_t n)
{
    for (size_t i = 0; i < n && i < FAULTS_SHOWN_MAX; i++) {
        (void)fprintf(cli->err, "wpa: %s\n",
                      wpa_text_visible(cli->arena, faults[i], strlen(faults[i]), false));
    }
    if (n > FAULTS_SHOWN_MAX) {
        (void)fprintf(cli->err, "wpa: and %zu more\n", n - FAULTS_SHOWN_MAX);
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

static void say_path(const wpa_cli *cli, const char *path)
{
    (void)fprintf(cli->out, "%s\n", wpa_text_visible(cli->arena, path, strlen(path), false));
}

static void say_refs(const wpa_cli *cli, const wpa_facts_request *request,
                     const wpa_facts_outcome *outcome, const char *path)
{
    say_moved(cli, outcome);
    (void)fprintf(cli->out, "%zu of %zu repositories refreshed", outcome->n_refreshed,
                  request->n_slugs);
    if (outcome->n_refreshed < request->n_slugs) {
        (void)fprintf(cli->out, "; the others stay as of %s or the day they were last refreshed",
                      wpa_facts_compiled_date(WPA_FACTS_TAGS));
    }
    (void)fprintf(cli->out, "\n");
    say_path(cli, path);
}

/** What was asked of a forge, or not, and of when the rest is. */
static void say_told(const wpa_cli *cli, const plan *p, const wpa_ask_outcome *outcome)
{
    const wpa_ask_request *forge = &p->forge;
    if (forge->tables >> WPA_FACTS_ADVISORIES & 1U) {
        (void)fprintf(cli->out, "advisories: %s%s\n",
                      outcome->has_advisories
                          ? wpa_arena_printf(cli->arena, "%zu of actions", outcome->n_advisories)
                      : forge->api ? "not refreshed, they stay as of "
                                   : "no API was asked (see --api), they stay as of ",
                      outcome->has_advisories ? "" : wpa_facts_date(WPA_FACTS_ADVISORIES));
    }
    if (forge->tables >> WPA_FACTS_ARCHIVED & 1U) {
        (void)fprintf(cli->out, "archived: %zu of %zu repositories asked%s\n", outcome->n_repos,
                      forge->n_slugs, forge->api ? "" : ", since no API was (see --api)");
    }
    if (forge->tables >> WPA_FACTS_ACTIONS & 1U) {
        (void)fprintf(cli->out, "actions: %zu newer action.yml of %zu\n", outcome->n_actions,
                      forge->n_actions);
    }
    if (outcome->table) {
        say_path(cli, p->told_path);
    }
}

/* ---- update ---- */

static bool update_refs(wpa_cli *cli, plan *p, bool *is_fresh, wpa_error *err)
{
    wpa_facts_outcome outcome;
    if (!(p->tables >> WPA_FACTS_TAGS & 1U)) {
        return true;
    }
    if (!wpa_facts_update(&p->refs, cli->arena, &outcome, err)) {
        return false;
    }
    say_faults(cli, outcome.faults, outcome.n_faults);
    if (!outcome.table) {
        (void)fprintf(cli->err,
                      "wpa: %zu of %zu repositories were asked for tags, in vain: they stay as of "
                      "%s\n",
                      p->refs.n_slugs - outcome.n_unasked, p->refs.n_slugs,
                      wpa_facts_date(WPA_FACTS_TAGS));
        return true;
    }
    if (!write_table(p->refs_path, outcome.table, outcome.table_bytes, err)) {
        return false;
    }
    say_refs(cli, &p->refs, &outcome, p->refs_path);
    p->forge.tags = wpa_refreshed_parse(p->refs_path, outcome.table, outcome.table_bytes,
                                        cli->today, cli->arena, err);
    *is_fresh = true;
    return p->forge.tags != NULL;
}

static bool update_told(wpa_cli *cli, const plan *p, bool *is_fresh, wpa_error *err)
{
    wpa_ask_outcome outcome;
    if (!p->forge.tables) {
        return true;
    }
    if (!wpa_ask(&p->forge, cli->arena, &outcome, err)) {
        return false;
    }
    say_faults(cli, outcome.faults, outcome.n_faults);
    if (outcome.table && !write_table(p->told_path, outcome.table, outcome.table_bytes, err)) {
        return false;
    }
    *is_fresh = *is_fresh || outcome.table;
    say_told(cli, p, &outcome);
    return true;
}

static int update(wpa_cli *cli, plan *p, wpa_error *err)
{
    bool is_fresh = false;
    if (!make_plan(cli, p, err)) {
        return WPA_CLI_FAILED;
    }
    if (p->refs.n_slugs == 0) {
        (void)fprintf(cli->out, "no action of another repository is used there\n");
        return WPA_EXIT_OK;
    }
    if (!update_refs(cli, p, &is_fresh, err) || !update_told(cli, p, &is_fresh, err)) {
        return WPA_CLI_FAILED;
    }
    if (!is_fresh) {
        (void)WPA_FAIL(err, WPA_E_UNAVAILABLE,
                       "nothing was refreshed: what is there stays in use, tags as of %s",
                       wpa_facts_date(WPA_FACTS_TAGS));
        return WPA_CLI_FAILED;
    }
    return WPA_EXIT_OK;
}

static int run_update(wpa_cli *cli, wpa_error *err)
{
    plan p = {0};
    bool is_system = wpa_cli_is_given(cli, "system");
    p.refs_path = wpa_facts_place(WPA_FACTS_FILE, is_system, cli->arena, err);
    p.told_path = p.refs_path ? wpa_facts_place(WPA_TOLD_FILE, is_system, cli->arena, err) : NULL;
    if (!p.told_path) {
        return WPA_CLI_FAILED;
    }
    size_t length = (size_t)(strrchr(p.refs_path, '/') - p.refs_path);
    int turn = take_turn(wpa_arena_slice(cli->arena, p.refs_path, length), cli->arena, err);
    if (turn < 0) {
        return WPA_CLI_FAILED;
    }
    cli->facts = wpa_facts_load(cli->today, cli->arena); /* what one before may have just written */
    int code = update(cli, &p, err);
    wpa_secret_free(p.token);
    (void)close(turn);
    return code;
}

static const wpa_cli_option update_options[] = {
    {"from", 0, WPA_CLI_TEXT, "FOLDER|URL",
     "ask a mirror: repositories at FOLDER/OWNER/NAME or URL/OWNER/NAME, or a tags.txt and "
     "forge.txt there"},
    {"api", 0, WPA_CLI_TEXT, "URL",
     "the forge's REST API, for advisories and archived; https://api.github.com unless --from is "
     "given, https://HOST/api/v3 of GitHub Enterprise Server"},
    {"token-file", 0, WPA_CLI_TEXT, "FILE",
     "token for the API (first line; - is standard input): without one GitHub takes 60 requests an "
     "hour"},
    {"only", 0, WPA_CLI_TEXT, "TABLE,...", "tags, advisories, archived, actions; all unless given"},
    {"system", 0, WPA_CLI_FLAG, NULL, "for everybody on this machine, below /usr/local/share/wpa"},
    {"timeout", 0, WPA_CLI_DURATION, "DURATION", "for one answer, 20s unless given"},
};

const wpa_cli_command wpa_cli_data_update = {
    .name = "data update",
    .operands = "[FOLDER]",
    .summary = "ask repositories and their forge for what is known of actions today",
    .details =
        "Of the actions that FOLDER uses, or of all that wpa knows, it asks their repositories for "
        "tags and branches over git, eight at a time, fetching nothing; the forge's REST API for "
        "all advisories about actions, and whether each repository is archived or goes by another "
        "name; and the newest release of each action, if it is a new one, for its action.yml. No "
        "rule needs the network. The answers are checked and put into wpa/facts/tags.txt and "
        "wpa/facts/forge.txt below XDG_DATA_HOME, each in one step; what does not answer keeps "
        "what "
        "was known, and of advisories all come or none. Rules go by them from then on, unless they "
        "are older than what is compiled in. A tag of a release that has moved since is "
        "printed.\n\n"
        "A tags.txt and forge.txt that one machine has written serve others as a mirror, which has "
        "no API unless --api names one. Without a network what is there stays in use, with its "
        "date; the exit code is 6 if nothing was refreshed, and 3 if another update is at it.",
    .options = update_options,
    .n_options = WPA_COUNT(update_options),
    .max_operands = 1,
    .run = run_update,
};
