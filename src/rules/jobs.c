#include "rules/jobs.h"

size_t wpa_jobs_index(const wpa_outline *outline, const char *id)
{
    size_t i = 0;
    while (i < outline->n_jobs && !wpa_text_is_ci(outline->jobs[i].id, id)) {
        i++;
    }
    return i;
}

void wpa_jobs_mark_needs(const wpa_outline *outline, size_t job, bool *is_before)
{
    const wpa_yaml_node *needs = wpa_yaml_get(outline->jobs[job].node, "needs");
    bool is_list = wpa_yaml_is(needs, WPA_YAML_SEQUENCE);
    size_t n = is_list ? needs->n_items : needs ? 1 : 0;
    for (size_t i = 0; outline->n_jobs <= WPA_JOBS_MAX && i < n; i++) {
        const char *id = wpa_yaml_text(is_list ? needs->items[i] : needs);
        size_t at = id ? wpa_jobs_index(outline, id) : outline->n_jobs;
        if (at < outline->n_jobs && !is_before[at]) {
            is_before[at] = true;
            wpa_jobs_mark_needs(outline, at, is_before);
        }
    }
}

void wpa_jobs_add_need(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_job *job, const char *id)
{
    const wpa_yaml_node *needs = wpa_yaml_get(job->node, "needs");
    const wpa_yaml_pair *runs_on = wpa_yaml_find(job->node, "runs-on");
    if (!needs && runs_on) {
        (void)wpa_rule_insert_before(run, fix, runs_on->value, "needs: %s", id);
    } else if (wpa_yaml_text(needs) && needs->style == WPA_YAML_PLAIN) {
        wpa_rule_edit(run, fix, needs->span, "[%s, %s]", wpa_yaml_text(needs), id);
    } else if (wpa_yaml_is(needs, WPA_YAML_SEQUENCE) && needs->n_items) {
        const wpa_yaml_node *last = needs->items[needs->n_items - 1];
        if (needs->style == WPA_YAML_FLOW) {
            wpa_rule_edit(run, fix, (wpa_span){last->span.end, last->span.end}, ", %s", id);
        } else {
            (void)wpa_rule_insert_behind(run, fix, last, "- %s", id);
        }
    }
}

void wpa_jobs_drop_need(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *need)
{
    const wpa_yaml_node *list = need->parent;
    bool is_only = list->kind == WPA_YAML_SEQUENCE && list->n_items == 1;
    (void)wpa_rule_remove_entry(run, fix, is_only ? list : need);
}
