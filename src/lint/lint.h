/*
 * Asking ShellCheck, ruff or pyflakes, and the interpreters themselves about all scripts of a batch
 * before the rules run over it: each different script once, many to one process, processes side by
 * side, in the sandbox where there is one. Scripts are read by them and never run.
 *
 * A tool that is missing, hangs, or answers with garbage costs one note; nothing fails for it
 * unless the settings say that the tool is required.
 */
#pragma once

#include "rules/engine.h"
#include "rules/settings.h"
#include "rules/source.h"

/** Scripts in one process, and what they may come to. */
#define WPA_LINT_BATCH_SCRIPTS 100
#define WPA_LINT_BATCH_BYTES ((size_t)1024 * 1024)
#define WPA_LINT_BATCH_MS 30000
/** Different scripts of one file that a tool is asked about: no file of people has as many. */
#define WPA_LINT_FILE_SCRIPTS 500

typedef struct wpa_lint wpa_lint;

/** A parsed file whose scripts are asked about. */
typedef struct wpa_lint_file {
    const wpa_source *source;
    const wpa_settings **settings; /* are replaced by a copy that knows the answers */
} wpa_lint_file;

/**
 * Find the programs that the settings leave on. settings are borrowed. is_kept: what they answer is
 * kept for later runs, and answers of earlier ones are taken.
 *
 * Returns   NULL with INVALID: a required tool is not there.
 */
wpa_lint *wpa_lint_open(const wpa_settings *settings, size_t n_threads, bool is_kept,
                        wpa_error *err);
void wpa_lint_close(wpa_lint *lint);
WPA_DEFINE_AUTO(wpa_lint, wpa_lint_close);

/** Which programs are asked and in which version: part of what a result depends on. */
const char *wpa_lint_programs_asked(wpa_lint *lint);
/**
 * Ask about the scripts of files, and give these files settings with the answers. Ends all its own
 * threads and processes before it returns. One batch at a time.
 *
 * Returns   what the settings and the answers are in, to be freed behind their last use; or NULL.
 */
wpa_arena *wpa_lint_batch(wpa_lint *lint, const wpa_lint_file files[], size_t n);
/** [n] what could not be asked, so far. */
const wpa_note *wpa_lint_notes(const wpa_lint *lint, size_t *n);
