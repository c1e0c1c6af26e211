/* PRF-007: a setup action could keep the dependencies between runs, and is not asked to. */
#include <string.h>

#include "rules/outline.h"
#include "rules/pin.h"

/* An install that the job does, and how the setup action's cache for it is switched on. */
typedef struct cache_kind {
    const char *action;
    int least_major, most_major; /* versions that have the input, and do not do it by themselves */
    const char *command, *sub, *option; /* "npm ci"; option is a word that must be there, or NULL */
    const char *input, *value;
    const char *lockfile; /* must be at the root, if the tree is known */
    const char *paths;    /* a word of a cache step's path that means the same folder */
} cache_kind;

static const cache_kind kinds[] = {
    {"actions/setup-node", 2, 4, "npm", "ci", NULL, "cache", "npm", "package-lock.json", "npm"},
    {"actions/setup-node", 2, 4, "yarn", "install", NULL, "cache", "yarn", "yarn.lock", "yarn"},
    {"actions/setup-node", 2, 4, "pnpm", "install", NULL, "cache", "pnpm", "pnpm-lock.yaml",
     "pnpm"},
    {"actions/setup-python", 3, 9, "pip", "install", "-r", "cache", "pip", "requirements.txt",
     "pip"},
    {"actions/setup-python", 3, 9, "pip3", "install", "-r", "cache", "pip", "requirements.txt",
     "pip"},
    {"actions/setup-python", 3, 9, "pipenv", "install", NULL, "cache", "pipenv", "Pipfile.lock",
     "virtualenvs"},
    {"actions/setup-java", 3, 9, "mvn", NULL, NULL, "cache", "maven", "pom.xml", ".m2"},
    {"actions/setup-java", 3, 9, "mvnw", NULL, NULL, "cache", "maven", "pom.xml", ".m2"},
    {"actions/setup-java", 3, 9, "gradlew", NULL, NULL, "cache", "gradle", NULL, ".gradle"},
    {"actions/setup-java", 3, 9, "gradle", NULL, NULL, "cache", "gradle", NULL, ".gradle"},
    {"ruby/setup-ruby", 1, 9, "bundle", "install", NULL, "bundler-cache", "true", "Gemfile.lock",
     "bundle"},
};

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_outline_step *install;
    const cache_kind *kind;
} subject;

static bool is_install(const wpa_shell_command *c, const cache_kind *kind)
{
    return wpa_shell_is(c, kind->command, kind->sub) &&
           (!kind->option || wpa_shell_word_find(c, kind->option));
}

static bool installs(const wpa_outline_step *step, const cache_kind *kind)
{
    for (size_t i = 0; step->script && i < step->script->n_commands; i++) {
        if (is_install(&step->script->commands[i], kind)) {
            return true;
        }
    }
    return false;
}

/* Does another step of the job keep the same folder, or set the tool up with a cache of its own? */
static bool is_cached_elsewhere(const wpa_outline_job *job, const cache_kind *kind)
{
    static const char *const own[] = {"gradle/actions/setup-gradle", "gradle/gradle-build-action",
                                      "bahmutov/npm-install", "cypress-io/github-action"};
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        for (size_t k = 0; k < WPA_COUNT(own); k++) {
            if (wpa_outline_step_uses(step, own[k])) {
                return true;
            }
        }
        bool is_cache = wpa_outline_step_uses(step, "actions/cache") ||
                        wpa_outline_step_uses(step, "actions/cache/restore") ||
                        (step->uses.kind == WPA_OUTLINE_REPOSITORY &&
                         strcasestr(step->uses.node->text, "cache"));
        const char *path = wpa_outline_with_text(step, "path");
        if (is_cache && (!path || strstr(path, kind->paths) || strstr(path, "node_modules") ||
                         wpa_outline_has_expression(path))) {
            return true;
        }
    }
    return false;
}

/* What is published must not come out of a cache that others can write. */
static bool publishes(const wpa_outline *o, const wpa_outline_job *job)
{
    static const char *const words[] = {"publish", "release", "deploy", "twine"};
    if (wpa_outline_trigger_find(o, "release") || o->trust == WPA_TRUST_OUTSIDER_PRIVILEGED) {
        return true;
    }
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_yaml_node *node = job->steps[i].run ? job->steps[i].run : job->steps[i].uses.node;
        for (size_t k = 0; node && k < WPA_COUNT(words); k++) {
            if (strcasestr(node->text, words[k])) {
                return true;
            }
        }
    }
    return false;
}

