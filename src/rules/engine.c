#include "rules/engine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wpa/text.h>

#include "rules/outline.h"
#include "rules/sink.h"

/* ---- which rules run, and what of theirs is seen ---- */

/** Is the file among those that the configuration keeps the rule to? */
static bool is_about(const wpa_rule_setting *setting, const wpa_source *source)
{
    for (size_t i = 0; i < setting->paths.n; i++) {
        if (wpa_glob_fits(setting->paths.items[i], wpa_source_identity(source))) {
            return true;
        }
    }
    return setting->paths.n == 0;
}

static bool is_active(const wpa_rule_sink *sink, const wpa_rule *rule,
                      const wpa_rule_setting *setting)
{
    const wpa_settings *settings = sink->settings;
    bool is_wanted = setting->toggle != WPA_TOGGLE_OFF &&
                     !settings->dimension_off[rule->dimension] && !settings->kind_off[rule->kind];
    bool can_read = (rule->inputs & (unsigned)sink->source->kind) != 0 &&
                    (sink->source->yaml || rule->reads_unread) &&
                    !(sink->source->is_partial && rule->claims_absence);
    return is_wanted && can_read && is_about(setting, sink->source);
}

/** Does the file hold anything that the rule looks for? */
static bool may_find(const wpa_source *source, const wpa_rule *rule)
{
    bool is_bound = (rule->words || rule->commands) && source->yaml;
    for (size_t i = 0; is_bound && rule->words && rule->words[i]; i++) {
        if (wpa_yaml_may_hold(source->yaml, rule->words[i])) {
            return true;
        }
    }
    for (size_t i = 0; is_bound && rule->commands && rule->commands[i]; i++) {
        if (wpa_yaml_may_name(source->yaml, rule->commands[i])) {
            return true;
        }
    }
    return !is_bound;
}

static bool is_check_off(const wpa_rule_setting *setting, const char *check)
{
    return check && setting->checks_off && wpa_map_has(setting->checks_off, check);
}

static wpa_persona level_of(const wpa_settings *settings, wpa_dimension dimension)
{
    wpa_persona own = settings->dimension_persona[dimension];
    return own > settings->persona ? own : settings->persona;
}

/** Would anything that the rule finds have an effect? What silences findings has a use, and is said
    to have one, though nobody would see them. */
static bool is_asked_for(const wpa_rule_sink *sink, const wpa_rule *rule,
                         const wpa_rule_setting *setting)
{
    return rule->persona <= level_of(sink->settings, rule->dimension) || rule->has_wider_findings ||
           rule->supersedes || setting->toggle == WPA_TOGGLE_ON || setting->has_persona ||
           sink->may_ignore;
}

/** setting is that of the finding's rule. */
static bool is_seen(const wpa_settings *settings, const wpa_rule_setting *setting,
                    const wpa_finding *finding)
{
    return !is_check_off(setting, finding->check) && finding->severity >= settings->min_severity &&
           finding->confidence >= settings->min_confidence &&
           (setting->toggle == WPA_TOGGLE_ON ||
            finding->persona <= level_of(settings, finding->dimension));
}

bool wpa_finding_is_seen(const wpa_settings *settings, const wpa_finding *finding)
{
    return is_seen(settings, wpa_settings_of(settings, finding->rule), finding);
}

static void configure(const wpa_rule_setting *setting, wpa_finding *finding)
{
    const wpa_check_setting *check =
        setting->checks && finding->check ? wpa_map_get(setting->checks, finding->check) : NULL;
    finding->severity = setting->has_severity ? setting->severity : finding->severity;
    finding->severity = check && check->has_severity ? check->severity : finding->severity;
    finding->confidence = setting->has_confidence ? setting->confidence : finding->confidence;
    finding->persona = setting->has_persona ? setting->persona : finding->persona;
}

void wpa_finding_configure(const wpa_settings *settings, wpa_finding *finding)
{
    configure(wpa_settings_of(settings, finding->rule), finding);
}

/* ---- order ---- */

/** Most are in order already: rules go through the file from its beginning. */
static void sort(wpa_rule_sink *sink)
{
    size_t n_sorted = 1;
    while (n_sorted < sink->n_findings &&
           wpa_finding_compare(&sink->findings[n_sorted - 1], &sink->findings[n_sorted]) <= 0) {
        n_sorted++;
    }
    if (n_sorted < sink->n_findings) {
        qsort(sink->findings, sink->n_findings, sizeof *sink->findings, wpa_finding_compare);
    }
}

/* ---- what findings are known by ---- */

static bool names_fingerprints(const wpa_settings *settings)
{
    bool does = false;
    for (size_t i = 0; i < settings->n_ignores; i++) {
        does = does || settings->ignores[i].fingerprint;
    }
    return does;
}

