/* What the parts of similarity share. Private. */
#pragma once

#include "rules/similarity.h"

/** From here on steps are aligned with each other. */
#define WPA_SIMILARITY_ALIGNED 0.8
/** No number of a job or a shape. */
#define WPA_SIMILARITY_NONE UINT32_MAX

/** Of a step no more features are looked at. */
#define WPA_SIMILARITY_FEATURES_MAX 4096

/** Letters, digits and "_-./$", letters without case; 0: no part of a word. */
extern const unsigned char wpa_similarity_word_chars[256];

/** What the step is; 0: a script. */
uint32_t wpa_similarity_kind_of(const wpa_outline_step *step);

/** Every bit of the number decides on every bit of the result. */
static inline uint64_t wpa_similarity_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/** Are more than so many bits set? Asked with small numbers: each bit is looked at by itself. */
static inline bool wpa_similarity_are_more(uint64_t bits, size_t n)
{
    for (; bits && n; n--) {
        bits &= bits - 1;
    }
    return bits != 0;
}

/** How alike each step of one job is to each of another; 0: they cannot be aligned. */
typedef double wpa_similarity_matrix[WPA_SIMILARITY_STEPS_MAX][WPA_SIMILARITY_STEPS_MAX];

/**
 * What wpa_similarity_of_jobs says, once it is known how alike the steps are.
 *
 * n_equal  steps at the beginning of both that are equal: they go together whatever follows.
 */
double wpa_similarity_align(const wpa_similarity_job *a, const wpa_similarity_job *b,
                            size_t n_equal, wpa_similarity_matrix alike, double least);

/* ---- the index ---- */

/** Equal steps. */
typedef struct wpa_similarity_shape {
    const wpa_similarity_step *step; /* the first of them */
    uint32_t n_places, first_place;
} wpa_similarity_shape;

typedef struct wpa_similarity_place {
    uint32_t member, step;
} wpa_similarity_place;

typedef struct wpa_similarity_token {
    uint32_t hash, shape;
} wpa_similarity_token;

typedef struct wpa_similarity_added {
    wpa_similarity_job *job;
    const void *owner;
    uint32_t job_index;
} wpa_similarity_added;

struct wpa_similarity_index {
    wpa_arena *arena;
    wpa_similarity_added *jobs; /* [n_jobs] in the order in which they were added */
    size_t n_jobs, jobs_capacity, n_steps;
    /* Once closed: */
    wpa_similarity_shape *shapes;
    size_t n_shapes;
    uint32_t *slots; /* of shapes, by their digests */
    unsigned slot_bits;
    wpa_similarity_place *places; /* [n_steps] by shape, then in the order of the jobs */
    wpa_similarity_token *tokens; /* by the upper bits of their hashes … */
    uint32_t *token_ends;         /* … and where those of each value end, from 1 */
    unsigned token_bits;
};

/** A shape that is like a step. */
typedef struct wpa_similarity_like {
    uint32_t shape;
    double alike;
} wpa_similarity_like;

#define WPA_SIMILARITY_LIKES_MAX 64
/**
 * Shapes that are alike to a step from least on, that which is equal before all; *are_all is
 * cleared if there may be more. The index must not be empty.
 */
size_t wpa_similarity_index_shapes(const wpa_similarity_index *index, const wpa_similarity_job *job,
                                   size_t step, double least,
                                   wpa_similarity_like likes[WPA_SIMILARITY_LIKES_MAX],
                                   bool *are_all);
