/*
 * Run somebody else's program where it can do no harm: bubblewrap namespaces, a system-call
 * filter, limits inside and (where they can be written) control groups outside.
 *
 * What runs sees the tools of the host read-only, a private copy of the files it was given in
 * /repo, an empty /tmp, and nothing else: no home, no /run, no network but its own loopback. It
 * ends with its caller. Without namespaces nothing runs at all: see wpa_sandbox_check.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

/** A file for the sandbox, or read back from it. */
typedef struct wpa_sandbox_file {
    const char *path; /* relative to /repo, "/" between parts */
    const uint8_t *data;
    size_t size_bytes;
    bool is_executable;
} wpa_sandbox_file;

/** 0 anywhere means the default named behind it. */
typedef struct wpa_sandbox_limits {
    int64_t wall_ms;      /* 60 s */
    int64_t cpu_s;        /* per process, 600 s */
    int64_t memory_bytes; /* 2 GiB: all together with control groups, else each process */
    int64_t processes;    /* 256 */
    int64_t file_bytes;   /* one file written, 256 MiB */
    int64_t work_bytes;   /* of /repo, and of /tmp, 1 GiB each */
    int64_t keep_bytes;   /* kept of stdout, and of stderr, 1 MiB; killed at 16 times as much */
    int64_t output_bytes; /* all files read back, 32 MiB; larger ones are left out */
    int64_t output_files; /* 256 */
} wpa_sandbox_limits;

typedef struct wpa_sandbox_request {
    const char *const *argv;       /* NULL behind the last; argv[0] is looked up in /usr/bin etc. */
    const char *source;            /* host folder copied to /repo; NULL: none */
    const wpa_sandbox_file *files; /* put over it */
    size_t n_files;
    const char *folder;             /* where argv starts, relative to /repo; NULL: /repo */
    const char *input;              /* file it reads as standard input, likewise; NULL: nothing */
    const char *const *environment; /* "NAME=value", NULL behind the last; NULL: only PATH, HOME… */
    const char *const *outputs;     /* patterns of files to read back, NULL behind the last; "*"
                                       crosses folders; NULL: none */
    const char *const *markers;     /* stand-ins for secrets, NULL behind the last, searched for
                                       in everything that comes back */
    bool has_network;               /* the host's network instead of only a loopback */
    bool is_reader;                 /* it reads and prints: programs and their libraries are all it
                                       sees of the host, which is made in half the time */
    wpa_sandbox_limits limits;
    bool (*is_cancelled)(void *context); /* asked ten times a second; NULL: never */
    void *cancel_context;
} wpa_sandbox_request;

typedef enum wpa_sandbox_end {
    WPA_SANDBOX_EXITED,    /* by itself: see exit_code */
    WPA_SANDBOX_TIMED_OUT, /* killed at wall_ms */
    WPA_SANDBOX_CANCELLED, /* killed because is_cancelled said so */
    WPA_SANDBOX_FLOODED    /* killed because it wrote too much */
} wpa_sandbox_end;

typedef struct wpa_sandbox_text {
    const char *text; /* [size_bytes], NUL-terminated; hostile: not checked for anything */
    size_t size_bytes;
    int64_t total_bytes; /* written, of which size_bytes were kept */
} wpa_sandbox_text;

typedef struct wpa_sandbox_result {
    wpa_sandbox_end end;
    int exit_code; /* 128 + n for signal n, 127 not found; -1 unless end is EXITED */
    wpa_sandbox_text out, err;
    const wpa_sandbox_file *files; /* [n_files] that match outputs and fit the limits */
    size_t n_files;
    bool are_files_cut; /* some did not fit */
    const char *leak;   /* the first marker found, NULL: none */
    const char *leak_where;
    int64_t duration_ms; /* of the whole run, set-up included */
} wpa_sandbox_result;

/** "exited", "timed out", ... */
const char *wpa_sandbox_end_name(wpa_sandbox_end end);

/**
 * Can a sandbox be made here? Runs /bin/true in one.
 *
 * Errors    WPA_E_UNAVAILABLE whose message is the exact reason, for "skipped(no sandbox: ...)".
 */
bool wpa_sandbox_check(wpa_error *err) WPA_CHECK;

/**
 * Run request->argv and wait for its end. Any number of threads at a time.
 *
 * What runs ends at the latest with the calling thread, so call from one that outlives the work.
 * As root it runs as an ordinary user that owns nothing.
 *
 * Returns   the result, in arena, also for programs that fail, hang or flood; NULL if no sandbox
 *           could be made or the files did not fit into it.
 * Errors    WPA_E_UNAVAILABLE (no sandbox), WPA_E_INVALID (argv, paths), WPA_E_IO, WPA_E_LIMIT.
 */
wpa_sandbox_result *wpa_sandbox_run(const wpa_sandbox_request *request, wpa_arena *arena,
                                    wpa_error *err);
