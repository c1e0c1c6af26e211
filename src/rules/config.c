#include "rules/config.h"

#include <string.h>

#include <wpa/text.h>
#include <wpa/yaml.h>

#include "match/regex.h"

/* What every step of reading needs. */
typedef struct reader {
    wpa_settings *settings;
    wpa_arena *arena;
    const char *path;
} reader;

typedef bool (*read_key)(const reader *r, const wpa_yaml_node *value, wpa_error *err);

/* ---- small values ---- */

static bool expect_text(const wpa_yaml_node *value, const char **text, wpa_error *err)
{
    *text = wpa_yaml_text(value);
    return *text || wpa_yaml_fail(value, err, "expected text, got %s", wpa_yaml_describe(value));
}

static bool is_off(const char *text)
{
    return wpa_text_is(text, "off") || wpa_text_is(text, "false");
}

static bool is_on(const char *text)
{
    return wpa_text_is(text, "on") || wpa_text_is(text, "true");
}

static bool read_severity(const wpa_yaml_node *value, wpa_severity *severity, wpa_error *err)
{
    const char *text;
    return expect_text(value, &text, err) &&
           (wpa_severity_from(text, severity) ||
            wpa_yaml_fail(value, err, "'%s' is no severity (low, medium, high, critical)", text));
}

static bool read_confidence(const wpa_yaml_node *value, wpa_confidence *confidence, wpa_error *err)
{
    const char *text;
    return expect_text(value, &text, err) &&
           (wpa_confidence_from(text, confidence) ||
            wpa_yaml_fail(value, err, "'%s' is no confidence (low, medium, high)", text));
}

static bool read_persona(const wpa_yaml_node *value, wpa_persona *persona, wpa_error *err)
{
    const char *text;
    return expect_text(value, &text, err) &&
           (wpa_persona_from(text, persona) ||
            wpa_yaml_fail(value, err, "'%s' is no persona (default, pedantic, auditor)", text));
}

static bool is_date(const char *text)
{
    return strlen(text) == 10 && strspn(text, "0123456789-") == 10 && text[4] == '-' &&
           text[7] == '-';
}

/* ---- rules ---- */

bool wpa_config_fail_on(const char *value, wpa_severity *severity)
{
    if (wpa_text_is(value, "none")) {
        *severity = WPA_SEVERITY_COUNT;
        return true;
    }
    return wpa_severity_from(value, severity);
}

static void toggle_rule(wpa_settings *settings, const wpa_rule *rule, const char *check,
                        wpa_toggle toggle, wpa_arena *arena)
{
    wpa_rule_setting *setting = wpa_settings_of(settings, rule);
    if (check && toggle == WPA_TOGGLE_OFF) {
        wpa_map *checks = wpa_map_new(arena);
        for (size_t i = 0; setting->checks_off && i < wpa_map_count(setting->checks_off); i++) {
            wpa_map_put(checks, wpa_map_at(setting->checks_off, i, NULL), checks);
        }
        wpa_map_put(checks, check, checks);
        setting->checks_off = checks;
    } else {
        setting->toggle = toggle;
    }
}

bool wpa_settings_toggle(wpa_settings *settings, const char *name, wpa_toggle toggle,
                         wpa_arena *arena, wpa_error *err)
{
    static const char prefix[] = "dimension:";
    if (wpa_text_starts(name, prefix)) {
        wpa_dimension dimension;
        if (!wpa_dimension_from(name + sizeof prefix - 1, &dimension)) {
            return WPA_FAIL(err, WPA_E_INVALID, "unknown dimension '%s'", name + sizeof prefix - 1);
        }
        size_t n_rules;
        const wpa_rule *const *rules = wpa_rules_all(&n_rules);
        for (size_t i = 0; i < n_rules; i++) {
            if (rules[i]->dimension == dimension) {
                settings->rules[i].toggle = toggle;
            }
        }
        return true;
    }
    const char *check;
    const wpa_rule *rule = wpa_rules_find(name, &check, err);
    if (rule) {
        toggle_rule(settings, rule, check, toggle, arena);
    }
    return rule != NULL;
}