/** Findings that are alike are numbered, those that are not seen too; but not those of a rule of
    which nothing is seen. */
static void identify(const wpa_rule_sink *sink, size_t from)
{
    const wpa_settings *settings = sink->settings;
    size_t n_rules;
    if (from >= sink->n_findings) {
        return;
    }
    (void)wpa_rules_all(&n_rules);
    bool *is_seen = wpa_arena_array(sink->arena, n_rules + 1, sizeof *is_seen);
    bool are_all = names_fingerprints(settings);
    for (size_t i = from; i < sink->n_findings; i++) {
        const wpa_finding *finding = sink->findings[i];
        bool *is_rule_seen = &is_seen[wpa_settings_of(settings, finding->rule) - settings->rules];
        *is_rule_seen = *is_rule_seen || are_all || !finding->is_unseen;
    }
    for (size_t i = from; i < sink->n_findings; i++) {
        const wpa_finding *finding = sink->findings[i];
        if (is_seen[wpa_settings_of(settings, finding->rule) - settings->rules]) {
            wpa_finding_identify(sink->source, sink->findings[i], sink->arena);
        }
    }
    wpa_findings_number(sink->findings + from, sink->n_findings - from, sink->arena);
}

/** Is there anything that only fingerprints put in order? Up to n_sorted they are neighbours. */
static bool needs_fingerprints(const wpa_rule_sink *sink, size_t n_sorted)
{
    bool does = !sink->settings->has_no_identities || sink->n_findings > n_sorted + 1;
    for (size_t i = 1; i < n_sorted && !does; i++) {
        does = wpa_finding_compare_places(sink->findings[i - 1], sink->findings[i]) == 0;
    }
    return does;
}

/** Where nobody asks for fingerprints, only findings that nothing else puts in order have one. */
static void fingerprint_ties(wpa_rule_sink *sink)
{
    sort(sink);
    for (size_t from = 0, i = 1; i <= sink->n_findings; i++) {
        bool ties = i < sink->n_findings &&
                    wpa_finding_compare_places(sink->findings[from], sink->findings[i]) == 0;
        if (!ties && i - from > 1) {
            wpa_findings_fingerprint(sink->source, sink->findings + from, i - from);
        }
        from = ties ? from : i;
    }
}

/* ---- running ---- */

static void summarise_beyond(wpa_rule_run *run)
{
    wpa_rule_sink *sink = run->sink;
    if (sink->n_of_rule <= WPA_FINDINGS_PER_RULE_MAX || sink->settings->is_unlimited) {
        return;
    }
    size_t n_more = sink->n_of_rule - WPA_FINDINGS_PER_RULE_MAX;
    wpa_finding *last = sink->findings[sink->n_findings - 1];
    sink->n_of_rule = 0; /* room for the summary itself */
    wpa_finding *summary =
        wpa_rule_report(run, last->span.bytes, last->check, NULL,
                        "%zu more findings of this rule in this file are not listed", n_more);
    summary->is_summary = true;
    summary->severity = last->severity;
    summary->confidence = last->confidence;
    summary->persona = last->persona;
}

#define USES_SHOWN 8

/** What stands under an anchor is found once, there; its aliases are other places of it. */
static void relate_uses(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    if (!doc || doc->n_aliases == 0) {
        return;
    }
    const wpa_yaml_node *node = wpa_yaml_node_at(doc, finding->span.bytes.start);
    while (node && !(wpa_yaml_anchor(node) && node->kind != WPA_YAML_ALIAS)) {
        node = node->parent;
    }
    size_t n = 0;
    for (size_t i = 0; node && wpa_yaml_n_uses(node) && i < doc->n_aliases && n < USES_SHOWN; i++) {
        if (doc->aliases[i]->target == node) {
            wpa_rule_relate(run, finding, doc->aliases[i]->span, "here too, by alias");
            n++;
        }
    }
}

void wpa_sink_open_budget(wpa_rule_sink *sink)
{
    sink->budget.work = 0;
    sink->budget.max_work = WPA_RULE_WORK_MAX;
    sink->budget.max_bytes = sink->budget.bytes + WPA_RULE_BYTES_MAX;
    sink->budget.is_spent = false;
}

