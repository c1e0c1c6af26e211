/*
 * What wpa knows about GitHub Actions: actions and their versions, events, contexts, permissions,
 * runner labels, advisories, archived repositories, attacker-controlled paths and the schema.
 *
 * Everything is compiled in from data/ and read-only; pointers live as long as the program. Some of
 * it may have been refreshed since (refreshed.h, told.h). A thing that the tables do not hold is
 * unknown, never wrong: callers stay silent about it.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>
#include <wpa/text.h>
#include <wpa/yaml.h>

typedef enum wpa_fact_table {
    WPA_FACTS_ACTIONS,
    WPA_FACTS_TAGS,
    WPA_FACTS_EVENTS,
    WPA_FACTS_CONTEXTS,
    WPA_FACTS_PERMISSIONS,
    WPA_FACTS_RUNNERS,
    WPA_FACTS_UNTRUSTED,
    WPA_FACTS_ADVISORIES,
    WPA_FACTS_ARCHIVED,
    WPA_FACTS_CACHES,
    WPA_FACTS_SPEEDUPS,
    WPA_FACTS_SCHEMA,
    WPA_FACTS_COMMANDS,
    WPA_FACTS_IMAGES,
    WPA_FACTS_TOOLCHAINS,
    WPA_FACTS_FORGES,
    WPA_FACTS_MIGRATIONS,
    WPA_FACTS_SUPPLY,
    WPA_FACTS_PAYLOADS,
    WPA_FACTS_VALUES,
    WPA_FACTS_DEPENDABOT,
    WPA_FACTS_PRE_COMMIT,
    WPA_FACTS_TIMEZONES,
    WPA_FACTS_COUNT
} wpa_fact_table;

/** "actions", "tags", ... as printed beside findings. */
const char *wpa_facts_table_name(wpa_fact_table table);
/** The day the table's data was collected, "2026-11-22"; of a refreshed table in use, its own. */
const char *wpa_facts_date(wpa_fact_table table);
/** Where it came from, for people. */
const char *wpa_facts_source(wpa_fact_table table);
const char *wpa_facts_licence(wpa_fact_table table);
/** Tells refreshed facts from others in the keys of kept results; "" if none are in use. */
const char *wpa_facts_digest(void);
/** As compiled in, whatever was refreshed since. */
const char *wpa_facts_compiled_date(wpa_fact_table table);
size_t wpa_facts_row_count(wpa_fact_table table);
/** Which tables are more than 90 days old, for people; NULL: none. today is "YYYY-MM-DD". */
const char *wpa_facts_age_note(const char *today, wpa_arena *arena);

/** Days since 1970 of "YYYY-MM-DD"; -1 for NULL or what is no day of a calendar. */
int64_t wpa_facts_days(const char *day);

/** A NULL-terminated list of texts. */
typedef const char *const *wpa_fact_list;

size_t wpa_fact_list_count(wpa_fact_list list);
bool wpa_fact_list_has(wpa_fact_list list, wpa_slice text);
bool wpa_fact_list_has_ci(wpa_fact_list list, wpa_slice text);

/* ---- versions ----------------------------------------------------------------------------------
 */

/** "v4", "1.2", "v1.2.3-rc.1": numbers with an optional leading v, missing parts count as 0. */
typedef struct wpa_version {
    uint64_t parts[4];
    size_t n_parts;   /* as written, 1 to 4 */
    wpa_slice suffix; /* "rc.1" behind a hyphen, borrowed; empty for a release */
} wpa_version;

/** False if text is not a version. */
bool wpa_version_parse(wpa_slice text, wpa_version *version);
/** Below, at or above 0 as a is older than, equal to or newer than b; a pre-release is older than
 * its release. */
int wpa_version_compare(const wpa_version *a, const wpa_version *b);

/* ---- actions and their versions ----------------------------------------------------------------
 */

#define WPA_COMMIT_BYTES 20

/** A repository whose tags and branches are known. */
typedef struct wpa_fact_repo wpa_fact_repo;
/** An action of such a repository, at its root or below it. */
typedef struct wpa_fact_action wpa_fact_action;

