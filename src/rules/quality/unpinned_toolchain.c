/* QUA-024: a runtime whose version floats, or is said twice. */
#include <string.h>

#include "rules/pin.h"
#include "rules/toolchain.h"
#include "rules/work.h"

#define FILE_MAX_BYTES ((size_t)64 * 1024)

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_fact_runtime *runtime;
    const wpa_yaml_node *value; /* what is written, or NULL */
    const char *file;           /* a file of the repository that says the version, or NULL */
} subject;

static const void *subject_new(wpa_rule_run *run, subject what)
{
    return wpa_arena_dup(run->arena, &what, sizeof what);
}

/* A file of the tree's root that the setup action can read the version from. */
static const char *version_file(const wpa_rule_run *run, const wpa_fact_runtime *runtime)
{
    const wpa_surroundings *around = run->source->around;
    for (size_t i = 0; around && around->has_paths && runtime->file_input && runtime->files[i];
         i++) {
        if (wpa_surroundings_has(around, runtime->files[i])) {
            return runtime->files[i];
        }
    }
    return NULL;
}

/* Without the input these read a file of the tree, which may be there. */
static bool reads_tree(const wpa_fact_runtime *runtime)
{
    return wpa_text_is(runtime->name, "ruby") || wpa_text_is(runtime->name, "dotnet") ||
           wpa_text_is(runtime->name, "rust") || wpa_text_is(runtime->name, "java") ||
           wpa_text_is(runtime->name, "php");
}

static void check_absent(wpa_rule_run *run, const wpa_outline_step *step,
                         const wpa_fact_runtime *runtime)
{
    if (reads_tree(runtime) || (wpa_text_is(runtime->name, "python") &&
                                (!wpa_work_knows_tree(run) || version_file(run, runtime)))) {
        return; /* setup-python takes .python-version by itself */
    }
    const char *file = version_file(run, runtime);
    wpa_rule_report(run, step->uses.span, "T1",
                    subject_new(run, (subject){step, runtime, NULL, file}),
                    "%s without %s takes whatever version the image has%s%s",
                    wpa_rule_quote_uses(run, &step->uses), runtime->input,
                    file ? ", though the tree says it in " : "", file ? file : "");
}

static void check_floating(wpa_rule_run *run, const wpa_toolchain_use *use)
{
    static const char *const floats[] = {"latest", "*",     "x",      "current", "node", "nightly",
                                         "canary", "lts/*", "lts/-1", "3.x",     "1.x"};
    int i = wpa_text_index(wpa_arena_slice(run->arena, use->version.at, use->version.length),
                           floats, WPA_COUNT(floats));
    bool is_nightly_of_matrix = use->is_matrix; /* one leg ahead of its time is a choice */
    if (i < 0 || is_nightly_of_matrix || (use->is_image && i != 0)) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, use->span, "T2",
        subject_new(run,
                    (subject){use->step, use->runtime, use->node, version_file(run, use->runtime)}),
        "%s %s is another version one day, whatever has been tested", use->runtime->name,
        wpa_rule_quote(run, use->version.at, use->version.length));
    if (i >= 7) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* First version in a file such as .nvmrc ("v20.1"), go.mod ("go 1.22"); NULL if it has none. */
static const char *version_in(const wpa_rule_run *run, const char *path)
{
    size_t size;
    const char *text =
        wpa_surroundings_read(run->source->around, path, FILE_MAX_BYTES, run->arena, &size);
    if (text && wpa_text_is(path, "go.mod")) {
        const char *line = strstr(text, "\ngo ");
        text = line ? line + 4 : NULL;
    }
    bool is_plain = text && !wpa_text_ends(path, ".json") && !wpa_text_ends(path, ".toml");
    text = is_plain ? text + strspn(text, " \t\r\nv") : NULL;
    size_t length = text ? strspn(text, "0123456789.") : 0;
    return length ? wpa_arena_slice(run->arena, text, length) : NULL;
}

/* Do both say the same as far as both go: 20 and 20.11.1 do. */
static bool agree(const char *a, wpa_slice b)
{
    size_t skip = b.length && b.at[0] == 'v';
    size_t i = 0;
    while (a[i] && i + skip < b.length && a[i] == b.at[i + skip]) {
        i++;
    }
    bool is_a_done = !a[i] && (i + skip == b.length || b.at[i + skip] == '.');
    bool is_b_done = i + skip == b.length || b.at[i + skip] == 'x';
    return is_a_done || (is_b_done && (a[i] == '.' || !a[i] || (i && a[i - 1] == '.')));
}

static void check_twice(wpa_rule_run *run, const wpa_toolchain_use *use)
{
    const char *file = use->is_matrix || use->is_image ? NULL : version_file(run, use->runtime);
    const char *said = file ? version_in(run, file) : NULL;
    wpa_version version;
    if (said && wpa_version_parse(use->version, &version) && !agree(said, use->version)) {
        wpa_rule_report(run, use->span, "T3",
                        subject_new(run, (subject){use->step, use->runtime, use->node, file}),
                        "%s %s is asked for here, and %s says %s", use->runtime->name,
                        wpa_rule_quote(run, use->version.at, use->version.length), file, said);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    size_t n;
    const wpa_toolchain_use *uses = wpa_toolchain_uses(run, &n);
    for (size_t i = 0; i < n; i++) {
        check_floating(run, &uses[i]);
        check_twice(run, &uses[i]);
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            const wpa_fact_runtime *runtime = wpa_outline_runtime(step);
            if (runtime && !wpa_outline_with(step, runtime->input) &&
                !(runtime->file_input && wpa_outline_with(step, runtime->file_input))) {
                check_absent(run, step, runtime);
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s->file || !s->step || !s->runtime->file_input) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "take the version from %s", s->file);
    if (!s->value) {
        (void)wpa_rule_add_in(run, fix, s->step->node, "with", "uses", s->runtime->file_input,
                              s->file);
    } else if (s->value->key && wpa_yaml_resolve(s->value)->parent == s->step->with) {
        wpa_rule_edit(run, fix, (wpa_span){s->value->key->span.start, s->value->span.end}, "%s: %s",
                      s->runtime->file_input, s->file);
    }
}

const wpa_rule wpa_rule_unpinned_toolchain = {
    .code = "QUA-024",
    .id = "unpinned-toolchain",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A runtime is set up without a version, with a floating one, or against its file",
    .why = "The build changes on a day that others choose, and differs from what developers run.",
    .fix = "Name the version, best in a file of the tree that developers use as well.",
    .checks = (const char *const[]){"T1", "T2", "T3", NULL},
    .tables = 1U << WPA_FACTS_TOOLCHAINS,
    .declares = WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
