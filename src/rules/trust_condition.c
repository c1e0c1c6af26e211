/* Could a stranger pass a condition? It is tried on the worlds that an event may come about in. */
#include <string.h>

#include "expr/expr.h"
#include "facts/facts.h"
#include "rules/expressions.h"
#include "rules/trust.h"

/* The event that is tried on a condition. */
typedef struct world {
    const char *event;  /* that happens */
    const char *parent; /* of workflow_run: what had started the run before */
    bool has_strangers; /* it comes from another repository */
    bool has_members;   /* and people are told from strangers */
    bool names_bots;    /* the condition asks for bots: then github.actor tells nothing */
    bool is_of_thread;  /* who opened the issue or pull request is asked for, not who comments */
    bool is_tag;        /* what is pushed is a tag, of a name that is not known */
    const wpa_expr_reference *references; /* [n_references] of the condition */
    size_t n_references;
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
    MEANS_SOMEBODY, /* who has no part in the event */
    MEANS_AUTHOR,
    MEANS_ACTOR
} meaning;

#define TAIL(text) text, sizeof(text) - 1
static const struct {
    const char *tail; /* of a path, or all of it if it begins with "github." */
    size_t length;
    meaning meaning;
} meanings[] = {
    {TAIL("github.event_name"), MEANS_EVENT},
    {TAIL("github.event.workflow_run.event"), MEANS_PARENT_EVENT},
    {TAIL(".head.repo.full_name"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head.repo.owner.login"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head.repo.owner.id"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head.repo.id"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head.repo.html_url"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head.repo.url"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head.user.login"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head.label"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head_repository.full_name"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head_repository.owner.login"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head_repository.id"), MEANS_HEAD_REPOSITORY},
    {TAIL(".head.repo.fork"), MEANS_FORK},
    {TAIL(".head_repository.fork"), MEANS_FORK},
    {TAIL(".author_association"), MEANS_ASSOCIATION},
    {TAIL(".pull_request.user.login"), MEANS_AUTHOR},
    {TAIL(".pull_request.user.id"), MEANS_AUTHOR},
    {TAIL(".issue.user.login"), MEANS_AUTHOR},
    {TAIL(".comment.user.login"), MEANS_AUTHOR},
    {TAIL(".review.user.login"), MEANS_AUTHOR},
    {TAIL(".discussion.user.login"), MEANS_AUTHOR},
    {TAIL(".workflow_run.actor.login"), MEANS_ACTOR},
    {TAIL("github.actor"), MEANS_ACTOR},
    {TAIL("github.actor_id"), MEANS_ACTOR},
    {TAIL("github.triggering_actor"), MEANS_ACTOR},
    {TAIL("github.event.sender.login"), MEANS_ACTOR},
};
#undef TAIL

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

static const char *path_of(const world *w, const wpa_expr *node)
{
    for (size_t i = 0; i < w->n_references; i++) {
        const wpa_expr_reference *reference = &w->references[i];
        if (reference->node == node) {
            bool is_path = !reference->is_computed && node->kind != WPA_EXPR_STAR;
            return is_path ? reference->path : NULL;
        }
    }
    return NULL;
}

/* Whose comment or review it is, the one who opened what is commented on has no part in that. */
static const struct {
    const char *event, *thread;
} threads[] = {
    {"issue_comment", "github.event.issue."},
    {"discussion_comment", "github.event.discussion."},
    {"pull_request_review", "github.event.pull_request."},
    {"pull_request_review_comment", "github.event.pull_request."},
};

bool wpa_trust_is_of_thread(const char *event, const char *path)
{
    bool is = false;
    for (size_t i = 0; i < WPA_COUNT(threads) && !is; i++) {
        is = wpa_text_is(event, threads[i].event) && wpa_text_starts(path, threads[i].thread);
    }
    return is;
}

/* Does the path tell who opened the thread, where others comment on it? */
static bool is_of_other(const world *w, const char *path, meaning m)
{
    return (m == MEANS_ASSOCIATION || m == MEANS_AUTHOR) && !w->is_of_thread &&
           wpa_trust_is_of_thread(w->event, path);
}

