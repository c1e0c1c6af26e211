/* PRF-005: the whole history is fetched and nothing reads it. */
#include <string.h>

#include "rules/rule.h"
#include "rules/shell_roles.h"
#include "rules/work.h"

typedef enum need {
    NEED_NONE,
    NEED_PARENT, /* HEAD^ and nothing older */
    NEED_UNKNOWN,
    NEED_HISTORY
} need;

/* Programs known to look at files only. */
static const char *const treeish[] = {
    "echo",
    "printf",
    "cd",
    "mkdir",
    "cp",
    "mv",
    "rm",
    "ls",
    "cat",
    "test",
    "[",
    "[[",
    "export",
    "set",
    "true",
    "exit",
    "sed",
    "grep",
    "awk",
    "head",
    "tail",
    "pytest",
    "ruff",
    "black",
    "flake8",
    "mypy",
    "eslint",
    "tsc",
    "prettier",
    "tar",
    "unzip",
    "zip",
    "chmod",
    "apt-get",
    "apt",
    "brew",
    "docker-compose",
    "jq",
    "wc",
    "sort",
    "ctest",
    "tee",
    "for",
    "if",
    "case",
    "sudo",
    "curl",
    "wget",
    "find",
    "touch",
    "corepack",
    "rustup",
    "isort",
    "shellcheck",
    "yamllint",
    "hadolint",
    "codespell",
    "pylint",
};

/* Actions known to look at files only. */
static const char *const tree_actions[] = {
    "actions/setup-node",      "actions/setup-python",       "actions/setup-go",
    "actions/setup-java",      "actions/setup-dotnet",       "ruby/setup-ruby",
    "actions/cache",           "actions/cache/restore",      "actions/cache/save",
    "actions/upload-artifact", "actions/download-artifact",  "pnpm/action-setup",
    "oven-sh/setup-bun",       "astral-sh/setup-uv",         "dtolnay/rust-toolchain",
    "swatinem/rust-cache",     "docker/setup-buildx-action", "docker/setup-qemu-action",
    "docker/login-action",     "hashicorp/setup-terraform",  "shivammathur/setup-php",
};

static const wpa_rule_option options[] = {
    {"needs-history", "", "programs that read history, separated by blanks or commas",
     WPA_OPTION_TEXT},
    {0},
};

static bool is_parent(const char *word)
{
    return wpa_text_is(word, "HEAD^") || wpa_text_is(word, "HEAD~1") ||
           wpa_text_is(word, "HEAD~") || wpa_text_is(word, "HEAD^1");
}

static need need_of_git(const wpa_shell_command *c)
{
    static const char *const shallow[] = {"config",   "status", "add",  "commit",     "rev-parse",
                                          "ls-files", "apply",  "init", "diff-index", "stash"};
    const wpa_shell_word *sub = wpa_shell_argument(c, 0);
    if (sub && wpa_text_index(sub->text, shallow, WPA_COUNT(shallow)) >= 0) {
        return NEED_NONE;
    }
    bool has_parent = false, has_other = false;
    for (size_t i = c->first + 2; sub && i < c->n_words; i++) {
        const char *word = c->words[i].text;
        has_parent = has_parent || is_parent(word);
        has_other = has_other || (!is_parent(word) && word[0] != '-' &&
                                  !wpa_text_is(word, "HEAD") && !strchr(word, '/'));
    }
    bool is_diff = sub && (wpa_text_is(sub->text, "diff") || wpa_text_is(sub->text, "diff-tree"));
    if (is_diff && !has_parent && !has_other && !strstr(c->words[c->n_words - 1].text, "..") &&
        c->n_words <= c->first + 4 && !strchr(c->words[c->n_words - 1].text, '/')) {
        return NEED_NONE; /* "git diff --exit-code": the tree against the index */
    }
    return is_diff && has_parent && !has_other ? NEED_PARENT : NEED_HISTORY;
}

/** Code of the repository's own, or a commit handed to whatever runs: it may look at more. */
static bool may_read_history(const wpa_shell_command *c)
{
    bool names_commit = false;
    for (size_t i = c->first + 1; i < c->n_words && !names_commit; i++) {
        names_commit = strstr(c->words[i].text, "HEAD") || strstr(c->words[i].text, "origin/");
    }
    return names_commit || wpa_shell_is(c, "go", "run") || wpa_shell_is(c, "cargo", "run");
}

