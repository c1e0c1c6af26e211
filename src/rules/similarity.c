#include "rules/similarity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "rules/work.h"

#define ALIGNED_MIN 0.8
#define FEATURES_MAX 4096
#define BAND_ROWS 4
#define WHOLE_JOB UINT32_MAX

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint32_t hash_of(const char *text, size_t length, uint64_t seed)
{
    uint64_t hash = mix(seed);
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint64_t)(unsigned char)tolower((unsigned char)text[i])) *
               UINT64_C(0x100000001b3);
    }
    return (uint32_t)(mix(hash) >> 32);
}

/* ---- reading ---- */

typedef struct features {
    uint32_t *items;
    size_t n;
} features;

static void add(features *f, uint32_t feature)
{
    if (f->n < FEATURES_MAX) {
        f->items[f->n++] = feature;
    }
}

static int compare_features(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == '/' || c == '$';
}

/* The 3-grams of the script's words, so that order counts within a line or so. */
static uint32_t add_script(features *f, const char *text, size_t length)
{
    uint32_t before[2] = {0, 0}, n_words = 0;
    for (size_t i = 0; i < length;) {
        if (!is_word_char(text[i])) {
            i++;
            continue;
        }
        size_t start = i;
        while (i < length && is_word_char(text[i])) {
            i++;
        }
        uint32_t word = hash_of(text + start, i - start, 1);
        add(f, (uint32_t)mix(((uint64_t)before[0] << 32 | before[1]) ^ mix(word)));
        before[0] = before[1];
        before[1] = word;
        n_words++;
    }
    return n_words;
}

static uint32_t add_inputs(features *f, const wpa_yaml_node *with)
{
    for (size_t i = 0; with && i < with->n_pairs; i++) {
        wpa_slice key = wpa_work_text(with->pairs[i].key);
        wpa_slice value = wpa_work_text(with->pairs[i].value);
        uint32_t name = hash_of(key.at, key.length, 2);
        add(f, name); /* twice what the value counts: that may become an input */
        add(f, ~name);
        add(f, hash_of(value.at, value.length, name));
    }
    return with ? (uint32_t)with->n_pairs : 0;
}

static wpa_similarity_step read_step(const wpa_outline_step *step, features *scratch,
                                     wpa_arena *arena)
{
    wpa_similarity_step s = {.is_setup = wpa_work_is_setup(step)};
    scratch->n = 0;
    if (step->run) {
        s.weight = 1 + add_script(scratch, step->run->text, step->run->length);
    } else if (step->uses.node) {
        wpa_slice text = wpa_slice_of(wpa_yaml_text(step->uses.node) ? step->uses.node->text : "");
        bool is_known = step->uses.kind == WPA_OUTLINE_REPOSITORY;
        wpa_slice slug = is_known ? step->uses.slug : text;
        int major = is_known ? wpa_outline_major(&step->uses) : 0;
        s.kind = hash_of(slug.at, slug.length, 3 + (uint64_t)(unsigned)major) | 1;
        s.weight = 2 + 2 * add_inputs(scratch, step->with);
        add(scratch, s.kind);
    }
    qsort(scratch->items, scratch->n, sizeof *scratch->items, compare_features);
    size_t n = 0;
    for (size_t i = 0; i < scratch->n; i++) {
        if (n == 0 || scratch->items[n - 1] != scratch->items[i]) {
            scratch->items[n++] = scratch->items[i];
        }
    }
    s.n_features = (uint32_t)n;
    s.features = n ? wpa_arena_dup(arena, scratch->items, n * sizeof *scratch->items) : NULL;
    return s;
}

/* ---- bands ---- */

#define ROWS (WPA_SIMILARITY_BANDS * BAND_ROWS)

/* The least hash of each row over the features of a step. */
static void sketch(const wpa_similarity_step *step, uint32_t rows[], size_t n_rows)
{
    for (size_t row = 0; row < n_rows; row++) {
        uint64_t a = mix(row) | 1, b = mix(row ^ UINT64_C(0xabcdef));
        uint32_t least = UINT32_MAX;
        for (size_t k = 0; k < step->n_features; k++) {
            uint32_t hash = (uint32_t)((a * step->features[k] + b) >> 32);
            least = hash < least ? hash : least;
        }
        rows[row] = least;
    }
}

static uint32_t least_of(uint32_t rows[][ROWS], size_t n_steps, size_t row)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < n_steps; i++) {
        least = rows[i][row] < least ? rows[i][row] : least;
    }
    return least;
}

