#include "rules/engine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wpa/text.h>

#include "rules/outline.h"
#include "rules/turns.h"

/* ---- what of the findings is seen ---- */

static bool is_check_off(const wpa_rule_setting *setting, const char *check)
{
    return check && setting->checks_off && wpa_map_has(setting->checks_off, check);
}

/** setting is that of the finding's rule. */
static bool is_seen(const wpa_settings *settings, const wpa_rule_setting *setting,
                    const wpa_finding *finding)
{
    return !is_check_off(setting, finding->check) && finding->severity >= settings->min_severity &&
           finding->confidence >= settings->min_confidence &&
           (setting->toggle == WPA_TOGGLE_ON ||
            finding->persona <= wpa_settings_level(settings, finding->dimension));
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

/* ---- running ---- */

static void summarise_beyond(wpa_rule_run *run)
{
    wpa_rule_sink *sink = run->sink;
    wpa_sink_take_beyond(sink);
    size_t n_more = sink->n_beyond;
    if (n_more == 0) {
        return;
    }
    const wpa_finding *last = sink->findings[sink->n_findings - 1];
    bool is_worse = sink->has_worst && sink->worst.severity > last->severity;
    const wpa_finding shown = is_worse ? sink->worst : *last;
    sink->n_before = sink->n_findings; /* room for the summary itself */
    wpa_finding *summary = wpa_rule_report(
        run, shown.span.bytes, shown.check, NULL,
        "%zu more findings of this rule in this file are not listed%s", n_more,
        is_worse ? wpa_arena_printf(run->arena, ", the first one of %s severity is here",
                                    wpa_severity_name(shown.severity))
                 : "");
    summary->is_summary = true;
    summary->severity = shown.severity;
    summary->confidence = shown.confidence;
    summary->persona = shown.persona;
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
    sink->budget->work = 0;
    sink->budget->max_work = WPA_RULE_WORK_MAX;
    sink->budget->max_bytes = sink->budget->bytes + WPA_RULE_BYTES_MAX;
    sink->budget->is_spent = false;
}

/** Will what the rule noted of a finding be asked for again? */
static bool wants_subject(const wpa_rule_sink *sink, const wpa_rule *rule)
{
    return rule->repair && !sink->settings->has_no_repairs;
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
    finding->subject = wants_subject(sink, from->rule) ? from->subject : NULL;
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

/* Where rules work, one after the other, over all files that go together. */
typedef struct desk {
    wpa_arena *scratch; /* of the rules: what stays of them is copied out */
    wpa_arena *asked;   /* of what they ask for: neighbours, and answers that are asked for again */
    wpa_arena_mark mark; /* of scratch: what is behind it is of the rule that runs now */
    size_t first_last;   /* of all rules, the first one that runs behind the others */
} desk;

/* What most rules do in few files is kept apart from what all do in each, whose frame is small. */
#define SELDOM __attribute__((noinline))

/** Of a rule that has said something: its findings as they stay, if any are left. */
SELDOM static void take_findings(wpa_rule_sink *sink, wpa_rule_run *run, desk *d)
{
    if (sink->n_findings > sink->n_before) {
        size_t from = sink->n_before;
        summarise_beyond(run);
        settle_all(sink, run->rule, from);
        bool are_left = sink->n_findings > from;
        if (are_left && run->rule->supersedes && sink->n_won < WPA_WON_MAX) {
            sink->won[sink->n_won++] = (wpa_won){.from = from, .to = sink->n_findings};
        }
        if (are_left && wants_subject(sink, run->rule)) {
            d->mark = wpa_arena_here(d->scratch);
        }
    }
    sink->n_before = sink->n_findings;
    sink->n_of_rule = sink->n_beyond = 0;
    sink->has_worst = sink->is_full = sink->has_beyond = false;
}

SELDOM static void note_error(wpa_rule_sink *sink, const wpa_rule *rule, bool is_overcome,
                              wpa_error *err)
{
    char text[sizeof err->message + sizeof err->context];
    if (!is_overcome) {
        wpa_sink_note(sink, rule, wpa_error_text(err, text, sizeof text));
    }
    *err = (wpa_error){0};
}

SELDOM static void note_end(wpa_rule_sink *sink, wpa_rule_run *run)
{
    run->memo = NULL; /* some of its answers were cut short */
    run->answers = NULL;
    wpa_sink_note(sink, run->rule, "stopped: it has looked at as much as a rule may in one file");
    sink->budget->is_spent = false; /* what was found before counts */
}

/** The same record serves all rules of a file in turn. err is empty, and left so. */
static void run_rule(wpa_rule_sink *sink, wpa_rule_run *run, desk *d, wpa_error *err)
{
    run->depth = run->followed = 0;
    run->ignores_members = run->asks_for_thread = false;
    wpa_sink_open_budget(sink);
    bool is_fine = run->rule->check(run, err);
    if (!is_fine || err->code != WPA_OK) {
        note_error(sink, run->rule, is_fine, err);
    }
    if (sink->budget->is_spent) {
        note_end(sink, run);
    }
    sink->work += sink->budget->work;
    if (sink->n_of_rule > 0) { /* in most files most rules find nothing */
        take_findings(sink, run, d);
    }
    wpa_arena_rewind(d->scratch, d->mark);
}

/** Of this thread, so that a busy machine does not change what is found. */
static int64_t spent_us(void)
{
    struct timespec spent;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent) == 0
               ? (int64_t)spent.tv_sec * 1000000 + spent.tv_nsec / 1000
               : 0;
}

/** Of the wall: no system call, as the one for the processor time is. */
static int64_t coarse_us(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0
               ? (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000
               : 0;
}

/** Only a file that was long at it by the coarse clock is asked for what it spent. */
bool wpa_sink_ask_clocks(wpa_rule_sink *sink)
{
    int64_t now_us = coarse_us();
    sink->began_us = sink->began_us ? sink->began_us : now_us;
    sink->was_late = now_us - sink->began_us > (int64_t)WPA_RULES_TIME_MAX_MS * 1000 &&
                     spent_us() > sink->deadline_us;
    return sink->was_late;
}

/* ---- the whole ---- */

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

/* One file on its way through the rules. */
typedef struct judged {
    wpa_rules_task *task;
    wpa_rule_sink sink;
    wpa_rule_run run; /* of each rule in turn */
    desk *desk;
    wpa_file_bits bit;
    wpa_file_bits *turns; /* [number of rules] that are left, of all files that go together */
} judged;

/** The turn of a rule at this file, by its index in the registry. err is empty, and left so. */
static inline void take(judged *j, const wpa_rule *rule, size_t i, wpa_error *err)
{
    wpa_rule_sink *sink = &j->sink;
    j->turns[i] ^= j->bit;
    if (sink->work > WPA_RULES_WORK_MAX || (sink->deadline_us && wpa_sink_is_late(sink))) {
        wpa_sink_note(sink, rule, "not run: the file has used up its time");
        return;
    }
    sink->has_run[i] = true;
    sink->setting = &sink->settings->rules[i]; /* in the same order */
    j->run.rule = rule;
    j->run.kept = &sink->kept[i];
    run_rule(sink, &j->run, j->desk, err);
}

/** The turns that the file has left: of those that run behind all others, or of the others. */
static void run_rest(judged *j, bool is_last)
{
    size_t n_rules;
    wpa_error err = {0};
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    for (size_t i = is_last ? j->desk->first_last : 0; i < n_rules; i++) {
        if (j->turns[i] & j->bit && rules[i]->runs_last == is_last) {
            take(j, rules[i], i, &err);
        }
    }
}

static size_t find_first_last(void)
{
    size_t n_rules, i = 0;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    while (i < n_rules && !rules[i]->runs_last) {
        i++;
    }
    return i;
}

static void **kept_new(wpa_arena *asked)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    return wpa_arena_array(asked, n_rules, sizeof(void *));
}

/** Where the rules of a file work from here on; they are at the expense of its budget. */
static void sit_down(judged *j, desk *d, void **kept)
{
    j->desk = d;
    j->sink.asked = d->asked;
    j->sink.kept = kept;
    j->run = (wpa_rule_run){.source = j->sink.source,
                            .arena = d->scratch,
                            .lasting = d->asked,
                            .sink = &j->sink,
                            .memo = j->run.memo,
                            .answers = j->run.answers};
}

static void begin(judged *j, wpa_rules_task *task, wpa_arena *arena, wpa_budget *budget)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    const wpa_source *source = task->source;
    const wpa_settings *settings = task->settings;
    wpa_ignores *ignores = wpa_ignores_read(source, settings->today, arena);
    wpa_source *view = wpa_arena_dup(arena, source, sizeof *source);
    view->around = wpa_surroundings_within(source->around, budget, arena);
    task->result =
        (wpa_result){.path = source->path, .source = source, .undecided = count_undecided(source)};
    *j = (judged){
        .task = task,
        .sink = {.arena = arena,
                 .budget = budget,
                 .source = view,
                 .settings = settings,
                 .ignores = ignores,
                 .may_ignore = ignores->n > 0 || settings->n_ignores > 0,
                 .has_run = wpa_arena_array(arena, n_rules, sizeof(bool))},
    };
}

