/*
 * One file under analysis: its bytes, its YAML tree and the model of what it is, read once and
 * shared by all rules. Fields of a wrong shape are absent from the model but do not hide their
 * siblings; is_partial says that more may be missing.
 */
#pragma once

#include <wpa/yaml.h>

struct wpa_outline;
struct wpa_expressions;

/** What kind of file it is; as a set of bits what a rule reads. */
typedef enum wpa_input_kind {
    WPA_INPUT_WORKFLOW = 1 << 0,
    WPA_INPUT_ACTION = 1 << 1,
    WPA_INPUT_DEPENDABOT = 1 << 2,
    WPA_INPUT_PRE_COMMIT = 1 << 3
} wpa_input_kind;

typedef enum wpa_visibility {
    WPA_VISIBILITY_UNKNOWN,
    WPA_VISIBILITY_PUBLIC,
    WPA_VISIBILITY_PRIVATE
} wpa_visibility;

typedef struct wpa_source wpa_source;

/** A definition of the repository that is parsed already, or NULL. Called from any thread. */
typedef const wpa_source *(*wpa_surroundings_parsed)(void *context, const char *path);

/**
 * Text of a file of the repository, as it stands beside the one under analysis; NULL if it cannot
 * be had. Called from any thread.
 */
typedef const char *(*wpa_surroundings_reader)(void *context, const char *path, size_t max_bytes,
                                               wpa_arena *arena, size_t *size_bytes);

/** A file of the repository that was read for the one under analysis. */
typedef struct wpa_trace_read {
    const char *path;
    bool is_there;
    uint8_t digest[32]; /* SHA-256 of its text, cut at what was asked for */
} wpa_trace_read;

/**
 * What was asked of the surroundings of one file: its result holds as long as the answers do.
 * Everything in the arena.
 */
typedef struct wpa_surroundings_trace {
    wpa_arena *arena;
    bool has_asked_paths;  /* which files there are */
    bool has_asked_graph;  /* what the other definitions say */
    wpa_trace_read *reads; /* [n_reads] */
    size_t n_reads, capacity;
} wpa_surroundings_trace;

/**
 * What is known of the repository around a file. A rule that needs a part that is not known
 * (NULL, has_paths false) stays silent.
 */
typedef struct wpa_surroundings {
    const char *prefix;         /* in front of every repository-relative path that is shown; "" */
    const char *own_path;       /* of a file that is shown without the prefix, or NULL, … */
    const char *own_identity;   /* … and its path in the repository */
    const char *repository;     /* name, or NULL */
    const char *owner;          /* of the forge, or NULL */
    const char *default_branch; /* or NULL */
    const char *idle_since;     /* day of the last change, if that is long ago; or NULL */
    wpa_visibility visibility;
    const char *const *paths; /* [n_paths] every file of the tree, sorted by bytes */
    size_t n_paths;
    bool has_paths;                /* paths is the whole tree */
    const struct wpa_graph *graph; /* its definitions and what joins them; NULL: not known */
    const struct wpa_fleet *fleet; /* of repositories that go together; NULL: not known */
    wpa_surroundings_reader read;  /* NULL: no other file can be read */
    void *read_context;
    wpa_surroundings_parsed parsed; /* NULL: none is */
    void *parsed_context;
    wpa_surroundings_trace *trace; /* notes what is asked; NULL: nobody wants to know */
} wpa_surroundings;

struct wpa_source {
    wpa_input_kind kind;
    const char *path;                    /* as shown */
    const wpa_yaml_doc *yaml;            /* NULL only if the file is too large */
    const struct wpa_outline *outline;   /* jobs, steps, triggers; never NULL; rules/outline.h */
    struct wpa_expressions *expressions; /* all of them; never NULL; rules/expressions.h */
    const wpa_surroundings *around;      /* NULL if only the file is known */
    size_t size_bytes;                   /* of the file, also if it was too large to be read */
    uint64_t digest;                     /* tells texts apart that one file has one after another */
    bool is_partial;
};

/** "workflow", "action", "dependabot", "pre-commit". */
const char *wpa_input_kind_name(wpa_input_kind kind);
bool wpa_input_kind_from(const char *name, wpa_input_kind *kind) WPA_CHECK;

/** Kind of file that stands at a path; false if wpa does not read such files. */
bool wpa_input_of_path(const char *path, wpa_input_kind *kind) WPA_CHECK;
/** Kind by what the text holds, for input without a path; a workflow if nothing tells. */
wpa_input_kind wpa_input_of_content(const char *text, size_t size_bytes);

/**
 * Read a file for the rules: never fails; what is wrong with it is for the rules to say.
 *
 * path    shown in findings; copied.
 * around  borrowed for as long as the result is used; may be NULL.
 */
const wpa_source *wpa_source_read(wpa_input_kind kind, const char *path, const void *data,
                                  size_t size_bytes, const wpa_surroundings *around,
                                  wpa_arena *arena);
/** The file's path within its repository: what identifies it wherever the repository lies. */
const char *wpa_source_identity(const wpa_source *source);
/** The path in the repository of a file that is shown at this one. around may be NULL. */
const char *wpa_surroundings_identity(const wpa_surroundings *around, const char *shown);
/**
 * The same surroundings for one file alone, with a trace of what is asked. Everything in the
 * arena, which belongs to one thread.
 */
wpa_surroundings *wpa_surroundings_traced(const wpa_surroundings *around, wpa_arena *arena);
/** The same surroundings, whose graph is asked at the expense of a budget; NULL gives NULL. */
const wpa_surroundings *wpa_surroundings_within(const wpa_surroundings *around, wpa_budget *budget,
                                                wpa_arena *arena);
/** Is there such a file in the tree? Only meaningful if around->has_paths. */
bool wpa_surroundings_has(const wpa_surroundings *around, const char *path);
/** Is there a file below this folder ("" is the root)? As above. */
bool wpa_surroundings_has_folder(const wpa_surroundings *around, const char *folder);
/** Index of the first path from the i-th on that is not below this folder ("x/"). As above. */
size_t wpa_surroundings_skip(const wpa_surroundings *around, size_t i, const char *folder);
/** First path that the glob fits ("**" any folders), or NULL. As above. */
const char *wpa_surroundings_match(const wpa_surroundings *around, const char *glob);
/** Text of another file, NUL-terminated, in the arena; NULL if it cannot be had. around may be
 * NULL. */
const char *wpa_surroundings_read(const wpa_surroundings *around, const char *path,
                                  size_t max_bytes, wpa_arena *arena, size_t *size_bytes);
