#include "rules/trust.h"

#include <string.h>

#include "expr/expr.h"
#include "rules/graph.h"
#include "rules/own.h"

#define KEY_BYTES 128

/* Callers that one question may lead to. */
#define FOLLOWED_MAX 200

/* ---- could a stranger pass? --------------------------------------------------------------------
 */

/* The event that is tried on a condition. */
typedef struct world {
    const char *event;  /* that happens */
    const char *parent; /* of workflow_run: what had started the run before */
    bool has_strangers; /* it comes from another repository */
    bool has_members;   /* and people are told from strangers */
    bool names_bots;    /* the condition asks for bots: then github.actor tells nothing */
    bool is_tag;        /* what is pushed is a tag, of a name that is not known */
    wpa_arena *arena;
} world;

/* What a path stands for. */
typedef enum meaning {
    MEANS_NOTHING,
    MEANS_EVENT,
    MEANS_PARENT_EVENT,
    MEANS_HEAD_REPOSITORY, /* name or owner of the repository it comes from */
    MEANS_FORK,
    MEANS_ASSOCIATION,
    MEANS_AUTHOR,
    MEANS_ACTOR
} meaning;

static const struct {
    const char *tail; /* of a path, or all of it if it begins with "github." */
    meaning meaning;
} meanings[] = {
    {"github.event_name", MEANS_EVENT},
    {"github.event.workflow_run.event", MEANS_PARENT_EVENT},
    {".head.repo.full_name", MEANS_HEAD_REPOSITORY},
    {".head.repo.owner.login", MEANS_HEAD_REPOSITORY},
    {".head.repo.owner.id", MEANS_HEAD_REPOSITORY},
    {".head.repo.id", MEANS_HEAD_REPOSITORY},
    {".head.repo.html_url", MEANS_HEAD_REPOSITORY},
    {".head.repo.url", MEANS_HEAD_REPOSITORY},
    {".head.user.login", MEANS_HEAD_REPOSITORY},
    {".head.label", MEANS_HEAD_REPOSITORY},
    {".head_repository.full_name", MEANS_HEAD_REPOSITORY},
    {".head_repository.owner.login", MEANS_HEAD_REPOSITORY},
    {".head_repository.id", MEANS_HEAD_REPOSITORY},
    {".head.repo.fork", MEANS_FORK},
    {".head_repository.fork", MEANS_FORK},
    {".author_association", MEANS_ASSOCIATION},
    {".pull_request.user.login", MEANS_AUTHOR},
    {".pull_request.user.id", MEANS_AUTHOR},
    {".issue.user.login", MEANS_AUTHOR},
    {".comment.user.login", MEANS_AUTHOR},
    {".review.user.login", MEANS_AUTHOR},
    {".discussion.user.login", MEANS_AUTHOR},
    {".workflow_run.actor.login", MEANS_ACTOR},
    {"github.actor", MEANS_ACTOR},
    {"github.actor_id", MEANS_ACTOR},
    {"github.triggering_actor", MEANS_ACTOR},
    {"github.event.sender.login", MEANS_ACTOR},
};

