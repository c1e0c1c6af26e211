#include "cli/check_options.h"

#include <string.h>
#include <sys/stat.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/seen.h"
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
    r->options->has_only = r->options->settings->has_only = true;
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
    return wpa_report_order_from(value, &r->options->order) ||
           refuse("sort", value, "path, severity, rule, age", err);
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
};

/* Those that are not about rules. */
static const struct {
    const char *name;
    read_option read;
} other_readers[] = {
    {"as", read_as},
    {"sort", read_sort},
    {"threads", read_threads},
};

/* Options with a value that may be left out. */
static const struct {
    const char *name;
    read_option read;
} optional_readers[] = {{"fix", read_fix}, {"list-rules", read_list_rules}};

/** What the command line says of rules, over the configuration. */
static bool read_settings(const reader *r, const wpa_cli *cli, wpa_error *err)
{
    for (size_t i = 0; i < WPA_COUNT(readers); i++) {
        const char *value = wpa_cli_text(cli, readers[i].name);
        if (value && !readers[i].read(r, value, err)) {
            return false;
        }
    }
    return true;
}

static bool read_values(const reader *r, const wpa_cli *cli, wpa_error *err)
{
    if (!read_settings(r, cli, err)) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(other_readers); i++) {
        const char *value = wpa_cli_text(cli, other_readers[i].name);
        if (value && !other_readers[i].read(r, value, err)) {
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
    o->has_no_cache = wpa_cli_is_given(cli, "no-cache");
    o->settings->ignores_off = wpa_cli_is_given(cli, "no-ignores");
    o->baseline = wpa_cli_text(cli, "baseline");
    o->diff_base = wpa_cli_text(cli, "diff-base");
    o->writes_baseline = wpa_cli_is_given(cli, "write-baseline");
    o->updates_baseline = wpa_cli_is_given(cli, "update-baseline");
    o->is_watching = wpa_cli_is_given(cli, "watch");
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

/* In a folder the first that is there counts. */
static const char *const own_names[] = {"wpa.yml", ".wpa.yml", ".github/wpa.yml"};
static const char *const zizmor_names[] = {".github/zizmor.yml", ".github/zizmor.yaml",
                                           "zizmor.yml", "zizmor.yaml"};
static const char *const actionlint_names[] = {".github/actionlint.yaml", ".github/actionlint.yml"};

static const char *first_of(const char *folder, const char *const names[], size_t n, wpa_seen *seen,
                            wpa_arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        const char *path = wpa_path_join(arena, *folder ? folder : ".", names[i]);
        struct stat status;
        bool is_there = stat(path, &status) == 0;
        wpa_seen_status(seen, path, is_there ? &status : NULL);
        if (is_there) {
            return path;
        }
    }
    return NULL;
}

/** The layers in one folder: other programs' first, so that ours is nearer. */
static void layers_in(const char *folder, wpa_check_layer *layers, size_t *n, wpa_seen *seen,
                      wpa_arena *arena)
{
    const char *zizmor = first_of(folder, zizmor_names, WPA_COUNT(zizmor_names), seen, arena);
    const char *actionlint =
        first_of(folder, actionlint_names, WPA_COUNT(actionlint_names), seen, arena);
    const char *own = first_of(folder, own_names, WPA_COUNT(own_names), seen, arena);
    if (zizmor) {
        layers[(*n)++] = (wpa_check_layer){.path = zizmor, .is_zizmor = true};
    }
    if (actionlint) {
        layers[(*n)++] = (wpa_check_layer){.path = actionlint, .is_actionlint = true};
    }
    if (own) {
        layers[(*n)++] = (wpa_check_layer){.path = own};
    }
}

#define FOLDERS_MAX 64

wpa_check_layer *wpa_check_layers(const char *start, wpa_seen *seen, wpa_arena *arena, size_t *n)
{
    const char *folders[FOLDERS_MAX];
    size_t n_folders = 0;
    const char *root = wpa_tree_root(start, arena);
    const char *at = wpa_path_is_dir(start) ? start : parent_of(start, arena);
    at = wpa_tree_real_path(at ? at : ".", arena);
    for (; at && n_folders < FOLDERS_MAX;
         at = root && !wpa_text_is(at, root) ? parent_of(at, arena) : NULL) {
        folders[n_folders++] = at;
    }
    wpa_check_layer *layers = wpa_arena_array(arena, 3 * n_folders + 1, sizeof *layers);
    *n = 0;
    while (n_folders > 0) {
        layers_in(folders[--n_folders], layers, n, seen, arena);
    }
    return layers;
}

/** Says all faults of a configuration but the last one, which becomes the error. */
static bool tell_faults(const wpa_cli *cli, const wpa_text_list *faults, wpa_error *err)
{
    for (size_t i = 0; i + 1 < faults->n; i++) {
        (void)fprintf(cli->err, "wpa: %s\n", faults->items[i]);
    }
    return !faults->n || WPA_FAIL(err, WPA_E_INVALID, "%s", faults->items[faults->n - 1]);
}

bool wpa_check_read_layer(const wpa_cli *cli, const wpa_check_layer *layer, wpa_settings *settings,
                          wpa_arena *arena, wpa_error *err)
{
    size_t size_bytes;
    const char *text = wpa_file_read(layer->path, WPA_CONFIG_MAX_BYTES, arena, &size_bytes, err);
    if (!text) {
        return false;
    }
    if (layer->is_zizmor) {
        return wpa_config_read_zizmor(layer->path, text, size_bytes, settings, arena, err);
    }
    if (layer->is_actionlint) {
        return wpa_config_read_actionlint(layer->path, text, size_bytes, settings, arena, err);
    }
    return wpa_config_read(layer->path, text, size_bytes, settings, arena, err) ||
           (tell_faults(cli, &settings->faults, err) && false);
}

/** Ours in their order, then the foreign ones that ours asks for. */
static bool read_layers(const wpa_cli *cli, const wpa_check_layer *layers, size_t n,
                        wpa_settings *settings, wpa_arena *arena, wpa_error *err)
{
    for (size_t i = 0; i < n; i++) {
        bool is_foreign = layers[i].is_zizmor || layers[i].is_actionlint;
        if (!is_foreign && !wpa_check_read_layer(cli, &layers[i], settings, arena, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < n; i++) {
        bool is_wanted = (layers[i].is_zizmor && settings->reads_zizmor) ||
                         (layers[i].is_actionlint && settings->reads_actionlint);
        if (is_wanted && !wpa_check_read_layer(cli, &layers[i], settings, arena, err)) {
            return false;
        }
    }
    return true;
}

static bool read_config(const wpa_cli *cli, const wpa_check_options *options,
                        wpa_settings *settings, wpa_arena *arena, wpa_error *err)
{
    if (options->config) {
        wpa_check_layer layer = {.path = options->config};
        wpa_seen_path(options->seen, layer.path);
        return wpa_check_read_layer(cli, &layer, settings, arena, err);
    }
    if (options->has_no_config) {
        return true;
    }
    bool has_path = options->n_paths && !wpa_text_is(options->paths[0], "-") &&
                    wpa_path_exists(options->paths[0]);
    size_t n;
    wpa_check_layer *layers =
        wpa_check_layers(has_path ? options->paths[0] : ".", options->seen, arena, &n);
    return read_layers(cli, layers, n, settings, arena, err);
}

const wpa_settings *wpa_check_configure(const wpa_cli *cli, const wpa_check_options *options,
                                        const char *folder, wpa_arena *arena, wpa_error *err)
{
    wpa_check_layer layers[3];
    size_t n = 0;
    if (options->config || options->has_no_config) {
        return options->settings;
    }
    layers_in(folder, layers, &n, options->seen, arena);
    if (n == 0) {
        return options->settings;
    }
    wpa_check_options copy = *options;
    reader r = {&copy, arena};
    copy.has_only = false;
    copy.settings = wpa_settings_new(wpa_now_us(), arena);
    copy.settings->ignores_off = options->settings->ignores_off;
    copy.settings->has_no_repairs = options->settings->has_no_repairs;
    copy.settings->has_no_identities = options->settings->has_no_identities;
    copy.settings->has_no_related = options->settings->has_no_related;
    bool ok = read_config(cli, options, copy.settings, arena, err) &&
              read_layers(cli, layers, n, copy.settings, arena, err) && read_settings(&r, cli, err);
    return ok ? copy.settings : NULL;
}

bool wpa_check_reads_stdin(const wpa_check_options *options)
{
    for (size_t i = 0; i < options->n_paths; i++) {
        if (wpa_text_is(options->paths[i], "-")) {
            return true;
        }
    }
    return false;
}

bool wpa_check_shows(const wpa_check_options *options, unsigned what)
{
    for (size_t i = 0; i < options->n_formats; i++) {
        if (options->formats[i].format->shows & what) {
            return true;
        }
    }
    return false;
}

/** What nobody is shown is not found out; but for the cache, which the next report is made from. */
static void leave_out(wpa_check_options *options)
{
    wpa_settings *settings = options->settings;
    bool has_baseline = options->baseline || settings->baseline || options->writes_baseline ||
                        options->updates_baseline || options->diff_base;
    bool fixes = options->fix != WPA_CHECK_FIX_NONE || options->is_diff;
    if (options->has_no_cache && !has_baseline && !fixes) {
        settings->has_no_repairs = !wpa_check_shows(options, WPA_SHOWS_FIXES);
        settings->has_no_identities = !wpa_check_shows(options, WPA_SHOWS_IDENTITY);
        settings->has_no_related = !wpa_check_shows(options, WPA_SHOWS_RELATED);
    }
}

bool wpa_check_options_read(const wpa_cli *cli, wpa_check_options *options, wpa_error *err)
{
    reader r = {options, cli->arena};
    options->settings = wpa_settings_new(wpa_now_us(), cli->arena);
    read_flags(options, cli);
    if (!read_config(cli, options, options->settings, cli->arena, err) ||
        !read_values(&r, cli, err)) {
        return false;
    }
    if (options->stdin_path && !wpa_check_reads_stdin(options)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "--stdin-path names what comes from standard input: give - as well");
    }
    leave_out(options);
    return true;
}
