/* wpa config check, show, import, default: what configures wpa check here and the engine's
 * analyses, and where that stands. */
#include "rules/config.h"

#include <stdio.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/default_config.h"
#include "cli/check_options.h"
#include "cli/commands.h"
#include "cli/session.h"

#define VALUE_MAX_CHARS 100
#define KEY_DEPTH 3

/* ---- check ---- */

static const char *start_of(const wpa_cli *cli)
{
    return cli->n_operands ? cli->operands[0] : ".";
}

/** A file that is named is the only layer; a folder has those that count in it. */
static wpa_check_layer *layers_of(const wpa_cli *cli, size_t *n)
{
    const char *start = start_of(cli);
    if (wpa_path_is_dir(start)) {
        return wpa_check_layers(start, NULL, cli->arena, n);
    }
    const char *slash = strrchr(start, '/'), *name = slash ? slash + 1 : start;
    wpa_check_layer *layer = wpa_arena_alloc(cli->arena, sizeof *layer);
    layer->path = start;
    layer->is_zizmor = wpa_text_starts(name, "zizmor.");
    layer->is_actionlint = wpa_text_starts(name, "actionlint.");
    *n = 1;
    return layer;
}

#define NOT_ASKED_FOR "no 'compat: {read: [...]}' asks for it"

/** Files of other programs do where ours ask for them, and where they are what is asked about. */
static bool counts(const wpa_cli *cli, const wpa_check_layer *layer, const wpa_settings *settings)
{
    return !wpa_path_is_dir(start_of(cli)) ||
           !((layer->is_zizmor && !settings->reads_zizmor) ||
             (layer->is_actionlint && !settings->reads_actionlint));
}

static int run_check(wpa_cli *cli, wpa_error *err)
{
    size_t n;
    wpa_check_layer *layers = layers_of(cli, &n);
    wpa_settings *settings = wpa_settings_new(wpa_now_us(), cli->arena);
    for (size_t i = 0; i < n; i++) {
        if (!wpa_check_read_layer(cli, &layers[i], settings, cli->arena, err)) {
            err->code = WPA_E_INVALID;
            return WPA_CLI_FAILED;
        }
    }
    for (size_t i = 0; i < n; i++) {
        (void)fprintf(cli->out, "%s: can be read%s\n",
                      wpa_text_visible(cli->arena, layers[i].path, strlen(layers[i].path), false),
                      counts(cli, &layers[i], settings) ? "" : ", and is not: " NOT_ASKED_FOR);
    }
    if (n == 0) {
        (void)fprintf(cli->out, "no configuration for %s: defaults hold\n", start_of(cli));
    }
    return 0;
}

/* ---- show ---- */

#define DEFAULT "default" /* the origin of what no file says */

/* A value as the nearest layer has it. */
typedef struct shown {
    const char *text, *origin;
} shown;

typedef struct shower {
    wpa_map *values; /* "rules.missing-timeout.max" → shown */
    wpa_arena *arena;
    const char *path;
} shower;

/** The value on one line, as it is written. */
static const char *one_line(const wpa_yaml_node *value, wpa_arena *arena)
{
    wpa_span span = value->span;
    char *text = wpa_arena_slice(arena, value->doc->source + span.start, wpa_span_length(span));
    size_t n = 0;
    for (size_t i = 0; text[i]; i++) {
        bool is_blank = strchr(" \t\r\n", text[i]) != NULL;
        if (!is_blank || (n && text[n - 1] != ' ')) {
            text[n++] = (char)(is_blank ? ' ' : text[i]);
        }
    }
    text[n] = '\0';
    return wpa_text_ellipsis(arena, wpa_text_visible(arena, text, n, false), VALUE_MAX_CHARS);
}

