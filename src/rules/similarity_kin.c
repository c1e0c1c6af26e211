/* What an index has that is like the steps of one job: shapes for each step, and from them
 * stretches and whole jobs. */
#include <string.h>

#include "rules/similarity_internal.h"

#define FOUND_MAX WPA_SIMILARITY_FOUND_MAX
/* What a question looks at: where a repository says the same very often, that is found in the first
 * of it. */
#define PLACES_MAX 4096

typedef struct wpa_similarity_shape shape;
typedef struct wpa_similarity_place place;
typedef struct wpa_similarity_like like;

/* What is like one step, once somebody has asked. */
typedef struct step_kin {
    const like *likes; /* [n_likes] */
    uint32_t n_likes, n_places;
    bool is_known, is_elsewhere; /* other jobs have it too */
} step_kin;

/* Steps of the job, a bit each, that can be aligned with a shape. */
typedef struct partners {
    uint32_t shape;
    uint64_t steps;
} partners;

/* What was said of a job of the index. */
typedef struct answer {
    const wpa_similarity_job *other;
    double least, alike;
} answer;

struct wpa_similarity_kin {
    const wpa_similarity_index *index;
    const wpa_similarity_job *job;
    uint32_t own; /* number of the job, if it was added here */
    double least;
    wpa_arena *arena;
    step_kin *steps;    /* [n_steps] */
    bool are_all;       /* nothing was left out */
    partners *partners; /* [1 << partner_bits] by shape; NULL: nobody has asked for them */
    unsigned partner_bits;
    answer *answers; /* [n_answers] the first of them; NULL: nobody has asked */
    size_t n_answers;
};

wpa_similarity_kin *wpa_similarity_kin_of(const wpa_similarity_index *index,
                                          const wpa_similarity_job *job, double least,
                                          wpa_arena *arena)
{
    wpa_similarity_kin *kin = wpa_arena_alloc(arena, sizeof *kin);
    kin->index = index;
    kin->job = job;
    kin->own = job->index == index ? job->member : WPA_SIMILARITY_NONE;
    kin->least = least < WPA_SIMILARITY_ALIGNED ? least : WPA_SIMILARITY_ALIGNED;
    kin->arena = arena;
    kin->steps = wpa_arena_array(arena, job->n_steps, sizeof *kin->steps);
    kin->are_all = true;
    return kin;
}

static const step_kin *know(wpa_similarity_kin *kin, size_t step)
{
    const wpa_similarity_index *index = kin->index;
    step_kin *k = &kin->steps[step];
    if (k->is_known) {
        return k;
    }
    like likes[WPA_SIMILARITY_LIKES_MAX];
    k->is_known = true;
    k->n_likes = (uint32_t)wpa_similarity_index_shapes(index, kin->job, step, kin->least, likes,
                                                       &kin->are_all);
    k->likes = wpa_arena_dup(kin->arena, likes, k->n_likes * sizeof *likes);
    for (size_t i = 0; i < k->n_likes; i++) {
        const shape *s = &index->shapes[likes[i].shape];
        const place *first = &index->places[s->first_place], *last = first + s->n_places - 1;
        k->n_places += s->n_places;
        k->is_elsewhere = k->is_elsewhere || first->member != kin->own || last->member != kin->own;
    }
    return k;
}

/* How alike the step is to a shape; 0 if it is not among its kin. */
static double alike_to(const step_kin *k, uint32_t number)
{
    for (size_t i = 0; i < k->n_likes; i++) {
        if (k->likes[i].shape == number) {
            return k->likes[i].alike;
        }
    }
    return 0;
}

static bool is_before(const place *a, const place *b)
{
    return a->member < b->member || (a->member == b->member && a->step < b->step);
}

/* In the order of the jobs. */
static size_t show(const wpa_similarity_index *index, place places[], size_t n,
                   wpa_similarity_member members[FOUND_MAX])
{
    for (size_t i = 1; i < n; i++) {
        place moved = places[i];
        size_t k = i;
        for (; k > 0 && is_before(&moved, &places[k - 1]); k--) {
            places[k] = places[k - 1];
        }
        places[k] = moved;
    }
    for (size_t i = 0; i < n; i++) {
        const wpa_similarity_added *added = &index->jobs[places[i].member];
        members[i] = (wpa_similarity_member){added->owner, added->job_index, places[i].step};
    }
    return n;
}

/* ---- stretches ---- */

