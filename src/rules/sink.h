/* Where the findings of one file gather while rules run. Private to src/rules. */
#pragma once

#include "rules/engine.h"
#include "rules/ignore.h"
#include "rules/own.h"

/** What several rules ask of the file: found by the first that asks. */
typedef struct wpa_shared {
    const struct wpa_toolchain_use *toolchains;
    size_t n_toolchains;
    bool has_toolchains;
    const wpa_forge *forge;
    bool is_on_github, is_forge_known; /* the first once the second is set */
    const wpa_slice *held; /* [n_held] actions that it holds back; once are_held_known is set */
    size_t n_held;
    bool are_held_known;
    bool has_dead_code, is_dead_code_known;     /* the first once the second is set */
    const struct wpa_expression **with_secrets; /* [n_with_secrets] once are_secrets_known is set */
    size_t n_with_secrets;
    bool are_secrets_known;
    wpa_span generated; /* the line that says so; once is_generated_known is set */
    bool is_generated, is_generated_known;
} wpa_shared;

/* Findings of one rule that wins against others. */
typedef struct wpa_won {
    size_t from, to, at; /* by index; at: up to which asker has come */
    const wpa_rule *asker;
} wpa_won;
#define WPA_WON_MAX 8

/* In front what is looked at whenever a rule runs: a file has its turn for each of them while the
   other files that go with it have theirs in between. */
typedef struct wpa_rule_sink {
    wpa_arena *asked;   /* of what they ask for: neighbours, and answers that are asked for again */
    wpa_budget *budget; /* of the rule that runs now */
    const wpa_source *source;
    const wpa_settings *settings;
    const wpa_rule_setting *setting; /* of the rule that runs now */
    bool *has_run;                   /* [number of rules], in the order of the registry */
    void **kept;         /* [number of rules] by each of them, in asked: see wpa_rule_keep */
    size_t work;         /* that all of them have done */
    int64_t deadline_us; /* in this thread's processor time; 0: not yet alone */
    size_t n_findings;
    size_t n_of_rule; /* findings of the rule that runs now, those beyond the limit too */
    size_t n_before;  /* findings of the rules before it */
    size_t n_beyond;  /* its findings beyond the limit that would be seen */
    bool has_beyond;  /* and one of which that is not known yet: beyond */
    bool has_worst;   /* of the former, the most severe: worst */
    bool is_full;     /* all that are listed of it are seen, and there may be no more */
    bool may_ignore;  /* something in the file, or in the configuration, may silence findings */
    bool was_late;
    wpa_finding **findings;   /* [n_findings] */
    wpa_won won[WPA_WON_MAX]; /* [n_won] until the findings are put in order */
    size_t n_won;
    size_t capacity;
    wpa_arena *arena;
    int64_t began_us;    /* by the clock of the wall */
    size_t n_asked_late; /* how often the clocks were to be asked */
    wpa_note *notes;
    size_t n_notes, notes_capacity;
    wpa_ignores *ignores; /* of this file */
    wpa_finding worst;    /* the most severe beyond the limit, if there is one */
    wpa_finding *beyond;  /* what rules write to when over the limit; NULL until one is */
    wpa_related beyond_related;
    wpa_shared shared;
    size_t neighbour_bytes;
    wpa_map *neighbours; /* path → wpa_source, of those read so far; NULL until one is */
    wpa_map *texts;      /* path → wpa_slice, of other files read so far; NULL until one is */
} wpa_rule_sink;

void wpa_sink_note(wpa_rule_sink *sink, const wpa_rule *rule, const char *text);
/** What a rule says of a finding is known once it reports the next one, or has ended. */
void wpa_sink_take_beyond(wpa_rule_sink *sink);
/** Begin anew with what a rule may do. */
void wpa_sink_open_budget(wpa_rule_sink *sink);
bool wpa_sink_ask_clocks(wpa_rule_sink *sink);
/* Most rules are done with a file in less time than the clock takes to tell it. */
#define WPA_RULES_BETWEEN_CLOCKS 8
/** Has the file used up its time? */
static inline bool wpa_sink_is_late(wpa_rule_sink *sink)
{
    bool is_turn = sink->n_asked_late++ % WPA_RULES_BETWEEN_CLOCKS == 0 || sink->was_late;
    return is_turn && wpa_sink_ask_clocks(sink);
}
/**
 * The fixes of what is open, from the rules' repairs, which ask the same questions as checks, and
 * all together may do what one check may.
 */
void wpa_sink_repair(wpa_rule_sink *sink);

/** Put in order and silence what all rules but the last have found; tells how much that is. */
size_t wpa_sink_silence(wpa_rule_sink *sink, wpa_result *result);
/** Once the last have run too: n_before were there before. What is left is what will be seen. */
void wpa_sink_conclude(wpa_rule_sink *sink, size_t n_before);

/** What the configuration changes about a finding, and whether it is shown at all. */
void wpa_finding_configure(const wpa_settings *settings, wpa_finding *finding);
bool wpa_finding_is_seen(const wpa_settings *settings, const wpa_finding *finding);
/** Take out what stands in jobs and steps that can never run, from this index on. */
void wpa_sink_drop_dead(wpa_rule_sink *sink, size_t from);
/** Of findings in order: what says the same as another, and what a more specific rule says, if
    there are any of such rules. */
void wpa_sink_drop_repeated(wpa_rule_sink *sink, bool has_winners);
void wpa_sink_drop_unseen(wpa_rule_sink *sink);
/** Keep the span within the file. */
void wpa_finding_clamp(const wpa_source *source, wpa_finding *finding);
/** Fill the places, which follow from the span. */
void wpa_finding_locate(const wpa_source *source, wpa_finding *finding);
/** Fill structure and evidence as well, by which it is known again; locate it before. */
void wpa_finding_identify(const wpa_source *source, wpa_finding *finding, wpa_arena *arena);
wpa_finding_span wpa_finding_span_of(const wpa_source *source, wpa_span bytes);
/**
 * Tell findings of one file that are alike apart: by their order, which is final. Those without
 * evidence are left out: nobody sees any of their rule.
 */
void wpa_findings_number(wpa_finding **findings, size_t n, wpa_arena *arena);
/** Fingerprints of findings that are numbered. */
void wpa_findings_fingerprint(const wpa_source *source, wpa_finding **findings, size_t n);
