/* QUA-025: jobs of one repository build with different versions of a runtime. */
#include <string.h>

#include "json/json.h"
#include "rules/graph.h"
#include "rules/toolchain.h"
#include "rules/work.h"

#define FILES_MAX 24 /* of more files nobody expects that they agree */
#define VERSIONS_MAX 12
#define MANIFEST_MAX_BYTES ((size_t)256 * 1024)
#define RUNTIMES_MAX 16

/* What one runtime is asked for, over all files of the repository. */
typedef struct usage {
    const wpa_fact_runtime *runtime;
    const char *versions[VERSIONS_MAX]; /* outside of matrices */
    size_t counts[VERSIONS_MAX];
    const wpa_graph_file *files[VERSIONS_MAX]; /* and where first; NULL: in this file */
    wpa_span spans[VERSIONS_MAX];
    size_t n;
    const char *legs[VERSIONS_MAX]; /* in matrices */
    size_t n_legs;
} usage;

typedef struct survey {
    usage usages[RUNTIMES_MAX];
    size_t n;
} survey;

static usage *usage_of(survey *s, const wpa_fact_runtime *runtime)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->usages[i].runtime == runtime) {
            return &s->usages[i];
        }
    }
    if (s->n == RUNTIMES_MAX) {
        return NULL;
    }
    s->usages[s->n] = (usage){.runtime = runtime};
    return &s->usages[s->n++];
}

static void collect(survey *s, const wpa_graph_toolchain *row, const wpa_graph_file *file)
{
    usage *u = usage_of(s, row->runtime);
    if (!u) {
        return;
    }
    if (row->is_leg) {
        if (u->n_legs < VERSIONS_MAX && wpa_text_index(row->line, u->legs, u->n_legs) < 0) {
            u->legs[u->n_legs++] = row->line;
        }
        return;
    }
    int at = wpa_text_index(row->line, u->versions, u->n);
    if (at < 0 && u->n < VERSIONS_MAX) {
        at = (int)u->n++;
        u->versions[at] = row->line;
        u->files[at] = file;
        u->spans[at] = row->span;
    }
    if (at >= 0) {
        u->counts[at]++;
    }
}

static void collect_own(survey *s, const wpa_toolchain_use *uses, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *line = uses[i].is_image ? NULL : wpa_toolchain_line(&uses[i]);
        if (line) {
            wpa_graph_toolchain row = {uses[i].runtime, line, uses[i].span,
                                       wpa_toolchain_is_leg(&uses[i])};
            collect(s, &row, NULL);
        }
    }
}

/* Of this file as it is now, of the others as the graph has them. */
static void survey_all(wpa_rule_run *run, survey *s, const wpa_toolchain_use *uses, size_t n_uses)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_graph *graph = around ? around->graph : NULL;
    const char *self = wpa_source_identity(run->source);
    size_t n = graph ? wpa_graph_count(graph) : 0;
    if (n == 0 || n > FILES_MAX) {
        collect_own(s, uses, n_uses);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        if (file->kind == WPA_INPUT_WORKFLOW && wpa_text_is(file->path, self)) {
            collect_own(s, uses, n_uses);
        } else {
            for (size_t k = 0; k < file->n_toolchains; k++) {
                collect(s, &file->toolchains[k], file);
            }
        }
    }
}

static size_t main_of(const usage *u)
{
    size_t best = 0;
    for (size_t i = 1; i < u->n; i++) {
        best = u->counts[i] > u->counts[best] ? i : best;
    }
    return best;
}

/* Many versions side by side are a matrix that is written out. */
static bool is_spread(const usage *u)
{
    size_t total = 0;
    for (size_t i = 0; i < u->n; i++) {
        total += u->counts[i];
    }
    return u->n > 2 && u->counts[main_of(u)] * 5 < total * 4;
}

static void check_drift(wpa_rule_run *run, const wpa_toolchain_use *use, survey *s)
{
    const char *line = wpa_toolchain_line(use);
    bool is_said = line && !wpa_toolchain_is_leg(use) && !use->is_image;
    usage *u = is_said ? usage_of(s, use->runtime) : NULL;
    size_t best = u && u->n ? main_of(u) : 0;
    bool is_tested = u && wpa_text_index(line, u->legs, u->n_legs) >= 0;
    int own = u ? wpa_text_index(line, u->versions, u->n) : -1;
    if (own < 0 || u->n < 2 || is_spread(u) || is_tested || u->counts[own] == u->counts[best] ||
        wpa_text_is(u->versions[best], line)) {
        return;
    }
    bool ships = wpa_work_job_ships(use->job);
    wpa_finding *finding = wpa_rule_report(
        run, use->span, "D1", NULL, "%s %s here, and %s in most other jobs%s", use->runtime->name,
        line, u->versions[best], ships ? ": what is built is not what is tested" : "");
    finding->persona = ships ? finding->persona : WPA_PERSONA_PEDANTIC;
    const wpa_source *source =
        u->files[best] ? wpa_rule_source_at(run, u->files[best]->path) : run->source;
    if (source) {
        wpa_rule_relate_in(run, finding, source, u->spans[best], "%s", u->versions[best]);
    }
}

