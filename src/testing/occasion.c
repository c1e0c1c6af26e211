/* One occasion: its words, whether it starts a workflow, and what expressions see of it. */
#include <string.h>

#include <wpa/text.h>

#include "facts/facts.h"
#include "match/filter.h"
#include "testing/occasions.h"

#define PATTERNS_MAX 100
#define FILTER_MAX_BYTES 4000
#define REPOSITORY "owner/repository"

bool wpa_occasion_has_base(const char *event)
{
    return wpa_text_is(event, "pull_request") || wpa_text_is(event, "pull_request_target") ||
           wpa_text_is(event, "pull_request_review") ||
           wpa_text_is(event, "pull_request_review_comment");
}

bool wpa_occasion_has_branch(const char *event)
{
    return wpa_occasion_has_base(event) || wpa_text_is(event, "push") ||
           wpa_text_is(event, "merge_group") || wpa_text_is(event, "workflow_run");
}

const char *wpa_occasion_text(const wpa_occasion *o, wpa_arena *arena)
{
    const char *text = o->event;
    text = o->action ? wpa_arena_printf(arena, "%s (%s)", text, o->action) : text;
    text = o->tag ? wpa_arena_printf(arena, "%s of tag '%s'", text, o->tag) : text;
    text = o->branch && wpa_occasion_has_branch(o->event)
               ? wpa_arena_printf(arena, "%s, branch '%s'", text, o->branch)
               : text;
    text = o->file ? wpa_arena_printf(arena, "%s, file '%s'", text, o->file) : text;
    text = o->cron ? wpa_arena_printf(arena, "%s '%s'", text, o->cron) : text;
    text = o->workflow ? wpa_arena_printf(arena, "%s of '%s'", text, o->workflow) : text;
    text = o->conclusion ? wpa_arena_printf(arena, "%s, %s", text, o->conclusion) : text;
    text = o->input ? wpa_arena_printf(arena, "%s, %s=%s", text, o->input, o->value) : text;
    return o->is_fork ? wpa_arena_printf(arena, "%s, from a fork", text) : text;
}

/* ---- does it start a workflow? ---- */

/** Does a list of patterns let text in? A list that is not there has no say. */
static wpa_occasion_answer passes(const wpa_value_list *patterns, const char *text)
{
    const char *items[PATTERNS_MAX];
    size_t n_bytes = 0;
    bool is_known = !patterns->is_unknown && patterns->n <= PATTERNS_MAX;
    for (size_t i = 0; is_known && i < patterns->n; i++) {
        items[i] = patterns->items[i].text;
        n_bytes += items[i] ? strlen(items[i]) : 0;
        is_known = items[i] && n_bytes <= FILTER_MAX_BYTES;
    }
    wpa_error ignored = {0};
    WPA_AUTO(wpa_filter) *filter =
        is_known ? wpa_filter_new(items, patterns->n, NULL, &ignored) : NULL;
    wpa_regex_answer answer = filter ? wpa_filter_fits(filter, text) : WPA_REGEX_NO;
    return !filter                   ? WPA_OCCASION_UNKNOWN
           : answer == WPA_REGEX_YES ? WPA_OCCASION_YES
           : answer == WPA_REGEX_NO  ? WPA_OCCASION_NO
                                     : WPA_OCCASION_UNKNOWN;
}

static wpa_occasion_answer opposite(wpa_occasion_answer answer)
{
    return answer == WPA_OCCASION_YES  ? WPA_OCCASION_NO
           : answer == WPA_OCCASION_NO ? WPA_OCCASION_YES
                                       : answer;
}

/** A name by the one list that says which, or the other that says which not. */
static wpa_occasion_answer is_wanted(const wpa_value_list *these, const wpa_value_list *not_these,
                                     const char *text)
{
    return these->key       ? passes(these, text)
           : not_these->key ? opposite(passes(not_these, text))
                            : WPA_OCCASION_YES;
}