typedef enum wpa_fact_ref_kind {
    WPA_FACT_TAG,
    WPA_FACT_OTHER_TAG, /* not shaped like a version */
    WPA_FACT_BRANCH
} wpa_fact_ref_kind;

typedef struct wpa_fact_ref {
    const char *name;
    wpa_fact_ref_kind kind;
    const uint8_t *commit; /* [WPA_COMMIT_BYTES] */
} wpa_fact_ref;

/** slug is "owner/repo", compared without case; a path behind it is ignored. NULL: unknown. */
const wpa_fact_repo *wpa_facts_repo_find(wpa_slice slug);
const char *wpa_facts_repo_name(const wpa_fact_repo *repo);
/** How fresh its refs are: the day it was asked, or of the newest tag or branch in the snapshot. */
const char *wpa_facts_repo_date(const wpa_fact_repo *repo);
size_t wpa_facts_repo_ref_count(const wpa_fact_repo *repo);
/** The i-th ref in the order of names; a name may be there twice, as tag and as branch. */
wpa_fact_ref wpa_facts_repo_ref_at(const wpa_fact_repo *repo, size_t i);
/** Its name alone, for who goes through many. */
const char *wpa_facts_repo_ref_name(const wpa_fact_repo *repo, size_t i);
/** Tags win over branches, as on GitHub. False: no such ref in the snapshot. */
bool wpa_facts_ref_find(const wpa_fact_repo *repo, wpa_slice name, wpa_fact_ref *ref);
/** Refs at a commit, at most max of them, in the order of names; returns how many there are. */
size_t wpa_facts_commit_refs(const wpa_fact_repo *repo, const uint8_t *commit, wpa_fact_ref *refs,
                             size_t max);
/** The fullest version tag of a commit ("v4.2.2" rather than "v4"); false if it has none. */
bool wpa_facts_commit_version(const wpa_fact_repo *repo, const uint8_t *commit, wpa_fact_ref *tag);

/** slug is "owner/repo[/path]": owner and repo without case, path exactly. */
const wpa_fact_action *wpa_facts_action_find(wpa_slice slug);
size_t wpa_facts_action_count(void);
const wpa_fact_action *wpa_facts_action_at(size_t i);
/** As its owner spells it. */
const char *wpa_facts_action_name(const wpa_fact_action *action);
/** 1 is the most used. */
unsigned wpa_facts_action_rank(const wpa_fact_action *action);
/** Newest release; false if the repository makes none. date is NULL if unknown. */
bool wpa_facts_action_latest(const wpa_fact_action *action, wpa_fact_ref *tag, const char **date);

typedef struct wpa_fact_input {
    const char *name;
    const char *deprecated; /* the action's own message, or NULL */
    bool is_required;
    bool has_default;
} wpa_fact_input;

typedef struct wpa_fact_major {
    int number;            /* 4 for v4; -1 for an action seen only on the default branch */
    const char *ref;       /* the moving tag or branch "v4", or NULL */
    const uint8_t *commit; /* of ref, or NULL */
    const char *newest;    /* newest full version of this major, or NULL */
    const uint8_t *newest_commit;
    const char *newest_date;
    const char *metadata; /* version that what follows is of; newest may be newer; or NULL */
    const char *metadata_date;
    const char *using; /* "node20", "composite", "docker", ... */
    const char *image; /* of a docker action, or NULL */
    size_t n_inputs;
    size_t n_outputs;
    size_t n_uses;        /* actions that a composite calls */
    bool wants_input;     /* may be: one that must be given */
    uint32_t first_input; /* for the functions below, as is what follows */
    uint32_t first_output;
    uint32_t first_used;
    const struct wpa_told_action *told; /* or NULL: it is compiled in */
} wpa_fact_major;