static void collect(const shower *s, const wpa_yaml_node *value, const char *key, int depth)
{
    const wpa_yaml_node *real = wpa_yaml_resolve(value);
    if (depth < KEY_DEPTH && wpa_yaml_is(real, WPA_YAML_MAPPING)) {
        for (size_t i = 0; i < real->n_pairs; i++) {
            const char *name = wpa_yaml_text(real->pairs[i].key);
            if (name) {
                collect(s, real->pairs[i].value,
                        wpa_arena_printf(s->arena, "%s%s%s", key, *key ? "." : "", name),
                        depth + 1);
            }
        }
        return;
    }
    shown *at = wpa_arena_alloc(s->arena, sizeof *at);
    at->text = one_line(value, s->arena);
    at->origin = wpa_arena_printf(s->arena, "%s:%zu", s->path,
                                  wpa_yaml_line_of(value->doc, value->span.start));
    wpa_map_put(s->values, key, at);
}

static const struct {
    const char *key, *value;
} defaults[] = {
    {"profile", "default"},           {"persona", "default"},          {"fail-on.issue", "medium"},
    {"fail-on.inefficiency", "none"}, {"fail-on.opportunity", "none"}, {"visibility", "unknown"},
    {"require-reason", "false"},
};

/** What a profile sets and no key of its own does. */
static void show_profile(const shower *s, const char *key, const char *value)
{
    shown *at = wpa_map_get(s->values, key);
    const shown *profile = wpa_map_get(s->values, "profile");
    if (wpa_text_is(at->origin, DEFAULT) && !wpa_text_is(at->text, value)) {
        *at = (shown){value, wpa_arena_printf(s->arena, "%s, profile", profile->origin)};
    }
}

static void show_profiles(const shower *s, const wpa_settings *settings)
{
    static const char *const keys[] = {"fail-on.issue", "fail-on.inefficiency",
                                       "fail-on.opportunity"};
    show_profile(s, "persona", wpa_persona_name(settings->persona));
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        wpa_severity severity = settings->fail_on[i];
        show_profile(s, keys[i],
                     severity == WPA_SEVERITY_COUNT ? "none" : wpa_severity_name(severity));
    }
}

static int run_show(wpa_cli *cli, wpa_error *err)
{
    size_t n;
    wpa_check_layer *layers = layers_of(cli, &n);
    shower s = {wpa_map_new(cli->arena), cli->arena, NULL};
    wpa_settings *settings = wpa_settings_new(wpa_now_us(), cli->arena);
    for (size_t i = 0; i < WPA_COUNT(defaults); i++) {
        shown *at = wpa_arena_alloc(cli->arena, sizeof *at);
        *at = (shown){defaults[i].value, DEFAULT};
        wpa_map_put(s.values, defaults[i].key, at);
    }
    for (size_t i = 0; i < n; i++) {
        if (!wpa_check_read_layer(cli, &layers[i], settings, cli->arena, err)) {
            err->code = WPA_E_INVALID;
            return WPA_CLI_FAILED;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!counts(cli, &layers[i], settings)) {
            (void)fprintf(
                cli->err, "%s is not read: %s\n",
                wpa_text_visible(cli->arena, layers[i].path, strlen(layers[i].path), false),
                NOT_ASKED_FOR);
            continue;
        }
        bool is_foreign = layers[i].is_zizmor || layers[i].is_actionlint;
        const wpa_yaml_doc *doc = wpa_yaml_load(layers[i].path, cli->arena, err);
        if (!doc) {
            err->code = WPA_E_INVALID;
            return WPA_CLI_FAILED;
        }
        s.path = layers[i].path;
        if (doc->root) {
            collect(&s, doc->root,
                    is_foreign ? (layers[i].is_zizmor ? "zizmor" : "actionlint") : "",
                    is_foreign ? 1 : 0);
        }
    }
    show_profiles(&s, settings);
    for (size_t i = 0; i < wpa_map_count(s.values); i++) {
        void *value;
        const char *key = wpa_map_at(s.values, i, &value);
        const shown *at = value;
        (void)fprintf(cli->out, "%s: %s", wpa_text_visible(cli->arena, key, strlen(key), false),
                      at->text);
        (void)fprintf(cli->out, wpa_cli_is_given(cli, "origin") ? "  # %s\n" : "\n",
                      wpa_text_visible(cli->arena, at->origin, strlen(at->origin), false));
    }
    return 0;
}

