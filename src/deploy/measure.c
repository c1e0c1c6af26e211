/* Measuring for real: a working copy for commands, our own analysis for rescore. */
#include "deploy/measure.h"

#include <math.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "core/scratch.h"
#include "git/git.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)
#define TREE_MAX_FILES 100000
#define TREE_MAX_BYTES ((size_t)1 << 30)
#define NETWORK_MS 30000

typedef struct asked {
    wpa_job_context *job;
    const wpa_measure_request *request;
    wpa_git *git;
    char tip[WPA_OID_SIZE];
} asked;

/* ---- rescore ---- */

/* The file at a commit; NULL without an error if it is not there. */
static const char *read_at(wpa_git *git, const char *commit, const char *path, size_t *size_bytes,
                           wpa_arena *arena, wpa_error *err)
{
    wpa_git_entry entry;
    if (!wpa_git_tree_find(git, commit, path, arena, &entry, err)) {
        if (err->code == WPA_E_NOT_FOUND) {
            wpa_error_clear(err);
        }
        return NULL;
    }
    return wpa_git_blob_read(git, entry.oid, FILE_MAX_BYTES, arena, size_bytes, err);
}

static double part_change(const wpa_analysis *before, const wpa_analysis *after,
                          const char *dimension)
{
    wpa_dimension which;
    if (!wpa_dimension_from(dimension, &which)) {
        return after->score.total - before->score.total;
    }
    return after->score.parts[which].score - before->score.parts[which].score;
}

static bool is_defining(const char *path)
{
    return wpa_text_starts(path, ".github/") || wpa_text_ends(path, "action.yml") ||
           wpa_text_ends(path, "action.yaml");
}

static bool rescore_path(const asked *a, const char *path, const wpa_probe_check *check,
                         wpa_probe_scores *scores, wpa_arena *arena, wpa_error *err)
{
    size_t before_bytes = 0;
    size_t after_bytes = 0;
    const char *before = read_at(a->git, a->request->before, path, &before_bytes, arena, err);
    const char *after =
        err->code == WPA_OK ? read_at(a->git, a->tip, path, &after_bytes, arena, err) : NULL;
    if (err->code != WPA_OK) {
        return false;
    }
    if (after == NULL) {
        return true; /* gone: nothing is left to be wrong */
    }
    const wpa_analysis now = wpa_analysis_of(path, after, after_bytes, NULL, NULL, arena);
    if (before == NULL) {
        scores->new_findings += now.is_valid ? 0 : 1;
        return true;
    }
    const wpa_analysis then = wpa_analysis_of(path, before, before_bytes, NULL, NULL, arena);
    const wpa_analysis_change change = wpa_analysis_compare(&then, &now, arena);
    for (size_t i = 0; i < change.n_new; i++) {
        const wpa_finding *finding = change.new[i];
        scores->new_findings += finding->kind != WPA_KIND_OPPORTUNITY &&
                                        finding->persona == WPA_PERSONA_DEFAULT &&
                                        finding->severity >= WPA_SEVERITY_MEDIUM
                                    ? 1
                                    : 0;
    }
    const double delta = part_change(&then, &now, check->rescore.dimension);
    /*
     * A finding that repeats in every job weighs once in all; taken from some of the jobs, the
     * rest weigh in full, and the score falls although nothing but findings went. That is no harm.
     */
    scores->delta += change.n_new == 0 && delta < 0 ? 0 : delta;
    /* The numbers first: on a narrow screen the rest is cut off. */
    scores->summary = wpa_arena_printf(arena, "%s%s%.0f -> %.0f in %s, %lld new",
                                       scores->summary != NULL ? scores->summary : "",
                                       scores->summary != NULL ? "; " : "", then.score.total,
                                       now.score.total, path, (long long)scores->new_findings);
    return true;
}

static bool rescore(void *context, const wpa_probe_check *check, wpa_probe_scores *scores,
                    wpa_arena *arena, wpa_error *err)
{
    const asked *a = context;
    *scores = (wpa_probe_scores){0};
    if (a->git == NULL || a->request->before == NULL) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "no commit to compare with");
    }
    for (size_t i = 0; i < a->request->n_paths; i++) {
        if (is_defining(a->request->paths[i]) &&
            !rescore_path(a, a->request->paths[i], check, scores, arena, err)) {
            return false;
        }
    }
    if (scores->summary == NULL) {
        scores->summary = "no workflow was changed";
    }
    return true;
}

/* ---- the working copy ---- */

static bool is_cancelled(void *context)
{
    const asked *a = context;
    return wpa_job_should_stop(a->job);
}

static bool check_out(const asked *a, wpa_scratch *folder, wpa_arena *arena, wpa_error *err)
{
    size_t n_left_out = 0;
    const wpa_git_export_limits limits = {TREE_MAX_FILES, TREE_MAX_BYTES};
    return wpa_scratch_open(folder, a->job->cache_folder, "tree", arena, err) &&
           wpa_git_export(a->git, a->tip, folder->path, limits, &n_left_out, err);
}

static bool open_tip(asked *a, wpa_arena *arena, wpa_error *err)
{
    const wpa_measure_request *request = a->request;
    a->git = wpa_git_reach(request->url, request->branch,
                           wpa_path_join(arena, a->job->cache_folder, "git"), NETWORK_MS, err);
    return a->git != NULL &&
           wpa_git_ref_read(a->git, wpa_arena_printf(arena, "refs/heads/%s", request->branch),
                            a->tip, err);
}

static void note_error(wpa_measurement *measurement, int64_t started_us, const wpa_error *why,
                       wpa_arena *arena)
{
    *measurement = (wpa_measurement){
        .started_us = started_us,
        .ended_us = wpa_now_us(),
        .result = WPA_MEASURED_ERROR,
        .value = NAN,
        .latency_ms = -1,
        .baseline = NAN,
        .message = wpa_text_visible(arena, why->message, strlen(why->message), false),
    };
}

bool wpa_deploy_measure(wpa_job_context *job, const wpa_measure_request *request, wpa_arena *arena,
                        wpa_measurement *measurement, wpa_error *err)
{
    const int64_t started_us = wpa_now_us();
    asked a = {.job = job, .request = request};
    wpa_error why = {0};
    wpa_probe_context context = {.baseline = request->baseline,
                                 .rescore = rescore,
                                 .is_cancelled = is_cancelled,
                                 .context = &a};
    wpa_scratch storage = {0};
    WPA_AUTO(wpa_scratch) *folder = &storage;
    bool is_ready = request->check->kind == WPA_PROBE_HTTP || open_tip(&a, arena, &why);
    WPA_AUTO(wpa_git) *owned = a.git;
    (void)owned;
    if (is_ready && request->check->kind == WPA_PROBE_COMMAND) {
        is_ready = check_out(&a, folder, arena, &why);
        context.tree = folder->path;
    }
    if (!is_ready) {
        note_error(measurement, started_us, &why, arena);
        return true;
    }
    return wpa_probe_measure(request->check, &context, arena, measurement, err);
}

bool wpa_deploy_job(wpa_job_context *context, wpa_error *err)
{
    static const wpa_deploy_tools tools = {.measure = wpa_deploy_measure};
    return wpa_deploy_job_with(context, &tools, err);
}