static meaning meaning_of(const world *w, const wpa_expr *node)
{
    const char *path = path_of(w, node);
    size_t length = path ? strlen(path) : 0;
    for (size_t i = 0; i < WPA_COUNT(meanings); i++) {
        const char *tail = meanings[i].tail;
        size_t n = meanings[i].length;
        bool fits = *tail == '.' ? length >= n : length == n;
        if (fits && path[length - 1] == tail[n - 1] && memcmp(path + length - n, tail, n) == 0) {
            meaning m = meanings[i].meaning;
            return is_of_other(w, path, m) ? MEANS_SOMEBODY : m;
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

/* No tag starts these: they run for the merge of a pull request, or for a branch. */
static bool is_of_branch(const char *event)
{
    const wpa_fact_event *fact = wpa_facts_event_find(wpa_slice_of(event));
    return wpa_text_starts(event, "pull_request") || (fact && fact->on_default_branch);
}

/* What "github.ref", its name or its type is, as far as the event tells. */
static bool lookup_ref(const world *w, const char *path, wpa_expr_value *value)
{
    bool is_merge =
        wpa_text_starts(w->event, "pull_request") && !wpa_text_is(w->event, "pull_request_target");
    const char *text = NULL;
    if (wpa_text_is(path, "github.ref_type")) {
        text = w->is_tag ? "tag" : is_of_branch(w->event) ? "branch" : NULL;
    } else if (is_merge && wpa_text_is(path, "github.ref")) {
        text = "refs/pull/1/merge";
    } else if (is_merge && wpa_text_is(path, "github.ref_name")) {
        text = "1/merge";
    }
    if (text) {
        *value = wpa_expr_string(text);
    }
    return text != NULL;
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
    if (wpa_text_starts(path, "github.ref")) {
        return lookup_ref(w, path, value);
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
    if (is_left == is_right || left == MEANS_SOMEBODY || right == MEANS_SOMEBODY) {
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

/*
 * contains('acme/app', head.repo.full_name): a text has parts, too, and the login "cme" may be
 * anybody's. Numbers are told apart.
 */
static bool has_strangers_name(const world *w, const wpa_expr *node, meaning m)
{
    const wpa_expr *text = node->args[0];
    const char *path = path_of(w, node->args[1]);
    bool is_text =
        text->kind == WPA_EXPR_STRING || wpa_text_is(path_of(w, text), "github.repository");
    bool is_name = m == MEANS_HEAD_REPOSITORY || m == MEANS_AUTHOR || m == MEANS_ACTOR;
    return is_name && is_text && path && !wpa_text_ends(path, "id");
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
    if (!is_strange(w, m) || has_strangers_name(w, node, m)) {
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
    bool is_ref =
        w->is_tag && literal->kind == WPA_EXPR_STRING && wpa_text_is(path_of(w, ref), "github.ref");
    if (is_ref && wpa_text_starts(literal->text, heads)) {
        return WPA_EXPR_FALSY;
    }
    return is_ref && is_prefix && wpa_text_starts(tags, literal->text) ? WPA_EXPR_TRUTHY
                                                                       : WPA_EXPR_MAYBE;
}

/*
 * startsWith(name, prefix) of what tells strangers apart: a prefix that ends within the owner's
 * name begins the names of others, too, and so does any of somebody's login.
 */
static wpa_expr_truth judge_prefix(const world *w, const wpa_expr *node)
{
    meaning m = meaning_of(w, node->args[0]);
    const wpa_expr *prefix = node->args[1];
    bool is_whole = prefix->kind == WPA_EXPR_STRING
                        ? strpbrk(prefix->text, "/:") != NULL
                        : !wpa_text_is(path_of(w, prefix), "github.repository_owner");
    return m == MEANS_HEAD_REPOSITORY && is_strange(w, m) && is_whole ? WPA_EXPR_FALSY
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
    return wpa_text_is_ci(node->text, "startsWith") ? judge_prefix(w, node) : WPA_EXPR_MAYBE;
}

/* "format('refs/heads/{0}', name)": some branch or tag, and so no pull request. */
static bool is_built_ref(const wpa_expr *node)
{
    const wpa_expr *first =
        node->kind == WPA_EXPR_CALL && wpa_text_is_ci(node->text, "format") && node->n_args > 0
            ? node->args[0]
            : NULL;
    return first && first->kind == WPA_EXPR_STRING &&
           (wpa_text_starts(first->text, "refs/heads/") ||
            wpa_text_starts(first->text, "refs/tags/"));
}

static bool asks_for_built_ref(const world *w, const wpa_expr *node)
{
    bool is_merge =
        wpa_text_starts(w->event, "pull_request") && !wpa_text_is(w->event, "pull_request_target");
    for (size_t i = 0; is_merge && i < 2; i++) {
        if (is_built_ref(node->args[i])) {
            return wpa_text_is(path_of(w, node->args[1 - i]), "github.ref");
        }
    }
    return false;
}

static wpa_expr_truth judge_comparison(const world *w, const wpa_expr *node)
{
    if (asks_for_built_ref(w, node)) {
        return WPA_EXPR_FALSY;
    }
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
        truth = wpa_expr_fold_again(node, w->references, w->n_references, lookup,
                                    (void *)(uintptr_t)w, w->arena)
                    .truth;
    }
    return truth;
}

/* Does the condition come to this in every such world, whatever had started the run before? */
static bool comes_to(const wpa_expr *root, world w, wpa_expr_truth truth)
{
    static const char *const parents[] = {"pull_request", "pull_request_target"};
    if (!wpa_text_is(w.event, "workflow_run") || !w.has_strangers) {
        return judge(&w, root) == truth;
    }
    for (size_t i = 0; i < WPA_COUNT(parents); i++) {
        w.parent = parents[i];
        if (judge(&w, root) != truth) {
            return false;
        }
    }
    return true;
}

/* Where the expressions of the condition are, as they were parsed when the file was read. */
static const wpa_expr_place *known_place(const wpa_source *source, const wpa_yaml_node *condition,
                                         size_t *n)
{
    const wpa_expressions *all = source ? source->expressions : NULL;
    const wpa_expression *first = all ? wpa_expressions_in(all, condition) : NULL;
    size_t i = first ? (size_t)(first - all->items) : 0;
    for (*n = 0; first && i + *n < all->n && first[*n].place->node == condition;) {
        ++*n;
    }
    return first ? first->place : NULL;
}

/* The one expression that the condition is; NULL if text around it makes it hold always. */
static const wpa_expr *root_of(const wpa_source *source, const wpa_yaml_node *condition,
                               wpa_arena *arena)
{
    size_t n = 0;
    const wpa_yaml_node *node = wpa_yaml_resolve(condition);
    const wpa_expr_place *place = node ? known_place(source, node, &n) : NULL;
    place = place || !node ? place : wpa_expr_find_condition(node, arena, &n);
    if (n != 1 || !place->parsed.root) {
        return NULL;
    }
    bool is_whole = place->is_bare || place->outer.end - place->outer.start + 2 >= node->length;
    return is_whole ? place->parsed.root : NULL;
}

/* Does the script do nothing but say something, and fail: "echo no; exit 1"? */
static bool step_fails(const wpa_outline_step *step)
{
    static const char *const printers[] = {"echo", "printf", "Write-Host", "Write-Error"};
    const wpa_script *script = step->condition ? step->lexed : NULL;
    bool fails = false, is_plain = script && !wpa_yaml_get(step->node, "continue-on-error");
    for (size_t i = 0; is_plain && i < script->n_commands && !fails; i++) {
        const wpa_shell_command *c = &script->commands[i];
        const wpa_shell_word *code = wpa_text_is(c->name, "exit") ? wpa_shell_argument(c, 0) : NULL;
        fails = wpa_text_is(c->name, "false") || (code && !wpa_text_is(code->text, "0"));
        is_plain = fails || wpa_text_index(c->name, printers, WPA_COUNT(printers)) >= 0;
    }
    return is_plain && fails;
}

/* Whom it comes to this for: nobody's event, those from other repositories, or strangers' alone. */
static wpa_trust_guard guard_by(const wpa_source *source, const wpa_yaml_node *condition,
                                const char *event, bool is_of_thread, wpa_expr_truth truth)
{
    if (!condition) {
        return WPA_GUARD_NONE;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_expr *root = root_of(source, condition, arena);
    if (!root) {
        return WPA_GUARD_NONE;
    }
    world w = {.event = event, .is_of_thread = is_of_thread, .arena = arena};
    w.references = wpa_expr_references(root, arena, &w.n_references);
    if (comes_to(root, w, truth)) {
        return WPA_GUARD_EVENT;
    }
    w.has_strangers = true;
    if (comes_to(root, w, truth)) {
        return WPA_GUARD_FORKS;
    }
    w.has_members = true;
    w.names_bots = strcasestr(wpa_yaml_text(condition) ? wpa_yaml_text(condition) : "", "[bot]");
    return comes_to(root, w, truth) ? WPA_GUARD_MEMBERS : WPA_GUARD_NONE;
}

wpa_trust_guard wpa_trust_condition(const wpa_source *source, const wpa_yaml_node *condition,
                                    const char *event, bool is_of_thread)
{
    return guard_by(source, condition, event, is_of_thread, WPA_EXPR_FALSY);
}

wpa_trust_guard wpa_trust_stop(const wpa_source *source, const wpa_outline_step *step,
                               const char *event)
{
    return step_fails(step) ? guard_by(source, step->condition, event, false, WPA_EXPR_TRUTHY)
                            : WPA_GUARD_NONE;
}

bool wpa_trust_is_guarded(const wpa_source *source, const wpa_yaml_node *condition)
{
    static const char *const events[] = {"pull_request_target", "issue_comment", "workflow_run"};
    for (size_t i = 0; i < WPA_COUNT(events); i++) {
        wpa_trust_guard guard = wpa_trust_condition(source, condition, events[i], false);
        if (guard == WPA_GUARD_FORKS || guard == WPA_GUARD_MEMBERS) {
            return true;
        }
    }
    return false;
}

/* Does the event not pass, whoever causes it? */
static bool is_never(const wpa_source *source, const wpa_yaml_node *condition, world w)
{
    if (!condition) {
        return false;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    w.arena = arena;
    const wpa_expr *root = root_of(source, condition, arena);
    w.references = wpa_expr_references(root, arena, &w.n_references);
    return root && comes_to(root, w, WPA_EXPR_FALSY);
}

bool wpa_trust_is_for_other_event(const wpa_source *source, const wpa_yaml_node *condition,
                                  const char *event)
{
    return is_never(source, condition, (world){.event = event});
}

bool wpa_trust_leaves_tags_out(const wpa_source *source, const wpa_yaml_node *condition)
{
    return is_never(source, condition, (world){.event = "push", .is_tag = true});
}