static bool find_rule(const wpa_yaml_node *at, const char *name, const wpa_rule **rule,
                      const char **check, wpa_error *err)
{
    wpa_error why = {0};
    *rule = wpa_rules_find(name, check, &why);
    return *rule || wpa_yaml_fail(at, err, "%s", why.message);
}

static const wpa_rule_option *find_option(const wpa_rule *rule, const char *name)
{
    for (const wpa_rule_option *option = rule->options; option && option->name; option++) {
        if (wpa_text_is(option->name, name)) {
            return option;
        }
    }
    return NULL;
}

static bool refuse_option(const wpa_rule *rule, const wpa_yaml_node *key, wpa_error *err)
{
    const char *names[32] = {"off", "severity", "confidence", "persona"};
    size_t n = 4;
    for (const wpa_rule_option *o = rule->options; o && o->name && n < WPA_COUNT(names); o++) {
        names[n++] = o->name;
    }
    const char *near = wpa_text_nearest(key->text, names, n);
    return near ? wpa_yaml_fail(key, err, "%s has no option '%s' (did you mean '%s'?)", rule->id,
                                key->text, near)
                : wpa_yaml_fail(key, err, "%s has no option '%s'", rule->id, key->text);
}

/** "key=value" of every pair, joined by commas. */
static bool pairs_value(const reader *r, const wpa_yaml_node *mapping, const char **text,
                        wpa_error *err)
{
    const char *all = "";
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        const char *key, *value;
        if (!expect_text(mapping->pairs[i].key, &key, err) ||
            !expect_text(mapping->pairs[i].value, &value, err)) {
            return false;
        }
        all = wpa_arena_printf(r->arena, "%s%s%s=%s", all, *all ? "," : "", key, value);
    }
    *text = all;
    return true;
}

/** A text, a list of texts joined by commas, or a mapping as "key=value" joined by commas. */
static bool option_value(const reader *r, const wpa_yaml_node *value, const char **text,
                         wpa_error *err)
{
    *text = wpa_yaml_text(value);
    if (*text) {
        return true;
    }
    if (wpa_yaml_is(value, WPA_YAML_MAPPING)) {
        return pairs_value(r, value, text, err);
    }
    if (!wpa_yaml_is(value, WPA_YAML_SEQUENCE)) {
        return wpa_yaml_fail(value, err, "expected text or a list of texts, got %s",
                             wpa_yaml_describe(value));
    }
    const char *all = "";
    for (size_t i = 0; i < value->n_items; i++) {
        const char *item;
        if (!expect_text(value->items[i], &item, err)) {
            return false;
        }
        all = wpa_arena_printf(r->arena, "%s%s%s", all, *all ? "," : "", item);
    }
    *text = all;
    return true;
}

static bool read_rule_pair(const reader *r, const wpa_rule *rule, const wpa_yaml_pair *pair,
                           wpa_map *options, wpa_error *err)
{
    wpa_rule_setting *setting = wpa_settings_of(r->settings, rule);
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    const char *key = wpa_yaml_text(pair->key), *text;
    if (wpa_text_is(key, "severity")) {
        setting->has_severity = true;
        return read_severity(value, &setting->severity, err);
    }
    if (wpa_text_is(key, "confidence")) {
        setting->has_confidence = true;
        return read_confidence(value, &setting->confidence, err);
    }
    if (wpa_text_is(key, "persona")) {
        setting->has_persona = true;
        return read_persona(value, &setting->persona, err);
    }
    if (wpa_text_is(key, "off")) {
        bool ok = expect_text(value, &text, err);
        setting->toggle = ok && is_on(text) ? WPA_TOGGLE_OFF : setting->toggle;
        return ok;
    }
    if (!key || !find_option(rule, key)) {
        return key ? refuse_option(rule, pair->key, err)
                   : wpa_yaml_fail(pair->key, err, "expected the name of an option");
    }
    if (!option_value(r, value, &text, err)) {
        return false;
    }
    wpa_map_put(options, key, wpa_arena_text(r->arena, text));
    return true;
}

