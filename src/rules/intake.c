#include "rules/intake.h"

#include <string.h>

#include "facts/commands.h"
#include "rules/own.h"
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
            .is_mutable = i == 0 ? is_mutable_ref(taint.path) || is_pull
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

/* Its script in any shell; calls of Python are no commands. */
static const wpa_script *commands_of(const wpa_outline_step *step)
{
    bool is_shell = step->lexed && step->lexed->language != WPA_SCRIPT_PYTHON;
    return is_shell ? step->lexed : NULL;
}

static bool has_word(const wpa_shell_command *c, const char *part)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (strstr(c->words[i].text, part)) {
            return true;
        }
    }
    return false;
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
    if (wpa_text_is(c->name, "curl") || wpa_text_is(c->name, "wget")) {
        for (size_t i = 0; i < WPA_COUNT(archives); i++) {
            if (has_word(c, archives[i])) {
                return true;
            }
        }
    }
    return wpa_shell_is(c, "gh", "repo") && has_word(c, "clone");
}

/* Does the command fetch a branch that strangers choose? */
static bool fetches_tree(wpa_rule_run *run, const wpa_site *site, const wpa_shell_command *c)
{
    bool is_pull =
        (wpa_shell_is(c, "gh", "pr") || wpa_shell_is(c, "hub", "pr")) && has_word(c, "checkout");
    bool is_fetch =
        (wpa_shell_is(c, "git", "fetch") || wpa_shell_is(c, "git", "pull")) && has_word(c, "pull/");
    if (is_pull || is_fetch || !takes_tree(c)) {
        return is_pull || is_fetch;
    }
    wpa_taint taint = wpa_taint_of_script(run, site, c->span, WPA_TAINT_CODE);
    return taint.grade == WPA_TAINT_OF_ARBITRARY && is_outsider(&taint) &&
           !wpa_text_ends(taint.path, "number");
}

/* curl of "github.event.workflow_run.artifacts_url" or of what it lists. */
static bool asks_for_artifacts(const wpa_outline_step *step, const wpa_shell_command *c)
{
    static const char *const parts[] = {"artifacts_url", "archive_download_url",
                                        "/actions/artifacts/", "nightly.link/"};
    bool is_download = wpa_text_is(c->name, "curl") || wpa_text_is(c->name, "wget");
    for (size_t i = 0; is_download && i < WPA_COUNT(parts); i++) {
        if (c->span.end <= step->run->length &&
            wpa_text_find(step->run->text + c->span.start, wpa_span_length(c->span), parts[i])) {
            return true;
        }
    }
    return false;
}

