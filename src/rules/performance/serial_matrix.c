/* PRF-018: a matrix whose legs wait for each other. */
#include "rules/work.h"

/* Something else asks for the order: what is shared, or a comment that says why. */
static bool has_reason(const wpa_rule_run *run, const wpa_outline_job *job,
                       const wpa_yaml_node *value)
{
    return wpa_yaml_is_commented(value) || wpa_yaml_find(job->node, "environment") ||
           wpa_yaml_find(job->node, "concurrency") ||
           wpa_yaml_find(run->source->outline->root, "concurrency") || job->is_self_hosted ||
           wpa_work_job_ships(job);
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(wpa_yaml_get(job->node, "strategy"), "max-parallel");
    const char *text = pair ? wpa_yaml_text(pair->value) : NULL;
    int64_t most;
    if (!text || !wpa_text_to_int(text, 1, 256, &most) || has_reason(run, job, pair->value)) {
        return;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_within(wpa_arena_budget(run->arena));
    wpa_matrix_legs legs = wpa_work_legs(run, job, arena);
    bool is_slow =
        legs.is_open ? most == 1 : legs.n > 1 && (most == 1 || 4 * most < (int64_t)legs.n);
    if (is_slow && legs.is_open) {
        wpa_finding *finding = wpa_rule_report(run, pair->value->span, NULL, pair->value,
                                               "the legs of this matrix run one behind the other");
        finding->confidence = WPA_CONFIDENCE_LOW; /* it may be one */
    } else if (is_slow) {
        (void)wpa_rule_report(run, pair->value->span, NULL, pair->value,
                              "only %d of %zu legs run at a time: the matrix takes %zu times as "
                              "long as a leg",
                              (int)most, legs.n, (legs.n + (size_t)most - 1) / (size_t)most);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i]);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *value = finding->subject;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "let the legs run together");
    (void)wpa_rule_remove_entry(run, fix, value);
}

const wpa_rule wpa_rule_serial_matrix = {
    .code = "PRF-018",
    .id = "serial-matrix",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"max-parallel", NULL},
    .summary = "max-parallel makes the legs of a matrix wait for each other",
    .why = "Everybody waits for the sum of the legs instead of the longest one.",
    .fix = "Remove max-parallel, or say in a comment what the legs share.",
    .declares = WPA_DECLARES_MATRIX,
    .check = check,
    .repair = repair,
};
