/* Writing a commit and its version where a rule found an action by another ref. */
#pragma once

#include "rules/outline.h"
#include "rules/rule.h"

/** A place a "uses" may stand, with the job it is in. */
typedef void (*wpa_uses_visitor)(wpa_rule_run *run, const wpa_outline_uses *uses,
                                 const wpa_outline_step *step, const wpa_outline_job *job);

/**
 * Every uses of the file: of steps (step given), of calls (step NULL), and the hook repositories of
 * a pre-commit file that lie on GitHub (step and job NULL; node is the rev).
 *
 * Whether a visitor reports anything of an action must be for its name, ref and comment alone to
 * say, not for the step: where it has found nothing, it is not asked about the same again.
 */
void wpa_rule_each_uses(wpa_rule_run *run, wpa_uses_visitor visit);

/**
 * Edit "slug@ref  # v1 why" into "slug@commit # tag why".
 *
 * slug  to write in place of the old one, or NULL to keep it.
 *
 * Returns false, and edits nothing, where no comment can stand behind the value.
 */
bool wpa_rule_pin(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_uses *uses, const char *slug,
                  const uint8_t *commit, const char *tag);

/** What the tags that are known of a repository say of a version. */
typedef struct wpa_tags_beside {
    bool has_same;
    bool has_newer; /* that is written out, in three parts */
    bool reaches;   /* any that is the same or newer */
} wpa_tags_beside;

/** Beside the version in the comment of uses, whose repository is known; looked up once a file. */
wpa_tags_beside wpa_rule_tags_beside(wpa_rule_run *run, const wpa_outline_uses *uses,
                                     const wpa_version *claimed);
/** "actions/checkout@v4" as shown in messages. */
const char *wpa_rule_quote_uses(wpa_rule_run *run, const wpa_outline_uses *uses);
/** "actions of 2026-11-22", for wpa_fix.needs. */
const char *wpa_rule_needs(wpa_rule_run *run, wpa_fact_table table);
/** Does no advisory speak of this version of the action? tag is its name. */
bool wpa_rule_is_clean(const wpa_outline_uses *uses, const char *tag, const wpa_version *version);
/**
 * The lowest release above the version in use of which no advisory speaks: of its major if there is
 * one, else of a later one, where it is behind all that are affected. False: the version or the
 * repository is not known, or there is none.
 */
bool wpa_rule_find_clean(const wpa_outline_uses *uses, wpa_fact_ref *best);
/** Is the owner GitHub itself, the repository's own, or configured as such? */
bool wpa_rule_is_trusted_owner(const wpa_rule_run *run, wpa_slice owner);

/**
 * Does a pattern cover "slug@ref"? "owner/repo[/path]" is that alone, a "*" at its end any rest
 * (behind "owner/repo/" nothing, too), "@ref" behind it that ref alone; letters' case is no matter.
 *
 * Returns 0 if not, else the more the more exactly it does.
 */
size_t wpa_rule_pattern_fits(wpa_slice pattern, wpa_slice slug, wpa_slice ref);
/** Name, as other places of a finding in an action file, the first steps that use the action. */
void wpa_rule_relate_users(wpa_rule_run *run, wpa_finding *finding);
