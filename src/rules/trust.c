#include "rules/trust.h"

#include <string.h>

/* Words of a condition that keep strangers out: forks (G1), authors (G2). */
static const char *const fork_guards[] = {
    "head.repo.full_name == github.repository",
    "github.repository == github.event.pull_request",
    "head.repo.fork == false",
    "!github.event.pull_request.head.repo.fork",
    "head_repository.full_name == github.repository",
    "author_association == 'OWNER'",
    "author_association == 'MEMBER'",
};

bool wpa_trust_is_guarded(const wpa_yaml_node *condition)
{
    const char *text = wpa_yaml_text(condition);
    for (size_t i = 0; text && i < WPA_COUNT(fork_guards); i++) {
        if (strstr(text, fork_guards[i]) && !strstr(text, "||")) {
            return true;
        }
    }
    return false;
}

/* "github.event_name == 'push'" and nothing else: the trigger does not reach the job. */
bool wpa_trust_is_for_other_event(const wpa_yaml_node *condition, const char *event)
{
    const char *text = wpa_yaml_text(condition);
    const char *test = text ? strstr(text, "github.event_name == '") : NULL;
    return test && !strstr(text, "||") &&
           !wpa_text_starts(test + strlen("github.event_name == '"), event);
}

bool wpa_trust_names_secret(const wpa_yaml_node *node)
{
    wpa_slice text = {node->doc->source + node->span.start, wpa_span_length(node->span)};
    for (size_t i = 0; i + 8 < text.length; i++) {
        if (strncasecmp(text.at + i, "secrets.", 8) == 0 &&
            strncasecmp(text.at + i + 8, "GITHUB_TOKEN", 12) != 0) {
            return true;
        }
    }
    return false;
}

/* Does the effective token write? Unset counts as writing. */
bool wpa_trust_may_write(const wpa_outline *o, const wpa_outline_job *job)
{
    const wpa_yaml_node *value = wpa_yaml_get(job->node, "permissions");
    value = value ? value : wpa_yaml_get(o->root, "permissions");
    if (!value || wpa_text_is(wpa_yaml_text(value), "write-all")) {
        return true;
    }
    for (size_t i = 0; value->kind == WPA_YAML_MAPPING && i < value->n_pairs; i++) {
        if (wpa_text_is(wpa_yaml_text(value->pairs[i].value), "write")) {
            return true;
        }
    }
    return false;
}

bool wpa_trust_is_privileged(const wpa_outline *o, const wpa_outline_job *job)
{
    return wpa_trust_may_write(o, job) || job->is_self_hosted ||
           wpa_yaml_find(job->node, "environment") ||
           wpa_text_is(wpa_yaml_text(wpa_yaml_get(job->node, "secrets")), "inherit") ||
           wpa_trust_names_secret(job->node);
}