static int64_t deadline_of(int64_t began_us)
{
    return began_us + (int64_t)WPA_RULES_TIME_MAX_MS * 1000;
}

/** What is left to do for a file that the rules have gone over, within its own time. */
static void finish(judged *j, int64_t began_us)
{
    wpa_rule_sink *sink = &j->sink;
    wpa_result *result = &j->task->result;
    sink->deadline_us = deadline_of(began_us);
    wpa_sink_open_budget(sink);
    size_t n_before = wpa_sink_silence(sink, result);
    sink->n_before = n_before;
    run_rest(j, true);
    wpa_sink_conclude(sink, n_before);
    result->findings = sink->findings;
    result->n_findings = sink->n_findings;
    result->notes = sink->notes;
    result->n_notes = sink->n_notes;
    result->work = sink->work;
}

/* Files stay together while all of them are as most are; what takes more is judged by itself. */
#define TOGETHER_MAX_BYTES ((size_t)2 * 1024 * 1024)
#define TOGETHER_MAX_US ((int64_t)100 * 1000)
#define RULES_BETWEEN_CLOCKS 8

/** Each rule goes over all files before the next one does: it finds its code, its tables and what
    the processor has learnt of its branches where the last file left them. False if that did not
    go to the end. */
static bool go_together(judged *files, const wpa_file_bits *turns, const wpa_budget *budget,
                        const wpa_budget *lasting)
{
    size_t n_rules;
    wpa_error err = {0};
    int64_t began_us = coarse_us();
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    for (size_t i = 0; i < n_rules; i++) {
        if (i % RULES_BETWEEN_CLOCKS == 0 && coarse_us() - began_us > TOGETHER_MAX_US) {
            return false;
        }
        __builtin_prefetch(rules[i + 1 < n_rules ? i + 1 : i]); /* of no rule they are near */
        for (unsigned left = turns[i] && !rules[i]->runs_last ? turns[i] : 0; left;
             left &= left - 1) {
            if (budget->bytes + lasting->bytes > TOGETHER_MAX_BYTES) {
                return false;
            }
            take(&files[__builtin_ctz(left)], rules[i], i, &err);
        }
    }
    return true;
}

