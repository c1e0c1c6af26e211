/* CMP-037: a script calls a tool that the runner's image does not have. */
#include <string.h>

#include <wpa/map.h>

#include "facts/commands.h"
#include "rules/own.h"
#include "rules/pin.h"
#include "rules/steps.h"
#include "rules/toolchain.h"

#define LABELS_MAX 100

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_fact_program *tool;
} subject;

/* Steps in front of which nothing is installed that is not named: what they do is known. */
static bool leaves_tools_alone(const wpa_outline_step *step)
{
    static const char *const actions[] = {"actions/checkout",
                                          "actions/cache",
                                          "actions/cache/restore",
                                          "actions/upload-artifact",
                                          "actions/download-artifact",
                                          "actions/configure-pages",
                                          "docker/login-action",
                                          "docker/metadata-action",
                                          "docker/setup-buildx-action",
                                          "docker/setup-qemu-action",
                                          "step-security/harden-runner",
                                          "aws-actions/configure-aws-credentials",
                                          "google-github-actions/auth",
                                          "azure/login",
                                          "dorny/paths-filter",
                                          "codecov/codecov-action",
                                          "actions/stale",
                                          "actions/labeler"};
    for (size_t i = 0; i < WPA_COUNT(actions); i++) {
        if (wpa_outline_step_uses(step, actions[i])) {
            return true;
        }
    }
    return false;
}

static bool is_setup_of_other(const wpa_outline_step *step, const wpa_fact_program *tool)
{
    const wpa_fact_runtime *runtime = wpa_outline_runtime(step);
    return runtime && !wpa_outline_step_uses(step, tool->setup ? tool->setup : "") &&
           !strstr(tool->command, runtime->command);
}

/* Does a script bring tools that its words do not name? */
static bool is_open_command(const wpa_shell_command *c)
{
    static const char *const programs[] = {"curl",
                                           "wget",
                                           "tar",
                                           "unzip",
                                           "pip",
                                           "pip3",
                                           "pipx",
                                           "npm",
                                           "pnpm",
                                           "yarn",
                                           "gem",
                                           "cargo",
                                           "go",
                                           "brew",
                                           "choco",
                                           "conda",
                                           "make",
                                           "source",
                                           ".",
                                           "bash",
                                           "sh",
                                           "bundle",
                                           "uv",
                                           "corepack",
                                           "nix",
                                           "mise",
                                           "asdf",
                                           "sdk",
                                           "snap",
                                           "eval",
                                           "ln",
                                           "mv",
                                           "cp",
                                           "install",
                                           "python",
                                           "python3",
                                           "dnf",
                                           "winget",
                                           "scoop",
                                           "pacman",
                                           "apt-fast",
                                           "gh",
                                           "dotnet",
                                           "composer",
                                           "opam",
                                           "rustup",
                                           "nvm",
                                           "alias",
                                           "function",
                                           "poetry",
                                           "task",
                                           "just",
                                           "npx",
                                           "docker",
                                           "git",
                                           "chmod",
                                           "7z",
                                           "stack",
                                           "cabal",
                                           "mamba",
                                           "micromamba",
                                           "invoke-webrequest",
                                           "iwr",
                                           "irm",
                                           "iex",
                                           "invoke-restmethod",
                                           "invoke-expression",
                                           "start-process",
                                           "expand-archive",
                                           "install-module",
                                           "import-module",
                                           "msiexec",
                                           "call",
                                           "refreshenv",
                                           "set-alias"};
    const char *text = c->first < c->n_words ? c->words[c->first].text : "";
    bool is_listed = false;
    for (size_t i = 0; i < WPA_COUNT(programs) && !is_listed; i++) {
        is_listed = wpa_text_is_ci(c->name, programs[i]);
    }
    return is_listed || strchr(text, '/') || strchr(text, '$') || strchr(text, '_');
}

static bool is_apt(const wpa_shell_command *c)
{
    return wpa_text_is(c->name, "apt-get") || wpa_text_is(c->name, "apt");
}

