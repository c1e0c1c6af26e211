/* Reading a ref and saying what is found there: our commit, the old tip, or others' work. */
#pragma once

#include "deploy/run.h"

typedef enum wpa_tip_verdict {
    WPA_TIP_NEW,       /* the ref is our commit */
    WPA_TIP_BEYOND,    /* our commit is in its history, others went on */
    WPA_TIP_OLD,       /* as before: not pushed */
    WPA_TIP_GONE,      /* the ref is absent now */
    WPA_TIP_MOVED,     /* others moved it, ours is not in it */
    WPA_TIP_REWRITTEN, /* neither is in its history */
} wpa_tip_verdict;

/** Read the ref and compare; tip receives its value, WPA_OID_ZERO if it is absent. */
bool wpa_tip_judge(wpa_git *git, const char *ref, const char *old_oid, const char *new_oid,
                   char tip[WPA_OID_SIZE], wpa_tip_verdict *verdict, wpa_error *err) WPA_CHECK;

typedef enum wpa_tip_content {
    WPA_CONTENT_BEFORE, /* every path is as before says */
    WPA_CONTENT_AFTER,  /* every path is as after says */
    WPA_CONTENT_MIXED,  /* some are before, the others after */
    WPA_CONTENT_OTHER,  /* something else stands at a path */
} wpa_tip_content;

/** Compare the paths of the edits at a commit; *path is the first that is something else. */
bool wpa_tip_compare(wpa_git *git, const char *commit, const wpa_git_edit *edits, size_t n,
                     wpa_arena *arena, wpa_tip_content *content, const char **path,
                     wpa_error *err) WPA_CHECK;

/**
 * The complete message about a target that cannot take the patch any more: from where to where it
 * moved, by whom, what of it matters, and what to do next.
 */
const char *wpa_tip_story(wpa_deploy_run *run, wpa_git *git, const wpa_deploy_target *target,
                          const char *tip, const wpa_git_edit *edits, size_t n, const char *path,
                          wpa_arena *arena);