/* ---- import ---- */

/** A YAML scalar in double quotes. */
static void put_quoted(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            (void)fputc('\\', out);
        }
        (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

static void put_list(FILE *out, const wpa_text_list *list)
{
    (void)fputc('[', out);
    for (size_t i = 0; i < list->n; i++) {
        (void)fputs(i ? ", " : "", out);
        put_quoted(out, list->items[i]);
    }
    (void)fputs("]\n", out);
}

/** Options that "runners:" and "names:" set are not said twice. */
static bool has_options(const wpa_rule *rule, const wpa_rule_setting *setting)
{
    return setting->options && !wpa_text_is(rule->id, "runner-label") &&
           !wpa_text_is(rule->id, "config-names");
}

static bool has_any(const wpa_rule *rule, const wpa_rule_setting *setting)
{
    return setting->toggle == WPA_TOGGLE_OFF || setting->has_severity || setting->has_confidence ||
           setting->has_persona || has_options(rule, setting);
}

static void put_rule(FILE *out, const wpa_rule *rule, const wpa_rule_setting *setting)
{
    (void)fprintf(out, "  %s:", rule->id);
    if (setting->toggle == WPA_TOGGLE_OFF) {
        (void)fputs(" off\n", out);
        return;
    }
    (void)fputs("\n", out);
    if (setting->has_severity) {
        (void)fprintf(out, "    severity: %s\n", wpa_severity_name(setting->severity));
    }
    if (setting->has_confidence) {
        (void)fprintf(out, "    confidence: %s\n", wpa_confidence_name(setting->confidence));
    }
    if (setting->has_persona) {
        (void)fprintf(out, "    persona: %s\n", wpa_persona_name(setting->persona));
    }
    for (size_t i = 0; has_options(rule, setting) && i < wpa_map_count(setting->options); i++) {
        void *value;
        (void)fprintf(out, "    %s: ", wpa_map_at(setting->options, i, &value));
        put_quoted(out, value);
        (void)fputs("\n", out);
    }
}

static void put_rules(FILE *out, const wpa_settings *settings)
{
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    bool has_head = false;
    for (size_t i = 0; i < n_rules; i++) {
        if (has_any(rules[i], &settings->rules[i])) {
            (void)fputs(has_head ? "" : "rules:\n", out);
            has_head = true;
            put_rule(out, rules[i], &settings->rules[i]);
        }
    }
}

static void put_ignores(FILE *out, const wpa_settings *settings, wpa_arena *arena)
{
    (void)fputs(settings->n_ignores ? "ignore:\n" : "", out);
    for (size_t i = 0; i < settings->n_ignores; i++) {
        const wpa_ignore_entry *entry = &settings->ignores[i];
        (void)fputs("  - path: ", out);
        put_quoted(out, !entry->path          ? "**"
                        : entry->is_base_name ? wpa_arena_printf(arena, "**/%s", entry->path)
                                              : entry->path);
        (void)fputs("\n", out);
        if (entry->n_rules) {
            (void)fprintf(out, "    rules: [%s]\n", entry->rules[0]);
        }
        if (entry->line) {
            (void)fprintf(out, "    line: %lld\n", (long long)entry->line);
        }
        if (entry->message) {
            (void)fputs("    message: ", out);
            put_quoted(out, entry->message);
            (void)fputs("\n", out);
        }
        (void)fputs("    reason: ", out);
        put_quoted(out, entry->reason);
        (void)fputs("\n", out);
    }
}

/** Audits that are no rule here, so that nobody takes the new file for the whole of the old one. */
static bool tell_unknown(const wpa_cli *cli, const char *path, wpa_error *err)
{
    const wpa_yaml_doc *doc = wpa_yaml_load(path, cli->arena, err);
    const wpa_yaml_node *audits = doc ? wpa_yaml_get(doc->root, "rules") : NULL;
    for (size_t i = 0; wpa_yaml_is(audits, WPA_YAML_MAPPING) && i < audits->n_pairs; i++) {
        const wpa_yaml_node *key = audits->pairs[i].key;
        const char *name = wpa_yaml_text(key), *check;
        wpa_error why = {0};
        if (name &&
            !wpa_rules_find(wpa_arena_printf(cli->arena, "zizmor/%s", name), &check, &why)) {
            (void)fprintf(cli->err, "%s:%zu: no audit of zizmor's is known as '%s': left out\n",
                          wpa_text_visible(cli->arena, path, strlen(path), false),
                          wpa_yaml_line_of(doc, key->span.start),
                          wpa_text_visible(cli->arena, name, strlen(name), false));
        }
    }
    return doc != NULL;
}

static int run_import(wpa_cli *cli, wpa_error *err)
{
    size_t n;
    wpa_check_layer *layer = layers_of(cli, &n);
    wpa_settings *settings = wpa_settings_new(wpa_now_us(), cli->arena);
    if (n != 1 || !(layer->is_zizmor || layer->is_actionlint)) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "'%s' is called neither zizmor.yml nor actionlint.yaml",
                       start_of(cli));
        return WPA_CLI_FAILED;
    }
    if (!wpa_check_read_layer(cli, layer, settings, cli->arena, err) ||
        (layer->is_zizmor && !tell_unknown(cli, layer->path, err))) {
        err->code = WPA_E_INVALID;
        return WPA_CLI_FAILED;
    }
    (void)fprintf(cli->out, "# made from %s by wpa config import\nversion: 1\n",
                  wpa_text_visible(cli->arena, layer->path, strlen(layer->path), false));
    put_rules(cli->out, settings);
    const wpa_own *own = &settings->own;
    if (own->runner_labels.n) {
        (void)fputs("runners:\n  labels: ", cli->out);
        put_list(cli->out, &own->runner_labels);
    }
    if (own->secrets.is_known || own->variables.is_known) {
        (void)fputs("names:\n", cli->out);
    }
    if (own->secrets.is_known) {
        (void)fputs("  secrets: ", cli->out);
        put_list(cli->out, &own->secrets.names);
    }
    if (own->variables.is_known) {
        (void)fputs("  vars: ", cli->out);
        put_list(cli->out, &own->variables.names);
    }
    put_ignores(cli->out, settings, cli->arena);
    return 0;
}

