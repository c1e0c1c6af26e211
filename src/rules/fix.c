#include "rules/fix.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "rules/fix_internal.h"

typedef wpa_fix_candidate candidate;
typedef wpa_fix_candidates candidates;

/* All that the rules say of a text, in an arena of its own; none: not asked yet. */
typedef struct judgement {
    wpa_result result;
    wpa_arena *arena;
} judgement;

/* The whole loop over one file. */
typedef struct fixer {
    const wpa_source *source;  /* as it is now */
    const wpa_settings *judge; /* every rule at every level: what a fix must not worsen */
    const wpa_fix_choice *choice;
    wpa_arena *arena;
    wpa_map *dropped;  /* fingerprints of findings whose fix did not hold */
    judgement before;  /* of the file as it is now */
    judgement proof;   /* of the file with these, the last that held: */
    candidates proven; /* in the arena of the proof */
    size_t n_tried;    /* bytes that were analysed to see whether fixes hold */
    size_t work;       /* and what rules looked at for it, */
    int64_t spent_us;  /* and how long they took */
    wpa_fix_outcome outcome;
    wpa_note *notes;
    size_t applied_capacity, fixes_capacity, notes_capacity;
} fixer;

/* ---- applying edits ---- */

static int compare_edits(const void *a, const void *b)
{
    const wpa_fix_edit *x = *(const wpa_fix_edit *const *)a, *y = *(const wpa_fix_edit *const *)b;
    if (x->bytes.start != y->bytes.start) {
        return x->bytes.start < y->bytes.start ? -1 : 1;
    }
    return x->bytes.end < y->bytes.end ? -1 : x->bytes.end > y->bytes.end;
}

static const wpa_fix_edit **list_edits(const wpa_fix *const fixes[], size_t n_fixes, size_t *n,
                                       wpa_arena *arena)
{
    size_t n_edits = 0;
    for (size_t i = 0; i < n_fixes; i++) {
        n_edits += fixes[i]->n_edits;
    }
    const wpa_fix_edit **edits = wpa_arena_array(arena, n_edits ? n_edits : 1, sizeof(void *));
    *n = 0;
    for (size_t i = 0; i < n_fixes; i++) {
        for (size_t j = 0; j < fixes[i]->n_edits; j++) {
            edits[(*n)++] = &fixes[i]->edits[j];
        }
    }
    return edits;
}

const char *wpa_fix_text(const char *from, size_t from_bytes, const wpa_fix_edit **edits, size_t n,
                         wpa_arena *arena, size_t *size_bytes)
{
    size_t n_inserted = 0, at = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        n_inserted += strlen(edits[i]->text);
    }
    if (n) {
        qsort(edits, n, sizeof *edits, compare_edits);
    }
    char *text = wpa_arena_alloc(arena, from_bytes + n_inserted + 1);
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(edits[i]->text);
        if (edits[i]->bytes.start < at) {
            continue; /* overlaps the one before: never of a fix that is sound */
        }
        memcpy(text + size, from + at, edits[i]->bytes.start - at);
        size += edits[i]->bytes.start - at;
        memcpy(text + size, edits[i]->text, length);
        size += length;
        at = edits[i]->bytes.end;
    }
    memcpy(text + size, from + at, from_bytes - at);
    *size_bytes = size + from_bytes - at;
    return text;
}

const char *wpa_fix_apply(const wpa_source *source, const wpa_fix *const fixes[], size_t n_fixes,
                          wpa_arena *arena, size_t *size_bytes)
{
    size_t n;
    const wpa_fix_edit **edits = list_edits(fixes, n_fixes, &n, arena);
    return wpa_fix_text(source->yaml->source, source->yaml->size_bytes, edits, n, arena,
                        size_bytes);
}

/* ---- choosing ---- */

bool wpa_fix_is_of_file(const wpa_source *source, const wpa_fix *fix)
{
    for (size_t i = 0; i < fix->n_edits; i++) {
        if (fix->edits[i].is_new || !wpa_text_is(fix->edits[i].path, source->path)) {
            return false;
        }
    }
    return true;
}

