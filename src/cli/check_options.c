#include "cli/check_options.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "rules/config.h"

/* What reading an option needs. */
typedef struct reader {
    wpa_check_options *options;
    wpa_arena *arena;
} reader;

/** value is NULL for options without one. */
typedef bool (*read_option)(const reader *r, const char *value, wpa_error *err);

/** Do something with each part of a list with commas. */
static bool each_part(const reader *r, const char *list, read_option take, wpa_error *err)
{
    while (*list) {
        size_t length = strcspn(list, ",");
        if (length && !take(r, wpa_arena_slice(r->arena, list, length), err)) {
            return false;
        }
        list += length + (list[length] == ',');
    }
    return true;
}

static bool refuse(const char *option, const char *value, const char *legal, wpa_error *err)
{
    return WPA_FAIL(err, WPA_E_INVALID, "--%s: '%s' is none of %s", option, value, legal);
}

static bool read_format(const reader *r, const char *value, wpa_error *err)
{
    wpa_check_options *o = r->options;
    const char *equals = strchr(value, '=');
    const char *name = equals ? wpa_arena_slice(r->arena, value, (size_t)(equals - value)) : value;
    const wpa_format *format = wpa_format_find(name, err);
    if (!format) {
        return false;
    }
    if (o->n_formats == WPA_CHECK_FORMATS_MAX) {
        return WPA_FAIL(err, WPA_E_INVALID, "more than %d formats", WPA_CHECK_FORMATS_MAX);
    }
    o->formats[o->n_formats++] = (wpa_check_format){format, equals ? equals + 1 : NULL};
    return true;
}

static bool read_persona(const reader *r, const char *value, wpa_error *err)
{
    return wpa_persona_from(value, &r->options->settings->persona) ||
           refuse("persona", value, "default, pedantic, auditor", err);
}

static bool read_min_severity(const reader *r, const char *value, wpa_error *err)
{
    return wpa_severity_from(value, &r->options->settings->min_severity) ||
           refuse("min-severity", value, "low, medium, high, critical", err);
}

static bool read_min_confidence(const reader *r, const char *value, wpa_error *err)
{
    return wpa_confidence_from(value, &r->options->settings->min_confidence) ||
           refuse("min-confidence", value, "low, medium, high", err);
}

/** "medium" for every kind, or "issue=high". */
static bool read_fail_part(const reader *r, const char *value, wpa_error *err)
{
    wpa_severity *fail_on = r->options->settings->fail_on;
    const char *equals = strchr(value, '=');
    wpa_severity severity;
    wpa_kind kind = WPA_KIND_COUNT;
    if (equals &&
        !wpa_kind_from(wpa_arena_slice(r->arena, value, (size_t)(equals - value)), &kind)) {
        return refuse("fail-on", value, "issue=…, inefficiency=…, opportunity=…", err);
    }
    if (!wpa_config_fail_on(equals ? equals + 1 : value, &severity)) {
        return refuse("fail-on", value, "low, medium, high, critical, none", err);
    }
    for (size_t i = 0; i < WPA_KIND_COUNT; i++) {
        fail_on[i] = kind == WPA_KIND_COUNT || kind == (wpa_kind)i ? severity : fail_on[i];
    }
    return true;
}

static bool read_fail_on(const reader *r, const char *value, wpa_error *err)
{
    return each_part(r, value, read_fail_part, err);
}

static bool only_part(const reader *r, const char *value, wpa_error *err)
{
    return wpa_settings_toggle(r->options->settings, value, WPA_TOGGLE_ON, r->arena, err);
}

static bool read_only(const reader *r, const char *value, wpa_error *err)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    for (size_t i = 0; i < n_rules && !r->options->has_only; i++) {
        r->options->settings->rules[i].toggle = WPA_TOGGLE_OFF;
    }
    r->options->has_only = true;
    return each_part(r, value, only_part, err);
}