/* ---- default ---- */

static int show_default(wpa_cli *cli, wpa_error *err)
{
    wpa_default_config config;
    wpa_db *db = wpa_cli_reader(cli, err);
    if (!db || !wpa_default_config_read(db, cli->arena, &config, err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_wants_json(cli)) {
        char time[WPA_TIMESTAMP_SIZE];
        wpa_json *object = wpa_json_new_object(cli->arena);
        wpa_json_set_text(object, "content", config.content);
        wpa_json_set_int(object, "version", config.version);
        wpa_json_set_text(object, "changed_by", config.changed_by);
        wpa_json_set_text(object, "changed_at",
                          config.changed_by ? wpa_timestamp_format(config.changed_at_us, time)
                                            : NULL);
        (void)fprintf(cli->out, "%s\n", wpa_json_dump_pretty(object, cli->arena));
    } else if (config.content) {
        size_t length = strlen(config.content);
        (void)fprintf(cli->out, "%s%s", wpa_text_visible(cli->arena, config.content, length, true),
                      config.content[length - 1] == '\n' ? "" : "\n");
    } else {
        wpa_cli_say(cli, "the fleet has no configuration of its own: defaults hold");
    }
    return 0;
}

/** The bytes of a file, or of standard input. */
static const char *read_content(const wpa_cli *cli, const char *path, wpa_error *err)
{
    size_t size_bytes = 0;
    const char *text =
        wpa_text_is(path, "-")
            ? wpa_fd_read_all(fileno(cli->in), WPA_DEFAULT_CONFIG_MAX_BYTES, cli->arena,
                              &size_bytes, err)
            : wpa_file_read(path, WPA_DEFAULT_CONFIG_MAX_BYTES, cli->arena, &size_bytes, err);
    if (text && (size_bytes == 0 || strlen(text) != size_bytes)) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "%s holds no text", path);
        return NULL;
    }
    return text;
}