static bool read_rule(const reader *r, const wpa_yaml_pair *pair, wpa_error *err)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    const char *name, *check, *text = wpa_yaml_text(value);
    const wpa_rule *rule;
    if (!expect_text(pair->key, &name, err) || !find_rule(pair->key, name, &rule, &check, err)) {
        return false;
    }
    if (text && (is_off(text) || is_on(text))) {
        toggle_rule(r->settings, rule, check, is_off(text) ? WPA_TOGGLE_OFF : WPA_TOGGLE_UNSET,
                    r->arena);
        return true;
    }
    if (!wpa_yaml_is(value, WPA_YAML_MAPPING) || check) {
        return wpa_yaml_fail(pair->value, err, "expected on, off%s, got %s",
                             check ? "" : " or a mapping of options", wpa_yaml_describe(value));
    }
    wpa_map *options = wpa_map_new(r->arena);
    for (size_t i = 0; i < value->n_pairs; i++) {
        if (!read_rule_pair(r, rule, &value->pairs[i], options, err)) {
            return false;
        }
    }
    wpa_settings_of(r->settings, rule)->options = options;
    return true;
}

static bool read_rules(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err)) {
        return false;
    }
    for (size_t i = 0; i < value->n_pairs; i++) {
        if (!read_rule(r, &value->pairs[i], err)) {
            return false;
        }
    }
    return true;
}

/* ---- the other keys ---- */

static bool read_version(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    (void)r;
    const char *text;
    return expect_text(value, &text, err) &&
           (wpa_text_is(text, "1") ||
            wpa_yaml_fail(value, err, "version '%s' is not known (this program reads 1)", text));
}

static bool read_persona_key(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    return read_persona(value, &r->settings->persona, err);
}

static void fail_on_all(wpa_settings *settings, wpa_severity severity)
{
    for (size_t i = 0; i < WPA_KIND_COUNT; i++) {
        settings->fail_on[i] = severity;
    }
}

static bool read_profile(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const names[] = {"default", "strict", "security", "quiet"};
    const char *text;
    if (!expect_text(value, &text, err)) {
        return false;
    }
    switch (wpa_text_index(text, names, WPA_COUNT(names))) {
    case 0:
        return true;
    case 1:
        r->settings->persona = WPA_PERSONA_PEDANTIC;
        fail_on_all(r->settings, WPA_SEVERITY_LOW);
        return true;
    case 2:
        for (size_t i = 0; i < WPA_DIMENSION_COUNT; i++) {
            r->settings->dimension_off[i] = i != WPA_DIMENSION_SECURITY;
        }
        return true;
    case 3:
        r->settings->min_severity = WPA_SEVERITY_MEDIUM;
        return true;
    default:
        return wpa_yaml_fail(value, err, "'%s' is no profile (default, strict, security, quiet)",
                             text);
    }
}

static bool read_fail_level(const wpa_yaml_node *value, wpa_severity *severity, wpa_error *err)
{
    const char *text;
    return expect_text(value, &text, err) &&
           (wpa_config_fail_on(text, severity) ||
            wpa_yaml_fail(value, err, "'%s' is no severity (low, medium, high, critical, none)",
                          text));
}

static bool read_fail_on(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const kinds[] = {"issue", "inefficiency", "opportunity"};
    if (wpa_yaml_text(value)) {
        wpa_severity severity = WPA_SEVERITY_COUNT;
        bool ok = read_fail_level(value, &severity, err);
        if (ok) {
            fail_on_all(r->settings, severity);
        }
        return ok;
    }
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err) ||
        !wpa_yaml_check_keys(value, kinds, WPA_COUNT(kinds), err)) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(kinds); i++) {
        const wpa_yaml_node *level = wpa_yaml_get(value, kinds[i]);
        if (level && !read_fail_level(level, &r->settings->fail_on[i], err)) {
            return false;
        }
    }
    return true;
}

