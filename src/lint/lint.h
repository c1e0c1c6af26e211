/*
 * Asking ShellCheck, ruff or pyflakes, and the interpreters themselves about all scripts of a batch
 * before the rules run over it: each different script once, many to one process, processes side by
 * side, in the sandbox where there is one. Scripts are read by them and never run.
 *
 * A tool that is missing, hangs, or answers with garbage costs one note; nothing fails for it
 * unless the settings say that the tool is required.
 */
#pragma once

#include "analysis/tree.h"

/** Scripts in one process, and what they may come to. */
#define WPA_LINT_BATCH_SCRIPTS 100
#define WPA_LINT_BATCH_BYTES ((size_t)1024 * 1024)
#define WPA_LINT_BATCH_MS 30000

/**
 * Look through every file of the tree and leave the answers in settings->lint. Tools whose rule
 * does not run are not asked. Everything lives in tree->arena; notes go to tree->notes.
 *
 * Errors    INVALID: a required tool is not there.
 * Thread    ends all its own threads and processes before it returns.
 */
bool wpa_lint_tree(wpa_tree *tree, wpa_settings *settings, size_t n_threads,
                   wpa_error *err) WPA_CHECK;