size_t wpa_facts_major_count(const wpa_fact_action *action);
/** Newest first. */
wpa_fact_major wpa_facts_major_at(const wpa_fact_action *action, size_t i);
bool wpa_facts_major_find(const wpa_fact_action *action, int number, wpa_fact_major *major);
wpa_fact_input wpa_facts_input_at(const wpa_fact_major *major, size_t i);
/** Input names compare without case. */
bool wpa_facts_input_find(const wpa_fact_major *major, wpa_slice name, wpa_fact_input *input);
const char *wpa_facts_output_at(const wpa_fact_major *major, size_t i);
bool wpa_facts_output_has(const wpa_fact_major *major, wpa_slice name);
const char *wpa_facts_used_at(const wpa_fact_major *major, size_t i);

typedef enum wpa_fact_pin {
    WPA_PIN_COMMIT,       /* 40 or 64 hexadecimal digits */
    WPA_PIN_SHORT_COMMIT, /* 7 to 39 */
    WPA_PIN_VERSION,      /* v1, 1.2, v1.2.3-rc.1 */
    WPA_PIN_OTHER         /* branch or unknown */
} wpa_fact_pin;

/** What kind of ref a text is, by its shape alone. */
wpa_fact_pin wpa_facts_pin_of(wpa_slice ref);

/** What is known of "slug@ref". */
typedef struct wpa_fact_use {
    wpa_fact_pin pin;
    const wpa_fact_repo *repo;     /* NULL: repository unknown */
    const wpa_fact_action *action; /* NULL: its metadata is unknown */
    /* Rows of the tables of actions, by the slug alone: NULL, none. */
    const struct wpa_fact_action_role *role; /* what it does */
    const struct wpa_fact_runtime *runtime;  /* that it sets up */
    const struct wpa_fact_need *need;        /* scopes of the token */
    const struct wpa_fact_tool *tool;        /* that it installs */
    const struct wpa_fact_publish_action *publish;
    const struct wpa_fact_replacement *replacement;
    const struct wpa_fact_cloud_login *login;
    const struct wpa_fact_cache *caches;         /* [n_caches] */
    const struct wpa_fact_values *values;        /* [n_values] what its inputs accept */
    const struct wpa_fact_migration *migrations; /* [n_migrations] */
    size_t n_caches, n_values, n_migrations;
    unsigned traits;       /* a bit for each wpa_fact_trait */
    bool is_debug;         /* it lets people into the runner */
    const uint8_t *commit; /* what ref means in the snapshot, or NULL */
    const char *tag;       /* fullest version tag of a commit that ref is, or NULL */
    bool has_version;
    wpa_version version; /* of the commit, else of ref itself; has as many parts as known */
    bool has_major;
    wpa_fact_major major; /* metadata of that major */
} wpa_fact_use;

/**
 * Resolve "slug@ref" against the snapshot.
 *
 * hint      version named by a comment on the line, used when the commit is unknown; may be empty.
 */
void wpa_facts_use_resolve(wpa_slice slug, wpa_slice ref, wpa_slice hint, wpa_fact_use *use);

/** An action version, runtime or command that is switched off or will be. */
typedef struct wpa_fact_end {
    const char *match;       /* "actions/cache@<3.4.0", "runs.using: node16", ... */
    size_t slug_length;      /* bytes of it up to the "@"; 0: it speaks of no action */
    const char *status;      /* "removed", "unsupported", "deprecated" */
    const char *since;       /* day, or NULL if unknown */
    const char *replacement; /* or NULL */
    const char *source;
} wpa_fact_end;

/** The row that covers this use, or NULL. */
const wpa_fact_end *wpa_facts_end_find(wpa_slice slug, wpa_slice ref, const wpa_fact_use *use);
/** The row of "runs.using: <using>", or NULL. */
const wpa_fact_end *wpa_facts_runtime_end(const char *using);

typedef struct wpa_fact_archived {
    const char *repo; /* lower case */
    const char *status;
    wpa_fact_list successors; /* may be empty */
    const char *basis;
} wpa_fact_archived;

/** slug as in wpa_facts_repo_find. */
const wpa_fact_archived *wpa_facts_archived_find(wpa_slice slug);

/* ---- advisories --------------------------------------------------------------------------------
 */