static int run_default(wpa_cli *cli, wpa_error *err)
{
    const char *path = cli->n_operands ? cli->operands[0] : NULL;
    bool is_off = wpa_cli_is_given(cli, "off");
    if (path && is_off) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "a file and --off are given, and mean two things");
        return WPA_CLI_FAILED;
    }
    if (!path && !is_off) {
        return show_default(cli, err);
    }
    const char *content = path ? read_content(cli, path, err) : NULL;
    const wpa_actor *actor = path && !content ? NULL : wpa_cli_actor(cli, err);
    if (!actor || !wpa_default_config_set(wpa_cli_db(cli, err), actor, content, -1, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, is_off ? "the fleet has no configuration of its own any more"
                            : "this holds for every repository, below its own wpa.yml, from its "
                              "next analysis on");
    return 0;
}

/* ---- the commands ---- */

static int exit_code_of(wpa_code code)
{
    return code == WPA_E_INVALID ? 2 : 4;
}

const wpa_cli_command wpa_cli_config_check = {
    .name = "config check",
    .operands = "[FILE|FOLDER]",
    .summary = "can the configuration of wpa check be read?",
    .details = "Reads every wpa.yml, .wpa.yml and .github/wpa.yml from the root of the repository "
               "to the folder, and zizmor's and actionlint's files beside them. What is wrong is "
               "named with file, line and the nearest legal name; the exit code is then 2.",
    .max_operands = 1,
    .is_light = true,
    .run = run_check,
    .exit_code = exit_code_of,
};

static const wpa_cli_option show_options[] = {
    {"origin", 0, WPA_CLI_FLAG, NULL, "with the file and line each value comes from"},
};

const wpa_cli_command wpa_cli_config_show = {
    .name = "config show",
    .operands = "[FILE|FOLDER]",
    .summary = "what configures wpa check here, the nearest file first",
    .options = show_options,
    .n_options = WPA_COUNT(show_options),
    .max_operands = 1,
    .is_light = true,
    .run = run_show,
    .exit_code = exit_code_of,
};

const wpa_cli_command wpa_cli_config_import = {
    .name = "config import",
    .operands = "FILE",
    .summary = "print a wpa.yml that says what a zizmor.yml or actionlint.yaml says",
    .min_operands = 1,
    .max_operands = 1,
    .is_light = true,
    .run = run_import,
    .exit_code = exit_code_of,
};

static const wpa_cli_option default_options[] = {
    {"off", 0, WPA_CLI_FLAG, NULL, "take it away"},
};

const wpa_cli_command wpa_cli_config_default = {
    .name = "config default",
    .operands = "[FILE|-]",
    .summary = "show or set the configuration of the whole fleet",
    .details = "A wpa.yml that is kept in the database. The engine's analyses read it below the "
               "one of a repository, which counts in its place key by key: lists replace, +key "
               "adds. It may not name a baseline, analysers, files of other programs or paths of "
               "programs. Only a guardian sets it; the audit log says who did, and its digest. "
               "wpa check does not read it: wpa config default > wpa.yml does.",
    .options = default_options,
    .n_options = WPA_COUNT(default_options),
    .max_operands = 1,
    .has_json = true,
    .run = run_default,
};
