/* "rules:" of a configuration: what it switches, sets and silences of each. */
#include <string.h>

#include <wpa/text.h>
#include <wpa/yaml.h>

#include "rules/config_read.h"

typedef wpa_config_reader reader;

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

bool wpa_config_rule(const wpa_yaml_node *at, const char *name, const wpa_rule **rule,
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
    const char *names[32] = {"off", "severity", "confidence", "persona", "paths", "ignore"};
    size_t n = 6;
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
        if (!wpa_config_text(mapping->pairs[i].key, &key, err) ||
            !wpa_config_text(mapping->pairs[i].value, &value, err)) {
            return false;
        }
        all = wpa_arena_printf(r->arena, "%s%s%s=%s", all, *all ? "," : "", key, value);
    }
    *text = all;
    return true;
}

/** A text, a list of texts joined by the separator, or a mapping as "key=value" by commas. */
static bool option_value(const reader *r, const wpa_yaml_node *value, const char *separator,
                         const char **text, wpa_error *err)
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
        if (!wpa_config_text(value->items[i], &item, err)) {
            return false;
        }
        all = wpa_arena_printf(r->arena, "%s%s%s", all, *all ? separator : "", item);
    }
    *text = all;
    return true;
}

/** Files whose findings of this rule are silenced: globs, "path:line" or "path:line:column". */
static bool read_rule_ignore(const reader *r, const wpa_rule *rule, const wpa_yaml_node *value,
                             wpa_error *err)
{
    bool is_list = wpa_yaml_is(value, WPA_YAML_SEQUENCE);
    for (size_t i = 0; i < (is_list ? value->n_items : 1); i++) {
        const wpa_yaml_node *item = is_list ? wpa_yaml_resolve(value->items[i]) : value;
        const char *text;
        const char **names = wpa_arena_array(r->arena, 1, sizeof *names);
        if (!wpa_config_text(item, &text, err)) {
            return false;
        }
        names[0] = rule->id;
        wpa_ignore_entry entry = {
            .rules = names, .n_rules = 1, .reason = "", .file = r->path, .has_no_room = true};
        entry.at_line = wpa_yaml_line_of(item->doc, item->span.start);
        wpa_config_place(text, &entry, r->arena);
        wpa_config_add_ignore(r, entry);
    }
    return true;
}

/** A comma is a character of patterns like any other. */
static const char *separator_of(const wpa_rule_option *option)
{
    return option && option->form == WPA_OPTION_PATTERNS ? " " : ",";
}

static void put_option(const reader *r, const wpa_rule *rule, const char *key, const char *text,
                       bool is_added)
{
    wpa_rule_setting *setting = wpa_settings_of(r->settings, rule);
    wpa_map *options = wpa_map_new(r->arena);
    for (size_t i = 0; setting->options && i < wpa_map_count(setting->options); i++) {
        void *value;
        const char *name = wpa_map_at(setting->options, i, &value);
        wpa_map_put(options, name, value);
    }
    const char *before = wpa_map_get(options, key);
    const wpa_rule_option *option = find_option(rule, key);
    before = before ? before : option ? option->value : "";
    wpa_map_put(options, key,
                is_added && *before
                    ? wpa_arena_printf(r->arena, "%s%s%s", before, separator_of(option), text)
                    : wpa_arena_text(r->arena, text));
    setting->options = options;
}

void wpa_config_set_option(const wpa_config_reader *r, const char *rule_id, const char *option,
                           const char *value)
{
    const char *check;
    wpa_error err = {0};
    const wpa_rule *rule = wpa_rules_find(rule_id, &check, &err);
    if (rule && find_option(rule, option)) {
        put_option(r, rule, option, value, false);
    }
}

static bool check_number(const wpa_yaml_node *value, const char *text, wpa_error *err)
{
    int64_t number;
    return wpa_text_to_int(text, 0, INT64_MAX, &number) ||
           wpa_yaml_fail(value, err, "'%s' is no whole number", text);
}

static bool check_share(const wpa_yaml_node *value, const char *text, wpa_error *err)
{
    double real;
    return (wpa_text_to_double(text, &real) && real >= 0) ||
           wpa_yaml_fail(value, err, "'%s' is no number", text);
}

static bool check_duration(const wpa_yaml_node *value, const char *text, wpa_error *err)
{
    int64_t ms;
    return wpa_text_to_duration_ms(text, &ms) ||
           wpa_yaml_fail(value, err, "'%s' is no length of time (30s, 5m, 2h)", text);
}

static bool check_switch(const wpa_yaml_node *value, const char *text, wpa_error *err)
{
    return wpa_text_is(text, "on") || wpa_text_is(text, "off") ||
           wpa_yaml_fail(value, err, "expected on or off, got '%s'", text);
}

static bool check_patterns(const wpa_yaml_node *value, const char *text, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (const char *at = text + strspn(text, " \n"); *at; at += strspn(at, " \n")) {
        size_t length = strcspn(at, " \n");
        if (!wpa_config_pattern(value, wpa_arena_slice(arena, at, length), err)) {
            return false;
        }
        at += length;
    }
    return true;
}

/** Those of unpinned-uses. */
static bool check_policies(const wpa_yaml_node *value, const char *text, wpa_error *err)
{
    static const char *const names[] = {"any", "ref", "hash", "ref-pin", "hash-pin"};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (const char *at = text + strspn(text, " ,"); *at; at += strspn(at, " ,")) {
        size_t length = strcspn(at, " ,");
        const char *word = wpa_arena_slice(arena, at, length);
        const char *equals = strchr(word, '=');
        if (!equals || wpa_text_index(equals + 1, names, WPA_COUNT(names)) < 0) {
            return wpa_yaml_fail(value, err, "'%s' sets no policy (any, ref, hash)", word);
        }
        at += length;
    }
    return true;
}