typedef struct wpa_fact_range {
    const char *introduced;    /* "0" is the beginning */
    const char *fixed;         /* first version without it, or NULL */
    const char *last_affected; /* or NULL */
} wpa_fact_range;

typedef struct wpa_fact_advisory {
    const char *action; /* "owner/repo[/path]" */
    const char *id;
    const char *published; /* day */
    const char *severity;  /* "low", "moderate", "high", "critical" */
    const char *kind;      /* "secret-leak", "compromise", ... */
    const char *summary;
    const char *source;
    const char *first_patched; /* or NULL */
    const wpa_fact_range *ranges;
    size_t n_ranges;
    wpa_fact_list versions;    /* single affected versions */
    wpa_fact_list bad_commits; /* known malicious, 40 hexadecimal digits */
    bool exposes_callers;      /* false: about the project's own workflow */
} wpa_fact_advisory;

size_t wpa_facts_advisory_count(void);
/**
 * The first row from this one on that speaks of the action, or of a folder or repository it lies
 * in; the count of rows if there is none.
 */
size_t wpa_facts_advisory_of(wpa_slice slug, size_t from);
const wpa_fact_advisory *wpa_facts_advisory_at(size_t i);

typedef enum wpa_fact_affected {
    WPA_AFFECTED_NO,
    WPA_AFFECTED_UNKNOWN, /* the version cannot be told: say nothing */
    WPA_AFFECTED_YES,
    WPA_AFFECTED_MALICIOUS /* the very commit that carried the attack */
} wpa_fact_affected;

/** Is "slug@ref" covered? A partial version (v3) counts only if all of it is. */
wpa_fact_affected wpa_facts_advisory_affects(const wpa_fact_advisory *advisory, wpa_slice slug,
                                             wpa_slice ref, const wpa_fact_use *use);

/* ---- events ------------------------------------------------------------------------------------
 */

typedef enum wpa_fact_trust {
    WPA_TRUST_OUTSIDER_PRIVILEGED, /* T0: strangers start it, with a write token and secrets */
    WPA_TRUST_OUTSIDER,            /* T1: strangers start it, with neither */
    WPA_TRUST_INSIDER,             /* T2 */
    WPA_TRUST_INHERITED            /* T3: as its callers */
} wpa_fact_trust;

typedef struct wpa_fact_event {
    const char *name;
    wpa_fact_list types;
    wpa_fact_list default_types;
    wpa_fact_list filters; /* "branches", "paths-ignore", "cron", "workflows", ... */
    wpa_fact_trust trust;
    bool takes_types;
    bool has_free_types; /* repository_dispatch */
    bool on_default_branch;
    bool is_legacy;
} wpa_fact_event;

const wpa_fact_event *wpa_facts_event_find(wpa_slice name);
size_t wpa_facts_event_count(void);
const wpa_fact_event *wpa_facts_event_at(size_t i);
/** Names of all events for "did you mean"; count as wpa_facts_event_count. */
const char *const *wpa_facts_event_names(void);

/* ---- contexts and functions --------------------------------------------------------------------
 */

typedef struct wpa_fact_availability {
    const char *key; /* "jobs.<job_id>.steps.run", "action.yml:step-if" */
    wpa_fact_list contexts;
    wpa_fact_list functions; /* beyond those allowed everywhere */
    uint32_t context_bits;   /* of contexts: 1 << index in wpa_facts_context_names */
} wpa_fact_availability;

typedef struct wpa_fact_context {
    const char *name;
    wpa_fact_list properties;
    wpa_fact_list types; /* of the properties: "string", "number", "boolean", "object" */
    bool is_open;        /* may have others */
} wpa_fact_context;

/** What is known of the text of a member, whatever the run. */
typedef struct wpa_fact_form {
    const char *path; /* "github.ref", "needs.*.result" */
    size_t path_length;
    const char *lacks;    /* never begins with it, or NULL */
    const char *holds;    /* is always in it, or NULL */
    wpa_fact_list values; /* is one of these; empty: any */
    wpa_fact_list begins; /* begins with one of these; empty: with anything */
} wpa_fact_form;

