/* MinHash: of sets that overlap, the least of many hashes are the same by the share that they have
 * in common. Four of them in a row are a mark. */
#include <string.h>

#include "rules/similarity_internal.h"

#define MARK_ROWS 4
/* With 4 marks stretches from 0.85 on nearly always share one. */
#define WHOLE_MARKS 8
#define STRETCH_MARKS 4
#define ROWS (WHOLE_MARKS * MARK_ROWS)
/* Of more features those of the least hashes stand for all: the same ones in steps that are alike.
 */
#define SKETCHED_MAX 64

/* The hash functions: the upper half of a * x + b, a in two halves so that all multiplications are
   of 32 bits. */
typedef struct row_hashes {
    uint32_t low[ROWS], high[ROWS];
    uint64_t add[ROWS];
} row_hashes;

static void make_hashes(row_hashes *hashes)
{
    for (size_t row = 0; row < ROWS; row++) {
        uint64_t a = wpa_similarity_mix(row) | 1;
        hashes->low[row] = (uint32_t)a;
        hashes->high[row] = (uint32_t)(a >> 32);
        hashes->add[row] = wpa_similarity_mix(row ^ UINT64_C(0xabcdef));
    }
}

/* The least hash of each row over the features of a step: row by row within, which compilers make
   vectors of. */
static void sketch(const row_hashes *hashes, const wpa_similarity_step *step, uint32_t rows[ROWS])
{
    size_t n = step->n_features < SKETCHED_MAX ? step->n_features : SKETCHED_MAX;
    memset(rows, 0xff, ROWS * sizeof *rows);
    for (size_t k = 0; k < n; k++) {
        uint32_t x = step->features[k];
        for (size_t row = 0; row < ROWS; row++) {
            uint64_t low = (uint64_t)hashes->low[row] * x + hashes->add[row];
            uint32_t hash = (uint32_t)(low >> 32) + hashes->high[row] * x;
            rows[row] = hash < rows[row] ? hash : rows[row];
        }
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

static uint32_t mark_of(uint32_t rows[][ROWS], size_t n_steps, uint32_t mark, bool is_whole)
{
    uint64_t hash = mark + (is_whole ? 0U : 1000U);
    for (uint32_t row = 0; row < MARK_ROWS; row++) {
        hash = wpa_similarity_mix(hash ^ least_of(rows, n_steps, (size_t)mark * MARK_ROWS + row));
    }
    return (uint32_t)(hash >> 32);
}

static bool does_work(const wpa_similarity_job *job, size_t first, size_t n)
{
    size_t n_real = 0;
    for (size_t i = first; i < first + n; i++) {
        n_real += !job->steps[i].is_setup;
    }
    return n_real >= 2;
}

size_t wpa_similarity_marks(const wpa_similarity_job *job, uint32_t marks[WPA_SIMILARITY_MARKS_MAX])
{
    row_hashes hashes;
    uint32_t rows[WPA_SIMILARITY_STEPS_MAX][ROWS];
    size_t n = 0;
    if (job->n_real < 2) {
        return 0;
    }
    make_hashes(&hashes);
    for (size_t i = 0; i < job->n_steps; i++) {
        sketch(&hashes, &job->steps[i], rows[i]);
    }
    for (uint32_t i = 0; i < WHOLE_MARKS; i++) {
        marks[n++] = mark_of(rows, job->n_steps, i, true);
    }
    for (size_t i = 0; i + WPA_SIMILARITY_STRETCH <= job->n_steps; i++) {
        bool is_real = does_work(job, i, WPA_SIMILARITY_STRETCH);
        for (uint32_t k = 0; k < STRETCH_MARKS && is_real; k++) {
            marks[n++] = mark_of(rows + i, WPA_SIMILARITY_STRETCH, k, false);
        }
    }
    return n;
}
