#include "rules/intake.h"

#include <string.h>

#include "facts/commands.h"
#include "rules/own.h"
#include "rules/shell_roles.h"
#include "rules/steps.h"

/* ---- checkouts ---------------------------------------------------------------------------------
 */

/* Names that mean whatever stands there when they are asked for. */
static bool is_mutable_ref(const char *text)
{
    static const char *const commits[] = {".sha", "_sha", "SHA", "Oid", "oid", "commit"};
    for (size_t i = 0; text && i < WPA_COUNT(commits); i++) {
        if (strstr(text, commits[i]) && !strstr(text, "merge_commit_sha")) {
            return false;
        }
    }
    return true;
}

/* An output that a step fetched: the head as it is when the forge is asked. */
static bool is_asked_for(const char *path)
{
    return wpa_text_starts(path, "steps.") || wpa_text_starts(path, "needs.");
}

static const char *folder_of(const wpa_outline_step *step, const char *input)
{
    const char *path = wpa_outline_with_text(step, input);
    if (!path) {
        return "";
    }
    path += wpa_text_starts(path, "./") ? 2 : 0;
    return wpa_text_is(path, ".") ? "" : path;
}

/* Under pull_request the default ref is the pull request itself, with no power to gain. */
static bool is_outsider(const wpa_taint *taint)
{
    return taint->grade >= WPA_TAINT_OF_STRUCTURED &&
           taint->trust.trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
}

/*
 * Does this version of the action refuse the tree? It does where a pull request of a fork started
 * the run, and nobody says that it shall not; comments and issues it does not look at.
 */
static bool is_refused(const wpa_rule_run *run, const wpa_site *site, const wpa_taint *taint)
{
    static const char *const unguarded[] = {"issue_comment", "issues", "discussion_comment"};
    const wpa_fact_use *fact = site->step->uses.fact;
    const char *allowed = wpa_outline_with_text(site->step, "allow-unsafe-pr-checkout");
    bool is_allowed = allowed && (wpa_text_is_ci(allowed, "true") || strstr(allowed, "${{"));
    const char *event = taint->trust.event;
    bool is_covered =
        wpa_text_is(event, "pull_request_target") || wpa_text_is(event, "workflow_run");
    for (size_t i = 0; is_covered && i < WPA_COUNT(unguarded); i++) {
        is_covered = (taint->path && wpa_text_starts(taint->path, "github.event.pull_request.")) ||
                     !wpa_outline_trigger_find(site->source->outline, unguarded[i]);
    }
    return is_covered && !is_allowed && fact && fact->has_version &&
           wpa_facts_checkout_is_guarded(&fact->version) && wpa_rule_is_on_github(run);
}

static bool checkout_of(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake)
{
    static const char *const inputs[] = {"ref", "repository"};
    const wpa_outline_step *step = site->step;
    for (size_t i = 0; i < WPA_COUNT(inputs); i++) {
        const wpa_yaml_node *node = wpa_outline_with(step, inputs[i]);
        if (!node) {
            continue; /* as of most: the commit of the event, which is nobody's choice */
        }
        wpa_taint taint = wpa_taint_of_scalar(run, site, node, WPA_TAINT_CODE);
        bool is_pull = wpa_yaml_text(node) && i == 0 && strstr(node->text, "pull/");
        bool is_open = is_pull && wpa_outline_has_expression(node->text);
        if (is_open && !is_outsider(&taint)) { /* whatever number: it is somebody's pull request */
            taint = (wpa_taint){.grade = WPA_TAINT_OF_ARBITRARY, .trust = wpa_trust_of(run, site)};
        }
        if (!is_outsider(&taint) ||
            (i == 0 && !is_pull && taint.path && wpa_text_ends(taint.path, "number"))) {
            continue; /* a number alone names no tree */
        }
        *intake = (wpa_intake){
            .kind = WPA_INTAKE_CHECKOUT,
            .step = step,
            .span = node->span,
            .folder = folder_of(step, "path"),
            .trust = taint.trust,
            .is_mutable = i == 0 ? is_mutable_ref(taint.path) || is_pull || is_asked_for(taint.path)
                                 : wpa_outline_with(step, "ref") == NULL,
            .taint = taint,
        };
        intake->is_refused = is_refused(run, site, &taint);
        return true;
    }
    return false;
}

/* ---- artifacts ---------------------------------------------------------------------------------
 */

