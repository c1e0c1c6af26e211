/* SEC-036: a pull request is approved or merged because a bot seems to have caused the event. */
#include <string.h>

#include "rules/steps.h"
#include "rules/trust.h"

typedef enum bot_test {
    NO_TEST,
    BY_AUTHOR, /* of the pull request: it is the bot's, but what is in it is not looked at */
    BY_ACTOR   /* of the event: whoever caused it last, on anybody's pull request */
} bot_test;

/* Of a condition, or of a script that asks by itself. */
static bot_test test_in(const wpa_yaml_node *condition)
{
    static const char *const actors[] = {"github.actor",
                                         "github.triggering_actor",
                                         "github.event.sender.login",
                                         "github.event.sender.type",
                                         "github.actor_id",
                                         "github['actor']",
                                         "github['triggering_actor']",
                                         "GITHUB_ACTOR",
                                         "GITHUB_TRIGGERING_ACTOR"};
    const char *text = wpa_yaml_text(condition);
    if (!text || !(strcasestr(text, "[bot]") || strcasestr(text, "renovate") ||
                   strcasestr(text, "dependabot") || strcasestr(text, "'Bot'"))) {
        return NO_TEST;
    }
    if (strcasestr(text, "pull_request.user.login")) {
        return BY_AUTHOR;
    }
    for (size_t i = 0; i < WPA_COUNT(actors); i++) {
        if (strcasestr(text, actors[i])) {
            return BY_ACTOR;
        }
    }
    return NO_TEST;
}

static bot_test test_before(const wpa_source *source, const wpa_outline_job *job,
                            const wpa_outline_step *step)
{
    bot_test test = test_in(step->condition), of_job = test_in(job->condition);
    test = test ? test : of_job ? of_job : test_in(step->run);
    const wpa_yaml_node *needs = wpa_yaml_get(job->node, "needs");
    size_t n = wpa_yaml_is(needs, WPA_YAML_SEQUENCE) ? needs->n_items : needs ? 1 : 0;
    for (size_t i = 0; !test && i < n && i < 16; i++) {
        bool is_list = needs->kind == WPA_YAML_SEQUENCE;
        const char *id = wpa_yaml_text(is_list ? needs->items[i] : needs);
        const wpa_outline_job *other = id ? wpa_site_job(source, id) : NULL;
        test = other ? test_in(other->condition) : NO_TEST;
    }
    return test;
}

/* Bytes of what merges or approves, or an empty span. */
static wpa_span merge_in(const wpa_outline_step *step)
{
    const char *script = wpa_outline_with_text(step, "script");
    static const char *const calls[] = {"pulls.merge", "createReview", "enablePullRequestAutoMerge",
                                        "addPullRequestReview", "mergePullRequest"};
    if (wpa_outline_uses_trait(step, WPA_TRAIT_MERGER)) {
        return step->uses.span;
    }
    for (size_t i = 0; script && i < WPA_COUNT(calls); i++) {
        if (strstr(script, calls[i])) {
            return step->uses.span;
        }
    }
    for (size_t i = 0; step->lexed && i < step->lexed->n_commands; i++) {
        const wpa_shell_command *c = &step->lexed->commands[i];
        bool is_merge = wpa_shell_is(c, "gh", "pr") &&
                        (wpa_shell_word_find(c, "merge") ||
                         (wpa_shell_word_find(c, "review") &&
                          (wpa_shell_word_find(c, "--approve") || wpa_shell_word_find(c, "-a"))));
        bool is_client = wpa_shell_is(c, "gh", "api") || wpa_text_is(c->name, "curl");
        bool is_call = is_client && (memmem(step->lexed->text + c->span.start,
                                            wpa_span_length(c->span), "/merge", 6) ||
                                     memmem(step->lexed->text + c->span.start,
                                            wpa_span_length(c->span), "event=APPROVE", 13));
        if (is_merge || is_call) {
            return wpa_outline_script_span(step, c->span);
        }
    }
    return (wpa_span){0, 0};
}

/* Does a step before this one look at what the bot's pull request is? */
static bool is_checked(const wpa_outline_job *job, const wpa_outline_step *step)
{
    for (size_t i = 0; i < step->index; i++) {
        const wpa_outline_step *before = &job->steps[i];
        if (wpa_outline_step_uses(before, "dependabot/fetch-metadata")) {
            return true;
        }
    }
    return false;
}

static const wpa_outline_trigger *outsiders_trigger(const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *t = &o->triggers[i];
        if (t->event && t->event->trust == WPA_TRUST_OUTSIDER_PRIVILEGED) {
            return t;
        }
    }
    return NULL;
}

static void check_step(wpa_rule_run *run, const wpa_site *site, const wpa_outline_trigger *trigger)
{
    const wpa_outline_step *step = site->step;
    wpa_span span = merge_in(step);
    bot_test test = span.end ? test_before(run->source, site->job, step) : NO_TEST;
    if (test == NO_TEST || is_checked(site->job, step) ||
        wpa_trust_guard_of(run, site, trigger->name) >= WPA_GUARD_FORKS) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, span, NULL, NULL,
        test == BY_ACTOR
            ? "%s merges or approves because a bot caused the event: a stranger can make a bot "
              "touch a pull request of their own"
            : "%s merges or approves whatever the bot's pull request holds; nothing looks at what "
              "it changes",
        trigger->name);
    if (test == BY_AUTHOR) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
    const wpa_yaml_node *condition = test_in(step->condition)        ? step->condition
                                     : test_in(site->job->condition) ? site->job->condition
                                                                     : NULL;
    const wpa_yaml_node *script = step->run ? NULL : wpa_outline_with(step, "script");
    if (script) {
        wpa_rule_relate(run, finding, script->span, "in this script");
    }
    wpa_rule_relate_script(run, finding, step->run, span);
    if (condition) {
        wpa_rule_relate(run, finding, condition->span, "asks for the bot");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_outline_trigger *trigger = outsiders_trigger(o);
    for (size_t i = 0; trigger && i < o->n_jobs; i++) {
        wpa_site site = {.source = run->source, .job = &o->jobs[i]};
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            site.step = &o->jobs[i].steps[k];
            check_step(run, &site, trigger);
        }
    }
    return true;
}

const wpa_rule wpa_rule_confused_deputy_merge = {
    .code = "SEC-036",
    .id = "confused-deputy-merge",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A pull request is merged or approved because a bot seems to stand behind it",
    .why = "A stranger makes the bot cause the event on their own pull request, by a comment or a "
           "push to its branch, and their code is merged.",
    .fix = "Ask for the author of the pull request, and look at what it changes "
           "(dependabot/fetch-metadata) before it is merged. There is no fix by machine.",
    .elsewhere = (const char *const[]){"poutine/confused_deputy_auto_merge", NULL},
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .check = check,
};
