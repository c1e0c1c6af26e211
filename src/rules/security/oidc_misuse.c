/* SEC-044: the right to ask for identity tokens, where nothing or too much uses it. */
#include <string.h>

#include "facts/supply.h"
#include "rules/callee.h"
#include "rules/pin.h"
#include "rules/trust.h"

typedef enum consumer {
    CONSUMER_NONE,
    CONSUMER_MAYBE, /* something of which that cannot be told */
    CONSUMER_SURE
} consumer;

/* Words of scripts that may ask for a token, by themselves or by a tool. */
static bool may_ask(const char *script)
{
    static const char *const words[] = {
        "ID_TOKEN", "oidc",    "OIDC", "cosign", "sigstore", "attest", "publish", "vault",
        "aws ",     "gcloud",  "az ",  "deploy", "twine",    "upload", "gh ",     "curl",
        "./",       "release", "make", "npm ",   "docker",   "uv ",    "python",  "terraform"};
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (strstr(script, words[i])) {
            return true;
        }
    }
    return false;
}

static consumer consumer_in_step(const wpa_outline_step *step)
{
    const wpa_outline_uses *uses = &step->uses;
    if (step->run) {
        return may_ask(step->run->text) ? CONSUMER_MAYBE : CONSUMER_NONE;
    }
    if (uses->kind != WPA_OUTLINE_REPOSITORY) {
        return CONSUMER_MAYBE;
    }
    if (wpa_facts_oidc_action_find(uses->slug)) {
        return CONSUMER_SURE;
    }
    bool is_plain = wpa_slice_is_ci(uses->owner, "actions") &&
                    !wpa_slice_is_ci(uses->slug, "actions/github-script");
    return is_plain ? CONSUMER_NONE : CONSUMER_MAYBE;
}

static consumer consumer_in(wpa_rule_run *run, const wpa_outline_job *job)
{
    consumer most = CONSUMER_NONE;
    wpa_callee callee;
    if (job->is_call) {
        bool is_known = wpa_callee_read(run, job, &callee);
        int level = is_known ? wpa_callee_level(&callee, "id-token") : -1;
        return level == 0 ? CONSUMER_NONE : level > 0 ? CONSUMER_SURE : CONSUMER_MAYBE;
    }
    for (size_t i = 0; i < job->n_steps && most < CONSUMER_SURE; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_told = step->run && most == CONSUMER_MAYBE; /* it is no more than that */
        consumer own = is_told ? most : consumer_in_step(step);
        most = own > most ? own : most;
    }
    return most;
}

static const wpa_yaml_pair *grant_of(const wpa_yaml_node *node)
{
    const wpa_yaml_node *map = wpa_yaml_get(node, "permissions");
    const wpa_yaml_pair *pair = wpa_yaml_find(map, "id-token");
    return pair && wpa_text_is(wpa_yaml_text(pair->value), "write") ? pair : NULL;
}

static void report(wpa_rule_run *run, const wpa_yaml_pair *pair, wpa_severity severity,
                   const wpa_yaml_node *removable, const char *text)
{
    wpa_finding *finding = wpa_rule_report(
        run, (wpa_span){pair->key->span.start, pair->value->span.end}, NULL, removable, "%s", text);
    finding->severity = severity;
}

/* Is whatever strangers cause here done by members: do they alone label, assign and pin? */
static bool is_by_members(const wpa_outline *o)
{
    static const char *const types[] = {"labeled",    "unlabeled",    "assigned",   "unassigned",
                                        "milestoned", "demilestoned", "locked",     "unlocked",
                                        "pinned",     "unpinned",     "transferred"};
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_fact_event *event = wpa_facts_event_find(wpa_slice_of(o->triggers[i].name));
        const wpa_yaml_node *list = wpa_yaml_get(o->triggers[i].config, "types");
        bool is_open = event && event->trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
        size_t n = wpa_yaml_is(list, WPA_YAML_SEQUENCE) ? list->n_items : 0, k = 0;
        while (k < n &&
               wpa_text_index(wpa_yaml_text(list->items[k]), types, WPA_COUNT(types)) >= 0) {
            k++;
        }
        if (is_open && (n == 0 || k < n)) {
            return false;
        }
    }
    return true;
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_pair *pair = grant_of(job->node);
    if (!pair) {
        return;
    }
    consumer used = consumer_in(run, job);
    bool is_open = run->source->outline->trust == WPA_TRUST_OUTSIDER_PRIVILEGED &&
                   !is_by_members(run->source->outline) &&
                   !wpa_trust_is_guarded(run->source, job->condition);
    if (is_open) {
        report(run, pair, WPA_SEVERITY_HIGH, used == CONSUMER_NONE ? pair->value : NULL,
               "strangers can start this job, which may ask for tokens in the repository's name");
    } else if (used == CONSUMER_NONE) {
        report(run, pair, WPA_SEVERITY_LOW, pair->value,
               job->is_call ? "the called workflow asks for no identity token"
                            : "no step of the job asks for an identity token");
    }
}

/* For the whole workflow: every job that sets no permissions may ask. */
static void check_workflow(wpa_rule_run *run, const wpa_outline *o)
{
    const wpa_yaml_pair *pair = grant_of(o->root);
    size_t n = 0;
    for (size_t i = 0; pair && i < o->n_jobs; i++) {
        n += !wpa_yaml_find(o->jobs[i].node, "permissions");
    }
    if (n > 1) {
        report(run, pair, WPA_SEVERITY_MEDIUM, NULL,
               wpa_arena_printf(run->arena,
                                "%s jobs that set no permissions may ask for tokens in the "
                                "repository's name",
                                n == 2 ? "both" : wpa_arena_printf(run->arena, "all %zu", n)));
    } else if (pair && o->trust == WPA_TRUST_OUTSIDER_PRIVILEGED && !is_by_members(o)) {
        report(run, pair, WPA_SEVERITY_HIGH, NULL,
               "strangers can start this workflow, which may ask for tokens in the repository's "
               "name");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    check_workflow(run, o);
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i]);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *value = finding->subject;
    if (value) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "take id-token away");
        (void)wpa_rule_remove_entry(run, fix, value);
    }
}

const wpa_rule wpa_rule_oidc_misuse = {
    .code = "SEC-044",
    .id = "oidc-misuse",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Jobs may ask for identity tokens that do not need to",
    .why = "A token says to clouds and registries that the repository itself is asking.",
    .fix = "Give id-token: write to the one job that logs in with it.",
    .declares = WPA_DECLARES_PERMISSIONS,
    .tables = 1U << WPA_FACTS_SUPPLY,
    .words = (const char *const[]){"id-token", NULL},
    .check = check,
    .repair = repair,
};
