#include "rules/upgrade.h"

#include <string.h>

#include <wpa/buf.h>

bool wpa_rule_is_one_edit(wpa_slice a, const char *b)
{
    size_t n = a.length, m = strlen(b), head = 0, tail = 0;
    size_t least = n < m ? n : m;
    while (head < least && a.at[head] == b[head]) {
        head++;
    }
    while (tail < least - head && a.at[n - 1 - tail] == b[m - 1 - tail]) {
        tail++;
    }
    size_t rest_a = n - head - tail, rest_b = m - head - tail;
    bool is_swap =
        rest_a == 2 && rest_b == 2 && a.at[head] == b[head + 1] && a.at[head + 1] == b[head];
    return (rest_a <= 1 && rest_b <= 1 && rest_a + rest_b > 0) || is_swap;
}

#define HINT_MAX_BYTES ((size_t)200)

const char *wpa_rule_find_meant(const char *text, const char *const names[])
{
    const char *meant = NULL;
    bool are_several = false;
    bool is_letter = text[0] && !text[1]; /* one edit away from any other letter */
    for (size_t i = 0; names && names[i]; i++) {
        if (wpa_text_is_ci(text, names[i])) {
            return names[i];
        }
        if (!is_letter && wpa_rule_is_one_edit(wpa_slice_of(text), names[i])) {
            are_several = meant != NULL;
            meant = names[i];
        }
    }
    return are_several ? NULL : meant;
}

const char *wpa_rule_hint(const char *meant, const char *const names[], wpa_arena *arena)
{
    if (meant) {
        return wpa_arena_printf(arena, " (did you mean '%s'?)", meant);
    }
    size_t n = 0, length = 0;
    while (names && names[n] && n <= WPA_HINT_MAX && length <= HINT_MAX_BYTES) {
        length += strlen(names[n++]) + 2;
    }
    if (!n || n > WPA_HINT_MAX || length > HINT_MAX_BYTES) {
        return "";
    }
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(2 * HINT_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        wpa_buf_text(buf, i ? ", " : n == 1 ? " (there is " : " (there are ");
        wpa_buf_text(buf, names[i]);
    }
    wpa_buf_char(buf, ')');
    return wpa_buf_dup(buf, arena);
}

/* Readers of outputs are looked for in the text, once a step: not in files that are huge. */
#define OUTPUTS_MAX_BYTES ((size_t)128 * 1024)

/* Is a row of the action one that a step crosses on its way to a major? */
static bool is_crossed(const wpa_fact_migration *row, const wpa_outline_uses *uses, int target)
{
    return row->to <= target && row->to > wpa_outline_major(uses);
}

static const wpa_fact_migration *find_rename(const wpa_outline_uses *uses, int target,
                                             wpa_fact_change change, const char *name)
{
    const wpa_fact_migration *rows = uses->fact->migrations;
    for (size_t i = 0; i < uses->fact->n_migrations; i++) {
        if (rows[i].change == change && is_crossed(&rows[i], uses, target) &&
            wpa_text_is_ci(rows[i].name, name)) {
            return &rows[i];
        }
    }
    return NULL;
}

static void add_renamed(wpa_upgrade *upgrade, const wpa_fact_migration *row)
{
    for (size_t i = 0; i < upgrade->n_renamed; i++) {
        if (upgrade->renamed[i] == row) {
            return;
        }
    }
    if (upgrade->n_renamed < WPA_UPGRADE_MAX) {
        upgrade->renamed[upgrade->n_renamed++] = row;
    }
}

/* What the version in use does not take either is action-inputs' to say. */
static bool is_taken_now(const wpa_outline_step *step, const char *name)
{
    wpa_fact_input input;
    const wpa_fact_major *now = &step->uses.fact->major;
    bool is_known = step->uses.fact->has_major && now->number == wpa_outline_major(&step->uses);
    return !is_known || wpa_facts_input_find(now, wpa_slice_of(name), &input);
}

static void look_at_inputs(const wpa_outline_step *step, const wpa_fact_major *major,
                           wpa_upgrade *upgrade)
{
    wpa_fact_input input;
    bool is_docker = wpa_text_is(major->using, "docker");
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        const char *name = wpa_yaml_text(step->with->pairs[i].key);
        bool is_own = is_docker && (wpa_text_is(name, "args") || wpa_text_is(name, "entrypoint"));
        if (!name || is_own || wpa_facts_input_find(major, wpa_slice_of(name), &input)) {
            continue;
        }
        const wpa_fact_migration *row =
            find_rename(&step->uses, major->number, WPA_CHANGE_INPUT_RENAMED, name);
        if (row && !wpa_outline_with(step, row->replacement) &&
            upgrade->n_renamed < WPA_UPGRADE_MAX) {
            add_renamed(upgrade, row);
        } else if (upgrade->n_removed < WPA_UPGRADE_MAX && is_taken_now(step, name)) {
            upgrade->removed[upgrade->n_removed++] = name;
        }
    }
    for (size_t i = 0; major->wants_input && i < major->n_inputs; i++) {
        input = wpa_facts_input_at(major, i);
        if (input.is_required && !input.has_default && !wpa_outline_with(step, input.name)) {
            upgrade->required = input.name;
        }
    }
}

