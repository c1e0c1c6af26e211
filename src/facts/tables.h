/* The shape of the generated tables; included by the code that reads them and by them alone. */
#pragma once

#include "facts/commands.h"
#include "facts/facts.h"
#include "facts/payloads.h"
#include "facts/supply.h"

#define WPA_FACT_NONE UINT32_MAX

/* Texts are offsets into wpa_fact_pool, commits are indexes into wpa_fact_commits, absent is
 * WPA_FACT_NONE; pointers here would cost a relocation each. */

typedef struct wpa_fact_ref_row {
    uint32_t name;
    uint32_t commit : 24;
    uint32_t kind : 8;
} wpa_fact_ref_row;

struct wpa_fact_repo {
    uint32_t name;
    uint32_t date;
    uint32_t first_ref; /* WPA_FACT_NONE: the head of a wpa_fresh_repo */
    uint32_t n_refs;
};

/* The newest full version of a major, by number of its ref. */
typedef struct wpa_fresh_major {
    uint64_t number;
    wpa_version version;
    uint32_t ref;
} wpa_fresh_major;

typedef struct wpa_fresh_ref {
    const char *name;
    const char *seen; /* the day a tag was first seen, or NULL: it was there before */
    uint8_t commit[WPA_COMMIT_BYTES];
    wpa_fact_ref_kind kind;
} wpa_fresh_ref;

/* A repository as a refreshed table has it. */
typedef struct wpa_fresh_repo {
    wpa_fact_repo head; /* first: what is handed out */
    const char *name, *date;
    wpa_fresh_ref *refs; /* [head.n_refs] by name, tags first */
    wpa_fresh_major *majors;
    size_t n_majors;
} wpa_fresh_repo;

/** Is any such table in use? Most programs run without, and ask no further. */
bool wpa_fresh_has_repos(void);
/** The repository in the refreshed table in use, or NULL; slug is "owner/repo". */
const wpa_fresh_repo *wpa_fresh_repo_find(wpa_slice slug);
/** The same of one that was handed out, or NULL: it is compiled in. */
const wpa_fresh_repo *wpa_fresh_repo_of(const wpa_fact_repo *repo);
/** Order without case, as all names are kept. */
int wpa_fact_compare_folded(const char *name, wpa_slice text);
/** Copied to the arena in lower case, as a key: owners and repositories have none. */
const char *wpa_fact_folded(const char *name, wpa_arena *arena);
/** "owner/repo" of "owner/repo/path". */
wpa_slice wpa_fact_repo_slug(wpa_slice slug);
/** In the tables that are compiled in, whatever was refreshed. */
const wpa_fact_repo *wpa_fact_compiled_repo(wpa_slice slug);

struct wpa_fact_action {
    uint32_t name;
    uint32_t rank;
    uint32_t latest;
    uint32_t latest_commit;
    uint32_t latest_date;
    uint32_t first_major; /* WPA_FACT_NONE: the head of a wpa_fresh_action */
    uint32_t n_majors;
};

/* An action that only a forge has told of. */
typedef struct wpa_fresh_action {
    wpa_fact_action head; /* first: what is handed out */
    const struct wpa_told_action *told;
} wpa_fresh_action;

/** Has a forge told of any action? */
bool wpa_fresh_has_told(void);
/** What a forge has told of an action, or NULL; slug is "owner/repo[/path]". */
const struct wpa_told_action *wpa_fresh_told_find(wpa_slice slug);
/** Its head, if the tables do not have the action; else NULL. */
const wpa_fact_action *wpa_fresh_action_find(wpa_slice slug);
/** Rows of advisories as they are now; *n of them, by action. NULL: as compiled in. */
const wpa_fact_advisory *wpa_fresh_advisories(size_t *n);
/** What is to be said of a repository of which the tables say this, which may be nothing. */
const wpa_fact_archived *wpa_fresh_archived(wpa_slice slug, const wpa_fact_archived *compiled);
/** The day of what a forge has told that stands in place of this table, or NULL. */
const char *wpa_fresh_date(wpa_fact_table table);

typedef struct wpa_fact_major_row {
    int number;
    uint32_t ref, commit, newest, newest_commit, newest_date, using, image;
    uint32_t first_input, n_inputs, first_output, n_outputs, first_used, n_used;
    bool wants_input; /* one that it requires, and has no default for */
} wpa_fact_major_row;

