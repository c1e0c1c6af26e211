/*
 * Findings that programs outside have made: configured, shown and silenced as those of the rules.
 */
#pragma once

#include "rules/engine.h"

/**
 * Settle those of a result from index from on: what the configuration changes about them, what it
 * and the comments of the file silence. One that is not shown leaves the result.
 *
 * source    of the file; its comments are read.
 */
void wpa_guests_settle(const wpa_source *source, const wpa_settings *settings, size_t from,
                       wpa_result *result, wpa_arena *arena);