static need need_of_command(const wpa_rule_run *run, const wpa_shell_command *c)
{
    if (wpa_rule_option_lists(run, "needs-history", wpa_slice_of(c->name))) {
        return NEED_HISTORY;
    }
    if (wpa_text_is(c->name, "git") || wpa_text_is_ci(c->name, "git.exe")) {
        return need_of_git(c);
    }
    unsigned roles = wpa_shell_roles(c);
    if (roles & (unsigned)WPA_DOES_HISTORY) {
        return NEED_HISTORY;
    }
    bool is_treeish = !*c->name || wpa_text_index(c->name, treeish, WPA_COUNT(treeish)) >= 0;
    unsigned plain = WPA_DOES_TEST | WPA_DOES_LINT | WPA_DOES_INSTALL | WPA_DOES_FETCH;
    /* Installing a project of Python's may take its version from tags. */
    static const char *const versioned[] = {"uv",    "pip",    "pip3",    "poetry", "pdm",
                                            "hatch", "python", "python3", "tox",    "nox"};
    if (wpa_text_index(c->name, versioned, WPA_COUNT(versioned)) >= 0 &&
        !wpa_shell_word_find(c, "-r")) {
        return NEED_UNKNOWN;
    }
    if (may_read_history(c)) {
        return NEED_UNKNOWN;
    }
    bool is_go_or_cargo =
        roles == WPA_DOES_BUILD && (wpa_text_is(c->name, "cargo") || wpa_text_is(c->name, "go"));
    return is_treeish || is_go_or_cargo || (roles && !(roles & ~plain)) ? NEED_NONE : NEED_UNKNOWN;
}

static need need_of_step(const wpa_rule_run *run, const wpa_outline_step *step)
{
    need worst = NEED_NONE;
    if (step->uses.kind == WPA_OUTLINE_REPOSITORY) {
        for (size_t i = 0; i < WPA_COUNT(tree_actions); i++) {
            if (wpa_outline_step_uses(step, tree_actions[i])) {
                return NEED_NONE;
            }
        }
        return wpa_work_step_roles(step) & WPA_DOES_HISTORY ? NEED_HISTORY : NEED_UNKNOWN;
    }
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        need n = need_of_command(run, &script->commands[i]);
        worst = n > worst ? n : worst;
    }
    return script ? worst : NEED_UNKNOWN;
}

/* enough: what is as much as that ends the search. */
static need need_behind(const wpa_rule_run *run, const wpa_outline_step *checkout, need enough)
{
    need worst = NEED_NONE;
    for (size_t i = checkout->index + 1; i < checkout->job->n_steps && worst < enough; i++) {
        need n = need_of_step(run, &checkout->job->steps[i]);
        worst = n > worst ? n : worst;
    }
    return worst;
}

/* Somebody wrote down on the line what the history is for, more than that all of it is meant. */
static bool has_reason(const wpa_yaml_node *depth)
{
    static const char *const words[] = {"so ",      "need",  "because",   "version",
                                        "nbgv",     "avoid", "changelog", "blame",
                                        "describe", "sonar", "diff",      "base"};
    const char *at = depth->doc->source + depth->span.end;
    at += strspn(at, " \t\"'");
    size_t length = *at == '#' ? strcspn(at, "\n") : 0;
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (wpa_text_find_ci(at, length, words[i])) {
            return true;
        }
    }
    const char *purpose = wpa_text_find_ci(at, length, "for ");
    return purpose && !wpa_text_starts(purpose, "for all");
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *depth = wpa_outline_with(step, "fetch-depth");
    if (!wpa_outline_step_uses(step, "actions/checkout") ||
        !wpa_text_is(wpa_yaml_text(depth), "0") || step->index + 1 == step->job->n_steps ||
        has_reason(depth)) {
        return;
    }
    need enough = wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC) ? NEED_HISTORY : NEED_UNKNOWN;
    need behind = need_behind(run, step, enough);
    if (behind >= enough) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, depth->span, NULL, step, "%s",
        behind == NEED_UNKNOWN
            ? "the whole history is fetched; no step is seen to read it, though some are unknown"
        : behind == NEED_PARENT ? "the whole history is fetched, but only the last commit's parent "
                                  "is read"
                                : "the whole history is fetched, but no later step reads it");
    if (behind == NEED_UNKNOWN) {
        finding->persona = WPA_PERSONA_PEDANTIC;
        finding->confidence = WPA_CONFIDENCE_LOW;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i].steps[k]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    const wpa_yaml_node *depth = wpa_outline_with(step, "fetch-depth");
    need behind = need_behind(run, step, NEED_HISTORY);
    if (behind == NEED_UNKNOWN) {
        return; /* whoever knows what the steps do must say */
    }
    if (behind == NEED_PARENT) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "fetch two commits");
        wpa_rule_edit(run, fix, depth->span, "2");
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "fetch the last commit only");
    const wpa_yaml_pair *with = wpa_yaml_find(step->node, "with");
    bool is_only = step->with->n_pairs == 1;
    (void)wpa_rule_remove_entry(run, fix, is_only ? with->value : depth);
}

const wpa_rule wpa_rule_full_history_checkout = {
    .code = "PRF-005",
    .id = "full-history-checkout",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "The whole history is fetched and nothing needs it",
    .why = "Every run downloads every commit, branch and tag of the repository.",
    .fix = "Leave fetch-depth out, or fetch two commits where only the parent is read.",
    .options = options,
    .tables = 1U << WPA_FACTS_COMMANDS,
    .declares = WPA_DECLARES_SCRIPT, /* what a step does with its inputs */
    .words = (const char *const[]){"fetch-depth", NULL},
    .check = check,
    .repair = repair,
};
