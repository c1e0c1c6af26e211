/*
 * Whether text that a stranger chose reaches a value: through expressions, env, outputs of steps
 * and jobs, matrices, inputs of callers, files that steps write for later ones.
 *
 * Everything is bounded: at most WPA_TAINT_MAX_HOPS from sink to source, and a limit on what one
 * question may look at. What cannot be followed is UNKNOWN, never clean.
 */
#pragma once

#include "rules/flow.h"
#include "rules/trust.h"

#define WPA_TAINT_MAX_HOPS 32
/** Shape of what git has let pass as a branch's name: without blanks, and without a dash in front.
 */
#define WPA_TAINT_BRANCH "checked branch name"
#define WPA_IDENTIFIER "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/** How bad a value is; in order. */
typedef enum wpa_taint_grade {
    WPA_TAINT_NONE,          /* nothing that anybody chooses */
    WPA_TAINT_UNKNOWN,       /* cannot be told: an open matrix, vars, outputs without known flow */
    WPA_TAINT_OF_CALLER,     /* whatever a caller puts in, and none is known to put in worse */
    WPA_TAINT_OF_DISPATCH,   /* free text of whoever starts the workflow */
    WPA_TAINT_OF_STRUCTURED, /* a stranger chooses, within a character set */
    WPA_TAINT_OF_PAYLOAD,    /* of an event with free text, by a path that no table has */
    WPA_TAINT_OF_ARBITRARY   /* any text of a stranger */
} wpa_taint_grade;

/** One place that the value came through, next to the sink first. */
typedef struct wpa_taint_hop wpa_taint_hop;
struct wpa_taint_hop {
    const wpa_source *source;
    wpa_span span;
    const char *label;
    const wpa_taint_hop *next;
    bool is_kept; /* private: in memory that lasts as long as what is remembered of the file */
};

typedef struct wpa_taint {
    wpa_taint_grade grade;
    const char *path;   /* of the source, as written there; NULL if NONE or UNKNOWN */
    const char *shape;  /* "free text", "git ref name"; NULL likewise */
    wpa_trust trust;    /* of whoever can put it in */
    bool is_privileged; /* where it is put in there are rights worth taking */
    const wpa_taint_hop *hops;
    unsigned n_hops;
} wpa_taint;

/** What is asked for. */
typedef enum wpa_taint_question {
    WPA_TAINT_TEXT, /* text that is dangerous where it becomes code */
    WPA_TAINT_CODE  /* what names a stranger's tree: head.sha and its like count too */
} wpa_taint_question;

/** Of one context path, "github.event.issue.title", as it stands at the site. */
wpa_taint wpa_taint_of_path(wpa_rule_run *run, const wpa_site *site, const char *path,
                            wpa_taint_question question);
/** Of all expressions of a scalar; node may be NULL. */
wpa_taint wpa_taint_of_scalar(wpa_rule_run *run, const wpa_site *site, const wpa_yaml_node *node,
                              wpa_taint_question question);
/** Of bytes of the step's script: its expressions, variables and what its commands read. */
wpa_taint wpa_taint_of_script(wpa_rule_run *run, const wpa_site *site, wpa_span span,
                              wpa_taint_question question);
/** Of a variable as the step's script sees it at this offset. */
wpa_taint wpa_taint_of_variable(wpa_rule_run *run, const wpa_site *site, const char *name,
                                size_t at);

/**
 * Of bytes of github-script's input: what they read of the step's env and of the event, by
 * themselves or by names that hold it. Expressions are left out: they are code as they stand.
 */
wpa_taint wpa_taint_of_javascript(wpa_rule_run *run, const wpa_site *site,
                                  const wpa_yaml_node *script, wpa_span span);

/** Of what this script, before the offset, and the steps before it write to the file. */
wpa_taint wpa_taint_of_file(wpa_rule_run *run, const wpa_site *site, const char *file, size_t at);

/** Is it text of somebody, not only something unknown? */
bool wpa_taint_is_tainted(const wpa_taint *taint);
/** Is it what strangers, not people with write access, choose? */
bool wpa_taint_is_of_outsider(const wpa_taint *taint);
/** Show every hop on the finding, the source first. */
void wpa_taint_relate(wpa_rule_run *run, wpa_finding *finding, const wpa_taint *taint);