typedef struct wpa_fact_function {
    const char *name;
    int min_args;
    int max_args;
    bool is_status;  /* success, failure, cancelled, always */
    bool needs_odd;  /* case */
    bool is_limited; /* only where a key's row names it */
} wpa_fact_function;

const wpa_fact_availability *wpa_facts_availability_find(const char *key);
size_t wpa_facts_availability_count(void);
const wpa_fact_availability *wpa_facts_availability_at(size_t i);
/** Names compare without case. */
const wpa_fact_context *wpa_facts_context_find(wpa_slice name);
/** path as wpa_expr_references tells it; NULL if nothing is known of its text. */
const wpa_fact_form *wpa_facts_form_find(const char *path);
/** May a path that ends with this name, the case of its letters no matter, have one? */
bool wpa_facts_form_may_end(const char *name);
const wpa_fact_function *wpa_facts_function_find(wpa_slice name);
wpa_fact_list wpa_facts_context_names(void);
/** Can the action have outputs that its metadata does not name? slug without ref. */
bool wpa_facts_has_open_outputs(wpa_slice slug);
wpa_fact_list wpa_facts_function_names(void);

/* ---- permissions -------------------------------------------------------------------------------
 */

typedef struct wpa_fact_permission {
    const char *scope;
    bool can_read;
    bool can_write;
    const char *write_severity; /* of write at workflow level: "low" to "high" */
    const char *meaning;
} wpa_fact_permission;

const wpa_fact_permission *wpa_facts_permission_find(wpa_slice scope);
wpa_fact_list wpa_facts_permission_names(void);

/** What an action or a command needs of the job's token: "contents: write", "issues: write". */
typedef struct wpa_fact_need {
    const char *name;     /* "owner/repo[/path]", or "git push": command and its words */
    wpa_fact_list scopes; /* empty: nothing at all */
} wpa_fact_need;

/** NULL: not known. slug without ref. */
const wpa_fact_need *wpa_facts_action_need(wpa_slice slug);
/** Rows of commands; the words of a row must be the command's first words. */
const wpa_fact_need *wpa_facts_command_needs(size_t *n);
/** Of all of them: wpa_fact_first_bit of the programs that they name. */
uint32_t wpa_facts_command_need_firsts(void);

/* ---- runners -----------------------------------------------------------------------------------
 */

typedef enum wpa_fact_os {
    WPA_OS_UNKNOWN,
    WPA_OS_LINUX,
    WPA_OS_MACOS,
    WPA_OS_WINDOWS
} wpa_fact_os;

typedef enum wpa_fact_runner_state {
    WPA_RUNNER_CURRENT,
    WPA_RUNNER_PREVIEW,
    WPA_RUNNER_DEPRECATED,
    WPA_RUNNER_REMOVED
} wpa_fact_runner_state;

typedef struct wpa_fact_runner {
    const char *label;
    const char *image; /* "Ubuntu 24.04" */
    const char *arch;  /* "x64", "arm64" */
    wpa_fact_os os;
    wpa_fact_runner_state state;
    const char *deprecated_on;     /* day, or NULL */
    const char *removed_on;        /* day, or NULL; may lie ahead */
    const char *alias_of;          /* or NULL */
    const char *size;              /* "large", "slim", ...; NULL for the standard size */
    unsigned usd_per_1000_minutes; /* what private repositories pay; 0: unknown */
    size_t image_row;              /* for wpa_facts_image_of: from 1; 0: none lists the label */
    wpa_fact_list successors;      /* best first */
    const char *source;
} wpa_fact_runner;

/** Labels compare without case. NULL: not a label of GitHub's own runners. */
const wpa_fact_runner *wpa_facts_runner_find(wpa_slice label);
/** "self-hosted", "linux", "x64", ... */
bool wpa_facts_runner_is_self_hosted_label(wpa_slice label);
wpa_fact_list wpa_facts_runner_names(void);

/* ---- caches ----------------------------------------------------------------------------------
 */