static uint32_t band_of(uint32_t rows[][ROWS], size_t n_steps, uint32_t band_index, bool is_whole)
{
    uint64_t hash = band_index + (is_whole ? 0U : 1000U);
    for (uint32_t row = 0; row < BAND_ROWS; row++) {
        hash = mix(hash ^ least_of(rows, n_steps, (size_t)band_index * BAND_ROWS + row));
    }
    return (uint32_t)(hash >> 32);
}

static size_t count_stretches(const wpa_similarity_job *job)
{
    return job->n_steps < WPA_SIMILARITY_STRETCH ? 0 : job->n_steps - WPA_SIMILARITY_STRETCH + 1;
}

/* Each step is hashed once, for the whole and for the stretches that it is part of. */
static const uint32_t *read_bands(const wpa_similarity_job *job, wpa_arena *arena)
{
    uint32_t rows[WPA_SIMILARITY_STEPS_MAX][ROWS];
    size_t n_stretches = count_stretches(job), n = 0;
    uint32_t *bands = wpa_arena_array(
        arena, WPA_SIMILARITY_BANDS + n_stretches * WPA_SIMILARITY_STRETCH_BANDS, sizeof *bands);
    for (size_t i = 0; i < job->n_steps; i++) {
        sketch(&job->steps[i], rows[i], ROWS);
    }
    for (uint32_t k = 0; k < WPA_SIMILARITY_BANDS; k++) {
        bands[n++] = band_of(rows, job->n_steps, k, true);
    }
    for (size_t i = 0; i < n_stretches; i++) {
        for (uint32_t k = 0; k < WPA_SIMILARITY_STRETCH_BANDS; k++) {
            bands[n++] = band_of(rows + i, WPA_SIMILARITY_STRETCH, k, false);
        }
    }
    return bands;
}

const wpa_similarity_job *wpa_similarity_read(const wpa_outline_job *job, wpa_arena *arena)
{
    if (job->is_call || job->n_steps == 0 || job->n_steps > WPA_SIMILARITY_STEPS_MAX) {
        return NULL;
    }
    uint32_t items[FEATURES_MAX];
    features scratch = {items, 0};
    wpa_similarity_step *steps = wpa_arena_array(arena, job->n_steps, sizeof *steps);
    wpa_similarity_job *s = wpa_arena_alloc(arena, sizeof *s);
    s->steps = steps;
    s->n_steps = job->n_steps;
    for (size_t i = 0; i < job->n_steps; i++) {
        steps[i] = read_step(&job->steps[i], &scratch, arena);
        s->weight += steps[i].weight;
        s->n_real += !steps[i].is_setup;
    }
    s->bands = read_bands(s, arena);
    return s;
}

/* ---- comparing ---- */

double wpa_similarity_of_steps(const wpa_similarity_step *a, const wpa_similarity_step *b)
{
    size_t i = 0, k = 0, n_both = 0;
    if (a->kind != b->kind) {
        return 0;
    }
    while (i < a->n_features && k < b->n_features) {
        if (a->features[i] == b->features[k]) {
            n_both++;
            i++;
            k++;
        } else if (a->features[i] < b->features[k]) {
            i++;
        } else {
            k++;
        }
    }
    size_t n_all = a->n_features + b->n_features - n_both;
    return n_all ? (double)n_both / (double)n_all : 1;
}

/* Sets of such different sizes cannot overlap enough, whatever is in them. */
static bool can_be_aligned(const wpa_similarity_step *a, const wpa_similarity_step *b)
{
    uint32_t least = a->n_features < b->n_features ? a->n_features : b->n_features;
    uint32_t most = a->n_features < b->n_features ? b->n_features : a->n_features;
    return a->kind == b->kind && least >= ALIGNED_MIN * most;
}

/* Longest common subsequence, in which a pair counts by how alike and how large it is. */
double wpa_similarity_of_jobs(const wpa_similarity_job *a, const wpa_similarity_job *b)
{
    double best[2][WPA_SIMILARITY_STEPS_MAX + 1] = {{0}};
    for (size_t i = 0; i < a->n_steps; i++) {
        double *now = best[(i + 1) % 2];
        const double *before = best[i % 2];
        now[0] = 0;
        for (size_t k = 0; k < b->n_steps; k++) {
            const wpa_similarity_step *x = &a->steps[i], *y = &b->steps[k];
            double alike = can_be_aligned(x, y) ? wpa_similarity_of_steps(x, y) : 0;
            double gain = alike * (a->steps[i].weight + b->steps[k].weight);
            double with = alike >= ALIGNED_MIN ? before[k] + gain : 0;
            double without = before[k + 1] > now[k] ? before[k + 1] : now[k];
            now[k + 1] = with > without ? with : without;
        }
    }
    unsigned total = a->weight + b->weight;
    return total ? best[a->n_steps % 2][b->n_steps] / total : 0;
}