static bool is_rule_chosen(const wpa_fix_choice *choice, const wpa_rule *rule)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    size_t index = choice->rules ? wpa_rules_index(rule) : n_rules;
    return index == n_rules || choice->rules[index];
}

bool wpa_fix_is_wanted(const wpa_fix_choice *choice, const wpa_finding *finding)
{
    return finding->state == WPA_FINDING_OPEN && is_rule_chosen(choice, finding->rule) &&
           (!choice->fingerprint || wpa_text_is(choice->fingerprint, finding->fingerprint));
}

static const wpa_fix *best_fix(const fixer *f, const wpa_finding *finding)
{
    const wpa_fix_choice *choice = f->choice;
    bool is_wanted =
        wpa_fix_is_wanted(choice, finding) && !wpa_map_has(f->dropped, finding->fingerprint);
    for (size_t i = 0; is_wanted && i < finding->n_fixes; i++) {
        const wpa_fix *fix = finding->fixes[i];
        if ((choice->has_unsafe || fix->safety == WPA_FIX_SAFE) &&
            wpa_fix_is_of_file(f->source, fix)) {
            return fix;
        }
    }
    return NULL;
}

/* A place that a fix has taken. */
typedef struct claim {
    wpa_span bytes;
    bool is_removal;
} claim;

/* What is to be changed already, in order; no two of them overlap. */
typedef struct taken {
    claim *items; /* [n] */
    size_t n, capacity;
} taken;

/** How many begin in front of the offset. */
static size_t count_before(const taken *t, size_t offset)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->items[middle].bytes.start < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static claim claim_of(const wpa_fix_edit *edit)
{
    return (claim){edit->bytes, wpa_span_length(edit->bytes) > 0 && !*edit->text};
}

/** What is inserted right behind a text belongs to it, and goes nowhere if that is removed. */
static bool is_orphan(claim inserted, claim removed)
{
    return removed.is_removal && wpa_span_length(inserted.bytes) == 0 &&
           inserted.bytes.start == removed.bytes.end;
}

/** Two insertions at one place count as overlapping, since their order would be a guess. */
static bool is_clear(const taken *t, const wpa_fix *fix)
{
    for (size_t i = 0; i < fix->n_edits; i++) {
        claim x = claim_of(&fix->edits[i]);
        size_t at = count_before(t, x.bytes.start), end = count_before(t, x.bytes.end);
        const claim *before = at ? &t->items[at - 1] : NULL;
        const claim *behind = at < t->n ? &t->items[at] : NULL;
        bool is_met = (before && wpa_span_overlaps(before->bytes, x.bytes)) ||
                      (behind && (behind->bytes.start == x.bytes.start ||
                                  wpa_span_overlaps(behind->bytes, x.bytes)));
        if (is_met || (before && is_orphan(x, *before)) ||
            (end < t->n && is_orphan(t->items[end], x))) {
            return false;
        }
    }
    return true;
}

static void take_spans(taken *t, const wpa_fix *fix, wpa_arena *arena)
{
    for (size_t i = 0; i < fix->n_edits; i++) {
        claim x = claim_of(&fix->edits[i]);
        size_t at = count_before(t, x.bytes.start); /* the last, mostly: findings stand in order */
        t->items = wpa_arena_grow(arena, t->items, t->n, &t->capacity, sizeof *t->items);
        memmove(t->items + at + 1, t->items + at, (t->n - at) * sizeof *t->items);
        t->items[at] = x;
        t->n++;
    }
}

static void add(candidates *list, candidate item, wpa_arena *arena)
{
    list->items = wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = item;
}

static candidates choose(const fixer *f, const wpa_result *result)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    candidates list = {0};
    taken spans = {0};
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_fix *fix = best_fix(f, result->findings[i]);
        if (fix && is_clear(&spans, fix)) {
            take_spans(&spans, fix, scratch);
            add(&list, (candidate){result->findings[i], fix}, f->arena);
        }
    }
    return list;
}