/* Payload members that only some events have: elsewhere they are null. */
static const struct {
    const char *path;
    const char *events[8];
} members[] = {
    {"github.event.pull_request",
     {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"}},
    {"github.event.issue", {"issues", "issue_comment"}},
    {"github.event.issue.pull_request", {"issue_comment"}},
    {"github.event.comment",
     {"issue_comment", "discussion_comment", "pull_request_review_comment", "commit_comment"}},
    {"github.event.workflow_run", {"workflow_run"}},
    {"github.event.release", {"release"}},
    {"github.head_ref", {"pull_request", "pull_request_target"}},
};

static const char *path_of(const wpa_expr *node, wpa_arena *arena)
{
    size_t n = 0;
    const wpa_expr_reference *list = wpa_expr_references(node, arena, &n);
    return n && list[0].node == node && !list[0].is_computed ? list[0].path : NULL;
}

static meaning meaning_of(const world *w, const wpa_expr *node)
{
    const char *path = path_of(node, w->arena);
    for (size_t i = 0; path && i < WPA_COUNT(meanings); i++) {
        const char *tail = meanings[i].tail;
        bool is_it = *tail == '.' ? wpa_text_ends(path, tail) : wpa_text_is(path, tail);
        if (is_it) {
            return meanings[i].meaning;
        }
    }
    return MEANS_NOTHING;
}

/* Is the value of this kind told apart from the project's own in this world? */
static bool is_strange(const world *w, meaning m)
{
    return m == MEANS_HEAD_REPOSITORY                   ? w->has_strangers
           : m == MEANS_AUTHOR                          ? w->has_members
           : m == MEANS_ACTOR || m == MEANS_ASSOCIATION ? w->has_members && !w->names_bots
                                                        : false;
}

static bool is_insider_word(const char *text)
{
    return wpa_text_is_ci(text, "OWNER") || wpa_text_is_ci(text, "MEMBER") ||
           wpa_text_is_ci(text, "COLLABORATOR");
}

static bool lookup(const char *path, void *context, wpa_expr_value *value)
{
    const world *w = context;
    if (wpa_text_is(path, "github.event_name")) {
        *value = wpa_expr_string(w->event);
        return true;
    }
    if (wpa_text_is(path, "github.event.workflow_run.event") && w->parent) {
        *value = wpa_expr_string(w->parent);
        return true;
    }
    if (w->is_tag && wpa_text_is(path, "github.ref_type")) {
        *value = wpa_expr_string("tag");
        return true;
    }
    if (w->has_strangers &&
        (wpa_text_ends(path, ".head.repo.fork") || wpa_text_ends(path, ".head_repository.fork"))) {
        *value = wpa_expr_bool(true);
        return true;
    }
    if (w->has_members && wpa_text_is(path, "github.event.pull_request.merged")) {
        *value = wpa_expr_bool(false); /* only members merge, and with that they agree */
        return true;
    }
    if (wpa_text_is(path, "github.ref") && wpa_text_starts(w->event, "pull_request") &&
        !wpa_text_is(w->event, "pull_request_target")) {
        *value = wpa_expr_string("refs/pull/1/merge");
        return true;
    }
    for (size_t i = 0; i < WPA_COUNT(members); i++) {
        size_t n = 0;
        while (n < WPA_COUNT(members[i].events) && members[i].events[n]) {
            n++;
        }
        if (wpa_text_is(path, members[i].path) &&
            wpa_text_index(w->event, members[i].events, n) < 0) {
            *value = wpa_expr_null();
            return true;
        }
    }
    return false;
}

static wpa_expr_truth turned(wpa_expr_truth truth)
{
    return truth == WPA_EXPR_MAYBE   ? WPA_EXPR_MAYBE
           : truth == WPA_EXPR_FALSY ? WPA_EXPR_TRUTHY
                                     : WPA_EXPR_FALSY;
}

/* "a == b" where one side tells strangers apart; MAYBE if neither does. */
static wpa_expr_truth judge_equality(const world *w, const wpa_expr *node)
{
    meaning left = meaning_of(w, node->args[0]), right = meaning_of(w, node->args[1]);
    bool is_left = is_strange(w, left), is_right = is_strange(w, right);
    if (is_left == is_right) {
        return WPA_EXPR_MAYBE; /* of two strangers nothing is known */
    }
    const wpa_expr *other = node->args[is_left ? 1 : 0];
    if ((is_left ? left : right) == MEANS_ASSOCIATION) {
        bool is_insider = other->kind == WPA_EXPR_STRING && is_insider_word(other->text);
        return is_insider ? WPA_EXPR_FALSY : WPA_EXPR_MAYBE;
    }
    return WPA_EXPR_FALSY;
}

/* Literal text of a list: '["a","b"]' in fromJSON, or a text that is searched; NULL if neither. */
static const char *list_text(const wpa_expr *node)
{
    if (node->kind == WPA_EXPR_STRING) {
        return node->text;
    }
    bool is_json = node->kind == WPA_EXPR_CALL && wpa_text_is_ci(node->text, "fromJSON") &&
                   node->n_args == 1 && node->args[0]->kind == WPA_EXPR_STRING;
    return is_json ? node->args[0]->text : NULL;
}

static bool lists_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strcasestr(list, word); at; at = strcasestr(at + 1, word)) {
        bool starts = at == list || strchr("\"', ", at[-1]);
        bool ends = !at[length] || strchr("\"', ", at[length]);
        if (starts && ends) {
            return true;
        }
    }
    return false;
}