/** Out of the memory of the rule, all but what its repair wants. */
static wpa_finding *settle(const wpa_rule_sink *sink, const wpa_finding *from)
{
    wpa_arena *arena = sink->arena;
    wpa_finding *finding = wpa_arena_dup(arena, from, sizeof *from);
    finding->own_severity = from->severity;
    finding->own_persona = from->persona;
    finding->check = wpa_arena_text(arena, from->check);
    finding->message = wpa_arena_text(arena, from->message);
    finding->related = wpa_arena_dup(arena, from->related, from->n_related * sizeof *from->related);
    finding->related_capacity = from->n_related;
    for (size_t i = 0; i < finding->n_related; i++) {
        wpa_related *related = &finding->related[i];
        related->label = wpa_arena_text(arena, related->label);
        related->path =
            related->path == from->path ? from->path : wpa_arena_text(arena, related->path);
    }
    finding->subject = from->rule->repair ? from->subject : NULL;
    return finding;
}

static void settle_all(wpa_rule_sink *sink, const wpa_rule *rule, size_t from)
{
    wpa_rule_run run = {.rule = rule, .source = sink->source, .arena = sink->arena, .sink = sink};
    for (size_t i = from; i < sink->n_findings; i++) {
        sink->findings[i] = settle(sink, sink->findings[i]);
        configure(sink->setting, sink->findings[i]);
        relate_uses(&run, sink->findings[i]);
        wpa_finding_clamp(sink->source, sink->findings[i]);
        sink->findings[i]->is_unseen = !is_seen(sink->settings, sink->setting, sink->findings[i]);
        if (!sink->findings[i]->is_unseen) {
            wpa_finding_locate(sink->source, sink->findings[i]);
        }
    }
    wpa_sink_drop_dead(sink, from);
}

/** err is empty, and left so. */
static void run_rule(wpa_rule_sink *sink, const wpa_rule *rule, wpa_error *err)
{
    size_t from = sink->n_findings;
    wpa_arena_mark mark = wpa_arena_here(sink->scratch);
    wpa_rule_run run = {.rule = rule,
                        .source = sink->source,
                        .arena = sink->scratch,
                        .lasting = sink->asked,
                        .sink = sink,
                        .memo = sink->memo};
    sink->n_of_rule = 0;
    wpa_sink_open_budget(sink);
    if (!rule->check(&run, err)) {
        char text[sizeof err->message + sizeof err->context];
        wpa_sink_note(sink, rule, wpa_error_text(err, text, sizeof text));
    }
    if (err->code != WPA_OK) {
        *err = (wpa_error){0};
    }
    sink->memo = run.memo;
    if (sink->budget.is_spent) {
        sink->memo = NULL; /* some of its answers were cut short */
        wpa_sink_note(sink, rule, "stopped: it has looked at as much as a rule may in one file");
        sink->budget.is_spent = false; /* what was found before counts */
    }
    sink->work += sink->budget.work;
    if (sink->n_findings > from) {
        summarise_beyond(&run);
        settle_all(sink, rule, from);
    }
    if (sink->n_findings == from || !rule->repair) {
        wpa_arena_rewind(sink->scratch, mark);
    }
}

/** Of this thread, so that a busy machine does not change what is found. */
static int64_t spent_us(void)
{
    struct timespec spent;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent) == 0
               ? (int64_t)spent.tv_sec * 1000000 + spent.tv_nsec / 1000
               : 0;
}

/** Asking for the processor time is a system call: a coarse clock of the wall is asked first, and
    only a file that was long at it by that is asked for what it spent. */
bool wpa_sink_ask_clocks(wpa_rule_sink *sink)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0) {
        return false;
    }
    int64_t now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    sink->began_us = sink->began_us ? sink->began_us : now_us;
    sink->was_late = now_us - sink->began_us > (int64_t)WPA_RULES_TIME_MAX_MS * 1000 &&
                     spent_us() > sink->deadline_us;
    return sink->was_late;
}

static void run_rules(wpa_rule_sink *sink, bool are_last)
{
    size_t n_rules;
    wpa_error err = {0};
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    for (size_t i = are_last ? sink->n_first : 0; i < n_rules; i++) {
        const wpa_rule_setting *setting = &sink->settings->rules[i]; /* in the same order */
        if (rules[i]->runs_last != are_last) {
            sink->n_first = i < sink->n_first ? i : sink->n_first;
            continue;
        }
        if (!is_active(sink, rules[i], setting) || !is_asked_for(sink, rules[i], setting)) {
            continue;
        }
        if (!may_find(sink->source, rules[i])) {
            sink->has_run[i] = true; /* and would have found nothing */
            continue;
        }
        if (sink->work > WPA_RULES_WORK_MAX || wpa_sink_is_late(sink)) {
            wpa_sink_note(sink, rules[i], "not run: the file has used up its time");
            continue;
        }
        sink->has_run[i] = true;
        sink->setting = setting;
        run_rule(sink, rules[i], &err);
    }
}

/* ---- the whole ---- */

