/* Analysis of bytes, without a database. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "analysis/internal.h"

/** Does the file have a fault that keeps GitHub from reading it at all? */
static bool is_valid(const wpa_result *result)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        if (wpa_text_is(finding->rule->id, "syntax") && finding->severity == WPA_SEVERITY_HIGH) {
            return false;
        }
    }
    return result->source->yaml != NULL;
}

static size_t count_jobs(const wpa_source *source)
{
    const wpa_yaml_node *jobs = source->yaml ? wpa_yaml_get(source->yaml->root, "jobs") : NULL;
    return jobs && jobs->kind == WPA_YAML_MAPPING ? jobs->n_pairs : 0;
}

static wpa_score_finding to_score(const wpa_finding *finding, int64_t id)
{
    bool is_in_job = finding->n_structure > 1 && wpa_text_is(finding->structure[0], "jobs");
    return (wpa_score_finding){
        .id = id,
        .rule = finding->rule->id,
        .check = finding->check,
        .job = is_in_job ? finding->structure[1] : NULL,
        .dimension = finding->dimension,
        .kind = finding->kind,
        .severity = finding->severity,
        .confidence = finding->confidence,
        .persona = finding->persona,
        .is_ignored = finding->state != WPA_FINDING_OPEN,
    };
}

static wpa_score score_of(const wpa_analysis *analysis, wpa_arena *arena)
{
    const wpa_result *result = &analysis->result;
    size_t n = result->n_findings;
    wpa_score_finding *findings = wpa_arena_array(arena, n ? n : 1, sizeof *findings);
    for (size_t i = 0; i < n; i++) {
        findings[i] = to_score(result->findings[i], (int64_t)i);
    }
    wpa_score_input input = {findings, n, analysis->n_jobs, NULL, !analysis->is_valid};
    return wpa_score_compute(&input, arena);
}

wpa_analysis wpa_analysis_of_source(const wpa_source *source, const wpa_settings *settings,
                                    wpa_arena *arena)
{
    wpa_analysis analysis = {.result = wpa_rules_run(source, settings, arena)};
    analysis.is_valid = is_valid(&analysis.result);
    analysis.n_jobs = count_jobs(source);
    analysis.score = score_of(&analysis, arena);
    return analysis;
}

wpa_analysis wpa_analysis_of(const char *path, const void *bytes, size_t size_bytes,
                             const wpa_surroundings *around, const wpa_settings *settings,
                             wpa_arena *arena)
{
    wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    (void)!wpa_input_of_path(path, &kind);
    settings = settings ? settings : wpa_settings_new(wpa_now_us(), arena);
    return wpa_analysis_of_source(wpa_source_read(kind, path, bytes, size_bytes, around, arena),
                                  settings, arena);
}

/* ---- comparing ---- */

static bool has_fingerprint(const wpa_result *result, const wpa_finding *finding)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *other = result->findings[i];
        if (other->state == WPA_FINDING_OPEN &&
            wpa_text_is(other->fingerprint, finding->fingerprint)) {
            return true;
        }
    }
    return false;
}

static bool is_same_kind(const wpa_finding *a, const wpa_finding *b)
{
    return a->rule == b->rule && wpa_text_is(a->check, b->check) && a->severity == b->severity;
}

static bool says_the_same(const wpa_finding *a, const wpa_finding *b)
{
    return is_same_kind(a, b) && wpa_text_is(a->message, b->message);
}

/** Open findings of one result that the other has not. */
static const wpa_finding **list_missing(const wpa_result *of, const wpa_result *from,
                                        wpa_arena *arena, size_t *n)
{
    const wpa_finding **list =
        wpa_arena_array(arena, of->n_findings ? of->n_findings : 1, sizeof *list);
    *n = 0;
    for (size_t i = 0; i < of->n_findings; i++) {
        if (of->findings[i]->state == WPA_FINDING_OPEN && !has_fingerprint(from, of->findings[i])) {
            list[(*n)++] = of->findings[i];
        }
    }
    return list;
}

static void remove_at(const wpa_finding **list, size_t *n, size_t i)
{
    memmove(list + i, list + i + 1, (*n - i - 1) * sizeof *list);
    *n -= 1;
}

static void pair_up(wpa_analysis_change *change,
                    bool (*is_pair)(const wpa_finding *a, const wpa_finding *b))
{
    for (size_t i = 0; i < change->n_gone;) {
        size_t j = 0;
        while (j < change->n_new && !is_pair(change->gone[i], change->new[j])) {
            j++;
        }
        if (j < change->n_new) {
            remove_at(change->gone, &change->n_gone, i);
            remove_at(change->new, &change->n_new, j);
        } else {
            i++;
        }
    }
}

wpa_analysis_change wpa_analysis_compare(const wpa_analysis *before, const wpa_analysis *after,
                                         wpa_arena *arena)
{
    wpa_analysis_change change = {.score_change = after->score.total - before->score.total};
    change.gone = list_missing(&before->result, &after->result, arena, &change.n_gone);
    change.new = list_missing(&after->result, &before->result, arena, &change.n_new);
    /* A gone one and a new one of the same kind are one finding that was changed: first those that
       say the same, or one that is gone would be taken for another that is still there. */
    pair_up(&change, says_the_same);
    pair_up(&change, is_same_kind);
    return change;
}
