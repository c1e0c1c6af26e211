/*
 * How alike steps and jobs are, and an index that finds the ones that may be alike without
 * comparing each with each.
 *
 * A step is what it uses and its inputs, or the 3-grams of its script's words; two steps are as
 * alike as these sets overlap. Jobs are aligned step by step; what is aligned counts by its size.
 */
#pragma once

#include "rules/outline.h"

#define WPA_SIMILARITY_STEPS_MAX 64
/** MinHash: 128 permutations in 32 bands of 4; pairs from 0.6 on are nearly always found. */
#define WPA_SIMILARITY_BANDS 32
/** Steps of a stretch that is looked for by itself, with fewer bands. */
#define WPA_SIMILARITY_STRETCH 3
#define WPA_SIMILARITY_STRETCH_BANDS 8

typedef struct wpa_similarity_step {
    uint32_t kind; /* the action with its major version; 0: a script */
    uint32_t n_features;
    const uint32_t *features; /* sorted, each once */
    uint32_t weight;          /* words of the script, or inputs */
    bool is_setup;            /* checkout, tools, caches */
} wpa_similarity_step;

typedef struct wpa_similarity_job {
    const wpa_similarity_step *steps;
    size_t n_steps;
    size_t n_real; /* steps that are no setup */
    unsigned weight;
    bool has_whole;        /* it is found as a whole too */
    const uint32_t *bands; /* of the whole, then of each stretch: those that agree may be alike */
    const struct wpa_similarity_index *index; /* private: that it was added to, … */
    uint32_t member;                          /* … and the whole of it there */
} wpa_similarity_job;

/**
 * May a stretch of steps stand in two jobs of this file? By what the steps are, without a look at
 * what is in them: for most files that answers it.
 */
bool wpa_similarity_may_repeat(const wpa_outline *o);
/** What was made of the steps of other jobs, so that it is made of equal ones once. */
typedef struct wpa_similarity_memo wpa_similarity_memo;

/** For jobs whose arena lasts as long. Without wholes only stretches of them are found. */
wpa_similarity_memo *wpa_similarity_memo_new(bool has_wholes, wpa_arena *arena);
/** NULL for a call and for a job without steps, or with too many. */
wpa_similarity_job *wpa_similarity_read(const wpa_outline_job *job, wpa_similarity_memo *memo,
                                        wpa_arena *arena);
/** More marks than that no job has. */
#define WPA_SIMILARITY_MARKS_MAX (8 + 4 * WPA_SIMILARITY_STEPS_MAX)
/**
 * Numbers of which jobs that are alike, or have a stretch of steps alike, nearly always share one:
 * a part of the bands, to be looked for elsewhere. What is all checkout and setup has none.
 */
size_t wpa_similarity_marks(const wpa_similarity_job *job,
                            uint32_t marks[WPA_SIMILARITY_MARKS_MAX]);
/** The share of features that both have, least to 1; 0 below that. */
double wpa_similarity_of_steps(const wpa_similarity_step *a, const wpa_similarity_step *b,
                               double least);
/**
 * The weight of steps that are aligned and at least 0.8 alike, of both by the whole: least to 1; 0
 * below that.
 */
double wpa_similarity_of_jobs(const wpa_similarity_job *a, const wpa_similarity_job *b,
                              double least);

typedef struct wpa_similarity_index wpa_similarity_index;

/** A job, or a stretch of it, and whose it is. */
typedef struct wpa_similarity_member {
    const void *owner;
    uint32_t job;
    uint32_t first_step; /* of a stretch; UINT32_MAX for the whole job */
} wpa_similarity_member;

wpa_similarity_index *wpa_similarity_index_new(wpa_arena *arena);
/** The job and each of its stretches; borrowed. A job is added to one index only. */
void wpa_similarity_index_add(wpa_similarity_index *index, wpa_similarity_job *job,
                              const void *owner, size_t job_index);
/** Once, before the first question. */
void wpa_similarity_index_close(wpa_similarity_index *index);
/**
 * Members that may be alike: whole jobs for first_step UINT32_MAX, else stretches. At most max,
 * each once; the one asked about may be among them, if there is any other.
 */
size_t wpa_similarity_index_find(const wpa_similarity_index *index, const wpa_similarity_job *job,
                                 uint32_t first_step, wpa_similarity_member members[], size_t max);
