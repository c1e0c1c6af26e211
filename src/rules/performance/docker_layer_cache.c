/* PRF-010: images are built from nothing by every run. */
#include <string.h>
#include <strings.h>

#include "rules/shell_roles.h"
#include "rules/work.h"

#define DOCKERFILE_MAX_BYTES (256 * 1024)
#define FEW_LAYERS 3

/* What is known of the Dockerfile of a build. */
typedef struct dockerfile {
    bool is_known;
    size_t n_layers; /* RUN and COPY */
    size_t n_stages;
} dockerfile;

static bool has_instruction(wpa_slice line, const char *word)
{
    size_t length = strlen(word);
    return line.length > length && strncasecmp(line.at, word, length) == 0 &&
           strchr(" \t", line.at[length]);
}

static dockerfile read_dockerfile(wpa_rule_run *run, const wpa_outline_step *step)
{
    dockerfile d = {0};
    const char *file = wpa_outline_with_text(step, "file");
    const char *context = wpa_outline_with_text(step, "context");
    if (wpa_outline_has_expression(file) || (!file && wpa_outline_has_expression(context))) {
        return d;
    }
    const char *folder = context && !wpa_text_is(context, ".") ? context : "";
    const char *path = file ? file
                            : wpa_arena_printf(run->arena, "%s%sDockerfile", folder,
                                               *folder && !wpa_text_ends(folder, "/") ? "/" : "");
    path = wpa_text_starts(path, "./") ? path + 2 : path;
    size_t size, at = 0;
    const char *text =
        wpa_surroundings_read(run->source->around, path, DOCKERFILE_MAX_BYTES, run->arena, &size);
    wpa_slice line;
    d.is_known = text != NULL;
    while (text && wpa_work_next_line(text, &at, &line)) {
        d.n_layers += has_instruction(line, "RUN") || has_instruction(line, "COPY") ||
                      has_instruction(line, "ADD");
        d.n_stages += has_instruction(line, "FROM");
    }
    return d;
}

/* Runs seldom: on releases, tags, by hand or by the clock, when old layers are of little use. */
static bool is_rare(const wpa_outline *o)
{
    static const char *const rare[] = {
        "release", "workflow_dispatch", "schedule", "create", "workflow_call", "push", NULL};
    const wpa_outline_trigger *push = wpa_outline_trigger_find(o, "push");
    bool on_tags =
        !push || (wpa_yaml_find(push->config, "tags") && !wpa_yaml_find(push->config, "branches"));
    return wpa_outline_only_triggers(o, rare) && on_tags;
}

static wpa_finding *report(wpa_rule_run *run, wpa_span span, const void *subject, bool is_rare_run)
{
    wpa_finding *finding =
        wpa_rule_report(run, span, NULL, subject,
                        "every run builds all layers of the image: no cache is read or written");
    if (is_rare_run) {
        finding->persona = WPA_PERSONA_PEDANTIC;
        finding->confidence = WPA_CONFIDENCE_LOW;
    }
    return finding;
}

static void check_export(wpa_rule_run *run, const wpa_outline_step *step, const dockerfile *d)
{
    const wpa_yaml_node *to = wpa_outline_with(step, "cache-to");
    const char *text = wpa_yaml_text(to);
    if (!text || !strstr(text, "type=gha") || strstr(text, "mode=") ||
        wpa_outline_has_expression(text) || (d->is_known && d->n_stages < 2)) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, to->span, NULL, NULL,
                        "without mode=max only the layers of the last stage are kept in the cache");
    finding->severity = WPA_SEVERITY_LOW;
    if (!d->is_known) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

static void check_action(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const caches[] = {"cache-from", "cache-to",      "cache_froms", "no-cache",
                                         "type=gha",   "type=registry", NULL};
    bool is_bake = wpa_outline_step_uses(step, "docker/bake-action");
    if (!is_bake && !wpa_outline_step_uses(step, "docker/build-push-action")) {
        return;
    }
    dockerfile d = is_bake ? (dockerfile){0} : read_dockerfile(run, step);
    bool is_open = wpa_yaml_find(step->node, "with") && !step->with;
    check_export(run, step, &d);
    if (is_open || wpa_work_mentions_any(step->with, caches) ||
        (d.is_known && d.n_layers <= FEW_LAYERS)) {
        return;
    }
    bool is_unsure = is_bake || wpa_outline_with(step, "builder"); /* the file may name a cache */
    (void)report(run, step->uses.span, step, is_unsure || is_rare(run->source->outline));
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    bool is_build = wpa_text_is(c->name, "docker") &&
                    (wpa_shell_has_sub(c, "build") ||
                     (wpa_shell_has_sub(c, "buildx") && wpa_shell_word_find(c, "build") != NULL));
    if (!is_build) {
        return;
    }
    for (size_t i = c->first; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (wpa_text_starts(word, "--cache-") || wpa_text_starts(word, "--no-cache") ||
            wpa_text_starts(word, "--builder") || strchr("$%@", word[0])) {
            return;
        }
    }
    wpa_finding *finding =
        report(run, wpa_outline_script_span(step, c->span), NULL, is_rare(run->source->outline));
    finding->confidence = WPA_CONFIDENCE_LOW; /* what it builds is not known */
    finding->persona = WPA_PERSONA_PEDANTIC;
}

/* A builder whose disk lives on, or a cache that is mounted by hand. */
static bool has_own_cache(const wpa_outline_job *job)
{
    static const char *const words[] = {"depot/",        "buildx-cache",         "/var/lib/docker",
                                        "namespacelabs", "useblacksmith/",       "type=local",
                                        "BUILDX_CACHE",  "docker-layer-caching", NULL};
    return wpa_work_mentions_any(job->node, words);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (!wpa_work_is_hosted(job) || has_own_cache(job)) {
            continue;
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            check_action(run, &job->steps[k]);
            const wpa_script *script = wpa_step_commands(&job->steps[k]);
            for (size_t c = 0; script && c < script->n_commands; c++) {
                check_command(run, &job->steps[k], &script->commands[c]);
            }
        }
    }
    return true;
}

static bool has_buildx(const wpa_outline_step *step)
{
    for (size_t i = 0; i < step->index; i++) {
        if (wpa_outline_step_uses(&step->job->steps[i], "docker/setup-buildx-action")) {
            return true;
        }
    }
    return false;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (!step || !wpa_outline_step_uses(step, "docker/build-push-action") || !step->with ||
        step->with->style != WPA_YAML_BLOCK || step->with->n_pairs == 0) {
        return;
    }
    const char *buildx = wpa_work_reference(run, "docker/setup-buildx-action");
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "keep layers in the Actions cache");
    if (!has_buildx(step) && buildx) {
        (void)wpa_rule_insert_before(run, fix, step->node, "- uses: %s\n", buildx);
    }
    (void)wpa_rule_insert_behind(run, fix, step->with->pairs[step->with->n_pairs - 1].value,
                                 "cache-from: type=gha\ncache-to: type=gha,mode=max");
}

const wpa_rule wpa_rule_docker_layer_cache = {
    .code = "PRF-010",
    .id = "docker-layer-cache",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Images are built without the layers of earlier runs",
    .why = "A hosted runner starts with an empty builder: every layer is made anew each time.",
    .fix = "Read and write a cache: cache-from: type=gha and cache-to: type=gha,mode=max.",
    .tables = 1U << WPA_FACTS_ACTIONS,
    .declares = WPA_DECLARES_CACHE,
    .claims_absence = true,
    .words = (const char *const[]){"docker/", NULL},
    .commands = (const char *const[]){"docker", NULL},
    .check = check,
    .repair = repair,
};
