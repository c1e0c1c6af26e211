#include "testing/runs.h"

#include <ctype.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#define TEXT_MAX_BYTES 2000

/** Whether what nobody can tell holds, and how jobs end. The last worlds decide by their hash. */
static const struct {
    bool is_hashed, holds, fails, is_cancelled;
} worlds[WPA_RUNS_WORLDS] = {
    {.holds = false},
    {.holds = true},
    {.holds = false, .fails = true},
    {.holds = true, .fails = true},
    {.is_hashed = true, .is_cancelled = true},
    {.is_hashed = true},
    {.is_hashed = true},
    {.is_hashed = true},
    {.is_hashed = true},
    {.is_hashed = true},
};

typedef enum ending {
    NOT_RUN,
    SUCCEEDED,
    FAILED,
    CANCELLED
} ending;

static const char *const ending_names[] = {"skipped", "success", "failure", "cancelled"};

/** A job with its condition. */
typedef struct job {
    const wpa_workflow_job *job;
    const wpa_expr *root; /* NULL: none, or one that always counts as true */
    const char *text;     /* of root */
    const wpa_expr_reference *references;
    size_t n_references;
    bool asks_status; /* success() and its like: else success() is meant as well */
    bool is_never;    /* an expression that cannot be read */
    const wpa_workflow_job *const *needs;
    size_t n_needs;
    /* in the run that is played */
    ending end;
    bool is_clean;     /* it and all that it waits for, at any distance, have succeeded */
    bool has_failures; /* one of these has failed */
} job;

struct wpa_runs {
    wpa_arena *arena, *scratch;
    const wpa_workflow *workflow;
    job *jobs; /* [n_jobs] of the workflow */
    const wpa_workflow_job *const *order;
    wpa_map *unknown;
    size_t *work;
    /* the run that is played */
    const wpa_occasion *occasion;
    size_t world;
    const job *at;
};

/* ---- reading ---- */

static bool is_status(const wpa_expr *node)
{
    static const char *const names[] = {"success", "failure", "always", "cancelled"};
    for (size_t i = 0; node->kind == WPA_EXPR_CALL && i < WPA_COUNT(names); i++) {
        if (wpa_text_is_ci(node->text, names[i])) {
            return true;
        }
    }
    return false;
}

static void look_for_status(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    bool *has_one = context;
    (void)parent;
    *has_one = *has_one || is_status(node);
}

static void read_condition(job *j, wpa_arena *arena)
{
    const wpa_yaml_node *node = j->job->condition.node;
    size_t n = 0;
    const wpa_expr_place *places =
        node && node->kind == WPA_YAML_SCALAR ? wpa_expr_find_condition(node, arena, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        wpa_expr_walk(places[i].parsed.root, look_for_status, &j->asks_status);
    }
    const char *text = node ? wpa_yaml_text(node) : NULL;
    bool is_whole = n == 1 && (places[0].is_bare || wpa_span_length(places[0].outer) + 1 >=
                                                        strlen(text)); /* a line break behind */
    if (n == 1 && !places[0].parsed.root) {
        j->is_never = true;
    }
    if (is_whole && places[0].parsed.root) {
        j->root = places[0].parsed.root;
        j->text = text + places[0].inner.start;
        j->references = wpa_expr_references(j->root, arena, &j->n_references);
    }
}

wpa_runs *wpa_runs_new(const wpa_workflow *workflow, size_t *work, wpa_arena *arena)
{
    wpa_runs *runs = wpa_arena_alloc(arena, sizeof *runs);
    *runs = (wpa_runs){.arena = arena,
                       .scratch = arena,
                       .workflow = workflow,
                       .jobs = wpa_arena_array(arena, workflow->n_jobs + 1, sizeof *runs->jobs),
                       .order = wpa_workflow_order(workflow, arena),
                       .unknown = wpa_map_new(arena),
                       .work = work};
    for (size_t i = 0; i < workflow->n_jobs; i++) {
        job *j = &runs->jobs[i];
        j->job = &workflow->jobs[i];
        j->needs = wpa_workflow_job_needs(workflow, j->job, arena, &j->n_needs);
        read_condition(j, arena);
    }
    return runs;
}

/* ---- what nobody can tell ---- */

static void put_node(const wpa_runs *runs, wpa_buf *out, const wpa_expr *node);

static void put_text(wpa_buf *out, const char *text)
{
    for (; *text; text++) {
        wpa_buf_char(out, (char)tolower((unsigned char)*text));
    }
}