/* contains(list, value) where the value tells strangers apart. */
static wpa_expr_truth judge_contains(const world *w, const wpa_expr *node)
{
    const char *list = list_text(node->args[0]);
    meaning m = meaning_of(w, node->args[1]);
    if (m == MEANS_EVENT && list && node->args[0]->kind == WPA_EXPR_CALL) {
        return lists_word(list, w->event) ? WPA_EXPR_TRUTHY : WPA_EXPR_FALSY;
    }
    if (m == MEANS_PARENT_EVENT && list && w->parent) {
        return lists_word(list, w->parent) ? WPA_EXPR_TRUTHY : WPA_EXPR_FALSY;
    }
    if (!is_strange(w, m)) {
        return WPA_EXPR_MAYBE;
    }
    if (m == MEANS_ASSOCIATION) {
        static const char *const outsiders[] = {"NONE", "CONTRIBUTOR", "FIRST_TIMER",
                                                "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN"};
        bool lets_in = !list;
        for (size_t i = 0; list && i < WPA_COUNT(outsiders); i++) {
            lets_in = lets_in || lists_word(list, outsiders[i]);
        }
        return lets_in ? WPA_EXPR_MAYBE : WPA_EXPR_FALSY;
    }
    return WPA_EXPR_FALSY; /* a list of people or repositories that is written down somewhere */
}

/* What a tag's ref begins with, or is, by a literal; MAYBE of anything else. */
static wpa_expr_truth judge_ref(const world *w, const wpa_expr *ref, const wpa_expr *literal,
                                bool is_prefix)
{
    static const char tags[] = "refs/tags/", heads[] = "refs/heads/";
    bool is_ref = w->is_tag && literal->kind == WPA_EXPR_STRING &&
                  wpa_text_is(path_of(ref, w->arena), "github.ref");
    if (is_ref && wpa_text_starts(literal->text, heads)) {
        return WPA_EXPR_FALSY;
    }
    return is_ref && is_prefix && wpa_text_starts(tags, literal->text) ? WPA_EXPR_TRUTHY
                                                                       : WPA_EXPR_MAYBE;
}

static wpa_expr_truth judge_call(const world *w, const wpa_expr *node)
{
    if (node->n_args != 2) {
        return WPA_EXPR_MAYBE;
    }
    if (w->is_tag && wpa_text_is_ci(node->text, "startsWith")) {
        return judge_ref(w, node->args[0], node->args[1], true);
    }
    if (wpa_text_is_ci(node->text, "contains")) {
        return judge_contains(w, node);
    }
    bool is_prefix = wpa_text_is_ci(node->text, "startsWith");
    return is_prefix && is_strange(w, meaning_of(w, node->args[0])) ? WPA_EXPR_FALSY
                                                                    : WPA_EXPR_MAYBE;
}

static wpa_expr_truth judge_comparison(const world *w, const wpa_expr *node)
{
    return w->is_tag ? judge_ref(w, node->args[0], node->args[1], false) : judge_equality(w, node);
}

