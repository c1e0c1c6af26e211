/* SEC-035: a condition that trusts a bot by who caused the last event. */
#include <string.h>

#include "rules/references.h"

/* Who caused the event, which anyone can make a bot do; not who wrote the thing. */
static const char *const actors[] = {
    "github.actor",
    "github.actor_id",
    "github.triggering_actor",
    "github.event.sender.id",
    "github.event.sender.login",
    "github.event.pull_request.sender.login",
    "github.event.workflow_run.actor.login",
    "github.event.workflow_run.triggering_actor.login",
};

/* Accounts of Dependabot, Renovate, GitHub Actions and pre-commit.ci. */
static const double ids[] = {49699333, 27856297, 29139614, 41898282, 66853113};

typedef struct subject {
    wpa_span span; /* of the operand */
    bool is_login;
} subject;

typedef struct search {
    wpa_rule_run *run;
    const wpa_expr_place *place;
    bool is_author_asked; /* the condition holds for what the bot itself wrote alone */
} search;

/* Path of a reference, lower case; NULL if the node is none. */
static const char *actor_of(const search *s, const wpa_expr *node)
{
    size_t n;
    wpa_expr_reference *r = wpa_expr_references(node, s->run->arena, &n);
    bool is_whole = n == 1 && r[0].node == node;
    int i = is_whole ? wpa_text_index(r[0].path, actors, WPA_COUNT(actors)) : -1;
    return i < 0 ? NULL : actors[i];
}

static bool is_id(double number)
{
    for (size_t i = 0; i < WPA_COUNT(ids); i++) {
        if (number > ids[i] - 0.5 && number < ids[i] + 0.5) {
            return true;
        }
    }
    return false;
}

/* Does the text name a bot: its login, or its number? */
static bool names_bot(const char *text)
{
    size_t length = strlen(text);
    return (length > 5 && strcasecmp(text + length - 5, "[bot]") == 0) ||
           is_id(wpa_expr_text_number(text));
}

static bool is_bot(const search *s, const wpa_expr *node)
{
    wpa_expr_value value = wpa_expr_fold(node, NULL, NULL, s->run->arena);
    return value.type == WPA_EXPR_IS_STRING   ? names_bot(value.text)
           : value.type == WPA_EXPR_IS_NUMBER ? is_id(value.number)
                                              : false;
}

/* A list that is written out: fromJSON('["dependabot[bot]"]'). Any part of a text that says bot. */
static bool speaks_of_bots(const wpa_expr *node)
{
    const wpa_expr *text = node->kind == WPA_EXPR_CALL && node->n_args ? node->args[0] : node;
    return text->kind == WPA_EXPR_STRING &&
           (strcasestr(text->text, "bot") != NULL || strcasestr(text->text, "renovate") != NULL);
}

/* The operand by which the node trusts a bot, or NULL. */
static const wpa_expr *trusted_by(const search *s, const wpa_expr *node)
{
    static const char *const tests[] = {"contains", "startsWith", "endsWith"};
    if (node->n_args != 2) {
        return NULL;
    }
    const wpa_expr *a = node->args[0], *b = node->args[1];
    if (node->kind == WPA_EXPR_EQ) {
        return actor_of(s, a) && is_bot(s, b) ? a : actor_of(s, b) && is_bot(s, a) ? b : NULL;
    }
    bool is_test = false;
    for (size_t i = 0; node->kind == WPA_EXPR_CALL && i < WPA_COUNT(tests); i++) {
        is_test = is_test || wpa_text_is_ci(node->text, tests[i]);
    }
    return !is_test                              ? NULL
           : actor_of(s, a) && speaks_of_bots(b) ? a
           : actor_of(s, b) && speaks_of_bots(a) ? b
                                                 : NULL;
}

static wpa_severity severity_of(const wpa_outline *o)
{
    return o->trust == WPA_TRUST_INSIDER ? WPA_SEVERITY_LOW : WPA_SEVERITY_HIGH;
}

