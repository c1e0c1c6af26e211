/* PRF-014: an install that may change what the lockfile has fixed. */
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/work.h"

#define PER_STEP_MAX 16

/* A command that resolves versions anew, and what takes them from the lockfile. */
typedef struct loose_install {
    const char *program, *sub; /* sub NULL: without any argument */
    const char *mark;          /* an option that must be there, or NULL */
    const char *strict[3];     /* options that make it strict; or NULL */
    const char *lockfile;
    const char *replace; /* word that the fix puts in place of sub or mark; NULL: append */
    const char *append;
    const char *unless; /* a file with which the program is strict by itself, or NULL */
} loose_install;

static const loose_install installs[] = {
    {"npm", "install", NULL, {0}, "package-lock.json", "ci", NULL, NULL},
    {"npm", "i", NULL, {0}, "package-lock.json", "ci", NULL, NULL},
    {"yarn",
     "install",
     NULL,
     {"--frozen-lockfile", "--immutable"},
     "yarn.lock",
     NULL,
     "--frozen-lockfile",
     ".yarnrc.yml"},
    {"yarn",
     NULL,
     NULL,
     {"--frozen-lockfile", "--immutable"},
     "yarn.lock",
     NULL,
     "install --frozen-lockfile",
     ".yarnrc.yml"},
    {"pnpm",
     "install",
     "--no-frozen-lockfile",
     {0},
     "pnpm-lock.yaml",
     "--frozen-lockfile",
     NULL,
     NULL},
    {"pnpm", "i", "--no-frozen-lockfile", {0}, "pnpm-lock.yaml", "--frozen-lockfile", NULL, NULL},
    {"bundle", "update", NULL, {0}, "Gemfile.lock", "install", NULL, NULL},
    {"poetry", "update", NULL, {0}, "poetry.lock", "install", NULL, NULL},
    {"composer", "update", NULL, {0}, "composer.lock", "install", NULL, NULL},
};

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_shell_command *command;
    const loose_install *install;
} subject;

