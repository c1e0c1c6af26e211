/*
 * How files of strangers get into a job: a checkout of their branch, an artifact of a run that they
 * started, fetched by an action or a command.
 */
#pragma once

#include "rules/taint.h"

typedef enum wpa_intake_kind {
    WPA_INTAKE_CHECKOUT,
    WPA_INTAKE_ARTIFACT
} wpa_intake_kind;

typedef struct wpa_intake {
    wpa_intake_kind kind;
    const wpa_outline_step *step;
    wpa_span span;      /* in the file: the ref, the command, the uses */
    const char *folder; /* where it goes, "" for the workspace; NULL if that cannot be told */
    wpa_trust trust;    /* of whoever chose the files */
    bool is_refused;    /* this version of the action does not do it */
    bool is_mutable;    /* by a name that may mean another commit a moment later */
    wpa_taint taint;    /* of what chose the tree; of artifacts NONE */
} wpa_intake;

/** Does any step of the site's job bring in files of strangers? */
bool wpa_intake_is_in_job(wpa_rule_run *run, const wpa_site *site);
/** Does this step bring in files of strangers? */
bool wpa_intake_of(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake);
/** The same where members let strangers in: guards that ask for them do not count. */
bool wpa_intake_of_approved(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake);
/** Does a step of the job before this one? The last one that does. */
bool wpa_intake_before(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake);

/** What a download of an artifact puts there, whoever made it. */
wpa_intake wpa_intake_of_download(const wpa_outline_step *step);

/** Does the step run code that lies in that folder? Its span in the file. */
bool wpa_intake_is_run_by(const wpa_intake *intake, const wpa_outline_step *step, wpa_span *span);
/** Name every step that runs what came in: each of them is a place where it happens. */
void wpa_intake_relate_runs(wpa_rule_run *run, wpa_finding *finding, const wpa_outline_job *job,
                            const wpa_intake *intake);
/** Which file tells the command at that span what to run; NULL if that is not known. */
const char *wpa_intake_file_at(const wpa_outline_step *step, wpa_span span);
