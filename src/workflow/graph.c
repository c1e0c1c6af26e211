#include <string.h>

#include "workflow/workflow.h"

const wpa_workflow_job *const *wpa_workflow_job_needs(const wpa_workflow *workflow,
                                                      const wpa_workflow_job *job, wpa_arena *arena,
                                                      size_t *n)
{
    const wpa_workflow_job **needs =
        wpa_arena_array(arena, job->needs.n + 1, sizeof(const wpa_workflow_job *));
    *n = 0;
    for (size_t i = 0; i < job->needs.n; i++) {
        const char *id = job->needs.items[i].text;
        const wpa_workflow_job *other = id ? wpa_workflow_job_find(workflow, id) : NULL;
        bool is_new = other != NULL;
        for (size_t k = 0; k < *n && is_new; k++) {
            is_new = needs[k] != other;
        }
        if (is_new) {
            needs[(*n)++] = other;
        }
    }
    return needs;
}

/* The needs of all jobs, resolved once. */
typedef struct graph {
    const wpa_workflow *workflow;
    const wpa_workflow_job *const **needs;
    size_t *n_needs;
} graph;

static graph graph_read(const wpa_workflow *workflow, wpa_arena *arena)
{
    size_t n = workflow->n_jobs;
    graph g = {workflow, wpa_arena_array(arena, n + 1, sizeof *g.needs),
               wpa_arena_array(arena, n + 1, sizeof *g.n_needs)};
    for (size_t i = 0; i < n; i++) {
        g.needs[i] = wpa_workflow_job_needs(workflow, &workflow->jobs[i], arena, &g.n_needs[i]);
    }
    return g;
}

/*
 * Breadth first from a job over its needs. came_from[j] is the job from which j was first reached,
 * NULL if it was not; the start itself counts as reached only by a way back to it.
 */
static void reach(const graph *g, size_t start, const wpa_workflow_job **came_from, size_t *queue)
{
    size_t n_queued = 0;
    memset(came_from, 0, g->workflow->n_jobs * sizeof(const wpa_workflow_job *));
    queue[n_queued++] = start;
    for (size_t at = 0; at < n_queued; at++) {
        for (size_t i = 0; i < g->n_needs[queue[at]]; i++) {
            size_t next = g->needs[queue[at]][i]->index;
            if (!came_from[next]) {
                came_from[next] = &g->workflow->jobs[queue[at]];
                if (next != start) {
                    queue[n_queued++] = next;
                }
            }
        }
    }
}

bool wpa_workflow_job_depends_on(const wpa_workflow *workflow, const wpa_workflow_job *job,
                                 const wpa_workflow_job *other)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    graph g = graph_read(workflow, arena);
    const wpa_workflow_job **came_from =
        wpa_arena_array(arena, workflow->n_jobs + 1, sizeof(const wpa_workflow_job *));
    size_t *queue = wpa_arena_array(arena, workflow->n_jobs + 1, sizeof *queue);
    reach(&g, job->index, came_from, queue);
    return came_from[other->index] != NULL;
}

static wpa_workflow_cycle make_cycle(const graph *g, size_t start,
                                     const wpa_workflow_job *const *came_from, wpa_arena *arena)
{
    size_t n = 1;
    for (const wpa_workflow_job *at = came_from[start]; at->index != start;
         at = came_from[at->index]) {
        n++;
    }
    const wpa_workflow_job **jobs = wpa_arena_array(arena, n, sizeof(const wpa_workflow_job *));
    jobs[0] = &g->workflow->jobs[start];
    const wpa_workflow_job *at = came_from[start];
    for (size_t i = n; i-- > 1; at = came_from[at->index]) {
        jobs[i] = at;
    }
    return (wpa_workflow_cycle){jobs, n};
}

const wpa_workflow_cycle *wpa_workflow_cycles(const wpa_workflow *workflow, wpa_arena *arena,
                                              size_t *n)
{
    size_t n_jobs = workflow->n_jobs;
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    graph g = graph_read(workflow, scratch);
    const wpa_workflow_job **came_from =
        wpa_arena_array(scratch, n_jobs + 1, sizeof(const wpa_workflow_job *));
    size_t *queue = wpa_arena_array(scratch, n_jobs + 1, sizeof *queue);
    bool *is_reported = wpa_arena_array(scratch, n_jobs + 1, sizeof *is_reported);
    wpa_workflow_cycle *cycles = wpa_arena_array(arena, n_jobs + 1, sizeof *cycles);
    *n = 0;
    for (size_t i = 0; i < n_jobs; i++) {
        if (is_reported[i]) {
            continue;
        }
        reach(&g, i, came_from, queue);
        if (came_from[i]) {
            wpa_workflow_cycle cycle = make_cycle(&g, i, came_from, arena);
            for (size_t k = 0; k < cycle.n; k++) {
                is_reported[cycle.jobs[k]->index] = true;
            }
            cycles[(*n)++] = cycle;
        }
    }
    return cycles;
}

const wpa_workflow_job *const *wpa_workflow_order(const wpa_workflow *workflow, wpa_arena *arena)
{
    size_t n_jobs = workflow->n_jobs;
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    graph g = graph_read(workflow, scratch);
    bool *is_placed = wpa_arena_array(scratch, n_jobs + 1, sizeof *is_placed);
    const wpa_workflow_job **order =
        wpa_arena_array(arena, n_jobs + 1, sizeof(const wpa_workflow_job *));
    size_t n = 0;
    bool has_moved = true;
    while (n < n_jobs) {
        bool is_stuck = !has_moved; /* what is left stands on or behind a cycle: as written */
        has_moved = false;
        for (size_t i = 0; i < n_jobs; i++) {
            bool is_ready = !is_placed[i];
            for (size_t k = 0; k < g.n_needs[i] && is_ready && !is_stuck; k++) {
                is_ready = is_placed[g.needs[i][k]->index];
            }
            if (is_ready) {
                order[n++] = &workflow->jobs[i];
                is_placed[i] = has_moved = true;
            }
        }
    }
    return order;
}