/* Options that say that something else is installed, or that say what the fix would. */
static bool is_other(const wpa_shell_command *c, const loose_install *install)
{
    static const char *const others[] = {"-g",
                                         "--global",
                                         "--location=global",
                                         "--package-lock-only",
                                         "--no-package-lock",
                                         "--lockfile-only",
                                         "--lock",
                                         "--prefix",
                                         "-C",
                                         "--cwd",
                                         "--dir",
                                         "--no-lockfile",
                                         "--mode=update-lockfile"};
    for (size_t i = 0; i < WPA_COUNT(others); i++) {
        if (wpa_shell_word_find(c, others[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < WPA_COUNT(install->strict) && install->strict[i]; i++) {
        if (wpa_shell_word_find(c, install->strict[i])) {
            return true;
        }
    }
    return false;
}

static bool fits(const wpa_shell_command *c, const loose_install *install)
{
    if (!wpa_text_is(c->name, install->program) || c->is_nested_script) {
        return false;
    }
    const wpa_shell_word *sub = wpa_shell_argument(c, 0);
    bool is_command = install->sub
                          ? sub && wpa_text_is(sub->text, install->sub) && !wpa_shell_argument(c, 1)
                          : !sub;
    bool is_version = !install->sub && c->n_words > c->first + 1; /* "yarn --version" */
    return is_command && !is_version && !is_other(c, install) &&
           (!install->mark || wpa_shell_word_find(c, install->mark));
}

/* Where the command runs, relative to the root: "" there, NULL if it cannot be told. */
static const char *folder_of(const wpa_rule_run *run, const wpa_outline_step *step,
                             const wpa_shell_command *command)
{
    static const char *const moves[] = {"cd", "pushd",        "chdir",
                                        "sl", "Set-Location", "Push-Location"};
    for (const wpa_shell_command *c = wpa_step_commands(step)->commands; c < command; c++) {
        for (size_t i = 0; i < WPA_COUNT(moves); i++) {
            if (wpa_text_is_ci(c->name, moves[i])) {
                return NULL;
            }
        }
    }
    const wpa_yaml_node *scopes[] = {
        step->node, wpa_yaml_get(wpa_yaml_get(step->job->node, "defaults"), "run"),
        wpa_yaml_get(wpa_yaml_get(run->source->outline->root, "defaults"), "run")};
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        const wpa_yaml_node *value = wpa_yaml_get(scopes[i], "working-directory");
        const char *text = wpa_yaml_text(value);
        if (value) {
            text = text && wpa_text_starts(text, "./") ? text + 2 : text;
            return text && !wpa_outline_has_expression(text) ? text : NULL;
        }
    }
    return "";
}

/* In the tree if it is known, else by what the file says of it. */
static bool has_file(wpa_rule_run *run, const char *folder, const char *name)
{
    const wpa_surroundings *around = run->source->around;
    if (!around || !around->has_paths) {
        return wpa_work_mentions(run->source->outline->root, name);
    }
    if (!folder) {
        return wpa_surroundings_match(around, wpa_arena_printf(run->arena, "**/%s", name)) != NULL;
    }
    return wpa_surroundings_has(
        around, *folder ? wpa_arena_printf(run->arena, "%s/%s", folder, name) : name);
}

/* A job that writes the lockfile back is there to change it. */
static bool commits(const wpa_outline_job *job)
{
    static const char *const words[] = {"git commit",  "git push",       "create-pull-request",
                                        "auto-commit", "add-and-commit", "git diff",
                                        NULL};
    for (size_t i = 0; i < job->n_steps; i++) {
        if (wpa_work_mentions_any(job->steps[i].node, words)) {
            return true;
        }
    }
    return false;
}

static const loose_install *install_of(const wpa_shell_command *c)
{
    for (size_t i = 0; i < WPA_COUNT(installs) && (c->known & WPA_KNOWN_INSTALLER); i++) {
        if (fits(c, &installs[i])) {
            return &installs[i];
        }
    }
    return NULL;
}

static void check_install(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c, const loose_install *install)
{
    const char *folder = folder_of(run, step, c);
    if (!has_file(run, folder, install->lockfile) ||
        (install->unless && has_file(run, folder, install->unless))) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){step, c, install};
    const char *text = wpa_step_commands(step)->text + c->span.start;
    (void)wpa_rule_report(run, wpa_outline_script_span(step, c->span), NULL, s,
                          "%s resolves versions anew instead of taking those of %s",
                          wpa_rule_quote(run, text, wpa_span_length(c->span)), install->lockfile);
}

/* Whether the job writes back is asked for once it has such an install: few have. */
static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    bool is_asked = false;
    for (size_t k = 0; k < job->n_steps; k++) {
        const wpa_outline_step *step = &job->steps[k];
        const wpa_script *script = wpa_step_commands(step);
        size_t n = 0; /* each is looked at with what stands before it */
        for (size_t c = 0; script && n < PER_STEP_MAX && c < script->n_commands; c++) {
            const loose_install *install = install_of(&script->commands[c]);
            if (!install) {
                continue;
            }
            if (!is_asked && commits(job)) {
                return;
            }
            is_asked = true;
            check_install(run, step, &script->commands[c], install);
            n++;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i]);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const loose_install *install = s->install;
    const char *old = install->mark ? install->mark : install->sub;
    const wpa_shell_word *word = old ? wpa_shell_word_find(s->command, old) : NULL;
    if (install->replace && word) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "use %s %s", install->program,
                                    install->replace);
        wpa_rule_edit(run, fix, wpa_outline_script_span(s->step, word->span), "%s",
                      install->replace);
    } else if (install->append) {
        size_t end = wpa_outline_script_span(s->step, s->command->span).end;
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "use yarn install %s", install->strict[0]);
        wpa_rule_edit(run, fix, (wpa_span){end, end}, " %s", install->append);
    }
}

const wpa_rule wpa_rule_npm_install_in_ci = {
    .code = "PRF-014",
    .id = "npm-install-in-ci",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Dependencies are resolved anew although there is a lockfile",
    .why = "It is slower than installing what the lockfile says, and two runs of one commit may "
           "test different versions.",
    .fix = "Use npm ci, --immutable, --frozen-lockfile, or install in place of update.",
    .declares = WPA_DECLARES_SCRIPT,
    .commands = (const char *const[]){"npm", "yarn", "pnpm", "bundle", "poetry", "composer", NULL},
    .check = check,
    .repair = repair,
};