static bool skip_part(const reader *r, const char *value, wpa_error *err)
{
    return wpa_settings_toggle(r->options->settings, value, WPA_TOGGLE_OFF, r->arena, err);
}

static bool read_skip(const reader *r, const char *value, wpa_error *err)
{
    return each_part(r, value, skip_part, err);
}

static bool dimension_part(const reader *r, const char *value, wpa_error *err)
{
    wpa_dimension dimension;
    if (!wpa_dimension_from(value, &dimension)) {
        return refuse("dimension", value,
                      "security, performance, efficiency, compatibility, quality", err);
    }
    r->options->settings->dimension_off[dimension] = false;
    return true;
}

static bool read_dimension(const reader *r, const char *value, wpa_error *err)
{
    for (size_t i = 0; i < WPA_DIMENSION_COUNT; i++) {
        r->options->settings->dimension_off[i] = true;
    }
    return each_part(r, value, dimension_part, err);
}

static bool kind_part(const reader *r, const char *value, wpa_error *err)
{
    wpa_kind kind;
    if (!wpa_kind_from(value, &kind)) {
        return refuse("kind", value, "issue, inefficiency, opportunity", err);
    }
    r->options->settings->kind_off[kind] = false;
    return true;
}

static bool read_kind(const reader *r, const char *value, wpa_error *err)
{
    for (size_t i = 0; i < WPA_KIND_COUNT; i++) {
        r->options->settings->kind_off[i] = true;
    }
    return each_part(r, value, kind_part, err);
}

static bool fix_part(const reader *r, const char *value, wpa_error *err)
{
    size_t n_rules;
    const char *check;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    const wpa_rule *rule = wpa_rules_find(value, &check, err);
    for (size_t i = 0; i < n_rules; i++) {
        r->options->fix_rules[i] = r->options->fix_rules[i] || rules[i] == rule;
    }
    return rule != NULL;
}

static bool read_fix(const reader *r, const char *value, wpa_error *err)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    r->options->fix = value ? WPA_CHECK_FIX_ALL : WPA_CHECK_FIX_SAFE;
    if (!value || wpa_text_is(value, "all")) {
        return true;
    }
    if (wpa_text_is(value, "safe")) {
        r->options->fix = WPA_CHECK_FIX_SAFE;
        return true;
    }
    r->options->fix_rules = wpa_arena_array(r->arena, n_rules, sizeof(bool));
    return each_part(r, value, fix_part, err);
}

static bool read_list_rules(const reader *r, const char *value, wpa_error *err)
{
    r->options->lists_rules = true;
    r->options->lists_rules_as_json = wpa_text_is(value, "json");
    return !value || r->options->lists_rules_as_json || refuse("list-rules", value, "json", err);
}

static bool read_as(const reader *r, const char *value, wpa_error *err)
{
    r->options->has_kind = true;
    return wpa_input_kind_from(value, &r->options->kind) ||
           refuse("as", value, "workflow, action, dependabot, pre-commit", err);
}

static bool read_sort(const reader *r, const char *value, wpa_error *err)
{
    r->options->is_sorted_by_severity = wpa_text_is(value, "severity");
    return r->options->is_sorted_by_severity || wpa_text_is(value, "path") ||
           refuse("sort", value, "path, severity", err);
}

static bool read_threads(const reader *r, const char *value, wpa_error *err)
{
    return wpa_text_to_int(value, 1, 64, &r->options->n_threads) ||
           WPA_FAIL(err, WPA_E_INVALID, "--threads: '%s' is no number from 1 to 64", value);
}

/* Readers of the values, in the order in which they are applied; flags are read below. */
static const struct {
    const char *name;
    read_option read;
} readers[] = {
    {"persona", read_persona},
    {"dimension", read_dimension},
    {"kind", read_kind},
    {"only", read_only},
    {"skip", read_skip},
    {"min-severity", read_min_severity},
    {"min-confidence", read_min_confidence},
    {"fail-on", read_fail_on},
    {"as", read_as},
    {"sort", read_sort},
    {"threads", read_threads},
};

