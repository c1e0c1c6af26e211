/*
 * Analysing files and folders of this machine, or trees of git: finding what wpa reads in them, and
 * running the rules over all of it on several threads. Repository by repository: what one of them
 * needs in memory is gone before the next one is read, whatever their number; only the packed
 * results stay. The outcome is the same for any number of threads.
 */
#pragma once

#include "core/cache.h"
#include "git/git.h"
#include "rules/fix_tree.h"
#include "rules/results.h"

#define WPA_TREE_MAX_FILES 200000
#define WPA_TREE_MAX_DEPTH 64

/** One file while its group is at work. */
typedef struct wpa_tree_file {
    const char *path; /* as shown; opens it too, unless oid is set */
    const char *oid;  /* blob of it, or NULL: on disk */
    wpa_input_kind kind;
    size_t size_bytes; /* by the folder's word first, then of the text */
    const char *text;  /* [size_bytes] while it is held */
    const wpa_source *source;
    const wpa_settings *settings; /* a batch may put others in their place */
    wpa_fix_outcome *fixed;       /* NULL: fixes were not asked for */
} wpa_tree_file;

/** Settings for the repository in a folder, over what all share; NULL with *err set. */
typedef const wpa_settings *(*wpa_tree_configure)(void *context, const char *folder,
                                                  wpa_arena *arena, wpa_error *err);
/**
 * Fixes of one file are worked out; its memory goes when this returns. In the order of a walk. Of
 * one in which nothing is fixed there are notes alone, unless it is standard input; of the others
 * their texts, and how many were taken.
 */
typedef void (*wpa_tree_fixed)(void *context, const wpa_tree_file *file);
/** What fixes over several files of one repository make of them: all of it, or nothing. */
typedef struct wpa_tree_together {
    const char *prefix; /* in front of the paths of changes, as shown and for opening them */
    bool is_revision;   /* in git's history: nothing can be written */
    const wpa_fix_change *changes; /* [n] by path */
    size_t n, n_applied;
    const wpa_note *notes; /* [n_notes] fixes that were dropped, and why */
    size_t n_notes;
} wpa_tree_together;
/** In the place of its first file in the walk; files among the changes are not told of again. */
typedef void (*wpa_tree_fixed_together)(void *context, const wpa_tree_together *together);
/**
 * A batch of files is parsed, and the rules come next: the place for programs outside that look at
 * many files at once. files[i]->source is set. One batch at a time, by any thread.
 *
 * Returns   what was made for these files, freed when they are judged; or NULL.
 */
typedef wpa_arena *(*wpa_tree_batch)(void *context, wpa_tree_file *const files[], size_t n);

typedef struct wpa_tree_options {
    const wpa_settings *settings;
    const wpa_input_kind *kind; /* of what the path does not tell, or NULL */
    int stdin_fd;               /* what "-" reads */
    const char *stdin_path;     /* name for it, or NULL */
    bool is_fleet;              /* the repositories given go together: rules see all of them */
    bool is_root;               /* each folder given is a repository, whatever stands around it */
    bool has_excerpts;          /* the report shows source lines */
    size_t n_threads;           /* 0: as many as cores */
    wpa_cache *cache;           /* or NULL */
    struct wpa_seen *seen;      /* notes what is looked at in folders; or NULL */
    const char *tools;          /* which programs outside are asked, in which version; or NULL */
    struct wpa_baseline *baseline;     /* or NULL */
    const struct wpa_outside *outside; /* what other analysers found, or NULL */
    const wpa_fix_choice *fixes;       /* or NULL: only check */
    wpa_tree_fixed on_fixed;
    wpa_tree_fixed_together on_together; /* or NULL: only fixes of single files are taken */
    wpa_tree_configure configure;        /* or NULL */
    wpa_tree_batch batch;                /* or NULL */
    void *context;                       /* of those above */
} wpa_tree_options;

typedef struct wpa_tree wpa_tree;

/** options are borrowed until the tree is freed. */
wpa_tree *wpa_tree_new(const wpa_tree_options *options);
void wpa_tree_free(wpa_tree *tree);
WPA_DEFINE_AUTO(wpa_tree, wpa_tree_free);

/**
 * Analyse a file, a folder with all that wpa reads in it, "-", or REVISION:PATH of the git
 * repository around the current folder. Symlinks out of the folder are not followed and noted;
 * what git ignores is left out. What cannot be read is noted, counted, and no reason to stop.
 *
 * Errors    LIMIT: more than WPA_TREE_MAX_FILES; and what configure fails with.
 */
bool wpa_tree_add(wpa_tree *tree, const char *argument, wpa_error *err) WPA_CHECK;
/** The tree of a revision, as a repository; prefix stands in front of the paths shown. */
bool wpa_tree_add_revision(wpa_tree *tree, const char *root, const char *revision,
                           const char *folder, wpa_error *err) WPA_CHECK;
/** Finish what is waiting; call once, behind the last add. */
bool wpa_tree_finish(wpa_tree *tree, wpa_error *err) WPA_CHECK;

/** Of all files, each once, by path. */
wpa_results *wpa_tree_results(wpa_tree *tree);
/** Has a glob of "paths.exclude" left anything out? */
bool wpa_tree_has_excluded(const wpa_tree *tree, const char *glob);
/** [n] what was left out, and why. */
const wpa_note *wpa_tree_notes(const wpa_tree *tree, size_t *n);
/** How many of the notes are inputs that should have been read. */
size_t wpa_tree_count_unreadable(const wpa_tree *tree);

/** Absolute, without symlinks; NULL if there is no such thing. */
const char *wpa_tree_real_path(const char *path, wpa_arena *arena);
/** The folder above path (or path itself) that holds .git; NULL if there is none. */
const char *wpa_tree_root(const char *path, wpa_arena *arena);
