#include "rules/config.h"

#include <string.h>

#include <wpa/text.h>
#include <wpa/yaml.h>

#include "facts/facts.h"
#include "match/regex.h"
#include "rules/config_read.h"

typedef wpa_config_reader reader;

/* ---- small values ---- */

bool wpa_config_text(const wpa_yaml_node *value, const char **text, wpa_error *err)
{
    *text = wpa_yaml_text(value);
    return *text || wpa_yaml_fail(value, err, "expected text, got %s", wpa_yaml_describe(value));
}

bool wpa_config_is_off(const char *text)
{
    return wpa_text_is(text, "off") || wpa_text_is(text, "false");
}

bool wpa_config_is_on(const char *text)
{
    return wpa_text_is(text, "on") || wpa_text_is(text, "true");
}

bool wpa_config_severity(const wpa_yaml_node *value, wpa_severity *severity, wpa_error *err)
{
    const char *text;
    return wpa_config_text(value, &text, err) &&
           (wpa_severity_from(text, severity) ||
            wpa_yaml_fail(value, err, "'%s' is no severity (low, medium, high, critical)", text));
}

bool wpa_config_confidence(const wpa_yaml_node *value, wpa_confidence *confidence, wpa_error *err)
{
    const char *text;
    return wpa_config_text(value, &text, err) &&
           (wpa_confidence_from(text, confidence) ||
            wpa_yaml_fail(value, err, "'%s' is no confidence (low, medium, high)", text));
}

bool wpa_config_persona(const wpa_yaml_node *value, wpa_persona *persona, wpa_error *err)
{
    const char *text;
    return wpa_config_text(value, &text, err) &&
           (wpa_persona_from(text, persona) ||
            wpa_yaml_fail(value, err, "'%s' is no persona (default, pedantic, auditor)", text));
}

/* ---- keys ---- */

bool wpa_config_fail_on(const char *value, wpa_severity *severity)
{
    if (wpa_text_is(value, "none")) {
        *severity = WPA_SEVERITY_COUNT;
        return true;
    }
    return wpa_severity_from(value, severity);
}

static bool read_version(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    (void)r;
    const char *text;
    return wpa_config_text(value, &text, err) &&
           (wpa_text_is(text, "1") ||
            wpa_yaml_fail(value, err, "version '%s' is not known (this program reads 1)", text));
}

static bool read_persona_key(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    return wpa_config_persona(value, &r->settings->persona, err);
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
    if (!wpa_config_text(value, &text, err)) {
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
    return wpa_config_text(value, &text, err) &&
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
    if (!wpa_config_check_keys(r, value, kinds, WPA_COUNT(kinds), err)) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(kinds); i++) {
        const wpa_yaml_node *level = wpa_yaml_get(value, kinds[i]);
        wpa_severity *severity = &r->settings->fail_on[i];
        wpa_config_keep(r, !level || read_fail_level(level, severity, err), err);
    }
    return true;
}

static bool read_dimension(const reader *r, const wpa_yaml_pair *pair, wpa_error *err)
{
    static const char *const keys[] = {"persona", "off"};
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    const char *name, *text = wpa_yaml_text(value);
    wpa_dimension dimension;
    if (!wpa_config_text(pair->key, &name, err)) {
        return false;
    }
    if (!wpa_dimension_from(name, &dimension)) {
        return wpa_yaml_fail(pair->key, err, "'%s' is no dimension", name);
    }
    if (text && (wpa_config_is_off(text) || wpa_config_is_on(text))) {
        r->settings->dimension_off[dimension] = wpa_config_is_off(text);
        return true;
    }
    if (!wpa_config_check_keys(r, value, keys, WPA_COUNT(keys), err)) {
        return false;
    }
    const wpa_yaml_node *persona = wpa_yaml_get(value, "persona");
    return wpa_yaml_get_bool(value, "off", &r->settings->dimension_off[dimension], err) &&
           (!persona ||
            wpa_config_persona(persona, &r->settings->dimension_persona[dimension], err));
}

static bool read_dimensions(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err)) {
        return false;
    }
    for (size_t i = 0; i < value->n_pairs; i++) {
        wpa_config_keep(r, read_dimension(r, &value->pairs[i], err), err);
    }
    return true;
}