/* Words of "apt-get install" that name the tool, or that cannot be read. */
static bool may_install_it(const wpa_shell_command *c, const wpa_fact_program *tool)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        bool is_named = strstr(word, tool->command) != NULL;
        for (size_t k = 0; tool->packages[k]; k++) {
            is_named = is_named || strstr(word, tool->packages[k]);
        }
        if (is_named || !c->words[i].is_literal || strchr(word, '/')) {
            return true;
        }
    }
    return false;
}

/* Words by which a script asks whether a tool is there. */
static bool is_guard(const wpa_shell_command *c)
{
    static const char *const guards[] = {"command", "which",     "type",        "hash",
                                         "where",   "where.exe", "get-command", "gcm"};
    bool is_named = false;
    for (size_t i = 0; i < WPA_COUNT(guards) && !is_named; i++) {
        is_named = wpa_text_is_ci(c->name, guards[i]);
    }
    return is_named || wpa_shell_word_find(c, "-v");
}

static bool script_may_bring(const wpa_outline_step *step, size_t until,
                             const wpa_fact_program *tool)
{
    const wpa_script *script = step->lexed;
    if (!script || !script->is_readable || strcasestr(script->text, "GITHUB_PATH") ||
        strcasestr(script->text, "PATH=") || strcasestr(script->text, "env:path")) {
        return true;
    }
    for (size_t i = 0; i < until && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (is_guard(c) || is_open_command(c) || (is_apt(c) && may_install_it(c, tool))) {
            return true;
        }
    }
    return strstr(script->text, "command -v") || strcasestr(script->text, "get-command");
}

static bool may_be_there(const wpa_outline_step *step, size_t until, const wpa_fact_program *tool)
{
    for (size_t i = 0; i < step->index; i++) {
        const wpa_outline_step *before = &step->job->steps[i];
        bool is_clear = before->run ? !script_may_bring(before, SIZE_MAX, tool)
                                    : leaves_tools_alone(before) || is_setup_of_other(before, tool);
        if (!is_clear) {
            return true;
        }
    }
    return script_may_bring(step, until, tool);
}

/* What is known of the tools of a job. */
typedef struct tools {
    bool is_asked;    /* for the images, at the first call of a tool: most jobs have none */
    bool is_readable; /* what the job runs on; what follows is of that alone */
    const wpa_fact_image *images[LABELS_MAX]; /* of its labels, as far as they are looked at */
    const wpa_fact_move *moves[LABELS_MAX];   /* of the same, or NULL */
    wpa_map *decided;                         /* or NULL: none yet */
} tools;

/* Each tool is decided at its first call in a job: what may bring it later says nothing of that. */
static bool is_decided(const wpa_rule_run *run, tools *t, const wpa_fact_program *tool)
{
    t->decided = t->decided ? t->decided : wpa_map_new(run->arena);
    bool was = wpa_map_has(t->decided, tool->command);
    wpa_map_put(t->decided, tool->command, t);
    return was;
}

/* What is on a runner: GitHub's, or one's own whose image is configured. */
static const wpa_fact_image *image_of(const wpa_rule_run *run, const wpa_outline_label *label)
{
    const wpa_fact_image *own = wpa_rule_image_of(run, label->text);
    bool is_hosted = label->runner && wpa_rule_is_on_github(run);
    return own ? own : is_hosted ? wpa_facts_image_of(label->runner) : NULL;
}

/* What a tool is on one label: there, missing, or about to go. */
typedef struct absence {
    const wpa_outline_label *label; /* NULL: it is there */
    const wpa_fact_image *image;
    const wpa_fact_move *move; /* NULL: it is missing now */
} absence;

