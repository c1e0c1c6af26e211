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

typedef struct wpa_lint wpa_lint;

/**
 * Find the programs that the settings leave on. settings are borrowed.
 *
 * Returns   NULL with INVALID: a required tool is not there.
 */
wpa_lint *wpa_lint_open(const wpa_settings *settings, size_t n_threads, wpa_error *err);
void wpa_lint_close(wpa_lint *lint);
WPA_DEFINE_AUTO(wpa_lint, wpa_lint_close);

/** Which programs are asked and in which version: part of what a result depends on. */
const char *wpa_lint_programs_asked(wpa_lint *lint);
/**
 * Ask about the scripts of parsed files (a wpa_tree_batch), and give these files settings with the
 * answers, which last until the next batch. Ends all its own threads and processes before it
 * returns.
 */
void wpa_lint_batch(wpa_lint *lint, wpa_tree_file *const files[], size_t n);
/** [n] what could not be asked, so far. */
const wpa_note *wpa_lint_notes(const wpa_lint *lint, size_t *n);
