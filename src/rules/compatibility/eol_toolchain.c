/* CMP-044: a runtime version that nobody looks after any more, or that the runner cannot get. */
#include <ctype.h>
#include <string.h>

#include "rules/pin.h"
#include "rules/toolchain.h"
#include "rules/work.h"

static const wpa_rule_option options[] = {
    {"warn-days", "90", "days before the end of support from which a version is reported",
     WPA_OPTION_NUMBER},
    {0},
};

typedef struct subject {
    wpa_toolchain_use use;
    const wpa_fact_release *release;
} subject;

static int64_t today(void)
{
    return wpa_facts_days(wpa_facts_date(WPA_FACTS_TOOLCHAINS));
}

static bool is_missing_on(const wpa_outline_label *label, const wpa_fact_release *release)
{
    for (size_t i = 0; release->not_on[i]; i++) {
        bool is_image = !strchr(release->not_on[i], '/'); /* the rest is arch-mismatch's */
        if (is_image && wpa_label_is_on(label, release->not_on[i])) {
            return true;
        }
    }
    return false;
}

static bool has_value(const wpa_matrix_leg *leg, const wpa_yaml_node *node)
{
    for (size_t i = 0; i < leg->n; i++) {
        if (leg->values[i].node && wpa_yaml_resolve(leg->values[i].node) == node) {
            return true;
        }
    }
    return false;
}

/* Of a matrix of labels: a leg that asks for the version where it is not offered. */
static const char *missing_in_leg(wpa_rule_run *run, const wpa_toolchain_use *use,
                                  const wpa_fact_release *release)
{
    const wpa_outline_job *job = use->job;
    const char *written = wpa_yaml_text(wpa_yaml_get(job->node, "runs-on"));
    const char *key = written && *release->not_on ? wpa_matrix_key(written, run->arena) : NULL;
    wpa_matrix_legs legs = key ? wpa_work_legs(run, job, run->arena) : (wpa_matrix_legs){0};
    for (size_t i = 0; i < legs.n; i++) {
        const wpa_yaml_node *label = wpa_yaml_resolve(wpa_matrix_leg_get(&legs.legs[i], key));
        bool is_asked = label && (!use->is_matrix || has_value(&legs.legs[i], use->node));
        for (size_t k = 0; is_asked && k < job->n_labels; k++) {
            if (job->labels[k].node == label && is_missing_on(&job->labels[k], release)) {
                return job->labels[k].text;
            }
        }
    }
    return NULL;
}

/* The label of the job on which the setup action has no such version, or NULL. */
static const char *missing_on(wpa_rule_run *run, const wpa_toolchain_use *use,
                              const wpa_fact_release *release)
{
    if (!use->step || use->is_image || use->job->is_self_hosted) {
        return NULL;
    }
    if (use->job->n_labels != 1) {
        return missing_in_leg(run, use, release);
    }
    return is_missing_on(&use->job->labels[0], release) ? use->job->labels[0].text : NULL;
}

/* One of several lines, of which each is installed: for the frameworks that the project targets. */
static bool is_of_list(const wpa_toolchain_use *use)
{
    const char *line = use->node->text + strspn(use->node->text, " \n");
    const char *behind = strchr(line, '\n');
    return behind && behind[strspn(behind, " \n")];
}

/* "py310-test" of python 3.10 in text: the runtime's first two letters and more, and the version
 * with or without what stands between its numbers. */
static bool names_version(const char *text, const char *runtime, const char *version)
{
    for (const char *at = text; text && *(at = at + strcspn(at, "0123456789")); at++) {
        const char *v = version, *end = at;
        while (*v && (*end == *v || *v == '.')) {
            end += *end == *v || (*v == '.' && (*end == '_' || *end == '-'));
            v++;
        }
        const char *word = at;
        word -= word > text && strchr("-_ @", word[-1]) ? 1 : 0;
        const char *start = word;
        while (start > text && (isalpha((unsigned char)start[-1]) || start[-1] == '.')) {
            start--;
        }
        bool is_runtime = word - start >= 2 && strncasecmp(start, runtime, 2) == 0;
        if (!*v && !isdigit((unsigned char)*end) && is_runtime) {
            return true;
        }
        at += strspn(at, "0123456789") - 1;
    }
    return false;
}

/* The job is there to try this very version: its id or name says so. */
static bool is_tried(const wpa_toolchain_use *use, const wpa_fact_release *release)
{
    const char *runtime = use->runtime->name;
    return names_version(use->job->id, runtime, release->version) ||
           names_version(wpa_yaml_text(wpa_yaml_get(use->job->node, "name")), runtime,
                         release->version);
}

