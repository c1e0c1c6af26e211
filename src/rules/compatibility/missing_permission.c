/* CMP-041: a step needs more than the token that its job declares. */
#include <string.h>

#include "rules/needs.h"
#include "rules/pin.h"
#include "rules/shell_roles.h"
#include "rules/trust.h"

typedef struct subject {
    const wpa_outline_job *job;
    const wpa_yaml_node *permissions; /* the map that lacks it */
    const char *scope;                /* "contents: write" */
} subject;

static const wpa_yaml_node *permissions_of(const wpa_outline *o, const wpa_outline_job *job)
{
    const wpa_yaml_node *own = wpa_yaml_get(job->node, "permissions");
    return own ? own : wpa_yaml_get(o->root, "permissions");
}

static bool grants(const wpa_yaml_node *permissions, const char *scope)
{
    size_t length = strcspn(scope, ":");
    if (!wpa_yaml_is(permissions, WPA_YAML_MAPPING)) {
        return !wpa_text_is(wpa_yaml_text(permissions), "read-all");
    }
    for (size_t i = 0; i < permissions->n_pairs; i++) {
        const char *key = wpa_yaml_text(permissions->pairs[i].key);
        bool is_it = key && strlen(key) == length && strncmp(key, scope, length) == 0;
        if (!key || is_it) {
            const char *level = wpa_yaml_text(permissions->pairs[i].value);
            return !level || wpa_text_is(level, "write");
        }
    }
    return false;
}

/* A step that comments needs the one or the other, for what it is started by. */
static bool is_either(const char *scope, const wpa_needs *needs, const wpa_yaml_node *permissions)
{
    static const char *const pair[] = {"issues: write", "pull-requests: write"};
    bool has[2] = {false, false};
    for (size_t i = 0; i < needs->n; i++) {
        has[0] = has[0] || wpa_text_is(needs->scopes[i], pair[0]);
        has[1] = has[1] || wpa_text_is(needs->scopes[i], pair[1]);
    }
    bool is_one = wpa_text_is(scope, pair[0]) || wpa_text_is(scope, pair[1]);
    return is_one && has[0] && has[1] &&
           (grants(permissions, pair[0]) || grants(permissions, pair[1]));
}

/* What these do with the scope depends on their configuration, which is not read here. */
static bool is_optional(const wpa_outline_step *step, const char *scope)
{
    return (wpa_outline_step_uses(step, "release-drafter/release-drafter") &&
            wpa_text_is(scope, "pull-requests: write")) ||
           (wpa_outline_step_uses(step, "github/codeql-action/init")) ||
           (wpa_outline_step_uses(step, "github/codeql-action/analyze") &&
            wpa_text_is_ci(wpa_outline_with_text(step, "upload"), "never")) ||
           wpa_text_is_ci(wpa_outline_with_text(step, "upload"), "false");
}

/* A condition that looks at where the change comes from, or at the event, knows of forks. */
static bool knows_forks(const wpa_yaml_node *condition)
{
    static const char *const words[] = {
        "fork",       "event_name", "full_name",         "github.ref",
        "repository", "actor",      "author_association"};
    const char *text = wpa_yaml_text(condition);
    for (size_t i = 0; text && i < WPA_COUNT(words); i++) {
        if (strstr(text, words[i])) {
            return true;
        }
    }
    return false;
}

/* F1: what the job grants is taken away again for a pull request from a fork. */
static void check_forks(wpa_rule_run *run, const wpa_outline_step *step, const wpa_needs *needs)
{
    const wpa_outline_trigger *trigger =
        wpa_outline_trigger_find(run->source->outline, "pull_request");
    if (!trigger || knows_forks(step->condition) || knows_forks(step->job->condition) ||
        wpa_yaml_find(step->node, "continue-on-error")) {
        return;
    }
    for (size_t i = 0; i < needs->n; i++) {
        const char *scope = needs->scopes[i];
        if (wpa_text_ends(scope, ": write") && !wpa_text_starts(scope, "security-events") &&
            !is_optional(step, scope)) {
            const wpa_yaml_node *at = step->run ? step->run->key : step->uses.node;
            wpa_finding *finding = wpa_rule_report(
                run, at->span, "F1", NULL,
                "this step needs %s, which no token has on a pull request from a fork: it fails "
                "there",
                wpa_rule_quote(run, scope, strlen(scope)));
            finding->severity = WPA_SEVERITY_LOW;
            finding->persona = WPA_PERSONA_PEDANTIC;
            wpa_rule_relate(run, finding, trigger->node->span, "starts for forks");
            return;
        }
    }
}

/* What is only read is open in public repositories. */
static bool needs_to_write(const wpa_needs *needs)
{
    bool does = false;
    for (size_t i = 0; i < needs->n && !does; i++) {
        does = wpa_text_ends(needs->scopes[i], ": write");
    }
    return does;
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step,
                       const wpa_yaml_node *permissions)
{
    const wpa_outline *o = run->source->outline;
    wpa_needs needs = {.is_complete = false}; /* what may be needed besides is not asked for */
    wpa_needs_add_step(&needs, step);
    if (!needs_to_write(&needs) || !wpa_needs_own_token(o, step)) {
        return;
    }
    bool is_missing = false;
    for (size_t i = 0; i < needs.n; i++) {
        const char *scope = needs.scopes[i];
        if (!wpa_text_ends(scope, ": write") || grants(permissions, scope) ||
            is_either(scope, &needs, permissions) || is_optional(step, scope)) {
            continue;
        }
        is_missing = true;
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){step->job, permissions, scope};
        const wpa_yaml_node *at = step->run ? step->run->key : step->uses.node;
        wpa_finding *finding = wpa_rule_report(
            run, at->span, NULL, s,
            "this step needs %s, which the token of job %s does not have: it fails with 403",
            wpa_rule_quote(run, scope, strlen(scope)),
            wpa_rule_quote(run, step->job->id, strlen(step->job->id)));
        wpa_rule_relate(run, finding, permissions->key->span, "what the token has");
    }
    if (!is_missing) {
        check_forks(run, step, &needs);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_node *permissions = permissions_of(o, &o->jobs[i]);
        for (size_t k = 0; permissions && k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i].steps[k], permissions);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s) { /* else nothing that a file says gives a fork more */
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "grant %s to the job", s->scope);
        wpa_needs_grant(run, fix, s->job, s->permissions, s->scope);
    }
}

const wpa_rule wpa_rule_missing_permission = {
    .code = "CMP-041",
    .id = "missing-permission",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A step needs a permission that its job's token does not have",
    .why = "Scopes that are not named are taken away, and the forge answers the step with 403.",
    .fix = "Grant the scope to the job; keep what forks cannot do out of their pull requests.",
    .checks = (const char *const[]){"F1", NULL},
    .tables = 1U << WPA_FACTS_PERMISSIONS,
    .declares = WPA_DECLARES_PERMISSIONS,
    .check = check,
    .repair = repair,
};
