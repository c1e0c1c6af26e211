/* What the event and the repository bring: paths of the github context, by tables. */
#include <string.h>

#include "rules/taint_internal.h"

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};

/* What names the tree of a pull request, or of the run before. */
static const char *const tree_paths[] = {
    "github.event.pull_request.head.sha",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.full_name",
    "github.event.pull_request.head.repo.name",
    "github.event.pull_request.head.repo.clone_url",
    "github.event.pull_request.head.repo.git_url",
    "github.event.pull_request.head.repo.ssh_url",
    "github.event.pull_request.head.repo.html_url",
    "github.event.pull_request.head.user.login",
    "github.event.pull_request.merge_commit_sha",
    "github.event.pull_request.number",
    "github.event.number",
    "github.event.issue.number",
    "github.head_ref",
    "github.event.workflow_run.head_sha",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.head_commit.id",
    "github.event.workflow_run.head_repository.full_name",
    "github.event.workflow_run.pull_requests.*.head.sha",
    "github.event.workflow_run.pull_requests.*.head.ref",
    "github.event.workflow_run.pull_requests.*.number",
    "github.event.check_suite.head_sha",
    "github.event.check_run.head_sha",
};

/* A stranger picks which branch it is, but what lies there is the project's. */
static const char *const own_trees[] = {"github.base_ref", "github.event.pull_request.base.ref",
                                        "github.event.pull_request.base.label", "github.ref",
                                        "github.ref_name"};

/* Last members of payload paths that are ids, numbers, times and the like. */
static const char *const plain_members[] = {"number",
                                            "id",
                                            "sha",
                                            "after",
                                            "before",
                                            "action",
                                            "draft",
                                            "merged",
                                            "state",
                                            "url",
                                            "size",
                                            "type",
                                            "private",
                                            "fork",
                                            "run_number",
                                            "conclusion",
                                            "status",
                                            "event",
                                            "commits",
                                            "additions",
                                            "deletions",
                                            "changed_files",
                                            "author_association",
                                            "forced",
                                            "created",
                                            "deleted",
                                            "schedule",
                                            "prerelease",
                                            "comments",
                                            "run_attempt",
                                            "locked",
                                            "mergeable",
                                            "rebaseable",
                                            "color",
                                            "default",
                                            "href",
                                            "slug",
                                            "merge_method",
                                            "language",
                                            "spdx_id"};

static const char *const text_events[] = {"issues",
                                          "issue_comment",
                                          "pull_request",
                                          "pull_request_target",
                                          "discussion",
                                          "discussion_comment",
                                          "pull_request_review",
                                          "pull_request_review_comment",
                                          "workflow_run",
                                          NULL};

static bool is_plain_payload(const char *path)
{
    static const char *const parts[] = {"github.event.repository", "github.event.organization",
                                        "github.event.installation", "github.event.enterprise",
                                        "github.event.pull_request.base.repo"};
    for (size_t i = 0; i < WPA_COUNT(parts); i++) {
        if (wpa_text_starts(path, parts[i])) {
            return true;
        }
    }
    static const char *const endings[] = {"_at", "_url", "_id", "_sha", "_state", "_count"};
    const char *last = strrchr(path, '.');
    for (size_t i = 0; i < WPA_COUNT(endings); i++) {
        if (wpa_text_ends(path, endings[i])) {
            return true;
        }
    }
    return wpa_text_index(last ? last + 1 : path, plain_members, WPA_COUNT(plain_members)) >= 0;
}

/* The worst event of a workflow by which a value of these events can come in. */
static wpa_taint by_triggers(wpa_tracer *t, const wpa_site *site, wpa_fact_list events,
                             wpa_taint found)
{
    const wpa_outline *o = site->source->outline;
    wpa_taint worst = none;
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *trigger = &o->triggers[i];
        bool carries = wpa_fact_list_has(events, wpa_slice_of("*")) ||
                       wpa_fact_list_has(events, wpa_slice_of(trigger->name));
        if (!carries || wpa_text_is(trigger->name, "workflow_call")) {
            continue;
        }
        bool asks = t->run->asks_for_thread;
        t->run->asks_for_thread =
            asks || (found.path && wpa_trust_is_of_thread(trigger->name, found.path));
        found.trust = wpa_trust_by(t->run, site, trigger);
        bool reaches =
            found.trust.event && wpa_trust_guard_of(t->run, site, trigger->name) != WPA_GUARD_EVENT;
        t->run->asks_for_thread = asks;
        if (reaches) {
            found.is_privileged = wpa_trust_site_is_privileged(site);
            worst = wpa_taint_worse(worst, found);
        }
    }
    return worst;
}

/*
 * The worst of what callers' events carry: the event of a called definition is its caller's. With
 * no caller known it is what found says, by assumption.
 */
