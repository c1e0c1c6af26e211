/* What fleet.yml says, part by part: each a mapping in, a JSON object with defaults out. */
#pragma once

#include <wpa/yaml.h>

#include "json/json.h"

/** The rollout of a fleet that says nothing. */
wpa_json *wpa_declare_default_rollout(wpa_arena *arena);
/** The checks of a repository that says nothing: rescore. */
wpa_json *wpa_declare_default_checks(wpa_arena *arena);

/** `rollout:` over base. */
wpa_json *wpa_declare_rollout(const wpa_yaml_node *mapping, const wpa_json *base, wpa_arena *arena,
                              wpa_error *err);
/** `health_checks:` behind base; a check replaces the one of its name. Names are unique. */
wpa_json *wpa_declare_checks(const wpa_yaml_node *list, const wpa_json *base, wpa_arena *arena,
                             wpa_error *err);
/** `test:` */
wpa_json *wpa_declare_test(const wpa_yaml_node *mapping, wpa_arena *arena, wpa_error *err);
/** `integration:` */
wpa_json *wpa_declare_integration(const wpa_yaml_node *list, wpa_arena *arena, wpa_error *err);
/** Every name in the rollout's `checks` must be one of the checks. */
bool wpa_declare_check_names(const wpa_json *rollout, const wpa_json *checks,
                             const wpa_yaml_node *at, wpa_error *err) WPA_CHECK;
