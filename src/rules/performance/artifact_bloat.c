/* PRF-015: artifacts that carry what a cache or an install would bring, or are packed twice. */
#include <string.h>

#include "rules/settings.h"
#include "rules/steps.h"
#include "rules/work.h"

#define LINES_MAX 8 /* each is held against the whole tree */

static const wpa_rule_option options[] = {
    {"max-files", "5000", "files of the repository that one path may hold", WPA_OPTION_NUMBER},
    {0},
};

/* Folders that an install or a build fills from what is in the repository. */
static const char *const trees[] = {"node_modules",     ".venv",   "venv", "vendor", "target",
                                    "bower_components", ".gradle", "Pods", ".tox",   ".git"};
static const char *const packed[] = {".zip", ".tgz", ".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2",
                                     ".7z",  ".whl", ".jar",    ".deb",    ".rpm",     ".nupkg",
                                     ".gz",  ".xz",  ".zst",    ".dmg",    ".apk",     ".vsix"};

/* The last part of a path without a slash or a "**" behind it. */
static wpa_slice last_part(wpa_slice path)
{
    while (path.length && strchr("/*", path.at[path.length - 1])) {
        path.length--;
    }
    size_t start = path.length;
    while (start && path.at[start - 1] != '/') {
        start--;
    }
    return (wpa_slice){path.at + start, path.length - start};
}

static bool ends_with(wpa_slice text, const char *suffix)
{
    size_t length = strlen(suffix);
    return text.length > length && memcmp(text.at + text.length - length, suffix, length) == 0;
}

static bool is_one_of(wpa_slice text, const char *const list[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_slice_is(text, list[i])) {
            return true;
        }
    }
    return false;
}

static bool is_packed(wpa_slice path)
{
    for (size_t i = 0; i < WPA_COUNT(packed); i++) {
        if (ends_with(path, packed[i])) {
            return true;
        }
    }
    return false;
}

static wpa_span span_of(const wpa_yaml_node *node, wpa_slice part)
{
    size_t from = (size_t)(part.at - node->text);
    return wpa_yaml_source_span(node, from, from + part.length);
}

/* From 4 on files go through zip at level 6 unless told otherwise. */
static void check_packed(wpa_rule_run *run, const wpa_outline_step *step, const wpa_yaml_node *path)
{
    wpa_finding *finding =
        wpa_rule_report(run, path->span, NULL, step,
                        "these files are packed already: compressing them again takes time and "
                        "saves no room");
    finding->severity = WPA_SEVERITY_LOW;
    finding->persona = WPA_PERSONA_PEDANTIC;
}

/* How many files of the repository stand where the path leads; a folder holds all below it. */
static size_t count_files(const wpa_surroundings *around, const char *path)
{
    size_t length = strlen(path), n = 0;
    bool is_glob = strpbrk(path, "*?[") != NULL;
    for (size_t i = 0; i < around->n_paths; i++) {
        const char *file = around->paths[i];
        n += is_glob ? wpa_glob_fits(path, file)
                     : strncmp(file, path, length) == 0 && file[length] == '/';
    }
    return n;
}

/* Thousands of files one by one, as the tree tells; what a build adds is not counted. */
static bool check_many(wpa_rule_run *run, const wpa_yaml_node *path, wpa_slice line)
{
    const wpa_surroundings *around = run->source->around;
    size_t most = (size_t)wpa_rule_option_int(run, "max-files", 1, 10000000, 5000);
    const char *text = wpa_arena_slice(run->arena, line.at, line.length);
    if (!around || !around->has_paths || around->n_paths <= most || strstr(text, "${{")) {
        return false;
    }
    text += wpa_text_starts(text, "./") ? 2 : 0;
    size_t length = strlen(text);
    if (length && text[length - 1] == '/') {
        text = wpa_arena_slice(run->arena, text, length - 1);
    }
    size_t n = *text ? count_files(around, text) : 0;
    if (n > most) {
        (void)wpa_rule_report(run, span_of(path, line), NULL, NULL,
                              "%s holds %zu files, each of which is packed and sent by itself; an "
                              "archive of them goes in one piece",
                              wpa_rule_quote(run, line.at, line.length), n);
    }
    return n > most;
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *path = wpa_outline_with(step, "path");
    const char *text = wpa_yaml_text(path);
    size_t at = 0, n = 0, n_packed = 0;
    wpa_slice line;
    bool is_cut = text && strchr(text, '!') != NULL; /* "!**" + "/node_modules" */
    while (text && wpa_work_next_line(text, &at, &line)) {
        wpa_slice last = last_part(line);
        bool is_root = wpa_path_is_workspace(line);
        n++;
        n_packed += is_packed(line);
        if (!is_cut && (is_root || is_one_of(last, trees, WPA_COUNT(trees)))) {
            (void)wpa_rule_report(run, span_of(path, line), NULL, NULL,
                                  is_root ? "the whole workspace is uploaded, all that was fetched "
                                            "and built in it included"
                                          : "%s is uploaded file by file; a cache or an install "
                                            "brings it back in less time",
                                  wpa_rule_quote(run, line.at, line.length));
            return;
        }
        if (!is_cut && n <= LINES_MAX && check_many(run, path, line)) {
            return;
        }
    }
    if (n && n == n_packed && wpa_outline_major(&step->uses) >= 4 &&
        !wpa_outline_with(step, "compression-level") && !wpa_outline_with(step, "archive")) {
        check_packed(run, step, path);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            if (wpa_outline_step_uses(&o->jobs[i].steps[k], "actions/upload-artifact")) {
                check_step(run, &o->jobs[i].steps[k]);
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (step) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add compression-level: 0");
        (void)wpa_rule_add_in(run, fix, step->node, "with", "uses", "compression-level", "0");
    }
}

const wpa_rule wpa_rule_artifact_bloat = {
    .code = "PRF-015",
    .id = "artifact-bloat",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "An artifact carries a dependency tree, or files that are packed already",
    .why = "Thousands of small files take minutes to pack and fetch; what is packed gets no "
           "smaller.",
    .fix = "Upload what was made, install or restore the rest; set compression-level: 0 for "
           "archives.",
    .options = options,
    .declares = WPA_DECLARES_SCRIPT, /* what a step does with its inputs */
    .words = (const char *const[]){"upload-artifact", NULL},
    .check = check,
    .repair = repair,
};
