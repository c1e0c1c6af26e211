/*
 * Who can start a job, and with what power: triggers, guards, callers, privileges.
 *
 * A condition is judged by asking whether it could hold for a stranger: what a stranger's event
 * looks like is known (another repository, an author who is no member), so a test that such an
 * event fails, and that nothing beside it makes good, keeps strangers out.
 */
#pragma once

#include "rules/site.h"

typedef enum wpa_trust_guard {
    WPA_GUARD_NONE,    /* a stranger's event may pass */
    WPA_GUARD_MEMBERS, /* only people of the project pass: by association, login or a check of it */
    WPA_GUARD_FORKS,   /* nothing from another repository passes */
    WPA_GUARD_EVENT    /* this event passes by nobody */
} wpa_trust_guard;

/** Who starts a site. */
typedef struct wpa_trust {
    wpa_fact_trust trust; /* never INHERITED: callers are followed */
    const char *event;    /* that makes it so; NULL if it has none */
    bool is_by_members;   /* it would be worse but for a test of membership */
    bool is_assumed;      /* callable, and no caller is known: taken for an insider's */
} wpa_trust;

/** Over all triggers of the file (and of its callers), the worst that reaches the site. */
wpa_trust wpa_trust_of(wpa_rule_run *run, const wpa_site *site);
/** By one trigger of the site's own file. */
wpa_trust wpa_trust_by(wpa_rule_run *run, const wpa_site *site, const wpa_outline_trigger *trigger);
/** What keeps strangers from the site when this event happens: conditions of step, job, needs. */
wpa_trust_guard wpa_trust_guard_of(wpa_rule_run *run, const wpa_site *site, const char *event);
/**
 * The same of one condition of the source, or, with NULL for that, of any; NULL is none.
 *
 * is_of_thread  what counts is who opened the issue, discussion or pull request: its title and tree
 *               are theirs, whoever comments on it.
 */
wpa_trust_guard wpa_trust_condition(const wpa_source *source, const wpa_yaml_node *condition,
                                    const char *event, bool is_of_thread);
/**
 * Whom the step stops, and the job with it: it runs for every event of theirs, and does nothing but
 * fail. EVENT: everybody.
 */
wpa_trust_guard wpa_trust_stop(const wpa_source *source, const wpa_outline_step *step,
                               const char *event);
/** Does the path lead to what was there before the comment or review that is this event? */
bool wpa_trust_is_of_thread(const char *event, const char *path);
/** Class of a trigger alone; of workflow_run that of the runs it follows, as far as known. */
wpa_fact_trust wpa_trust_of_trigger(wpa_rule_run *run, const wpa_source *source,
                                    const wpa_outline_trigger *trigger);

/** Does the condition keep strangers' forks out, or ask for a member of the project? */
bool wpa_trust_is_guarded(const wpa_source *source, const wpa_yaml_node *condition);
/** Is the condition a test that this event never passes? */
bool wpa_trust_is_for_other_event(const wpa_source *source, const wpa_yaml_node *condition,
                                  const char *event);
/** Is the condition a test that a pushed tag never passes? */
bool wpa_trust_leaves_tags_out(const wpa_source *source, const wpa_yaml_node *condition);
/** Does the step ask who the actor is, and stop for strangers? */
bool wpa_trust_step_checks_members(const wpa_outline_step *step);

/** May the job's effective token write? Unset counts as writing. */
bool wpa_trust_may_write(const wpa_outline *outline, const wpa_outline_job *job);
/** A write scope, a secret, an environment or a runner of one's own. */
bool wpa_trust_is_privileged(const wpa_outline *outline, const wpa_outline_job *job);
/** Of the job where the site runs in the end: an action runs in its caller's. */
bool wpa_trust_site_is_privileged(const wpa_site *site);