/** "github.actor", however it is written; what computes an index as it stands. */
static void put_reference(const wpa_runs *runs, wpa_buf *out, const wpa_expr *node)
{
    for (size_t i = 0; i < runs->at->n_references; i++) {
        const wpa_expr_reference *reference = &runs->at->references[i];
        if (reference->node == node && !reference->is_computed) {
            put_text(out, reference->path);
            return;
        }
    }
    for (size_t i = node->span.start; i < node->span.end; i++) {
        if (!isspace((unsigned char)runs->at->text[i])) {
            wpa_buf_char(out, (char)tolower((unsigned char)runs->at->text[i]));
        }
    }
}

static const char *words_of(const wpa_runs *runs, const wpa_expr *node)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(TEXT_MAX_BYTES);
    put_node(runs, out, node);
    return !wpa_buf_is_full(out) ? wpa_buf_dup(out, runs->arena)
                                 : wpa_arena_slice(runs->arena, runs->at->text + node->span.start,
                                                   wpa_span_length(node->span));
}

/** Operands in the order written, but for == and !=, whose order says nothing. */
static void put_operands(const wpa_runs *runs, wpa_buf *out, const wpa_expr *node)
{
    bool is_either = node->kind == WPA_EXPR_EQ || node->kind == WPA_EXPR_NE;
    const char *first = is_either ? words_of(runs, node->args[0]) : NULL;
    const char *second = is_either ? words_of(runs, node->args[1]) : NULL;
    wpa_buf_printf(out, "(%d", node->kind == WPA_EXPR_NE ? WPA_EXPR_EQ : (int)node->kind);
    if (is_either) {
        bool is_in_order = strcmp(first, second) <= 0;
        wpa_buf_printf(out, " %s %s", is_in_order ? first : second, is_in_order ? second : first);
    }
    for (size_t i = 0; !is_either && i < node->n_args; i++) {
        wpa_buf_char(out, ' ');
        put_node(runs, out, node->args[i]);
    }
    wpa_buf_char(out, ')');
}

/** A part by what it means, so that two ways to write it have the same words. */
static void put_node(const wpa_runs *runs, wpa_buf *out, const wpa_expr *node)
{
    wpa_expr_value value = wpa_expr_fold(node, NULL, NULL, runs->arena);
    const char *text = wpa_expr_value_text(&value, runs->arena);
    bool is_reference = node->kind == WPA_EXPR_NAME || node->kind == WPA_EXPR_MEMBER ||
                        node->kind == WPA_EXPR_INDEX || node->kind == WPA_EXPR_STAR;
    if (text) {
        wpa_buf_printf(out, "'%d:", (int)value.type);
        put_text(out, text);
        wpa_buf_char(out, '\'');
    } else if (is_reference) {
        put_reference(runs, out, node);
    } else {
        put_text(out, node->kind == WPA_EXPR_CALL ? node->text : "");
        put_operands(runs, out, node);
    }
}

/** A coin that falls the same way for the same words in the same world. */
static bool toss(const char *words, size_t world)
{
    uint64_t hash = UINT64_C(1469598103934665603) ^ world;
    for (; *words; words++) {
        hash = (hash ^ (unsigned char)*words) * UINT64_C(1099511628211);
    }
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    return (hash >> 40) & 1;
}

static bool guess(wpa_runs *runs, const wpa_expr *node)
{
    wpa_arena_mark mark = wpa_arena_here(runs->arena);
    const char *words = words_of(runs, node);
    bool holds =
        worlds[runs->world].is_hashed ? toss(words, runs->world) : worlds[runs->world].holds;
    if (wpa_map_has(runs->unknown, words)) {
        wpa_arena_rewind(runs->arena, mark);
    } else {
        wpa_map_put(runs->unknown, words, runs->unknown);
    }
    return node->kind == WPA_EXPR_NE ? !holds : holds;
}

/* ---- conditions ---- */

/** "needs.build.result": how it ended. */
static bool tell_need(const wpa_runs *runs, const char *path, wpa_expr_value *value)
{
    const char *dot = strchr(path, '.');
    size_t length = dot ? (size_t)(dot - path) : 0;
    for (size_t i = 0; dot && wpa_text_is(dot, ".result") && i < runs->at->n_needs; i++) {
        const wpa_workflow_job *need = runs->at->needs[i];
        if (strlen(need->id) == length && wpa_slice_is_ci((wpa_slice){path, length}, need->id)) {
            *value = wpa_expr_string(ending_names[runs->jobs[need->index].end]);
            return true;
        }
    }
    return false;
}

