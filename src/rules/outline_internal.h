/* Shared by outline.c and outline_os.c, _runner.c, _shell.c and _uses.c alone. */
#pragma once

#include <wpa/map.h>

#include "rules/outline.h"

/**
 * Fill in what runs-on says: labels, has_open_labels, is_self_hosted and os.
 *
 * job     with its node; all else of it may still be missing.
 * arena   of the outline, which the labels live as long as.
 */
void wpa_outline_read_runner(wpa_outline_job *job, wpa_arena *arena);

/**
 * The system that a condition asks for: by runner.os, or by the name that runs-on takes from the
 * matrix. LINUX stands for all but Windows where it asks for that; UNKNOWN where it does not tell.
 */
wpa_fact_os wpa_outline_os_asked(const wpa_yaml_node *condition, const wpa_yaml_node *runs_on);

/** What is known so far of what a file uses. */
typedef struct wpa_outline_known {
    wpa_arena *arena;
    wpa_map *uses; /* text → what is known of it, with the comment last seen behind it; or NULL */
    uint32_t n_uses; /* different ones */
} wpa_outline_known;

/** What a scalar below "uses" says; node may be NULL. */
wpa_outline_uses wpa_outline_uses_of(wpa_outline_known *known, const wpa_yaml_node *node);

typedef struct wpa_outline_shell {
    wpa_shell shell;
    bool is_elsewhere; /* see wpa_outline_step */
} wpa_outline_shell;

/** What the text below "shell" names. */
wpa_outline_shell wpa_outline_shell_of(const char *text);