static wpa_taint by_events(wpa_tracer *t, const wpa_site *site, wpa_fact_list events,
                           wpa_taint found)
{
    bool is_action = site->source->kind == WPA_INPUT_ACTION;
    wpa_taint worst = is_action ? none : by_triggers(t, site, events, found);
    bool is_callable =
        is_action || wpa_outline_trigger_find(site->source->outline, "workflow_call");
    if (!is_callable) {
        return worst;
    }
    if (site->caller) {
        return wpa_taint_worse(worst, by_events(t, site->caller, events, found));
    }
    wpa_site callers[WPA_SITE_CALLERS_MAX];
    size_t n = wpa_site_callers(t->run, site->source, callers);
    if (!n) {
        found.trust = (wpa_trust){.trust = WPA_TRUST_INSIDER, .is_assumed = true};
        return wpa_taint_worse(worst, found);
    }
    bool is_cut = !t->left || t->depth >= WPA_TAINT_MAX_HOPS;
    for (size_t i = 0; i < n && !is_cut; i++) {
        t->left--;
        t->depth++;
        worst = wpa_taint_worse(worst, by_events(t, &callers[i], events, found));
        t->depth--;
        is_cut = !t->left;
    }
    t->is_cut = t->is_cut || is_cut;
    return worst;
}

wpa_taint wpa_trace_foreign(wpa_tracer *t, const wpa_site *site, wpa_fact_list events,
                            const char *path, const char *shape)
{
    wpa_taint found = {.grade = WPA_TAINT_OF_ARBITRARY, .path = path, .shape = shape};
    return by_events(t, site, events, found);
}

static wpa_taint by_row(wpa_tracer *t, const wpa_site *site, const wpa_fact_untrusted *row,
                        const char *path)
{
    wpa_taint found = {.grade = row->taint == WPA_TAINT_ARBITRARY ? WPA_TAINT_OF_ARBITRARY
                                                                  : WPA_TAINT_OF_STRUCTURED,
                       .path = path,
                       .shape = row->shape};
    found = by_events(t, site, row->triggers, found);
    if (row->is_of_members && found.trust.event) {
        found.trust.trust = WPA_TRUST_INSIDER;
        found.shape = "text of people with rights here";
    }
    return found;
}

/* Index of the first row, which are in order, whose path does not sort before this beginning. */
static size_t first_row(const char *beginning, size_t length)
{
    size_t low = 0, high = wpa_facts_untrusted_count();
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strncmp(wpa_facts_untrusted_at(middle)->path, beginning, length) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Of a whole object, "github.event.issue": the worst below it. */
static wpa_taint by_members(wpa_tracer *t, const wpa_site *site, const char *path,
                            const char *lower)
{
    wpa_taint worst = none;
    size_t length = strlen(lower);
    for (size_t i = first_row(lower, length); i < wpa_facts_untrusted_count(); i++) {
        const wpa_fact_untrusted *row = wpa_facts_untrusted_at(i);
        if (strncmp(row->path, lower, length) != 0) {
            break;
        }
        bool is_below = row->path[length] == '.' && row->taint != WPA_TAINT_FIXED &&
                        row->taint != WPA_TAINT_FLOW;
        bool is_worst = worst.grade == WPA_TAINT_OF_ARBITRARY && wpa_taint_is_of_outsider(&worst);
        if (is_below && !is_worst) {
            worst = wpa_taint_worse(worst, by_row(t, site, row, path));
        }
    }
    return worst;
}

wpa_taint wpa_trace_source(wpa_tracer *t, const wpa_site *site, const char *path, const char *lower)
{
    const wpa_fact_untrusted *row = wpa_facts_untrusted_find(wpa_slice_of(lower));
    if (t->question == WPA_TAINT_CODE &&
        wpa_text_index(lower, tree_paths, WPA_COUNT(tree_paths)) >= 0) {
        static const char *const any[] = {"*", NULL};
        wpa_taint found = {
            .grade = WPA_TAINT_OF_ARBITRARY, .path = path, .shape = "a tree of their own"};
        return by_events(t, site, any, found);
    }
    if (t->question == WPA_TAINT_CODE &&
        wpa_text_index(lower, own_trees, WPA_COUNT(own_trees)) >= 0) {
        return none;
    }
    if (row && row->taint != WPA_TAINT_FLOW) {
        return row->taint == WPA_TAINT_FIXED ? none : by_row(t, site, row, path);
    }
    wpa_taint whole = by_members(t, site, path, lower);
    if (whole.grade != WPA_TAINT_NONE) {
        return whole;
    }
    bool is_computed = wpa_text_is(lower, "github.*"); /* "github[env.NAME]" */
    bool is_payload = wpa_text_starts(lower, "github.event.") && !is_plain_payload(lower);
    if (!row && (is_payload || is_computed)) {
        bool is_login = wpa_text_ends(lower, ".login");
        wpa_taint found = {.grade = is_login ? WPA_TAINT_OF_STRUCTURED : WPA_TAINT_OF_PAYLOAD,
                           .path = path,
                           .shape = is_login ? "login" : "part of the event"};
        wpa_taint taint = by_events(t, site, text_events, found);
        return taint.trust.is_assumed ? none : taint;
    }
    return none;
}
