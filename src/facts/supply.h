/*
 * What wpa knows about what workflows use, hold and grant: how packages are published and by which
 * credential, how clouds are logged in to, which actions a tool of the runner replaces, which
 * owners and actions are well known.
 *
 * Slugs compare without case.
 */
#pragma once

#include "facts/facts.h"
#include "facts/patterns.h"

/** A command that puts a package into a public registry that takes OIDC tokens. */
typedef struct wpa_fact_publish_command {
    const char *program;
    wpa_fact_pattern words;
    const char *registry;
    const char *host;        /* part of its address */
    wpa_fact_list elsewhere; /* options that name another registry */
    wpa_fact_list dry;       /* options with which nothing is published */
} wpa_fact_publish_command;

/** NULL: not one. */
const wpa_fact_publish_command *wpa_facts_publish_command_find(const char *name,
                                                               const char *const words[], size_t n);

typedef struct wpa_fact_publish_action {
    const char *action;
    const char *registry;
    const char *host;
    wpa_fact_list credentials; /* inputs that take a stored credential */
    wpa_fact_list elsewhere;   /* inputs that name another registry */
    const char *off_input;     /* false switches OIDC off; or NULL */
} wpa_fact_publish_action;

const wpa_fact_publish_action *wpa_facts_publish_action_find(wpa_slice slug);

/** An action for what a tool of the runner's image does in a line. */
typedef struct wpa_fact_replacement {
    const char *action;
    const char *how;
    bool is_opinion; /* the action does more, or does it more comfortably */
} wpa_fact_replacement;

const wpa_fact_replacement *wpa_facts_replacement_find(wpa_slice slug);

/** An action that logs in to a cloud, and its inputs for long-lived keys. */
typedef struct wpa_fact_cloud_login {
    const char *action;
    wpa_fact_list inputs;
    const char *cloud;
    const char *instead;
} wpa_fact_cloud_login;

const wpa_fact_cloud_login *wpa_facts_cloud_login_find(wpa_slice slug);

/** A variable that tools of a cloud take a long-lived key from. */
typedef struct wpa_fact_cloud_variable {
    const char *name;
    const char *cloud;
    const char *instead;
} wpa_fact_cloud_variable;

const wpa_fact_cloud_variable *wpa_facts_cloud_variable_find(const char *name);

/** A registry of a cloud, by a part of its host. */
typedef struct wpa_fact_cloud_registry {
    const char *host;
    const char *cloud;
} wpa_fact_cloud_registry;

const wpa_fact_cloud_registry *wpa_facts_cloud_registry_find(const char *address);

/** An action that asks for OIDC tokens; inputs: only if one of them is given; none: any use. */
typedef struct wpa_fact_oidc_action {
    const char *action;
    wpa_fact_list inputs;
} wpa_fact_oidc_action;

/** A repository's row speaks of all actions in it. */
const wpa_fact_oidc_action *wpa_facts_oidc_action_find(wpa_slice slug);

/** An action that opens a shell on the runner to people outside. */
typedef struct wpa_fact_debug_action {
    const char *action;
} wpa_fact_debug_action;

bool wpa_facts_is_debug_action(wpa_slice slug);

/** An owner known to be a vendor or a well-known project. */
typedef struct wpa_fact_creator {
    const char *owner;
} wpa_fact_creator;

bool wpa_facts_is_known_creator(wpa_slice owner);

/** An owner who goes by another name now, so that anyone may take the old one. */
typedef struct wpa_fact_renamed_owner {
    const char *owner;
    const char *name; /* the new one */
} wpa_fact_renamed_owner;

const wpa_fact_renamed_owner *wpa_facts_renamed_owner_find(wpa_slice owner);

/** An advisory about a forge ("ghes") or the runner ("runner"). */
typedef struct wpa_fact_platform {
    const char *platform;
    const char *id;
    const char *severity;
    wpa_fact_list fixed; /* first version without it, of each line that got one */
    const char *summary;
} wpa_fact_platform;

size_t wpa_facts_platform_count(void);
const wpa_fact_platform *wpa_facts_platform_at(size_t i);
/** Is the version older than the fix of its line, or of a line older than all that were fixed? */
bool wpa_facts_platform_affects(const wpa_fact_platform *advisory, const wpa_version *version);

/** A commit that is known to be in none of the repository's branches and tags. */
typedef struct wpa_fact_impostor {
    const char *repo;
    const char *commit;
} wpa_fact_impostor;

bool wpa_facts_is_impostor(wpa_slice repo, wpa_slice commit);

/** An action whose name may be meant by one like it. */
typedef struct wpa_fact_original {
    const char *name;    /* lower case */
    const char *blurred; /* as wpa_slug_blur makes it */
    size_t length, owner_length;
} wpa_fact_original;

/** Those that many workflows use come first. */
const wpa_fact_original *wpa_facts_originals(size_t *n);
/**
 * Index of the first of them, from this one on, that a name of such letters may look like or be a
 * slip away from, as far as letters tell; of both as wpa_slug_letters tells. Their number: none.
 */
size_t wpa_facts_original_like(uint32_t letters, uint32_t blurred_letters, size_t from);
/** Is it one of them? */
bool wpa_facts_is_original(wpa_slice repo);
