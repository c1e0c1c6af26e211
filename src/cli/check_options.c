#include "cli/check_options.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "rules/config.h"

#define USAGE_MAX_BYTES 16384

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

/* Options that only set something. */
#define SETTER(name, statement)                                                                    \
    static bool name(const reader *r, const char *value, wpa_error *err)                           \
    {                                                                                              \
        (void)value;                                                                               \
        (void)err;                                                                                 \
        statement;                                                                                 \
        return true;                                                                               \
    }
SETTER(set_diff, r->options->is_diff = true)
SETTER(set_exit_zero, r->options->exits_zero = true)
SETTER(set_keep_going, r->options->keeps_going = true)
SETTER(set_show_ignored, r->options->shows_ignored = true)
SETTER(set_no_ignores, r->options->settings->ignores_off = true)
SETTER(set_no_config, r->options->has_no_config = true)
SETTER(set_verbose, r->options->is_verbose = true)
SETTER(set_help, r->options->wants_help = true)
SETTER(set_explain, r->options->explain = value)
SETTER(set_config, r->options->config = value)
SETTER(set_stdin_path, r->options->stdin_path = value)

typedef enum value_use {
    VALUE_NONE,
    VALUE_OPTIONAL,
    VALUE_NEEDED
} value_use;

static const struct {
    const char *name;
    value_use use;
    bool is_early; /* read before the configuration, which the others beat */
    read_option read;
    const char *value, *words;
} table[] = {
    {"fix", VALUE_OPTIONAL, false, read_fix, "[=all|RULE,...]",
     "apply safe fixes (all: also unsafe ones)"},
    {"diff", VALUE_NONE, false, set_diff, "", "print what --fix would change, write nothing"},
    {"format", VALUE_NEEDED, false, read_format, "FORMAT[=FILE]",
     "text, oneline, json, jsonl, sarif, github; may be repeated"},
    {"persona", VALUE_NEEDED, false, read_persona, "PERSONA", "default, pedantic, auditor"},
    {"only", VALUE_NEEDED, false, read_only, "RULE,...", "run these rules alone"},
    {"skip", VALUE_NEEDED, false, read_skip, "RULE,...", "leave these rules out"},
    {"dimension", VALUE_NEEDED, false, read_dimension, "DIMENSION,...",
     "of these dimensions alone"},
    {"kind", VALUE_NEEDED, false, read_kind, "KIND,...", "issue, inefficiency, opportunity"},
    {"min-severity", VALUE_NEEDED, false, read_min_severity, "SEVERITY", "nothing below"},
    {"min-confidence", VALUE_NEEDED, false, read_min_confidence, "CONFIDENCE", "nothing below"},
    {"fail-on", VALUE_NEEDED, false, read_fail_on, "SEVERITY|KIND=SEVERITY,...",
     "what makes the exit code 1 (default issue=medium)"},
    {"exit-zero", VALUE_NONE, false, set_exit_zero, "", "exit code 0 whatever is found"},
    {"keep-going", VALUE_NONE, false, set_keep_going, "", "exit code 1 rather than 3 if both hold"},
    {"show-ignored", VALUE_NONE, false, set_show_ignored, "", "list ignored findings too"},
    {"no-ignores", VALUE_NONE, false, set_no_ignores, "", "as if nothing were ignored"},
    {"sort", VALUE_NEEDED, false, read_sort, "ORDER", "path, severity"},
    {"config", VALUE_NEEDED, true, set_config, "FILE", "instead of the wpa.yml found by itself"},
    {"no-config", VALUE_NONE, true, set_no_config, "", "read no wpa.yml"},
    {"as", VALUE_NEEDED, false, read_as, "KIND", "workflow, action, dependabot, pre-commit"},
    {"stdin-path", VALUE_NEEDED, false, set_stdin_path, "PATH", "name of what comes from -"},
    {"threads", VALUE_NEEDED, false, read_threads, "N", "instead of as many as cores"},
    {"list-rules", VALUE_OPTIONAL, false, read_list_rules, "[=json]", "all rules, one a line"},
    {"explain", VALUE_NEEDED, false, set_explain, "RULE", "what a rule means and what to do"},
    {"verbose", VALUE_NONE, false, set_verbose, "", "say which files were read"},
    {"help", VALUE_NONE, true, set_help, "", "this text"},
};

