#include "rules/fix.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "rules/fix_internal.h"

typedef wpa_fix_candidate candidate;
typedef wpa_fix_candidates candidates;

/* The whole loop over one file. */
typedef struct fixer {
    const wpa_source *source; /* as it is now */
    const wpa_settings *settings;
    const wpa_settings *judge; /* every rule at every level: what a fix must not worsen */
    const wpa_fix_choice *choice;
    wpa_arena *arena;
    wpa_map *dropped; /* fingerprints of findings whose fix did not hold */
    size_t n_tried;   /* bytes that were analysed to see whether fixes hold */
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

/** Two insertions at one place count as overlapping, since their order would be a guess. */
static bool is_clear_of(const wpa_fix *a, const wpa_fix *b)
{
    for (size_t i = 0; i < a->n_edits; i++) {
        for (size_t j = 0; j < b->n_edits; j++) {
            wpa_span x = a->edits[i].bytes, y = b->edits[j].bytes;
            if (wpa_span_overlaps(x, y) || x.start == y.start) {
                return false;
            }
        }
    }
    return true;
}

static bool is_clear(const candidates *list, const wpa_fix *fix)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!is_clear_of(list->items[i].fix, fix)) {
            return false;
        }
    }
    return true;
}

static void add(candidates *list, candidate item, wpa_arena *arena)
{
    list->items = wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = item;
}

static candidates choose(const fixer *f, const wpa_result *result)
{
    candidates list = {0};
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_fix *fix = best_fix(f, result->findings[i]);
        if (fix && is_clear(&list, fix)) {
            add(&list, (candidate){result->findings[i], fix}, f->arena);
        }
    }
    return list;
}

/* ---- judging ---- */

const wpa_settings *wpa_fix_judge(const wpa_settings *settings, wpa_arena *arena)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    wpa_settings *judge = wpa_arena_dup(arena, settings, sizeof *settings);
    judge->rules = wpa_arena_dup(arena, settings->rules, (n_rules + 1) * sizeof *settings->rules);
    for (size_t i = 0; i < n_rules; i++) {
        judge->rules[i].toggle = WPA_TOGGLE_UNSET;
    }
    judge->is_unlimited = true;
    judge->persona = WPA_PERSONA_AUDITOR;
    judge->min_severity = WPA_SEVERITY_LOW;
    judge->min_confidence = WPA_CONFIDENCE_LOW;
    judge->ignores_off = false; /* ignored findings are counted as any other */
    memset(judge->dimension_off, 0, sizeof judge->dimension_off);
    memset(judge->kind_off, 0, sizeof judge->kind_off);
    return judge;
}

static bool is_same_kind(const wpa_finding *a, const wpa_finding *b)
{
    return a->rule == b->rule && wpa_text_is(a->check, b->check);
}

static size_t count_like(const wpa_result *result, const wpa_finding *like)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_findings; i++) {
        n += is_same_kind(result->findings[i], like);
    }
    return n;
}

/** Were there more findings of this rule than are reported one by one? */
static bool is_beyond_limit(const wpa_result *result, const wpa_rule *rule)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        if (result->findings[i]->rule == rule && result->findings[i]->is_summary) {
            return true;
        }
    }
    return false;
}

static size_t count_candidates_like(const candidates *list, const wpa_finding *like)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        n += is_same_kind(list->items[i].finding, like);
    }
    return n;
}

const char *wpa_fix_fault(const candidates *list, const wpa_result *before, const wpa_result *after,
                          wpa_arena *arena)
{
    wpa_severity least = WPA_SEVERITY_LOW;
    for (size_t i = 0; i < list->n; i++) {
        const wpa_finding *finding = list->items[i].finding;
        least = finding->severity > least ? finding->severity : least;
        size_t n_fixed = count_candidates_like(list, finding);
        if (count_like(after, finding) + n_fixed > count_like(before, finding) &&
            !is_beyond_limit(before, finding->rule)) {
            return "the finding would still be there";
        }
    }
    for (size_t i = 0; i < after->n_findings; i++) {
        const wpa_finding *finding = after->findings[i];
        bool is_inventory = finding->persona == WPA_PERSONA_AUDITOR; /* to be looked at, no harm */
        /* "As that one is": now they are, where one was mended before the other. */
        bool is_likeness = finding->rule->compares ||
                           (finding->rule->kind == WPA_KIND_OPPORTUNITY && !finding->rule->repair);
        if (finding->severity >= least && !is_inventory && !is_likeness &&
            count_like(after, finding) > count_like(before, finding)) {
            return wpa_arena_printf(arena, "it would bring a new finding of %s", finding->rule->id);
        }
    }
    return NULL;
}

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
 * Text that is analysed for the fixes of one file: of a file that people wrote all are tried, one
 * of a megabyte that was made to need thousands of tries ends here.
 */
#define TRIED_MAX_BYTES ((size_t)32 * 1024 * 1024)
/* What the files of all rounds and their findings may hold; the next pass goes on from there. */
#define HELD_MAX_BYTES ((size_t)192 * 1024 * 1024)

/* A file that the forge refuses for its size is tried once or twice: others are not made to wait.
 */
#define REFUSED_MIN_BYTES ((size_t)512 * 1024)

