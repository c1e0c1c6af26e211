#include "rules/publish.h"

#include "rules/shell_roles.h"

static bool is_publishing(const wpa_outline_step *step)
{
    bool is_action = step->uses.fact && step->uses.fact->publish;
    return is_action || (wpa_step_roles(step) & WPA_DOES_PUBLISH);
}

bool wpa_publish_in_job(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (is_publishing(&job->steps[i])) {
            return true;
        }
    }
    return false;
}