typedef struct wpa_fact_input_row {
    uint32_t name;
    uint32_t deprecated;
    bool is_required;
    bool has_default;
    uint8_t length; /* of its name, … */
    char first;     /* … which begins so, in lower case: most are told apart by these */
} wpa_fact_input_row;

typedef struct wpa_fact_named_list {
    const char *name;
    wpa_fact_list items;
} wpa_fact_named_list;

typedef struct wpa_fact_origin {
    const char *name;
    const char *date;
    const char *source;
    const char *licence;
    size_t n_rows;
} wpa_fact_origin;

/* In order of lower-cased names. */
extern const char wpa_fact_pool[];
extern const char wpa_fact_commits[]; /* WPA_COMMIT_BYTES each */
extern const wpa_fact_repo wpa_fact_repos[];
extern const size_t wpa_fact_n_repos;
extern const wpa_fact_ref_row wpa_fact_refs[];   /* of a repository: by name, tags first */
extern const uint32_t wpa_fact_refs_by_commit[]; /* of a repository: by commit, then name */
extern const wpa_fact_action wpa_fact_actions[];
extern const size_t wpa_fact_n_actions;
extern const wpa_fact_major_row wpa_fact_majors[];
extern const wpa_fact_input_row wpa_fact_inputs[];
extern const uint32_t wpa_fact_texts[]; /* outputs and used actions */

extern const wpa_fact_origin wpa_fact_origins[WPA_FACTS_COUNT];
extern const wpa_fact_end wpa_fact_ends[];
extern const size_t wpa_fact_n_ends;
extern const wpa_fact_archived wpa_fact_archive[];
extern const size_t wpa_fact_n_archive;
extern const wpa_fact_advisory wpa_fact_advisories[];
extern const size_t wpa_fact_n_advisories;
extern const wpa_fact_event wpa_fact_events[];
extern const size_t wpa_fact_n_events;
extern const char *const wpa_fact_event_list[];
extern const wpa_fact_availability wpa_fact_availabilities[];
extern const size_t wpa_fact_n_availabilities;
extern const wpa_fact_form wpa_fact_forms[];
extern const size_t wpa_fact_n_forms;
extern const wpa_fact_context wpa_fact_contexts[];
extern const size_t wpa_fact_n_contexts;
extern const char *const wpa_fact_context_list[];
extern const wpa_fact_function wpa_fact_functions[];
extern const size_t wpa_fact_n_functions;
extern const char *const wpa_fact_function_list[];
extern const wpa_fact_permission wpa_fact_permissions[];
extern const size_t wpa_fact_n_permissions;
extern const char *const wpa_fact_permission_list[];
extern const wpa_fact_need wpa_fact_action_needs[];
extern const size_t wpa_fact_n_action_needs;
extern const wpa_fact_need wpa_fact_command_needs[];
extern const size_t wpa_fact_n_command_needs;
extern const uint32_t wpa_fact_command_need_firsts;
extern const wpa_fact_runner wpa_fact_runners[];
extern const size_t wpa_fact_n_runners;
extern const char *const wpa_fact_runner_list[];
extern const char *const wpa_fact_self_hosted_list[];
extern const wpa_fact_cache wpa_fact_caches[];
extern const size_t wpa_fact_n_caches;
extern const wpa_fact_slow_install wpa_fact_slow_installs[];
extern const size_t wpa_fact_n_slow_installs;
extern const char *const wpa_fact_service_healths[][2];
extern const size_t wpa_fact_n_service_healths;
extern const char *const wpa_fact_large_images[];
extern const size_t wpa_fact_n_large_images;
extern const wpa_fact_untrusted wpa_fact_untrusteds[];
extern const size_t wpa_fact_n_untrusteds;
extern const uint8_t wpa_fact_untrusted_shared[]; /* with the path before */
extern const wpa_fact_named_list wpa_fact_code_inputs[];
extern const size_t wpa_fact_n_code_inputs;
extern const wpa_fact_named_list wpa_fact_taint_outputs[];
extern const size_t wpa_fact_n_taint_outputs;
extern const char *const wpa_fact_metadata_only_list[];
extern const char *const wpa_fact_open_outputs_list[];
extern const char *const wpa_fact_member_checks_list[];
extern const char *const wpa_fact_artifact_downloads_list[];
extern const char *const wpa_fact_ai_agents_list[];
extern const char *const wpa_fact_tree_runners_list[];
extern const char *const wpa_fact_mergers_list[];
extern const char *const wpa_fact_comment_commands_list[];
extern const char *const wpa_fact_publishers_list[];
extern const wpa_schema_def wpa_fact_workflow_schema[];
extern const size_t wpa_fact_n_workflow_schema;
extern const wpa_schema_def wpa_fact_action_schema[];
extern const size_t wpa_fact_n_action_schema;
/* In order of their programs. */
extern const wpa_fact_command wpa_fact_commands[];
extern const size_t wpa_fact_n_commands;
extern const wpa_fact_wrapper wpa_fact_wrappers[];
extern const size_t wpa_fact_n_wrappers;
extern const wpa_fact_launcher wpa_fact_launchers[];
extern const size_t wpa_fact_n_launchers;
extern const wpa_fact_installer wpa_fact_installers[];
extern const size_t wpa_fact_n_installers;
extern const wpa_fact_action_role wpa_fact_action_roles[];
extern const size_t wpa_fact_n_action_roles;
extern const wpa_fact_tree_program wpa_fact_tree_programs[];
extern const size_t wpa_fact_n_tree_programs;
extern const wpa_fact_name wpa_fact_guarded_checkouts[];
extern const size_t wpa_fact_n_guarded_checkouts;
extern const wpa_fact_name wpa_fact_closed_programs[];
extern const size_t wpa_fact_n_closed_programs;
extern const wpa_fact_name wpa_fact_tool_variables[]; /* "*" is any characters */
extern const size_t wpa_fact_n_tool_variables;
extern const wpa_fact_tool wpa_fact_tools[];
extern const size_t wpa_fact_n_tools;
extern const wpa_fact_host wpa_fact_hosts[];
extern const size_t wpa_fact_n_hosts;
extern const wpa_schema_def wpa_fact_dependabot_schema[];
extern const size_t wpa_fact_n_dependabot_schema;
extern const wpa_schema_def wpa_fact_pre_commit_schema[];
extern const size_t wpa_fact_n_pre_commit_schema;
extern const char *const wpa_fact_timezone_list[];

