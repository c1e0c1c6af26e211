/*
 * What a rule is, and what it may do.
 *
 * A rule is one file, src/rules/<dimension>/<id_with_underscores>.c, that defines one
 * `const wpa_rule wpa_rule_<id_with_underscores>`; one line in registry.c; and one folder
 * tests/fixtures/rules/<id>/ with at least
 *
 *   bad.yml, bad_<shape>.yml      files on which it fires (a comment on top says which shape)
 *   bad.expected                  what `wpa check` says of bad.yml, one finding of this rule a
 * line, "line:column rule[/check] severity", sorted as reported good.yml, good_<shape>.yml    files
 * on which it stays silent, one for every "not" bad.fixed.yml                 bad.yml after all its
 * fixes, if the rule has any
 *
 * What needs a repository around it is a folder bad_x/ or good_x/ with the repository's files; all
 * definitions in it are analysed, and bad_x.expected holds "path:line:column rule[/check]
 * severity". A file fixed_x/path is bad_x/path after all fixes of the rule, or one that they made:
 * every file that they make has to be there.
 *
 * In a folder bad_fleet_x/ or good_fleet_x/ each folder is a repository, and they go together.
 *
 * bad_x.config beside either of them is read as their wpa.yml. Where bad_x.related is there, it
 * holds what the findings of bad_x.yml name beside their own place, "line:column label".
 *
 * Action files are named bad_x.action.yml, dependabot files bad_x.dependabot.yml, pre-commit files
 * bad_x.pre-commit.yml (then bad_x.action.expected and so on). Tests walk the registry: a rule
 * without words or without its pair of fixtures fails.
 *
 * A rule sees one file, parsed once and shared by all rules, and never changes it. It reports byte
 * spans; lines, columns, structure, evidence, fingerprint, order, silencing and limits are the
 * engine's work. A rule holds no state and reads no clock, no network, no file.
 *
 * See performance/missing_timeout.c for a whole one.
 */
#pragma once

#include <stdalign.h>

#include <wpa/map.h>

#include "rules/finding.h"
#include "rules/source.h"

/** What kinds of files a rule reads (source->kind is one of these). A set of bits. */
#define WPA_INPUTS_ALL                                                                             \
    (WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION | WPA_INPUT_DEPENDABOT | WPA_INPUT_PRE_COMMIT)

/** What an option may be set to. */
typedef enum wpa_option_form {
    WPA_OPTION_TEXT,     /* any; lists are joined by commas */
    WPA_OPTION_NUMBER,   /* a whole one, not negative */
    WPA_OPTION_SHARE,    /* any number that is not negative */
    WPA_OPTION_DURATION, /* "30s", "2h" */
    WPA_OPTION_SWITCH,   /* "on" or "off" */
    WPA_OPTION_PATTERN,  /* a regular expression */
    WPA_OPTION_PATTERNS, /* several, separated by blanks */
    WPA_OPTION_POLICIES, /* "pattern=policy", separated by blanks or commas */
    WPA_OPTION_FORM_COUNT
} wpa_option_form;

/** An option of one rule that wpa.yml may set. */
typedef struct wpa_rule_option {
    const char *name;  /* "max-lines" */
    const char *value; /* default, as it would stand in wpa.yml; "" if unset */
    const char *words; /* what it does, a few words */
    wpa_option_form form;
} wpa_rule_option;

/** One run of one rule over one file. The fields are for reading; private ones are the engine's. */
typedef struct wpa_rule_run {
    const wpa_rule *rule;
    const wpa_source *source;
    wpa_arena *arena;           /* for whatever the rule makes, until its findings are repaired */
    struct wpa_rule_sink *sink; /* private */
    unsigned depth;             /* private: of callers that are being followed */
    unsigned followed;          /* private: how many they were */
    bool ignores_members;       /* private: members let strangers in, so asking for them is moot */
    bool asks_for_thread;       /* private: what counts is who opened a thread, not who comments */
    wpa_map *memo; /* private: answers that rules ask for again and again, of this file's run */
    struct wpa_site_answers *answers; /* private: likewise, see wpa_site_keep */
    wpa_arena *lasting;               /* private: of all these answers */
    void **kept;                      /* private: see wpa_rule_keep */
} wpa_rule_run;

struct wpa_rule {
    /* In front, in one line of the processor's cache, what is looked at for each file, if the rule
       finds nothing there. */
    alignas(64) wpa_dimension dimension;
    wpa_kind kind;
    unsigned inputs; /* WPA_INPUT_ bits */
    wpa_persona persona;
    /** Some of its findings are for more people than persona says; without it none is. */
    bool has_wider_findings;
    /** Claims absence ("missing-…", "unused-…"): not run on files that were read only in part. */
    bool claims_absence;
    /** Also called for a file too large to be read: run->source->yaml is NULL then. */
    bool reads_unread;
    /** Runs behind all others and sees what they left (unused-ignore). */
    bool runs_last;
    /**
     * What a file must hold one of for the rule to find anything: words in any case of their
     * letters (of four bytes or more, without blanks), wherever they stand, and names of commands
     * that scripts call. NULL-terminated; both NULL: the rule may find something in any file.
     */
    const char *const *words;
    const char *const *commands;
    const char *const *supersedes; /* NULL-terminated rule ids that lose on the same span */
    /**
     * Report every finding in run->source. Returns false with *err set only if the rule itself
     * could not work (a limit, a table it cannot use): that becomes a note, never a finding.
     */
    bool (*check)(wpa_rule_run *run, wpa_error *err);

