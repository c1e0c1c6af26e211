/*
 * What wpa knows about programs that scripts run: what kind of work a command is, which programs
 * only run others, how packages are installed, which actions install tools, whose hosts are whose.
 *
 * Rows name programs, not paths. Commands that no row covers are unknown.
 */
#pragma once

#include "facts/facts.h"
#include "facts/patterns.h"

/** What a command does; a set of bits. */
typedef enum wpa_command_role {
    WPA_DOES_TEST = 1 << 0,
    WPA_DOES_BUILD = 1 << 1,
    WPA_DOES_LINT = 1 << 2,
    WPA_DOES_INSTALL = 1 << 3, /* fetches dependencies or tools */
    WPA_DOES_PUBLISH = 1 << 4, /* releases, deploys, pushes */
    WPA_DOES_HISTORY = 1 << 5, /* needs commits or tags that a shallow clone lacks */
    WPA_DOES_FETCH = 1 << 6,   /* downloads */
    WPA_DOES_SCAN = 1 << 7     /* looks for vulnerabilities or secrets */
} wpa_command_role;
#define WPA_DOES_COUNT 8

/** What there is to be asked about a program; a set of bits. */
typedef enum wpa_program_known {
    WPA_KNOWN_ROLES = 1 << 0,
    WPA_KNOWN_LAUNCHER = 1 << 1,
    WPA_KNOWN_WRAPPER = 1 << 2,
    WPA_KNOWN_INSTALLER = 1 << 3,
    WPA_KNOWN_PUBLISHER = 1 << 4,
    WPA_KNOWN_CLOSED =
        1 << 5,             /* it runs nothing of the project, and reads no variables but its own */
    WPA_KNOWN_TOOL = 1 << 6 /* of which it is known on what images it is */
} wpa_program_known;

/* Above these bits stands, from 1, the first row of the table of commands that has the program: for
   wpa_facts_command_roles, which is asked about nearly all that have one. */
#define WPA_KNOWN_ROW_SHIFT 16

/** Of all tables at once: most programs are in none, and need not be asked for in each. */
unsigned wpa_facts_program_known(const char *name);

typedef struct wpa_fact_command {
    const char *program;
    wpa_fact_pattern words; /* "run|exec *test*" */
    bool bare;              /* only without arguments */
    unsigned roles;         /* wpa_command_role bits */
} wpa_fact_command;

/**
 * Roles of "name words[0] words[1] ...", of all rows that fit and of the command that it launches
 * ("uv run pytest"); 0 if it is not known.
 *
 * name   program without its path.
 * known  as wpa_facts_program_known says of it.
 * words  [n] what stands behind it, options included.
 */
unsigned wpa_facts_command_roles(const char *name, unsigned known, const char *const words[],
                                 size_t n);

/** "test", "build", ...: name of bit i. */
const char *wpa_facts_command_role_name(unsigned bit_index);

/** A program that runs the command behind its own words. */
typedef struct wpa_fact_wrapper {
    const char *program;
    const char *with_value; /* letters of short options that take the next word; may be NULL */
    unsigned arguments;     /* its own words before the command */
} wpa_fact_wrapper;

/** NULL: not one. */
const wpa_fact_wrapper *wpa_facts_wrapper_find(const char *name);

/** A program that runs another in its own environment: "uv run", "bundle exec". */
typedef struct wpa_fact_launcher {
    const char *program;
    wpa_fact_pattern words;   /* in front of the command */
    wpa_fact_list with_value; /* options that take the next word */
} wpa_fact_launcher;

/** A command that installs (or fetches and runs) packages named on its line. */
typedef struct wpa_fact_installer {
    const char *program;
    wpa_fact_pattern words;     /* its first words */
    const char *kind;           /* "pypi", "npm", "distribution", ... */
    wpa_fact_list with_value;   /* options that take the next word */
    wpa_fact_list lock_options; /* options that take what a file of the repository fixes */
    wpa_fact_list version_options;
    const char *version_mark; /* "==", "@": what stands before a version; "a|b", "" if none */
    const char *from_option;  /* names the package in place of the first argument */
    const char *only_option;  /* packages are named by this option alone */
    const char *id_option;    /* names the package too */
    const char *lock_suffix;  /* an argument that ends so is a lockfile */
    bool single;              /* one package, the rest is its own business */
    bool is_run;              /* runs the package at once */
    bool is_signed;           /* packages of a distribution, with signatures */
    bool needs_mark;          /* without a version it reads the project's own files */
    bool skip_first;          /* the first argument is no package */
    bool second_is_version;
} wpa_fact_installer;

/** The installer that this command is, or NULL; *behind is the number of words its row took. */
const wpa_fact_installer *wpa_facts_installer_find(const char *name, const char *const words[],
                                                   size_t n, size_t *behind);

/** An action whose work a command would be known to do, or that only prepares for others. */
typedef struct wpa_fact_action_role {
    const char *program; /* "owner/repo[/path]", lower case */
    unsigned roles;      /* wpa_command_role bits */
    bool is_setup;       /* brings the tree, a tool or a login */
} wpa_fact_action_role;

/** slug without ref, compared without case; NULL: not known. */
const wpa_fact_action_role *wpa_facts_action_role_find(wpa_slice slug);

/** A program that executes what it finds in the tree, whatever else it is for. */
typedef struct wpa_fact_tree_program {
    const char *program;
    wpa_fact_pattern words;
    const char *file; /* that it executes, or is told by what to execute */
} wpa_fact_tree_program;

/** Which file of the tree does this command execute? NULL: not one of those. */
const char *wpa_facts_tree_file(const char *name, const char *const words[], size_t n);

typedef struct wpa_fact_name {
    const char *program;
} wpa_fact_name;

/** Does actions/checkout, in this version, refuse trees of forks where rights are at hand? */
bool wpa_facts_checkout_is_guarded(const wpa_version *version);
/** Is this variable one that programs read without being told? */
bool wpa_facts_is_tool_variable(const char *name);

/** An action that installs a tool whose version an input chooses. */
typedef struct wpa_fact_tool {
    const char *action; /* owner/repo[/path] */
    const char *tool;
    wpa_fact_list inputs;
    bool only_if_given; /* without the input the action's own release fixes the version */
    bool reads_project; /* without it a file of the project may fix it */
    bool is_list;       /* the input lists tools, "name@version" */
    bool is_runtime;    /* of a language: "stable" is a choice there */
} wpa_fact_tool;

/** slug without ref, compared without case; NULL: not in the table. */
const wpa_fact_tool *wpa_facts_tool_find(wpa_slice slug);

typedef struct wpa_fact_host {
    const char *host;
    bool is_vendor; /* its owner offers scripts to install the owner's own product */
    bool has_https; /* serves the same paths by https */
} wpa_fact_host;

/** Hosts compare without case, exactly. */
const wpa_fact_host *wpa_facts_host_find(wpa_slice host);
