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

const wpa_view *wpa_view_of_object(wpa_object_kind kind)
{
    switch (kind) {
    case WPA_OBJECT_WORKFLOW:
        return &wpa_view_workflow;
    case WPA_OBJECT_FINDING:
        return &wpa_view_finding;
    case WPA_OBJECT_PATCH:
        return &wpa_view_patch;
    case WPA_OBJECT_DEPLOYMENT:
        return &wpa_view_deployment;
    case WPA_OBJECT_JOB:
        return &wpa_view_job;
    case WPA_OBJECT_RUN:
    case WPA_OBJECT_NOTICE:
    case WPA_OBJECT_AUDIT:
    case WPA_OBJECT_DESTINATION:
    case WPA_OBJECT_NONE:
        break;
    }
    return NULL;
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