/* Is what stands from that step of the other job on like this stretch, all of it? */
static bool is_stretch(const wpa_similarity_kin *kin, size_t first_step,
                       const wpa_similarity_job *other, size_t first_of_other, double least)
{
    for (size_t i = 0; i < WPA_SIMILARITY_STRETCH; i++) {
        if (alike_to(&kin->steps[first_step + i], other->shapes[first_of_other + i]) < least) {
            return false;
        }
    }
    return true;
}

/* Which of the steps of the stretch the fewest others have; SIZE_MAX: one of them nobody has. */
static size_t rarest_step(wpa_similarity_kin *kin, size_t first_step)
{
    size_t rarest = first_step;
    for (size_t i = first_step; i < first_step + WPA_SIMILARITY_STRETCH; i++) {
        const step_kin *k = know(kin, i);
        if (!k->is_elsewhere) {
            return SIZE_MAX;
        }
        rarest = k->n_places < kin->steps[rarest].n_places ? i : rarest;
    }
    return rarest;
}

size_t wpa_similarity_kin_stretches(wpa_similarity_kin *kin, size_t first_step, double least,
                                    wpa_similarity_member members[FOUND_MAX])
{
    const wpa_similarity_index *index = kin->index;
    size_t rarest = index->n_steps ? rarest_step(kin, first_step) : SIZE_MAX, n = 0, n_seen = 0;
    if (rarest == SIZE_MAX) {
        return 0;
    }
    place found[FOUND_MAX];
    uint32_t before = (uint32_t)(rarest - first_step);
    for (size_t i = 0; i < kin->steps[rarest].n_likes; i++) {
        const shape *s = &index->shapes[kin->steps[rarest].likes[i].shape];
        for (size_t k = 0; k < s->n_places && n < FOUND_MAX && n_seen++ < PLACES_MAX; k++) {
            place p = index->places[s->first_place + k];
            const wpa_similarity_job *other = index->jobs[p.member].job;
            bool fits = p.member != kin->own && p.step >= before &&
                        p.step - before + WPA_SIMILARITY_STRETCH <= other->n_steps;
            if (fits && is_stretch(kin, first_step, other, p.step - before, least)) {
                found[n++] = (place){p.member, p.step - before};
            }
        }
    }
    return show(index, found, n, members);
}

/* ---- whole jobs ---- */

/*
 * The share of its weight that a job may have in steps which one that is alike to it lacks: of both
 * together 1 - least, and the other one may weigh so much more as its steps differ.
 */
static double spare_share(double least)
{
    return (1 - least) * (1 + 1 / WPA_SIMILARITY_ALIGNED) / least;
}

static size_t heaviest(const wpa_similarity_job *job, const bool is_taken[])
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < job->n_steps; i++) {
        if (!is_taken[i] && (best == SIZE_MAX || job->steps[i].weight > job->steps[best].weight)) {
            best = i;
        }
    }
    return best;
}

/* Jobs that have the step, or one like it, beside those that were found before: seen has a bit for
 * each job of the index. */
static size_t add_owners(wpa_similarity_kin *kin, size_t step, uint64_t *seen,
                         place found[FOUND_MAX], size_t n)
{
    const wpa_similarity_index *index = kin->index;
    const step_kin *of_step = know(kin, step);
    size_t n_seen = 0;
    for (size_t i = 0; i < of_step->n_likes; i++) {
        const shape *s = &index->shapes[of_step->likes[i].shape];
        for (size_t k = 0; k < s->n_places && n < FOUND_MAX && n_seen++ < PLACES_MAX; k++) {
            uint32_t member = index->places[s->first_place + k].member;
            uint64_t bit = UINT64_C(1) << member % 64;
            if (member != kin->own && !(seen[member / 64] & bit)) {
                found[n++] = (place){member, 0};
                seen[member / 64] |= bit;
            }
        }
    }
    return n;
}

size_t wpa_similarity_kin_jobs(wpa_similarity_kin *kin, double least,
                               wpa_similarity_member members[FOUND_MAX])
{
    const wpa_similarity_job *job = kin->job;
    place found[FOUND_MAX];
    bool is_taken[WPA_SIMILARITY_STEPS_MAX] = {false};
    double spare = spare_share(least) * job->weight, covered = 0;
    size_t n = 0;
    uint64_t *seen = wpa_arena_array(kin->arena, kin->index->n_jobs / 64 + 1, sizeof *seen);
    for (size_t i = 0; i < job->n_steps && kin->index->n_steps && covered <= spare; i++) {
        size_t step = heaviest(job, is_taken);
        is_taken[step] = true;
        covered += job->steps[step].weight;
        n = add_owners(kin, step, seen, found, n);
    }
    return show(kin->index, found, n, members);
}