static bool is_other_run(const wpa_outline_step *step)
{
    return !wpa_outline_step_uses(step, "actions/download-artifact") ||
           wpa_outline_with(step, "run-id") || wpa_outline_with(step, "repository");
}

static bool artifact_of(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake)
{
    const wpa_outline_step *step = site->step;
    const char *script = wpa_outline_with_text(step, "script");
    bool is_script = wpa_outline_step_uses(step, "actions/github-script") && script &&
                     strstr(script, "downloadArtifact");
    bool is_download =
        wpa_outline_uses_trait(step, WPA_TRAIT_ARTIFACT_DOWNLOAD) && is_other_run(step);
    wpa_trust trust = is_script || is_download ? wpa_trust_of(run, site) : (wpa_trust){0};
    if (!(is_script || is_download) || trust.trust != WPA_TRUST_OUTSIDER_PRIVILEGED) {
        return false;
    }
    *intake = (wpa_intake){
        .kind = WPA_INTAKE_ARTIFACT,
        .step = step,
        .span = step->uses.span,
        .folder = is_script ? NULL : folder_of(step, "path"),
        .trust = trust,
    };
    return true;
}

wpa_intake wpa_intake_of_download(const wpa_outline_step *step)
{
    return (wpa_intake){
        .kind = WPA_INTAKE_ARTIFACT,
        .step = step,
        .span = step->uses.node ? step->uses.span : step->node->span,
        .folder = step->uses.node ? folder_of(step, "path") : "",
    };
}

/* ---- commands ----------------------------------------------------------------------------------
 */

static bool has_word(const wpa_shell_command *c, const char *part)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (strstr(c->words[i].text, part)) {
            return true;
        }
    }
    return false;
}

static bool is_download(const wpa_shell_command *c)
{
    return wpa_text_is(c->name, "curl") || wpa_text_is(c->name, "wget") ||
           wpa_shell_is(c, "gh", "api");
}

/* Does the command bring in the tree that its arguments name? */
static bool takes_tree(const wpa_shell_command *c)
{
    static const char *const commands[] = {"fetch", "pull",  "checkout",    "switch", "clone",
                                           "reset", "merge", "cherry-pick", "rebase", "worktree"};
    static const char *const archives[] = {"/archive/", "/tarball/", "/zipball/"};
    const wpa_shell_word *sub = wpa_text_is(c->name, "git") ? wpa_shell_argument(c, 0) : NULL;
    if (sub) {
        return wpa_text_index(sub->text, commands, WPA_COUNT(commands)) >= 0 ||
               (wpa_text_is(sub->text, "remote") && has_word(c, "add"));
    }
    if (is_download(c)) {
        for (size_t i = 0; i < WPA_COUNT(archives); i++) {
            if (has_word(c, archives[i])) {
                return true;
            }
        }
    }
    return wpa_shell_is(c, "gh", "repo") && has_word(c, "clone");
}

/*
 * What of the command tells the tree: of "git checkout -b name start" only where it starts; empty
 * if that is here.
 */
static wpa_span tree_words(const wpa_shell_command *c)
{
    static const char *const creating[] = {"-b", "-B", "-c", "-C", "--create", "--orphan"};
    bool is_new = false;
    bool may_be = wpa_shell_is(c, "git", "checkout") || wpa_shell_is(c, "git", "switch");
    for (size_t i = c->first + 2; may_be && i < c->n_words && !is_new; i++) {
        is_new = wpa_text_index(c->words[i].text, creating, WPA_COUNT(creating)) >= 0;
    }
    const wpa_shell_word *start = is_new ? wpa_shell_argument(c, 2) : NULL;
    return start ? start->span : is_new ? (wpa_span){c->span.end, c->span.end} : c->span;
}

/* Does the command fetch a branch that strangers choose? */
static bool fetches_tree(wpa_rule_run *run, const wpa_site *site, const wpa_shell_command *c)
{
    bool is_pull =
        (wpa_shell_is(c, "gh", "pr") || wpa_shell_is(c, "hub", "pr")) && has_word(c, "checkout");
    is_pull = is_pull || wpa_shell_is(c, "hub", "checkout");
    bool is_fetch =
        (wpa_shell_is(c, "git", "fetch") || wpa_shell_is(c, "git", "pull")) && has_word(c, "pull/");
    if (is_pull || is_fetch || !takes_tree(c)) {
        return is_pull || is_fetch;
    }
    wpa_span words = tree_words(c);
    wpa_taint taint = wpa_taint_of_script(run, site, words, WPA_TAINT_CODE);
    return wpa_span_length(words) && taint.grade == WPA_TAINT_OF_ARBITRARY && is_outsider(&taint) &&
           !wpa_text_ends(taint.path, "number");
}

