/* T106: every script parses in its shell, and runs the same commands as before unless declared. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "rules/outline.h"
#include "sandbox/sandbox.h"
#include "testing/checks.h"
#include "testing/commands.h"

#define SCRIPTS_MAX 2000
#define PARSE_MS 30000
#define COMMAND_MAX_BYTES 4000

typedef struct script {
    const char *text; /* expressions blanked */
    const wpa_outline_step *step;
    const char *extension; /* ".bash", ".sh", ".py"; NULL: nothing here can parse it */
    bool is_changed;       /* no such text in the other version */
} script;

/* ---- collecting ---- */

/** Expressions become words of as many underscores, so that columns and lines stay. */
static const char *blank(const char *text, wpa_arena *arena)
{
    char *copy = wpa_arena_text(arena, text);
    char *open = copy;
    while ((open = strstr(open, "${{"))) {
        char *close = strstr(open, "}}");
        char *end = close ? close + 2 : open + strlen(open);
        for (; open < end; open++) {
            *open = *open == '\n' ? '\n' : '_';
        }
    }
    return copy;
}

static const char *extension_of(wpa_shell shell)
{
    switch (shell) {
    case WPA_SHELL_BASH:
    case WPA_SHELL_UNKNOWN:
        return ".bash";
    case WPA_SHELL_SH:
        return ".sh";
    case WPA_SHELL_PYTHON:
        return ".py";
    case WPA_SHELL_PWSH:
    case WPA_SHELL_CMD:
    case WPA_SHELL_OTHER:
    case WPA_SHELL_ZSH:
        break;
    }
    return NULL;
}

static const wpa_outline *outline_of(const wpa_test_context *context, wpa_test_image *image)
{
    const wpa_analysis *analysis = wpa_test_image_analysis(context, context->file, image);
    return analysis->result.source->outline;
}

static script *collect(const wpa_test_context *context, wpa_test_image *image, size_t *n)
{
    size_t capacity = 0;
    script *scripts = NULL;
    *n = 0;
    if (!image->bytes) {
        return NULL;
    }
    const wpa_outline *outline = outline_of(context, image);
    for (size_t i = 0; i < outline->n_jobs; i++) {
        for (size_t k = 0; k < outline->jobs[i].n_steps && *n < SCRIPTS_MAX; k++) {
            const wpa_outline_step *step = &outline->jobs[i].steps[k];
            const char *text = wpa_yaml_text(step->run);
            if (!text) {
                continue;
            }
            scripts = wpa_arena_grow(context->arena, scripts, *n, &capacity, sizeof *scripts);
            scripts[(*n)++] = (script){.text = blank(text, context->arena),
                                       .step = step,
                                       .extension = extension_of(step->shell)};
        }
    }
    return scripts;
}

static void mark_changed(script *scripts, size_t n, const script *others, size_t n_others)
{
    for (size_t i = 0; i < n; i++) {
        scripts[i].is_changed = true;
        for (size_t k = 0; k < n_others; k++) {
            if (wpa_text_is(scripts[i].text, others[k].text) &&
                scripts[i].step->shell == others[k].step->shell) {
                scripts[i].is_changed = false;
            }
        }
    }
}

/* ---- parsing in the sandbox, all scripts in one run ---- */

static const char parse_all[] =
    "for f in s*; do\n"
    "  case $f in\n"
    "    *.bash) command -v bash >/dev/null || { echo missing >$f.rc; continue; }\n"
    "            bash -n ./$f >$f.err 2>&1 ;;\n"
    "    *.sh)   sh -n ./$f >$f.err 2>&1 ;;\n"
    "    *.py)   command -v python3 >/dev/null || { echo missing >$f.rc; continue; }\n"
    "            python3 -I -c 'import ast,sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "
    "./$f >$f.err 2>&1 ;;\n"
    "  esac\n"
    "  if [ $? = 0 ]; then echo good >$f.rc; else { echo bad; tail -n 5 $f.err; } >$f.rc; fi\n"
    "done\n";

static const wpa_sandbox_result *parse_scripts(const wpa_test_context *context,
                                               const script *scripts, size_t n, wpa_error *err)
{
    wpa_sandbox_file *files = wpa_arena_array(context->arena, n + 1, sizeof *files);
    size_t n_files = 0;
    for (size_t i = 0; i < n; i++) {
        if (scripts[i].extension) {
            files[n_files++] = (wpa_sandbox_file){
                .path = wpa_arena_printf(context->arena, "s%zu%s", i, scripts[i].extension),
                .data = (const uint8_t *)scripts[i].text,
                .size_bytes = strlen(scripts[i].text)};
        }
    }
    static const char *const argv[] = {"/bin/sh", "-c", parse_all, NULL};
    static const char *const outputs[] = {"*.rc", NULL};
    const wpa_sandbox_request request = {
        .argv = argv,
        .files = files,
        .n_files = n_files,
        .outputs = outputs,
        .limits = {.wall_ms = PARSE_MS, .output_files = SCRIPTS_MAX},
        .is_cancelled = context->is_cancelled,
        .cancel_context = context->context,
    };
    return wpa_sandbox_run(&request, context->arena, err);
}

static const char *answer_for(const wpa_sandbox_result *run, const script *scripts, size_t i,
                              wpa_arena *arena)
{
    const char *name = wpa_arena_printf(arena, "s%zu%s.rc", i, scripts[i].extension);
    for (size_t k = 0; k < run->n_files; k++) {
        if (wpa_text_is(run->files[k].path, name)) {
            return (const char *)run->files[k].data;
        }
    }
    return NULL;
}