/* The next "steps.<id>.outputs.<name>" in the file at or behind *at; *at moves behind it. */
static bool next_output(const wpa_outline_step *step, size_t *at, wpa_span *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *source = step->node->doc->source;
    size_t id_length = strlen(step->id);
    for (const char *hit; (hit = strstr(source + *at, "steps."));) {
        const char *id = hit + 6, *behind = id + id_length;
        *at = (size_t)(id - source);
        if (strncmp(id, step->id, id_length) == 0 && wpa_text_starts(behind, ".outputs.")) {
            name->start = (size_t)(behind - source) + 9;
            name->end = name->start + strspn(source + name->start, letters);
            *at = name->end;
            return true;
        }
    }
    return false;
}

static void look_at_outputs(const wpa_outline_step *step, const wpa_fact_major *major,
                            wpa_upgrade *upgrade)
{
    size_t at = 0;
    wpa_span span;
    const wpa_fact_use *fact = step->uses.fact;
    bool may_lose = step->id && fact && fact->has_major && fact->major.n_outputs > 0 &&
                    step->node->doc->size_bytes <= OUTPUTS_MAX_BYTES;
    while (may_lose && next_output(step, &at, &span)) {
        wpa_slice name = {step->node->doc->source + span.start, wpa_span_length(span)};
        bool is_lost =
            wpa_facts_output_has(&fact->major, name) && !wpa_facts_output_has(major, name);
        const wpa_fact_migration *rows = fact->migrations;
        for (size_t i = 0; is_lost && i < fact->n_migrations; i++) {
            if (rows[i].change == WPA_CHANGE_OUTPUT_RENAMED && wpa_slice_is(name, rows[i].name) &&
                is_crossed(&rows[i], &step->uses, major->number)) {
                add_renamed(upgrade, &rows[i]);
                is_lost = false;
            }
        }
        if (is_lost && upgrade->n_lost < WPA_UPGRADE_MAX) {
            upgrade->lost[upgrade->n_lost++] =
                wpa_arena_slice(step->node->doc->arena, name.at, name.length);
        }
    }
}

static void look_at_changes(const wpa_outline_step *step, const wpa_fact_major *major,
                            wpa_upgrade *upgrade)
{
    const wpa_fact_use *fact = step->uses.fact;
    for (size_t i = 0; i < fact->n_migrations; i++) {
        const wpa_fact_migration *row = &fact->migrations[i];
        bool may_tell = row->change == WPA_CHANGE_DEFAULT || row->change == WPA_CHANGE_BEHAVIOUR;
        if (!may_tell || !is_crossed(row, &step->uses, major->number)) {
            continue;
        }
        bool is_set =
            row->change == WPA_CHANGE_DEFAULT && row->name && wpa_outline_with(step, row->name);
        if (!is_set && upgrade->n_notes < WPA_UPGRADE_MAX) {
            upgrade->notes[upgrade->n_notes++] = row;
        }
    }
}

wpa_upgrade wpa_upgrade_look(const wpa_outline_step *step, const wpa_fact_major *major)
{
    wpa_upgrade upgrade = {0};
    if (step) {
        look_at_inputs(step, major, &upgrade);
        look_at_outputs(step, major, &upgrade);
        look_at_changes(step, major, &upgrade);
    }
    return upgrade;
}

bool wpa_upgrade_is_clean(const wpa_upgrade *upgrade)
{
    return upgrade->n_removed == 0 && upgrade->n_lost == 0 && !upgrade->required;
}

/* Is nothing of this major switched off, as far as the tables know? */
static bool is_supported(const wpa_outline_uses *uses, const wpa_fact_major *major)
{
    wpa_fact_use use = {.has_version = true};
    wpa_slice newest = wpa_slice_of(major->newest);
    return wpa_version_parse(newest, &use.version) &&
           !wpa_facts_end_find(uses->slug, newest, &use) && !wpa_facts_runtime_end(major->using);
}

