/* The keys of wpa.yml that say what a repository is and has. */
#include <string.h>

#include <wpa/text.h>

#include "rules/config_read.h"

#define ANALYSER_TIMEOUT_MS 60000
#define ANALYSERS_MAX 16

/* ---- lists ---- */

static bool append(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_text_list *list,
                   wpa_error *err)
{
    bool is_list = wpa_yaml_is(value, WPA_YAML_SEQUENCE);
    size_t n = is_list ? value->n_items : 1;
    const char **items = wpa_arena_array(r->arena, list->n + n, sizeof *items);
    memcpy(items, list->n ? list->items : items, list->n * sizeof *items);
    for (size_t i = 0; i < n; i++) {
        const wpa_yaml_node *item = is_list ? wpa_yaml_resolve(value->items[i]) : value;
        if (!wpa_config_text(item, &items[list->n + i], err)) {
            return false;
        }
    }
    *list = (wpa_text_list){items, list->n + n};
    return true;
}

bool wpa_config_list(const wpa_config_reader *r, const wpa_yaml_node *mapping, const char *key,
                     wpa_text_list *list, wpa_error *err)
{
    const wpa_yaml_node *value = wpa_yaml_get(mapping, key);
    const wpa_yaml_node *more = wpa_yaml_get(mapping, wpa_arena_printf(r->arena, "+%s", key));
    if (value) {
        *list = (wpa_text_list){0};
    }
    return (!value || wpa_yaml_is_null(value) || append(r, value, list, err)) &&
           (!more || append(r, more, list, err));
}

static const char *join(const wpa_config_reader *r, const wpa_text_list *list)
{
    const char *all = "";
    for (size_t i = 0; i < list->n; i++) {
        all = wpa_arena_printf(r->arena, "%s%s%s", all, *all ? "," : "", list->items[i]);
    }
    return all;
}

typedef bool (*text_check)(const wpa_yaml_node *value, const char *text, wpa_error *err);

/** A mapping of texts, each as check wants it (NULL: any), over what is there. */
static bool read_map(const wpa_config_reader *r, const wpa_yaml_node *mapping, const char *key,
                     text_check check, const wpa_map **map, wpa_error *err)
{
    const wpa_yaml_node *value = wpa_yaml_get(mapping, key);
    if (!value) {
        return true;
    }
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err)) {
        return false;
    }
    wpa_map *fresh = wpa_map_new(r->arena);
    for (size_t i = 0; i < value->n_pairs; i++) {
        const wpa_yaml_node *item = wpa_yaml_resolve(value->pairs[i].value);
        const char *name, *text;
        if (!wpa_config_text(value->pairs[i].key, &name, err) ||
            !wpa_config_text(item, &text, err) || (check && !check(item, text, err))) {
            return false;
        }
        wpa_map_put(fresh, name, wpa_arena_text(r->arena, text));
    }
    *map = fresh;
    return true;
}

/* ---- keys ---- */

bool wpa_config_forge(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const names[] = {"github.com", "ghes", "gitea", "forgejo"};
    const char *text;
    if (!wpa_config_text(value, &text, err)) {
        return false;
    }
    const char *name = wpa_arena_slice(r->arena, text, strcspn(text, "@"));
    if (wpa_text_index(name, names, WPA_COUNT(names)) < 0) {
        return wpa_yaml_fail(value, err,
                             "'%s' is no forge (github.com, ghes@3.18, gitea@1.25, "
                             "forgejo@12)",
                             text);
    }
    r->settings->own.forge = wpa_arena_text(r->arena, text);
    return true;
}

bool wpa_config_visibility(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const names[] = {"unknown", "public", "private"};
    const char *text;
    if (!wpa_config_text(value, &text, err)) {
        return false;
    }
    int i = wpa_text_index(text, names, WPA_COUNT(names));
    r->settings->own.visibility = i < 0 ? WPA_VISIBILITY_UNKNOWN : (wpa_visibility)i;
    return i >= 0 || wpa_yaml_fail(value, err, "'%s' is none of public, private, unknown", text);
}

