/*
 * Shared by taint.c (what refers to what), taint_source.c (where text of strangers comes in),
 * taint_script.c (what scripts read), taint_written.c (what they write), taint_brought.c (what
 * their commands bring in), taint_python.c (variables of Python), taint_fetched.c (what steps ask
 * the forge for), taint_outputs.c (outputs and matrices) and taint_memo.c (what has been found
 * before).
 */
#pragma once

#include "rules/taint.h"

typedef struct wpa_tracer {
    wpa_rule_run *run;
    wpa_taint_question question;
    unsigned depth;
    unsigned left;                 /* paths that may still be looked at */
    const wpa_outline_step *outer; /* step for which env of its job or file is being read */
    bool is_cut;                   /* a limit, or a circle, has kept it from looking further */
} wpa_tracer;

#define WPA_TRACE_KEY_SIZE 256

/** One question to the tracer, from wpa_trace_known until wpa_trace_keep. */
typedef struct wpa_trace_memo {
    char key[WPA_TRACE_KEY_SIZE];
    bool was_cut; /* before it was asked */
} wpa_trace_memo;

/**
 * What was found when the same was asked before; NULL: find it, and give it to wpa_trace_keep.
 *
 * kind, at, name  what is asked of the site, where in its script.
 */
const wpa_taint *wpa_trace_known(wpa_tracer *t, const wpa_site *site, char kind, size_t at,
                                 const char *name, wpa_trace_memo *memo);
/** Keep it, unless it was cut: elsewhere more might be found. Returns the same, of what is kept. */
wpa_taint wpa_trace_keep(wpa_tracer *t, const wpa_trace_memo *memo, wpa_taint taint);

wpa_taint wpa_trace_path(wpa_tracer *t, const wpa_site *site, const char *path);
wpa_taint wpa_trace_scalar(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node);
/** Expressions within bytes [from, to) of the decoded scalar. */
wpa_taint wpa_trace_text(wpa_tracer *t, const wpa_site *site, const wpa_yaml_node *node,
                         wpa_span within);
wpa_taint wpa_trace_env(wpa_tracer *t, const wpa_site *site, const char *name);
/** The part of a path between two dots, "" beyond its end; the arena of the rule holds the copy. */
const char *wpa_trace_part(wpa_tracer *t, const char *path, size_t index);
/** An output of a step or a job, "needs.ID.outputs.NAME"; the worst of all those that a shorter
   path or a "*" in it stands for. lower is the path so written. */
wpa_taint wpa_trace_output(wpa_tracer *t, const wpa_site *site, const char *path,
                           const char *lower);
/** "matrix.ROW", "matrix.ROW.MEMBER" */
wpa_taint wpa_trace_matrix(wpa_tracer *t, const wpa_site *site, const char *path);
wpa_taint wpa_trace_script(wpa_tracer *t, const wpa_site *site, wpa_span span);
/** Whole files that commands within the span print or are fed: "cat file", "< file". */
wpa_taint wpa_trace_files(wpa_tracer *t, const wpa_site *site, wpa_span span);
/** What stands in files that a step before this one brought in from strangers; NONE if none did. */
wpa_taint wpa_trace_intake(wpa_tracer *t, const wpa_site *site);
/** Files and history of a stranger's tree that commands within the span print. */
wpa_taint wpa_trace_disk(wpa_tracer *t, const wpa_site *site, wpa_span span);
/** Text of a pull request or an issue that commands within the span fetch. */
wpa_taint wpa_trace_forge(wpa_tracer *t, const wpa_site *site, wpa_span span);
/** Text of strangers that the forge answers with, shown as path. */
wpa_taint wpa_trace_answer(wpa_tracer *t, const wpa_site *site, const char *path);
/** Members of the event that commands within the span pick out of its file: "jq .issue.title". */
wpa_taint wpa_trace_event(wpa_tracer *t, const wpa_site *site, wpa_span span);
/** Variables of a script of Python within the span, as far as the script assigns them before. */
wpa_taint wpa_trace_python(wpa_tracer *t, const wpa_site *site, wpa_span span);
/** Is text made harmless within the span: cut to a safe set, made a number, quoted? */
bool wpa_taint_is_sanitised(const char *text, wpa_span span);
/** Output or variable that the scripts of a step write, or any of them if it is named "*"; UNKNOWN
    if they do not, as far as seen. */
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
/** A variable that the site's step sets by a script of the forge's client; NONE if it does not. */
wpa_taint wpa_trace_client_env(wpa_tracer *t, const wpa_site *site, const char *name);
/** Any text of strangers that comes from outside the files, as far as one of the events starts it.
 */
wpa_taint wpa_trace_foreign(wpa_tracer *t, const wpa_site *site, wpa_fact_list events,
                            const char *path, const char *shape);
wpa_taint wpa_taint_worse(wpa_taint a, wpa_taint b);
wpa_taint wpa_taint_add_hop(wpa_tracer *t, wpa_taint taint, const wpa_source *source, wpa_span span,
                            const char *label);
