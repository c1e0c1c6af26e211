#include "rules/toolchain.h"

#include <string.h>

#include "rules/sink.h"

/* Versions of one file that are looked at: matrices of matrices have no end. */
#define VISITS_MAX 10000
/* Names of rows are short. */
#define KEY_MAX_BYTES 128

typedef struct walk {
    wpa_arena *arena;
    wpa_toolchain_use *found;
    size_t n_found, capacity;
    wpa_toolchain_use use;
    size_t n_visits;
} walk;

const char *wpa_matrix_key(const char *text, wpa_arena *arena)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *at = text + strspn(text, " ");
    if (!wpa_text_starts(at, "${{")) {
        return NULL;
    }
    at += 3 + strspn(at + 3, " ");
    if (!wpa_text_starts(at, "matrix.")) {
        return NULL;
    }
    at += 7;
    size_t n = strspn(at, letters);
    if (n && at[n] == '.') { /* a member of a row of mappings */
        size_t n_member = strspn(at + n + 1, letters);
        n += n_member ? 1 + n_member : 0;
    }
    const char *behind = at + n + strspn(at + n, " ");
    bool is_whole = n && wpa_text_starts(behind, "}}") && !behind[2 + strspn(behind + 2, " \n")];
    return is_whole ? wpa_arena_slice(arena, at, n) : NULL;
}

/* The scalar that a value of the row gives: itself, or its member. */
static void visit_value(const wpa_yaml_node *value, const char *member, wpa_matrix_visitor visit,
                        void *context)
{
    value = member ? wpa_yaml_get(value, member) : wpa_yaml_resolve(value);
    if (wpa_yaml_text(value)) {
        visit(wpa_yaml_resolve(value), context);
    }
}

void wpa_matrix_each(const wpa_outline_job *job, const char *key, wpa_matrix_visitor visit,
                     void *context)
{
    char name[KEY_MAX_BYTES];
    const char *dot = strchr(key, '.');
    size_t length = dot ? (size_t)(dot - key) : strlen(key);
    if (length >= sizeof name) {
        return;
    }
    memcpy(name, key, length);
    name[length] = '\0';
    const char *member = dot ? dot + 1 : NULL;
    const wpa_yaml_node *matrix = wpa_yaml_get(wpa_yaml_get(job->node, "strategy"), "matrix");
    const wpa_yaml_node *row = wpa_yaml_get(matrix, name);
    for (size_t i = 0; wpa_yaml_is(row, WPA_YAML_SEQUENCE) && i < row->n_items; i++) {
        visit_value(row->items[i], member, visit, context);
    }
    const wpa_yaml_node *include = wpa_yaml_get(matrix, "include");
    for (size_t i = 0; wpa_yaml_is(include, WPA_YAML_SEQUENCE) && i < include->n_items; i++) {
        visit_value(wpa_yaml_get(include->items[i], name), member, visit, context);
    }
}

bool wpa_label_is_on(const wpa_outline_label *label, const char *place)
{
    static const char *const systems[] = {"", "linux", "macos", "windows"};
    const wpa_fact_image *image = wpa_facts_image_of(label->runner);
    const char *slash = strchr(place, '/');
    if (!label->runner) {
        return false;
    }
    if (!slash) {
        return image && wpa_text_is(image->name, place);
    }
    return strncmp(systems[label->runner->os], place, (size_t)(slash - place)) == 0 &&
           label->runner->os != WPA_OS_UNKNOWN && wpa_text_is(label->runner->arch, slash + 1);
}

/* ---- versions in a scalar ---- */

static void give(walk *w, const wpa_yaml_node *node, wpa_span in_text)
{
    if (w->n_visits++ >= VISITS_MAX) {
        return;
    }
    w->use.node = node;
    w->use.in_text = in_text;
    w->use.version = (wpa_slice){node->text + in_text.start, wpa_span_length(in_text)};
    bool is_whole = in_text.start == 0 && in_text.end == node->length;
    w->use.span = is_whole ? node->span : wpa_yaml_source_span(node, in_text.start, in_text.end);
    w->found = wpa_arena_grow(w->arena, w->found, w->n_found, &w->capacity, sizeof *w->found);
    w->found[w->n_found++] = w->use;
}

