/*
 * The configurations of zizmor and actionlint, read as far as they have a meaning here. They are
 * other programs' files: what is not understood is left out, never an error.
 */
#include <stdio.h>
#include <string.h>

#include <wpa/text.h>

#include "rules/config_read.h"

static const wpa_yaml_doc *parse(const char *path, const char *text, size_t size_bytes,
                                 wpa_arena *arena, wpa_error *err)
{
    if (size_bytes > WPA_CONFIG_MAX_BYTES) {
        (void)WPA_FAIL(err, WPA_E_LIMIT, "%s is larger than %zu bytes", path, WPA_CONFIG_MAX_BYTES);
        return NULL;
    }
    return wpa_yaml_parse_strict(path, text, size_bytes, arena, err);
}

static bool has_text(const wpa_text_list *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (wpa_text_is(list->items[i], text)) {
            return true;
        }
    }
    return false;
}

/** Each once: a file is read again for the folder that it lies in. */
static void add_texts(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_text_list *list)
{
    bool is_list = wpa_yaml_is(value, WPA_YAML_SEQUENCE);
    size_t n = is_list ? value->n_items : 0;
    const char **items = wpa_arena_array(r->arena, list->n + n + 1, sizeof *items);
    memcpy(items, list->n ? list->items : items, list->n * sizeof *items);
    for (size_t i = 0; i < n; i++) {
        const char *text = wpa_yaml_text(value->items[i]);
        list->items = items;
        if (text && !has_text(list, text)) {
            items[list->n++] = wpa_arena_text(r->arena, text);
        }
    }
    list->items = items;
}

static const char *join(const wpa_config_reader *r, const wpa_text_list *list)
{
    const char *all = "";
    for (size_t i = 0; i < list->n; i++) {
        all = wpa_arena_printf(r->arena, "%s%s%s", all, *all ? "," : "", list->items[i]);
    }
    return all;
}

/* ---- zizmor ---- */

static bool has_name(const wpa_rule *rule, const char *full)
{
    for (const char *const *at = rule->elsewhere; at && *at; at++) {
        if (wpa_text_is(*at, full)) {
            return true;
        }
    }
    return false;
}

static bool is_true(const wpa_yaml_node *value)
{
    return wpa_text_is(wpa_yaml_text(value), "true");
}

/** Places are "file.yml", "file.yml:12" or "file.yml:12:3"; the file by its name alone. */
static void ignore_places(const wpa_config_reader *r, const wpa_rule *rule,
                          const wpa_yaml_node *list)
{
    for (size_t i = 0; wpa_yaml_is(list, WPA_YAML_SEQUENCE) && i < list->n_items; i++) {
        const char *text = wpa_yaml_text(list->items[i]);
        const char **names = wpa_arena_array(r->arena, 1, sizeof *names);
        names[0] = rule->id;
        wpa_ignore_entry entry = {.rules = names,
                                  .n_rules = 1,
                                  .reason = "ignored by zizmor's configuration",
                                  .file = r->path,
                                  .is_base_name = true};
        if (text) {
            entry.at_line = wpa_yaml_line_of(list->doc, list->items[i]->span.start);
            wpa_config_place(text, &entry, r->arena);
            wpa_config_add_ignore(r, entry);
        }
    }
}

static void remap(const wpa_config_reader *r, const wpa_rule *rule, const wpa_yaml_node *value)
{
    wpa_rule_setting *setting = wpa_settings_of(r->settings, rule);
    const char *severity = wpa_yaml_text(wpa_yaml_get(value, "severity"));
    const char *confidence = wpa_yaml_text(wpa_yaml_get(value, "confidence"));
    const char *persona = wpa_yaml_text(wpa_yaml_get(value, "persona"));
    severity = wpa_text_is_ci(severity, "informational") ? "low" : severity;
    setting->has_severity =
        (severity && wpa_severity_from(severity, &setting->severity)) || setting->has_severity;
    setting->has_confidence =
        (confidence && wpa_confidence_from(confidence, &setting->confidence)) ||
        setting->has_confidence;
    persona = wpa_text_is(persona, "regular") ? "default" : persona;
    setting->has_persona =
        (persona && wpa_persona_from(persona, &setting->persona)) || setting->has_persona;
}

/** "hash-pin" of theirs is "hash" of ours. */
static void read_policies(const wpa_config_reader *r, const wpa_yaml_node *policies)
{
    const char *all = "";
    for (size_t i = 0; wpa_yaml_is(policies, WPA_YAML_MAPPING) && i < policies->n_pairs; i++) {
        const char *key = wpa_yaml_text(policies->pairs[i].key);
        const char *policy = wpa_yaml_text(policies->pairs[i].value);
        if (key && policy) {
            all = wpa_arena_printf(r->arena, "%s%s%s=%.*s", all, *all ? "," : "", key,
                                   (int)strcspn(policy, "-"), policy);
        }
    }
    if (*all) {
        wpa_config_set_option(r, "unpinned-uses", "policies", all);
    }
}

static void read_audit_config(const wpa_config_reader *r, const wpa_rule *rule,
                              const wpa_yaml_node *config)
{
    read_policies(r, wpa_yaml_get(config, "policies"));
    for (size_t i = 0; wpa_yaml_is(config, WPA_YAML_MAPPING) && i < config->n_pairs; i++) {
        const char *key = wpa_yaml_text(config->pairs[i].key);
        const wpa_yaml_node *value = wpa_yaml_resolve(config->pairs[i].value);
        wpa_text_list list = {0};
        if (key && wpa_yaml_text(value)) {
            wpa_config_set_option(r, rule->id, key, wpa_yaml_text(value));
        } else if (key && wpa_yaml_is(value, WPA_YAML_SEQUENCE)) {
            add_texts(r, value, &list);
            wpa_config_set_option(r, rule->id, key, join(r, &list));
        }
    }
}