static bool has_lockfile(const wpa_rule_run *run, const cache_kind *kind)
{
    const wpa_surroundings *around = run->source->around;
    return !around || !around->has_paths || !kind->lockfile ||
           wpa_surroundings_has(around, kind->lockfile);
}

static bool is_candidate(const wpa_outline_step *step, const cache_kind *kind)
{
    int major = wpa_outline_major(&step->uses);
    bool is_open = wpa_yaml_find(step->node, "with") && !step->with;
    return wpa_outline_step_uses(step, kind->action) && major >= kind->least_major &&
           major <= kind->most_major && !is_open && !wpa_outline_with(step, kind->input);
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_outline_job *job = step->job;
    for (size_t i = 0; i < WPA_COUNT(kinds); i++) {
        const cache_kind *kind = &kinds[i];
        if (!is_candidate(step, kind) || !has_lockfile(run, kind) ||
            is_cached_elsewhere(job, kind)) {
            continue;
        }
        for (size_t k = step->index + 1; k < job->n_steps; k++) {
            if (!installs(&job->steps[k], kind)) {
                continue;
            }
            subject *s = wpa_arena_alloc(run->arena, sizeof *s);
            *s = (subject){step, &job->steps[k], kind};
            wpa_finding *finding = wpa_rule_report(
                run, step->uses.node->span, NULL, s,
                "every run downloads the dependencies anew: %s keeps them with '%s: %s'",
                wpa_rule_quote_uses(run, &step->uses), kind->input, kind->value);
            wpa_rule_relate(run, finding, job->steps[k].run->span, "installs them here");
            return;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        bool is_exempt = job->is_self_hosted || job->has_open_labels ||
                         wpa_yaml_find(job->node, "container") || publishes(o, job);
        for (size_t k = 0; !is_exempt && k < job->n_steps; k++) {
            check_step(run, &job->steps[k]);
        }
    }
    return true;
}

/* The cache of pnpm needs pnpm to be there before. */
static bool is_ready(const subject *s)
{
    if (!wpa_text_is(s->kind->value, "pnpm")) {
        return true;
    }
    for (size_t i = 0; i < s->step->index; i++) {
        if (wpa_outline_step_uses(&s->step->job->steps[i], "pnpm/action-setup")) {
            return true;
        }
    }
    return false;
}

/* The action looks for the lockfile at the root: is the install done there, from such a file? */
static bool is_at_root(const wpa_rule_run *run, const subject *s)
{
    const wpa_yaml_node *scopes[] = {s->step->job->node, run->source->outline->root};
    if (wpa_yaml_find(s->install->node, "working-directory")) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        const wpa_yaml_node *defaults = wpa_yaml_get(wpa_yaml_get(scopes[i], "defaults"), "run");
        if (wpa_yaml_find(defaults, "working-directory")) {
            return false;
        }
    }
    for (size_t i = 0; i < s->install->script->n_commands; i++) {
        const wpa_shell_command *c = &s->install->script->commands[i];
        bool is_elsewhere = wpa_text_is(c->name, "cd") || wpa_text_is(c->name, "pushd") ||
                            wpa_shell_word_find(c, "--prefix") || wpa_shell_word_find(c, "--cwd") ||
                            wpa_shell_word_find(c, "-C");
        bool is_other_file =
            is_install(c, s->kind) && s->kind->option && !wpa_shell_word_find(c, s->kind->lockfile);
        if (is_elsewhere || is_other_file) {
            return false;
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (is_ready(s) && is_at_root(run, s)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add %s: %s", s->kind->input,
                                    s->kind->value);
        (void)wpa_rule_add_in(run, fix, s->step->node, "with", "uses", s->kind->input,
                              s->kind->value);
    }
}

const wpa_rule wpa_rule_missing_dependency_cache = {
    .code = "PRF-007",
    .id = "missing-dependency-cache",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Dependencies are downloaded anew by every run",
    .why = "The setup action offers a cache by lockfile, and it is off.",
    .fix = "Switch the cache of the setup action on.",
    .tables = 1U << WPA_FACTS_ACTIONS,
    .declares = WPA_DECLARES_CACHE,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
