/* A repository on its way through the analysis, and the parts that work on it. Private. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "analysis/pool.h"
#include "analysis/seen.h"
#include "analysis/shelf.h"
#include "analysis/stamps.h"
#include "analysis/tree.h"
#include "auth/hash.h"
#include "rules/graph.h"

typedef struct wpa_unit wpa_unit;

/* Fixes over several files of a unit. */
typedef struct wpa_together {
    wpa_tree_together shown; /* what handlers see */
    wpa_note *notes;
    size_t n_notes, notes_capacity, n_applied;
    bool is_delivered;
} wpa_together;

typedef enum wpa_unit_state {
    WPA_UNIT_WAITING,
    WPA_UNIT_DONE,      /* result is there, unless it was put already */
    WPA_UNIT_UNREADABLE /* fault says why */
} wpa_unit_state;

/* What was found in a file, packed. */
typedef struct wpa_unit_result {
    wpa_result_counts counts;
    size_t size_bytes;
    uint8_t packed[]; /* [size_bytes] */
} wpa_unit_result;

typedef struct wpa_unit_file {
    wpa_tree_file shown; /* what handlers see */
    wpa_unit *unit;
    const char *identity; /* repository-relative path, as a rule how the shown one ends */
    bool is_twice; /* was named before, or lies beside: of the graph, and not reported again */
    bool is_stdin;
    bool is_together; /* its fixes are delivered with those of other files */
    bool is_held;     /* text and tree stay until the whole group is judged */
    wpa_unit_state state;
    const char *fault;
    wpa_arena *arena;     /* of text and tree, while they are held */
    const char *original; /* text before its fixes, until they are delivered; or NULL */
    bool is_across;       /* a fix that is left changes other files too */
    wpa_stamp stamp;      /* how it lay on disk when it was found, if somebody looked */
    bool has_stamp, is_digested;
    uint8_t digest[WPA_SHA256_SIZE];
    wpa_unit_result *result; /* heap; until it is put among those of the tree */
} wpa_unit_file;

/* Room for records of the graph, which one thread at a time fills. */
typedef struct wpa_records {
    wpa_arena *arena;
    struct wpa_records *next;
} wpa_records;

/* One repository, or files that stand alone. */
struct wpa_unit {
    wpa_arena *arena; /* of everything here but the shown paths */
    wpa_surroundings around;
    const wpa_settings *settings;
    wpa_unit_file **files; /* [n_files] */
    size_t n_files, capacity;
    size_t size_bytes;
    bool has_graph;       /* its definitions are joined */
    bool is_alone;        /* one file that was named itself */
    bool is_part;         /* a folder of it was named: the others are not reported, nor changed */
    pthread_mutex_t lock; /* of the graph, its records, and of git */
    wpa_graph *graph;
    wpa_records *records;   /* of the graph, which nobody fills now */
    wpa_git *git;           /* of a revision, or NULL */
    wpa_stamps *stamps;     /* of what lies on disk, or NULL */
    wpa_seen *seen;         /* notes what is looked at there; or NULL */
    wpa_together *together; /* NULL: no fix over several files was asked for */
    wpa_shelf *shelf;       /* of trees that serve other files; NULL: there is no graph */
    wpa_map *neighbours;    /* path -> what a file holds that was read beside others */
    uint8_t settings_digest[WPA_SHA256_SIZE];
    uint8_t paths_digest[WPA_SHA256_SIZE];
    uint8_t definitions_digest[WPA_SHA256_SIZE];
    wpa_unit *next;
};

/* Files of one repository that were named themselves and use something of it. */
typedef struct wpa_tree_named {
    const char *root; /* as shown; "." */
    wpa_map *files;   /* path in the repository -> as shown */
    wpa_map *taken;   /* of those as shown, which the walk has come to */
} wpa_tree_named;

struct wpa_tree {
    const wpa_tree_options *options;
    wpa_arena *arena; /* of shown paths and notes */
    wpa_results *results;
    wpa_map *seen;     /* paths shown so far */
    wpa_map *excluded; /* globs of paths.exclude that something fitted */
    wpa_map *folders;  /* in which files were named */
    wpa_map *roots;    /* real path of a folder -> of its repository */
    wpa_map *named;    /* repository as shown -> wpa_tree_named */
    size_t n_files;
    wpa_note *notes;
    size_t n_notes, notes_capacity, n_unreadable;
    wpa_unit *waiting, **last; /* units whose turn comes with the next group */
    size_t n_waiting, waiting_bytes;
    wpa_pool *pool;
    size_t n_groups_at_once;
    atomic_size_t held_bytes;               /* by trees of all groups */
    struct wpa_group *groups, **last_group; /* at work, or done and not taken out, in order */
    pthread_mutex_t batch_lock;
    bool is_split; /* too much for a fleet: repositories are looked at without the others */
    bool has_git;  /* libgit2 is ready */
    uint8_t
        settings_digest[WPA_SHA256_SIZE]; /* of the settings that all share, if there is a cache */
};