static bool look_up(const char *path, void *context, wpa_expr_value *value)
{
    const wpa_runs *runs = context;
    if (wpa_text_starts(path, "needs.")) {
        return tell_need(runs, path + strlen("needs."), value);
    }
    return wpa_occasion_value(runs->occasion, runs->workflow, path, runs->arena, value);
}

static bool status(const wpa_runs *runs, const wpa_expr *node)
{
    bool is_cancelled = worlds[runs->world].is_cancelled, is_clean = true, has_failures = false;
    for (size_t i = 0; i < runs->at->n_needs; i++) {
        const job *need = &runs->jobs[runs->at->needs[i]->index];
        is_clean = is_clean && need->is_clean;
        has_failures = has_failures || need->has_failures;
    }
    return wpa_text_is_ci(node->text, "always")      ? true
           : wpa_text_is_ci(node->text, "cancelled") ? is_cancelled
           : wpa_text_is_ci(node->text, "failure")   ? has_failures && !is_cancelled
                                                     : is_clean && !is_cancelled;
}

static bool holds(wpa_runs *runs, const wpa_expr *node)
{
    *runs->work -= *runs->work > 0;
    if (node->kind == WPA_EXPR_NOT) {
        return !holds(runs, node->args[0]);
    }
    if (node->kind == WPA_EXPR_AND) {
        return holds(runs, node->args[0]) && holds(runs, node->args[1]);
    }
    if (node->kind == WPA_EXPR_OR) {
        return holds(runs, node->args[0]) || holds(runs, node->args[1]);
    }
    if (is_status(node)) {
        return status(runs, node);
    }
    size_t size = wpa_span_length(node->span) * (1 + runs->at->n_references / 16);
    *runs->work -= *runs->work < size ? *runs->work : size;
    wpa_arena_mark mark = wpa_arena_here(runs->arena);
    wpa_expr_truth truth = wpa_expr_fold_again(node, runs->at->references, runs->at->n_references,
                                               look_up, runs, runs->arena)
                               .truth;
    wpa_arena_rewind(runs->arena, mark);
    return truth == WPA_EXPR_MAYBE ? guess(runs, node) : truth == WPA_EXPR_TRUTHY;
}

/* ---- runs ---- */

static bool does_run(wpa_runs *runs, const job *j)
{
    static const wpa_expr success = {.kind = WPA_EXPR_CALL, .text = "success"};
    runs->at = j;
    if (j->is_never || (!j->asks_status && !status(runs, &success))) {
        return false;
    }
    return !j->root || holds(runs, j->root);
}

static ending end_of(const wpa_runs *runs, const job *j)
{
    bool is_cancelled = worlds[runs->world].is_cancelled;
    bool fails =
        worlds[runs->world].is_hashed ? toss(j->job->id, runs->world) : worlds[runs->world].fails;
    return is_cancelled ? CANCELLED : fails ? FAILED : SUCCEEDED;
}

bool wpa_runs_play(wpa_runs *runs, const wpa_occasion *occasion, size_t world, bool *is_run)
{
    runs->occasion = occasion;
    runs->world = world;
    for (size_t i = 0; i < runs->workflow->n_jobs; i++) {
        runs->jobs[i].end = NOT_RUN;
        runs->jobs[i].is_clean = runs->jobs[i].has_failures = false;
    }
    for (size_t i = 0; i<runs->workflow->n_jobs && * runs->work> 0; i++) {
        job *j = &runs->jobs[runs->order[i]->index];
        bool runs_now = does_run(runs, j);
        j->end = runs_now ? end_of(runs, j) : NOT_RUN;
        j->is_clean = j->end == SUCCEEDED;
        j->has_failures = j->end == FAILED;
        for (size_t k = 0; k < j->n_needs; k++) {
            const job *need = &runs->jobs[j->needs[k]->index];
            j->is_clean = j->is_clean && need->is_clean;
            j->has_failures = j->has_failures || need->has_failures;
        }
        *runs->work -= *runs->work < j->n_needs + 1 ? *runs->work : j->n_needs + 1;
        is_run[j->job->index] = runs_now;
    }
    return *runs->work > 0;
}

const wpa_map *wpa_runs_unknown(const wpa_runs *runs)
{
    return runs->unknown;
}
