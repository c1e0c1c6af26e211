/* PRF-019: an option that switches a cache off which the job could use. */
#include <string.h>

#include "rules/caches.h"
#include "rules/shell_roles.h"
#include "rules/work.h"

/* What the repair needs: a word of a script, or an entry of a mapping. */
typedef struct subject {
    const wpa_outline_step *step;
    const wpa_shell_word *word;
    const wpa_yaml_node *value;
} subject;

static void report(wpa_rule_run *run, wpa_span span, subject s, const char *message)
{
    subject *copy = wpa_arena_dup(run->arena, &s, sizeof s);
    (void)wpa_rule_report(run, span, NULL, copy, "%s", message);
}

/* Is a cache of this manager on in the job? */
static bool has_cache(const wpa_outline_job *job, const char *manager, const char *folder)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        size_t at = 0;
        const wpa_fact_cache *cache;
        while ((cache = wpa_caches_next(&job->steps[i], &at))) {
            bool is_it = wpa_text_is(cache->manager, manager) ||
                         (!*cache->manager &&
                          wpa_work_mentions(wpa_outline_with(&job->steps[i], "path"), folder));
            if (is_it && wpa_caches_state(&job->steps[i], cache) == WPA_CACHE_STATE_ON) {
                return true;
            }
        }
    }
    return false;
}

/* "./gradlew", and ".\\gradlew.bat" as it is called on Windows. */
static bool is_gradle(const wpa_shell_command *c)
{
    static const char *const names[] = {"gradle", "gradlew", "gradlew.bat"};
    const char *behind = strrchr(c->name, '\\');
    return wpa_text_index(behind ? behind + 1 : c->name, names, WPA_COUNT(names)) >= 0;
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    const wpa_shell_word *word;
    bool is_build = wpa_shell_is(c, "docker", "build") || wpa_shell_is(c, "docker", "buildx") ||
                    wpa_shell_is(c, "podman", "build") || wpa_shell_is(c, "buildah", "build") ||
                    (wpa_shell_is(c, "docker", "compose") && wpa_shell_word_find(c, "build"));
    bool is_pip = (wpa_text_is(c->name, "pip") || wpa_text_is(c->name, "pip3") ||
                   (wpa_shell_word_find(c, "-m") && wpa_shell_word_find(c, "pip"))) &&
                  wpa_shell_word_find(c, "install");
    bool is_measured = wpa_work_mentions(step->run, "date +%s"); /* how long a whole build takes */
    if (is_build && !is_measured && (word = wpa_shell_word_find(c, "--no-cache"))) {
        report(run, wpa_outline_script_span(step, word->span), (subject){step, word, NULL},
               "--no-cache builds every layer anew, however little has changed");
    } else if (is_pip && (word = wpa_shell_word_find(c, "--no-cache-dir")) &&
               has_cache(step->job, "pip", "pip")) {
        report(run, wpa_outline_script_span(step, word->span), (subject){step, word, NULL},
               "--no-cache-dir leaves the pip cache that this job restores unread");
    } else if (is_gradle(c) && (word = wpa_shell_word_find(c, "--no-build-cache"))) {
        report(run, wpa_outline_script_span(step, word->span), (subject){step, word, NULL},
               "--no-build-cache runs every task anew");
    }
}

/* Calls of gradle in the job, which the daemon would serve one after the other. */
static size_t count_gradle(const wpa_outline_job *job)
{
    size_t n = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_script *script = wpa_step_commands(&job->steps[i]);
        for (size_t k = 0; script && k < script->n_commands; k++) {
            n += is_gradle(&script->commands[k]);
        }
    }
    return n;
}

static void check_env(wpa_rule_run *run, const wpa_outline_job *job, const wpa_yaml_node *owner)
{
    const wpa_yaml_node *env = wpa_yaml_get(owner, "env");
    const wpa_yaml_pair *gradle = wpa_yaml_find(env, "GRADLE_OPTS");
    const wpa_yaml_pair *cargo = wpa_yaml_find(env, "CARGO_INCREMENTAL");
    const char *options = gradle ? wpa_yaml_text(gradle->value) : NULL;
    if (options && strstr(options, "org.gradle.daemon=false") && count_gradle(job) > 1) {
        report(run, gradle->value->span, (subject){0},
               "each call of gradle in this job starts a JVM of its own: the daemon is off");
    }
    if (cargo && wpa_text_is(wpa_yaml_text(cargo->value), "1") &&
        has_cache(job, "cargo", "target")) {
        report(run, cargo->value->span, (subject){.value = cargo->value},
               "incremental builds fill the cached target folder with what no other run can use");
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *value = wpa_outline_with(step, "no-cache");
    bool is_build = wpa_outline_step_uses(step, "docker/build-push-action") ||
                    wpa_outline_step_uses(step, "docker/bake-action");
    if (is_build && wpa_text_is_ci(wpa_yaml_text(value), "true")) {
        report(run, value->span, (subject){.value = value},
               "no-cache builds every layer anew, however little has changed");
    }
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        check_command(run, step, &script->commands[i]);
    }
}

/* What is shipped, or looked through for holes, may well be built from nothing. */
static bool wants_fresh(const wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_outline *o = run->source->outline;
    return wpa_work_ships(run) || wpa_work_job_ships(job) ||
           (wpa_work_job_roles(job) & WPA_DOES_SCAN) != 0 ||
           wpa_outline_trigger_find(o, "release") || job->is_self_hosted;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (wants_fresh(run, job)) {
            continue;
        }
        check_env(run, job, job->node);
        if (i == 0 && o->n_jobs == 1) {
            check_env(run, job, o->root);
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            check_step(run, &job->steps[k]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove it");
    if (s->word) {
        wpa_work_drop_word(run, fix, s->step, s->word);
    } else if (s->value) {
        bool is_only = s->value->parent->n_pairs == 1;
        (void)wpa_rule_remove_entry(run, fix, is_only ? s->value->parent : s->value);
    }
}

const wpa_rule wpa_rule_cache_disabled = {
    .code = "PRF-019",
    .id = "cache-disabled",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An option switches a cache off",
    .why = "Every run does again what the cache would have kept.",
    .fix = "Remove the option, unless what is built must come from nothing.",
    .tables = 1U << WPA_FACTS_CACHES,
    .declares = WPA_DECLARES_CACHE | WPA_DECLARES_SCRIPT,
    .words = (const char *const[]){"no-cache", "no-build-cache", "GRADLE_OPTS", "CARGO_INCREMENTAL",
                                   NULL},
    .check = check,
    .repair = repair,
};
