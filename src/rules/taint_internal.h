/*
 * Shared by taint.c (what refers to what), taint_source.c (where text of strangers comes in),
 * taint_script.c (what scripts read and write) and taint_fetched.c (what steps ask the forge for).
 */
#pragma once

#include "rules/taint.h"

typedef struct wpa_tracer {
    wpa_rule_run *run;
    wpa_taint_question question;
    unsigned depth;
    unsigned left;                 /* paths that may still be looked at */
    const wpa_outline_step *outer; /* step for which env of its job or file is being read */
} wpa_tracer;

wpa_taint wpa_trace_path(wpa_tracer *t, const wpa_site *site, const char *path);
wpa_taint wpa_trace_scalar(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node);
/** Expressions within bytes [from, to) of the decoded scalar. */
wpa_taint wpa_trace_text(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node,
                         wpa_span within);
wpa_taint wpa_trace_env(wpa_tracer *t, const wpa_site *site, const char *name);
wpa_taint wpa_trace_script(wpa_tracer *t, const wpa_site *site, wpa_span span);
/** Output or variable that the scripts of a step write; UNKNOWN if they do not, as far as seen. */
wpa_taint wpa_trace_export(wpa_tracer *t, const wpa_site *site, const char *file, const char *name);
/** A path that no file of the repository sets, "github.head_ref"; lower is the path so written. */
wpa_taint wpa_trace_source(wpa_tracer *t, const wpa_site *site, const char *path,
                           const char *lower);
/**
 * What the site's step fetches from outside the files and gives out under this name.
 *
 * Outputs of actions that a table knows, scripts of the forge's client, commands that ask the
 * forge. What a script writes out of other values is wpa_trace_export's.
 *
 * site   with a step that has a script or uses an action of another repository.
 * path   of the output as the reader wrote it, for what is shown.
 *
 * Returns   UNKNOWN where nothing says what it is; NONE only of what is known to be fetched where
 *           no event lets anybody fill it.
 */
wpa_taint wpa_trace_fetched(wpa_tracer *t, const wpa_site *site, const char *name,
                            const char *path);
/** Any text of strangers that comes from outside the files, as far as one of the events starts it.
 */
wpa_taint wpa_trace_foreign(wpa_tracer *t, const wpa_site *site, wpa_fact_list events,
                            const char *path, const char *shape);
wpa_taint wpa_taint_worse(wpa_taint a, wpa_taint b);
wpa_taint wpa_taint_add_hop(wpa_tracer *t, wpa_taint taint, const wpa_source *source, wpa_span span,
                            const char *label);