static bool command_of(wpa_rule_run *run, const wpa_site *site, wpa_intake *intake)
{
    const wpa_script *script = commands_of(site->step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_artifact = (wpa_shell_is(c, "gh", "run") && has_word(c, "download")) ||
                           (wpa_shell_is(c, "gh", "api") && has_word(c, "/artifacts/")) ||
                           asks_for_artifacts(site->step, c);
        if (!is_artifact && !fetches_tree(run, site, c)) {
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
            .is_mutable = true,
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
    run->arena = run->lasting; /* the ways of what is found are kept with it */
    for (size_t i = 0; is_new && i < site->job->n_steps; i++) {
        wpa_site at = *site;
        at.step = &site->job->steps[i];
        wpa_intake intake;
        before[i + 1] = find_intake(run, &at, &intake)
                            ? wpa_arena_dup(run->arena, &intake, sizeof intake)
                            : before[i];
    }
    run->arena = own;
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

/* ---- running it --------------------------------------------------------------------------------
 */

/* Is this word a path below the folder, or any path of the tree if that is the workspace? */
static bool is_below(const wpa_intake *intake, const char *word)
{
    static const char *const workspace[] = {"$GITHUB_WORKSPACE/", "${GITHUB_WORKSPACE}/",
                                            "$env:GITHUB_WORKSPACE", "%GITHUB_WORKSPACE%"};
    const char *folder = intake->folder;
    for (size_t i = 0; i < WPA_COUNT(workspace); i++) {
        word += wpa_text_starts(word, workspace[i]) ? strlen(workspace[i]) : 0;
    }
    bool is_path = word[0] != '/' && word[0] != '-' && word[0] != '$' && word[0] != '~';
    word += wpa_text_starts(word, "./") ? 2 : 0;
    if (!folder || !*folder) {
        return is_path;
    }
    return strstr(word, folder) != NULL;
}

static bool runs_file(const wpa_intake *intake, const wpa_shell_command *c)
{
    static const char *const interpreters[] = {
        "bash", "sh",     "zsh",    "python",     "python3", "node",   "ruby",    "perl",
        "php",  "source", ".",      "deno",       "bun",     "tsx",    "Rscript", "pwsh",
        "java", "lua",    "elixir", "powershell", "call",    "cscript"};
    if (c->n_words <= c->first) {
        return false;
    }
    const char *program = c->words[c->first].text;
    bool is_filter =
        wpa_text_is(c->name, "awk") || wpa_text_is(c->name, "gawk") || wpa_text_is(c->name, "sed");
    if (is_filter) {
        return wpa_shell_word_find(c, "-f") != NULL;
    }
    bool is_script = wpa_text_ends(c->name, ".bat") || wpa_text_ends(c->name, ".cmd") ||
                     wpa_text_ends(c->name, ".ps1");
    if ((is_script || strpbrk(program, "/\\")) && is_below(intake, program)) {
        return true;
    }
    const wpa_shell_word *script = wpa_shell_argument(c, 0);
    return wpa_text_index(c->name, interpreters, WPA_COUNT(interpreters)) >= 0 && script &&
           !wpa_shell_word_find(c, "-c") && !wpa_shell_word_find(c, "-e") &&
           !wpa_shell_word_find(c, "-m") && !wpa_shell_word_find(c, "-Command") &&
           is_below(intake, script->text);
}

/* Arguments of a command as the tables take them. */
static size_t arguments_of(const wpa_shell_command *c, const char *words[], size_t max)
{
    size_t n = 0;
    for (size_t i = c->first + 1; i < c->n_words && n < max; i++) {
        words[n++] = c->words[i].text;
    }
    return n;
}

/* A program and what stands behind it, in the script or behind another program. */
typedef struct deed {
    const char *name;
    const char *const *words;
    size_t n;
} deed;

static bool has_argument(const deed *d, const char *text)
{
    return wpa_text_index(text, d->words, d->n) >= 0;
}

static const char *tree_file_of(const deed *d)
{
    bool only_tells =
        d->n == 1 && (wpa_text_is(d->words[0], "--version") || wpa_text_is(d->words[0], "-v"));
    return only_tells ? NULL : wpa_facts_tree_file(d->name, d->words, d->n);
}

/* Packages of a registry by their names, as against what the project itself says. */
static bool installs_others(const deed *d)
{
    static const char *const named[] = {"pip", "pip3",   "apt",   "apt-get", "brew", "gem", "git",
                                        "gh",  "docker", "cargo", "go",      "curl", "wget"};
    bool is_pip = d->n > 1 && wpa_text_is(d->words[0], "-m") && wpa_text_starts(d->words[1], "pip");
    bool is_own = has_argument(d, "-r") || has_argument(d, "-e");
    for (size_t i = 0; i < d->n; i++) { /* ".", "./a", ".[b]" */
        is_own = is_own || (d->words[i][0] == '.' && strchr("/[", d->words[i][1]));
    }
    return (is_pip || wpa_text_index(d->name, named, WPA_COUNT(named)) >= 0) && !is_own;
}

static bool builds(const deed *d)
{
    unsigned known = *d->name ? wpa_facts_program_known(d->name) : 0;
    unsigned roles = wpa_facts_command_roles(d->name, known, d->words, d->n);
    return (roles & (WPA_DOES_BUILD | WPA_DOES_TEST)) != 0 ||
           ((roles & WPA_DOES_INSTALL) != 0 && !installs_others(d)) ||
           wpa_text_is(d->name, "make") || wpa_text_is(d->name, "make.exe") ||
           tree_file_of(d) != NULL;
}

/* "docker run -v $PWD:/work image make": the workspace is in the container, and what runs there. */
static bool builds_in_container(const deed *d)
{
    static const char *const places[] = {"PWD", "pwd", "GITHUB_WORKSPACE"};
    bool is_mounted = false;
    for (size_t i = 1; i < d->n; i++) {
        for (size_t k = 0; k < WPA_COUNT(places); k++) {
            is_mounted = is_mounted || strstr(d->words[i], places[k]);
        }
        is_mounted = is_mounted || (d->words[i][0] == '_' && strstr(d->words[i], "_:/"));
        deed inner = {d->words[i], d->words + i + 1, d->n - i - 1};
        if (is_mounted && i > 1 && builds(&inner)) {
            return true;
        }
    }
    return false;
}

static bool builds_tree(const wpa_shell_command *c)
{
    const char *words[32];
    deed d = {c->name, words, arguments_of(c, words, WPA_COUNT(words))};
    bool is_container = wpa_shell_is(c, "docker", "run") || wpa_shell_is(c, "podman", "run");
    return builds(&d) || (is_container && builds_in_container(&d));
}

/* Does the step work in another folder, and speak of this one nowhere? */
static bool is_elsewhere(const wpa_intake *intake, const wpa_outline_step *step)
{
    const char *there = wpa_yaml_text(wpa_yaml_get(step->node, "working-directory"));
    const char *folder = intake->folder;
    return folder && *folder && there && !wpa_outline_has_expression(there) &&
           !strstr(there, folder) && step->run && !strstr(step->run->text, folder);
}

bool wpa_intake_is_run_by(const wpa_intake *intake, const wpa_outline_step *step, wpa_span *span)
{
    bool is_tree = intake->kind == WPA_INTAKE_CHECKOUT;
    if (step->uses.kind == WPA_OUTLINE_LOCAL) {
        *span = step->uses.span;
        return is_below(intake, wpa_yaml_text(step->uses.node));
    }
    if (step->uses.kind == WPA_OUTLINE_REPOSITORY) {
        *span = step->uses.span;
        return is_tree && wpa_outline_uses_trait(step, WPA_TRAIT_TREE_RUNNER);
    }
    if (is_elsewhere(intake, step)) {
        return false;
    }
    const wpa_script *script = commands_of(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_behind = step != intake->step ||
                         wpa_outline_script_span(step, c->span).start > intake->span.start;
        if (c->n_words && is_behind && (runs_file(intake, c) || (is_tree && builds_tree(c)))) {
            *span = wpa_outline_script_span(step, c->span);
            return true;
        }
    }
    return false;
}

const char *wpa_intake_file_at(const wpa_outline_step *step, wpa_span span)
{
    const wpa_script *script = commands_of(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (wpa_outline_script_span(step, c->span).start == span.start) {
            const char *words[32];
            deed d = {c->name, words, arguments_of(c, words, WPA_COUNT(words))};
            return tree_file_of(&d);
        }
    }
    return NULL;
}

#define RUNS_MAX 16 /* steps that are named */

void wpa_intake_relate_runs(wpa_rule_run *run, wpa_finding *finding, const wpa_outline_job *job,
                            const wpa_intake *intake)
{
    wpa_span span;
    for (size_t i = intake->step->index, n = 0; i < job->n_steps && n < RUNS_MAX; i++) {
        if (wpa_intake_is_run_by(intake, &job->steps[i], &span)) {
            const char *file = wpa_intake_file_at(&job->steps[i], span);
            wpa_rule_relate(run, finding, span, file ? "runs it, as told by %s" : "runs it%s",
                            file ? file : "");
            wpa_rule_relate_script(run, finding, job->steps[i].run, span);
            n++;
        }
    }
}