/** Does the configuration leave this path out? By its first glob that fits, which is noted. */
bool wpa_tree_excludes(wpa_tree *tree, const wpa_settings *settings, const char *path);
void wpa_tree_note(wpa_tree *tree, const char *path, const char *text);
void wpa_tree_note_unreadable(wpa_tree *tree, const char *path, const char *text);

wpa_unit *wpa_unit_new(void);
void wpa_unit_free(wpa_unit *unit);
/** Take a file into a unit; path is copied. */
wpa_unit_file *wpa_unit_add(wpa_tree *tree, wpa_unit *unit, const char *path, const char *identity,
                            wpa_input_kind kind, size_t size_bytes, wpa_error *err);
/** Take one in that is not reported: others call it, or it calls them. */
wpa_unit_file *wpa_unit_add_beside(wpa_tree *tree, wpa_unit *unit, const char *path,
                                   const char *identity, wpa_input_kind kind, size_t size_bytes);
/** Hand a unit over that has all its files; analyses the waiting ones if they are enough. */
bool wpa_unit_close(wpa_tree *tree, wpa_unit *unit, wpa_error *err) WPA_CHECK;
/**
 * The text of a file, unless it is there: false, state and fault say why. Of what is too large the
 * size is enough; that is what syntax speaks of.
 */
bool wpa_unit_read(wpa_unit_file *file);
/** Its tree, in an arena of the caller's. */
void wpa_unit_parse(wpa_unit_file *file, wpa_arena *arena);
/** Let go of text and tree, unless they are of standard input and cannot be had again. */
void wpa_unit_release(wpa_unit_file *file);
/** Hand its packed result over to those of the tree, if it is still here. */
void wpa_unit_put_result(wpa_tree *tree, wpa_unit_file *file);
/** The same of what no later stage looks at: all results of a large repository take more than its
    trees. */
void wpa_unit_put_early(wpa_tree *tree, wpa_unit_file *file);
/** Run the rules over those files that are waiting for it, by all threads. */
void wpa_unit_judge(wpa_tree *tree, wpa_unit_file **files, size_t n);
/** Fixes over several of its files, once each file has had its own. */
void wpa_unit_fix_together(wpa_tree *tree, wpa_unit *unit);
/** Have the units of a list analysed, now or soon; they are given away. */
void wpa_group_run(wpa_tree *tree, wpa_unit *first);
/** Wait for all that were handed over. */
void wpa_groups_finish(wpa_tree *tree);
/** End the threads, and drop what was not taken out. */
void wpa_groups_free(wpa_tree *tree);

/** A repository of git, open; the first one makes libgit2 ready, which few runs need. */
wpa_git *wpa_tree_open_git(wpa_tree *tree, const char *path, wpa_error *err);
/** Everything in a folder, its inner repositories as units of their own. */
bool wpa_walk(wpa_tree *tree, const char *path, wpa_error *err) WPA_CHECK;
/** What standard input holds, as one file. */
bool wpa_stdin_add(wpa_tree *tree, wpa_error *err) WPA_CHECK;
/* What is named itself, symlinks followed. */
typedef struct wpa_named_status {
    bool is_link, is_folder, is_file;
    size_t size_bytes;
} wpa_named_status;

/** False, with errno: there is no such thing. */
bool wpa_named_look(const char *path, wpa_named_status *status);
/** A file that is named itself; it may wait for others of its repository. */
bool wpa_named_add(wpa_tree *tree, const char *path, const wpa_named_status *status,
                   wpa_error *err) WPA_CHECK;
/** Take those in that wait. */
bool wpa_named_finish(wpa_tree *tree, wpa_error *err) WPA_CHECK;
/** The files that were named, with their repository around them; not all need be come to. */
bool wpa_walk_named(wpa_tree *tree, const wpa_tree_named *named, wpa_error *err) WPA_CHECK;