bool wpa_upgrade_find(const wpa_outline_uses *uses, const wpa_outline_step *step,
                      wpa_fact_major *major)
{
    const wpa_fact_action *action = uses->fact->action;
    int current = wpa_outline_major(uses);
    size_t i = action && current >= 0 ? wpa_facts_major_count(action) : 0;
    while (i-- > 0) { /* newest first: the lowest that fits is found first from behind */
        wpa_fact_major candidate = wpa_facts_major_at(action, i);
        if (candidate.number <= current || !candidate.newest || !candidate.newest_commit ||
            !is_supported(uses, &candidate)) {
            continue;
        }
        wpa_upgrade upgrade = wpa_upgrade_look(step, &candidate);
        if (wpa_upgrade_is_clean(&upgrade)) {
            *major = candidate;
            return true;
        }
    }
    return false;
}

/* ---- writing ---- */

/* What it costs to look at a version of an action, with all that is known to have changed. */
#define LOOK_WORK 200

static const wpa_outline_step *step_of(const wpa_rule_run *run, const wpa_outline_uses *uses)
{
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        for (size_t k = 0; k < job->n_steps; k++) {
            if (&job->steps[k].uses == uses) {
                return &job->steps[k];
            }
        }
    }
    return NULL;
}

static void write_names(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_step *step,
                        const wpa_fact_major *major)
{
    wpa_upgrade upgrade = wpa_upgrade_look(step, major);
    for (size_t i = 0; i < upgrade.n_renamed; i++) {
        const wpa_fact_migration *row = upgrade.renamed[i];
        const wpa_yaml_pair *pair = row->change == WPA_CHANGE_INPUT_RENAMED
                                        ? wpa_yaml_find_ci(step->with, row->name)
                                        : NULL;
        if (pair) {
            wpa_rule_edit(run, fix, pair->key->span, "%s", row->replacement);
        }
        size_t at = 0;
        wpa_span span;
        while (row->change == WPA_CHANGE_OUTPUT_RENAMED && next_output(step, &at, &span)) {
            wpa_slice name = {step->node->doc->source + span.start, wpa_span_length(span)};
            if (wpa_slice_is(name, row->name)) {
                wpa_rule_edit(run, fix, span, "%s", row->replacement);
            }
        }
    }
}

static const char *write_ref(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_uses *uses,
                             const wpa_fact_major *major)
{
    wpa_version written;
    bool is_version = wpa_version_parse(uses->ref, &written);
    bool is_moving = is_version && written.n_parts == 1 && major->ref && major->ref[0] == 'v';
    const char *name = is_moving ? major->ref : major->newest;
    if (!fix) {
        return name;
    }
    if (uses->fact->pin == WPA_PIN_COMMIT) {
        (void)wpa_rule_pin(run, fix, uses, NULL, major->newest_commit, major->newest);
        return name;
    }
    fix->needs = wpa_rule_needs(run, WPA_FACTS_ACTIONS);
    wpa_rule_edit(run, fix, uses->ref_span, "%s", name);
    if (uses->hint.length) { /* a comment that names the old version would lie */
        size_t start = (size_t)(uses->hint.at - uses->node->doc->source);
        wpa_rule_edit(run, fix, (wpa_span){start, start + uses->hint.length}, "%s", name);
    }
    return name;
}

/* Steps of this file that use the partner below the major that the other side needs. */
static void write_partners(wpa_rule_run *run, wpa_fix *fix, const wpa_fact_migration *row)
{
    const wpa_outline *o = run->source->outline;
    int64_t least = 0;
    bool has_least = wpa_text_to_int(row->replacement, 0, 999, &least);
    for (size_t i = 0; has_least && i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps && wpa_rule_spend(run, 4); k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            int major = wpa_outline_major(&step->uses);
            wpa_fact_major target;
            if (wpa_outline_step_uses(step, row->name) && major >= 0 && major < least &&
                wpa_rule_spend(run, LOOK_WORK) && wpa_upgrade_find(&step->uses, step, &target)) {
                (void)write_ref(run, fix, &step->uses, &target);
                write_names(run, fix, step, &target);
            }
        }
    }
}

void wpa_upgrade_offer(wpa_rule_run *run, wpa_finding *finding, wpa_safety safety,
                       const wpa_outline_uses *uses, const wpa_fact_major *major)
{
    wpa_fix *fix =
        wpa_rule_fix(run, finding, safety, "go to %s", write_ref(run, NULL, uses, major));
    (void)write_ref(run, fix, uses, major);
    (void)wpa_rule_spend(run, LOOK_WORK);
    const wpa_outline_step *step = step_of(run, uses);
    if (!step) {
        return;
    }
    write_names(run, fix, step, major);
    const wpa_fact_migration *rows = uses->fact->migrations;
    for (size_t i = 0; i < uses->fact->n_migrations; i++) {
        if (rows[i].change == WPA_CHANGE_PARTNER && is_crossed(&rows[i], uses, major->number)) {
            write_partners(run, fix, &rows[i]);
        }
    }
}