static wpa_expr_truth judge(const world *w, const wpa_expr *node)
{
    wpa_expr_truth a, b, truth = WPA_EXPR_MAYBE;
    if (node->kind == WPA_EXPR_AND || node->kind == WPA_EXPR_OR) {
        wpa_expr_truth decisive = node->kind == WPA_EXPR_AND ? WPA_EXPR_FALSY : WPA_EXPR_TRUTHY;
        a = judge(w, node->args[0]);
        b = judge(w, node->args[1]);
        return a == decisive || b == decisive ? decisive : a == b ? a : WPA_EXPR_MAYBE;
    }
    if (node->kind == WPA_EXPR_NOT) {
        return turned(judge(w, node->args[0]));
    }
    if (node->kind == WPA_EXPR_EQ) {
        truth = judge_comparison(w, node);
    } else if (node->kind == WPA_EXPR_NE) {
        truth = turned(judge_comparison(w, node));
    } else if (node->kind == WPA_EXPR_CALL) {
        truth = judge_call(w, node);
    }
    if (truth == WPA_EXPR_MAYBE) {
        truth = wpa_expr_fold(node, lookup, (void *)(uintptr_t)w, w->arena).truth;
    }
    return truth;
}

/* Does the condition hold in no such world, whatever had started the run before? */
static bool is_shut(const wpa_expr *root, world w)
{
    static const char *const parents[] = {"pull_request", "pull_request_target"};
    if (!wpa_text_is(w.event, "workflow_run") || !w.has_strangers) {
        return judge(&w, root) == WPA_EXPR_FALSY;
    }
    for (size_t i = 0; i < WPA_COUNT(parents); i++) {
        w.parent = parents[i];
        if (judge(&w, root) != WPA_EXPR_FALSY) {
            return false;
        }
    }
    return true;
}

/* The one expression that the condition is; NULL if text around it makes it hold always. */
static const wpa_expr *root_of(const wpa_yaml_node *condition, wpa_arena *arena)
{
    size_t n = 0;
    const wpa_expr_place *sites = condition ? wpa_expr_find_condition(condition, arena, &n) : NULL;
    if (n != 1 || !sites[0].parsed.root) {
        return NULL;
    }
    bool is_whole = sites[0].is_bare || sites[0].outer.end - sites[0].outer.start + 2 >=
                                            wpa_yaml_resolve(condition)->length;
    return is_whole ? sites[0].parsed.root : NULL;
}

wpa_trust_guard wpa_trust_condition(const wpa_yaml_node *condition, const char *event)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_expr *root = root_of(condition, arena);
    if (!root) {
        return WPA_GUARD_NONE;
    }
    world w = {.event = event, .arena = arena};
    if (is_shut(root, w)) {
        return WPA_GUARD_EVENT;
    }
    w.has_strangers = true;
    if (is_shut(root, w)) {
        return WPA_GUARD_FORKS;
    }
    w.has_members = true;
    w.names_bots = strcasestr(wpa_yaml_text(condition) ? wpa_yaml_text(condition) : "", "[bot]");
    return is_shut(root, w) ? WPA_GUARD_MEMBERS : WPA_GUARD_NONE;
}

/* ---- checks of membership by a step ------------------------------------------------------------
 */

/* What scripts call to ask for somebody's rights. */
static const char *const permission_calls[] = {
    "getCollaboratorPermissionLevel",
    "checkCollaborator",
    "checkMembershipForUser",
    "getMembershipForUserInOrg",
    "/permission",
    "author_association",
    "AUTHOR_ASSOCIATION",
    "checkMembershipForOrg",
    "getMembershipForUser",
    "/memberships/",
    "orgs/${ORG}/members/",
};

static bool has_word(const char *text, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasestr(text, words[i])) {
            return true;
        }
    }
    return false;
}

/* What actions and called workflows that ask for rights are named after; one that sets permissions
 * of files is named so too. */
