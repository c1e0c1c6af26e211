/* Which module does which kind of job, and in what order the kinds are looked at. */
#include <wpa/text.h>

#include "agent/engine.h"
#include "analysis/analysis.h"
#include "deploy/deploy.h"
#include "fleet/fleet.h"
#include "fleet/scan.h"
#include "notify/notify.h"
#include "testing/testing.h"

/** The schedule has come: every repository is scanned, and what has changed is analysed. */
static bool schedule_job(wpa_job_context *context, wpa_error *err)
{
    size_t n = 0;
    return wpa_fleet_order_scan(context->db, context->actor, NULL, &n, err);
}

static const struct {
    const char *kind;
    wpa_job_handler handler;
} handlers[] = {
    {"schedule", schedule_job}, {"scan", wpa_scan_job},    {"analyse", wpa_analysis_job},
    {"deploy", wpa_deploy_job}, {"test", wpa_testing_job}, {"notify", wpa_notify_test_job},
};

/* What people wait for, and what protects targets, comes first. */
const char *const wpa_queues[] = {"deploy", "check",   "revert",   "watch", "notify",
                                  "test",   "analyse", "schedule", "scan"};
const size_t wpa_n_queues = WPA_COUNT(wpa_queues);

wpa_job_handler wpa_handler_of(const char *kind)
{
    for (size_t i = 0; i < WPA_COUNT(handlers); i++) {
        if (wpa_text_is(handlers[i].kind, kind)) {
            return handlers[i].handler;
        }
    }
    return NULL;
}