static absence absence_on(const wpa_outline_label *label, const wpa_fact_image *image,
                          const wpa_fact_move *move, const wpa_fact_program *tool)
{
    const wpa_fact_presence *here = image ? wpa_facts_program_on(tool, image->name) : NULL;
    const wpa_fact_presence *there = move ? wpa_facts_program_on(tool, move->to) : NULL;
    bool is_missing = here && !here->version;
    bool is_leaving = !is_missing && here && there && !there->version;
    return (absence){is_missing || is_leaving ? label : NULL, image, is_leaving ? move : NULL};
}

/* Is the step's script run there in the shell it was read for? Without one, Windows has pwsh. */
static bool reads_same_on(const wpa_outline_step *step, const wpa_fact_image *image)
{
    bool is_windows = image && wpa_text_starts(image->name, "windows");
    bool is_posix = step->lexed && step->lexed->language == WPA_SCRIPT_POSIX;
    return !step->is_elsewhere &&
           (step->has_named_shell ? step->shell != WPA_SHELL_UNKNOWN : is_windows != is_posix);
}

static absence find_absence(const tools *t, const wpa_outline_step *step,
                            const wpa_fact_program *tool)
{
    absence found = {0};
    for (size_t i = 0; i < step->job->n_labels && !found.label && i < LABELS_MAX; i++) {
        if (reads_same_on(step, t->images[i])) {
            found = absence_on(&step->job->labels[i], t->images[i], t->moves[i], tool);
        }
    }
    return found;
}

static void report(wpa_rule_run *run, const wpa_outline_step *step, const wpa_shell_command *c,
                   const wpa_fact_program *tool, const absence *a)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){step, tool};
    const wpa_shell_word *word = &c->words[c->first];
    wpa_span span = wpa_step_span(step, step->run, word->span.start, word->span.end);
    const char *name = wpa_rule_quote(run, a->label->text, strlen(a->label->text));
    wpa_finding *finding =
        a->move
            ? wpa_rule_report(run, span, NULL, s, "%s goes from %s when that becomes %s (%s to %s)",
                              c->name, name, a->move->to, a->move->begins, a->move->ends)
            : wpa_rule_report(run, span, NULL, s,
                              "%s is not on %s (%s), and no step before installs it", c->name, name,
                              a->image->name);
    wpa_rule_relate(run, finding, a->label->node->span, "the runner");
}

/* Labels are alternatives here: of a matrix, or a single one. Fills in their images. */
static bool is_readable(const wpa_rule_run *run, const wpa_outline_job *job, tools *t)
{
    if (job->has_open_labels || job->n_labels == 0 || wpa_yaml_find(job->node, "container")) {
        return false;
    }
    for (size_t i = 0; i < job->n_labels && i < LABELS_MAX; i++) {
        bool is_single = job->n_labels == 1 || job->labels[i].is_from_matrix;
        for (size_t k = 0; k < i && is_single; k++) {
            is_single = job->labels[k].set != job->labels[i].set || job->labels[i].set == 0;
        }
        t->images[i] = is_single ? image_of(run, &job->labels[i]) : NULL;
        t->moves[i] = wpa_facts_move_of(job->labels[i].text);
        if (!t->images[i]) {
            return false;
        }
    }
    return true;
}

static bool knows_images(const wpa_rule_run *run, const wpa_outline_job *job, tools *t)
{
    t->is_readable = t->is_asked ? t->is_readable : is_readable(run, job, t);
    t->is_asked = true;
    return t->is_readable;
}

/* Names that PowerShell gives to commands of its own: "iex" is Elixir's elsewhere alone. */
static bool is_alias(const wpa_script *script, const char *name)
{
    static const char *const aliases[] = {"iex", "r", "sc", "sl", "ii", "sls"};
    bool is_one = false;
    for (size_t i = 0; script->language == WPA_SCRIPT_PWSH && i < WPA_COUNT(aliases); i++) {
        is_one = is_one || wpa_text_is_ci(name, aliases[i]);
    }
    return is_one;
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step, size_t index, tools *t)
{
    const wpa_shell_command *c = &step->lexed->commands[index];
    if (!(c->known & WPA_KNOWN_TOOL) || is_alias(step->lexed, c->name) ||
        !knows_images(run, step->job, t)) {
        return;
    }
    const wpa_fact_program *tool = wpa_facts_program_find(wpa_slice_of(c->name));
    absence found = tool ? find_absence(t, step, tool) : (absence){0};
    bool is_tried = wpa_text_is(c->after, "||") || wpa_text_is(c->before, "||") || c->nested > 0 ||
                    strpbrk(c->words[c->first].text, "/\\") || c->is_nested_script;
    if (found.label && !is_tried && !is_decided(run, t, tool) && !may_be_there(step, index, tool)) {
        report(run, step, c, tool, &found);
    }
}

