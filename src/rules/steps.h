/* Walking the steps of a file, and what rules about their scripts ask of them. */
#pragma once

#include "rules/outline.h"
#include "rules/rule.h"

/*
 * Visitors get nothing but what they look at, and hand nothing on but findings: what one of them
 * has made in run->arena is gone when it returns, unless it has reported something.
 */
typedef void (*wpa_step_visitor)(wpa_rule_run *run, const wpa_outline_step *step);
/** A command of a step's script, in any shell that is read. */
typedef void (*wpa_command_visitor)(wpa_rule_run *run, const wpa_outline_step *step,
                                    const wpa_shell_command *command);

void wpa_rule_each_step(wpa_rule_run *run, wpa_step_visitor visit);
/** Of those that use an action of a repository. */
void wpa_rule_each_action(wpa_rule_run *run, wpa_step_visitor visit);
typedef void (*wpa_job_visitor)(wpa_rule_run *run, const wpa_outline_job *job);
void wpa_rule_each_job(wpa_rule_run *run, wpa_job_visitor visit);
void wpa_rule_each_command(wpa_rule_run *run, wpa_command_visitor visit);

/** A variable under "env" of the file, a job or a step (NULL if not of one). */
typedef void (*wpa_env_visitor)(wpa_rule_run *run, const wpa_outline_step *step,
                                const wpa_yaml_pair *variable);
void wpa_rule_each_env(wpa_rule_run *run, wpa_env_visitor visit);

/**
 * Report at bytes of the step's script, as wpa_rule_report does; less confident by one where the
 * shell is not known for sure.
 */
wpa_finding *wpa_rule_report_script(wpa_rule_run *run, const wpa_outline_step *step, wpa_span span,
                                    const char *check, const void *subject, const char *format, ...)
    WPA_PRINTF(6, 7);

/** Name the key of the script that a place stands in, if it is on another line. */
void wpa_rule_relate_script(wpa_rule_run *run, wpa_finding *finding, const wpa_yaml_node *script,
                            wpa_span place);

/** Bytes of the file for bytes of a scalar of the step; of its script as fast as can be. */
wpa_span wpa_step_span(const wpa_outline_step *step, const wpa_yaml_node *node, size_t from,
                       size_t to);

/** Is a path that is uploaded or kept the whole workspace, in one of the ways people write it? */
bool wpa_path_is_workspace(wpa_slice path);
/** Is it a folder that the workspace lies in, "..", below the runner's home? */
bool wpa_path_is_above_workspace(wpa_slice path);

/**
 * "x/y" of "./a/../x//y/", as the tree names it; NULL if it leads out of the tree.
 *
 * folder  that the path counts from, with a slash behind; "" for the root.
 */
const char *wpa_path_in_tree(const char *folder, wpa_slice path, wpa_arena *arena);

/** The text of github-script's input, NULL if the step is none. */
const wpa_yaml_node *wpa_step_javascript(const wpa_outline_step *step);

/** The host of a URL; empty if text holds none. */
wpa_slice wpa_url_host(const char *url);
/** Is it this machine, a private network, a service's name, or a metadata address? */
bool wpa_url_is_local(wpa_slice host);

/**
 * Is the repository's own tree in the workspace before this step, whole and at the commit of the
 * run: checked out there, and not changed for another one since?
 */
bool wpa_steps_have_tree(const wpa_outline_step *step);

/**
 * What an expression that is nothing but a name stands for: env of the step, its job or workflow,
 * a matrix value if there is but one, the default of an input. The text itself if it holds no
 * expression; NULL if it cannot be told.
 */
const char *wpa_step_resolve(const wpa_rule_run *run, const wpa_outline_step *step,
                             const char *text);
