/* PRF-017: an image for another processor is compiled under emulation. */
#include <string.h>
#include <strings.h>

#include "rules/shell_roles.h"
#include "rules/work.h"

#define DOCKERFILE_MAX_BYTES ((size_t)256 * 1024)

/* Commands in a Dockerfile that compile, and what says that they compile across. */
static const char *const compilers[] = {
    "go build",       "cargo build", "make",        "cmake", "gcc",    "g++",
    "npm ci",         "npm install", "pip install", "mvn",   "gradle", "dotnet publish",
    "bundle install", "./configure", "swift build", "ninja", NULL};

typedef enum compiles {
    COMPILES_UNKNOWN,
    COMPILES_NOT,
    COMPILES
} compiles;

static compiles look_into(wpa_rule_run *run, const wpa_outline_step *step)
{
    const char *file = wpa_outline_with_text(step, "file");
    const char *context = wpa_outline_with_text(step, "context");
    if (wpa_outline_has_expression(file) || wpa_outline_has_expression(context)) {
        return COMPILES_UNKNOWN;
    }
    const char *folder = context && !wpa_text_is(context, ".") ? context : "";
    const char *path = file ? file
                            : wpa_arena_printf(run->arena, "%s%sDockerfile", folder,
                                               *folder && !wpa_text_ends(folder, "/") ? "/" : "");
    path = wpa_text_starts(path, "./") ? path + 2 : path;
    size_t size;
    const char *text =
        wpa_surroundings_read(run->source->around, path, DOCKERFILE_MAX_BYTES, run->arena, &size);
    if (!text) {
        return COMPILES_UNKNOWN;
    }
    if (strstr(text, "BUILDPLATFORM")) {
        return COMPILES_NOT; /* the compiler runs natively */
    }
    for (size_t i = 0; compilers[i]; i++) {
        if (strstr(text, compilers[i])) {
            return COMPILES;
        }
    }
    return COMPILES_NOT;
}

static bool has_foreign(const char *text)
{
    return text && (strstr(text, "arm64") || strstr(text, "aarch64"));
}

/* "linux/amd64,linux/arm64", or a matrix value of which some are. */
static const wpa_yaml_node *foreign_platform(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *value = wpa_outline_with(step, "platforms");
    const char *text = wpa_yaml_text(value);
    const char *matrix = text ? strstr(text, "matrix.") : NULL;
    if (!matrix) {
        return has_foreign(text) ? value : NULL;
    }
    size_t length = strspn(matrix + 7, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789_-");
    const char *name = wpa_arena_slice(run->arena, matrix + 7, length);
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_within(wpa_arena_budget(run->arena));
    wpa_matrix_legs legs = wpa_work_legs(run, step->job, arena);
    for (size_t i = 0; i < legs.n; i++) {
        if (has_foreign(wpa_yaml_text(wpa_matrix_leg_get(&legs.legs[i], name)))) {
            return value;
        }
    }
    return NULL;
}

/* Runs on x64 alone, as far as it can be told. */
static bool is_on_x64(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_labels; i++) {
        if (!job->labels[i].runner || !wpa_text_is(job->labels[i].runner->arch, "x64")) {
            return false;
        }
    }
    return wpa_work_is_hosted(job);
}

static bool has_emulator(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (wpa_outline_step_uses(&job->steps[i], "docker/setup-qemu-action")) {
            return true;
        }
    }
    return false;
}

static void check_action(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *value = foreign_platform(run, step);
    compiles how = value ? look_into(run, step) : COMPILES_NOT;
    if (how == COMPILES_NOT) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, value->span, NULL, NULL,
        "the arm64 image is built under emulation, several times slower than on ubuntu-24.04-arm");
    if (how == COMPILES_UNKNOWN) {
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    bool is_build = wpa_shell_is(c, "docker", "build") ||
                    (wpa_shell_is(c, "docker", "buildx") && wpa_shell_word_find(c, "build"));
    for (size_t i = c->first; is_build && i < c->n_words; i++) {
        const wpa_shell_word *word = &c->words[i];
        bool is_platform = wpa_text_starts(word->text, "--platform");
        const char *next = i + 1 < c->n_words ? c->words[i + 1].text : NULL;
        if (is_platform && (has_foreign(word->text) || has_foreign(next))) {
            wpa_finding *finding = wpa_rule_report(
                run, wpa_outline_script_span(step, word->span), NULL, NULL,
                "the arm64 image is built under emulation, several times slower than on "
                "ubuntu-24.04-arm");
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
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
        if (!is_on_x64(job) || !has_emulator(job)) {
            continue;
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            const wpa_script *script = wpa_step_commands(&job->steps[k]);
            if (wpa_outline_step_uses(&job->steps[k], "docker/build-push-action")) {
                check_action(run, &job->steps[k]);
            }
            for (size_t c = 0; script && c < script->n_commands; c++) {
                check_command(run, &job->steps[k], &script->commands[c]);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_emulated_build = {
    .code = "PRF-017",
    .id = "emulated-build",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"setup-qemu-action", NULL},
    .summary = "An arm64 image is compiled under emulation on an x64 runner",
    .why = "Emulated compilers run several times slower than native ones, and GitHub has arm64 "
           "runners.",
    .fix = "Build each platform in a leg on its own runner, push by digest, and join the digests "
           "with docker buildx imagetools create in a last job. There is no fix by machine.",
    .tables = 1U << WPA_FACTS_RUNNERS,
    .check = check,
};