static bool is_guarded(const wpa_outline_step *step)
{
    const char *text = wpa_yaml_text(step->condition);
    return text && (strstr(text, "runner.") || strstr(text, "matrix.") || strstr(text, "steps."));
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    tools t; /* not its images, which are many */
    t.is_asked = false;
    t.is_readable = true;
    t.decided = NULL;
    for (size_t i = 0; i < job->n_steps && t.is_readable; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_read = step->lexed && step->lexed->language != WPA_SCRIPT_PYTHON;
        size_t n_commands = is_read && !is_guarded(step) ? step->lexed->n_commands : 0;
        for (size_t k = 0; k < n_commands; k++) {
            const wpa_shell_command *c = &step->lexed->commands[k];
            if (c->first < c->n_words && c->words[c->first].is_literal) {
                check_command(run, step, k, &t);
            }
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_job(run, check_job);
    return true;
}

/* The newest version that an image has. */
static const char *known_version(const wpa_fact_program *tool)
{
    const char *newest = NULL;
    wpa_version best, here;
    for (size_t i = 0; i < tool->n_images; i++) {
        const char *text = tool->images[i].version;
        if (text && wpa_version_parse(wpa_slice_of(text), &here) &&
            (!newest || wpa_version_compare(&here, &best) > 0)) {
            newest = text;
            best = here;
        }
    }
    return newest;
}

/* The input that takes the version; NULL if there is none, or others are wanted too. */
static const char *version_input(const wpa_fact_major *major)
{
    const char *name = NULL;
    for (size_t i = 0; i < major->n_inputs; i++) {
        wpa_fact_input input = wpa_facts_input_at(major, i);
        bool is_version = wpa_text_ends(input.name, "version") && !strstr(input.name, "file");
        if (input.is_required && !input.has_default && !is_version) {
            return NULL;
        }
        name = is_version && !name ? input.name : name;
    }
    return name;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_fact_action *action =
        s->tool->setup ? wpa_facts_action_find(wpa_slice_of(s->tool->setup)) : NULL;
    if (!action || wpa_facts_major_count(action) == 0) {
        return;
    }
    wpa_fact_major major = wpa_facts_major_at(action, 0);
    const char *input = version_input(&major), *version = known_version(s->tool);
    if (input && version && major.newest_commit) {
        char hex[2 * WPA_COMMIT_BYTES + 1];
        wpa_hex_encode(major.newest_commit, WPA_COMMIT_BYTES, hex);
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "set up version %s with %s",
                                    version, s->tool->setup);
        fix->needs = wpa_rule_needs(run, WPA_FACTS_IMAGES);
        (void)wpa_rule_insert_before(
            run, fix, s->step->node, "- uses: %s@%s # %s\n  with:\n    %s: '%s'",
            wpa_facts_action_name(action), hex, major.newest, input, version);
    }
}

const wpa_rule wpa_rule_tool_not_on_image = {
    .code = "CMP-037",
    .id = "tool-not-on-image",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A command is called that the runner's image does not have",
    .why = "The step fails with 'command not found', now or when the label moves.",
    .fix = "Install the tool with its setup action before, or name an image that has it.",
    .tables = 1U << WPA_FACTS_IMAGES | 1U << WPA_FACTS_RUNNERS,
    .declares = WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