/** What a minute on a runner costs. */
static bool check_rate(const wpa_yaml_node *value, const char *text, wpa_error *err)
{
    double rate;
    return (wpa_text_to_double(text, &rate) && rate >= 0) ||
           wpa_yaml_fail(value, err, "'%s' is no number (what a minute costs)", text);
}

bool wpa_config_runners(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const keys[] = {"labels", "ephemeral", "images", "rates"};
    wpa_own *own = &r->settings->own;
    if (!wpa_config_check_added_keys(r, value, keys, WPA_COUNT(keys), err)) {
        return false;
    }
    wpa_config_keep(r, wpa_config_list(r, value, "labels", &own->runner_labels, err), err);
    wpa_config_keep(r, wpa_config_list(r, value, "ephemeral", &own->ephemeral, err), err);
    wpa_config_keep(r, read_map(r, value, "images", NULL, &own->runner_images, err), err);
    wpa_config_keep(r, read_map(r, value, "rates", check_rate, &own->runner_rates, err), err);
    wpa_config_set_option(r, "runner-label", "labels", join(r, &own->runner_labels));
    return true;
}

/** null: unchecked; a list: all there are. */
static bool read_names(const wpa_config_reader *r, const wpa_yaml_node *mapping, const char *key,
                       wpa_name_list *list, wpa_error *err)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(mapping, key);
    const wpa_yaml_node *more = wpa_yaml_get(mapping, wpa_arena_printf(r->arena, "+%s", key));
    if (pair && wpa_yaml_is_null(pair->value)) {
        *list = (wpa_name_list){0};
        return true;
    }
    if (pair || more) {
        list->is_known = true;
        return wpa_config_list(r, mapping, key, &list->names, err);
    }
    return true;
}

bool wpa_config_names(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const keys[] = {"secrets", "vars", "environments", "reviewed-environments",
                                       "dependabot-secrets"};
    const size_t n_options = 3; /* of config-names; the others are read by name */
    wpa_own *own = &r->settings->own;
    wpa_name_list *lists[] = {&own->secrets, &own->variables, &own->environments, &own->reviewed,
                              &own->dependabot_secrets};
    if (!wpa_config_check_added_keys(r, value, keys, WPA_COUNT(keys), err)) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        bool is_read = read_names(r, value, keys[i], lists[i], err);
        wpa_config_keep(r, is_read, err);
        if (is_read && i < n_options) {
            const char *option = lists[i]->is_known ? join(r, &lists[i]->names) : "null";
            wpa_config_set_option(r, "config-names", keys[i], option);
        }
    }
    return true;
}

bool wpa_config_owners(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const keys[] = {"first-party", "codeowners"};
    wpa_own *own = &r->settings->own;
    if (!wpa_config_check_added_keys(r, value, keys, WPA_COUNT(keys), err)) {
        return false;
    }
    wpa_config_keep(r, wpa_config_list(r, value, "first-party", &own->first_party, err), err);
    if (!wpa_yaml_get_text(value, "codeowners", &own->codeowners, err)) {
        return false;
    }
    return !own->codeowners || strchr(own->codeowners, '@') ||
           wpa_yaml_fail(wpa_yaml_get(value, "codeowners"), err,
                         "'%s' owns nothing (@name, @organisation/team or an e-mail address)",
                         own->codeowners);
}

bool wpa_config_compat(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const keys[] = {"read"};
    wpa_text_list list = {0};
    if (!wpa_config_check_added_keys(r, value, keys, WPA_COUNT(keys), err) ||
        !wpa_config_list(r, value, "read", &list, err)) {
        return false;
    }
    r->settings->reads_zizmor = r->settings->reads_actionlint = false;
    for (size_t i = 0; i < list.n; i++) {
        bool is_zizmor = wpa_text_is(list.items[i], "zizmor");
        bool is_actionlint = wpa_text_is(list.items[i], "actionlint");
        if (!is_zizmor && !is_actionlint) {
            return wpa_yaml_fail(value, err, "'%s' is none of zizmor, actionlint", list.items[i]);
        }
        r->settings->reads_zizmor = r->settings->reads_zizmor || is_zizmor;
        r->settings->reads_actionlint = r->settings->reads_actionlint || is_actionlint;
    }
    return true;
}

