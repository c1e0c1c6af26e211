#include "views/views.h"

/* Every view of the console. A new one is a file and a line here. */
const wpa_view *const wpa_views[] = {
    &wpa_view_dash,         &wpa_view_workflows, &wpa_view_findings,   &wpa_view_patches,
    &wpa_view_deploys,      &wpa_view_map,       &wpa_view_runs,       &wpa_view_audit,
    &wpa_view_notices,      &wpa_view_jobs,      &wpa_view_workflow,   &wpa_view_finding,
    &wpa_view_patch,        &wpa_view_diff,      &wpa_view_deployment, &wpa_view_job,
    &wpa_view_destinations, &wpa_view_who,
};
const size_t wpa_n_views = WPA_COUNT(wpa_views);

const wpa_view *wpa_view_of_tab(int tab)
{
    for (size_t i = 0; i < wpa_n_views; i++) {
        if (wpa_views[i]->tab == tab) {
            return wpa_views[i];
        }
    }
    return wpa_views[0];
}

/* Things that have a page of their own, and the list that they are rows of. */
static const struct {
    wpa_object_kind kind;
    const wpa_view *page, *list;
} shown[] = {
    {WPA_OBJECT_WORKFLOW, &wpa_view_workflow, &wpa_view_workflows},
    {WPA_OBJECT_FINDING, &wpa_view_finding, &wpa_view_findings},
    {WPA_OBJECT_PATCH, &wpa_view_patch, &wpa_view_patches},
    {WPA_OBJECT_DEPLOYMENT, &wpa_view_deployment, &wpa_view_deploys},
    {WPA_OBJECT_JOB, &wpa_view_job, &wpa_view_jobs},
};

const wpa_view *wpa_view_of_object(wpa_object_kind kind)
{
    for (size_t i = 0; i < WPA_COUNT(shown); i++) {
        if (shown[i].kind == kind) {
            return shown[i].page;
        }
    }
    return NULL;
}

int wpa_tab_of_object(wpa_object_kind kind)
{
    for (size_t i = 0; i < WPA_COUNT(shown); i++) {
        if (shown[i].kind == kind) {
            return shown[i].list->tab;
        }
    }
    return 0;
}

const wpa_view *wpa_view_named(const char *id)
{
    for (size_t i = 0; i < wpa_n_views; i++) {
        if (wpa_text_is(wpa_views[i]->id, id)) {
            return wpa_views[i];
        }
    }
    return NULL;
}
