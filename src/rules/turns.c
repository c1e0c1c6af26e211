#include "rules/turns.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include <wpa/memory.h>
#include <wpa/text.h>

/* ---- what the settings ask for ---- */

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

static bool is_active(const wpa_lineup *lineup, const wpa_rule *rule,
                      const wpa_rule_setting *setting)
{
    const wpa_settings *settings = lineup->settings;
    bool is_wanted = setting->toggle != WPA_TOGGLE_OFF &&
                     !settings->dimension_off[rule->dimension] && !settings->kind_off[rule->kind];
    bool can_read = (rule->inputs & (unsigned)lineup->kind) != 0 &&
                    (lineup->has_tree || rule->reads_unread) &&
                    !(lineup->is_partial && rule->claims_absence);
    return is_wanted && can_read;
}

/** Would anything that the rule finds have an effect? What silences findings has a use, and is said
    to have one, though nobody would see them. */
static bool is_asked_for(const wpa_lineup *lineup, const wpa_rule *rule,
                         const wpa_rule_setting *setting)
{
    return rule->persona <= wpa_settings_level(lineup->settings, rule->dimension) ||
           rule->has_wider_findings || rule->supersedes || setting->toggle == WPA_TOGGLE_ON ||
           setting->has_persona || lineup->may_ignore;
}

/* ---- what the file holds ---- */

/* A word that rules look for. */
typedef struct sought {
    uint32_t last;  /* gram of it, which with the first one rules most words out */
    bool is_name;   /* of a command: one gram as a whole */
    uint16_t asker; /* the last of those rules, from 1 */
    wpa_slice word;
} sought;

typedef struct asker {
    uint16_t rule; /* by its index in the registry */
    uint16_t next; /* of the same word, from 1; 0: none */
} asker;

/* Of all rules, made once, each word once. What every file is asked of each word stands in a row,
   apart from the rest. */
static struct {
    uint32_t *first; /* [n] grams */
    sought *rest;    /* [n] */
    size_t n;
    asker *askers; /* [n_askers] */
    size_t n_askers;
    bool *is_bound; /* [number of rules] to any word: else a rule may find something in any file */
} all_sought;
static pthread_once_t sought_once = PTHREAD_ONCE_INIT;

static size_t count(const char *const *words)
{
    size_t n = 0;
    while (words && words[n]) {
        n++;
    }
    return n;
}

/** Where the same is asked for already, or else where there is room for it. */
static size_t place_of(uint32_t first, wpa_slice word, bool is_name)
{
    size_t i = 0;
    for (; i < all_sought.n; i++) {
        const sought *other = &all_sought.rest[i];
        if (all_sought.first[i] == first && other->is_name == is_name &&
            other->word.length == word.length &&
            memcmp(other->word.at, word.at, word.length) == 0) {
            break;
        }
    }
    return i;
}

static void add(size_t rule, const char *text, bool is_name)
{
    wpa_slice word = wpa_slice_of(text);
    assert(is_name || word.length >= WPA_YAML_GRAM);
    uint32_t first = is_name ? wpa_yaml_gram_of_name(text) : wpa_yaml_gram_of(text);
    uint32_t last = is_name ? first : wpa_yaml_gram_of(text + word.length - WPA_YAML_GRAM);
    size_t i = place_of(first, word, is_name);
    if (i == all_sought.n) {
        all_sought.first[i] = first;
        all_sought.rest[i] = (sought){.last = last, .is_name = is_name, .word = word};
        all_sought.n++;
    }
    all_sought.askers[all_sought.n_askers++] =
        (asker){.rule = (uint16_t)rule, .next = all_sought.rest[i].asker};
    all_sought.rest[i].asker = (uint16_t)all_sought.n_askers;
}

static void make_sought(void)
{
    size_t n_rules, n = 0;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    for (size_t i = 0; i < n_rules; i++) {
        n += count(rules[i]->words) + count(rules[i]->commands);
    }
    assert(n <= UINT16_MAX && n_rules <= UINT16_MAX); /* what places are kept in */
    all_sought.first = wpa_alloc((n + 1) * sizeof *all_sought.first);
    all_sought.rest = wpa_alloc((n + 1) * sizeof *all_sought.rest);
    all_sought.askers = wpa_alloc((n + 1) * sizeof *all_sought.askers);
    all_sought.is_bound = wpa_alloc(n_rules * sizeof *all_sought.is_bound);
    for (size_t i = 0; i < n_rules; i++) {
        all_sought.is_bound[i] = rules[i]->words || rules[i]->commands;
        for (const char *const *at = rules[i]->words; at && *at; at++) {
            add(i, *at, false);
        }
        for (const char *const *at = rules[i]->commands; at && *at; at++) {
            add(i, *at, true);
        }
    }
}

/** Those of the words whose first gram the file holds; returns how many. Without a branch for each,
    which no processor foresees. */
static size_t find_first(const wpa_yaml_doc *doc, uint16_t *hits)
{
    const struct wpa_yaml_grams *grams = doc->grams;
    const unsigned shift = grams->shift;
    const uint32_t *first = all_sought.first;
    size_t n_hits = 0;
    for (size_t i = 0, n = all_sought.n; i < n; i++) {
        uint32_t at = first[i] >> shift;
        hits[n_hits] = (uint16_t)i;
        n_hits += grams->bits[at / 64] >> at % 64 & 1;
    }
    return n_hits;
}

