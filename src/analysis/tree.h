/*
 * Analysing files and folders of this machine: finding what wpa reads in them, and running the
 * rules over all of it on several threads. The outcome is the same for any number of threads.
 */
#pragma once

#include "rules/engine.h"

#define WPA_TREE_MAX_FILES 200000
#define WPA_TREE_MAX_DEPTH 64

/** A file that is to be analysed. */
typedef struct wpa_tree_file {
    const char *path; /* as shown; also opens it from the current folder; "-": standard input */
    wpa_input_kind kind;
    const wpa_surroundings *around; /* NULL if it stands alone */
    const char *text; /* [size_bytes], NULL until read; a file too large is never read */
    size_t size_bytes;
} wpa_tree_file;

typedef struct wpa_tree {
    wpa_tree_file *files; /* [n_files] in the order of their paths, each once */
    size_t n_files, capacity;
    wpa_note *notes; /* what was left out, and why */
    size_t n_notes, notes_capacity;
    size_t n_unreadable; /* of the notes: inputs that should have been read */
    wpa_map *arounds;    /* prefix → wpa_surroundings, of each repository */
    wpa_map *graphs;     /* prefix → wpa_graph */
    wpa_arena *arena;
} wpa_tree;

typedef struct wpa_tree_options {
    const wpa_input_kind *kind; /* of what the path does not tell, or NULL */
    int stdin_fd;               /* what "-" reads */
    const char *stdin_path;     /* name for it, or NULL */
    const char *const *exclude; /* [n_exclude] globs over repository-relative paths */
    size_t n_exclude;
    bool is_root; /* each folder given is a repository, whatever stands around it */
} wpa_tree_options;

/** Everything in the arena. */
wpa_tree *wpa_tree_new(wpa_arena *arena);
/**
 * Add a file, a folder with all that wpa reads in it, or "-". Symlinks out of the folder are not
 * followed and noted. What cannot be read is noted, counted, and no reason to stop.
 *
 * Errors    LIMIT: more than WPA_TREE_MAX_FILES.
 */
bool wpa_tree_add(wpa_tree *tree, const char *argument, const wpa_tree_options *options,
                  wpa_error *err) WPA_CHECK;
/** Sort, drop what was named twice, read the texts. Call once, behind the last add. */
void wpa_tree_load(wpa_tree *tree);

/** Absolute, without symlinks; NULL if there is no such thing. */
const char *wpa_tree_real_path(const char *path, wpa_arena *arena);
/** The folder above path (or path itself) that holds .git; NULL if there is none. */
const char *wpa_tree_root(const char *path, wpa_arena *arena);

typedef struct wpa_tree_results {
    wpa_result *results; /* [n], in the order of tree->files */
    wpa_arena **arenas;  /* [n], one a file */
    size_t n;
} wpa_tree_results;

/** One unit of work on one file; runs on any thread, with an arena of its own. */
typedef wpa_result (*wpa_tree_work)(const wpa_tree_file *file, size_t index, wpa_arena *arena,
                                    void *context);

/** Do the work on every file, on n_threads threads (0: as many as cores). */
wpa_tree_results *wpa_tree_run(const wpa_tree *tree, size_t n_threads, wpa_tree_work work,
                               void *context);
void wpa_tree_results_free(wpa_tree_results *results);
WPA_DEFINE_AUTO(wpa_tree_results, wpa_tree_results_free);

/** The usual work: context is a wpa_settings. */
wpa_result wpa_tree_check(const wpa_tree_file *file, size_t index, wpa_arena *arena, void *context);
