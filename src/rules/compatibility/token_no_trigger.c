/* CMP-043: what a job's own token does starts no other workflow, and one waits for it. */
#include <string.h>

#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/rule.h"
#include "rules/shell_roles.h"

typedef struct deed {
    wpa_span span;
    const char *event; /* that would happen */
    const char *words; /* "a pull request that this opens" */
} deed;

/* Actions that do it with the input's token, the job's own by default. */
static const struct {
    const char *action, *input, *event, *words;
} doers[] = {
    {"peter-evans/create-pull-request", "token", "pull_request", "a pull request that this opens"},
    {"repo-sync/pull-request", "github_token", "pull_request", "a pull request that this opens"},
    {"softprops/action-gh-release", "token", "release", "a release that this makes"},
    {"ncipollo/release-action", "token", "release", "a release that this makes"},
    {"googleapis/release-please-action", "token", "release", "a release that this makes"},
    {"google-github-actions/release-please-action", "token", "release",
     "a release that this makes"},
    {"marvinpinto/action-automatic-releases", "repo_token", "release", "a release that this makes"},
};

static const struct {
    const char *name, *sub, *verb, *event, *words;
} commands[] = {
    {"gh", "pr", "create", "pull_request", "a pull request that this opens"},
    {"gh", "release", "create", "release", "a release that this makes"},
};

/* Of "secrets.BOT || github.token" the first is what is meant, and there. */
static bool is_own_token(const char *text)
{
    const char *others = text ? strstr(text, "||") : NULL;
    const char *at = text ? strcasestr(text, "github.token") : NULL;
    at = at || !text ? at : strcasestr(text, "secrets.GITHUB_TOKEN");
    return at && (!others || at < others);
}

static bool by_action(const wpa_outline_step *step, deed *d)
{
    for (size_t i = 0; i < WPA_COUNT(doers); i++) {
        const wpa_yaml_node *given = wpa_outline_step_uses(step, doers[i].action)
                                         ? wpa_outline_with(step, doers[i].input)
                                         : NULL;
        bool is_it = wpa_outline_step_uses(step, doers[i].action) &&
                     (!given || is_own_token(wpa_yaml_text(given)));
        if (is_it) {
            *d = (deed){step->uses.span, doers[i].event, doers[i].words};
            return !wpa_text_is(wpa_outline_with_text(step, "draft"), "true") ||
                   wpa_text_is(d->event, "pull_request");
        }
    }
    return false;
}

/* What gh sees: the token of the innermost env that names one. */
static const char *token_of(const wpa_outline *o, const wpa_outline_step *step)
{
    static const char *const names[] = {"GH_TOKEN", "GITHUB_TOKEN"};
    const wpa_yaml_node *scopes[] = {step->node, step->job->node, o->root};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        for (size_t k = 0; k < WPA_COUNT(scopes); k++) {
            const char *text =
                wpa_yaml_text(wpa_yaml_get(wpa_yaml_get(scopes[k], "env"), names[i]));
            if (text) {
                return text;
            }
        }
    }
    return NULL;
}

static bool by_command(const wpa_outline *o, const wpa_outline_step *step, deed *d)
{
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        for (size_t k = 0; k < WPA_COUNT(commands); k++) {
            bool is_it = c->n_words && wpa_shell_is(c, commands[k].name, commands[k].sub) &&
                         wpa_shell_word_find(c, commands[k].verb) &&
                         !wpa_shell_word_find(c, "--draft") && !wpa_shell_word_find(c, "--repo") &&
                         !wpa_shell_word_find(c, "-R");
            if (is_it && is_own_token(token_of(o, step))) {
                *d = (deed){wpa_outline_script_span(step, c->span), commands[k].event,
                            commands[k].words};
                return true;
            }
        }
    }
    return false;
}