    const char *code; /* "PRF-001" */
    const char *id;   /* "missing-timeout": stable, users write it in ignore lists */
    wpa_severity severity;
    wpa_confidence confidence;
    const char *summary; /* one sentence: what it finds */
    const char *why;     /* what happens if it stays */
    const char *fix;     /* what to do; says so if there is nothing to do by machine */

    const char *const *checks;      /* NULL-terminated numbers of its checks ("J1"), or NULL */
    const char *const *elsewhere;   /* NULL-terminated foreign names ("zizmor/x"), or NULL */
    const wpa_rule_option *options; /* ends with a NULL name; or NULL */
    unsigned tables;   /* 1 << wpa_fact_table for each table it reads: their dates are printed */
    unsigned declares; /* what its fixes change, wpa_declares bits */

    /** Reports also what stands in jobs and steps that can never run (syntax and schema). */
    bool reads_dead_code;
    /** Says that one thing is as another: a fix of either may bring it about and is no worse. */
    bool compares;

    /**
     * Offer fixes for one finding that check reported (finding->subject is what it gave): make
     * them with wpa_rule_fix and wpa_rule_edit, best first; none if it cannot be done surely. NULL
     * if the rule has no fix.
     */
    void (*repair)(wpa_rule_run *run, wpa_finding *finding);
};

/** How far a rule has come. */
typedef struct wpa_rule_mark {
    wpa_arena_mark memory; /* of run->arena */
    size_t n_findings;
} wpa_rule_mark;

wpa_rule_mark wpa_rule_here(const wpa_rule_run *run);
/** How many findings the rule has reported in this file, with those that are too many to be listed.
 */
size_t wpa_rule_n_reported(const wpa_rule_run *run);
/**
 * Give back what the rule has made since, if it has reported nothing: for one that looks at things
 * of which a file may have thousands. Nothing that was made since may be held any longer.
 */
void wpa_rule_forget(wpa_rule_run *run, wpa_rule_mark mark);

/**
 * The same for a walk over such things: what some of them made is given back together, since going
 * back costs more than most of them. Starts with .mark = wpa_rule_here(run).
 */
typedef struct wpa_rule_visits {
    wpa_rule_mark mark;
    size_t n;
} wpa_rule_visits;
#define WPA_VISITS_KEPT 8
/** Private to wpa_rule_end_visit. */
void wpa_rule_end_visits(wpa_rule_run *run, wpa_rule_visits *visits);
/** One thing was looked at. */
static inline void wpa_rule_end_visit(wpa_rule_run *run, wpa_rule_visits *visits)
{
    if (++visits->n % WPA_VISITS_KEPT == 0) {
        wpa_rule_end_visits(run, visits);
    }
}

/**
 * Report a finding at these bytes of the file, in the rule's own severity, confidence and
 * persona; the caller may change those on the returned record at once, when a shape of the rule
 * is more or less than its base.
 *
 * check    number of the check, a literal, or NULL.
 * subject  anything the repair needs (a job, a step), living as long as the source or run->arena.
 * format   the message: one sentence, lower case, no full stop, names the offending value (use
 *          wpa_rule_quote), says what happens. Control characters are made visible here.
 *
 * Returns  the record, never NULL; for the caller to change until its check returns.
 */
wpa_finding *wpa_rule_report(wpa_rule_run *run, wpa_span span, const char *check,
                             const void *subject, const char *format, ...) WPA_PRINTF(5, 6);

/**
 * Would a finding of the rule be of use to anybody if it is for these people? What nobody would
 * see, silences nothing and numbers nothing that is seen need not be looked for: rules ask before
 * they do much for it. As long as all that they leave out is for such people, what is seen is the
 * same.
 */
bool wpa_rule_is_wanted(const wpa_rule_run *run, wpa_persona persona);

/**
 * Has a rule that wins against this one (its supersedes), and has its turn before it, found
 * something on the span? What this one says of it is dropped. For rules that go through the file
 * from its beginning: what lies in front of the span of the last question is not looked at again.
 */
bool wpa_rule_is_superseded(const wpa_rule_run *run, wpa_span span);

/** Another place of the same finding, in the same file. */
void wpa_rule_relate(wpa_rule_run *run, wpa_finding *finding, wpa_span span, const char *format,
                     ...) WPA_PRINTF(4, 5);

