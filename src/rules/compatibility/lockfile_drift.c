/* CMP-045: a workflow and the lockfile of its actions say different things. */
#include <string.h>

#include "rules/graph.h"
#include "rules/pin.h"

#define LOCK_PATH ".github/workflows/actions.lock"
#define LOCK_MAX_BYTES ((size_t)512 * 1024)

typedef struct lock {
    wpa_rule_run *run;
    const wpa_yaml_node *pins; /* of this workflow: "owner/repo[/path]@ref:sha1-hex" */
    bool *is_used;             /* [pins->n_items] */
} lock;

/* "owner/repo[/path]@ref" of a pin, and its commit in hex; false if it is none. */
static bool split_pin(const char *pin, wpa_slice *use, const char **commit)
{
    const char *colon = pin ? strrchr(pin, ':') : NULL;
    const char *at = pin ? strchr(pin, '@') : NULL;
    if (!colon || !at || at > colon ||
        (!wpa_text_starts(colon, ":sha1-") && !wpa_text_starts(colon, ":sha256-"))) {
        return false;
    }
    *use = (wpa_slice){pin, (size_t)(colon - pin)};
    *commit = strchr(colon, '-') + 1;
    return true;
}

/* owner and repository without case, ref with; the lock names the repository, not the path. */
static bool is_pin_of(wpa_slice pin, const wpa_outline_uses *uses)
{
    const char *at = memchr(pin.at, '@', pin.length);
    wpa_slice repo = {pin.at, (size_t)(at - pin.at)};
    wpa_slice ref = {at + 1, pin.length - repo.length - 1};
    bool is_same = repo.length == uses->repo.length || repo.length == uses->slug.length;
    return is_same && strncasecmp(repo.at, uses->slug.at, repo.length) == 0 &&
           ref.length == uses->ref.length && memcmp(ref.at, uses->ref.at, ref.length) == 0;
}

static void check_advisories(const lock *l, const wpa_outline_uses *uses, const char *commit)
{
    wpa_fact_use use;
    wpa_slice hex = wpa_slice_of(commit);
    wpa_facts_use_resolve(uses->slug, hex, (wpa_slice){"", 0}, &use);
    for (size_t i = 0; i < wpa_facts_advisory_count(); i++) {
        const wpa_fact_advisory *advisory = wpa_facts_advisory_at(i);
        wpa_fact_affected affected = wpa_facts_advisory_affects(advisory, uses->slug, hex, &use);
        if (affected == WPA_AFFECTED_YES || affected == WPA_AFFECTED_MALICIOUS) {
            wpa_rule_report(l->run, uses->node->span, NULL, NULL,
                            "the lockfile holds %s at a commit that %s covers: %s",
                            wpa_rule_quote_uses(l->run, uses), advisory->id, advisory->summary);
            return;
        }
    }
}

static void check_uses(lock *l, const wpa_outline_uses *uses)
{
    if (uses->kind != WPA_OUTLINE_REPOSITORY) {
        return;
    }
    for (size_t i = 0; i < l->pins->n_items; i++) {
        wpa_slice pin;
        const char *commit;
        if (split_pin(wpa_yaml_text(l->pins->items[i]), &pin, &commit) && is_pin_of(pin, uses)) {
            l->is_used[i] = true;
            check_advisories(l, uses, commit);
            return;
        }
    }
    wpa_rule_report(l->run, uses->node->span, NULL, NULL,
                    "%s is not in %s, which this workflow is onboarded to: the run is refused",
                    wpa_rule_quote_uses(l->run, uses), LOCK_PATH);
}

static bool has_composite(const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_uses *uses = &o->jobs[i].steps[k].uses;
            bool is_open =
                uses->kind == WPA_OUTLINE_LOCAL || uses->kind == WPA_OUTLINE_UNKNOWN ||
                (uses->kind == WPA_OUTLINE_REPOSITORY &&
                 (!uses->fact->has_major || wpa_text_is(uses->fact->major.using, "composite")));
            if (is_open) {
                return true;
            }
        }
        if (o->jobs[i].is_call) {
            return true;
        }
    }
    return false;
}

static wpa_span first_key(const wpa_source *source)
{
    const wpa_yaml_node *root = wpa_yaml_resolve(source->yaml->root);
    return root->pairs[0].key->span;
}