static void report(const search *s, const wpa_expr *operand, bool is_weaker)
{
    const char *actor = actor_of(s, operand);
    subject *about = wpa_arena_alloc(s->run->arena, sizeof *about);
    *about = (subject){wpa_expr_source_span(s->place, operand->span), !wpa_text_ends(actor, "id")};
    wpa_finding *finding = wpa_rule_report(
        s->run, about->span, NULL, about,
        "%s says who caused the last event, not whose change it is: a stranger can make the bot "
        "cause one",
        actor);
    finding->severity = severity_of(s->run->source->outline);
    finding->confidence = is_weaker ? WPA_CONFIDENCE_MEDIUM : WPA_CONFIDENCE_HIGH;
    if (s->is_author_asked) {
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
    const wpa_yaml_node *key = s->place->node->key;
    if (key) {
        wpa_rule_relate(s->run, finding, key->span, "in this condition");
    }
}

/* Does it ask, with nothing beside it to make good, whether a bot wrote the thing itself? */
static bool asks_author(const search *s, const wpa_expr *node)
{
    static const char *const authors[] = {
        "github.event.pull_request.user.login", "github.event.pull_request.user.id",
        "github.event.issue.user.login",        "github.event.issue.user.id",
        "github.event.comment.user.login",      "github.event.comment.user.id",
        "github.event.discussion.user.login",   "github.event.review.user.login"};
    bool is_found = false;
    for (size_t i = 0; node->kind == WPA_EXPR_AND && i < node->n_args && !is_found; i++) {
        is_found = asks_author(s, node->args[i]);
    }
    for (size_t i = 0; node->kind == WPA_EXPR_EQ && node->n_args == 2 && i < 2; i++) {
        size_t n;
        wpa_expr_reference *r = wpa_expr_references(node->args[i], s->run->arena, &n);
        is_found = is_found || (n == 1 && r[0].node == node->args[i] &&
                                wpa_text_index(r[0].path, authors, WPA_COUNT(authors)) >= 0 &&
                                is_bot(s, node->args[1 - i]));
    }
    return is_found;
}

static void look(const search *s, const wpa_expr *node, bool is_weaker)
{
    if (node->kind == WPA_EXPR_NOT && node->args[0]->kind == WPA_EXPR_CALL) {
        return; /* bots are kept out by it */
    }
    const wpa_expr *operand = trusted_by(s, node);
    bool narrows =
        node->kind == WPA_EXPR_AND || node->kind == WPA_EXPR_NOT || node->kind == WPA_EXPR_CALL;
    if (operand) {
        report(s, operand, is_weaker || node->kind == WPA_EXPR_CALL);
        return;
    }
    search below = *s;
    below.is_author_asked = s->is_author_asked || asks_author(s, node);
    for (size_t i = 0; i < node->n_args; i++) {
        look(&below, node->args[i], is_weaker || narrows);
    }
}

/* Does the job of the step ask for the author already? */
static bool job_asks_author(const search *s, const wpa_expression *expression)
{
    const wpa_outline_job *job = expression->job;
    const wpa_yaml_node *condition =
        job && expression->step < job->n_steps ? wpa_yaml_get(job->node, "if") : NULL;
    const wpa_expression *of_job =
        condition ? wpa_expressions_in(s->run->source->expressions, condition) : NULL;
    const wpa_expr *root = of_job ? of_job->place->parsed.root : NULL;
    return root && asks_author(s, root);
}

static void check_expression(wpa_rule_run *run, const wpa_expression *expression, void *context)
{
    const wpa_expr_place *place = expression->place;
    (void)context;
    const wpa_yaml_node *key = place->node->key;
    bool may_ask = key && wpa_text_is(wpa_yaml_text(key), "if") &&
                   (wpa_expression_mentions(expression, "actor") ||
                    wpa_expression_mentions(expression, "sender"));
    if (may_ask) {
        search s = {run, place, false};
        s.is_author_asked = job_asks_author(&s, expression);
        look(&s, place->parsed.root, false);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_expression(run, run->source->outline->root, check_expression, NULL);
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
    const char *author = s->is_login ? author_of(run->source->outline) : NULL;
    if (author) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "ask for %s", author);
        wpa_rule_edit(run, fix, s->span, "%s", author);
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
    .words = (const char *const[]){"actor", "sender", NULL}, /* one is in each of the actors */
    .check = check,
    .repair = repair,
};
