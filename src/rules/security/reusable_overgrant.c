/* SEC-053: a called workflow is given what it does not use. */
#include <string.h>

#include "rules/callee.h"

typedef struct subject {
    const wpa_yaml_node *value;
    int level; /* what is enough; 0: nothing */
} subject;

static const void *subject_new(wpa_rule_run *run, const wpa_yaml_node *value, int level)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){value, level};
    return s;
}

static void check_permissions(wpa_rule_run *run, const wpa_outline_job *job,
                              const wpa_callee *callee)
{
    static const char *const levels[] = {"nothing", "read", "write"};
    const wpa_yaml_node *map = wpa_yaml_get(job->node, "permissions");
    for (size_t i = 0; wpa_yaml_is(map, WPA_YAML_MAPPING) && i < map->n_pairs; i++) {
        const wpa_yaml_pair *pair = &map->pairs[i];
        const char *scope = wpa_yaml_text(pair->key);
        const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
        int given = wpa_callee_level_of(wpa_yaml_text(value));
        int taken = scope ? wpa_callee_level(callee, scope) : -1;
        if (taken < 0 || given <= taken) {
            continue;
        }
        wpa_finding *finding = wpa_rule_report(
            run, (wpa_span){pair->key->span.start, pair->value->span.end}, NULL,
            subject_new(run, value, taken), "%s is given '%s: %s', and takes %s of it",
            callee->path, scope, levels[given], levels[taken]);
        wpa_rule_relate(run, finding, job->uses.span, "the workflow that gets it");
    }
}

static void check_secrets(wpa_rule_run *run, const wpa_outline_job *job, const wpa_callee *callee)
{
    const wpa_yaml_node *map = wpa_yaml_get(job->node, "secrets");
    for (size_t i = 0; wpa_yaml_is(map, WPA_YAML_MAPPING) && i < map->n_pairs; i++) {
        const wpa_yaml_pair *pair = &map->pairs[i];
        const char *name = wpa_yaml_text(pair->key);
        bool is_taken = name && wpa_yaml_find_ci(callee->declared, name);
        if (!is_taken || wpa_callee_uses_secret(callee, name)) { /* else the call is refused */
            continue;
        }
        wpa_finding *finding =
            wpa_rule_report(run, (wpa_span){pair->key->span.start, pair->value->span.end}, NULL,
                            subject_new(run, wpa_yaml_resolve(pair->value), 0),
                            "%s is given the secret %s, and does not use it", callee->path,
                            wpa_rule_quote(run, name, strlen(name)));
        wpa_rule_relate(run, finding, job->uses.span, "the workflow that gets it");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_callee callee;
        if (o->jobs[i].is_call && wpa_callee_read(run, &o->jobs[i], &callee)) {
            check_permissions(run, &o->jobs[i], &callee);
            check_secrets(run, &o->jobs[i], &callee);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                s->level ? "give it read alone" : "do not give it");
    if (s->level) {
        wpa_rule_edit(run, fix, wpa_yaml_source_span(s->value, 0, s->value->length), "read");
    } else {
        (void)wpa_rule_remove_entry(run, fix, s->value);
    }
}

const wpa_rule wpa_rule_reusable_overgrant = {
    .code = "SEC-053",
    .id = "reusable-overgrant",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A called workflow is given permissions or secrets that it does not use",
    .why = "Whoever changes the called workflow has them at hand.",
    .fix = "Give it what it uses.",
    .declares = WPA_DECLARES_PERMISSIONS,
    .check = check,
    .repair = repair,
};
