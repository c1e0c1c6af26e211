/*
 * How alike steps and jobs are, and an index that finds the ones that are alike without comparing
 * each with each.
 *
 * A step is what it uses and its inputs, or the 3-grams of its script's words; two steps are as
 * alike as these sets overlap. Jobs are aligned step by step; what is aligned counts by its size.
 */
#pragma once

#include "rules/outline.h"

#define WPA_SIMILARITY_STEPS_MAX 64
/** Steps of a stretch that is looked for by itself. */
#define WPA_SIMILARITY_STRETCH 3
/** So many steps of one do something: more than checkout and setup. */
#define WPA_SIMILARITY_REAL_STEPS 2

typedef struct wpa_similarity_step {
    uint32_t kind; /* the action with its major version; 0: a script */
    uint32_t n_features;
    const uint32_t *features; /* sorted, each once */
    uint32_t weight;          /* words of the script, or inputs */
    uint32_t digest;          /* of kind and features */
    uint64_t upper_bits;      /* one for each value that features have in their upper 6 bits */
    bool is_setup;            /* checkout, tools, caches */
} wpa_similarity_step;

typedef struct wpa_similarity_job {
    const wpa_similarity_step *steps;
    size_t n_steps;
    size_t n_real; /* steps that are no setup */
    unsigned weight;
    const struct wpa_similarity_index *index; /* private: that it was added to, … */
    uint32_t member;                          /* … its number there … */
    const uint32_t *shapes;                   /* … and those of its steps: equal ones are equal */
} wpa_similarity_job;

/** Jobs that have a stretch. */
size_t wpa_similarity_count(const wpa_outline *o);
/** What stretches are looked for. */
typedef struct wpa_similarity_wanted {
    double least;        /* share of features from which steps are alike */
    size_t least_count;  /* so often it stands there … */
    size_t long_steps;   /* … or twice, if it is as long as that */
    size_t least_weight; /* of its steps together */
} wpa_similarity_wanted;

/** May such a stretch be in this file? Asked before its steps are read, which takes longer. */
bool wpa_similarity_may_repeat(const wpa_outline *o, const wpa_similarity_wanted *wanted);
/** A step that was read: where others of its file are the same, they are not read again. */
typedef struct wpa_similarity_seen {
    const wpa_outline_step *step; /* NULL: none yet */
    const wpa_similarity_step *read;
} wpa_similarity_seen;
#define WPA_SIMILARITY_SEEN_MAX 64
/**
 * NULL for a call and for a job without steps, or with too many.
 *
 * seen  of all jobs of the file, which are read into one arena; empty before the first.
 */
wpa_similarity_job *wpa_similarity_read(const wpa_outline_job *job,
                                        wpa_similarity_seen seen[WPA_SIMILARITY_SEEN_MAX],
                                        wpa_arena *arena);
/** The share of features that both have, least to 1; 0 below that. */
double wpa_similarity_of_steps(const wpa_similarity_step *a, const wpa_similarity_step *b,
                               double least);
/** How many steps from these on are alike, one by one. */
size_t wpa_similarity_length(const wpa_similarity_job *a, size_t first_of_a,
                             const wpa_similarity_job *b, size_t first_of_b, double least);
/**
 * The weight of steps that are aligned and at least 0.8 alike, of both by the whole: least to 1; 0
 * below that.
 */
double wpa_similarity_of_jobs(const wpa_similarity_job *a, const wpa_similarity_job *b,
                              double least);

/* ---- marks, for what is not in memory ---- */

/** More marks than that no job has. */
#define WPA_SIMILARITY_MARKS_MAX (8 + 4 * WPA_SIMILARITY_STEPS_MAX)
/**
 * Numbers of which jobs that are alike, or have a stretch of steps alike, nearly always share one,
 * to be looked for elsewhere. What is all checkout and setup has none.
 */
size_t wpa_similarity_marks(const wpa_similarity_job *job,
                            uint32_t marks[WPA_SIMILARITY_MARKS_MAX]);

/* ---- the index ---- */

typedef struct wpa_similarity_index wpa_similarity_index;

/** A job, or a stretch of it, and whose it is. */
typedef struct wpa_similarity_member {
    const void *owner;
    uint32_t job;
    uint32_t first_step; /* of a stretch; 0 for the whole job */
} wpa_similarity_member;

wpa_similarity_index *wpa_similarity_index_new(wpa_arena *arena);
/** Borrowed. A job is added to one index only. */
void wpa_similarity_index_add(wpa_similarity_index *index, wpa_similarity_job *job,
                              const void *owner, size_t job_index);
/** Once, before the first question. */
void wpa_similarity_index_close(wpa_similarity_index *index);

/** More than that no question finds. */
#define WPA_SIMILARITY_FOUND_MAX 64

/** What an index has that is like the steps of one job: what was found serves later questions. */
typedef struct wpa_similarity_kin wpa_similarity_kin;

/**
 * least: from where on stretches will be asked for, at least 0.5. The job need not be of this
 * index.
 */
wpa_similarity_kin *wpa_similarity_kin_of(const wpa_similarity_index *index,
                                          const wpa_similarity_job *job, double least,
                                          wpa_arena *arena);
/**
 * Stretches of other jobs whose steps are alike, one by one, to those from this one on; in the
 * order in which the jobs were added.
 */
size_t wpa_similarity_kin_stretches(wpa_similarity_kin *kin, size_t first_step, double least,
                                    wpa_similarity_member members[WPA_SIMILARITY_FOUND_MAX]);
/** Other jobs that may be alike as wholes from least on, in the order in which they were added. */
size_t wpa_similarity_kin_jobs(wpa_similarity_kin *kin, double least,
                               wpa_similarity_member members[WPA_SIMILARITY_FOUND_MAX]);
/** What wpa_similarity_of_jobs says, of a job of the index; who asks again is answered at once. */
double wpa_similarity_kin_alike(wpa_similarity_kin *kin, const wpa_similarity_job *other,
                                double least);
