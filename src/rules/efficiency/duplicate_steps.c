/* EFF-003: the same run of steps stands in several jobs. */
#include <string.h>

#include "rules/graph.h"
#include "rules/similarity.h"
#include "rules/work.h"

#define ALIKE_MAX 64
#define SHOWN_MAX 8
#define LONG_STEPS 5  /* that many need to stand there but twice */
#define WEIGHT_MIN 20 /* below that a call is longer than what it replaces */

static const wpa_rule_option options[] = {
    {"similarity", "0.85", "share from which steps are alike"},
    {"min-steps", "3", "shorter runs are left alone"},
    {"min-count", "3", "how often a run of steps must stand there"},
    {0},
};

typedef struct place {
    const wpa_graph_file *file;
    size_t job, step, length;
} place;

/* What is asked for, and where. */
typedef struct search {
    const wpa_similarity_index *index;
    const wpa_graph_file *own;
    double least;
    size_t least_steps, least_count;
} search;

/* By its path, too: the graph may have the file with the text it had before. */
static bool is_own(const search *s, const wpa_graph_file *file)
{
    return file == s->own || wpa_text_is(file->path, s->own->path);
}

static size_t length_of(const wpa_similarity_job *a, size_t i, const wpa_similarity_job *b,
                        size_t k, double least)
{
    size_t n = 0;
    while (i + n < a->n_steps && k + n < b->n_steps &&
           wpa_similarity_of_steps(&a->steps[i + n], &b->steps[k + n]) >= least) {
        n++;
    }
    return n;
}

/* By file, job and step: what is said once for all stands at the first place. */
static bool is_before(const place *p, const wpa_graph_file *file, size_t job, size_t step)
{
    int by_path = p->file == file ? 0 : strcmp(p->file->path, file->path);
    return by_path < 0 || (by_path == 0 && (p->job < job || (p->job == job && p->step < step)));
}

/* Other places of the stretch that begins at this step; a job has it once. */
static size_t find_places(const search *s, size_t job, size_t step, place places[])
{
    wpa_similarity_member members[ALIKE_MAX];
    const wpa_similarity_job *own = s->own->jobs[job].likeness;
    size_t n_members = wpa_similarity_index_find(s->index, own, (uint32_t)step, members, ALIKE_MAX);
    size_t n = 0;
    for (size_t i = 0; i < n_members; i++) {
        const wpa_graph_file *file = members[i].owner;
        const wpa_similarity_job *other = file->jobs[members[i].job].likeness;
        bool is_self = is_own(s, file);
        if (!other || (is_self && members[i].job == job)) {
            continue;
        }
        size_t length = length_of(own, step, other, members[i].first_step, s->least);
        if (length >= WPA_SIMILARITY_STRETCH && /* whole jobs are told of by themselves */
            (is_self || wpa_similarity_of_jobs(own, other) < s->least)) {
            places[n++] = (place){file, members[i].job, members[i].first_step, length};
        }
    }
    return n;
}

/* Checkout and one setup are no stretch: two steps of it must do something. */
static bool is_real(const wpa_similarity_job *job, size_t first, size_t n)
{
    size_t n_real = 0, weight = 0;
    for (size_t i = first; i < first + n && i < job->n_steps; i++) {
        n_real += !job->steps[i].is_setup;
        weight += job->steps[i].weight;
    }
    return n_real >= 2 && weight >= WEIGHT_MIN;
}

static void report(wpa_rule_run *run, const wpa_outline_step *step, size_t length,
                   const place places[], size_t n)
{
    wpa_finding *finding = wpa_rule_report(
        run, step->node->span, NULL, NULL,
        "%zu steps from here on stand in %zu jobs: a composite action would hold them once", length,
        n + 1);
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        const wpa_source *source = wpa_rule_source_at(run, places[i].file->path);
        const wpa_outline *o = source ? source->outline : NULL;
        if (o && places[i].job < o->n_jobs && places[i].step < o->jobs[places[i].job].n_steps) {
            const wpa_yaml_node *node = o->jobs[places[i].job].steps[places[i].step].node;
            wpa_rule_relate_in(run, finding, source, node->span, "and here");
        }
    }
}

/* Steps that the run of steps at this one takes up, having been told of; 0: none. */
static size_t check_at(wpa_rule_run *run, const search *s, size_t job, size_t step)
{
    place places[ALIKE_MAX];
    const wpa_similarity_job *own = s->own->jobs[job].likeness;
    size_t n = find_places(s, job, step, places), n_kept = 0;
    size_t length = own->n_steps, longest = 0;
    for (size_t i = 0; i < n; i++) {
        longest = places[i].length > longest ? places[i].length : longest;
    }
    bool is_long = longest >= LONG_STEPS && n + 1 < s->least_count;
    for (size_t i = 0; i < n; i++) {
        if (is_before(&places[i], s->own, job, step)) {
            return places[i].length; /* told of there, if at all */
        }
        if (!is_long || places[i].length >= LONG_STEPS) {
            length = places[i].length < length ? places[i].length : length;
            places[n_kept++] = places[i];
        }
    }
    if (n_kept == 0 || length < s->least_steps || (!is_long && n_kept + 1 < s->least_count) ||
        !is_real(own, step, length)) {
        return 0;
    }
    report(run, &run->source->outline->jobs[job].steps[step], length, places, n_kept);
    return length;
}

static search search_of(wpa_rule_run *run)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_graph *graph = around ? around->graph : NULL;
    if (!graph) {
        wpa_graph *alone = wpa_graph_new(NULL, run->arena); /* of this file alone */
        wpa_graph_add(alone, run->source);
        wpa_graph_close(alone);
        graph = alone;
    }
    return (search){
        .index = wpa_graph_similar(graph),
        .own = wpa_graph_own(graph, run->source, run->arena),
        .least = wpa_rule_option_real(run, "similarity", 0.5, 1, 0.85),
        .least_steps = (size_t)wpa_rule_option_int(run, "min-steps", 3, 64, 3),
        .least_count = (size_t)wpa_rule_option_int(run, "min-count", 2, 1000, 3),
    };
}

static bool has_stretch(const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (o->jobs[i].n_steps >= WPA_SIMILARITY_STRETCH) {
            return true;
        }
    }
    return false;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o) || !has_stretch(o)) {
        return true;
    }
    const search s = search_of(run);
    for (size_t i = 0; i < s.own->n_jobs; i++) {
        const wpa_similarity_job *own = s.own->jobs[i].likeness;
        for (size_t k = 0; own && k + WPA_SIMILARITY_STRETCH <= own->n_steps;) {
            size_t taken = check_at(run, &s, i, k);
            k += taken ? taken : 1;
        }
    }
    return true;
}

const wpa_rule wpa_rule_duplicate_steps = {
    .code = "EFF-003",
    .id = "duplicate-steps",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "The same run of steps stands in several jobs",
    .why = "A change has to be made in each of them, and is forgotten in one.",
    .fix = "Move the steps into a composite action, with inputs for what differs. There is no fix "
           "by machine.",
    .options = options,
    .check = check,
};
