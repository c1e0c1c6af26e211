/*
 * Scripts of steps made ready to be run where nothing of what they work with is there: stand-ins
 * for values and for programs, the same in both versions of a step, so that what they do can be
 * compared. Private to src/testing.
 */
#pragma once

#include "rules/outline.h"
#include "testing/check.h"

typedef struct wpa_trial_variable {
    const char *name, *value;
} wpa_trial_variable;

/** One version of a step's script. */
typedef struct wpa_trial {
    const wpa_outline_step *step;
    const char *script;            /* stand-ins in place of expressions */
    wpa_trial_variable *variables; /* [n_variables] that it is given, each name once */
    size_t n_variables, capacity;
    const char *folder;  /* where it starts, below the work folder; "" */
    const char *trouble; /* why it cannot be run; NULL: it can */
} wpa_trial;

/** The parts of what a script has done, as far as they are compared. */
typedef enum wpa_trial_part {
    WPA_TRIAL_EXIT,
    WPA_TRIAL_OUTPUT, /* also by "::set-output"; and so on */
    WPA_TRIAL_ENV,
    WPA_TRIAL_PATH,
    WPA_TRIAL_STATE,
    WPA_TRIAL_SUMMARY,
    WPA_TRIAL_CALLS, /* of programs that are not there, with what they were given */
    WPA_TRIAL_FILES, /* in the work folder, with their digests */
    WPA_TRIAL_PARTS
} wpa_trial_part;

typedef struct wpa_trial_pair {
    wpa_trial before, after;
    const char *was[WPA_TRIAL_PARTS], *is[WPA_TRIAL_PARTS]; /* once they have been run */
    const char *trouble; /* why nothing follows from the runs, or there are none; or NULL */
} wpa_trial_pair;

/** "exit code", "outputs", ...: for people. */
const char *wpa_trial_part_name(wpa_trial_part part);

/** A step whose script is there, in its outline. */
wpa_trial wpa_trial_of(const wpa_outline *outline, const wpa_outline_step *step, wpa_arena *arena);
/** Give both what one of them takes out of the environment without having set it there. */
void wpa_trial_share(wpa_trial *one, wpa_trial *other, wpa_arena *arena);
/** Will the two do the same, since they are the same? */
bool wpa_trial_is_same(const wpa_trial *one, const wpa_trial *other);

/**
 * Run both versions of each pair in one sandbox, the first one twice, and fill in what they did, or
 * why it says nothing: a script that fails or does not end without what it needs, or that does
 * something else every time.
 *
 * Errors    CANCELLED, LIMIT, and those of wpa_sandbox_run.
 */
bool wpa_trials_run(const wpa_test_context *context, wpa_trial_pair *pairs, size_t n,
                    wpa_error *err) WPA_CHECK;
