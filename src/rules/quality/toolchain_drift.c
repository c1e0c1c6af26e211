/* QUA-025: jobs of one repository build with different versions of a runtime. */
#include <string.h>

#include "json/json.h"
#include "rules/graph.h"
#include "rules/toolchain.h"

#define FILES_MAX 24 /* neighbours are read whole: more would cost more than it tells */
#define VERSIONS_MAX 12
#define MANIFEST_MAX_BYTES ((size_t)256 * 1024)
#define RUNTIMES_MAX 16

/* What one runtime is asked for, over all files that were read. */
typedef struct usage {
    const wpa_fact_runtime *runtime;
    const char *versions[VERSIONS_MAX]; /* outside of matrices */
    size_t counts[VERSIONS_MAX];
    const wpa_source *sources[VERSIONS_MAX]; /* and where first */
    wpa_span spans[VERSIONS_MAX];
    size_t n;
    const char *legs[VERSIONS_MAX]; /* in matrices */
    size_t n_legs;
} usage;

typedef struct survey {
    usage usages[RUNTIMES_MAX];
    size_t n;
    const wpa_source *source; /* being read */
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
    s->usages[s->n].runtime = runtime;
    return &s->usages[s->n++];
}

/* The release line: "20" of v20.11.1, "3.12" of 3.12.x; NULL if it is not a plain version. */
static const char *line_of(wpa_rule_run *run, const wpa_toolchain_use *use)
{
    const wpa_fact_release *release = wpa_facts_release_find(use->runtime, use->version);
    (void)run;
    return release ? release->version : NULL;
}

/* One of several: a value of a matrix, or of a list in one input. */
static bool is_leg(const wpa_toolchain_use *use)
{
    return use->is_matrix || wpa_span_length(use->in_text) < use->node->length;
}

static void collect(wpa_rule_run *run, const wpa_toolchain_use *use, void *context)
{
    survey *s = context;
    const char *line = line_of(run, use);
    usage *u = line && !use->is_image ? usage_of(s, use->runtime) : NULL;
    if (!u) {
        return;
    }
    if (is_leg(use)) {
        if (u->n_legs < VERSIONS_MAX && wpa_text_index(line, u->legs, u->n_legs) < 0) {
            u->legs[u->n_legs++] = line;
        }
        return;
    }
    int at = wpa_text_index(line, u->versions, u->n);
    if (at < 0 && u->n < VERSIONS_MAX) {
        at = (int)u->n++;
        u->versions[at] = line;
        u->sources[at] = s->source;
        u->spans[at] = use->span;
    }
    if (at >= 0) {
        u->counts[at]++;
    }
}

static void survey_all(wpa_rule_run *run, survey *s)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_graph *graph = around ? around->graph : NULL;
    size_t n = graph ? wpa_graph_count(graph) : 0;
    if (n == 0 || n > FILES_MAX) {
        s->source = run->source;
        wpa_toolchain_each(run, run->source, collect, s);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        s->source = file->kind == WPA_INPUT_WORKFLOW ? wpa_rule_source_at(run, file->path) : NULL;
        if (s->source) {
            wpa_toolchain_each(run, s->source, collect, s);
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

static void check_drift(wpa_rule_run *run, const wpa_toolchain_use *use, void *context)
{
    const char *line = line_of(run, use);
    usage *u = line && !is_leg(use) && !use->is_image ? usage_of(context, use->runtime) : NULL;
    size_t best = u && u->n ? main_of(u) : 0;
    bool is_tested = u && wpa_text_index(line, u->legs, u->n_legs) >= 0;
    int own = u ? wpa_text_index(line, u->versions, u->n) : -1;
    if (own < 0 || u->n < 2 || is_spread(u) || is_tested || u->counts[own] == u->counts[best] ||
        wpa_text_is(u->versions[best], line)) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, use->span, "D1", NULL,
                        "%s %s here, and %s in most other jobs: what is built is not "
                        "what is tested",
                        use->runtime->name, line, u->versions[best]);
    wpa_rule_relate_in(run, finding, u->sources[best], u->spans[best], "%s", u->versions[best]);
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

static void check_manifest(wpa_rule_run *run, const wpa_toolchain_use *use, void *context)
{
    (void)context;
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
    survey *s = wpa_arena_alloc(run->arena, sizeof *s);
    survey_all(run, s);
    wpa_toolchain_each(run, run->source, check_drift, s);
    wpa_toolchain_each(run, run->source, check_manifest, NULL);
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
