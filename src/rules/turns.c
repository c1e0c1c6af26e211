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

/* A word that rules look for, by two of its grams, which rule most words out. */
typedef struct sought {
    uint32_t first, last;
    const char *word;
} sought;

/* Of one rule, among those of all: words from the first on, then names of commands. */
typedef struct bounds {
    bool is_bound; /* to any: else it may find something in every file */
    uint16_t words, names, end;
} bounds;

/* Of all rules, made once: a few bytes of each in a row, where the words themselves lie about. */
static bounds *bounds_of_rules; /* [number of rules] */
static sought *all_sought;
static pthread_once_t sought_once = PTHREAD_ONCE_INIT;

static size_t count(const char *const *words)
{
    size_t n = 0;
    while (words && words[n]) {
        n++;
    }
    return n;
}

static sought sought_of(const char *word)
{
    assert(strlen(word) >= WPA_YAML_GRAM);
    return (sought){wpa_yaml_gram_of(word), wpa_yaml_gram_of(word + strlen(word) - WPA_YAML_GRAM),
                    word};
}

static void make_sought(void)
{
    size_t n_rules, n = 0;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    for (size_t i = 0; i < n_rules; i++) {
        n += count(rules[i]->words) + count(rules[i]->commands);
    }
    all_sought = wpa_alloc((n + 1) * sizeof *all_sought);
    bounds_of_rules = wpa_alloc(n_rules * sizeof *bounds_of_rules);
    n = 0;
    for (size_t i = 0; i < n_rules; i++) {
        bounds *b = &bounds_of_rules[i];
        b->is_bound = rules[i]->words || rules[i]->commands;
        b->words = (uint16_t)n;
        for (const char *const *at = rules[i]->words; at && *at; at++) {
            all_sought[n++] = sought_of(*at);
        }
        b->names = (uint16_t)n;
        for (const char *const *at = rules[i]->commands; at && *at; at++) {
            uint32_t gram = wpa_yaml_gram_of_name(*at);
            all_sought[n++] = (sought){gram, gram, *at};
        }
        b->end = (uint16_t)n;
    }
}

/** Does the file hold anything that the rule is bound to? */
static bool may_find(const wpa_yaml_doc *doc, const bounds *b)
{
    bool may = false;
    for (size_t i = b->words; i < b->names && !may; i++) {
        const sought *s = &all_sought[i];
        may = wpa_yaml_has_gram(doc, s->first) && wpa_yaml_has_gram(doc, s->last) &&
              wpa_yaml_may_hold(doc, s->word);
    }
    for (size_t i = b->names; i < b->end && !may; i++) {
        may = wpa_yaml_has_gram(doc, all_sought[i].first);
    }
    return may;
}

/* ---- both ---- */

wpa_lineup wpa_lineup_new(wpa_arena *arena)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    return (wpa_lineup){.files = wpa_arena_array(arena, n_rules, sizeof(wpa_file_bits)),
                        .bound = wpa_arena_array(arena, n_rules, sizeof(uint16_t))};
}

static void line_up(wpa_lineup *lineup, const wpa_rule_sink *sink)
{
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    const wpa_source *source = sink->source;
    *lineup = (wpa_lineup){
        .settings = sink->settings,
        .kind = source->kind,
        .has_tree = source->yaml != NULL,
        .is_partial = source->is_partial,
        .may_ignore = sink->may_ignore,
        .files = lineup->files,
        .bound = lineup->bound,
    };
    for (size_t i = 0; i < n_rules; i++) {
        const wpa_rule_setting *setting = &sink->settings->rules[i]; /* in the same order */
        bool is_on =
            is_active(lineup, rules[i], setting) && is_asked_for(lineup, rules[i], setting);
        lineup->files[i] = is_on ? (wpa_file_bits)-1 : 0;
        lineup->has_paths = lineup->has_paths || (is_on && setting->paths.n > 0);
        if (is_on && source->yaml && bounds_of_rules[i].is_bound) {
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

void wpa_turns_find(wpa_lineup *lineup, wpa_rule_sink *sink, wpa_file_bits file,
                    wpa_file_bits *turns)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    (void)pthread_once(&sought_once, make_sought);
    if (!is_of(lineup, sink)) {
        line_up(lineup, sink);
    }
    for (size_t i = 0; i < n_rules; i++) {
        turns[i] |= lineup->files[i] & file;
    }
    if (lineup->has_paths) {
        keep_to_paths(sink, n_rules, file, turns);
    }
    for (size_t i = 0; i < lineup->n_bound; i++) {
        size_t rule = lineup->bound[i];
        if (turns[rule] & file && !may_find(sink->source->yaml, &bounds_of_rules[rule])) {
            turns[rule] ^= file;
            sink->has_run[rule] = true; /* and would have found nothing */
        }
    }
}
