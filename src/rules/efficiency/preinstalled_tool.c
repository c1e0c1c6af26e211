/* EFF-016: a package is installed that the runner's image has. */
#include <string.h>

#include "facts/platforms.h"
#include "rules/shell_roles.h"
#include "rules/work.h"

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_shell_command *command;
    const wpa_shell_word *word; /* NULL: the whole command can go */
} subject;

static const char *const installers[][2] = {
    {"apt-get", "install"}, {"apt", "install"}, {"brew", "install"}, {"choco", "install"},
    {"npm", "install"},     {"npm", "i"},       {"pip", "install"},  {"pip3", "install"}};

/* "--version 1" or "--version=1" */
static bool has_option(const wpa_shell_command *c, const char *option)
{
    size_t length = strlen(option);
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (strncmp(word, option, length) == 0 && (!word[length] || word[length] == '=')) {
            return true;
        }
    }
    return false;
}

/* The index of the word behind "install"; 0 if it is none that can be told. */
static size_t first_package(const wpa_shell_command *c)
{
    static const char *const others[] = {"--upgrade",
                                         "-U",
                                         "-r",
                                         "--requirement",
                                         "-e",
                                         "--cask",
                                         "--HEAD",
                                         "--reinstall",
                                         "--version",
                                         "-t",
                                         "--target-release",
                                         "--only-upgrade",
                                         "--install-suggests"};
    const wpa_shell_word *sub = NULL;
    bool may_install = (c->known & WPA_KNOWN_INSTALLER) != 0;
    for (size_t i = 0; i < WPA_COUNT(installers) && may_install && !sub; i++) {
        bool is_npm = wpa_text_is(installers[i][0], "npm");
        if (wpa_shell_is(c, installers[i][0], installers[i][1]) &&
            (!is_npm || wpa_shell_word_find(c, "-g") || wpa_shell_word_find(c, "--global"))) {
            sub = wpa_shell_word_find(c, installers[i][1]);
        }
    }
    for (size_t i = 0; sub && i < WPA_COUNT(others); i++) {
        if (has_option(c, others[i])) {
            return 0;
        }
    }
    return sub ? (size_t)(sub - c->words) + 1 : 0;
}

static const wpa_fact_program *program_of(const char *package)
{
    for (size_t i = 0; i < wpa_facts_program_count(); i++) {
        const wpa_fact_program *program = wpa_facts_program_at(i);
        if (wpa_fact_list_has(program->packages, wpa_slice_of(package))) {
            return program;
        }
    }
    return NULL;
}

static const char *version_on(const wpa_fact_program *program, const char *image)
{
    const wpa_fact_presence *on = image ? wpa_facts_program_on(program, image) : NULL;
    return on ? on->version : NULL;
}

/*
 * On the image of every label, and on the one that a moving label goes to; "present" if they have
 * different ones.
 */
static const char *find_version(const wpa_outline_job *job, const wpa_fact_program *program)
{
    const char *version = NULL;
    for (size_t i = 0; i < job->n_labels; i++) {
        const wpa_fact_image *image = wpa_facts_image_of(job->labels[i].runner);
        const wpa_fact_move *move = wpa_facts_move_of(job->labels[i].text);
        const char *own = image ? version_on(program, image->name) : NULL;
        if (!own ||
            (move && (!version_on(program, move->to) || !version_on(program, move->from)))) {
            return NULL;
        }
        version = !version || wpa_text_is(version, own) ? own : "present";
    }
    return version;
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    size_t n_packages = 0, n_there = 0, first = first_package(c);
    const wpa_shell_word *there = NULL;
    const wpa_fact_program *program = NULL;
    const char *version = NULL;
    for (size_t i = first; first && i < c->n_words; i++) {
        const wpa_shell_word *word = &c->words[i];
        if (word->text[0] == '-') {
            continue;
        }
        n_packages++;
        const wpa_fact_program *row = word->is_literal ? program_of(word->text) : NULL;
        const char *found = row ? find_version(step->job, row) : NULL;
        n_there += found != NULL;
        if (found && !there) {
            there = word;
            program = row;
            version = found;
        }
    }
    if (!there) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){step, c, n_there == n_packages ? NULL : there};
    bool is_stated = !wpa_text_is(version, "present");
    (void)wpa_rule_report(run, wpa_outline_script_span(step, there->span), NULL, s,
                          "%s is on the runner's image already%s%s",
                          wpa_rule_quote(run, there->text, strlen(there->text)),
                          is_stated ? wpa_arena_printf(run->arena, ", as %s ", program->name) : "",
                          is_stated ? version : "");
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (!wpa_work_is_hosted(job) || wpa_yaml_find(job->node, "container")) {
            continue;
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            const wpa_script *script = wpa_step_commands(&job->steps[k]);
            bool is_here = script && !job->steps[k].is_elsewhere;
            for (size_t c = 0; is_here && c < script->n_commands; c++) {
                if (!script->commands[c].is_nested_script) {
                    check_command(run, &job->steps[k], &script->commands[c]);
                }
            }
        }
    }
    return true;
}

static bool is_of_apt(const wpa_shell_command *c)
{
    return wpa_text_is(c->name, "apt-get") || wpa_text_is(c->name, "apt");
}

/* How many commands of the job ask apt for something from this step on. */
static size_t count_of_apt(const wpa_outline_step *from)
{
    size_t n = 0;
    for (size_t k = from->index; k < from->job->n_steps; k++) {
        const wpa_script *script = wpa_step_commands(&from->job->steps[k]);
        for (size_t i = 0; script && i < script->n_commands; i++) {
            n += is_of_apt(&script->commands[i]);
        }
    }
    return n;
}

/* The update of apt's lists that was there for the command alone, or NULL. */
static const wpa_shell_command *own_update(const subject *s)
{
    const wpa_script *script = wpa_step_commands(s->step);
    const wpa_shell_command *before = s->command - 1;
    bool is_own = is_of_apt(s->command) && s->command > script->commands && is_of_apt(before) &&
                  wpa_shell_has_sub(before, "update") && count_of_apt(s->step) == 2;
    return is_own ? before : NULL;
}

static void drop_install(wpa_rule_run *run, wpa_fix *fix, const subject *s)
{
    const wpa_shell_command *update = own_update(s);
    bool is_all = update && wpa_step_commands(s->step)->n_commands == 2;
    if (is_all) {
        bool may_go = !s->step->id && s->step->job->n_steps > 1;
        (void)(may_go && wpa_rule_remove_entry(run, fix, s->step->node));
    } else if (!update || wpa_work_drop_command(run, fix, s->step, update)) {
        (void)wpa_work_drop_command(run, fix, s->step, s->command);
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "do not install it");
    if (s->word) {
        wpa_work_drop_word(run, fix, s->step, s->word);
    } else {
        drop_install(run, fix, s);
    }
}

const wpa_rule wpa_rule_preinstalled_tool = {
    .code = "EFF-016",
    .id = "preinstalled-tool",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A tool is installed that the runner's image has",
    .why = "The package manager takes its time to find out that there is nothing to do.",
    .fix = "Remove the install, unless another version is wanted: then name it.",
    .tables = 1U << WPA_FACTS_IMAGES | 1U << WPA_FACTS_RUNNERS,
    .declares = WPA_DECLARES_SCRIPT,
    .commands =
        (const char *const[]){"apt-get", "apt", "brew", "choco", "npm", "pip", "pip3", NULL},
    .check = check,
    .repair = repair,
};