/* ---- trying ---- */

static const wpa_source *apply(const fixer *f, const candidates *list, wpa_arena *arena)
{
    const wpa_fix **fixes = wpa_arena_array(arena, list->n, sizeof(void *));
    for (size_t i = 0; i < list->n; i++) {
        fixes[i] = list->items[i].fix;
    }
    size_t size_bytes;
    const char *text = wpa_fix_apply(f->source, fixes, list->n, arena, &size_bytes);
    return wpa_source_read(f->source->kind, f->source->path, text, size_bytes, f->source->around,
                           arena);
}

/*
 * What is analysed to see whether the fixes of one file hold, in bytes and in what rules look at:
 * of a file that people wrote all are tried, one that was made to need thousands of tries ends
 * here.
 */
#define TRIED_MAX_BYTES ((size_t)32 * 1024 * 1024)
#define TRIED_MAX_WORK (2 * WPA_RULES_WORK_MAX)
#define TRIED_MAX_US ((int64_t)2 * WPA_RULES_TIME_MAX_MS * 1000)
/* What the files of all rounds and their findings may hold; the next pass goes on from there. */
#define HELD_MAX_BYTES ((size_t)192 * 1024 * 1024)

/* A file that the forge refuses for its size is tried once or twice: others are not made to wait.
 */
#define REFUSED_MIN_BYTES ((size_t)512 * 1024)

static bool is_spent(const fixer *f)
{
    size_t size_bytes = f->source->size_bytes;
    size_t max_bytes = size_bytes > REFUSED_MIN_BYTES ? 4 * size_bytes : TRIED_MAX_BYTES;
    return f->n_tried > max_bytes || f->work > TRIED_MAX_WORK || f->spent_us > TRIED_MAX_US ||
           wpa_arena_used_bytes(f->arena) > HELD_MAX_BYTES;
}

static wpa_result analyse(fixer *f, const wpa_source *source, const wpa_settings *settings,
                          wpa_arena *arena)
{
    wpa_result result = wpa_rules_run(source, settings, arena);
    f->n_tried += source->size_bytes;
    f->work += result.work;
    f->spent_us += result.spent_us;
    return result;
}

/** Has the last try that held been this one? */
static bool is_proven(const fixer *f, const candidates *list)
{
    bool is_same = f->proof.arena && f->proven.n == list->n;
    for (size_t i = 0; is_same && i < list->n; i++) {
        is_same = f->proven.items[i].fix == list->items[i].fix;
    }
    return is_same;
}

static void keep_proof(fixer *f, const candidates *list, wpa_result result, wpa_arena *arena)
{
    wpa_arena_free(f->proof.arena);
    f->proof = (judgement){result, arena};
    f->proven = (candidates){.n = list->n};
    f->proven.items = wpa_arena_dup(arena, list->items, list->n * sizeof *list->items);
}

/** Would the file be better with these fixes? If not, why, in the fixer's arena; NULL: not tried.
 */
static bool holds(fixer *f, const candidates *list, bool is_strict, const char **fault)
{
    *fault = NULL;
    if (is_proven(f, list) || is_spent(f)) {
        return is_proven(f, list);
    }
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new(); /* attempts are many, and most of it waste */
    const wpa_source *source = apply(f, list, scratch);
    *fault = "the file could not be read any more";
    if (!source->yaml || (source->is_partial && !f->source->is_partial)) {
        return false;
    }
    wpa_result after = analyse(f, source, f->judge, scratch);
    *fault = wpa_arena_text(f->arena,
                            wpa_fix_fault(list, is_strict, &f->before.result, &after, scratch));
    if (*fault) {
        return false;
    }
    keep_proof(f, list, after, WPA_STEAL(scratch));
    return true;
}

/* ---- the loop ---- */

static void add_note(fixer *f, const char *rule, const char *text)
{
    wpa_fix_outcome *outcome = &f->outcome;
    f->notes =
        wpa_arena_grow(f->arena, f->notes, outcome->n_notes, &f->notes_capacity, sizeof *f->notes);
    f->notes[outcome->n_notes++] = (wpa_note){.path = f->source->path, .rule = rule, .text = text};
    outcome->notes = f->notes;
}