static wpa_occasion_answer has_type(const wpa_trigger *trigger, const char *action)
{
    const wpa_fact_event *fact = wpa_facts_event_find(wpa_slice_of(trigger->name));
    if (!action || trigger->types.is_unknown) {
        return action ? WPA_OCCASION_UNKNOWN : WPA_OCCASION_YES;
    }
    bool is_listed = trigger->types.key && wpa_value_list_has(&trigger->types, action);
    for (size_t i = 0; !trigger->types.key && fact && fact->default_types && fact->default_types[i];
         i++) {
        is_listed = is_listed || wpa_text_is(fact->default_types[i], action);
    }
    bool is_any = !trigger->types.key && (!fact || !fact->default_types || !fact->default_types[0]);
    return is_listed || is_any ? WPA_OCCASION_YES : WPA_OCCASION_NO;
}

/** Of pushes: a filter for branches alone leaves tags out, and the other way round. */
static wpa_occasion_answer is_ref_wanted(const wpa_trigger *trigger, const wpa_occasion *o)
{
    bool has_branches = trigger->branches.key || trigger->branches_ignore.key;
    bool has_tags = trigger->tags.key || trigger->tags_ignore.key;
    if (o->tag) {
        return has_tags || !has_branches ? is_wanted(&trigger->tags, &trigger->tags_ignore, o->tag)
                                         : WPA_OCCASION_NO;
    }
    if (!o->branch || !wpa_occasion_has_branch(o->event) || (has_tags && !has_branches)) {
        return has_tags && o->branch ? WPA_OCCASION_NO : WPA_OCCASION_YES;
    }
    return is_wanted(&trigger->branches, &trigger->branches_ignore, o->branch);
}

static bool is_scheduled(const wpa_trigger *trigger, const char *cron)
{
    for (size_t i = 0; i < trigger->n_schedules; i++) {
        if (wpa_text_is(trigger->schedules[i].cron.text, cron)) {
            return true;
        }
    }
    return false;
}

wpa_occasion_answer wpa_occasion_starts(const wpa_occasion *o, const wpa_workflow *workflow)
{
    const wpa_trigger *trigger = workflow ? wpa_workflow_trigger(workflow, o->event) : NULL;
    if (!trigger || (o->cron && !is_scheduled(trigger, o->cron)) ||
        (o->workflow && !wpa_value_list_has(&trigger->workflows, o->workflow))) {
        return WPA_OCCASION_NO;
    }
    /* Changed files are not looked at where a tag is pushed. */
    const wpa_occasion_answer answers[] = {
        has_type(trigger, o->action), is_ref_wanted(trigger, o),
        o->file && !o->tag ? is_wanted(&trigger->paths, &trigger->paths_ignore, o->file)
                           : WPA_OCCASION_YES};
    wpa_occasion_answer all = trigger->is_unknown ? WPA_OCCASION_UNKNOWN : WPA_OCCASION_YES;
    for (size_t i = 0; i < WPA_COUNT(answers); i++) {
        if (answers[i] == WPA_OCCASION_NO) {
            return WPA_OCCASION_NO;
        }
        all = answers[i] == WPA_OCCASION_UNKNOWN ? WPA_OCCASION_UNKNOWN : all;
    }
    return all;
}

/* ---- what expressions see of it ---- */

static bool tell(const char *text, wpa_expr_value *value)
{
    if (text) {
        *value = wpa_expr_string(text);
    }
    return text != NULL;
}

static bool tell_ref(const wpa_occasion *o, const char *name, wpa_arena *arena,
                     wpa_expr_value *value)
{
    bool is_pr = wpa_text_is(o->event, "pull_request");
    const char *short_name = o->tag ? o->tag : is_pr ? "7/merge" : o->branch;
    if (wpa_text_is(name, "ref_type")) {
        return tell(o->tag ? "tag" : "branch", value);
    }
    if (wpa_text_is(name, "base_ref")) {
        return tell(wpa_occasion_has_base(o->event) ? o->branch : "", value);
    }
    if (wpa_text_is(name, "head_ref")) {
        return tell(wpa_occasion_has_base(o->event) ? "topic" : "", value);
    }
    bool is_known =
        short_name && wpa_occasion_has_branch(o->event) && !wpa_text_is(o->event, "workflow_run");
    is_known = is_known || wpa_text_is(o->event, "workflow_dispatch");
    if (!is_known) {
        return false; /* the default branch, or one that only the run knows */
    }
    const char *kind = o->tag ? "tags" : is_pr ? "pull" : "heads";
    return tell(wpa_text_is(name, "ref_name")
                    ? short_name
                    : wpa_arena_printf(arena, "refs/%s/%s", kind, short_name),
                value);
}