/* curl of "github.event.workflow_run.artifacts_url" or of what it lists. */
static bool asks_for_artifacts(const wpa_outline_step *step, const wpa_shell_command *c)
{
    static const char *const parts[] = {"artifacts_url", "archive_download_url",
                                        "/actions/artifacts/", "nightly.link/"};
    bool fetches = wpa_text_is(c->name, "curl") || wpa_text_is(c->name, "wget");
    for (size_t i = 0; fetches && i < WPA_COUNT(parts); i++) {
        if (c->span.end <= step->run->length &&
            wpa_text_find(step->run->text + c->span.start, wpa_span_length(c->span), parts[i])) {
            return true;
        }
    }
    return false;
}

static bool names_run(const wpa_yaml_node *node)
{
    return node && wpa_text_find(node->doc->source + node->span.start, wpa_span_length(node->span),
                                 "workflow_run");
}

/*
 * Does the script ask where the files of the run's artifacts lie, by their own name for that, and
 * unpack what lies there? The address of the run may stand in a variable.
 */
static bool unpacks_artifacts(const wpa_site *site, const wpa_script *script)
{
    static const char *const programs[] = {"unzip", "bsdtar", "tar", "7z", "7za", "funzip"};
    const wpa_yaml_node *run = site->step->run;
    bool asks = wpa_yaml_may_hold(run->doc, "archive_download_url") &&
                wpa_text_find(run->text, run->length, "archive_download_url") &&
                (names_run(site->step->node) || names_run(wpa_yaml_get(site->job->node, "env")) ||
                 names_run(wpa_yaml_get(site->source->outline->root, "env")));
    bool unpacks = false;
    for (size_t i = 0; asks && i < script->n_commands && !unpacks; i++) {
        unpacks = wpa_text_index(script->commands[i].name, programs, WPA_COUNT(programs)) >= 0;
    }
    return unpacks;
}

/* Does this command of git, or one behind it, go to a commit by its hash: "git checkout $SHA"? */
static bool goes_to_commit(wpa_rule_run *run, const wpa_outline_step *step,
                           const wpa_script *script, size_t i)
{
    static const char *const moves[] = {"fetch", "pull",  "checkout",    "switch",
                                        "reset", "merge", "cherry-pick", "rebase"};
    for (; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        const wpa_shell_word *sub = wpa_text_is(c->name, "git") ? wpa_shell_argument(c, 0) : NULL;
        bool is_move = sub && wpa_text_index(sub->text, moves, WPA_COUNT(moves)) >= 0 &&
                       c->span.end <= step->run->length;
        if (is_move && !is_mutable_ref(wpa_arena_slice(run->arena, step->run->text + c->span.start,
                                                       wpa_span_length(c->span)))) {
            return true;
        }
    }
    return false;
}

/* Commands before it among which the one is looked for that fetches what a patch is made of. */
#define PATCH_LOOKBACK 16

/* "gh pr diff 1", "curl ${{ github.event.pull_request.patch_url }}". */
static bool fetches_patch(const wpa_outline_step *step, const wpa_shell_command *c)
{
    static const char *const parts[] = {"patch_url", "diff_url"};
    bool fetches = wpa_shell_is(c, "gh", "pr") && has_word(c, "diff");
    bool is_load = wpa_text_is(c->name, "curl") || wpa_text_is(c->name, "wget");
    for (size_t i = 0; is_load && i < WPA_COUNT(parts) && !fetches; i++) {
        fetches =
            c->span.end <= step->run->length &&
            wpa_text_find(step->run->text + c->span.start, wpa_span_length(c->span), parts[i]);
    }
    return fetches;
}

/* Does the command put a pull request into the tree by its patch: "gh pr diff 1 | git apply"? */
static bool applies_patch(const wpa_outline_step *step, const wpa_script *script, size_t i)
{
    const wpa_shell_command *c = &script->commands[i];
    bool applies = wpa_shell_is(c, "git", "apply") || wpa_shell_is(c, "git", "am") ||
                   wpa_text_is(c->name, "patch");
    bool is_fetched = false;
    for (size_t n = 1; applies && n <= i && n <= PATCH_LOOKBACK && !is_fetched; n++) {
        is_fetched = fetches_patch(step, c - n);
    }
    return is_fetched;
}

