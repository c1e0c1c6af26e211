/* Who can start a job, and with what power: triggers, guards, privileges. */
#pragma once

#include "rules/outline.h"

/** Does the condition keep strangers' forks out, or ask for a member of the project? */
bool wpa_trust_is_guarded(const wpa_yaml_node *condition);
/** Is the condition a test for another event than this one, and nothing else? */
bool wpa_trust_is_for_other_event(const wpa_yaml_node *condition, const char *event);
/** May the job's effective token write? Unset counts as writing. */
bool wpa_trust_may_write(const wpa_outline *outline, const wpa_outline_job *job);
/** Does the node name a secret other than GITHUB_TOKEN? */
bool wpa_trust_names_secret(const wpa_yaml_node *node);
/** A write scope, a secret, an environment or a runner of one's own. */
bool wpa_trust_is_privileged(const wpa_outline *outline, const wpa_outline_job *job);
