/*
 * Equal steps are one shape; a shape is found by tokens, which are its least features. Sets that
 * overlap by a share t have one in common among those of rank n - t * n, so that whoever looks for
 * few of each step misses nothing.
 */
#include <string.h>

#include "core/paged.h"
#include "rules/similarity_internal.h"

/* Nothing is looked for that is less alike. */
#define LEAST_SHARE 0.5
/* Of large steps so many tokens are enough: features are hashes, so their least are drawn by lot.
 * Steps that share half of them share none of so many in one of 60,000 cases. */
#define TOKENS_MAX 16
/* What a question looks at: where a repository says the same very often, that is found in the first
 * of it. */
#define TRIED_MAX 1024

typedef struct wpa_similarity_shape shape;
typedef struct wpa_similarity_place place;

wpa_similarity_index *wpa_similarity_index_new(wpa_arena *arena)
{
    wpa_similarity_index *index = wpa_arena_alloc(arena, sizeof *index);
    index->arena = arena;
    return index;
}

void wpa_similarity_index_add(wpa_similarity_index *index, wpa_similarity_job *job,
                              const void *owner, size_t job_index)
{
    job->index = index;
    job->member = (uint32_t)index->n_jobs;
    index->jobs = wpa_arena_grow(index->arena, index->jobs, index->n_jobs, &index->jobs_capacity,
                                 sizeof *index->jobs);
    index->jobs[index->n_jobs++] = (wpa_similarity_added){job, owner, (uint32_t)job_index};
    index->n_steps += job->n_steps;
}

/* ---- shapes ---- */

/* Bits that number at least n things. */
static unsigned bits_for(size_t n)
{
    unsigned bits = 1;
    while (bits < 31 && (size_t)1 << bits < n) {
        bits++;
    }
    return bits;
}

static bool is_equal(const wpa_similarity_step *a, const wpa_similarity_step *b)
{
    return a->digest == b->digest && a->kind == b->kind && a->n_features == b->n_features &&
           (a->n_features == 0 ||
            memcmp(a->features, b->features, a->n_features * sizeof *a->features) == 0);
}

/* Where its shape is, or would be. */
static uint32_t *slot_of(const wpa_similarity_index *index, const wpa_similarity_step *step)
{
    size_t mask = ((size_t)1 << index->slot_bits) - 1;
    size_t at = step->digest >> (32 - index->slot_bits);
    while (index->slots[at] != WPA_SIMILARITY_NONE &&
           !is_equal(index->shapes[index->slots[at]].step, step)) {
        at = (at + 1) & mask;
    }
    return &index->slots[at];
}

static uint32_t take_in(wpa_similarity_index *index, const wpa_similarity_step *step)
{
    uint32_t *slot = slot_of(index, step);
    if (*slot == WPA_SIMILARITY_NONE) {
        *slot = (uint32_t)index->n_shapes;
        index->shapes[index->n_shapes++] = (shape){.step = step};
    }
    index->shapes[*slot].n_places++;
    return *slot;
}

static void list_shapes(wpa_similarity_index *index)
{
    uint32_t *of_steps = wpa_arena_array(index->arena, index->n_steps, sizeof *of_steps);
    index->shapes = wpa_arena_array(index->arena, index->n_steps, sizeof *index->shapes);
    index->slot_bits = bits_for(2 * index->n_steps);
    index->slots = wpa_arena_array(index->arena, (size_t)1 << index->slot_bits, sizeof(uint32_t));
    memset(index->slots, 0xff, sizeof(uint32_t) << index->slot_bits);
    for (size_t i = 0; i < index->n_jobs; i++) {
        wpa_paged_relax();
        wpa_similarity_job *job = index->jobs[i].job;
        for (size_t k = 0; k < job->n_steps; k++) {
            of_steps[k] = take_in(index, &job->steps[k]);
        }
        job->shapes = of_steps;
        of_steps += job->n_steps;
    }
}

static void list_places(wpa_similarity_index *index)
{
    uint32_t at = 0;
    index->places = wpa_arena_array(index->arena, index->n_steps, sizeof *index->places);
    for (size_t i = 0; i < index->n_shapes; i++) {
        index->shapes[i].first_place = at;
        at += index->shapes[i].n_places;
        index->shapes[i].n_places = 0;
    }
    for (uint32_t i = 0; i < index->n_jobs; i++) {
        wpa_paged_relax();
        const wpa_similarity_job *job = index->jobs[i].job;
        for (uint32_t k = 0; k < job->n_steps; k++) {
            shape *s = &index->shapes[job->shapes[k]];
            index->places[s->first_place + s->n_places++] = (place){i, k};
        }
    }
}