static bool read_dimension(const reader *r, const wpa_yaml_pair *pair, wpa_error *err)
{
    static const char *const keys[] = {"persona", "off"};
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    const char *name, *text = wpa_yaml_text(value);
    wpa_dimension dimension;
    if (!expect_text(pair->key, &name, err)) {
        return false;
    }
    if (!wpa_dimension_from(name, &dimension)) {
        return wpa_yaml_fail(pair->key, err, "'%s' is no dimension", name);
    }
    if (text && (is_off(text) || is_on(text))) {
        r->settings->dimension_off[dimension] = is_off(text);
        return true;
    }
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err) ||
        !wpa_yaml_check_keys(value, keys, WPA_COUNT(keys), err)) {
        return false;
    }
    const wpa_yaml_node *persona = wpa_yaml_get(value, "persona");
    return wpa_yaml_get_bool(value, "off", &r->settings->dimension_off[dimension], err) &&
           (!persona || read_persona(persona, &r->settings->dimension_persona[dimension], err));
}

static bool read_dimensions(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err)) {
        return false;
    }
    for (size_t i = 0; i < value->n_pairs; i++) {
        if (!read_dimension(r, &value->pairs[i], err)) {
            return false;
        }
    }
    return true;
}

static bool read_paths(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const keys[] = {"exclude"};
    return wpa_yaml_expect(value, WPA_YAML_MAPPING, err) &&
           wpa_yaml_check_keys(value, keys, WPA_COUNT(keys), err) &&
           wpa_yaml_get_texts(value, "exclude", r->arena, &r->settings->exclude,
                              &r->settings->n_exclude, err);
}

static bool check_names(const wpa_yaml_node *at, const wpa_ignore_entry *entry, wpa_error *err)
{
    for (size_t i = 0; i < entry->n_rules; i++) {
        const wpa_rule *rule;
        const char *check, *name = entry->rules[i];
        bool is_wide = wpa_text_is(name, "*") || wpa_text_starts(name, "dimension:");
        if (!is_wide && !find_rule(at, name, &rule, &check, err)) {
            return false;
        }
    }
    return true;
}

/** A pattern that compiles; it is compiled again where it is used. */
static bool read_pattern(const wpa_yaml_node *value, const char **pattern, wpa_error *err)
{
    if (!wpa_yaml_get_text(value, "message", pattern, err)) {
        return false;
    }
    wpa_error why = {0};
    WPA_AUTO(wpa_regex) *regex = *pattern ? wpa_regex_new(*pattern, 0, &why) : NULL;
    return !*pattern || regex ||
           wpa_yaml_fail(wpa_yaml_get(value, "message"), err, "%s", why.message);
}

static bool read_ignore(const reader *r, const wpa_yaml_node *value, wpa_ignore_entry *entry,
                        wpa_error *err)
{
    static const char *const keys[] = {"path",  "rules",       "line",   "reason",
                                       "until", "fingerprint", "message"};
    bool ok = wpa_yaml_expect(value, WPA_YAML_MAPPING, err) &&
              wpa_yaml_check_keys(value, keys, WPA_COUNT(keys), err) &&
              wpa_yaml_get_text(value, "path", &entry->path, err) &&
              wpa_yaml_get_texts(value, "rules", r->arena, &entry->rules, &entry->n_rules, err) &&
              wpa_yaml_get_int(value, "line", 1, INT32_MAX, &entry->line, err) &&
              wpa_yaml_get_text(value, "reason", &entry->reason, err) &&
              wpa_yaml_get_text(value, "until", &entry->until, err) &&
              wpa_yaml_get_text(value, "fingerprint", &entry->fingerprint, err) &&
              read_pattern(value, &entry->message, err) && check_names(value, entry, err);
    if (ok && entry->until && !is_date(entry->until)) {
        return wpa_yaml_fail(wpa_yaml_get(value, "until"), err, "'%s' is no date (YYYY-MM-DD)",
                             entry->until);
    }
    if (ok && !entry->path && !entry->n_rules && !entry->fingerprint && !entry->message) {
        return wpa_yaml_fail(value, err,
                             "an ignore needs a path, rules, a message or a fingerprint");
    }
    entry->file = r->path;
    entry->at_line = wpa_yaml_line_of(value->doc, value->span.start);
    return ok;
}