static bool is_named_check(const wpa_outline_uses *uses)
{
    static const char *const words[] = {
        "membership", "check-user",  "authoriz",     "is-member",      "check-run.yml",
        "check-org",  "check-actor", "check-member", "check-run.yaml", "verify-actor"};
    static const char *const asking[] = {"check", "verif", "actor", "user", "require", "has-"};
    const char *text = uses->kind == WPA_OUTLINE_NONE ? NULL : wpa_yaml_text(uses->node);
    return text && (has_word(text, words, WPA_COUNT(words)) ||
                    (strcasestr(text, "permission") && has_word(text, asking, WPA_COUNT(asking))));
}

/* Does the script do anything with what it has heard: stop, or tell a later step? */
static bool decides(const char *text)
{
    static const char *const words[] = {"exit",   "if",     "[[",        "case",           "grep",
                                        "test",   "&&",     "throw",     "return",         "assert",
                                        "OUTPUT", "Output", "setFailed", "exportVariable", "_ENV"};
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (strstr(text, words[i])) {
            return true;
        }
    }
    return false;
}

bool wpa_trust_step_checks_members(const wpa_outline_step *step)
{
    if (step->uses.kind == WPA_OUTLINE_REPOSITORY &&
        wpa_facts_action_is(step->uses.slug, WPA_TRAIT_MEMBER_CHECK)) {
        return !wpa_outline_with(step, "allowed_non_write_users");
    }
    if (is_named_check(&step->uses)) {
        return true;
    }
    const char *text = step->run ? step->run->text : wpa_outline_with_text(step, "script");
    for (size_t i = 0; text && i < WPA_COUNT(permission_calls); i++) {
        if (strstr(text, permission_calls[i])) {
            return decides(text);
        }
    }
    return false;
}

static wpa_trust_guard stronger(wpa_trust_guard a, wpa_trust_guard b)
{
    return a > b ? a : b;
}

/* ---- answers that are asked for again and again ---- */

static wpa_map *memo_of(wpa_rule_run *run)
{
    run->memo = run->memo ? run->memo : wpa_map_new(run->lasting);
    return run->memo;
}

/* A thing under a question, as a key. */
static const char *key_of(char key[KEY_BYTES], const char *question, const void *thing,
                          const char *event)
{
    char address[WPA_SITE_KEY_SIZE];
    wpa_site_key(address, *question, thing, NULL);
    size_t length = strlen(address), n = strlen(event);
    n = n < KEY_BYTES - length - 1 ? n : KEY_BYTES - length - 1;
    memcpy(key, address, length);
    memcpy(key + length, event, n);
    key[length + n] = '\0';
    return key;
}

static bool recall(wpa_rule_run *run, const char *key, wpa_trust_guard *guard)
{
    uintptr_t value = (uintptr_t)wpa_map_get(memo_of(run), key);
    *guard = value ? (wpa_trust_guard)(value - 1) : WPA_GUARD_NONE;
    return value != 0;
}

static void remember(wpa_rule_run *run, const char *key, wpa_trust_guard guard)
{
    wpa_map_put(memo_of(run), key, (void *)(uintptr_t)((unsigned)guard + 1));
}

static wpa_trust_guard condition_once(wpa_rule_run *run, const wpa_yaml_node *condition,
                                      const char *event)
{
    char key[KEY_BYTES];
    wpa_trust_guard guard;
    if (condition && !recall(run, key_of(key, "c", condition, event), &guard)) {
        guard = wpa_trust_condition(condition, event);
        remember(run, key, guard);
    }
    return condition ? guard : WPA_GUARD_NONE;
}

static size_t find_check(const wpa_outline_job *job)
{
    size_t i = 0;
    while (i < job->n_steps && !wpa_trust_step_checks_members(&job->steps[i])) {
        i++;
    }
    return i;
}

/* Jobs with fewer steps are as soon looked through again. */
#define KEPT_MIN_STEPS 3

