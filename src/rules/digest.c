/* What a result depends on besides the file: the settings, as a digest. */
#include <string.h>

#include "auth/hash.h"
#include "rules/settings.h"

static void add_number(wpa_sha256_state *hash, int64_t number)
{
    wpa_sha256_update(hash, &number, sizeof number);
}

/** With its length in front, so that no two lists of texts are alike; NULL is no text. */
static void add_text(wpa_sha256_state *hash, const char *text)
{
    add_number(hash, text ? (int64_t)strlen(text) : -1);
    wpa_sha256_update(hash, text ? text : "", text ? strlen(text) : 0);
}

static void add_texts(wpa_sha256_state *hash, const char *const *texts, size_t n)
{
    add_number(hash, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        add_text(hash, texts[i]);
    }
}

static void add_map(wpa_sha256_state *hash, const wpa_map *map, bool has_texts)
{
    size_t n = map ? wpa_map_count(map) : 0;
    add_number(hash, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        void *value;
        add_text(hash, wpa_map_at(map, i, &value));
        add_text(hash, has_texts ? value : NULL);
    }
}

static void add_rule(wpa_sha256_state *hash, const wpa_rule_setting *rule)
{
    int32_t levels[] = {
        (int32_t)rule->toggle,  rule->has_severity,        (int32_t)rule->severity,
        rule->has_confidence,   (int32_t)rule->confidence, rule->has_persona,
        (int32_t)rule->persona,
    };
    wpa_sha256_update(hash, levels, sizeof levels);
    if (rule->options) {
        add_map(hash, rule->options, true);
    }
    add_texts(hash, rule->paths.items, rule->paths.n);
    for (size_t i = 0; rule->checks && i < wpa_map_count(rule->checks); i++) {
        void *value;
        add_text(hash, wpa_map_at(rule->checks, i, &value));
        const wpa_check_setting *check = value;
        add_number(hash, check->has_severity ? (int64_t)check->severity : -1);
    }
    if (rule->checks_off) {
        add_map(hash, rule->checks_off, false);
    }
    add_number(hash, rule->options != NULL);
}

static void add_ignore(wpa_sha256_state *hash, const wpa_ignore_entry *entry)
{
    add_text(hash, entry->path);
    add_texts(hash, entry->rules, entry->n_rules);
    add_number(hash, entry->line);
    add_number(hash, entry->column);
    add_number(hash, entry->is_wide * 2 + entry->is_base_name);
    add_text(hash, entry->message);
    add_text(hash, entry->fingerprint);
    add_text(hash, entry->reason);
    add_text(hash, entry->until);
}

static void add_names(wpa_sha256_state *hash, const wpa_name_list *list)
{
    add_number(hash, list->is_known);
    add_texts(hash, list->names.items, list->names.n);
}

static void add_own(wpa_sha256_state *hash, const wpa_own *own)
{
    add_text(hash, own->forge);
    add_number(hash, own->visibility);
    add_texts(hash, own->runner_labels.items, own->runner_labels.n);
    add_texts(hash, own->ephemeral.items, own->ephemeral.n);
    add_map(hash, own->runner_images, true);
    add_map(hash, own->runner_rates, true);
    add_names(hash, &own->secrets);
    add_names(hash, &own->variables);
    add_names(hash, &own->environments);
    add_names(hash, &own->reviewed);
    add_names(hash, &own->dependabot_secrets);
    add_texts(hash, own->first_party.items, own->first_party.n);
    add_text(hash, own->codeowners);
}

static void add_path(wpa_sha256_state *hash, const wpa_path_setting *at)
{
    add_text(hash, at->glob);
    if (at->rules) {
        wpa_span span = at->rules->span;
        wpa_sha256_update(hash, at->rules->doc->source + span.start, wpa_span_length(span));
    }
}

void wpa_settings_digest(const wpa_settings *settings, uint8_t digest[WPA_SHA256_SIZE])
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    wpa_sha256_state hash;
    wpa_sha256_init(&hash);
    add_number(&hash, settings->persona);
    wpa_sha256_update(&hash, settings->dimension_persona, sizeof settings->dimension_persona);
    wpa_sha256_update(&hash, settings->dimension_off, sizeof settings->dimension_off);
    wpa_sha256_update(&hash, settings->kind_off, sizeof settings->kind_off);
    add_number(&hash, settings->min_severity);
    add_number(&hash, settings->min_confidence);
    add_number(&hash, settings->ignores_off);
    add_number(&hash, settings->require_reason);
    add_number(&hash, settings->is_unlimited);
    add_number(&hash, settings->has_no_repairs);
    add_number(&hash, settings->has_no_identities);
    add_number(&hash, settings->has_no_related);
    add_text(&hash, settings->today);
    add_own(&hash, &settings->own);
    for (size_t i = 0; i < WPA_TOOL_COUNT; i++) {
        add_number(&hash, settings->tools[i].is_off);
        add_text(&hash, settings->tools[i].path);
    }
    add_number(&hash, settings->max_file_bytes);
    for (size_t i = 0; i < settings->n_path_settings; i++) {
        add_path(&hash, &settings->path_settings[i]);
    }
    for (size_t i = 0; i <= n_rules; i++) {
        add_rule(&hash, &settings->rules[i]);
    }
    for (size_t i = 0; i < settings->n_ignores; i++) {
        add_ignore(&hash, &settings->ignores[i]);
    }
    wpa_sha256_final(&hash, digest);
}
