/*
 * The truth of a condition in every run that there can be: one world for each trigger, activity
 * type, branch of a filter, leg of a matrix and choice of an input that the condition asks about.
 */
#pragma once

#include "rules/expressions.h"

typedef struct wpa_worlds wpa_worlds;

/** False: worlds know nothing of what the condition asks about. */
bool wpa_worlds_may_tell(const wpa_expression *condition);
/**
 * For one condition of the run's file, in memory of the run; NULL if nothing is known of what it
 * asks about, or there would be too many worlds.
 */
const wpa_worlds *wpa_worlds_new(struct wpa_rule_run *run, const wpa_expression *condition);
/** What all worlds agree upon of a part of the condition; MAYBE if they do not, or one cannot be
 * told. */
wpa_expr_truth wpa_worlds_truth(const wpa_worlds *worlds, const wpa_expr *part);
