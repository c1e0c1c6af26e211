/* What the parts of reading configurations share. Private to src/rules. */
#pragma once

#include <wpa/yaml.h>

#include "rules/config.h"

#define WPA_CONFIG_FAULTS_MAX 50

/* What is wrong in a configuration: all of it is told at once. */
typedef struct wpa_config_faults {
    const char *texts[WPA_CONFIG_FAULTS_MAX]; /* "wpa.yml:4:3: …" */
    size_t n;                                 /* of those kept */
} wpa_config_faults;

/* What every step of reading needs. */
typedef struct wpa_config_reader {
    wpa_settings *settings;
    wpa_arena *arena;
    const char *path;
    wpa_config_faults *faults; /* or NULL: nobody asks */
} wpa_config_reader;

/**
 * After a step that may have failed, if there is a next one that doesn't depend on it: keeps what
 * was wrong and leaves err empty.
 */
void wpa_config_keep(const wpa_config_reader *r, bool is_read, wpa_error *err);
/** All that was kept, in the arena, in the order of lines and columns. */
wpa_text_list wpa_config_faults_by_place(const wpa_config_reader *r);

typedef bool (*wpa_config_key)(const wpa_config_reader *r, const wpa_yaml_node *value,
                               wpa_error *err);

bool wpa_config_text(const wpa_yaml_node *value, const char **text, wpa_error *err) WPA_CHECK;
bool wpa_config_is_off(const char *text);
bool wpa_config_is_on(const char *text);
bool wpa_config_severity(const wpa_yaml_node *value, wpa_severity *severity,
                         wpa_error *err) WPA_CHECK;
bool wpa_config_confidence(const wpa_yaml_node *value, wpa_confidence *confidence,
                           wpa_error *err) WPA_CHECK;
bool wpa_config_persona(const wpa_yaml_node *value, wpa_persona *persona, wpa_error *err) WPA_CHECK;
/** A rule by any of its names; the error stands at the node. */
bool wpa_config_rule(const wpa_yaml_node *at, const char *name, const wpa_rule **rule,
                     const char **check, wpa_error *err) WPA_CHECK;

/**
 * "key" or "+key" of a mapping: a list of texts, which replaces the list that is there or is
 * appended to it.
 */
bool wpa_config_list(const wpa_config_reader *r, const wpa_yaml_node *mapping, const char *key,
                     wpa_text_list *list, wpa_error *err) WPA_CHECK;
/** Is it a mapping? Every key of it that is none of known[n] is kept as a fault. */
bool wpa_config_check_keys(const wpa_config_reader *r, const wpa_yaml_node *mapping,
                           const char *const known[], size_t n, wpa_error *err) WPA_CHECK;
/** The same where each key may also be written "+key". */
bool wpa_config_check_added_keys(const wpa_config_reader *r, const wpa_yaml_node *mapping,
                                 const char *const known[], size_t n, wpa_error *err) WPA_CHECK;
/** "path", "path:line" or "path:line:column". */
void wpa_config_place(const char *text, wpa_ignore_entry *entry, wpa_arena *arena);
void wpa_config_add_ignore(const wpa_config_reader *r, wpa_ignore_entry entry);
/** Set an option of a rule, if there is such a rule with such an option. */
void wpa_config_set_option(const wpa_config_reader *r, const char *rule_id, const char *option,
                           const char *value);
/** A pattern that compiles; it is compiled again where it is used. */
bool wpa_config_pattern(const wpa_yaml_node *value, const char *pattern, wpa_error *err) WPA_CHECK;
/** "rules:", also below a path. */
bool wpa_config_rules(const wpa_config_reader *r, const wpa_yaml_node *value,
                      wpa_error *err) WPA_CHECK;

/* The keys that say what a repository is and has. */
bool wpa_config_forge(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
bool wpa_config_visibility(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
bool wpa_config_runners(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
bool wpa_config_names(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
bool wpa_config_owners(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
bool wpa_config_compat(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
bool wpa_config_baseline(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
bool wpa_config_limits(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
bool wpa_config_tools(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
bool wpa_config_analysers(const wpa_config_reader *r, const wpa_yaml_node *value, wpa_error *err);