bool wpa_config_baseline(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    const char *text;
    if (!wpa_config_text(value, &text, err)) {
        return false;
    }
    const char *slash = strrchr(r->path, '/'); /* beside the file that names it */
    r->settings->baseline =
        *text == '/' || !slash
            ? wpa_arena_text(r->arena, text)
            : wpa_arena_printf(r->arena, "%.*s/%s", (int)(slash - r->path), r->path, text);
    return true;
}

bool wpa_config_limits(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const keys[] = {"file-bytes"};
    return wpa_config_check_keys(r, value, keys, WPA_COUNT(keys), err) &&
           wpa_yaml_get_int(value, "file-bytes", 1, (int64_t)WPA_YAML_MAX_BYTES,
                            &r->settings->max_file_bytes, err);
}

static bool read_tool(const wpa_config_reader *r, const wpa_yaml_node *node, wpa_tool_setting *tool,
                      wpa_error *err)
{
    const char *text;
    if (!wpa_config_text(node, &text, err)) {
        return false;
    }
    tool->is_off = wpa_config_is_off(text);
    tool->is_required = wpa_text_is(text, "required");
    bool is_mode = tool->is_off || tool->is_required || wpa_text_is(text, "auto");
    tool->path = is_mode ? NULL : wpa_arena_text(r->arena, text);
    return is_mode || *text == '/' ||
           wpa_yaml_fail(node, err, "expected auto, off, required or an absolute path, got '%s'",
                         text);
}

bool wpa_config_tools(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    if (!wpa_config_check_keys(r, value, wpa_tool_names, WPA_TOOL_COUNT, err)) {
        return false;
    }
    for (size_t i = 0; i < WPA_TOOL_COUNT; i++) {
        const wpa_yaml_node *node = wpa_yaml_get(value, wpa_tool_names[i]);
        wpa_config_keep(r, !node || read_tool(r, node, &r->settings->tools[i], err), err);
    }
    return true;
}

static bool is_name(const char *text)
{
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789._-") == strlen(text);
}

static bool read_analyser(const wpa_config_reader *r, const wpa_yaml_pair *pair,
                          wpa_analyser *analyser, wpa_error *err)
{
    static const char *const keys[] = {"command", "timeout"};
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    analyser->timeout_ms = ANALYSER_TIMEOUT_MS;
    if (!wpa_config_text(pair->key, &analyser->name, err)) {
        return false;
    }
    if (!is_name(analyser->name)) {
        return wpa_yaml_fail(pair->key, err, "'%s' is no name (letters, digits, '.', '_', '-')",
                             analyser->name);
    }
    if (!wpa_config_check_added_keys(r, value, keys, WPA_COUNT(keys), err) ||
        !wpa_yaml_need(value, "command", err) ||
        !wpa_config_list(r, value, "command", &analyser->command, err) ||
        !wpa_yaml_get_duration_ms(value, "timeout", &analyser->timeout_ms, err)) {
        return false;
    }
    return analyser->command.n > 0 ||
           wpa_yaml_fail(value, err, "expected a program and its arguments");
}

/** "analysers: {name: {command: [program, argument, …], timeout: 60s}}", over those there are. */
bool wpa_config_analysers(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    wpa_settings *settings = r->settings;
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err)) {
        return false;
    }
    if (value->n_pairs + settings->n_analysers > ANALYSERS_MAX) {
        return wpa_yaml_fail(value, err, "more than %d analysers", ANALYSERS_MAX);
    }
    wpa_analyser *all =
        wpa_arena_array(r->arena, settings->n_analysers + value->n_pairs, sizeof *all);
    memcpy(all, settings->n_analysers ? settings->analysers : all,
           settings->n_analysers * sizeof *all);
    for (size_t i = 0; i < value->n_pairs; i++) {
        wpa_analyser *analyser = &all[settings->n_analysers + i];
        wpa_config_keep(r, read_analyser(r, &value->pairs[i], analyser, err), err);
    }
    settings->analysers = all;
    settings->n_analysers += value->n_pairs;
    return true;
}