/** "exclude", or a glob with the rules that differ there. */
static bool read_path(const reader *r, const wpa_yaml_node *mapping, const wpa_yaml_pair *pair,
                      wpa_error *err)
{
    static const char *const keys[] = {"rules"};
    const char *glob;
    wpa_text_list exclude = {r->settings->exclude, r->settings->n_exclude};
    if (!wpa_config_text(pair->key, &glob, err)) {
        return false;
    }
    if (wpa_text_is(glob, "exclude") || wpa_text_is(glob, "+exclude")) {
        bool ok = wpa_config_list(r, mapping, "exclude", &exclude, err);
        r->settings->exclude = exclude.items;
        r->settings->n_exclude = exclude.n;
        return ok;
    }
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    const wpa_yaml_node *rules = wpa_yaml_get(value, "rules");
    /* Read now for its faults, and again over the settings as they are in the end. */
    wpa_settings *trial = wpa_settings_new(0, r->arena);
    reader trial_reader = {trial, r->arena, r->path, r->faults};
    if (!wpa_config_check_keys(r, value, keys, WPA_COUNT(keys), err) ||
        (rules && !wpa_config_rules(&trial_reader, rules, err))) {
        return false;
    }
    wpa_settings *settings = r->settings;
    wpa_path_setting *all = wpa_arena_array(r->arena, settings->n_path_settings + 1, sizeof *all);
    memcpy(all, settings->path_settings ? settings->path_settings : all,
           settings->n_path_settings * sizeof *all);
    all[settings->n_path_settings++] = (wpa_path_setting){glob, rules, r->path};
    settings->path_settings = all;
    return true;
}

static bool read_paths(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    if (!wpa_yaml_expect(value, WPA_YAML_MAPPING, err)) {
        return false;
    }
    for (size_t i = 0; i < value->n_pairs; i++) {
        wpa_config_keep(r, read_path(r, value, &value->pairs[i], err), err);
    }
    return true;
}

const wpa_settings *wpa_settings_at(const wpa_settings *settings, const char *path,
                                    wpa_arena *arena)
{
    wpa_settings *own = NULL;
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    for (size_t i = 0; i < settings->n_path_settings; i++) {
        const wpa_path_setting *at = &settings->path_settings[i];
        if (!at->rules || !wpa_glob_fits(at->glob, path)) {
            continue;
        }
        if (!own) {
            own = wpa_arena_dup(arena, settings, sizeof *settings);
            own->rules =
                wpa_arena_dup(arena, settings->rules, (n_rules + 1) * sizeof *settings->rules);
        }
        wpa_error err = {0};
        reader r = {own, arena, at->file, NULL};
        (void)!wpa_config_rules(&r, at->rules, &err); /* was read before without a fault */
    }
    for (size_t i = 0; own && settings->has_only && i < n_rules; i++) {
        bool is_off = settings->rules[i].toggle == WPA_TOGGLE_OFF;
        own->rules[i].toggle = is_off ? WPA_TOGGLE_OFF : own->rules[i].toggle;
    }
    return own ? own : settings;
}

static bool check_names(const wpa_yaml_node *at, const wpa_ignore_entry *entry, wpa_error *err)
{
    for (size_t i = 0; i < entry->n_rules; i++) {
        const wpa_rule *rule;
        const char *check, *name = entry->rules[i];
        bool is_wide = wpa_text_is(name, "*") || wpa_text_starts(name, "dimension:");
        if (!is_wide && !wpa_config_rule(at, name, &rule, &check, err)) {
            return false;
        }
    }
    return true;
}

bool wpa_config_pattern(const wpa_yaml_node *value, const char *pattern, wpa_error *err)
{
    wpa_error why = {0};
    WPA_AUTO(wpa_regex) *regex = wpa_regex_new(pattern, 0, &why);
    return regex || wpa_yaml_fail(value, err, "%s", why.message);
}

static bool read_pattern(const wpa_yaml_node *value, const char **pattern, wpa_error *err)
{
    return wpa_yaml_get_text(value, "message", pattern, err) &&
           (!*pattern || wpa_config_pattern(wpa_yaml_get(value, "message"), *pattern, err));
}

#define FINGERPRINT_DIGITS 40

/** Whole, or the first digits of one. */
static bool is_fingerprint(const char *text)
{
    size_t n = strspn(text, "0123456789abcdef");
    return n > 0 && n <= FINGERPRINT_DIGITS && text[n] == '\0';
}

