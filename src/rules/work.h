/*
 * What a job is for and how much it does, as far as its steps, actions and names tell: the
 * questions that the rules about time and money share.
 */
#pragma once

#include "facts/commands.h"
#include "rules/outline.h"
#include "rules/rule.h"
#include "workflow/workflow.h"

/** Bytes of the file that hold the node. */
wpa_slice wpa_work_text(const wpa_yaml_node *node);
/** Does this text stand anywhere in the node's bytes (ASCII case folded)? NULL has none. */
bool wpa_work_mentions(const wpa_yaml_node *node, const char *text);
/** One of these (NULL-terminated)? */
bool wpa_work_mentions_any(const wpa_yaml_node *node, const char *const texts[]);
/** Does a word of the text begin with one of these? Words are split at all but letters, digits. */
bool wpa_work_has_word(const char *text, const char *const words[]);

/** WPA_DOES_ bits of a step: its script's commands, or what its action is known to do. */
unsigned wpa_work_step_roles(const wpa_outline_step *step);
/** Of all steps of a job. */
unsigned wpa_work_job_roles(const wpa_outline_job *job);
/** Is there a step whose work is not known: an action or a script that no table covers? */
bool wpa_work_has_unknown(const wpa_outline_job *job);
/** Only prepares: checkout, setup of a tool, a cache. */
bool wpa_work_is_setup(const wpa_outline_step *step);
/** Is the workspace empty yet: before the first checkout, behind nothing but setups? */
bool wpa_work_is_before_checkout(const wpa_outline_step *step);
/** Shows or decides something and is done at once. */
bool wpa_work_is_quick(const wpa_outline_step *step);
/** More than a minute as far as it shows: it checks out, and does something with the tree. */
bool wpa_work_is_real(const wpa_outline_job *job);

/** Do id, name, environment or steps say that the job deploys, releases or publishes? */
bool wpa_work_job_ships(const wpa_outline_job *job);
/** Do id or name say so? */
bool wpa_work_is_named_shipping(const wpa_outline_job *job);
/** Do its name and file name say so of the workflow? */
bool wpa_work_ships(const wpa_rule_run *run);

/** Do a pull request's own commits start it (below this): not only labels, or its end? */
bool wpa_work_takes_commits(const wpa_yaml_node *config);
/** pull_request or pull_request_target. */
const wpa_outline_trigger *wpa_work_pr_trigger(const wpa_outline *outline);
/** "needs" as a list of texts with their nodes, in order; items that are none are left out. */
typedef struct wpa_work_need {
    const char *id;
    const wpa_yaml_node *node;
    const wpa_outline_job *job; /* NULL: there is none of this id */
} wpa_work_need;
size_t wpa_work_needs(const wpa_outline *outline, const wpa_outline_job *job, wpa_work_need needs[],
                      size_t max);
/** Does the condition let a job or step run though what it waits for did not? */
bool wpa_work_runs_anyway(const wpa_yaml_node *condition);
/**
 * The job and those that it waits for, each once, the nearest first, at most max of them; not what
 * stands before a job that runs anyway.
 */
size_t wpa_work_awaited(const wpa_outline *outline, const wpa_outline_job *job,
                        const wpa_outline_job *jobs[], size_t max);
/** Does the job run on GitHub's own runners alone, as far as it can be told? */
bool wpa_work_is_hosted(const wpa_outline_job *job);
/** Dollars for a thousand minutes on the dearest of its labels; 0: not known. */
unsigned wpa_work_rate(const wpa_rule_run *run, const wpa_outline_job *job);
struct wpa_similarity_index;
struct wpa_similarity_job;
struct wpa_similarity_kin;
/** What an index has that is like the steps of a job: found out once for all rules that ask it. */
struct wpa_similarity_kin *wpa_work_kin(wpa_rule_run *run, const struct wpa_similarity_index *index,
                                        const struct wpa_similarity_job *job, double least);
/**
 * More jobs or steps than any workflow that people write: rules that compare each with each stay
 * silent then, so that a hostile file costs no more than others.
 */
bool wpa_work_is_large(const wpa_outline *outline);
typedef struct wpa_work_matrix {
    wpa_strategy strategy;
    wpa_matrix_legs legs;
} wpa_work_matrix;
/**
 * strategy.matrix of a job and its legs; none without one. Small ones, which nearly all are, are
 * read once for all rules; large ones are made in the arena.
 */
const wpa_work_matrix *wpa_work_matrix_of(wpa_rule_run *run, const wpa_outline_job *job,
                                          wpa_arena *arena);
/** Its legs alone. */
wpa_matrix_legs wpa_work_legs(wpa_rule_run *run, const wpa_outline_job *job, wpa_arena *arena);
/** Has a leg this value, or one that it is a part of? exclude may leave none; true if not all legs
    are known, and of what is not in the matrix. */
bool wpa_work_has_leg(wpa_rule_run *run, const wpa_outline_job *job, const wpa_yaml_node *value);

/**
 * Edit a command out of its step's script: its whole line, or what stands before the "&&" behind
 * it. Returns false, with nothing edited, where it cannot go without changing what is around it.
 */
bool wpa_work_drop_command(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_step *step,
                           const wpa_shell_command *command);
/** Edit a word, with the blanks in front of it, out of the script. */
void wpa_work_drop_word(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_step *step,
                        const wpa_shell_word *word);
/** "owner/repo@<commit> # v1.2.3": the newest release that is known; NULL if none is. */
const char *wpa_work_reference(wpa_rule_run *run, const char *slug);
/** Is the tree known, and more than workflows? */
bool wpa_work_knows_tree(const wpa_rule_run *run);
/** The next line of text that is not blank, trimmed; false behind the last. Start with *at = 0. */
bool wpa_work_next_line(const char *text, size_t *at, wpa_slice *line);