/* Index of the first step that stops for strangers; the number of steps if none does. */
static size_t first_check(wpa_rule_run *run, const wpa_outline_job *job)
{
    char key[KEY_BYTES];
    if (job->n_steps < KEPT_MIN_STEPS) {
        return find_check(job);
    }
    uintptr_t known = (uintptr_t)wpa_map_get(memo_of(run), key_of(key, "s", job, ""));
    size_t i = known ? known - 1 : find_check(job);
    if (!known) {
        wpa_map_put(memo_of(run), key, (void *)(uintptr_t)(i + 1));
    }
    return i;
}

/* Steps before this one (all of them for a job) that stop for strangers. */
static wpa_trust_guard guard_of_steps(wpa_rule_run *run, const wpa_outline_job *job,
                                      const wpa_outline_step *before)
{
    size_t n = before && before->job == job ? before->index : job->n_steps;
    bool is_checked = is_named_check(&job->uses) || first_check(run, job) < n;
    return is_checked ? WPA_GUARD_MEMBERS : WPA_GUARD_NONE;
}

/* Does the condition let a job or step run though what it waits for did not? */
static bool runs_anyway(const wpa_yaml_node *condition)
{
    const char *text = wpa_yaml_text(condition);
    return text && (strcasestr(text, "always()") || strcasestr(text, "cancelled()") ||
                    strcasestr(text, "failure()"));
}

static wpa_trust_guard guard_of_job(wpa_rule_run *run, const wpa_source *source,
                                    const wpa_outline_job *job, const char *event, unsigned depth);

/* What keeps strangers from the jobs that this one waits for. */
static wpa_trust_guard guard_of_needs(wpa_rule_run *run, const wpa_source *source,
                                      const wpa_outline_job *job, const char *event, unsigned depth)
{
    wpa_trust_guard guard = WPA_GUARD_NONE;
    const wpa_yaml_node *needs = wpa_yaml_get(job->node, "needs");
    if (depth >= WPA_SITE_DEPTH_MAX || runs_anyway(job->condition) || !needs) {
        return guard;
    }
    size_t n = needs->kind == WPA_YAML_SEQUENCE ? needs->n_items : 1;
    for (size_t i = 0; i < n && i < 16; i++) {
        const char *id = wpa_yaml_text(needs->kind == WPA_YAML_SEQUENCE ? needs->items[i] : needs);
        const wpa_outline_job *other = id ? wpa_site_job(source, id) : NULL;
        if (other && other != job) {
            guard = stronger(guard, guard_of_job(run, source, other, event, depth + 1));
        }
    }
    return guard;
}

/* Of a whole job that another one waits for. */
static wpa_trust_guard guard_of_job(wpa_rule_run *run, const wpa_source *source,
                                    const wpa_outline_job *job, const char *event, unsigned depth)
{
    char key[KEY_BYTES];
    wpa_trust_guard guard;
    if (!recall(run, key_of(key, "j", job, event), &guard)) {
        remember(run, key, WPA_GUARD_NONE); /* for jobs that wait for each other */
        guard = condition_once(run, job->condition, event);
        guard = stronger(guard, guard_of_steps(run, job, NULL));
        guard = stronger(guard, guard_of_needs(run, source, job, event, depth));
        remember(run, key, guard);
    }
    return guard;
}

wpa_trust_guard wpa_trust_guard_of(wpa_rule_run *run, const wpa_site *site, const char *event)
{
    wpa_trust_guard guard = WPA_GUARD_NONE;
    if (site->step) {
        guard = condition_once(run, site->step->condition, event);
    }
    if (site->job) {
        guard = stronger(guard, condition_once(run, site->job->condition, event));
        guard = stronger(guard, guard_of_steps(run, site->job, site->step));
        guard = stronger(guard, guard_of_needs(run, site->source, site->job, event, 0));
    }
    return guard;
}

bool wpa_trust_is_guarded(const wpa_yaml_node *condition)
{
    static const char *const events[] = {"pull_request_target", "issue_comment", "workflow_run"};
    for (size_t i = 0; i < WPA_COUNT(events); i++) {
        wpa_trust_guard guard = wpa_trust_condition(condition, events[i]);
        if (guard == WPA_GUARD_FORKS || guard == WPA_GUARD_MEMBERS) {
            return true;
        }
    }
    return false;
}