/* Options with a value that may be left out. */
static const struct {
    const char *name;
    read_option read;
} optional_readers[] = {{"fix", read_fix}, {"list-rules", read_list_rules}};

static bool read_values(const reader *r, const wpa_cli *cli, wpa_error *err)
{
    for (size_t i = 0; i < WPA_COUNT(readers); i++) {
        const char *value = wpa_cli_text(cli, readers[i].name);
        if (value && !readers[i].read(r, value, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < WPA_COUNT(optional_readers); i++) {
        const char *name = optional_readers[i].name;
        if (wpa_cli_is_given(cli, name) &&
            !optional_readers[i].read(r, wpa_cli_text(cli, name), err)) {
            return false;
        }
    }
    size_t n;
    const char *const *formats = wpa_cli_texts(cli, "format", &n);
    for (size_t i = 0; i < n; i++) {
        if (!read_format(r, formats[i], err)) {
            return false;
        }
    }
    return true;
}

static void read_flags(wpa_check_options *o, const wpa_cli *cli)
{
    o->is_diff = wpa_cli_is_given(cli, "diff");
    o->exits_zero = wpa_cli_is_given(cli, "exit-zero");
    o->keeps_going = wpa_cli_is_given(cli, "keep-going");
    o->shows_ignored = wpa_cli_is_given(cli, "show-ignored");
    o->has_no_config = wpa_cli_is_given(cli, "no-config");
    o->settings->ignores_off = wpa_cli_is_given(cli, "no-ignores");
    o->explain = wpa_cli_text(cli, "explain");
    o->config = wpa_cli_text(cli, "config");
    o->stdin_path = wpa_cli_text(cli, "stdin-path");
    o->paths = cli->operands;
    o->n_paths = cli->n_operands;
}

/* ---- configuration ---- */

static const char *parent_of(const char *path, wpa_arena *arena)
{
    const char *slash = strrchr(path, '/');
    return slash && path[1]
               ? wpa_arena_slice(arena, path, slash == path ? 1 : (size_t)(slash - path))
               : NULL;
}

/** The nearest configuration from the first input up to the root of its repository. */
static const char *find_config(const wpa_check_options *options, wpa_arena *arena)
{
    static const char *const names[] = {"wpa.yml", ".wpa.yml", ".github/wpa.yml"};
    const char *start =
        options->n_paths && !wpa_text_is(options->paths[0], "-") ? options->paths[0] : ".";
    const char *root = wpa_tree_root(start, arena);
    const char *at = wpa_path_is_dir(start) || !root ? start : parent_of(start, arena);
    at = at ? wpa_tree_real_path(at, arena) : NULL;
    while (at) {
        for (size_t i = 0; i < WPA_COUNT(names); i++) {
            const char *path = wpa_path_join(arena, at, names[i]);
            if (wpa_path_exists(path)) {
                return path;
            }
        }
        at = root && !wpa_text_is(at, root) ? parent_of(at, arena) : NULL;
    }
    return NULL;
}

static bool read_config(const wpa_check_options *options, wpa_arena *arena, wpa_error *err)
{
    const char *path = options->config          ? options->config
                       : options->has_no_config ? NULL
                                                : find_config(options, arena);
    size_t size_bytes;
    if (!path) {
        return true;
    }
    const char *text = wpa_file_read(path, WPA_CONFIG_MAX_BYTES, arena, &size_bytes, err);
    return text && wpa_config_read(path, text, size_bytes, options->settings, arena, err);
}

bool wpa_check_options_read(const wpa_cli *cli, wpa_check_options *options, wpa_error *err)
{
    reader r = {options, cli->arena};
    options->settings = wpa_settings_new(wpa_now_us(), cli->arena);
    read_flags(options, cli);
    return read_config(options, cli->arena, err) && read_values(&r, cli, err);
}