/** Most are done before the coarse clock moves: until then they have begun at the same time. */
static void finish_light(judged *files, size_t n, int64_t now_us)
{
    int64_t seen_us = coarse_us();
    for (size_t k = 0; k < n; k++) {
        int64_t coarse = coarse_us();
        now_us = coarse == seen_us ? now_us : spent_us();
        seen_us = coarse;
        finish(&files[k], now_us);
    }
}

/** With the turns that are left. What it makes from here on is let go of with it; what has been
    made stays. Returns when that was done. */
static int64_t finish_alone(judged *file, int64_t began_us)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new_within(file->sink.budget);
    WPA_AUTO(wpa_arena) *asked = wpa_arena_new();
    desk own = {.scratch = scratch,
                .asked = asked,
                .mark = wpa_arena_here(scratch),
                .first_last = file->desk->first_last};
    sit_down(file, &own, kept_new(asked));
    file->sink.deadline_us = deadline_of(began_us);
    run_rest(file, false);
    finish(file, began_us);
    int64_t ended_us = spent_us();
    file->task->result.spent_us += ended_us - began_us;
    return ended_us;
}

/** Of the time that was spent together each file is said to have taken its part, by its size. */
static void share_out(wpa_rules_task *tasks, size_t n, int64_t us)
{
    size_t size_bytes = 0;
    for (size_t k = 0; k < n; k++) {
        size_bytes += tasks[k].source->size_bytes + 1;
    }
    for (size_t k = 0; k < n; k++) {
        double part = (double)(tasks[k].source->size_bytes + 1) / (double)size_bytes;
        tasks[k].result.spent_us = (int64_t)((double)us * part);
    }
}

void wpa_rules_run_together(wpa_rules_task *tasks, size_t n, wpa_arena *arena)
{
    judged files[WPA_RULES_TOGETHER_MAX];
    wpa_budget budget = {0}, lasting = {.max_work = SIZE_MAX, .max_bytes = SIZE_MAX};
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new_within(&budget);
    WPA_AUTO(wpa_arena) *asked = wpa_arena_new_within(&lasting);
    desk shared = {.scratch = scratch,
                   .asked = asked,
                   .mark = wpa_arena_here(scratch),
                   .first_last = find_first_last()};
    int64_t began_us = spent_us();
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    wpa_file_bits *turns = wpa_arena_array(arena, n_rules, sizeof *turns);
    wpa_lineup lineup = wpa_lineup_new(arena);
    void **kept = kept_new(asked);
    for (size_t k = 0; k < n; k++) {
        begin(&files[k], &tasks[k], arena, &budget);
        sit_down(&files[k], &shared, kept);
        files[k].turns = turns;
        files[k].bit = (wpa_file_bits)(1U << k);
        wpa_turns_find(&lineup, &files[k].sink, files[k].bit, turns);
    }
    wpa_turns_close(&lineup, turns);
    bool are_light = go_together(files, turns, &budget, &lasting);
    int64_t now_us = spent_us();
    if (are_light) {
        finish_light(files, n, now_us);
        now_us = spent_us();
    }
    share_out(tasks, n, now_us - began_us);
    for (size_t k = 0; k < n && !are_light; k++) {
        now_us = finish_alone(&files[k], now_us);
    }
}

wpa_result wpa_rules_run(const wpa_source *source, const wpa_settings *settings, wpa_arena *arena)
{
    wpa_rules_task task = {.source = source, .settings = settings};
    wpa_rules_run_together(&task, 1, arena);
    return task.result;
}
