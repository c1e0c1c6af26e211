/* EFF-003: the same run of steps stands in several jobs. */
#include <string.h>

#include "rules/extract.h"
#include "rules/fleet.h"
#include "rules/graph.h"
#include "rules/similarity.h"
#include "rules/site.h"
#include "rules/steps.h"
#include "rules/work.h"

#define ALIKE_MAX WPA_SIMILARITY_FOUND_MAX
#define SHOWN_MAX 8
#define LONG_STEPS 5  /* that many need to stand there but twice */
#define STEPS_MIN 2   /* fewer are no longer than the call of an action */
#define FAR_MAX 256   /* repositories that are looked at */
#define WEIGHT_MIN 20 /* below that a call is longer than what it replaces */

static const wpa_rule_option options[] = {
    {"similarity", "0.85", "share from which steps are alike", WPA_OPTION_SHARE},
    {"min-steps", "3", "shorter runs are left alone", WPA_OPTION_NUMBER},
    {"min-count", "3", "how often a run of steps must stand there", WPA_OPTION_NUMBER},
    {0},
};

typedef struct place {
    const wpa_graph_file *file;
    size_t job, step, length;
} place;

/* What is known of the job whose stretches are looked at: each of them asks for it again. */
typedef struct subject_job {
    const wpa_similarity_job *own;
    wpa_similarity_kin *here, *far[FAR_MAX];
    wpa_arena *arena; /* of what is like its steps far away */
} subject_job;

/* What is asked for, and where. */
typedef struct search {
    const wpa_similarity_index *index;
    const wpa_graph_file *own;
    double least;
    size_t least_steps, least_count;
    subject_job *job;
} search;

static void begin_job(wpa_rule_run *run, const search *s, const wpa_similarity_job *own)
{
    wpa_arena *arena = s->job->arena;
    wpa_arena_reset(arena);
    *s->job = (subject_job){
        .own = own, .here = wpa_work_kin(run, s->index, own, s->least), .arena = arena};
}

/* By its path, too: the graph may have the file with the text it had before. */
static bool is_own(const search *s, const wpa_graph_file *file)
{
    return file == s->own || wpa_text_is(file->path, s->own->path);
}

/* What the repair has to do with. */
typedef struct subject {
    const wpa_outline_step *step; /* the first of the stretch */
    size_t length;
    const place *places; /* [n] where else it stands */
    size_t n;
} subject;

/* By file, job and step: what is said once for all stands at the first place. */
static bool is_before(const place *p, const wpa_graph_file *file, size_t job, size_t step)
{
    int by_path = p->file == file ? 0 : strcmp(p->file->path, file->path);
    return by_path < 0 || (by_path == 0 && (p->job < job || (p->job == job && p->step < step)));
}

/* Is the place in another job that is like this one as a whole? That is told of by itself. */
static bool is_of_whole(const search *s, const place *p)
{
    const wpa_similarity_job *other = p->file->jobs[p->job].likeness;
    return !is_own(s, p->file) && wpa_similarity_kin_alike(s->job->here, other, s->least) > 0;
}

/* Other places of the stretch that begins at this step; a job has it once. */
static size_t find_places(const search *s, size_t job, size_t step, place places[])
{
    wpa_similarity_member members[ALIKE_MAX];
    const wpa_similarity_job *own = s->own->jobs[job].likeness;
    size_t n_members = wpa_similarity_kin_stretches(s->job->here, step, s->least, members);
    size_t n = 0;
    for (size_t i = 0; i < n_members; i++) {
        const wpa_graph_file *file = members[i].owner;
        const wpa_similarity_job *other = file->jobs[members[i].job].likeness;
        bool is_self = is_own(s, file);
        if (!other || (is_self && members[i].job == job)) {
            continue;
        }
        size_t length = wpa_similarity_length(own, step, other, members[i].first_step, s->least);
        if (length >= WPA_SIMILARITY_STRETCH) {
            places[n++] = (place){file, members[i].job, members[i].first_step, length};
        }
    }
    return n;
}

/* Steps that aliases bring into both jobs stand in the file once. */
static bool is_written_once(const wpa_outline *o, size_t job, size_t step, const place *p)
{
    const wpa_outline_job *own = &o->jobs[job];
    const wpa_outline_job *other = p->job < o->n_jobs ? &o->jobs[p->job] : NULL;
    for (size_t i = 0; i < p->length; i++) {
        bool is_one = other && step + i < own->n_steps && p->step + i < other->n_steps &&
                      own->steps[step + i].node == other->steps[p->step + i].node;
        if (!is_one) {
            return false;
        }
    }
    return true;
}