/* A tag is pushed with the credentials of a checkout that was given no other token. */
/* Does the job push with its own token: is there no checkout before the step that has another? */
static bool pushes_by_own_token(const wpa_outline_job *job, const wpa_outline_step *step)
{
    const wpa_outline_step *checkout = NULL;
    for (size_t i = step->index; i-- > 0 && !checkout;) {
        bool is_it = wpa_outline_step_uses(&job->steps[i], "actions/checkout");
        checkout = is_it ? &job->steps[i] : NULL;
    }
    return checkout && !wpa_outline_with(checkout, "ssh-key") &&
           !wpa_outline_with(checkout, "repository") &&
           (!wpa_outline_with(checkout, "token") ||
            is_own_token(wpa_outline_with_text(checkout, "token")));
}

/* A tag is pushed with the credentials of a checkout that was given no other token. */
static bool by_push(const wpa_outline_job *job, const wpa_outline_step *step, deed *d)
{
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_tag = c->n_words && wpa_shell_is(c, "git", "push") &&
                      (wpa_shell_word_find(c, "--tags") || wpa_shell_word_find(c, "--follow-tags"));
        if (is_tag && !strstr(script->text, "://")) {
            *d = (deed){wpa_outline_script_span(step, c->span), "push", "a tag that this pushes"};
            return pushes_by_own_token(job, step);
        }
    }
    return false;
}

/* Do its types, if it names any, hold what happens first? */
static bool takes_beginning(const wpa_outline_trigger *trigger)
{
    static const char *const first[] = {"opened",   "synchronize", "reopened",   "published",
                                        "released", "created",     "prereleased"};
    const wpa_yaml_node *types = wpa_yaml_get(trigger->config, "types");
    size_t n = wpa_yaml_is(types, WPA_YAML_SEQUENCE) ? types->n_items : types ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        const char *type =
            wpa_yaml_text(types->kind == WPA_YAML_SEQUENCE ? types->items[i] : types);
        if (type && wpa_text_index(type, first, WPA_COUNT(first)) >= 0) {
            return true;
        }
    }
    return n == 0;
}

/* Does the workflow wait for this event, as one that the deed would cause? */
static const wpa_outline_trigger *waiting(const wpa_source *source, const deed *d)
{
    const wpa_outline_trigger *trigger = wpa_outline_trigger_find(source->outline, d->event);
    bool is_push = wpa_text_is(d->event, "push");
    bool takes_tags = trigger && wpa_yaml_find(trigger->config, "tags") &&
                      !wpa_yaml_find(trigger->config, "branches");
    return trigger && (!is_push || takes_tags) && takes_beginning(trigger) ? trigger : NULL;
}

static void report(wpa_rule_run *run, const deed *d)
{
    if (wpa_outline_trigger_find(run->source->outline, "release") &&
        wpa_text_is(d->event, "release")) {
        return; /* it adds to the release that started it */
    }
    const wpa_graph *graph = run->source->around->graph;
    wpa_finding *finding = NULL;
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        if (file->kind != WPA_INPUT_WORKFLOW || !wpa_graph_trigger_find(file, d->event)) {
            continue;
        }
        const wpa_source *other = wpa_rule_source_at(run, file->path);
        const wpa_outline_trigger *trigger =
            other && other != run->source ? waiting(other, d) : NULL;
        if (trigger && !finding) {
            const char *name = file->name ? file->name : file->path;
            finding = wpa_rule_report(run, d->span, NULL, NULL,
                                      "%s with the job's own token starts no workflow, and %s "
                                      "waits for %s",
                                      d->words, wpa_rule_quote(run, name, strlen(name)), d->event);
        }
        if (trigger && finding->n_related < 4) {
            wpa_rule_relate_in(run, finding, other, trigger->node->span, "waits for it");
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (!run->source->around || !run->source->around->graph) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            deed d;
            if (by_action(step, &d) || by_command(o, step, &d) || by_push(&o->jobs[i], step, &d)) {
                report(run, &d);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_token_no_trigger = {
    .code = "CMP-043",
    .id = "token-no-trigger",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary =
        "A pull request, tag or release is made with the job's own token, and a workflow waits "
        "for it",
    .why =
        "GitHub starts no workflow for what GITHUB_TOKEN does, so the checks or the release never "
        "run.",
    .fix = "Use the token of an app, start the other workflow with workflow_dispatch, or call it. "
           "There is no fix by machine.",
    .check = check,
};