static void read_audit(const wpa_config_reader *r, const char *name, const wpa_yaml_node *value)
{
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    const char *full = wpa_arena_printf(r->arena, "zizmor/%s", name);
    for (size_t i = 0; i < n_rules; i++) {
        if (!has_name(rules[i], full)) {
            continue;
        }
        if (is_true(wpa_yaml_get(value, "disable"))) {
            r->settings->rules[i].toggle = WPA_TOGGLE_OFF;
        }
        ignore_places(r, rules[i], wpa_yaml_get(value, "ignore"));
        remap(r, rules[i], wpa_yaml_get(value, "remap"));
        read_audit_config(r, rules[i], wpa_yaml_get(value, "config"));
    }
}

bool wpa_config_read_zizmor(const char *path, const char *text, size_t size_bytes,
                            wpa_settings *settings, wpa_arena *arena, wpa_error *err)
{
    const wpa_yaml_doc *doc = parse(path, text, size_bytes, arena, err);
    if (!doc) {
        return false;
    }
    wpa_config_reader r = {settings, arena, doc->path, NULL};
    const wpa_yaml_node *rules = wpa_yaml_get(doc->root, "rules");
    for (size_t i = 0; wpa_yaml_is(rules, WPA_YAML_MAPPING) && i < rules->n_pairs; i++) {
        const char *name = wpa_yaml_text(rules->pairs[i].key);
        if (name) {
            read_audit(&r, name, wpa_yaml_resolve(rules->pairs[i].value));
        }
    }
    return true;
}

/* ---- actionlint ---- */

/** Their globs know classes, "m[12]", and ours do not: "m?" fits all that they fit. */
static const char *without_classes(const char *glob, wpa_arena *arena)
{
    char *plain = wpa_arena_text(arena, glob), *to = plain;
    while (*glob) {
        const char *end = *glob == '[' && glob[1] ? strchr(glob + 2, ']') : NULL;
        *to++ = *glob;
        if (end) {
            to[-1] = '?';
            glob = end;
        }
        glob++;
    }
    *to = '\0';
    return plain;
}

static void read_labels(const wpa_config_reader *r, const wpa_yaml_node *value)
{
    wpa_text_list read = {0}, *labels = &r->settings->own.runner_labels;
    add_texts(r, value, &read);
    const char **all = wpa_arena_array(r->arena, labels->n + read.n + 1, sizeof *all);
    memcpy(all, labels->n ? labels->items : all, labels->n * sizeof *all);
    labels->items = all;
    for (size_t i = 0; i < read.n; i++) {
        const char *label = without_classes(read.items[i], r->arena);
        if (!has_text(labels, label)) {
            all[labels->n++] = label;
        }
    }
    if (labels->n) {
        wpa_config_set_option(r, "runner-label", "labels", join(r, labels));
    }
}

static void read_names(const wpa_config_reader *r, const wpa_yaml_node *root, const char *key,
                       const char *option, wpa_name_list *list)
{
    const wpa_yaml_node *value = wpa_yaml_get(root, key);
    if (!wpa_yaml_is(value, WPA_YAML_SEQUENCE)) {
        return; /* null: unchecked, there as here */
    }
    list->is_known = true;
    add_texts(r, value, &list->names);
    wpa_config_set_option(r, "config-names", option, join(r, &list->names));
}

static void read_path(const wpa_config_reader *r, const char *glob, const wpa_yaml_node *value)
{
    const wpa_yaml_node *list = wpa_yaml_get(value, "ignore");
    for (size_t i = 0; wpa_yaml_is(list, WPA_YAML_SEQUENCE) && i < list->n_items; i++) {
        const char *pattern = wpa_yaml_text(list->items[i]);
        wpa_error err = {0};
        if (pattern && wpa_config_pattern(list->items[i], pattern, &err)) {
            wpa_config_add_ignore(
                r, (wpa_ignore_entry){
                       .path = wpa_arena_text(r->arena, glob),
                       .message = wpa_arena_text(r->arena, pattern),
                       .is_wide = true,
                       .reason = "ignored by actionlint's configuration",
                       .file = r->path,
                       .at_line = wpa_yaml_line_of(list->doc, list->items[i]->span.start),
                   });
        }
    }
}

bool wpa_config_read_actionlint(const char *path, const char *text, size_t size_bytes,
                                wpa_settings *settings, wpa_arena *arena, wpa_error *err)
{
    const wpa_yaml_doc *doc = parse(path, text, size_bytes, arena, err);
    if (!doc) {
        return false;
    }
    wpa_config_reader r = {settings, arena, doc->path, NULL};
    wpa_own *own = &settings->own;
    read_labels(&r, wpa_yaml_get(wpa_yaml_get(doc->root, "self-hosted-runner"), "labels"));
    read_names(&r, doc->root, "config-variables", "vars", &own->variables);
    read_names(&r, doc->root, "config-secrets", "secrets", &own->secrets);
    const wpa_yaml_node *paths = wpa_yaml_get(doc->root, "paths");
    for (size_t i = 0; wpa_yaml_is(paths, WPA_YAML_MAPPING) && i < paths->n_pairs; i++) {
        const char *glob = wpa_yaml_text(paths->pairs[i].key);
        if (glob) {
            read_path(&r, glob, wpa_yaml_resolve(paths->pairs[i].value));
        }
    }
    return true;
}
