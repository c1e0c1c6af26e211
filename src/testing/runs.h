/*
 * Which jobs of a workflow run when something happens. What no one can tell of a condition (who
 * the actor is, what a step has put out) is one of several possible worlds: in each it holds or
 * does not, the same for the same words in both versions. Private to src/testing.
 */
#pragma once

#include <wpa/map.h>

#include "testing/occasions.h"

/** Worlds that are tried. */
#define WPA_RUNS_WORLDS 10

/** A workflow whose conditions are read. */
typedef struct wpa_runs wpa_runs;

/** work: nodes that may be looked at, shared by all who are given it; it ends at 0. */
wpa_runs *wpa_runs_new(const wpa_workflow *workflow, size_t *work, wpa_arena *arena);
/**
 * Play one run.
 *
 * is_run  [n_jobs] filled: does it run?
 *
 * Returns false if there is no work left.
 */
bool wpa_runs_play(wpa_runs *runs, const wpa_occasion *occasion, size_t world, bool *is_run);
/** What was asked so far that nobody could tell: texts of parts of conditions. */
const wpa_map *wpa_runs_unknown(const wpa_runs *runs);