/* Checkout and one setup are no stretch: two steps of it must do something. */
static bool is_real(const wpa_similarity_job *job, size_t first, size_t n)
{
    size_t n_real = 0, weight = 0;
    for (size_t i = first; i < first + n && i < job->n_steps; i++) {
        n_real += !job->steps[i].is_setup;
        weight += job->steps[i].weight;
    }
    return n_real >= WPA_SIMILARITY_REAL_STEPS && weight >= WEIGHT_MIN;
}

static void report(wpa_rule_run *run, const wpa_outline_step *step, size_t length,
                   const place places[], size_t n)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){step, length, wpa_arena_dup(run->arena, places, n * sizeof *places), n};
    wpa_finding *finding = wpa_rule_report(
        run, step->node->span, NULL, s,
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

/* ---- in other repositories ---- */

/* How long the stretch is in another repository of the fleet, 0: it is not there. */
static size_t length_far(const wpa_graph *other, wpa_similarity_kin **kin, const search *s,
                         size_t step, const wpa_graph_file **where)
{
    wpa_similarity_member members[ALIKE_MAX];
    const wpa_similarity_job *own = s->job->own;
    if (!*kin) {
        *kin = wpa_similarity_kin_of(wpa_graph_similar(other), own, s->least, s->job->arena);
    }
    size_t longest = 0, n = wpa_similarity_kin_stretches(*kin, step, s->least, members);
    for (size_t i = 0; i < n; i++) {
        const wpa_graph_file *file = members[i].owner;
        const wpa_similarity_job *job = file->jobs[members[i].job].likeness;
        bool is_told = !job || wpa_similarity_kin_alike(*kin, job, s->least) > 0; /* by itself */
        size_t length =
            is_told ? 0 : wpa_similarity_length(own, step, job, members[i].first_step, s->least);
        *where = length > longest ? file : *where;
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* Nowhere else in this repository: it may be in others. */
static size_t check_far(wpa_rule_run *run, const search *s, size_t job, size_t step)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_fleet *fleet = around ? around->fleet : NULL;
    const wpa_similarity_job *own = s->own->jobs[job].likeness;
    const wpa_graph_file *where = NULL;
    const char *first = NULL, *path = NULL;
    size_t n = 1, length = own->n_steps;
    for (size_t i = 0; fleet && i < fleet->n_graphs && i < FAR_MAX; i++) {
        const char *name = wpa_graph_repository(fleet->graphs[i]);
        size_t there = wpa_text_is(name, around->repository)
                           ? 0
                           : length_far(fleet->graphs[i], &s->job->far[i], s, step, &where);
        if (there >= s->least_steps) {
            first = first ? first : name;
            path = path ? path : where->path;
            length = there < length ? there : length;
            n++;
        }
    }
    if (n < s->least_count || !first || !is_real(own, step, length)) {
        return 0;
    }
    wpa_rule_report(run, run->source->outline->jobs[job].steps[step].node->span, NULL, NULL,
                    "%zu steps from here on stand in %zu repositories, such as in %s of %s: a "
                    "shared action would hold them once",
                    length, n, wpa_rule_quote(run, path, strlen(path)),
                    wpa_rule_quote(run, first, strlen(first)));
    return length;
}

/* Of the places those that are not told of with their job, if they can be enough. */
static size_t keep_parts(const wpa_rule_run *run, const search *s, place places[], size_t n)
{
    size_t n_kept = 0, longest = 0;
    for (size_t i = 0; i < n; i++) {
        longest = places[i].length > longest ? places[i].length : longest;
    }
    bool are_enough = n + 1 >= s->least_count || longest >= LONG_STEPS;
    bool has_fleet = run->source->around && run->source->around->fleet;
    for (size_t i = 0; i < n && (are_enough || has_fleet); i++) {
        if (!is_of_whole(s, &places[i])) {
            places[n_kept++] = places[i];
        }
    }
    return n_kept;
}

/* Steps that the run of steps at this one takes up, having been told of; 0: none. */
static size_t check_at(wpa_rule_run *run, const search *s, size_t job, size_t step)
{
    place places[ALIKE_MAX];
    const wpa_similarity_job *own = s->own->jobs[job].likeness;
    size_t n_found = find_places(s, job, step, places), n = 0, n_kept = 0;
    for (size_t i = 0; i < n_found; i++) {
        if (is_own(s, places[i].file) &&
            is_written_once(run->source->outline, job, step, &places[i])) {
            continue;
        }
        if (!is_before(&places[i], s->own, job, step)) {
            places[n++] = places[i];
        } else if (!is_of_whole(s, &places[i])) {
            return places[i].length; /* told of there, if at all */
        }
    }
    n = keep_parts(run, s, places, n);
    size_t length = own->n_steps, longest = 0;
    for (size_t i = 0; i < n; i++) {
        longest = places[i].length > longest ? places[i].length : longest;
    }
    bool is_long = longest >= LONG_STEPS && n + 1 < s->least_count;
    for (size_t i = 0; i < n; i++) {
        if (!is_long || places[i].length >= LONG_STEPS) {
            length = places[i].length < length ? places[i].length : length;
            places[n_kept++] = places[i];
        }
    }
    if (n == 0) {
        return check_far(run, s, job, step);
    }
    if (n_kept == 0 || length < s->least_steps || (!is_long && n_kept + 1 < s->least_count) ||
        !is_real(own, step, length)) {
        return 0;
    }
    report(run, &run->source->outline->jobs[job].steps[step], length, places, n_kept);
    return length;
}

static search search_of(const wpa_rule_run *run, subject_job *job)
{
    return (search){
        .least = wpa_rule_option_real(run, "similarity", 0.5, 1, 0.85),
        .least_steps = (size_t)wpa_rule_option_int(run, "min-steps", 3, 64, 3),
        .least_count = (size_t)wpa_rule_option_int(run, "min-count", 2, 1000, 3),
        .job = job,
    };
}

static void read_steps(wpa_rule_run *run, search *s)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_graph *graph = around ? around->graph : NULL;
    graph = graph ? graph : wpa_graph_of_one(run->source, run->arena);
    s->index = wpa_graph_similar(graph);
    s->own = wpa_graph_own(graph, run->source, run->arena);
}

static void check_steps(wpa_rule_run *run, bool has_others)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    subject_job job = {.arena = scratch};
    search s = search_of(run, &job);
    const wpa_similarity_wanted wanted = {s.least, s.least_count, LONG_STEPS, WEIGHT_MIN};
    if (!has_others && !wpa_similarity_may_repeat(run->source->outline, &wanted)) {
        return;
    }
    read_steps(run, &s);
    for (size_t i = 0; i < s.own->n_jobs; i++) {
        const wpa_similarity_job *own = s.own->jobs[i].likeness;
        if (own) {
            begin_job(run, &s, own);
        }
        for (size_t k = 0; own && k + WPA_SIMILARITY_STRETCH <= own->n_steps;) {
            size_t taken = check_at(run, &s, i, k);
            k += taken ? taken : 1;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_surroundings *around = run->source->around;
    bool has_others = around && (around->graph || around->fleet);
    size_t n = wpa_similarity_count(o);
    if (n > (has_others ? 0 : 1) && !wpa_work_is_large(o)) { /* alone it can but repeat itself */
        check_steps(run, has_others);
    }
    return true;
}

/* ---- the composite action ---------------------------------------------------------------------*/

/* One of the places while it is looked at: the steps that move. */
typedef struct copy {
    const wpa_source *source;
    const wpa_outline_step *steps; /* [length], in a row */
} copy;

/* Defaults of the job or the workflow that an action does not get. */
static bool has_defaults(const wpa_source *source, const wpa_outline_job *job)
{
    const wpa_yaml_node *root = source->yaml->root;
    return wpa_yaml_get(wpa_yaml_get(wpa_yaml_get(root, "defaults"), "run"), "working-directory") ||
           wpa_yaml_get(wpa_yaml_get(wpa_yaml_get(job->node, "defaults"), "run"),
                        "working-directory");
}

static const char *shell_of(const wpa_outline_step *step)
{
    static const char *const names[] = {
        [WPA_SHELL_BASH] = "bash",     [WPA_SHELL_SH] = "sh",     [WPA_SHELL_PWSH] = "pwsh",
        [WPA_SHELL_PYTHON] = "python", [WPA_SHELL_CMD] = "cmd",   [WPA_SHELL_OTHER] = NULL,
        [WPA_SHELL_ZSH] = NULL,        [WPA_SHELL_UNKNOWN] = NULL};
    return names[step->shell];
}

/* Does the step mean the same in an action? */
static bool can_move(const wpa_outline_step *step)
{
    static const char *const keys[] = {"name",
                                       "id",
                                       "if",
                                       "run",
                                       "uses",
                                       "with",
                                       "env",
                                       "shell",
                                       "working-directory",
                                       "continue-on-error"};
    static const char *const states[] = {"always", "failure", "cancelled", "success"};
    const char *condition = step->condition ? wpa_yaml_text(step->condition) : "";
    for (size_t i = 0; i < step->node->n_pairs; i++) {
        const char *key = step->node->pairs[i].key->text;
        if (!key || wpa_text_index(key, keys, WPA_COUNT(keys)) < 0) {
            return false;
        }
    }
    for (size_t i = 0; condition && i < WPA_COUNT(states); i++) {
        if (strstr(condition, states[i])) {
            return false; /* of what came before in the job */
        }
    }
    return condition && (!step->run || wpa_yaml_get(step->node, "shell") || shell_of(step));
}

/* Is a step of this id asked for what it has done, outside of the stretch? */
static bool is_asked_for(const copy *c, size_t length, const char *id)
{
    const wpa_yaml_node *job = c->steps[0].job->node;
    const char *source = c->source->yaml->source, *end = source + job->span.end;
    const char *from = source + c->steps[0].node->span.start;
    const char *to = source + c->steps[length - 1].node->span.end;
    size_t n = strlen(id);
    for (const char *at = source + job->span.start; at < end; at++) {
        at = wpa_text_find(at, (size_t)(end - at), "steps.");
        if (!at) {
            return false;
        }
        bool is_inside = at >= from && at < to;
        if (!is_inside && strncmp(at + 6, id, n) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_movable(const copy *c, size_t length)
{
    const wpa_yaml_node *list = c->steps[0].node->parent;
    if (!list || list->style != WPA_YAML_BLOCK || !wpa_steps_have_tree(&c->steps[0]) ||
        wpa_site_is_for_others(c->source) || has_defaults(c->source, c->steps[0].job)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const wpa_outline_step *step = &c->steps[i];
        bool is_in_row = step->node->parent == list &&
                         step->node->index == c->steps[0].node->index + i &&
                         step->node->style == WPA_YAML_BLOCK;
        if (!is_in_row || !can_move(step) || (step->id && is_asked_for(c, length, step->id))) {
            return false;
        }
    }
    return wpa_extract_line_start(c->source->yaml, wpa_yaml_dash(c->steps[0].node)) != SIZE_MAX;
}

static bool fill(wpa_extract *x, const copy copies[], size_t length)
{
    const char **ids = wpa_arena_array(x->run->arena, length + 1, sizeof *ids);
    for (size_t i = 0; i < length; i++) {
        if (copies[0].steps[i].id) {
            ids[x->n_own_steps++] = copies[0].steps[i].id;
        }
    }
    x->own_steps = ids;
    for (size_t i = 0; i < length; i++) {
        const wpa_yaml_node *nodes[WPA_EXTRACT_COPIES_MAX];
        for (size_t k = 0; k < x->n; k++) {
            nodes[k] = copies[k].steps[i].node;
            if (copies[k].steps[i].shell != copies[0].steps[i].shell) {
                return false;
            }
        }
        if (!wpa_extract_add(x, nodes)) {
            return false;
        }
    }
    return true;
}

/* Can it be one with the first? */
static bool is_twin(wpa_rule_run *run, const copy *first, const copy *c, size_t length)
{
    const copy both[] = {*first, *c};
    wpa_extract *x = wpa_arena_alloc(run->arena, sizeof *x);
    *x = (wpa_extract){.run = run, .kind = WPA_EXTRACT_ACTION, .n = 2};
    return fill(x, both, length);
}

static size_t list_copies(wpa_rule_run *run, const subject *s, size_t skip, size_t length,
                          copy copies[])
{
    size_t n = 1;
    copies[0] = (copy){run->source, s->step + skip};
    if (run->source->kind != WPA_INPUT_WORKFLOW || !is_movable(&copies[0], length)) {
        return 0;
    }
    for (size_t i = 0; i < s->n && n < WPA_EXTRACT_COPIES_MAX; i++) {
        const wpa_source *source = wpa_rule_source_at(run, s->places[i].file->path);
        const wpa_outline *o = source ? source->outline : NULL;
        bool is_there = o && source->kind == WPA_INPUT_WORKFLOW && s->places[i].job < o->n_jobs &&
                        s->places[i].step + skip + length <= o->jobs[s->places[i].job].n_steps;
        if (is_there) {
            const wpa_outline_job *job = &o->jobs[s->places[i].job];
            copies[n] = (copy){source, &job->steps[s->places[i].step + skip]};
            n += is_movable(&copies[n], length) && is_twin(run, &copies[0], &copies[n], length);
        }
    }
    return n;
}

static const char *slug_of(wpa_rule_run *run, const char *title)
{
    const char *slug = wpa_extract_slug(title, run->arena);
    return *slug ? slug : "shared-steps";
}

/* An action names the shell of each script. */
static void add_shells(wpa_extract *x, const copy *c, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const wpa_outline_step *step = &c->steps[i];
        if (step->run && !wpa_yaml_get(step->node, "shell")) {
            const wpa_yaml_node *value = wpa_yaml_find(step->node, "run")->value;
            const wpa_yaml_doc *doc = c->source->yaml;
            size_t key = value->key->span.start;
            wpa_span line = wpa_yaml_line(doc, wpa_yaml_line_of(doc, key));
            size_t end = wpa_yaml_entry_span(value).end;
            bool is_open = end && doc->source[end - 1] != '\n';
            wpa_extract_edit(x, (wpa_span){end, end}, "%s%*sshell: %s%s", is_open ? "\n" : "",
                             (int)(key - line.start), "", shell_of(step), is_open ? "" : "\n");
        }
    }
}

/* From the line of the first dash through the last step. */
static wpa_span stretch_of(const copy *c, size_t length)
{
    size_t dash = wpa_yaml_dash(c->steps[0].node);
    return (wpa_span){wpa_extract_line_start(c->source->yaml, dash),
                      wpa_yaml_entry_span(c->steps[length - 1].node).end};
}

static void replace_copy(wpa_extract *x, wpa_fix *fix, const copy copies[], size_t i, size_t length,
                         const char *name, const char *folder)
{
    const copy *c = &copies[i];
    const wpa_yaml_doc *doc = c->source->yaml;
    wpa_arena *arena = x->run->arena;
    wpa_span span = stretch_of(c, length);
    size_t column = wpa_yaml_dash(c->steps[0].node) - span.start;
    bool has_name = wpa_yaml_get(c->steps[0].node, "name") != NULL;
    const char *text = wpa_arena_printf(arena, "%*s- %s%s%s%*suses: ./%s\n%s", (int)column, "",
                                        has_name ? "name: " : "", has_name ? name : "",
                                        has_name ? "\n" : "", has_name ? (int)column + 2 : 0, "",
                                        folder, wpa_extract_with(x, i, column + 2));
    size_t n = strlen(text);
    bool is_open = span.end && doc->source[span.end - 1] != '\n';
    text = wpa_arena_slice(arena, text, n - is_open);
    wpa_rule_edit_in(x->run, fix, doc, span, "%s", wpa_extract_lines(doc, text, arena));
}

static void extract(wpa_rule_run *run, wpa_finding *finding, const copy copies[], size_t n,
                    size_t length)
{
    wpa_extract *x = wpa_arena_alloc(run->arena, sizeof *x);
    *x = (wpa_extract){.run = run, .kind = WPA_EXTRACT_ACTION, .n = n};
    const char *title = wpa_extract_title(copies[0].steps, length, run->arena);
    const char *slug = slug_of(run, title), *name = wpa_extract_name(title, slug, run->arena);
    const char *path = wpa_rule_free_path(run, ".github/actions", slug, "/action.yml");
    if (!path || !fill(x, copies, length)) {
        return;
    }
    const char *folder = wpa_arena_slice(run->arena, path, strlen(path) - strlen("/action.yml"));
    add_shells(x, &copies[0], length);
    wpa_span span = stretch_of(&copies[0], length);
    size_t column = wpa_yaml_dash(copies[0].steps[0].node) - span.start;
    const char *steps = wpa_extract_text(x, copies[0].source->yaml, span, column, 4);
    if (!steps) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                "move %zu steps into %s, which %zu jobs use", length, folder, n);
    wpa_rule_create(run, fix, path,
                    "name: %s\ndescription: Steps that several jobs share\n%sruns:\n"
                    "  using: composite\n  steps:\n%s",
                    name, wpa_extract_inputs(x, 0), steps);
    for (size_t i = 0; i < n; i++) {
        replace_copy(x, fix, copies, i, length, name, folder);
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    copy copies[WPA_EXTRACT_COPIES_MAX];
    if (!s) {
        return; /* nothing of this repository */
    }
    size_t skip = 0; /* the action is in the tree: what brings that stays */
    for (size_t i = 0; i < s->length; i++) {
        skip = wpa_outline_step_uses(s->step + i, "actions/checkout") ? i + 1 : skip;
    }
    size_t length = s->length - skip;
    size_t n = length >= STEPS_MIN ? list_copies(run, s, skip, length, copies) : 0;
    if (n > 1) {
        extract(run, finding, copies, n, length);
    }
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
    .fix = "Move the steps into a composite action, with inputs for what differs, and use it.",
    .options = options,
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV | WPA_DECLARES_PINS,
    .compares = true,
    .check = check,
    .repair = repair,
};