bool wpa_trust_is_for_other_event(const wpa_yaml_node *condition, const char *event)
{
    return wpa_trust_condition(condition, event) == WPA_GUARD_EVENT;
}

bool wpa_trust_leaves_tags_out(const wpa_yaml_node *condition)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_expr *root = root_of(condition, arena);
    return root && is_shut(root, (world){.event = "push", .is_tag = true, .arena = arena});
}

/* ---- triggers ----------------------------------------------------------------------------------
 */

static int badness(wpa_fact_trust trust)
{
    return trust == WPA_TRUST_OUTSIDER_PRIVILEGED ? 3 : trust == WPA_TRUST_OUTSIDER ? 2 : 1;
}

/* Can strangers start this workflow by any of its triggers? */
static bool outsiders_start(const wpa_graph_file *file)
{
    for (size_t i = 0; i < file->n_triggers; i++) {
        const wpa_fact_event *event = wpa_facts_event_find(wpa_slice_of(file->triggers[i].name));
        if (event && badness(event->trust) > 1) {
            return true;
        }
    }
    return false;
}

/* Is every run that starts it known to be an insider's? */
static bool follows_insiders(const wpa_source *source, const wpa_outline_trigger *trigger)
{
    const wpa_graph *graph = source->around ? source->around->graph : NULL;
    const wpa_yaml_node *names = wpa_yaml_get(trigger->config, "workflows");
    size_t n_names = wpa_yaml_is(names, WPA_YAML_SEQUENCE) ? names->n_items : 0;
    for (size_t i = 0; graph && i < n_names; i++) {
        const char *name = wpa_yaml_text(names->items[i]);
        size_t n = 0;
        const wpa_graph_file *const *files = name ? wpa_graph_named(graph, name, &n) : NULL;
        for (size_t k = 0; k < n; k++) {
            if (outsiders_start(files[k])) {
                return false;
            }
        }
        if (n == 0) {
            return false;
        }
    }
    return graph && n_names;
}

wpa_fact_trust wpa_trust_of_trigger(wpa_rule_run *run, const wpa_source *source,
                                    const wpa_outline_trigger *trigger)
{
    (void)run;
    if (!trigger->event) {
        return WPA_TRUST_INSIDER;
    }
    bool is_safe = wpa_text_is(trigger->name, "workflow_run") && follows_insiders(source, trigger);
    return is_safe ? WPA_TRUST_INSIDER : trigger->event->trust;
}

/* Does it, or a job that it waits for, wait for a reviewer of an environment? */
static bool is_reviewed(const wpa_rule_run *run, const wpa_source *source,
                        const wpa_outline_job *job, unsigned depth)
{
    if (wpa_rule_is_reviewed(run, job) == WPA_LISTED_YES) {
        return true;
    }
    const wpa_yaml_node *needs = wpa_yaml_get(job->node, "needs");
    size_t n = wpa_yaml_is(needs, WPA_YAML_SEQUENCE) ? needs->n_items : needs ? 1 : 0;
    for (size_t i = 0; i < n && i < 16 && depth < 4 && !runs_anyway(job->condition); i++) {
        const char *id = wpa_yaml_text(needs->kind == WPA_YAML_SEQUENCE ? needs->items[i] : needs);
        const wpa_outline_job *other = id ? wpa_site_job(source, id) : NULL;
        if (other && other != job && is_reviewed(run, source, other, depth + 1)) {
            return true;
        }
    }
    return false;
}

static wpa_trust trust_of_callers(wpa_rule_run *run, const wpa_site *site);