/* ---- the index ---- */

/* A band of a member: equal ones may be alike. */
typedef struct band {
    uint32_t hash;
    uint32_t member;
} band;

struct wpa_similarity_index {
    wpa_arena *arena;
    wpa_similarity_member *members;
    size_t n_members, members_capacity;
    band *bands;
    size_t n_bands, bands_capacity;
};

wpa_similarity_index *wpa_similarity_index_new(wpa_arena *arena)
{
    wpa_similarity_index *index = wpa_arena_alloc(arena, sizeof *index);
    index->arena = arena;
    return index;
}

static void add_member(wpa_similarity_index *index, const uint32_t *bands, size_t n,
                       wpa_similarity_member member)
{
    index->members = wpa_arena_grow(index->arena, index->members, index->n_members,
                                    &index->members_capacity, sizeof *index->members);
    index->members[index->n_members] = member;
    for (size_t i = 0; i < n; i++) {
        index->bands = wpa_arena_grow(index->arena, index->bands, index->n_bands,
                                      &index->bands_capacity, sizeof *index->bands);
        index->bands[index->n_bands++] = (band){bands[i], (uint32_t)index->n_members};
    }
    index->n_members++;
}

static const uint32_t *stretch_bands(const wpa_similarity_job *job, size_t first_step)
{
    return job->bands + WPA_SIMILARITY_BANDS + first_step * WPA_SIMILARITY_STRETCH_BANDS;
}

void wpa_similarity_index_add(wpa_similarity_index *index, const wpa_similarity_job *job,
                              const void *owner, size_t job_index)
{
    wpa_similarity_member member = {owner, (uint32_t)job_index, WHOLE_JOB};
    add_member(index, job->bands, WPA_SIMILARITY_BANDS, member);
    for (size_t i = 0; i < count_stretches(job); i++) {
        member.first_step = (uint32_t)i;
        add_member(index, stretch_bands(job, i), WPA_SIMILARITY_STRETCH_BANDS, member);
    }
}

static int compare_bands(const void *a, const void *b)
{
    const band *x = a, *y = b;
    int by_hash = (x->hash > y->hash) - (x->hash < y->hash);
    return by_hash ? by_hash : (x->member > y->member) - (x->member < y->member);
}

void wpa_similarity_index_close(wpa_similarity_index *index)
{
    if (index->n_bands) {
        qsort(index->bands, index->n_bands, sizeof *index->bands, compare_bands);
    }
}

static size_t lower_bound(const wpa_similarity_index *index, uint32_t hash)
{
    size_t low = 0, high = index->n_bands;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (index->bands[middle].hash < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool has_member(const wpa_similarity_member members[], size_t n,
                       const wpa_similarity_member *member)
{
    for (size_t i = 0; i < n; i++) {
        if (members[i].owner == member->owner && members[i].job == member->job &&
            members[i].first_step == member->first_step) {
            return true;
        }
    }
    return false;
}

size_t wpa_similarity_index_find(const wpa_similarity_index *index, const wpa_similarity_job *job,
                                 uint32_t first_step, wpa_similarity_member members[], size_t max)
{
    bool is_whole = first_step == WHOLE_JOB;
    uint32_t n_bands = is_whole ? WPA_SIMILARITY_BANDS : WPA_SIMILARITY_STRETCH_BANDS;
    const uint32_t *bands = is_whole ? job->bands : stretch_bands(job, first_step);
    size_t n = 0;
    for (uint32_t i = 0; i < n_bands; i++) {
        uint32_t hash = bands[i];
        for (size_t at = lower_bound(index, hash);
             at < index->n_bands && index->bands[at].hash == hash && n < max; at++) {
            const wpa_similarity_member *member = &index->members[index->bands[at].member];
            bool is_fit = (member->first_step == WHOLE_JOB) == is_whole;
            if (is_fit && !has_member(members, n, member)) {
                members[n++] = *member;
            }
        }
    }
    return n;
}
