/*
 * Inside src/patch only: a draft while it is made, of findings (draft_findings.c) or of contents
 * (draft_contents.c). Reads the database and git, writes nothing.
 */
#pragma once

#include "analysis/analysis.h"
#include "patch/patch.h"

/** A repository at work, opened once for all its files. */
typedef struct wpa_patch_place {
    int64_t id;
    const char *name, *url, *branch, *owner, *ref;
    char head[WPA_OID_SIZE];
    wpa_git *git;
    wpa_surroundings around;
    wpa_settings *settings;
} wpa_patch_place;

/** Zeroed but for the first four, which are borrowed; wpa_drafting_end releases what it holds. */
typedef struct wpa_drafting {
    wpa_db *db;
    const char *cache_folder;
    wpa_arena *arena;
    wpa_patch_draft *draft; /* what comes of it; lives as long as the arena */
    wpa_patch_place place;  /* the repository of the current file */
    size_t files_capacity, ids_capacity;
    int64_t *ids;
} wpa_drafting;

/**
 * Go to a repository, unless it is the current one.
 *
 * first_col   of its id; name, address, branch and owner follow.
 */
bool wpa_drafting_enter(wpa_drafting *d, const wpa_rows *rows, size_t row, size_t first_col,
                        wpa_error *err) WPA_CHECK;
/**
 * The file as it is at the head of the current repository; an absent one has no bytes and no id.
 *
 * Errors    WPA_E_REFUSED (no regular file), WPA_E_INVALID (the path), WPA_E_LIMIT.
 */
bool wpa_drafting_read(wpa_drafting *d, const char *path, wpa_patch_file *file,
                       wpa_error *err) WPA_CHECK;
/** Add a file that was read with its new content; after NULL: it is deleted. */
bool wpa_drafting_add(wpa_drafting *d, wpa_patch_file *file, const char *after, size_t after_bytes,
                      wpa_error *err) WPA_CHECK;
/** Note a finding that the draft answers. */
void wpa_drafting_answer(wpa_drafting *d, int64_t finding_id);
/** Leave the current repository and put the files in order. */
void wpa_drafting_end(wpa_drafting *d);
