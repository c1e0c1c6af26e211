/* Reading wpa.yml: what the user wants of the rules. */
#pragma once

#include "rules/settings.h"

#define WPA_CONFIG_MAX_BYTES ((size_t)256 * 1024)

/**
 * Read a configuration into settings, over what they hold.
 *
 * path      for messages and for ignores that silence nothing.
 *
 * Errors    WPA_E_INVALID "wpa.yml:4:3: unknown key 'rule' (did you mean 'rules'?)": unknown keys,
 *           unknown rules, values of a wrong type; settings may be changed in part then. It is the
 *           first of settings->faults, which are all of them.
 */
bool wpa_config_read(const char *path, const char *text, size_t size_bytes, wpa_settings *settings,
                     wpa_arena *arena, wpa_error *err) WPA_CHECK;

/**
 * Read zizmor's zizmor.yml (rules.*.disable, ignore, config, remap) or actionlint's actionlint.yaml
 * (self-hosted-runner.labels, config-variables, config-secrets, paths.*.ignore) into settings.
 *
 * Errors    as above, for what is no YAML; what is not understood is left out.
 */
bool wpa_config_read_zizmor(const char *path, const char *text, size_t size_bytes,
                            wpa_settings *settings, wpa_arena *arena, wpa_error *err) WPA_CHECK;
bool wpa_config_read_actionlint(const char *path, const char *text, size_t size_bytes,
                                wpa_settings *settings, wpa_arena *arena, wpa_error *err) WPA_CHECK;

/** "medium", "none": for fail-on of all kinds, from wpa.yml or --fail-on. */
bool wpa_config_fail_on(const char *value, wpa_severity *severity) WPA_CHECK;
/** Switch a rule, or one of its checks, or all of "dimension:x", on or off by name. */
bool wpa_settings_toggle(wpa_settings *settings, const char *name, wpa_toggle toggle,
                         wpa_arena *arena, wpa_error *err) WPA_CHECK;
