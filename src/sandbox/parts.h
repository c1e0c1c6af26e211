/* What the files of this folder know of each other. */
#pragma once

#include <sys/types.h>

#include <wpa/buf.h>

#include "sandbox/sandbox.h"

#define SANDBOX_MAX_FILES 200000

/** Descriptors as the child and bubblewrap know them. */
enum {
    CHILD_FD_TREE = 3,   /* tar stream in: the files of /repo */
    CHILD_FD_REPORT = 4, /* "ready", "done", tar stream out */
    CHILD_FD_STATUS = 5, /* bubblewrap's own account */
    CHILD_FD_SECCOMP = 6,
    CHILD_FD_PASSWD = 7,
    CHILD_FD_GROUP = 8,
    CHILD_FD_HOSTS = 9,
    CHILD_FD_COUNT
};

/** Limits with the defaults put in. */
wpa_sandbox_limits sandbox_limits_of(const wpa_sandbox_request *request);

/** The program, or NULL with WPA_E_UNAVAILABLE. */
const char *sandbox_find_bwrap(wpa_error *err);
/** bubblewrap's argument list, NULL-terminated, in arena. */
char *const *sandbox_command(const wpa_sandbox_request *request, const char *bwrap,
                             bool is_memory_grouped, wpa_arena *arena);

/** A memory file that holds the filter, at its start; -1 with *err set. */
int sandbox_seccomp_open(wpa_error *err);

/** Control groups of one run. */
typedef struct sandbox_cgroup {
    char folders[4][256];
    int procs[4]; /* cgroup.procs, for the child to join by writing "0" */
    size_t n;
    bool has_memory;
} sandbox_cgroup;

/** Makes what can be made; without any, n is 0 and nothing is wrong. */
void sandbox_cgroup_make(sandbox_cgroup *group, const wpa_sandbox_limits *limits);
/** Kills what is left inside and removes the folders. */
void sandbox_cgroup_remove(sandbox_cgroup *group);

/** A tar stream made piece by piece from a folder and files. */
typedef struct sandbox_packer sandbox_packer;

sandbox_packer *sandbox_packer_new(const wpa_sandbox_request *request, wpa_arena *arena,
                                   wpa_error *err);
void sandbox_packer_free(sandbox_packer *packer);
WPA_DEFINE_AUTO(sandbox_packer, sandbox_packer_free);
/** Next bytes at *data; *size_bytes 0 at the end. */
bool sandbox_packer_next(sandbox_packer *packer, const uint8_t **data, size_t *size_bytes,
                         wpa_error *err) WPA_CHECK;
/** Take n of the bytes that next offered. */
void sandbox_packer_advance(sandbox_packer *packer, size_t n);

/** Files of a tar stream that may hold anything; stops at the first thing that is none. */
void sandbox_unpack(const uint8_t *data, size_t size_bytes, const wpa_sandbox_limits *limits,
                    wpa_sandbox_result *result, wpa_arena *arena);