static void limit_file(wpa_rule_sink *sink)
{
    if (sink->n_findings > WPA_FINDINGS_PER_FILE_MAX && !sink->settings->is_unlimited) {
        wpa_finding *last = sink->findings[WPA_FINDINGS_PER_FILE_MAX];
        last->message =
            wpa_arena_printf(sink->arena, "%zu more findings in this file are not listed",
                             sink->n_findings - WPA_FINDINGS_PER_FILE_MAX);
        last->n_fixes = last->n_related = 0;
        sink->n_findings = WPA_FINDINGS_PER_FILE_MAX + 1;
    }
}

/** Comments and entries silence by lines, also what nobody would see: they have a use then. */
static void locate_unseen(const wpa_rule_sink *sink)
{
    for (size_t i = 0; i < sink->n_findings; i++) {
        if (sink->findings[i]->is_unseen) {
            wpa_finding_locate(sink->source, sink->findings[i]);
        }
    }
}

static void silence(wpa_rule_sink *sink, wpa_result *result)
{
    const wpa_settings *settings = sink->settings;
    if (!settings->ignores_off && sink->may_ignore) {
        locate_unseen(sink);
        wpa_ignores_apply(sink->ignores, sink->findings, sink->n_findings);
        wpa_ignore_entries_apply(settings, sink->source, sink->findings, sink->n_findings,
                                 sink->arena, &result->used, &result->n_used);
    }
}

static void count_uses(const wpa_outline_uses *uses, wpa_undecided *undecided)
{
    if (uses->kind == WPA_OUTLINE_REPOSITORY && uses->fact) {
        undecided->n_unknown += uses->fact->repo == NULL;
        undecided->n_unversioned += uses->fact->repo && !uses->fact->commit;
    }
}

static wpa_undecided count_undecided(const wpa_source *source)
{
    wpa_undecided undecided = {0};
    const wpa_outline *outline = source->outline;
    for (size_t i = 0; outline && i < outline->n_jobs; i++) {
        const wpa_outline_job *job = &outline->jobs[i];
        count_uses(&job->uses, &undecided);
        for (size_t k = 0; k < job->n_steps; k++) {
            const wpa_script *script = job->steps[k].lexed;
            count_uses(&job->steps[k].uses, &undecided);
            undecided.n_unread += job->steps[k].run && (!script || !script->is_readable);
        }
    }
    return undecided;
}

wpa_result wpa_rules_run(const wpa_source *source, const wpa_settings *settings, wpa_arena *arena)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    wpa_rule_sink sink = {.arena = arena, .settings = settings};
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new_within(&sink.budget);
    WPA_AUTO(wpa_arena) *asked = wpa_arena_new();
    wpa_source *view = wpa_arena_dup(arena, source, sizeof *source);
    view->around = wpa_surroundings_within(source->around, &sink.budget, arena);
    sink.source = view;
    sink.scratch = scratch;
    sink.asked = asked;
    int64_t began_us = spent_us();
    sink.deadline_us = began_us + (int64_t)WPA_RULES_TIME_MAX_MS * 1000;
    sink.has_run = wpa_arena_array(arena, n_rules, sizeof *sink.has_run);
    sink.n_first = n_rules;
    sink.ignores = wpa_ignores_read(source, settings->today, arena);
    sink.may_ignore = sink.ignores->n > 0 || settings->n_ignores > 0;
    run_rules(&sink, false);
    sort(&sink);
    wpa_sink_drop_repeated(&sink);
    bool are_named = names_fingerprints(settings);
    if (are_named) { /* else only what is seen needs one */
        identify(&sink, 0);
        wpa_findings_fingerprint(source, sink.findings, sink.n_findings);
    }
    wpa_result result = {
        .path = source->path, .source = source, .undecided = count_undecided(source)};
    silence(&sink, &result);
    size_t n_before = sink.n_findings;
    run_rules(&sink, true);
    bool has_fingerprints = are_named || needs_fingerprints(&sink, n_before);
    if (has_fingerprints) {
        identify(&sink, are_named ? n_before : 0);
    }
    wpa_sink_drop_unseen(&sink);
    if (has_fingerprints && settings->has_no_identities) {
        fingerprint_ties(&sink);
    } else if (has_fingerprints) {
        wpa_findings_fingerprint(source, sink.findings, sink.n_findings);
    }
    sort(&sink);
    limit_file(&sink);
    wpa_sink_repair(&sink);
    result.findings = sink.findings;
    result.n_findings = sink.n_findings;
    result.notes = sink.notes;
    result.n_notes = sink.n_notes;
    result.spent_us = spent_us() - began_us;
    result.work = sink.work;
    return result;
}
