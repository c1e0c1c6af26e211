/* Analysers that the configuration names: run over the tree in the sandbox, joined as "ext". */
#include <stdio.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "cli/check_options.h"
#include "sandbox/sandbox.h"

#define SANDBOX_ROOT "/repo"

static const char *root_of(const wpa_check_run *run)
{
    const wpa_check_options *options = run->options;
    const char *start =
        options->n_paths && wpa_path_exists(options->paths[0]) ? options->paths[0] : ".";
    const char *root = wpa_tree_root(start, run->cli->arena);
    return root ? root : wpa_path_is_dir(start) ? wpa_tree_real_path(start, run->cli->arena) : NULL;
}

/** Output of one analyser; NULL with *err saying what it did instead. */
static const wpa_sandbox_result *call(const wpa_analyser *analyser, const char *root,
                                      wpa_arena *arena, wpa_error *err)
{
    const char **argv = wpa_arena_array(arena, analyser->command.n + 1, sizeof *argv);
    memcpy(argv, analyser->command.items, analyser->command.n * sizeof *argv);
    wpa_sandbox_request request = {
        .argv = argv,
        .source = root,
        .limits = {.wall_ms = analyser->timeout_ms, .keep_bytes = (int64_t)WPA_SARIF_MAX_BYTES},
    };
    const wpa_sandbox_result *result = wpa_sandbox_run(&request, arena, err);
    if (result && result->end != WPA_SANDBOX_EXITED) {
        (void)WPA_FAIL(err, WPA_E_TIMEOUT, "%s", wpa_sandbox_end_name(result->end));
        return NULL;
    }
    if (result && result->exit_code == 127) {
        (void)WPA_FAIL(err, WPA_E_NOT_FOUND, "'%s' is not there", analyser->command.items[0]);
        return NULL;
    }
    return result;
}

/** What went before the mistake in its output: programs that fail print their reason elsewhere. */
static const char *no_sarif(const wpa_sandbox_result *result, wpa_arena *arena)
{
    const char *what =
        result->out.size_bytes ? "what it printed is no SARIF" : "it printed nothing";
    return wpa_arena_printf(arena, "%s, and its exit code is %d: ", what, result->exit_code);
}

void wpa_check_run_outside(wpa_check_run *run)
{
    const wpa_settings *settings = run->options->settings;
    const char *root = settings->n_analysers ? root_of(run) : NULL;
    if (!root) {
        return;
    }
    run->outside = wpa_outside_new(run->cli->arena);
    for (size_t i = 0; i < settings->n_analysers; i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_analyser *analyser = &settings->analysers[i];
        wpa_error err = {0};
        const wpa_sandbox_result *result = call(analyser, root, arena, &err);
        bool ok = result && wpa_outside_read(run->outside, analyser->name, SANDBOX_ROOT,
                                             result->out.text, result->out.size_bytes, &err);
        bool is_no_sarif = result && err.code == WPA_E_INVALID;
        if (!ok) { /* a note: nothing of ours fails for it */
            (void)fprintf(run->cli->err, "note: analyser %s: %s%s\n", analyser->name,
                          is_no_sarif ? no_sarif(result, arena) : "", err.message);
        }
    }
}