static void check_use(wpa_rule_run *run, const wpa_toolchain_use *use)
{
    const wpa_fact_release *release = wpa_facts_release_find(use->runtime, use->version);
    if (!release) {
        return;
    }
    int64_t warn = wpa_rule_option_int(run, "warn-days", 0, 3650, 90);
    int64_t left = release->ends ? wpa_facts_days(release->ends) - today() : INT64_MAX;
    const char *label = missing_on(run, use, release);
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){*use, release};
    const char *version = wpa_rule_quote(run, use->version.at, use->version.length);
    if (label) {
        wpa_rule_report(run, use->span, NULL, s, "%s %s is not offered on %s: the step fails",
                        use->runtime->name, version, wpa_rule_quote(run, label, strlen(label)));
    } else if (left < 0) {
        wpa_finding *finding =
            wpa_rule_report(run, use->span, NULL, s, "%s %s has had no security fixes since %s",
                            use->runtime->name, version, release->ends);
        /* one of several is often kept on purpose, for users who are still there */
        bool is_one_of_several = use->is_matrix || is_of_list(use) || is_tried(use, release);
        finding->severity = is_one_of_several ? WPA_SEVERITY_LOW : WPA_SEVERITY_MEDIUM;
    } else if (left < warn) {
        wpa_finding *finding =
            wpa_rule_report(run, use->span, NULL, s, "%s %s gets no security fixes after %s",
                            use->runtime->name, version, release->ends);
        finding->severity = WPA_SEVERITY_LOW;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    size_t n;
    const wpa_toolchain_use *uses = wpa_toolchain_uses(run, &n);
    for (size_t i = 0; i < n; i++) {
        check_use(run, &uses[i]);
    }
    return true;
}

/* Of a row whose versions have all ended it is the newest: were it dropped, an older one stayed. */
static bool is_newest_of_ended(const subject *s)
{
    const wpa_yaml_node *row = s->use.node->parent;
    for (size_t i = 0; wpa_yaml_is(row, WPA_YAML_SEQUENCE) && i < row->n_items; i++) {
        const char *text = wpa_yaml_text(wpa_yaml_resolve(row->items[i]));
        const wpa_fact_release *other =
            text ? wpa_facts_release_find(s->use.runtime, wpa_slice_of(text)) : NULL;
        bool has_ended = other && other->ends && wpa_facts_days(other->ends) < today();
        bool is_newer = has_ended && other->released && s->release->released &&
                        strcmp(other->released, s->release->released) > 0;
        if (!has_ended || is_newer) {
            return false;
        }
    }
    return wpa_yaml_is(row, WPA_YAML_SEQUENCE);
}

/* "20-stretch": whether the next version is built on that as well nobody knows; on these all are.
 */
static bool is_lasting_variant(const char *suffix, size_t length)
{
    static const char *const variants[] = {"-alpine", "-slim",        "-bookworm", "-bookworm-slim",
                                           "-trixie", "-trixie-slim", "-cli",      "-bullseye"};
    for (size_t i = 0; i < WPA_COUNT(variants); i++) {
        if (strlen(variants[i]) == length && memcmp(variants[i], suffix, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_part_of_version(char c)
{
    return isalnum((unsigned char)c) || c == '.';
}

/* "Set up Python 3.8" says the version that the step will set up from now on. */
static void rename_step(wpa_rule_run *run, wpa_fix *fix, const subject *s, const char *next)
{
    const wpa_yaml_node *name = s->use.step ? wpa_yaml_get(s->use.step->node, "name") : NULL;
    const char *text = wpa_yaml_text(name), *old = s->release->version;
    const char *at = text ? strstr(text, old) : NULL;
    size_t length = strlen(old);
    if (at && (at == text || !is_part_of_version(at[-1])) && !is_part_of_version(at[length])) {
        size_t start = (size_t)(at - text);
        wpa_rule_edit(run, fix, wpa_yaml_source_span(name, start, start + length), "%s", next);
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_fact_release *next = wpa_facts_release_next(s->use.runtime, s->release, today());
    if (is_of_list(&s->use) || (!s->use.is_matrix && is_tried(&s->use, s->release))) {
        return; /* another line or job may ask for the next one, and the project for this one */
    }
    if (s->use.is_matrix && !is_newest_of_ended(s)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "drop it from the matrix");
        if (wpa_yaml_is(s->use.node->parent, WPA_YAML_SEQUENCE)) {
            (void)wpa_rule_remove_entry(run, fix, s->use.node);
        }
        return;
    }
    size_t skip = s->use.version.at[0] == 'v' || s->use.version.at[0] == 'V';
    size_t length = strlen(s->release->version);
    const char *rest = s->use.version.at + skip + length;
    size_t n_rest = s->use.version.length - skip - length;
    bool is_kept = n_rest == 0 || *rest == '-' || (n_rest == 2 && memcmp(rest, ".x", 2) == 0);
    bool is_built =
        !s->use.is_image || !memchr(rest, '-', n_rest) || is_lasting_variant(rest, n_rest);
    if (next && is_built) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "use %s %s", s->use.runtime->name,
                                    next->version);
        size_t start = s->use.in_text.start + skip;
        size_t end = is_kept ? start + length : s->use.in_text.end;
        bool is_number = wpa_yaml_scalar_type(s->use.node) == WPA_YAML_FLOAT;
        fix->needs = wpa_rule_needs(run, WPA_FACTS_TOOLCHAINS);
        if (is_number) { /* 3.8 may stand bare, 3.10 may not */
            wpa_rule_edit(run, fix, s->use.node->span, "'%s'", next->version);
        } else {
            wpa_rule_edit(run, fix, wpa_yaml_source_span(s->use.node, start, end), "%s",
                          next->version);
        }
        rename_step(run, fix, s, next->version);
    }
}

const wpa_rule wpa_rule_eol_toolchain = {
    .code = "CMP-044",
    .id = "eol-toolchain",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A runtime version is past its end of life, or not offered on the runner",
    .why = "It gets no security fixes, and setup actions and images drop it one day.",
    .fix = "Go to the oldest version that is looked after, or drop the leg from the matrix.",
    .options = options,
    .tables = 1U << WPA_FACTS_TOOLCHAINS,
    .declares = WPA_DECLARES_MATRIX | WPA_DECLARES_CONTAINER | WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