/** Rules that are bound to words have their turn if the file may hold one of theirs. */
static void find_bound(const wpa_lineup *lineup, const wpa_yaml_doc *doc, wpa_file_bits file,
                       wpa_file_bits *turns)
{
    size_t n_hits = find_first(doc, lineup->hits);
    for (size_t i = 0; i < n_hits; i++) {
        const sought *s = &all_sought.rest[lineup->hits[i]];
        bool may_hold = s->is_name ||
                        (wpa_yaml_has_gram(doc, s->last) && wpa_yaml_may_hold_slice(doc, s->word));
        for (size_t k = may_hold ? s->asker : 0; k; k = all_sought.askers[k - 1].next) {
            size_t rule = all_sought.askers[k - 1].rule;
            turns[rule] |= lineup->bound_files[rule] & file;
        }
    }
}

/* ---- both ---- */

wpa_lineup wpa_lineup_new(wpa_arena *arena)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    (void)pthread_once(&sought_once, make_sought);
    return (wpa_lineup){.files = wpa_arena_array(arena, n_rules, sizeof(wpa_file_bits)),
                        .bound_files = wpa_arena_array(arena, n_rules, sizeof(wpa_file_bits)),
                        .bound = wpa_arena_array(arena, n_rules, sizeof(uint16_t)),
                        .hits = wpa_arena_array(arena, all_sought.n + 1, sizeof(uint16_t))};
}

/** Of the files that the lineup is about. */
static void hand_out(wpa_lineup *lineup, wpa_file_bits *turns)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    for (size_t i = 0; lineup->members && i < n_rules; i++) {
        turns[i] |= lineup->files[i] & lineup->members;
    }
    lineup->members = 0;
}

static void line_up(wpa_lineup *lineup, const wpa_rule_sink *sink)
{
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    const wpa_source *source = sink->source;
    lineup->settings = sink->settings;
    lineup->kind = source->kind;
    lineup->has_tree = source->yaml != NULL;
    lineup->is_partial = source->is_partial;
    lineup->may_ignore = sink->may_ignore;
    lineup->has_paths = false;
    lineup->n_bound = 0;
    for (size_t i = 0; i < n_rules; i++) {
        const wpa_rule_setting *setting = &sink->settings->rules[i]; /* in the same order */
        bool is_on =
            is_active(lineup, rules[i], setting) && is_asked_for(lineup, rules[i], setting);
        bool is_bound = lineup->has_tree && all_sought.is_bound[i];
        lineup->files[i] = is_on && !is_bound ? (wpa_file_bits)-1 : 0;
        lineup->bound_files[i] = is_on && is_bound ? (wpa_file_bits)-1 : 0;
        lineup->has_paths = lineup->has_paths || (is_on && setting->paths.n > 0);
        if (is_on && is_bound) {
            lineup->bound[lineup->n_bound++] = (uint16_t)i;
        }
    }
}

static bool is_of(const wpa_lineup *lineup, const wpa_rule_sink *sink)
{
    const wpa_source *source = sink->source;
    return lineup->settings == sink->settings && lineup->kind == source->kind &&
           lineup->has_tree == (source->yaml != NULL) && lineup->is_partial == source->is_partial &&
           lineup->may_ignore == sink->may_ignore;
}

/** Take back the turns of rules that are about other paths. */
static void keep_to_paths(const wpa_rule_sink *sink, size_t n_rules, wpa_file_bits file,
                          wpa_file_bits *turns)
{
    for (size_t i = 0; i < n_rules; i++) {
        if (turns[i] & file && !is_about(&sink->settings->rules[i], sink->source)) {
            turns[i] ^= file;
        }
    }
}

/** Bound rules without a turn would have found nothing: they are said to have run. */
static void note_idle(const wpa_lineup *lineup, wpa_rule_sink *sink, wpa_file_bits file,
                      const wpa_file_bits *turns)
{
    for (size_t i = 0; i < lineup->n_bound; i++) {
        size_t rule = lineup->bound[i];
        sink->has_run[rule] =
            !(turns[rule] & file) &&
            (!lineup->has_paths || is_about(&sink->settings->rules[rule], sink->source));
    }
}

void wpa_turns_find(wpa_lineup *lineup, wpa_rule_sink *sink, wpa_file_bits file,
                    wpa_file_bits *turns)
{
    if (!is_of(lineup, sink)) {
        hand_out(lineup, turns);
        line_up(lineup, sink);
    }
    lineup->members |= file;
    if (sink->source->yaml) {
        find_bound(lineup, sink->source->yaml, file, turns);
        note_idle(lineup, sink, file, turns);
    }
    if (lineup->has_paths) {
        size_t n_rules;
        (void)wpa_rules_all(&n_rules);
        hand_out(lineup, turns);
        keep_to_paths(sink, n_rules, file, turns);
    }
}

void wpa_turns_close(wpa_lineup *lineup, wpa_file_bits *turns)
{
    hand_out(lineup, turns);
}