/** Parts of the payload that only some events have. */
static bool is_absent(const wpa_occasion *o, const char *member)
{
    static const struct {
        const char *member, *events;
    } rows[] = {
        {"pull_request", "pull_request"},
        {"issue", "issue"},
        {"comment", "comment"},
        {"release", "release"},
        {"review", "review"},
        {"workflow_run", "workflow_run"},
        {"schedule", "schedule"},
        {"client_payload", "repository_dispatch"},
        {"deployment_status", "deployment_status"},
        {"discussion", "discussion"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        size_t length = strlen(rows[i].member);
        bool is_it = strncmp(member, rows[i].member, length) == 0 &&
                     (member[length] == '.' || !member[length]);
        if (is_it) {
            return !strstr(o->event, rows[i].events) && !wpa_text_is(o->event, "workflow_call");
        }
    }
    return false;
}

static bool tell_event(const wpa_occasion *o, const char *member, wpa_expr_value *value)
{
    const char *head = o->is_fork ? "stranger/repository" : REPOSITORY;
    const struct {
        const char *member, *text;
    } rows[] = {
        {"action", o->action ? o->action : ""},
        {"schedule", o->cron},
        {"workflow_run.conclusion", o->conclusion},
        {"workflow_run.name", o->workflow},
        {"workflow_run.head_branch", o->branch},
        {"pull_request.base.ref", o->branch},
        {"pull_request.head.ref", "topic"},
        {"pull_request.base.repo.full_name", REPOSITORY},
        {"pull_request.head.repo.full_name", head},
        {"repository.full_name", REPOSITORY},
    };
    if (is_absent(o, member)) {
        *value = wpa_expr_null();
        return true;
    }
    if (wpa_text_is(member, "pull_request.head.repo.fork")) {
        *value = wpa_expr_bool(o->is_fork);
        return true;
    }
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        if (wpa_text_is(member, rows[i].member)) {
            return tell(rows[i].text, value);
        }
    }
    return false;
}

static bool tell_input(const wpa_occasion *o, const wpa_workflow *workflow, const char *name,
                       bool is_typed, wpa_expr_value *value)
{
    const wpa_trigger *trigger = wpa_workflow_trigger(workflow, o->event);
    for (size_t i = 0; trigger && i < trigger->n_inputs; i++) {
        const wpa_parameter *input = &trigger->inputs[i];
        if (!wpa_text_is_ci(input->name, name)) {
            continue;
        }
        bool is_set = o->input && wpa_text_is_ci(o->input, name);
        const char *text = is_set ? o->value : input->default_value.text;
        bool is_switch = wpa_text_is(input->type.text, "boolean");
        text = !text && is_switch ? "false" : !text ? "" : text;
        *value = is_switch && is_typed ? wpa_expr_bool(wpa_text_is_ci(text, "true"))
                                       : wpa_expr_string(text);
        return !strstr(text, "${{");
    }
    /* Without such an input nothing: also under events that have no inputs at all. */
    *value = wpa_expr_null();
    return !wpa_text_is(o->event, "workflow_call");
}

bool wpa_occasion_value(const wpa_occasion *o, const wpa_workflow *workflow, const char *path,
                        wpa_arena *arena, wpa_expr_value *value)
{
    static const char *const refs[] = {"ref", "ref_name", "ref_type", "base_ref", "head_ref"};
    const char *name = wpa_text_starts(path, "github.") ? path + strlen("github.") : NULL;
    bool is_called = wpa_text_is(o->event, "workflow_call"); /* by whom, nobody knows */
    if (wpa_text_starts(path, "inputs.")) {
        return tell_input(o, workflow, path + strlen("inputs."), true, value);
    }
    if (!name || is_called || strchr(path, '*')) {
        return false;
    }
    if (wpa_text_starts(name, "event.inputs.")) {
        return tell_input(o, workflow, name + strlen("event.inputs."), false, value);
    }
    if (wpa_text_starts(name, "event.")) {
        return tell_event(o, name + strlen("event."), value);
    }
    if (wpa_text_index(name, refs, WPA_COUNT(refs)) >= 0) {
        return tell_ref(o, name, arena, value);
    }
    if (wpa_text_is(name, "event_name")) {
        return tell(o->event, value);
    }
    return wpa_text_is(name, "repository") && tell(REPOSITORY, value);
}