static void judge_script(const wpa_test_context *context, const script *one, const char *answer,
                         wpa_test_outcome *outcome)
{
    const wpa_yaml_node *node = one->step->run;
    if (!answer || wpa_text_starts(answer, "missing")) {
        if (one->is_changed) {
            wpa_test_skip_with(outcome, WPA_TEST_SKIP_NO_TOOL, context->arena,
                               "no interpreter here for a script (*%s)", one->extension);
        }
        return;
    }
    if (wpa_text_starts(answer, "good")) {
        return;
    }
    wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after,
                         node->span.start, one->is_changed ? "does not parse" : "did not parse",
                         answer + strlen("bad\n"));
    if (one->is_changed) {
        wpa_test_fail(outcome, context->arena, "a script that the patch changes does not parse");
    } else {
        wpa_test_warn(outcome, context->arena, "not of the patch: a script does not parse");
    }
}

static bool parse_and_judge(const wpa_test_context *context, const script *scripts, size_t n,
                            wpa_test_outcome *outcome, wpa_error *err)
{
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++) {
        n_known += scripts[i].extension != NULL;
        if (!scripts[i].extension && scripts[i].is_changed) {
            wpa_test_skip_with(outcome, WPA_TEST_SKIP_NO_TOOL, context->arena,
                               "no parser here for the shell of a script that changes");
        }
    }
    if (n_known == 0) {
        return true;
    }
    if (context->no_sandbox) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_NO_SANDBOX, context->arena, "no sandbox: %s",
                           context->no_sandbox);
        return true;
    }
    const wpa_sandbox_result *run = parse_scripts(context, scripts, n, err);
    if (!run) {
        return false;
    }
    if (run->end != WPA_SANDBOX_EXITED) {
        return WPA_FAIL(err, run->end == WPA_SANDBOX_CANCELLED ? WPA_E_CANCELLED : WPA_E_TIMEOUT,
                        "parsing the scripts %s", wpa_sandbox_end_name(run->end));
    }
    for (size_t i = 0; i < n; i++) {
        if (scripts[i].extension) {
            judge_script(context, &scripts[i], answer_for(run, scripts, i, context->arena),
                         outcome);
        }
    }
    wpa_test_evidence(outcome, context->arena, "parsed",
                      wpa_arena_printf(context->arena, "%zu of %zu scripts", n_known, n));
    return true;
}

/* ---- commands, before and after ---- */

static void compare_commands(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    if (!context->file->before.bytes) {
        return;
    }
    wpa_test_commands before = wpa_test_commands_of(context, &context->file->before);
    wpa_test_commands after = wpa_test_commands_of(context, &context->file->after);
    const wpa_test_commands *sides[] = {&before, &after};
    bool is_declared = wpa_test_is_declared(context, WPA_DECLARES_SCRIPT);
    for (size_t side = 0; side < 2; side++) {
        const wpa_test_commands *of = sides[side], *other = sides[1 - side];
        for (size_t i = 0; i < of->n; i++) {
            if (wpa_test_commands_count(other, of->items[i].text) >=
                wpa_test_commands_count(of, of->items[i].text)) {
                continue;
            }
            wpa_test_evidence(outcome, context->arena, side ? "command added" : "command removed",
                              of->items[i].text);
            if (!is_declared) {
                wpa_test_fail(outcome, context->arena, "a command is %s, which is not declared: %s",
                              side ? "added" : "removed", of->items[i].text);
            }
        }
    }
}

/** Scripts whose commands are not known: of one version, those that the other has not. */
static void compare_others(const wpa_test_context *context, const script *scripts, size_t n,
                           const char *what, wpa_test_outcome *outcome)
{
    bool is_declared = wpa_test_is_declared(context, WPA_DECLARES_SCRIPT);
    for (size_t i = 0; i < n; i++) {
        if (!scripts[i].is_changed || scripts[i].step->script) {
            continue;
        }
        wpa_test_evidence(outcome, context->arena, what, scripts[i].text);
        if (!is_declared) {
            wpa_test_fail(outcome, context->arena,
                          "a script for another shell than sh changes, which is not declared");
        }
    }
}

static bool has_scripts(const wpa_test_context *context)
{
    size_t n_before = 0, n_after = 0;
    if (!context->file->is_definition || !context->file->after.bytes) {
        return false;
    }
    collect(context, &context->file->before, &n_before);
    collect(context, &context->file->after, &n_after);
    return n_before > 0 || n_after > 0;
}

static bool check_scripts(const wpa_test_context *context, wpa_test_outcome *outcome,
                          wpa_error *err)
{
    size_t n_before = 0, n_after = 0;
    script *before = collect(context, &context->file->before, &n_before);
    script *after = collect(context, &context->file->after, &n_after);
    mark_changed(after, n_after, before, n_before);
    compare_commands(context, outcome);
    if (context->file->before.bytes) {
        mark_changed(before, n_before, after, n_after);
        compare_others(context, before, n_before, "script removed", outcome);
        compare_others(context, after, n_after, "script added", outcome);
    }
    return parse_and_judge(context, after, n_after, outcome, err);
}

const wpa_test_check wpa_test_t106 = {.id = "T106",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 2,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "scripts parse and run the same commands",
                                      .applies = has_scripts,
                                      .run = check_scripts};