/* Of what workflows use, hold and grant. */
extern const wpa_fact_publish_command wpa_fact_publish_commands[];
extern const size_t wpa_fact_n_publish_commands;
extern const wpa_fact_publish_action wpa_fact_publish_actions[];
extern const size_t wpa_fact_n_publish_actions;
extern const wpa_fact_replacement wpa_fact_replacements[];
extern const size_t wpa_fact_n_replacements;
extern const wpa_fact_cloud_login wpa_fact_cloud_logins[];
extern const size_t wpa_fact_n_cloud_logins;
extern const wpa_fact_cloud_variable wpa_fact_cloud_variables[];
extern const size_t wpa_fact_n_cloud_variables;
extern const wpa_fact_cloud_registry wpa_fact_cloud_registries[];
extern const size_t wpa_fact_n_cloud_registries;
extern const wpa_fact_oidc_action wpa_fact_oidc_actions[];
extern const size_t wpa_fact_n_oidc_actions;
extern const wpa_fact_debug_action wpa_fact_debug_actions[];
extern const size_t wpa_fact_n_debug_actions;
extern const wpa_fact_creator wpa_fact_creators[];
extern const size_t wpa_fact_n_creators;
extern const wpa_fact_original wpa_fact_originals[];
/* Of name and blurred of each, as wpa_slug_letters tells: looked through by themselves. */
extern const uint32_t wpa_fact_original_letters[], wpa_fact_original_blurred_letters[];
extern const size_t wpa_fact_n_originals;
extern const wpa_fact_impostor wpa_fact_impostors[];
extern const size_t wpa_fact_n_impostors;
extern const wpa_fact_payload_object wpa_fact_payload_objects[];
extern const size_t wpa_fact_n_payload_objects;
extern const wpa_fact_payload wpa_fact_payloads[];
extern const size_t wpa_fact_n_payloads;
extern const wpa_fact_payload_activity wpa_fact_payload_activities[];
extern const size_t wpa_fact_n_payload_activities;
extern const wpa_fact_renamed_owner wpa_fact_renamed_owners[];
extern const size_t wpa_fact_n_renamed_owners;
extern const wpa_fact_platform wpa_fact_platforms[];
extern const size_t wpa_fact_n_platforms;