wpa_trust wpa_trust_by(wpa_rule_run *run, const wpa_site *site, const wpa_outline_trigger *trigger)
{
    wpa_trust trust = {.trust = wpa_trust_of_trigger(run, site->source, trigger),
                       .event = trigger->name};
    if (trust.trust == WPA_TRUST_INHERITED) {
        return trust_of_callers(run, site);
    }
    if (trust.trust != WPA_TRUST_INSIDER) {
        wpa_trust_guard guard = wpa_trust_guard_of(run, site, trigger->name);
        bool is_open =
            guard == WPA_GUARD_NONE || (guard == WPA_GUARD_MEMBERS && run->ignores_members);
        trust.trust = is_open ? trust.trust : WPA_TRUST_INSIDER;
        trust.event = guard == WPA_GUARD_EVENT ? NULL : trust.event;
        trust.is_by_members = guard == WPA_GUARD_MEMBERS && !run->ignores_members;
        if (is_open && !run->ignores_members && site->job &&
            is_reviewed(run, site->source, site->job, 0)) {
            trust.trust = WPA_TRUST_INSIDER; /* somebody looks at it before it runs */
        }
    }
    return trust;
}

static wpa_trust worse(wpa_trust a, wpa_trust b)
{
    bool is_b = badness(b.trust) > badness(a.trust) || (!a.event && b.event);
    wpa_trust result = is_b ? b : a;
    result.is_by_members = a.is_by_members || b.is_by_members;
    result.is_assumed = a.is_assumed || b.is_assumed;
    return result;
}

static wpa_trust trust_of_callers(wpa_rule_run *run, const wpa_site *site)
{
    wpa_trust trust = {.trust = WPA_TRUST_INSIDER};
    if (site->caller) {
        return wpa_trust_of(run, site->caller);
    }
    wpa_site callers[WPA_SITE_CALLERS_MAX];
    size_t n = wpa_site_callers(run, site->source, callers);
    trust.is_assumed = n == 0;
    run->followed = run->depth ? run->followed : 0;
    for (size_t i = 0; i < n && run->depth < WPA_SITE_DEPTH_MAX; i++) {
        if (run->followed++ >= FOLLOWED_MAX) {
            break; /* definitions that call each other in circles */
        }
        run->depth++;
        trust = worse(trust, wpa_trust_of(run, &callers[i]));
        run->depth--;
    }
    return trust;
}

wpa_trust wpa_trust_of(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_outline *o = site->source->outline;
    wpa_trust trust = {.trust = WPA_TRUST_INSIDER};
    if (site->source->kind == WPA_INPUT_ACTION) {
        return trust_of_callers(run, site);
    }
    for (size_t i = 0; i < o->n_triggers; i++) {
        trust = worse(trust, wpa_trust_by(run, site, &o->triggers[i]));
    }
    return trust;
}

/* ---- power -------------------------------------------------------------------------------------
 */

/* Does the effective token write? Unset counts as writing. */
bool wpa_trust_may_write(const wpa_outline *o, const wpa_outline_job *job)
{
    const wpa_yaml_node *value = wpa_yaml_get(job->node, "permissions");
    value = value ? value : wpa_yaml_get(o->root, "permissions");
    if (!value || wpa_text_is(wpa_yaml_text(value), "write-all")) {
        return true;
    }
    for (size_t i = 0; value->kind == WPA_YAML_MAPPING && i < value->n_pairs; i++) {
        if (wpa_text_is(wpa_yaml_text(value->pairs[i].value), "write")) {
            return true;
        }
    }
    return false;
}

bool wpa_trust_is_privileged(const wpa_outline *o, const wpa_outline_job *job)
{
    return wpa_trust_may_write(o, job) || job->is_self_hosted ||
           wpa_yaml_find(job->node, "environment") ||
           wpa_text_is(wpa_yaml_text(wpa_yaml_get(job->node, "secrets")), "inherit") ||
           job->names_secret;
}

bool wpa_trust_site_is_privileged(const wpa_site *site)
{
    while (site->source->kind == WPA_INPUT_ACTION && site->caller) {
        site = site->caller;
    }
    return !site->job || site->source->kind == WPA_INPUT_ACTION ||
           wpa_trust_is_privileged(site->source->outline, site->job);
}