/* ---- what the manifest asks for ---- */

/* The least version of a range: ">=18.2 <21", "^20 || ^22"; NULL if it cannot be told. */
static const char *least_of(const wpa_rule_run *run, const char *range)
{
    const char *at = range ? range + strspn(range, " \"'v^~>=") : "";
    size_t length = strspn(at, "0123456789.");
    bool is_bound = range && !strpbrk(range, "|*") && (at != range || length) && length &&
                    range[strspn(range, " \"'")] != '<';
    return is_bound ? wpa_arena_slice(run->arena, at, length) : NULL;
}

static const char *line_behind(const char *text, const char *key)
{
    const char *at = text ? strstr(text, key) : NULL;
    return at ? at + strlen(key) : NULL;
}

static const char *read_file(const wpa_rule_run *run, const char *path, size_t *size)
{
    const wpa_surroundings *around = run->source->around;
    return around && around->has_paths && wpa_surroundings_has(around, path)
               ? wpa_surroundings_read(around, path, MANIFEST_MAX_BYTES, run->arena, size)
               : NULL;
}

static const char *manifest_least(const wpa_rule_run *run, const wpa_fact_runtime *runtime,
                                  const char **path)
{
    size_t size = 0;
    wpa_error err = {0};
    if (wpa_text_is(runtime->name, "node")) {
        *path = "package.json";
        const char *text = read_file(run, *path, &size);
        const wpa_json *root =
            text ? wpa_json_parse(text, size, MANIFEST_MAX_BYTES, run->arena, &err) : NULL;
        return least_of(run,
                        wpa_json_text_of(wpa_json_find(wpa_json_find(root, "engines"), "node")));
    }
    if (wpa_text_is(runtime->name, "go")) {
        *path = "go.mod";
        const char *line = line_behind(read_file(run, *path, &size), "\ngo ");
        return line ? least_of(run, wpa_arena_slice(run->arena, line, strcspn(line, "\r\n")))
                    : NULL;
    }
    if (wpa_text_is(runtime->name, "python")) {
        *path = "pyproject.toml";
        const char *line = line_behind(read_file(run, *path, &size), "\nrequires-python");
        line = line ? line + strspn(line, " =") : NULL;
        return line ? least_of(run, wpa_arena_slice(run->arena, line, strcspn(line, "\r\n")))
                    : NULL;
    }
    return NULL;
}

static void check_manifest(wpa_rule_run *run, const wpa_toolchain_use *use)
{
    const char *path = NULL;
    const char *least = use->is_image ? NULL : manifest_least(run, use->runtime, &path);
    wpa_version wanted, given;
    size_t skip = use->version.length && use->version.at[0] == 'v';
    size_t length = use->version.length - skip;
    if (length > 2 && memcmp(use->version.at + use->version.length - 2, ".x", 2) == 0) {
        length -= 2;
    }
    if (!least || !wpa_version_parse(wpa_slice_of(least), &wanted) ||
        !wpa_version_parse((wpa_slice){use->version.at + skip, length}, &given)) {
        return;
    }
    for (size_t i = given.n_parts; i < 4; i++) { /* 20 is the newest 20.x */
        wanted.parts[i] = 0;
        given.parts[i] = 0;
    }
    if (wpa_version_compare(&given, &wanted) < 0) {
        wpa_finding *finding = wpa_rule_report(
            run, use->span, "D2", NULL, "%s %s is below what %s asks for (%s)", use->runtime->name,
            wpa_rule_quote(run, use->version.at, use->version.length), path, least);
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    size_t n;
    const wpa_toolchain_use *uses = wpa_toolchain_uses(run, &n);
    if (n == 0) {
        return true;
    }
    survey s;
    s.n = 0; /* all else is written before it is read */
    survey_all(run, &s, uses, n);
    for (size_t i = 0; i < n; i++) {
        check_drift(run, &uses[i], &s);
    }
    for (size_t i = 0; i < n; i++) {
        check_manifest(run, &uses[i]);
    }
    return true;
}

const wpa_rule wpa_rule_toolchain_drift = {
    .code = "QUA-025",
    .id = "toolchain-drift",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Jobs use different versions of one runtime, or one below what the project asks for",
    .why = "What is released was built by another version than what was tested.",
    .fix = "Say the version once, in a file of the tree that every job reads.",
    .checks = (const char *const[]){"D1", "D2", NULL},
    .tables = 1U << WPA_FACTS_TOOLCHAINS,
    .check = check,
};