static void drop(fixer *f, const wpa_finding *finding, const char *fault)
{
    wpa_map_put(f->dropped, finding->fingerprint, f);
    add_note(
        f, finding->rule->id,
        wpa_arena_printf(f->arena, "fix at line %zu dropped: %s", finding->span.start.line, fault));
}

/** What was found to prove it is what the next ones are measured by. */
static void accept(fixer *f, const candidates *list)
{
    wpa_fix_outcome *outcome = &f->outcome;
    for (size_t i = 0; i < list->n; i++) {
        outcome->applied = wpa_arena_grow(f->arena, outcome->applied, outcome->n_applied,
                                          &f->applied_capacity, sizeof *outcome->applied);
        outcome->fixes = wpa_arena_grow(f->arena, outcome->fixes, outcome->n_applied,
                                        &f->fixes_capacity, sizeof *outcome->fixes);
        outcome->applied[outcome->n_applied] = list->items[i].finding;
        outcome->fixes[outcome->n_applied++] = list->items[i].fix;
    }
    f->source = apply(f, list, f->arena);
    wpa_arena_free(f->before.arena);
    f->before = is_proven(f, list) ? f->proof : (judgement){0};
    f->proof = f->before.arena ? (judgement){0} : f->proof;
}

static void add_all(const fixer *f, candidates *list, const candidates *more)
{
    for (size_t i = 0; i < more->n; i++) {
        add(list, more->items[i], f->arena);
    }
}

/** Of a list that does not hold add to sound what does, found by halving; the rest is dropped. */
static void keep_sound(fixer *f, const candidates *list, const char *fault, candidates *sound,
                       size_t *n_first)
{
    if (list->n == 1) {
        if (fault) {
            drop(f, list->items[0].finding, fault);
        }
        return;
    }
    candidates halves[] = {{list->items, list->n / 2, 0},
                           {list->items + list->n / 2, list->n - list->n / 2, 0}};
    for (size_t i = 0; i < WPA_COUNT(halves) && !is_spent(f); i++) {
        if (holds(f, &halves[i], false, &fault)) {
            *n_first = sound->n ? *n_first : halves[i].n;
            add_all(f, sound, &halves[i]);
        } else {
            keep_sound(f, &halves[i], fault, sound, n_first);
        }
    }
}

/** Those that hold together of a list that does not. */
static candidates find_sound(fixer *f, const candidates *list, const char *fault)
{
    candidates sound = {0};
    size_t n_first = 0;
    keep_sound(f, list, fault, &sound, &n_first);
    if (sound.n > n_first && !holds(f, &sound, false, &fault)) {
        sound.n = n_first; /* each of the others did by itself: they are next */
    }
    return sound;
}

/** Severities in the configuration and of the rules themselves, in one order. */
static size_t rank_of(const wpa_finding *finding)
{
    return (size_t)finding->severity * WPA_SEVERITY_COUNT + finding->own_severity;
}

static candidates of_rank(const fixer *f, const candidates *list, size_t rank)
{
    candidates some = {0};
    for (size_t i = 0; i < list->n; i++) {
        if (rank_of(list->items[i].finding) == rank) {
            add(&some, list->items[i], f->arena);
        }
    }
    return some;
}

/** Those of one severity: what a fix may bring is measured by what it cures. */
static candidates take_rank(fixer *f, const candidates *list, size_t rank, const char *fault)
{
    candidates some = of_rank(f, list, rank);
    bool is_all = some.n == list->n; /* which has been tried */
    if (some.n == 0 || (!is_all && holds(f, &some, false, &fault))) {
        return some;
    }
    return find_sound(f, &some, fault);
}

