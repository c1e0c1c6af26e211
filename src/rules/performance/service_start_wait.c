/* PRF-023: a step waits by itself for a service that the runner could wait for. */
#include <string.h>

#include "rules/work.h"

/* What the repair needs. */
typedef struct subject {
    const wpa_yaml_node *service;
    const char *health; /* command, or NULL */
} subject;

/* A loop, or a program made for it, until something answers. */
static const wpa_shell_command *find_wait(const wpa_outline_step *step)
{
    static const char *const waiters[] = {"wait-for-it", "wait-for-it.sh", "wait-on",
                                          "dockerize",   "wait-for",       "wait4ports"};
    static const char *const probes[] = {"nc",      "ncat",      "pg_isready", "mysqladmin",
                                         "mysql",   "redis-cli", "curl",       "psql",
                                         "mongosh", "mongo",     "wget"};
    static const char *const loops[] = {"until ", "while ", "for ", NULL};
    bool has_loop =
        wpa_work_mentions_any(step->run, loops) && wpa_work_mentions(step->run, "sleep");
    for (size_t i = 0; step->script && i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        bool is_probe = wpa_text_index(c->name, probes, WPA_COUNT(probes)) >= 0;
        if ((is_probe && has_loop) || wpa_shell_is(c, "npx", "wait-on") ||
            wpa_text_index(c->name, waiters, WPA_COUNT(waiters)) >= 0) {
            return c;
        }
    }
    return NULL;
}

static wpa_slice image_name(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *tag = strpbrk(slash ? slash : image, ":@");
    return (wpa_slice){image, tag ? (size_t)(tag - image) : strlen(image)};
}

/* Does the wait name the service, its port, or its program? One service is meant anyway. */
static bool is_meant(const wpa_outline_step *step, const wpa_yaml_pair *service, size_t n_services)
{
    const char *image = wpa_yaml_text(wpa_yaml_get(service->value, "image"));
    const char *name = wpa_yaml_text(service->key);
    wpa_slice base = image_name(image);
    char word[64];
    if (n_services == 1 || wpa_work_mentions(step->run, name)) {
        return true;
    }
    if (base.length >= sizeof word) {
        return false;
    }
    memcpy(word, base.at, base.length);
    word[base.length] = '\0';
    return wpa_work_mentions(step->run, word);
}

static void check_service(wpa_rule_run *run, const wpa_outline_job *job,
                          const wpa_yaml_pair *service, size_t n_services)
{
    const wpa_yaml_node *options = wpa_yaml_get(service->value, "options");
    const char *image = wpa_yaml_text(wpa_yaml_get(service->value, "image"));
    if (!image || wpa_work_mentions(options, "health") || !wpa_yaml_text(service->key) ||
        wpa_outline_has_expression(wpa_yaml_text(options))) {
        return;
    }
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_shell_command *wait = find_wait(&job->steps[i]);
        if (!wait || !is_meant(&job->steps[i], service, n_services)) {
            continue;
        }
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){wpa_yaml_resolve(service->value),
                       options ? NULL : wpa_facts_service_health(image_name(image))};
        wpa_finding *finding = wpa_rule_report(
            run, service->key->span, NULL, s,
            "service %s has no health check: a step waits for it in a loop of its own",
            wpa_rule_quote(run, service->key->text, service->key->length));
        wpa_rule_relate(run, finding, wpa_outline_script_span(&job->steps[i], wait->span),
                        "waits here");
        return;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_node *services = wpa_yaml_get(o->jobs[i].node, "services");
        for (size_t k = 0;
             wpa_yaml_is(services, WPA_YAML_MAPPING) && k < services->n_pairs && k < 32; k++) {
            check_service(run, &o->jobs[i], &services->pairs[k], services->n_pairs);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_yaml_pair *image = wpa_yaml_find(s->service, "image");
    if (!s->health || image->value->parent != s->service) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "let the runner wait for it");
    (void)wpa_rule_insert_behind(run, fix, image->value,
                                 "options: >-\n  --health-cmd \"%s\"\n  --health-interval 5s\n"
                                 "  --health-timeout 5s\n  --health-retries 10",
                                 s->health);
}

const wpa_rule wpa_rule_service_start_wait = {
    .code = "PRF-023",
    .id = "service-start-wait",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A step waits in a loop for a service without a health check",
    .why = "The loop waits by the clock, and says nothing when the service never comes up.",
    .fix = "Give the service health options: the runner waits for it before the first step.",
    .tables = 1U << WPA_FACTS_SPEEDUPS,
    .declares = WPA_DECLARES_CONTAINER,
    .check = check,
    .repair = repair,
};