/* Pins of what composite actions use stand there too, so what nobody names may still be used. */
static void check_unused(const lock *l)
{
    for (size_t i = 0; !has_composite(l->run->source->outline) && i < l->pins->n_items; i++) {
        const char *text = wpa_yaml_text(l->pins->items[i]);
        if (text && !l->is_used[i] && !l->run->source->is_partial) {
            wpa_finding *finding =
                wpa_rule_report(l->run, first_key(l->run->source), NULL, NULL,
                                "the lockfile holds %s for this workflow, which does not use it",
                                wpa_rule_quote(l->run, text, strlen(text)));
            finding->severity = WPA_SEVERITY_LOW;
        }
    }
}

static void report_broken(wpa_rule_run *run, const char *what)
{
    wpa_finding *finding = wpa_rule_report(run, first_key(run->source), NULL, NULL,
                                           "%s %s: generate it again", LOCK_PATH, what);
    finding->severity = WPA_SEVERITY_MEDIUM;
}

/* What no generator writes: pins without a hash, entries without their fields. */
static const char *find_fault(const wpa_yaml_node *root)
{
    static const char *const fields[] = {"branch", "commit", "owner_id", "repo_id"};
    const char *version = wpa_yaml_text(wpa_yaml_get(root, "version"));
    if (!version || strspn(version, "v0123456789.") != strlen(version) ||
        (version[0] != '0' && version[0] != '1' && version[0] != 'v')) {
        return "has a version that is not known";
    }
    const wpa_yaml_node *dependencies = wpa_yaml_get(root, "dependencies");
    for (size_t i = 0; wpa_yaml_is(dependencies, WPA_YAML_MAPPING) && i < dependencies->n_pairs;
         i++) {
        for (size_t k = 0; k < WPA_COUNT(fields); k++) {
            if (!wpa_yaml_get(dependencies->pairs[i].value, fields[k])) {
                return "has entries without all their fields, as if edited by hand";
            }
        }
    }
    const wpa_yaml_node *workflows = wpa_yaml_get(root, "workflows");
    for (size_t i = 0; wpa_yaml_is(workflows, WPA_YAML_MAPPING) && i < workflows->n_pairs; i++) {
        const wpa_yaml_node *pins = wpa_yaml_resolve(workflows->pairs[i].value);
        for (size_t k = 0; wpa_yaml_is(pins, WPA_YAML_SEQUENCE) && k < pins->n_items; k++) {
            wpa_slice pin;
            const char *commit;
            if (!split_pin(wpa_yaml_text(pins->items[k]), &pin, &commit)) {
                return "has pins without a hash, as if edited by hand";
            }
        }
    }
    return NULL;
}

static void check_workflow(wpa_rule_run *run, const wpa_yaml_node *root)
{
    const wpa_yaml_node *workflows = wpa_yaml_get(root, "workflows");
    lock l = {.run = run, .pins = wpa_yaml_get(workflows, wpa_source_identity(run->source))};
    if (!wpa_yaml_is(l.pins, WPA_YAML_SEQUENCE)) {
        return; /* not onboarded */
    }
    l.is_used = wpa_arena_array(run->arena, l.pins->n_items + 1, sizeof *l.is_used);
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_uses(&l, &o->jobs[i].uses);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_uses(&l, &o->jobs[i].steps[k].uses);
        }
    }
    check_unused(&l);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    const wpa_surroundings *around = run->source->around;
    size_t size = 0;
    bool is_workflow = wpa_yaml_is(run->source->yaml->root, WPA_YAML_MAPPING) &&
                       wpa_yaml_resolve(run->source->yaml->root)->n_pairs > 0;
    const char *text =
        is_workflow && around && around->has_paths && wpa_surroundings_has(around, LOCK_PATH)
            ? wpa_surroundings_read(around, LOCK_PATH, LOCK_MAX_BYTES, run->arena, &size)
            : NULL;
    const wpa_yaml_doc *doc = text ? wpa_yaml_parse(LOCK_PATH, text, size, run->arena, err) : NULL;
    if (!doc) {
        return !text;
    }
    const char *fault = doc->is_partial || !wpa_yaml_is(doc->root, WPA_YAML_MAPPING)
                            ? "cannot be read"
                            : find_fault(doc->root);
    if (fault && around->graph && wpa_graph_is_first(around->graph, run->source)) {
        report_broken(run, fault);
    }
    if (!fault) {
        check_workflow(run, doc->root);
    }
    return true;
}

const wpa_rule wpa_rule_lockfile_drift = {
    .code = "CMP-045",
    .id = "lockfile-drift",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A workflow and the lockfile of its actions differ",
    .why = "A run of an onboarded workflow is refused if it uses what the lockfile does not hold.",
    .fix = "Run gh actions-lock and commit what it writes; the file is not to be edited by hand.",
    .tables = 1U << WPA_FACTS_ADVISORIES | 1U << WPA_FACTS_TAGS,
    .check = check,
};
