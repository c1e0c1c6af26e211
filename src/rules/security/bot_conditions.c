/* SEC-035: a condition that trusts a bot by who caused the last event. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

/* Who caused the event, which anyone can make a bot do; not who wrote the thing. */
static const char *const actors[] = {"github.triggering_actor", "github.actor",
                                     "github.event.sender.login"};

typedef struct subject {
    const wpa_yaml_node *condition;
    wpa_span operand; /* of the decoded text */
} subject;

/* "== 'x[bot]'" behind the operand, or "'x[bot]' ==" in front of it. */
static bool is_trusted_as_bot(const char *text, wpa_span operand)
{
    const char *behind = text + operand.end + strspn(text + operand.end, " ");
    if (wpa_text_starts(behind, "==")) {
        const char *quote = behind + 2 + strspn(behind + 2, " ");
        size_t length = *quote == '\'' ? strcspn(quote + 1, "'") : 0;
        return length > 5 && memcmp(quote + 1 + length - 5, "[bot]", 5) == 0;
    }
    size_t at = operand.start;
    while (at && text[at - 1] == ' ') {
        at--;
    }
    if (at < 2 || text[at - 1] != '=' || text[at - 2] != '=') {
        const char *call = at && text[at - 1] == '(' ? text + at - 1 : NULL;
        bool is_prefix = call && at > 10 && strncasecmp(call - 10, "startsWith", 10) == 0;
        bool is_part = call && at > 8 && strncasecmp(call - 8, "contains", 8) == 0;
        return (is_prefix || is_part) && *behind == ',' &&
               (strcasestr(behind, "bot") || strcasestr(behind, "renovate"));
    }
    at -= 2;
    while (at && text[at - 1] == ' ') {
        at--;
    }
    return at >= 6 && memcmp(text + at - 6, "[bot]'", 6) == 0;
}

static wpa_severity severity_of(const wpa_outline *o)
{
    return o->trust == WPA_TRUST_INSIDER ? WPA_SEVERITY_LOW : WPA_SEVERITY_HIGH;
}

static void check_condition(wpa_rule_run *run, const wpa_yaml_node *condition)
{
    const char *text = wpa_yaml_text(condition);
    for (size_t i = 0; text && i < WPA_COUNT(actors); i++) {
        const char *at = strcasestr(text, actors[i]);
        wpa_span operand = {at ? (size_t)(at - text) : 0, 0};
        operand.end = operand.start + strlen(actors[i]);
        if (!at || !is_trusted_as_bot(text, operand)) {
            continue;
        }
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){condition, operand};
        wpa_finding *finding = wpa_rule_report(
            run, wpa_yaml_source_span(condition, operand.start, operand.end), NULL, s,
            "%s says who caused the last event, not whose change it is: a stranger can make the "
            "bot cause one",
            actors[i]);
        finding->severity = severity_of(run->source->outline);
        bool is_weaker = strstr(text, "&&") || strchr(text, '!');
        finding->confidence = is_weaker ? WPA_CONFIDENCE_MEDIUM : WPA_CONFIDENCE_HIGH;
        return;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_condition(run, o->jobs[i].condition);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_condition(run, o->jobs[i].steps[k].condition);
        }
    }
    return true;
}

/* The author's field, if one event alone starts the workflow. */
static const char *author_of(const wpa_outline *o)
{
    static const char *const fields[][2] = {
        {"pull_request", "github.event.pull_request.user.login"},
        {"pull_request_target", "github.event.pull_request.user.login"},
        {"issues", "github.event.issue.user.login"},
        {"issue_comment", "github.event.comment.user.login"},
        {"discussion", "github.event.discussion.user.login"},
        {"pull_request_review", "github.event.review.user.login"},
    };
    for (size_t i = 0; o->n_triggers == 1 && i < WPA_COUNT(fields); i++) {
        if (wpa_text_is(o->triggers[0].name, fields[i][0])) {
            return fields[i][1];
        }
    }
    return NULL;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const char *author = author_of(run->source->outline);
    if (author) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "ask for %s", author);
        wpa_rule_edit(run, fix,
                      wpa_yaml_source_span(s->condition, s->operand.start, s->operand.end), "%s",
                      author);
    }
}

const wpa_rule wpa_rule_bot_conditions = {
    .code = "SEC-035",
    .id = "bot-conditions",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A bot is trusted by who caused the event",
    .why = "A stranger who gets the bot to touch a pull request passes for the bot.",
    .fix = "Ask for the author of the pull request or issue instead.",
    .elsewhere = (const char *const[]){"zizmor/bot-conditions", "octoscan/bot-check", NULL},
    .tables = 1U << WPA_FACTS_EVENTS,
    .declares = WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