static bool check_value(const wpa_rule_option *option, const wpa_yaml_node *value, const char *text,
                        wpa_error *err)
{
    static bool (*const checks[WPA_OPTION_FORM_COUNT])(const wpa_yaml_node *, const char *,
                                                       wpa_error *) = {
        [WPA_OPTION_NUMBER] = check_number,        [WPA_OPTION_SHARE] = check_share,
        [WPA_OPTION_DURATION] = check_duration,    [WPA_OPTION_SWITCH] = check_switch,
        [WPA_OPTION_PATTERN] = wpa_config_pattern, [WPA_OPTION_PATTERNS] = check_patterns,
        [WPA_OPTION_POLICIES] = check_policies,
    };
    return !checks[option->form] || checks[option->form](value, text, err);
}

static bool read_rule_option(const reader *r, const wpa_rule *rule, const wpa_yaml_pair *pair,
                             const char *key, wpa_error *err)
{
    const char *text;
    bool is_added = key && *key == '+';
    key += is_added;
    const wpa_rule_option *option = key ? find_option(rule, key) : NULL;
    if (!option) {
        return key ? refuse_option(rule, pair->key, err)
                   : wpa_yaml_fail(pair->key, err, "expected the name of an option");
    }
    if (!option_value(r, wpa_yaml_resolve(pair->value), separator_of(option), &text, err) ||
        !check_value(option, pair->value, text, err)) {
        return false;
    }
    put_option(r, rule, key, text, is_added);
    return true;
}

static bool read_rule_pair(const reader *r, const wpa_rule *rule, const wpa_yaml_pair *pair,
                           const wpa_yaml_node *mapping, wpa_error *err)
{
    wpa_rule_setting *setting = wpa_settings_of(r->settings, rule);
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    const char *key = wpa_yaml_text(pair->key), *text;
    if (wpa_text_is(key, "severity")) {
        setting->has_severity = true;
        return wpa_config_severity(value, &setting->severity, err);
    }
    if (wpa_text_is(key, "confidence")) {
        setting->has_confidence = true;
        return wpa_config_confidence(value, &setting->confidence, err);
    }
    if (wpa_text_is(key, "persona")) {
        setting->has_persona = true;
        return wpa_config_persona(value, &setting->persona, err);
    }
    if (wpa_text_is(key, "paths") || wpa_text_is(key, "+paths")) {
        return wpa_config_list(r, mapping, "paths", &setting->paths, err);
    }
    if ((wpa_text_is(key, "ignore") || wpa_text_is(key, "+ignore")) &&
        !find_option(rule, "ignore")) {
        return read_rule_ignore(r, rule, value, err);
    }
    if (wpa_text_is(key, "off")) {
        bool ok = wpa_config_text(value, &text, err);
        setting->toggle = ok && wpa_config_is_on(text) ? WPA_TOGGLE_OFF : setting->toggle;
        return ok;
    }
    return read_rule_option(r, rule, pair, key ? key : "", err);
}

/** "shellcheck/SC2086: {severity: low}" */
static bool read_check(const reader *r, const wpa_rule *rule, const char *check,
                       const wpa_yaml_node *value, wpa_error *err)
{
    static const char *const keys[] = {"off", "severity"};
    wpa_rule_setting *setting = wpa_settings_of(r->settings, rule);
    wpa_check_setting *own = wpa_arena_alloc(r->arena, sizeof *own);
    bool off = false;
    if (!wpa_config_check_keys(r, value, keys, WPA_COUNT(keys), err) ||
        !wpa_yaml_get_bool(value, "off", &off, err)) {
        return false;
    }
    const wpa_yaml_node *severity = wpa_yaml_get(value, "severity");
    own->has_severity = severity != NULL;
    if (severity && !wpa_config_severity(severity, &own->severity, err)) {
        return false;
    }
    wpa_map *checks = wpa_map_new(r->arena);
    for (size_t i = 0; setting->checks && i < wpa_map_count(setting->checks); i++) {
        void *other;
        const char *name = wpa_map_at(setting->checks, i, &other);
        wpa_map_put(checks, name, other);
    }
    wpa_map_put(checks, check, own);
    setting->checks = checks;
    if (off) {
        toggle_rule(r->settings, rule, check, WPA_TOGGLE_OFF, r->arena);
    }
    return true;
}

static bool read_rule(const reader *r, const wpa_yaml_pair *pair, wpa_error *err)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    const char *name, *check, *text = wpa_yaml_text(value);
    const wpa_rule *rule;
    if (!wpa_config_text(pair->key, &name, err) ||
        !wpa_config_rule(pair->key, name, &rule, &check, err)) {
        return false;
    }
    if (text && (wpa_config_is_off(text) || wpa_config_is_on(text))) {
        toggle_rule(r->settings, rule, check,
                    wpa_config_is_off(text) ? WPA_TOGGLE_OFF : WPA_TOGGLE_UNSET, r->arena);
        return true;
    }
    if (!wpa_yaml_is(value, WPA_YAML_MAPPING)) {
        return wpa_yaml_fail(pair->value, err, "expected on, off or a mapping of options, got %s",
                             wpa_yaml_describe(value));
    }
    if (check) {
        return read_check(r, rule, check, value, err);
    }
    for (size_t i = 0; i < value->n_pairs; i++) {
        wpa_config_keep(r, read_rule_pair(r, rule, &value->pairs[i], value, err), err);
    }
    return true;
}

bool wpa_config_rules(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err)) {
        return false;
    }
    for (size_t i = 0; i < value->n_pairs; i++) {
        wpa_config_keep(r, read_rule(r, &value->pairs[i], err), err);
    }
    return true;
}
