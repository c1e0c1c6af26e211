/* QUA-029: a workflow that is too much for one file. */
#include <string.h>

#include "rules/jobs.h"

#define DEPTH_MAX 6
#define LINES_MAX 800

static const wpa_rule_option options[] = {
    {"max-complexity", "60", "sum of jobs (2 each), steps (1), conditions (1) and matrix rows (1)",
     WPA_OPTION_NUMBER},
    {0},
};

static size_t matrix_rows(const wpa_outline_job *job)
{
    const wpa_yaml_node *matrix = wpa_yaml_get(wpa_yaml_get(job->node, "strategy"), "matrix");
    return wpa_yaml_is(matrix, WPA_YAML_MAPPING) ? matrix->n_pairs : 0;
}

static size_t complexity(const wpa_outline *o)
{
    size_t sum = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        sum += 2 + job->n_steps + (job->condition != NULL) + matrix_rows(job);
        for (size_t k = 0; k < job->n_steps; k++) {
            sum += job->steps[k].condition != NULL;
        }
    }
    return sum;
}

/* Longest chain of needs that ends in each job; a circle is another rule's matter. */
static size_t depth_of(const wpa_outline *o, size_t job, size_t *depths, bool *is_open)
{
    if (depths[job] || is_open[job]) {
        return depths[job];
    }
    is_open[job] = true;
    const wpa_yaml_node *needs = wpa_yaml_get(o->jobs[job].node, "needs");
    bool is_list = wpa_yaml_is(needs, WPA_YAML_SEQUENCE);
    size_t n = is_list ? needs->n_items : needs ? 1 : 0, depth = 0;
    for (size_t i = 0; i < n; i++) {
        const char *id = wpa_yaml_text(is_list ? needs->items[i] : needs);
        size_t at = id ? wpa_jobs_index(o, id) : o->n_jobs;
        size_t below = at < o->n_jobs ? depth_of(o, at, depths, is_open) : 0;
        depth = below > depth ? below : depth;
    }
    depths[job] = depth + 1;
    return depths[job];
}

static void check_depth(wpa_rule_run *run, const wpa_outline *o)
{
    size_t *depths = wpa_arena_array(run->arena, o->n_jobs + 1, sizeof *depths);
    bool *is_open = wpa_arena_array(run->arena, o->n_jobs + 1, sizeof *is_open);
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (depth_of(o, i, depths, is_open) > DEPTH_MAX) {
            wpa_rule_report(run, o->jobs[i].key->span, NULL, NULL,
                            "%zu jobs stand one behind the other up to %s: a run waits for each",
                            depths[i], wpa_rule_quote(run, o->jobs[i].id, strlen(o->jobs[i].id)));
            return;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_yaml_node *root = wpa_yaml_resolve(run->source->yaml->root);
    if (!wpa_yaml_is(root, WPA_YAML_MAPPING) || root->n_pairs == 0 || o->n_jobs > WPA_JOBS_MAX) {
        return true;
    }
    wpa_span first = root->pairs[0].key->span;
    size_t sum = complexity(o);
    size_t max = (size_t)wpa_rule_option_int(run, "max-complexity", 1, 100000, 60);
    if (sum > max) {
        wpa_rule_report(run, first, NULL, NULL,
                        "jobs, steps, conditions and matrices add up to %zu, more than %zu: split "
                        "it into workflows that call each other",
                        sum, max);
    } else if (run->source->yaml->n_lines > LINES_MAX) {
        wpa_rule_report(run, first, NULL, NULL, "%zu lines in one workflow",
                        run->source->yaml->n_lines);
    }
    check_depth(run, o);
    return true;
}

const wpa_rule wpa_rule_complex_workflow = {
    .code = "QUA-029",
    .id = "complex-workflow",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A workflow has more jobs, steps and conditions than one can oversee",
    .why = "Nobody can say any more what runs when, and every change risks another job.",
    .fix = "Move parts into reusable workflows and composite actions; that is a person's work.",
    .options = options,
    .check = check,
};
