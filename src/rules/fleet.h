/*
 * What is known of the repositories of a fleet together: which versions of an action they use, whom
 * they call, and, where their definitions were read, what their jobs are like. Where nobody knows
 * of a fleet there is none, and rules are silent about it.
 */
#pragma once

#include <wpa/text.h>

#include "rules/graph.h"

#define WPA_FLEET_SLUG_MAX 400

/** Places that use an action at one major, or call a workflow. */
typedef struct wpa_fleet_use {
    const char *slug; /* owner/repo[/path], in lower case */
    int major;        /* -1: not known */
    size_t n_places, n_repositories;
} wpa_fleet_use;

typedef struct wpa_fleet {
    bool knows_calls;          /* who calls the repository's own definitions is among the uses */
    size_t n_repositories;     /* that of the file among them */
    const wpa_fleet_use *uses; /* [n_uses] by slug and major */
    size_t n_uses;
    const wpa_graph *const *graphs; /* [n_graphs] of repositories that were read; or none */
    size_t n_graphs;
} wpa_fleet;

/** Of repositories that were all read; everything in the arena, graphs are borrowed. */
wpa_fleet *wpa_fleet_of(const wpa_graph *const graphs[], size_t n, wpa_arena *arena);
/** What one definition uses. */
wpa_fleet *wpa_fleet_of_file(const wpa_graph_file *file, wpa_arena *arena);
/** "owner/repo/path" of "Owner/repo/path@v1"; false for what names no repository. */
bool wpa_fleet_slug(const wpa_graph_use *use, char slug[WPA_FLEET_SLUG_MAX]) WPA_CHECK;
/** Put uses in order, as wpa_fleet_uses_find wants them. */
void wpa_fleet_sort(wpa_fleet_use *uses, size_t n);
/** The uses of an action, one a major; *n of them. fleet may be NULL. */
const wpa_fleet_use *wpa_fleet_uses_find(const wpa_fleet *fleet, wpa_slice slug, size_t *n);
/** Is this definition of the repository called from another one of the fleet? */
bool wpa_fleet_calls(const wpa_source *source);