static bool read_ignores(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    if (!wpa_yaml_expect(value, WPA_YAML_SEQUENCE, err)) {
        return false;
    }
    wpa_ignore_entry *entries =
        wpa_arena_array(r->arena, value->n_items ? value->n_items : 1, sizeof *entries);
    for (size_t i = 0; i < value->n_items; i++) {
        entries[i].reason = "";
        if (!read_ignore(r, wpa_yaml_resolve(value->items[i]), &entries[i], err)) {
            return false;
        }
    }
    r->settings->ignores = entries;
    r->settings->n_ignores = value->n_items;
    return true;
}

static bool read_require_reason(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    const char *text;
    bool ok = expect_text(value, &text, err) &&
              (is_on(text) || is_off(text) ||
               wpa_yaml_fail(value, err, "expected true or false, got '%s'", text));
    r->settings->require_reason = ok && is_on(text);
    return ok;
}

static bool read_tools(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const names[WPA_TOOL_COUNT] = {"shellcheck", "pyflakes", "node", "pwsh"};
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err) ||
        !wpa_yaml_check_keys(value, names, WPA_COUNT(names), err)) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const wpa_yaml_node *node = wpa_yaml_get(value, names[i]);
        const char *text = NULL;
        if (node && !expect_text(node, &text, err)) {
            return false;
        }
        wpa_tool_setting *tool = &r->settings->tools[i];
        tool->is_off = text && is_off(text);
        tool->is_required = wpa_text_is(text, "required");
        bool is_mode = !text || tool->is_off || tool->is_required || wpa_text_is(text, "auto");
        if (!is_mode && text[0] != '/') {
            return wpa_yaml_fail(node, err,
                                 "expected auto, off, required or an absolute path, "
                                 "got '%s'",
                                 text);
        }
        tool->path = is_mode ? NULL : wpa_arena_text(r->arena, text);
    }
    return true;
}

static const struct {
    const char *name;
    read_key read;
} keys[] = {
    /* profile first: what the file says itself beats it */
    {"version", read_version}, {"profile", read_profile}, {"persona", read_persona_key},
    {"fail-on", read_fail_on}, {"rules", read_rules},     {"dimensions", read_dimensions},
    {"paths", read_paths},     {"ignore", read_ignores},  {"require-reason", read_require_reason},
    {"tools", read_tools},
};

bool wpa_config_read(const char *path, const char *text, size_t size_bytes, wpa_settings *settings,
                     wpa_arena *arena, wpa_error *err)
{
    if (size_bytes > WPA_CONFIG_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "%s is larger than %zu bytes", path,
                        WPA_CONFIG_MAX_BYTES);
    }
    const wpa_yaml_doc *doc = wpa_yaml_parse_strict(path, text, size_bytes, arena, err);
    const char *names[WPA_COUNT(keys)];
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        names[i] = keys[i].name;
    }
    if (!doc || !wpa_yaml_expect(doc->root, WPA_YAML_MAPPING, err) ||
        !wpa_yaml_check_keys(doc->root, names, WPA_COUNT(names), err)) {
        return false;
    }
    reader r = {settings, arena, doc->path};
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        const wpa_yaml_node *value = wpa_yaml_get(doc->root, keys[i].name);
        if (value && !keys[i].read(&r, value, err)) {
            return false;
        }
    }
    return true;
}
