/* Shared by taint.c and taint_script.c alone. */
#pragma once

#include "rules/taint.h"

typedef struct wpa_tracer {
    wpa_rule_run *run;
    wpa_taint_question question;
    unsigned depth;
    unsigned left; /* paths that may still be looked at */
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
/** Any text of strangers that comes from outside the files, as far as one of the events starts it.
 */
wpa_taint wpa_trace_foreign(wpa_tracer *t, const wpa_site *site, wpa_fact_list events,
                            const char *path, const char *shape);
wpa_taint wpa_taint_worse(wpa_taint a, wpa_taint b);
wpa_taint wpa_taint_add_hop(wpa_tracer *t, wpa_taint taint, const wpa_source *source, wpa_span span,
                            const char *label);