/** By the letter that it begins with: is it one of the programs below, as few are? */
static bool may_take(const wpa_shell_command *c)
{
    switch (*c->name) {
    case 'c': /* curl */
    case 'g': /* git, gh */
    case 'h': /* hub */
    case 'p': /* patch */
    case 'w': /* wget */
        return true;
    default:
        return false;
    }
}

static bool command_of(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake)
{
    const wpa_script *script = wpa_step_commands(site->step);
    bool unpacks = script && unpacks_artifacts(site, script);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (!may_take(c)) {
            continue;
        }
        bool is_artifact = (unpacks && is_download(c)) ||
                           (wpa_shell_is(c, "gh", "run") && has_word(c, "download")) ||
                           (wpa_shell_is(c, "gh", "api") && has_word(c, "/artifacts/")) ||
                           asks_for_artifacts(site->step, c);
        if (!is_artifact && !fetches_tree(run, site, c) && !applies_patch(site->step, script, i)) {
            continue;
        }
        wpa_trust trust = wpa_trust_of(run, site);
        if (trust.trust != WPA_TRUST_OUTSIDER_PRIVILEGED) {
            return false;
        }
        *intake = (wpa_intake){
            .kind = is_artifact ? WPA_INTAKE_ARTIFACT : WPA_INTAKE_CHECKOUT,
            .step = site->step,
            .span = wpa_outline_script_span(site->step, c->span),
            .folder = "",
            .trust = trust,
            .is_mutable = !goes_to_commit(run, site->step, script, i),
        };
        return true;
    }
    return false;
}

static bool find_intake(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake)
{
    const wpa_outline_step *step = site->step;
    if (step->run) {
        return command_of(run, site, intake);
    }
    if (step->uses.kind != WPA_OUTLINE_REPOSITORY) {
        return false;
    }
    return wpa_outline_step_uses(step, "actions/checkout") ? checkout_of(run, site, intake)
                                                           : artifact_of(run, site, intake);
}

/* For each step of a job (and behind the last) what came in before it last; NULL where nothing. */
static const wpa_intake **intakes_of(wpa_rule_run *run, const wpa_site *site)
{
    bool is_new;
    const wpa_intake **before =
        wpa_site_keep(run, run->ignores_members ? 'I' : 'i', site->job, site->caller,
                      (site->job->n_steps + 1) * sizeof *before, &is_new);
    wpa_arena *own = run->arena;
    bool asks = run->asks_for_thread;
    run->asks_for_thread = true; /* the tree is of who opened the pull request */
    run->arena = run->lasting;   /* the ways of what is found are kept with it */
    for (size_t i = 0; is_new && i < site->job->n_steps; i++) {
        wpa_site at = *site;
        at.step = &site->job->steps[i];
        wpa_intake intake;
        before[i + 1] = find_intake(run, &at, &intake)
                            ? wpa_arena_dup(run->arena, &intake, sizeof intake)
                            : before[i];
    }
    run->arena = own;
    run->asks_for_thread = asks;
    return before;
}

bool wpa_intake_is_in_job(wpa_rule_run *run, const wpa_site *site)
{
    return site->source->outline->may_be_privileged &&
           intakes_of(run, site)[site->job->n_steps] != NULL;
}

bool wpa_intake_of(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake)
{
    if (!site->source->outline->may_be_privileged) {
        return false; /* as in the end each step would be found, of most files */
    }
    const wpa_intake *found = intakes_of(run, site)[site->step->index + 1];
    bool is_own = found && found->step == site->step;
    if (is_own) {
        *intake = *found;
    }
    return is_own;
}

bool wpa_intake_of_approved(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake)
{
    run->ignores_members = true;
    bool is_intake = wpa_intake_of(run, site, intake);
    run->ignores_members = false;
    return is_intake;
}

bool wpa_intake_before(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake)
{
    size_t index = site->step ? site->step->index : 0;
    bool may_be =
        site->job && index <= site->job->n_steps && site->source->outline->may_be_privileged;
    const wpa_intake *found = may_be ? intakes_of(run, site)[index] : NULL;
    if (found) {
        *intake = *found;
    }
    return found != NULL;
}