/** Another place of it in another file of the repository: source is from wpa_rule_source_at. */
void wpa_rule_relate_in(wpa_rule_run *run, wpa_finding *finding, const wpa_source *source,
                        wpa_span span, const char *format, ...) WPA_PRINTF(5, 6);

/**
 * Another definition of the same repository, read for this run (each once a file under analysis);
 * NULL if it is not there, cannot be read, or too many were asked for. path is
 * repository-relative.
 */
const wpa_source *wpa_rule_source_at(wpa_rule_run *run, const char *path);

/**
 * Count what is looked at, in bytes or things; false once the rule has looked at as much as it may
 * in one file. It need not tell: what it reports from then on is dropped, and a note says so.
 */
bool wpa_rule_spend(wpa_rule_run *run, size_t work);

/**
 * Memory of the rule, in check: zeroed for the first of the files that are judged together, and
 * left for the next ones as it was. The trees of all of them live as long.
 */
void *wpa_rule_keep(wpa_rule_run *run, size_t size);

/** A value for a message: visible, cut at 80 characters, in single quotes. In run->arena. */
const char *wpa_rule_quote(wpa_rule_run *run, const char *text, size_t length);

/**
 * Offer one more fix (in repair): format is its title, in the imperative. Starts with the rule's
 * declares and no edits; a fix left without edits is dropped.
 */
wpa_fix *wpa_rule_fix(wpa_rule_run *run, wpa_finding *finding, wpa_safety safety,
                      const char *format, ...) WPA_PRINTF(4, 5);

/** Replace these bytes by text; an empty span inserts. Edits of one fix must not overlap. */
void wpa_rule_edit(wpa_rule_run *run, wpa_fix *fix, wpa_span span, const char *format, ...)
    WPA_PRINTF(4, 5);

/**
 * The same in another file of the repository: in a definition from wpa_rule_source_at by its
 * document, in any other file by its repository-relative path.
 */
void wpa_rule_edit_in(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_doc *doc, wpa_span span,
                      const char *format, ...) WPA_PRINTF(5, 6);
void wpa_rule_edit_file(wpa_rule_run *run, wpa_fix *fix, const char *path, wpa_span span,
                        const char *format, ...) WPA_PRINTF(5, 6);
/**
 * Make a file, whose text is whole. A fix that would make one that exists, or where the tree is not
 * known, is dropped.
 */
void wpa_rule_create(wpa_rule_run *run, wpa_fix *fix, const char *path, const char *format, ...)
    WPA_PRINTF(4, 5);
/** "folder/name.suffix", or with a number behind the name, that no file has; NULL: cannot tell. */
const char *wpa_rule_free_path(wpa_rule_run *run, const char *folder, const char *name,
                               const char *suffix);
/** Text of any file of the repository, NUL-terminated, read once a run; NULL if it cannot be had.
 */
const char *wpa_rule_text_at(wpa_rule_run *run, const char *path, size_t *size_bytes);

/**
 * Edits on whole entries of block mappings and sequences, in whichever document value stands; value
 * is the entry's value (or item). Text of several lines is indented as its neighbour is, with the
 * file's line breaks. Each returns false, and adds nothing, if that cannot be done by lines (flow
 * collections, one-line forms): leave the fix without edits then, and it is dropped.
 */
bool wpa_rule_insert_behind(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value,
                            const char *format, ...) WPA_PRINTF(4, 5);
/** In front of the entry, and of the comments right above it. */
bool wpa_rule_insert_before(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value,
                            const char *format, ...) WPA_PRINTF(4, 5);
/** The same, with a blank line behind it where one parts the entry from the one before it. */
bool wpa_rule_insert_section(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value,
                             const char *text);
/**
 * Add "key: value" to the mapping that stands under group (with, env) in a step or job; the group
 * itself is made behind the entry named behind if there is none.
 */
bool wpa_rule_add_in(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *mapping,
                     const char *group, const char *behind, const char *key, const char *value);
/**
 * Take the entry out, with its lines or, of a flow collection, its comma; refuses the only entry of
 * a collection.
 */
bool wpa_rule_remove_entry(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value);

/** Offer, as a safe fix, to write the scalar as this text; the fix, for what it relied on. */
wpa_fix *wpa_rule_rewrite(wpa_rule_run *run, wpa_finding *finding, const wpa_yaml_node *scalar,
                          const char *text);

/** The rule's option as configured, or its default. */
const char *wpa_rule_option_text(const wpa_rule_run *run, const char *name);
/**
 * Is the word one of those that the option lists, with blanks or commas between, letters' case no
 * matter? "x*" in the list stands for whatever begins with x.
 */
bool wpa_rule_option_lists(const wpa_rule_run *run, const char *name, wpa_slice word);
/** As a number; fallback if it is not one in [min, max]. */
int64_t wpa_rule_option_int(const wpa_rule_run *run, const char *name, int64_t min, int64_t max,
                            int64_t fallback);
double wpa_rule_option_real(const wpa_rule_run *run, const char *name, double min, double max,
                            double fallback);