/* ---- how alike they are ---- */

static partners *partners_of(const wpa_similarity_kin *kin, uint32_t number)
{
    size_t mask = ((size_t)1 << kin->partner_bits) - 1, at = number & mask;
    while (kin->partners[at].steps && kin->partners[at].shape != number) {
        at = (at + 1) & mask;
    }
    return &kin->partners[at];
}

/* Turned around: what each shape can be aligned with. */
static void list_partners(wpa_similarity_kin *kin)
{
    size_t n = 0;
    for (size_t i = 0; i < kin->job->n_steps; i++) {
        n += know(kin, i)->n_likes;
    }
    while ((size_t)1 << kin->partner_bits <= 2 * n) {
        kin->partner_bits++;
    }
    kin->partners =
        wpa_arena_array(kin->arena, (size_t)1 << kin->partner_bits, sizeof *kin->partners);
    for (size_t i = 0; i < kin->job->n_steps; i++) {
        const step_kin *k = &kin->steps[i];
        for (size_t m = 0; m < k->n_likes; m++) {
            if (k->likes[m].alike >= WPA_SIMILARITY_ALIGNED) {
                partners *p = partners_of(kin, k->likes[m].shape);
                p->shape = k->likes[m].shape;
                p->steps |= UINT64_C(1) << i;
            }
        }
    }
}

/* Is enough of both jobs in steps that have a partner in the other one? */
static bool can_be_alike(const wpa_similarity_kin *kin, const wpa_similarity_job *other,
                         double least, uint64_t steps[WPA_SIMILARITY_STEPS_MAX])
{
    const wpa_similarity_job *job = kin->job;
    unsigned possible = 0;
    uint64_t have_partners = 0;
    for (size_t k = 0; k < other->n_steps; k++) {
        steps[k] = partners_of(kin, other->shapes[k])->steps;
        have_partners |= steps[k];
        possible += steps[k] ? other->steps[k].weight : 0;
    }
    for (size_t i = 0; i < job->n_steps; i++) {
        possible += have_partners >> i & 1 ? job->steps[i].weight : 0;
    }
    return possible >= least * (job->weight + other->weight);
}

/* How many steps both begin with that are equal. */
static size_t count_equal(const wpa_similarity_kin *kin, const wpa_similarity_job *other)
{
    const wpa_similarity_job *job = kin->job;
    size_t n = 0;
    while (kin->own != WPA_SIMILARITY_NONE && n < job->n_steps && n < other->n_steps &&
           job->shapes[n] == other->shapes[n]) {
        n++;
    }
    return n;
}

static double find_out(wpa_similarity_kin *kin, const wpa_similarity_job *other, double least)
{
    const wpa_similarity_job *job = kin->job;
    uint64_t steps[WPA_SIMILARITY_STEPS_MAX];
    size_t n_equal = count_equal(kin, other);
    if (n_equal == job->n_steps && n_equal == other->n_steps && job->weight) {
        return 1;
    }
    if (!kin->partners) {
        list_partners(kin);
    }
    if (!kin->are_all) {
        return wpa_similarity_of_jobs(job, other, least);
    }
    if (!can_be_alike(kin, other, least, steps)) {
        return 0;
    }
    wpa_similarity_matrix alike;
    for (size_t i = n_equal; i < job->n_steps; i++) {
        for (size_t k = n_equal; k < other->n_steps; k++) {
            bool is_partner = steps[k] >> i & 1;
            alike[i][k] = is_partner ? alike_to(&kin->steps[i], other->shapes[k]) : 0;
        }
    }
    return wpa_similarity_align(job, other, n_equal, alike, least);
}

double wpa_similarity_kin_alike(wpa_similarity_kin *kin, const wpa_similarity_job *other,
                                double least)
{
    for (size_t i = 0; i < kin->n_answers; i++) {
        if (kin->answers[i].other == other && kin->answers[i].least == least) {
            return kin->answers[i].alike;
        }
    }
    double alike = find_out(kin, other, least);
    if (!kin->answers) {
        kin->answers = wpa_arena_array(kin->arena, FOUND_MAX, sizeof *kin->answers);
    }
    if (kin->n_answers < FOUND_MAX) {
        kin->answers[kin->n_answers++] = (answer){other, least, alike};
    }
    return alike;
}