static bool is_spent(const fixer *f)
{
    size_t size_bytes = f->source->size_bytes;
    size_t max_bytes = size_bytes > REFUSED_MIN_BYTES ? 2 * size_bytes : TRIED_MAX_BYTES;
    return f->n_tried > max_bytes || wpa_arena_used_bytes(f->arena) > HELD_MAX_BYTES;
}

static wpa_result analyse(fixer *f, const wpa_source *source, const wpa_settings *settings,
                          wpa_arena *arena)
{
    f->n_tried += source->size_bytes;
    return wpa_rules_run(source, settings, arena);
}

/** Would the file be better with these fixes? If not, why, in the fixer's arena. */
static bool holds(fixer *f, const candidates *list, const wpa_result *before, const char **fault)
{
    *fault = "as much was tried for this file as may be";
    if (is_spent(f)) {
        return false;
    }
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new(); /* attempts are many, and most of it waste */
    const wpa_source *source = apply(f, list, scratch);
    *fault = "the file could not be read any more";
    if (!source->yaml || (source->is_partial && !f->source->is_partial)) {
        return false;
    }
    wpa_result after = analyse(f, source, f->judge, scratch);
    *fault = wpa_arena_text(f->arena, wpa_fix_fault(list, before, &after, scratch));
    return *fault == NULL;
}

/* ---- the loop ---- */

static void drop(fixer *f, const wpa_finding *finding, const char *fault)
{
    wpa_fix_outcome *outcome = &f->outcome;
    wpa_map_put(f->dropped, finding->fingerprint, f);
    wpa_note note = {
        .path = finding->path,
        .rule = finding->rule->id,
        .text = wpa_arena_printf(f->arena, "fix at line %zu dropped: %s", finding->span.start.line,
                                 fault),
    };
    f->notes =
        wpa_arena_grow(f->arena, f->notes, outcome->n_notes, &f->notes_capacity, sizeof *f->notes);
    f->notes[outcome->n_notes++] = note;
    outcome->notes = f->notes;
}

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
}

/** Add to sound those of the list that hold, found by halving; the others are dropped. */
static void keep_sound(fixer *f, const candidates *list, const wpa_result *before,
                       candidates *sound)
{
    const char *fault;
    if (list->n == 0) {
        return;
    }
    if (holds(f, list, before, &fault)) {
        for (size_t i = 0; i < list->n; i++) {
            add(sound, list->items[i], f->arena);
        }
        return;
    }
    if (list->n == 1) {
        drop(f, list->items[0].finding, fault);
        return;
    }
    candidates left = {list->items, list->n / 2, 0};
    candidates right = {list->items + left.n, list->n - left.n, 0};
    keep_sound(f, &left, before, sound);
    keep_sound(f, &right, before, sound);
}

static candidates of_severity(const fixer *f, const candidates *list, wpa_severity severity)
{
    candidates some = {0};
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].finding->severity == severity) {
            add(&some, list->items[i], f->arena);
        }
    }
    return some;
}

/** Those of one severity that hold together: what a fix may bring is measured by what it cures. */
static candidates take_severity(fixer *f, const candidates *list, wpa_severity severity,
                                const wpa_result *before)
{
    candidates some = of_severity(f, list, severity), sound = {0};
    const char *fault;
    if (some.n == 0 || holds(f, &some, before, &fault)) {
        return some;
    }
    keep_sound(f, &some, before, &sound);
    if (sound.n > 1 && !holds(f, &sound, before, &fault)) {
        sound.n = 1;
    }
    return sound;
}

/** Take what holds, the worst first; the rest waits for the next round. */
static void take(fixer *f, const candidates *list)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    wpa_result before = analyse(f, f->source, f->judge, scratch);
    candidates all = {0};
    const char *fault;
    for (size_t i = WPA_SEVERITY_COUNT; i-- > 0;) {
        candidates some = take_severity(f, list, (wpa_severity)i, &before);
        size_t n_before = all.n;
        for (size_t j = 0; j < some.n; j++) {
            add(&all, some.items[j], f->arena);
        }
        if (n_before && some.n && !holds(f, &all, &before, &fault)) {
            all.n = n_before;
        }
    }
    if (all.n) {
        accept(f, &all);
    }
}

wpa_fix_outcome wpa_rules_fix(const wpa_source *source, const wpa_settings *settings,
                              const wpa_fix_choice *choice, wpa_arena *arena)
{
    fixer f = {
        .source = source,
        .settings = settings,
        .judge = wpa_fix_judge(settings, arena),
        .choice = choice,
        .arena = arena,
        .dropped = wpa_map_new(arena),
    };
    wpa_result result = analyse(&f, source, settings, arena);
    for (int round = 0; source->yaml && round < WPA_FIX_MAX_ROUNDS && !is_spent(&f); round++) {
        candidates list = choose(&f, &result);
        if (list.n == 0) {
            break;
        }
        take(&f, &list);
        result = analyse(&f, f.source, settings, arena);
    }
    f.outcome.result = result;
    f.outcome.text = f.source->yaml ? f.source->yaml->source : "";
    f.outcome.size_bytes = f.source->yaml ? f.source->yaml->size_bytes : 0;
    return f.outcome;
}