static bool read_ignore(const reader *r, const wpa_yaml_node *value, wpa_ignore_entry *entry,
                        wpa_error *err)
{
    static const char *const keys[] = {"path",  "rules",       "line",   "reason",
                                       "until", "fingerprint", "message"};
    bool ok = wpa_config_check_keys(r, value, keys, WPA_COUNT(keys), err) &&
              wpa_yaml_get_text(value, "path", &entry->path, err) &&
              wpa_yaml_get_texts(value, "rules", r->arena, &entry->rules, &entry->n_rules, err) &&
              wpa_yaml_get_int(value, "line", 1, INT32_MAX, &entry->line, err) &&
              wpa_yaml_get_text(value, "reason", &entry->reason, err) &&
              wpa_yaml_get_text(value, "until", &entry->until, err) &&
              wpa_yaml_get_text(value, "fingerprint", &entry->fingerprint, err) &&
              read_pattern(value, &entry->message, err) && check_names(value, entry, err);
    if (ok && entry->until && wpa_facts_days(entry->until) < 0) {
        return wpa_yaml_fail(wpa_yaml_get(value, "until"), err, "'%s' is no date (YYYY-MM-DD)",
                             entry->until);
    }
    if (ok && entry->fingerprint && !is_fingerprint(entry->fingerprint)) {
        return wpa_yaml_fail(wpa_yaml_get(value, "fingerprint"), err,
                             "'%s' is no fingerprint (hexadecimal digits, at most %d)",
                             entry->fingerprint, FINGERPRINT_DIGITS);
    }
    if (ok && !entry->path && !entry->n_rules && !entry->fingerprint && !entry->message) {
        return wpa_yaml_fail(value, err,
                             "an ignore needs a path, rules, a message or a fingerprint");
    }
    entry->file = r->path;
    entry->at_line = wpa_yaml_line_of(value->doc, value->span.start);
    return ok;
}

void wpa_config_add_ignore(const wpa_config_reader *r, wpa_ignore_entry entry)
{
    wpa_settings *settings = r->settings;
    wpa_ignore_entry *all = wpa_arena_array(r->arena, settings->n_ignores + 1, sizeof *all);
    memcpy(all, settings->ignores ? settings->ignores : all, settings->n_ignores * sizeof *all);
    all[settings->n_ignores++] = entry;
    settings->ignores = all;
}

void wpa_config_place(const char *text, wpa_ignore_entry *entry, wpa_arena *arena)
{
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    entry->path = wpa_arena_slice(arena, text, length);
    if (colon) {
        const char *second = strchr(colon + 1, ':');
        size_t digits = second ? (size_t)(second - colon - 1) : strlen(colon + 1);
        (void)!wpa_text_to_int(wpa_arena_slice(arena, colon + 1, digits), 1, INT32_MAX,
                               &entry->line);
        if (second) {
            (void)!wpa_text_to_int(second + 1, 1, INT32_MAX, &entry->column);
        }
    }
}

static bool append_ignores(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    if (!wpa_yaml_expect(value, WPA_YAML_SEQUENCE, err)) {
        return false;
    }
    for (size_t i = 0; i < value->n_items; i++) {
        wpa_ignore_entry entry = {.reason = ""};
        bool is_read = read_ignore(r, wpa_yaml_resolve(value->items[i]), &entry, err);
        wpa_config_keep(r, is_read, err);
        if (is_read) {
            wpa_config_add_ignore(r, entry);
        }
    }
    return true;
}

static bool read_ignores(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    r->settings->n_ignores = 0;
    return append_ignores(r, value, err);
}

static bool read_require_reason(const reader *r, const wpa_yaml_node *value, wpa_error *err)
{
    const char *text;
    bool ok = wpa_config_text(value, &text, err) &&
              (wpa_config_is_on(text) || wpa_config_is_off(text) ||
               wpa_yaml_fail(value, err, "expected true or false, got '%s'", text));
    r->settings->require_reason = ok && wpa_config_is_on(text);
    return ok;
}

static const struct {
    const char *name;
    wpa_config_key read;
} keys[] = {
    /* profile first: what the file says itself beats it; ignore before rules, which add to it */
    {"version", read_version},
    {"profile", read_profile},
    {"persona", read_persona_key},
    {"fail-on", read_fail_on},
    {"ignore", read_ignores},
    {"+ignore", append_ignores},
    {"rules", wpa_config_rules},
    {"dimensions", read_dimensions},
    {"paths", read_paths},
    {"require-reason", read_require_reason},
    {"forge", wpa_config_forge},
    {"visibility", wpa_config_visibility},
    {"runners", wpa_config_runners},
    {"names", wpa_config_names},
    {"owners", wpa_config_owners},
    {"compat", wpa_config_compat},
    {"baseline", wpa_config_baseline},
    {"limits", wpa_config_limits},
    {"tools", wpa_config_tools},
    {"analysers", wpa_config_analysers},
    {"+analysers", wpa_config_analysers},
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
    wpa_config_faults faults = {.n = 0};
    reader r = {settings, arena, path, &faults};
    settings->file = wpa_arena_text(arena, path);
    settings->faults = (wpa_text_list){0};
    if (!doc || !wpa_config_check_keys(&r, doc->root, names, WPA_COUNT(names), err)) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        const wpa_yaml_node *value = wpa_yaml_get(doc->root, keys[i].name);
        wpa_config_keep(&r, !value || keys[i].read(&r, value, err), err);
    }
    settings->faults = wpa_config_faults_by_place(&r);
    return !faults.n || WPA_FAIL(err, WPA_E_INVALID, "%s", settings->faults.items[0]);
}