/* ---- tokens ---- */

/* Of n features those of the least rank of which sets that are alike from least on share one. */
static size_t count_tokens(const wpa_similarity_step *step, double least)
{
    size_t n = step->n_features;
    size_t shared = (size_t)(least * (double)n + 0.999999); /* that both have */
    size_t wanted = n ? n - shared + 1 : 0;
    return wanted < TOKENS_MAX ? wanted : TOKENS_MAX;
}

static uint32_t token_of(const wpa_similarity_step *step, size_t i)
{
    return (uint32_t)wpa_similarity_mix((uint64_t)step->kind << 32 | step->features[i]);
}

static uint32_t *end_of(const wpa_similarity_index *index, uint32_t hash)
{
    return &index->token_ends[1 + (hash >> (32 - index->token_bits))];
}

/* By the upper bits of their hashes: counted first, so that each has its room. */
static void list_tokens(wpa_similarity_index *index)
{
    size_t n = 0;
    for (size_t i = 0; i < index->n_shapes; i++) {
        wpa_paged_relax();
        n += count_tokens(index->shapes[i].step, LEAST_SHARE);
    }
    index->token_bits = bits_for(n);
    size_t n_ends = ((size_t)1 << index->token_bits) + 1;
    index->token_ends = wpa_arena_array(index->arena, n_ends, sizeof *index->token_ends);
    index->tokens = wpa_arena_array(index->arena, n, sizeof *index->tokens);
    for (size_t i = 0; i < index->n_shapes; i++) {
        wpa_paged_relax();
        const wpa_similarity_step *step = index->shapes[i].step;
        for (size_t k = 0; k < count_tokens(step, LEAST_SHARE); k++) {
            ++*end_of(index, token_of(step, k));
        }
    }
    for (size_t i = 1, at = 0; i < n_ends; i++) {
        size_t count = index->token_ends[i];
        index->token_ends[i] = (uint32_t)at;
        at += count;
    }
    for (uint32_t i = 0; i < index->n_shapes; i++) {
        wpa_paged_relax();
        const wpa_similarity_step *step = index->shapes[i].step;
        for (size_t k = 0; k < count_tokens(step, LEAST_SHARE); k++) {
            uint32_t hash = token_of(step, k);
            index->tokens[(*end_of(index, hash))++] = (wpa_similarity_token){hash, i};
        }
    }
}

void wpa_similarity_index_close(wpa_similarity_index *index)
{
    if (index->n_steps) {
        list_shapes(index);
        list_places(index);
        list_tokens(index);
    }
}

/* ---- what is like a step ---- */

/* The shape of a job's step; none if it is of another index and this one has no equal. */
static uint32_t shape_of(const wpa_similarity_index *index, const wpa_similarity_job *job,
                         size_t step)
{
    return job->index == index ? job->shapes[step] : *slot_of(index, &job->steps[step]);
}

static bool has(const wpa_similarity_like likes[], size_t n, uint32_t number)
{
    for (size_t i = 0; i < n; i++) {
        if (likes[i].shape == number) {
            return true;
        }
    }
    return false;
}

size_t wpa_similarity_index_shapes(const wpa_similarity_index *index, const wpa_similarity_job *job,
                                   size_t step, double least,
                                   wpa_similarity_like likes[WPA_SIMILARITY_LIKES_MAX],
                                   bool *are_all)
{
    const wpa_similarity_step *own = &job->steps[step];
    size_t n = 0, n_tried = 0;
    uint32_t equal = shape_of(index, job, step);
    if (equal != WPA_SIMILARITY_NONE) {
        likes[n++] = (wpa_similarity_like){equal, 1};
    }
    for (size_t i = 0; i < count_tokens(own, least); i++) {
        uint32_t hash = token_of(own, i), *end = end_of(index, hash);
        for (uint32_t at = end[-1]; at < *end; at++) {
            const wpa_similarity_token *t = &index->tokens[at];
            if (t->hash != hash || has(likes, n, t->shape)) {
                continue;
            }
            if (n == WPA_SIMILARITY_LIKES_MAX || n_tried++ == TRIED_MAX) {
                *are_all = false;
                return n;
            }
            double alike = wpa_similarity_of_steps(own, index->shapes[t->shape].step, least);
            if (alike > 0) {
                likes[n++] = (wpa_similarity_like){t->shape, alike};
            }
        }
    }
    return n;
}