typedef enum wpa_fact_cache_default {
    WPA_CACHE_OFF,
    WPA_CACHE_ON,
    WPA_CACHE_RESTORE,         /* reads a cache and never writes one */
    WPA_CACHE_PACKAGE_MANAGER, /* on if package.json names the package manager */
    WPA_CACHE_LOCKFILE         /* on if there is a lockfile */
} wpa_fact_cache_default;

/** One thing that an action can keep between runs. */
typedef struct wpa_fact_cache {
    const char *action;  /* "owner/repo[/path]" */
    const char *manager; /* "npm", "go", ...; "" for a folder of the user's choice */
    int since, until;    /* majors that this row holds for */
    int since_minor;     /* of the first of them */
    const char *input;   /* that switches it, or NULL */
    const char *on;      /* value of the input, NULL: any */
    const char *off;     /* values with blanks between, the usual one first; or NULL */
    wpa_fact_cache_default by_default;
    const char *default_input; /* false here switches the default off; or NULL */
    const char *read_only;     /* "lookup-only", "save-if=false": restores, never saves; or NULL */
    const char *only_with;     /* input without which nothing is kept; or NULL */
    wpa_fact_list paths;       /* folders it keeps; may be empty */
    wpa_fact_list lockfiles;
    wpa_fact_list installs; /* commands that fill them: "npm ci" */
    const char *source;
} wpa_fact_cache;

size_t wpa_facts_cache_count(void);
const wpa_fact_cache *wpa_facts_cache_at(size_t i);
/** The first row of an action, and how many there are; NULL: nothing is known. */
const wpa_fact_cache *wpa_facts_caches_of(wpa_slice slug, size_t *n);

/** A tool that is built from source though its owners release binaries. */
typedef struct wpa_fact_slow_install {
    const char *program; /* "cargo" */
    const char *words;   /* "install" */
    const char *package; /* as named behind it, without a version */
    const char *action;  /* that fetches the binary */
    const char *tool;    /* value of its input "tool", or NULL */
    const char *source;
} wpa_fact_slow_install;

/** package without a version; NULL: not known. */
const wpa_fact_slow_install *wpa_facts_slow_install_find(const char *program, wpa_slice package);
/** Command by which a service's image tells that it is ready; image without tag. NULL: unknown. */
const char *wpa_facts_service_health(wpa_slice image);
/** Is more than 1 GiB to be fetched for this image, as far as is known? image without tag. */
bool wpa_facts_image_is_large(wpa_slice image);

/* ---- what an attacker controls -----------------------------------------------------------------
 */

typedef enum wpa_fact_taint {
    WPA_TAINT_FIXED,      /* ids, numbers, commits */
    WPA_TAINT_STRUCTURED, /* chosen by an attacker within a character set */
    WPA_TAINT_ARBITRARY,  /* any text */
    WPA_TAINT_FLOW        /* as tainted as what set it: env, inputs, step and job outputs */
} wpa_fact_taint;

typedef struct wpa_fact_untrusted {
    const char *path; /* lower case, "*" for any index */
    wpa_fact_taint taint;
    wpa_fact_list triggers; /* "*": every event */
    bool covers_below;      /* any property below the path too */
    bool is_of_members;     /* people with rights in the repository write it, whoever sends it */
    const char *shape;      /* "free text", "git ref name" */
} wpa_fact_untrusted;

/** path as "github.event.issue.title"; case does not matter, any index matches "*". */
const wpa_fact_untrusted *wpa_facts_untrusted_find(wpa_slice path);

size_t wpa_facts_untrusted_count(void);
const wpa_fact_untrusted *wpa_facts_untrusted_at(size_t i);

/** What an action does that matters where strangers have a hand in it. */
typedef enum wpa_fact_trait {
    WPA_TRAIT_METADATA_ONLY,     /* touches metadata of the forge, never the tree */
    WPA_TRAIT_MEMBER_CHECK,      /* asks for the rights of whoever started it */
    WPA_TRAIT_ARTIFACT_DOWNLOAD, /* fetches artifacts */
    WPA_TRAIT_AI_AGENT,          /* puts text before a model, often one with tools */
    WPA_TRAIT_TREE_RUNNER,       /* executes files of the checkout: build files, hooks, plugins */
    WPA_TRAIT_MERGER,            /* approves or merges pull requests */
    WPA_TRAIT_COMMENT_COMMAND,   /* reads commands from comments */
    WPA_TRAIT_PUBLISHER          /* makes releases, uploads packages or images */
} wpa_fact_trait;
#define WPA_TRAIT_COUNT 8