const char *wpa_check_usage(wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(USAGE_MAX_BYTES);
    wpa_buf_text(buf,
                 "usage: wpa check [OPTION]... [PATH|-]...\n\n"
                 "Check workflows, action files, dependabot.yml and pre-commit files; without a\n"
                 "path those of the repository around the current folder.\n\n");
    for (size_t i = 0; i < WPA_COUNT(table); i++) {
        const char *left =
            wpa_arena_printf(arena, "--%s%s%s", table[i].name,
                             table[i].use == VALUE_NEEDED ? "=" : "", table[i].value);
        wpa_buf_printf(buf, "  %-34s %s\n", left, table[i].words);
    }
    return wpa_buf_dup(buf, arena);
}

static bool refuse_option(wpa_slice name, wpa_arena *arena, wpa_error *err)
{
    const char *names[WPA_COUNT(table)];
    for (size_t i = 0; i < WPA_COUNT(table); i++) {
        names[i] = table[i].name;
    }
    const char *text = wpa_arena_slice(arena, name.at, name.length);
    const char *near = wpa_text_nearest(text, names, WPA_COUNT(names));
    return near ? WPA_FAIL(err, WPA_E_INVALID, "unknown option --%s (did you mean --%s?)", text,
                           near)
                : WPA_FAIL(err, WPA_E_INVALID, "unknown option --%s (see wpa check --help)", text);
}

static size_t find_option(wpa_slice name)
{
    size_t i = 0;
    while (i < WPA_COUNT(table) && !wpa_slice_is(name, table[i].name)) {
        i++;
    }
    return i;
}

/** One argument that begins with "--"; *i moves on if its value is the next one. */
static bool read_one(const reader *r, int argc, char *const argv[], int *i, bool is_early,
                     wpa_error *err)
{
    const char *text = argv[*i] + 2, *equals = strchr(text, '=');
    wpa_slice name = {text, equals ? (size_t)(equals - text) : strlen(text)};
    size_t at = find_option(name);
    if (at == WPA_COUNT(table)) {
        return refuse_option(name, r->arena, err);
    }
    const char *value = equals ? equals + 1 : NULL;
    if (!value && table[at].use == VALUE_NEEDED) {
        value = *i + 1 < argc ? argv[++*i] : NULL;
        if (!value) {
            return WPA_FAIL(err, WPA_E_INVALID, "--%s needs a value (%s)", table[at].name,
                            table[at].value);
        }
    }
    if (value && table[at].use == VALUE_NONE) {
        return WPA_FAIL(err, WPA_E_INVALID, "--%s takes no value", table[at].name);
    }
    return table[at].is_early != is_early || table[at].read(r, value, err);
}

static void add_path(const reader *r, const char *path)
{
    wpa_check_options *o = r->options;
    o->paths = wpa_arena_grow(r->arena, o->paths, o->n_paths, &o->paths_capacity, sizeof *o->paths);
    o->paths[o->n_paths++] = path;
}

static bool read_all(const reader *r, int argc, char *const argv[], bool is_early, wpa_error *err)
{
    bool are_paths = false;
    for (int i = 0; i < argc; i++) {
        if (wpa_text_is(argv[i], "--") && !are_paths) {
            are_paths = true;
        } else if (!are_paths && wpa_text_starts(argv[i], "--")) {
            if (!read_one(r, argc, argv, &i, is_early, err)) {
                return false;
            }
        } else if (!are_paths && argv[i][0] == '-' && argv[i][1]) {
            return WPA_FAIL(err, WPA_E_INVALID, "unknown option %s (see wpa check --help)",
                            argv[i]);
        } else if (is_early) {
            add_path(r, argv[i]);
        }
    }
    return true;
}

/* ---- configuration
 * -----------------------------------------------------------------------------*/

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

bool wpa_check_options_read(int argc, char *const argv[], wpa_check_options *options,
                            wpa_arena *arena, wpa_error *err)
{
    reader r = {options, arena};
    options->settings = wpa_settings_new(wpa_now_us(), arena);
    return read_all(&r, argc, argv, true, err) && read_config(options, arena, err) &&
           read_all(&r, argc, argv, false, err);
}
