/*
 * What the configuration says of the repository, its forge and its runners, with what the files
 * tell where it is silent.
 */
#pragma once

#include "facts/platforms.h"
#include "rules/outline.h"
#include "rules/rule.h"

/** Who runs the workflows. */
typedef struct wpa_forge {
    const char *name; /* "github.com", "ghes", "gitea", "forgejo" */
    const char *version_text;
    wpa_version version;
    bool has_version;
} wpa_forge;

/** "ghes@3.18", in the arena. */
wpa_forge wpa_forge_parse(const char *text, wpa_arena *arena);
/** As configured; else by the folder the file lies in. */
wpa_forge wpa_rule_forge(const wpa_rule_run *run);
/** Does github.com itself run it, as far as is known? Other forges have no hosted runners. */
bool wpa_rule_is_on_github(const wpa_rule_run *run);
/** Does the forge, in its version if that is known, go without a feature of the table? */
bool wpa_forge_lacks(const wpa_forge *forge, const wpa_fact_feature *feature);
/** The same by the feature's kind and match: "function", "case". */
bool wpa_rule_forge_lacks(const wpa_rule_run *run, const char *kind, const char *match);

/**
 * Does the forge refuse the newer majors of this action, so that an older one has to stay? (Those
 * of artifacts need a service that not every forge has.)
 */
bool wpa_rule_forge_holds_back(const wpa_rule_run *run, wpa_slice slug);

/** As configured, else as the forge said. */
wpa_visibility wpa_rule_visibility(const wpa_rule_run *run);
/** "@my-org/platform": who is to own workflows; NULL: not configured. */
const char *wpa_rule_codeowners(const wpa_rule_run *run);
/** Is the owner configured as the repository's own? */
bool wpa_rule_is_first_party(const wpa_rule_run *run, wpa_slice owner);

/** Whether something is in a list of the configuration. */
typedef enum wpa_listed {
    WPA_LISTED_UNKNOWN, /* there is no such list, or what is asked for is an expression */
    WPA_LISTED_NO,
    WPA_LISTED_YES
} wpa_listed;

/** Does the job wait for a reviewer of its environment? One without an environment does not. */
wpa_listed wpa_rule_is_reviewed(const wpa_rule_run *run, const wpa_outline_job *job);
/** Do runs that Dependabot starts have this secret? */
wpa_listed wpa_rule_has_dependabot_secret(const wpa_rule_run *run, const char *name);

/** Do the configured runners of one's own have this label? */
bool wpa_rule_is_own_label(const wpa_rule_run *run, const char *label);
/** Are the runners with this label thrown away after one job? */
bool wpa_rule_is_ephemeral(const wpa_rule_run *run, const char *label);
/** The image that is configured for a label of one's own; NULL: none, or not a known one. */
const wpa_fact_image *wpa_rule_image_of(const wpa_rule_run *run, const char *label);
/** Dollars for a thousand minutes, as configured; 0: not known. */
unsigned wpa_rule_rate_of(const wpa_rule_run *run, const char *label);