/** slug without ref. */
bool wpa_facts_action_is(wpa_slice slug, wpa_fact_trait trait);
/** All of them, a bit each. */
unsigned wpa_facts_action_traits(wpa_slice slug);

/** Is this input of the action run as code? slug without ref. */
bool wpa_facts_input_is_code(wpa_slice slug, wpa_slice input);
/** Can an attacker choose this output of the action? */
bool wpa_facts_output_is_tainted(wpa_slice slug, wpa_slice output);

/* ---- schema ------------------------------------------------------------------------------------
 */

typedef enum wpa_schema_kind {
    WPA_SCHEMA_ANY,
    WPA_SCHEMA_MAPPING,
    WPA_SCHEMA_SEQUENCE,
    WPA_SCHEMA_STRING,
    WPA_SCHEMA_BOOLEAN,
    WPA_SCHEMA_NUMBER,
    WPA_SCHEMA_NULL,
    WPA_SCHEMA_ONE_OF,
    WPA_SCHEMA_ALLOWED /* a string of a fixed set */
} wpa_schema_kind;

/** Which scalars are surely fine for a definition, whatever they hold. */
typedef enum wpa_schema_texts {
    WPA_SCHEMA_TEXTS_SOME,   /* it depends */
    WPA_SCHEMA_TEXTS_FILLED, /* all that are neither empty nor null */
    WPA_SCHEMA_TEXTS_ALL
} wpa_schema_texts;

typedef struct wpa_schema_def wpa_schema_def;

typedef struct wpa_schema_property {
    wpa_yaml_name name;
    const wpa_schema_def *def;
    bool is_required;
    uint8_t next; /* from 1: the next one with the same bit; 0: none */
} wpa_schema_property;

struct wpa_schema_def {
    const char *name;
    size_t name_length;
    uint32_t name_bit; /* wpa_yaml_key_bit of it */
    wpa_schema_kind kind;
    unsigned takes; /* 1 << kind for this one's and for those of its choices, theirs included */
    const wpa_schema_property *properties; /* of a mapping */
    size_t n_properties;
    uint32_t keys;         /* wpa_yaml_key_bit of all of them */
    const uint8_t *by_bit; /* [32] from 1: the first of them with each bit; 0: none */
    /* Those by which a mapping is told from others: required, or of one text alone. */
    const wpa_schema_property *const *telling; /* NULL-terminated; NULL: none */
    uint32_t telling_keys;                     /* wpa_yaml_key_bit of all of them */
    int n_required;                            /* properties */
    wpa_schema_texts texts;
    const wpa_schema_def *loose;          /* value of any other key, if is_loose */
    const wpa_schema_def *item;           /* of a sequence */
    const wpa_schema_def *const *choices; /* NULL-terminated */
    const wpa_schema_def *const
        *mappings;        /* NULL-terminated: itself, or those it may be, in order */
    const char *constant; /* the only string allowed, or NULL */
    wpa_fact_list allowed;
    bool takes_expressions; /* of some contexts or functions */
    bool is_loose;          /* a mapping that takes any key */
    bool is_non_empty;
};

/** A definition of the workflow (or action) schema by name; "workflow-root-strict", ... */
const wpa_schema_def *wpa_schema_workflow_find(const char *name);
const wpa_schema_def *wpa_schema_action_find(const char *name);
const wpa_schema_def *wpa_schema_dependabot_find(const char *name);
const wpa_schema_def *wpa_schema_pre_commit_find(const char *name);
/** Names of the time zones of the tz database, links included. */
wpa_fact_list wpa_facts_timezone_names(void);
/** A property of a mapping, or NULL. */
const wpa_schema_property *wpa_schema_property_find(const wpa_schema_def *def, wpa_slice key);
