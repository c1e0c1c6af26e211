/* Which members of a context the expressions of a file read, asked for once for all names. */
#pragma once

#include <wpa/map.h>

#include "rules/outline.h"
#include "rules/rule.h"

/** What stands behind a name everywhere in the file: "steps.a", "steps['a']", "toJSON(steps)". */
typedef struct wpa_readings {
    wpa_map *told;       /* as names, what expressions read for certain; once somebody asks */
    wpa_map *names;      /* lower case; of outputs "job.output" */
    wpa_map *all_of;     /* jobs whose outputs are read as a whole */
    bool is_any;         /* by a computed index, as a whole, with a star */
    const char **places; /* [n_places] of wpa_readings_of: behind each place of the prefix */
    size_t n_places, places_capacity;
} wpa_readings;

/** Of the run's file, behind this prefix. */
wpa_readings wpa_readings_of(wpa_rule_run *run, const char *prefix);
/** The same, once somebody asks: known is all zero before. */
const wpa_readings *wpa_readings_once(wpa_rule_run *run, wpa_readings *known, const char *prefix);
/**
 * Does an expression read the member of this context, by its name? Nearly all that is read is read
 * so, and the file need not be searched. False: perhaps somebody else does.
 */
bool wpa_readings_tell(wpa_rule_run *run, wpa_readings *known, const char *context,
                       const char *name);
/** The same of an output of a step, or of another member that has outputs. */
bool wpa_readings_tell_output(wpa_rule_run *run, wpa_readings *known, const char *context,
                              const char *id, const char *name);
/** Outputs of jobs that a file reads; is_any where that cannot be told. */
wpa_readings wpa_readings_of_outputs(wpa_rule_run *run, const wpa_yaml_doc *doc);
/** Outputs of steps that the run's file reads by name; steps is what it reads behind "steps". */
wpa_readings wpa_readings_of_step_outputs(wpa_rule_run *run, const wpa_readings *steps);
bool wpa_readings_have(wpa_rule_run *run, const wpa_readings *readings, const char *name);
bool wpa_readings_have_output(wpa_rule_run *run, const wpa_readings *readings, const char *job,
                              const char *name);

/** What is read of the outputs of the run's workflow by those that call it in its repository. */
#define WPA_CALLERS_MAX 50
typedef struct wpa_callers_readings {
    wpa_readings read[WPA_CALLERS_MAX]; /* [n] by each of their files … */
    const char *jobs[WPA_CALLERS_MAX];  /* … behind this job, which calls it */
    size_t n;
    bool is_any; /* there is none, too many, or one that cannot be followed */
} wpa_callers_readings;
wpa_callers_readings wpa_readings_of_callers(wpa_rule_run *run);
bool wpa_readings_callers_have(wpa_rule_run *run, const wpa_callers_readings *callers,
                               const char *name);

/** Does anybody who uses the run's action or workflow give this input more than one word? */
bool wpa_readings_users_give_words(wpa_rule_run *run, const char *input);

/** May a local action of the job read matrix.NAME? An action runs with the matrix of its caller. */
bool wpa_readings_actions_have_row(wpa_rule_run *run, const wpa_outline_job *job, const char *name);

/** Does the word stand anywhere in the file, in any case of its letters? */
bool wpa_readings_find_word(const wpa_yaml_doc *doc, const char *word);
/** The same of a text as it is written. */
bool wpa_readings_find_text(const wpa_yaml_doc *doc, const char *text);