/** Take all at once; else what holds, the worst first, and the rest waits for the next round. */
static void take(fixer *f, const candidates *list)
{
    candidates all = {0};
    const char *fault, *why;
    if (holds(f, list, true, &fault)) {
        accept(f, list);
        return;
    }
    for (size_t i = (size_t)WPA_SEVERITY_COUNT * WPA_SEVERITY_COUNT; i-- > 0;) {
        candidates some = take_rank(f, list, i, fault);
        size_t n_before = all.n;
        add_all(f, &all, &some);
        if (n_before && some.n && !holds(f, &all, false, &why)) {
            all.n = n_before;
        }
    }
    if (all.n) {
        accept(f, &all);
    }
}

/** Is it known what must not get worse? If some rule did not look at all of it, nothing is. */
static bool can_judge(fixer *f)
{
    if (!f->before.arena) {
        f->before.arena = wpa_arena_new();
        f->before.result = analyse(f, f->source, f->judge, f->before.arena);
    }
    const char *unfinished = wpa_fix_unfinished(&f->before.result);
    if (unfinished) {
        add_note(f, unfinished,
                 "no fix is tried: it did not come to its end in this file, and what "
                 "they would bring is not known");
    }
    return !unfinished;
}

static void note_untried(fixer *f, const wpa_result *result)
{
    candidates left = is_spent(f) ? choose(f, result) : (candidates){0};
    if (left.n) {
        add_note(f, NULL,
                 wpa_arena_printf(
                     f->arena,
                     "stopped: %zu fixes not tried, as much was tried for this file as may be",
                     left.n));
    }
}

/** As many findings as there are, so that one round does for all of them. */
static const wpa_settings *without_limit(const wpa_settings *settings, wpa_arena *arena)
{
    wpa_settings *unlimited = wpa_arena_dup(arena, settings, sizeof *settings);
    unlimited->is_unlimited = true;
    return unlimited;
}

/** Are there so many of any rule, or of all, that not each of them is listed? */
static bool is_beyond_limit(const wpa_result *result, wpa_arena *arena)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    size_t *n = wpa_arena_array(arena, n_rules + 1, sizeof *n);
    bool is_beyond = result->n_findings > WPA_FINDINGS_PER_FILE_MAX;
    for (size_t i = 0; i < result->n_findings && !is_beyond; i++) {
        is_beyond = ++n[wpa_rules_index(result->findings[i]->rule)] > WPA_FINDINGS_PER_RULE_MAX;
    }
    return is_beyond;
}

/** Rounds until none is left that may be taken. */
static void take_all(fixer *f, const wpa_settings *settings, wpa_result *result)
{
    for (int round = 0; round < WPA_FIX_MAX_ROUNDS && !is_spent(f); round++) {
        candidates list = choose(f, result);
        if (list.n == 0 || !can_judge(f)) {
            break;
        }
        size_t n_before = f->outcome.n_applied;
        take(f, &list);
        if (f->outcome.n_applied > n_before) {
            *result = analyse(f, f->source, settings, f->arena);
        }
    }
    note_untried(f, result);
}

wpa_fix_outcome wpa_rules_fix(const wpa_source *source, const wpa_settings *settings,
                              const wpa_fix_choice *choice, wpa_arena *arena)
{
    fixer f = {
        .source = source,
        .judge = wpa_fix_judge(settings, arena),
        .choice = choice,
        .arena = arena,
        .dropped = wpa_map_new(arena),
    };
    const wpa_settings *unlimited = without_limit(settings, arena);
    wpa_result result = analyse(&f, source, unlimited, arena);
    if (source->yaml) {
        take_all(&f, unlimited, &result);
    }
    if (is_beyond_limit(&result, arena)) { /* what is told of the file is limited as ever */
        result = wpa_rules_run(f.source, settings, arena);
    }
    wpa_arena_free(f.before.arena);
    wpa_arena_free(f.proof.arena);
    f.outcome.result = result;
    f.outcome.work = f.work;
    f.outcome.text = f.source->yaml ? f.source->yaml->source : "";
    f.outcome.size_bytes = f.source->yaml ? f.source->yaml->size_bytes : 0;
    return f.outcome;
}