/* One a line: some setup actions take several. */
static void read_versions(walk *w, const wpa_yaml_node *node)
{
    for (size_t at = 0; at < node->length;) {
        at += strspn(node->text + at, " \t\r\n");
        size_t length = strcspn(node->text + at, " \t\r\n");
        bool has_fence = wpa_text_find(node->text + at, length, "${{") != NULL;
        if (has_fence) {
            return;
        }
        if (length) {
            give(w, node, (wpa_span){at, at + length});
        }
        at += length;
    }
}

static void visit_matrix_value(const wpa_yaml_node *value, void *context)
{
    walk *w = context;
    w->use.is_matrix = true;
    read_versions(w, value);
}

static void read_value(walk *w, const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    const char *key = text ? wpa_matrix_key(text, w->arena) : NULL;
    w->use.is_matrix = false;
    if (key && w->n_visits < VISITS_MAX) {
        wpa_matrix_each(w->use.job, key, visit_matrix_value, w);
    } else if (text) {
        read_versions(w, wpa_yaml_resolve(node));
    }
}

static void read_image(walk *w, const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    node = wpa_yaml_resolve(node);
    const char *colon = text ? strrchr(text, ':') : NULL;
    if (!colon || strchr(text, '@') || strchr(colon, '/') || wpa_outline_has_expression(text)) {
        return;
    }
    size_t start = (size_t)(colon + 1 - text);
    w->use.runtime = wpa_facts_runtime_of_image((wpa_slice){text, start - 1});
    w->use.is_image = true;
    w->use.is_matrix = false;
    if (w->use.runtime && text[start]) {
        give(w, node, (wpa_span){start, node->length});
    }
}

const wpa_toolchain_use *wpa_toolchain_read(const wpa_source *source, wpa_arena *arena, size_t *n)
{
    walk w = {.arena = arena};
    for (size_t i = 0; i < source->outline->n_jobs; i++) {
        const wpa_outline_job *job = &source->outline->jobs[i];
        const wpa_yaml_node *container = wpa_yaml_get(job->node, "container");
        w.use = (wpa_toolchain_use){.job = job};
        read_image(&w, wpa_yaml_is(container, WPA_YAML_MAPPING) ? wpa_yaml_get(container, "image")
                                                                : container);
        for (size_t k = 0; k < job->n_steps; k++) {
            const wpa_outline_step *step = &job->steps[k];
            const wpa_fact_runtime *runtime = wpa_outline_runtime(step);
            const wpa_yaml_node *value = runtime ? wpa_outline_with(step, runtime->input) : NULL;
            w.use = (wpa_toolchain_use){.runtime = runtime, .job = job, .step = step};
            if (value) {
                read_value(&w, value);
            }
        }
    }
    *n = w.n_found;
    return w.found;
}

const wpa_toolchain_use *wpa_toolchain_uses(wpa_rule_run *run, size_t *n)
{
    wpa_shared *shared = &run->sink->shared;
    if (!shared->has_toolchains) {
        shared->toolchains =
            wpa_toolchain_read(run->source, run->sink->asked, &shared->n_toolchains);
        shared->has_toolchains = true;
    }
    *n = shared->n_toolchains;
    return shared->toolchains;
}

const char *wpa_toolchain_line(const wpa_toolchain_use *use)
{
    const wpa_fact_release *release = wpa_facts_release_find(use->runtime, use->version);
    return release ? release->version : NULL;
}

bool wpa_toolchain_is_leg(const wpa_toolchain_use *use)
{
    return use->is_matrix || wpa_span_length(use->in_text) < use->node->length;
}
