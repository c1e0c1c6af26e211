#include "rules/similarity.h"

#include <string.h>

#include "rules/work.h"

#define ALIGNED_MIN 0.8
#define FEATURES_MAX 4096
#define BAND_ROWS 4
#define ROWS (WPA_SIMILARITY_BANDS * BAND_ROWS)
/* Of more features those of the least hashes stand for all: the same ones in steps that are alike.
 */
#define SKETCHED_MAX 64
#define WHOLE_JOB UINT32_MAX
#define MEMO_STEPS 512
#define RUNS_SEEN_MAX 128 /* of a file that has more it is taken for granted */

/* The same function for processors that take more numbers at a time, chosen as the program starts.
 */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) &&                            \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WPA_VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define WPA_VECTORS
#endif

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t take_in(uint64_t hash, char c)
{
    unsigned char folded = (unsigned char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
    return (hash ^ folded) * UINT64_C(0x100000001b3);
}

static uint32_t hash_of(const char *text, size_t length, uint64_t seed)
{
    uint64_t hash = mix(seed);
    for (size_t i = 0; i < length; i++) {
        hash = take_in(hash, text[i]);
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

#define RADIX 256
#define FEW 32

/* Ascending: a few by insertion, more by their bytes. */
static void sort_features(uint32_t *items, size_t n)
{
    uint32_t other[FEATURES_MAX], *from = items, *to = other;
    for (size_t i = 1; i < n && n <= FEW; i++) {
        uint32_t item = items[i];
        size_t k = i;
        for (; k > 0 && items[k - 1] > item; k--) {
            items[k] = items[k - 1];
        }
        items[k] = item;
    }
    for (unsigned shift = 0; shift < 32 && n > FEW; shift += 8) {
        uint32_t starts[RADIX] = {0}, at = 0;
        for (size_t i = 0; i < n; i++) {
            starts[from[i] >> shift & (RADIX - 1)]++;
        }
        for (size_t i = 0; i < RADIX; i++) {
            uint32_t count = starts[i];
            starts[i] = at;
            at += count;
        }
        for (size_t i = 0; i < n; i++) {
            to[starts[from[i] >> shift & (RADIX - 1)]++] = from[i];
        }
        uint32_t *done = to;
        to = from;
        from = done;
    }
}

/* Letters, digits and "_-./$". */
static const bool is_word_char[256] = {
    ['$'] = true, ['-'] = true, ['.'] = true, ['/'] = true, ['0'] = true, ['1'] = true,
    ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true, ['7'] = true,
    ['8'] = true, ['9'] = true, ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true,
    ['E'] = true, ['F'] = true, ['G'] = true, ['H'] = true, ['I'] = true, ['J'] = true,
    ['K'] = true, ['L'] = true, ['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true,
    ['Q'] = true, ['R'] = true, ['S'] = true, ['T'] = true, ['U'] = true, ['V'] = true,
    ['W'] = true, ['X'] = true, ['Y'] = true, ['Z'] = true, ['_'] = true, ['a'] = true,
    ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true, ['g'] = true,
    ['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true, ['l'] = true, ['m'] = true,
    ['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true, ['s'] = true,
    ['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true, ['x'] = true, ['y'] = true,
    ['z'] = true,
};

/* The 3-grams of the script's words, so that order counts within a line or so. */
static uint32_t add_script(features *f, const char *text, size_t length)
{
    const uint64_t seed = mix(1);
    uint32_t before[2] = {0, 0}, n_words = 0;
    for (size_t i = 0; i < length;) {
        if (!is_word_char[(unsigned char)text[i]]) {
            i++;
            continue;
        }
        uint64_t hash = seed;
        while (i < length && is_word_char[(unsigned char)text[i]]) {
            hash = take_in(hash, text[i++]);
        }
        uint32_t word = (uint32_t)(mix(hash) >> 32);
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

/* What the step is; 0: a script. */
static uint32_t kind_of(const wpa_outline_step *step)
{
    if (step->run || !step->uses.node) {
        return 0;
    }
    wpa_slice text = wpa_slice_of(wpa_yaml_text(step->uses.node) ? step->uses.node->text : "");
    bool is_known = step->uses.kind == WPA_OUTLINE_REPOSITORY;
    wpa_slice slug = is_known ? step->uses.slug : text;
    int major = is_known ? wpa_outline_major(&step->uses) : 0;
    return hash_of(slug.at, slug.length, 3 + (uint64_t)(unsigned)major) | 1;
}

static wpa_similarity_step read_step(const wpa_outline_step *step, features *scratch,
                                     wpa_arena *arena)
{
    wpa_similarity_step s = {.kind = kind_of(step), .is_setup = wpa_work_is_setup(step)};
    scratch->n = 0;
    if (step->run) {
        s.weight = 1 + add_script(scratch, step->run->text, step->run->length);
    } else if (step->uses.node) {
        s.weight = 2 + 2 * add_inputs(scratch, step->with);
        add(scratch, s.kind);
    }
    sort_features(scratch->items, scratch->n);
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

/* The hash functions: the upper half of a * x + b, a in two halves so that all multiplications are
   of 32 bits. */
typedef struct row_hashes {
    uint32_t low[ROWS], high[ROWS];
    uint64_t add[ROWS];
} row_hashes;

static void make_hashes(row_hashes *hashes)
{
    for (size_t row = 0; row < ROWS; row++) {
        uint64_t a = mix(row) | 1;
        hashes->low[row] = (uint32_t)a;
        hashes->high[row] = (uint32_t)(a >> 32);
        hashes->add[row] = mix(row ^ UINT64_C(0xabcdef));
    }
}

/* The least hash of each row over the features of a step: row by row within, which compilers make
   vectors of. */
WPA_VECTORS static void sketch(const row_hashes *hashes, const wpa_similarity_step *step,
                               uint32_t rows[], size_t n_rows)
{
    size_t n = step->n_features < SKETCHED_MAX ? step->n_features : SKETCHED_MAX;
    memset(rows, 0xff, n_rows * sizeof *rows);
    for (size_t k = 0; k < n; k++) {
        uint32_t x = step->features[k];
        for (size_t row = 0; row < n_rows; row++) {
            uint64_t low = (uint64_t)hashes->low[row] * x + hashes->add[row];
            uint32_t hash = (uint32_t)(low >> 32) + hashes->high[row] * x;
            rows[row] = hash < rows[row] ? hash : rows[row];
        }
    }
}

/* Sketches that were made: the same steps stand in many jobs of a repository. */
typedef struct sketched_step {
    const uint32_t *features; /* [n_features], sorted */
    size_t n_features;
    uint32_t rows[ROWS];
} sketched_step;

struct wpa_similarity_memo {
    wpa_arena *arena;
    row_hashes hashes;
    size_t n_rows;                    /* ROWS, or those of stretches alone */
    sketched_step *steps[MEMO_STEPS]; /* by a hash of the features; the last one of each hash */
};

wpa_similarity_memo *wpa_similarity_memo_new(bool has_wholes, wpa_arena *arena)
{
    wpa_similarity_memo *memo = wpa_arena_alloc(arena, sizeof *memo);
    memo->n_rows = has_wholes ? ROWS : (size_t)WPA_SIMILARITY_STRETCH_BANDS * BAND_ROWS;
    memo->arena = arena;
    make_hashes(&memo->hashes);
    return memo;
}

/* The sketch of the step, until the next question. */
static const uint32_t *sketched(wpa_similarity_memo *memo, const wpa_similarity_step *step)
{
    size_t n = step->n_features, last = n ? step->features[n - 1] : 0;
    uint64_t key = mix((n ? (uint64_t)step->features[0] << 32 | step->features[n / 2] : 0) ^ last);
    sketched_step **slot = &memo->steps[key % MEMO_STEPS], *s = *slot;
    if (s && s->n_features == n &&
        (n == 0 || memcmp(s->features, step->features, n * sizeof *step->features) == 0)) {
        return s->rows;
    }
    if (!s) {
        s = *slot = wpa_arena_alloc(memo->arena, sizeof *s);
    }
    s->features = step->features;
    s->n_features = n;
    sketch(&memo->hashes, step, s->rows, memo->n_rows);
    return s->rows;
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
static const uint32_t *read_bands(const wpa_similarity_job *job, wpa_similarity_memo *memo,
                                  wpa_arena *arena)
{
    uint32_t rows[WPA_SIMILARITY_STEPS_MAX][ROWS];
    size_t n_stretches = count_stretches(job), n = 0;
    uint32_t *bands = wpa_arena_array(
        arena, WPA_SIMILARITY_BANDS + n_stretches * WPA_SIMILARITY_STRETCH_BANDS, sizeof *bands);
    for (size_t i = 0; i < job->n_steps; i++) {
        memcpy(rows[i], sketched(memo, &job->steps[i]), memo->n_rows * sizeof rows[i][0]);
    }
    for (uint32_t k = 0; k < WPA_SIMILARITY_BANDS; k++) {
        bands[n++] = job->has_whole ? band_of(rows, job->n_steps, k, true) : 0;
    }
    for (size_t i = 0; i < n_stretches; i++) {
        for (uint32_t k = 0; k < WPA_SIMILARITY_STRETCH_BANDS; k++) {
            bands[n++] = band_of(rows + i, WPA_SIMILARITY_STRETCH, k, false);
        }
    }
    return bands;
}

wpa_similarity_job *wpa_similarity_read(const wpa_outline_job *job, wpa_similarity_memo *memo,
                                        wpa_arena *arena)
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
    s->has_whole = memo->n_rows == ROWS;
    for (size_t i = 0; i < job->n_steps; i++) {
        steps[i] = read_step(&job->steps[i], &scratch, arena);
        s->weight += steps[i].weight;
        s->n_real += !steps[i].is_setup;
    }
    s->bands = read_bands(s, memo, arena);
    return s;
}

/* ---- asking before reading ---- */

/* Runs of three steps, by what they are: which job had one first. */
typedef struct kind_runs {
    uint64_t hashes[RUNS_SEEN_MAX * 2]; /* 0: free */
    const wpa_outline_job *jobs[RUNS_SEEN_MAX * 2];
    size_t n;
} kind_runs;

/* Has another job such a run? */
static bool is_elsewhere(kind_runs *runs, uint64_t hash, const wpa_outline_job *job)
{
    size_t at = hash % WPA_COUNT(runs->hashes);
    while (runs->hashes[at] && runs->hashes[at] != hash) {
        at = (at + 1) % WPA_COUNT(runs->hashes);
    }
    if (runs->hashes[at]) {
        return runs->jobs[at] != job;
    }
    runs->hashes[at] = hash;
    runs->jobs[at] = job;
    runs->n++;
    return false;
}

static bool repeats_run(kind_runs *runs, const wpa_outline_job *job)
{
    uint64_t run[WPA_SIMILARITY_STRETCH] = {0};
    for (size_t i = 0; !job->is_call && i < job->n_steps; i++) {
        run[i % WPA_SIMILARITY_STRETCH] = kind_of(&job->steps[i]);
        if (i + 1 < WPA_SIMILARITY_STRETCH) {
            continue;
        }
        uint64_t hash = 0;
        for (size_t k = 1; k <= WPA_SIMILARITY_STRETCH; k++) {
            hash = mix(hash ^ run[(i + k) % WPA_SIMILARITY_STRETCH]);
        }
        if (runs->n == RUNS_SEEN_MAX || is_elsewhere(runs, hash | 1, job)) {
            return true;
        }
    }
    return false;
}

bool wpa_similarity_may_repeat(const wpa_outline *o)
{
    kind_runs runs = {.n = 0};
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (repeats_run(&runs, &o->jobs[i])) {
            return true;
        }
    }
    return false;
}

/* ---- comparing ---- */

/* Sets of such different sizes cannot overlap enough, whatever is in them. */
static bool can_be_alike(const wpa_similarity_step *a, const wpa_similarity_step *b, double least)
{
    uint32_t fewer = a->n_features < b->n_features ? a->n_features : b->n_features;
    uint32_t more = a->n_features < b->n_features ? b->n_features : a->n_features;
    return a->kind == b->kind && fewer >= least * more;
}

double wpa_similarity_of_steps(const wpa_similarity_step *a, const wpa_similarity_step *b,
                               double least)
{
    size_t n_a = a->n_features, n_b = b->n_features, i = 0, k = 0, n_both = 0;
    if (!can_be_alike(a, b, least)) {
        return 0;
    }
    size_t wanted = (size_t)(least / (1 + least) * (double)(n_a + n_b)); /* that both must have */
    if (n_a == n_b &&
        (n_a == 0 || memcmp(a->features, b->features, n_a * sizeof *a->features) == 0)) {
        return 1;
    }
    size_t spare_a = n_a - wanted, spare_b = n_b - wanted; /* may be missing in the other */
    while (i < n_a && k < n_b) {
        uint32_t x = a->features[i], y = b->features[k];
        if ((x < y && spare_a-- == 0) || (y < x && spare_b-- == 0)) {
            return 0;
        }
        n_both += x == y;
        i += x <= y;
        k += y <= x;
    }
    double alike = (double)n_both / (double)(n_a + n_b - n_both);
    return alike >= least ? alike : 0;
}

/* Longest common subsequence, in which a pair counts by how alike and how large it is. */
double wpa_similarity_of_jobs(const wpa_similarity_job *a, const wpa_similarity_job *b,
                              double least)
{
    double best[2][WPA_SIMILARITY_STEPS_MAX + 1] = {{0}};
    unsigned total = a->weight + b->weight, possible = total; /* less what has no partner */
    for (size_t i = 0; i < a->n_steps && possible >= least * total; i++) {
        bool has_partner = false;
        double *now = best[(i + 1) % 2];
        const double *before = best[i % 2];
        now[0] = 0;
        for (size_t k = 0; k < b->n_steps; k++) {
            const wpa_similarity_step *x = &a->steps[i], *y = &b->steps[k];
            bool can_be = can_be_alike(x, y, ALIGNED_MIN);
            double alike = can_be ? wpa_similarity_of_steps(x, y, ALIGNED_MIN) : 0;
            has_partner = has_partner || alike > 0;
            double with = alike > 0 ? before[k] + alike * (x->weight + y->weight) : 0;
            double without = before[k + 1] > now[k] ? before[k + 1] : now[k];
            now[k + 1] = with > without ? with : without;
        }
        possible -= has_partner ? 0 : a->steps[i].weight;
    }
    double alike = total ? best[a->n_steps % 2][b->n_steps] / total : 0;
    return possible >= least * total && alike >= least ? alike : 0;
}

/* ---- the index ---- */

/* A band of a member: equal ones may be alike. */
typedef struct band {
    uint32_t hash;
    uint32_t member;
} band;

typedef struct added_job {
    const wpa_similarity_job *job;
    const void *owner;
    size_t job_index;
} added_job;

struct wpa_similarity_index {
    wpa_arena *arena;
    added_job *jobs; /* in the order in which they were added */
    size_t n_jobs, jobs_capacity;
    size_t n_members, n_bands;
    /* Once closed: a large file has bands by the hundred thousand, for which lists that grow would
     * leave three times the room. */
    wpa_similarity_member *members; /* [n_members] */
    bool *has_peers;                /* [n_members] a band that another job has too */
    band *bands;                    /* [n_bands] by hash */
    uint32_t *starts;               /* of the hashes that begin with these bits */
    unsigned start_bits;
};

wpa_similarity_index *wpa_similarity_index_new(wpa_arena *arena)
{
    wpa_similarity_index *index = wpa_arena_alloc(arena, sizeof *index);
    index->arena = arena;
    return index;
}

static const uint32_t *stretch_bands(const wpa_similarity_job *job, size_t first_step)
{
    return job->bands + WPA_SIMILARITY_BANDS + first_step * WPA_SIMILARITY_STRETCH_BANDS;
}

/* How many bands of each are marks: with 4 of them stretches from 0.85 on are nearly always found.
 */
#define WHOLE_MARKS 8
#define STRETCH_MARKS 4

size_t wpa_similarity_marks(const wpa_similarity_job *job, uint32_t marks[WPA_SIMILARITY_MARKS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < WHOLE_MARKS && job->has_whole && job->n_real >= 2; i++) {
        marks[n++] = job->bands[i];
    }
    for (size_t i = 0; i < count_stretches(job); i++) {
        size_t n_real = 0;
        for (size_t k = i; k < i + WPA_SIMILARITY_STRETCH; k++) {
            n_real += !job->steps[k].is_setup;
        }
        for (size_t k = 0; k < STRETCH_MARKS && n_real >= 2; k++) {
            marks[n++] = stretch_bands(job, i)[k];
        }
    }
    return n;
}

static size_t count_whole_bands(const wpa_similarity_job *job)
{
    return job->has_whole ? WPA_SIMILARITY_BANDS : 0;
}

void wpa_similarity_index_add(wpa_similarity_index *index, wpa_similarity_job *job,
                              const void *owner, size_t job_index)
{
    size_t n_stretches = count_stretches(job);
    job->index = index;
    job->member = (uint32_t)index->n_members;
    index->jobs = wpa_arena_grow(index->arena, index->jobs, index->n_jobs, &index->jobs_capacity,
                                 sizeof *index->jobs);
    index->jobs[index->n_jobs++] = (added_job){job, owner, job_index};
    index->n_members += 1 + n_stretches;
    index->n_bands += count_whole_bands(job) + n_stretches * WPA_SIMILARITY_STRETCH_BANDS;
}

/* The bands of a member, behind those that are there; how many there are then. */
static size_t list_bands(band *bands, size_t n, const uint32_t *hashes, size_t n_hashes,
                         size_t member)
{
    for (size_t i = 0; i < n_hashes; i++) {
        bands[n++] = (band){hashes[i], (uint32_t)member};
    }
    return n;
}

/* A job and then each of its stretches, job by job. */
static void list_members(wpa_similarity_index *index)
{
    size_t n = 0, n_bands = 0;
    band *bands = index->bands =
        wpa_arena_array(index->arena, index->n_bands, sizeof *index->bands);
    index->members = wpa_arena_array(index->arena, index->n_members, sizeof *index->members);
    for (size_t i = 0; i < index->n_jobs; i++) {
        const added_job *added = &index->jobs[i];
        wpa_similarity_member member = {added->owner, (uint32_t)added->job_index, WHOLE_JOB};
        n_bands = list_bands(bands, n_bands, added->job->bands, count_whole_bands(added->job), n);
        index->members[n++] = member;
        for (size_t k = 0; k < count_stretches(added->job); k++) {
            n_bands = list_bands(bands, n_bands, stretch_bands(added->job, k),
                                 WPA_SIMILARITY_STRETCH_BANDS, n);
            member.first_step = (uint32_t)k;
            index->members[n++] = member;
        }
    }
}

static uint64_t order_of(const band *b)
{
    return (uint64_t)b->hash << 32 | b->member;
}

static void sort_few_bands(band *bands, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        band moved = bands[i];
        size_t k = i;
        for (; k > 0 && order_of(&bands[k - 1]) > order_of(&moved); k--) {
            bands[k] = bands[k - 1];
        }
        bands[k] = moved;
    }
}

/* By hash, and then by member: byte by byte from the highest, each band changed for the one that is
 * where it belongs, so that no second list is needed. */
static void sort_bands(band *bands, size_t n, unsigned shift)
{
    if (n <= FEW) {
        sort_few_bands(bands, n);
        return;
    }
    uint32_t free[RADIX] = {0}, ends[RADIX], at = 0; /* of those with this byte */
    for (size_t i = 0; i < n; i++) {
        free[order_of(&bands[i]) >> shift & (RADIX - 1)]++;
    }
    for (size_t byte = 0; byte < RADIX; byte++) {
        ends[byte] = at + free[byte];
        free[byte] = at;
        at = ends[byte];
    }
    for (size_t byte = 0; byte < RADIX; byte++) {
        while (free[byte] < ends[byte]) {
            band *here = &bands[free[byte]], moved = *here;
            size_t own = order_of(&moved) >> shift & (RADIX - 1);
            *here = bands[free[own]];
            bands[free[own]++] = moved;
        }
    }
    for (size_t byte = 0; byte < RADIX && shift; byte++) {
        uint32_t start = byte ? ends[byte - 1] : 0;
        sort_bands(bands + start, ends[byte] - start, shift - 8);
    }
}

static bool is_same_job(const wpa_similarity_member *a, const wpa_similarity_member *b)
{
    return a->owner == b->owner && a->job == b->job;
}

/* Those that share a hash with another job: all others need not be asked for. */
static void mark_peers(wpa_similarity_index *index)
{
    index->has_peers = wpa_arena_array(index->arena, index->n_members, sizeof *index->has_peers);
    for (size_t first = 0, end = 0; first < index->n_bands; first = end) {
        const wpa_similarity_member *member = &index->members[index->bands[first].member];
        bool has_peers = false;
        for (end = first;
             end < index->n_bands && index->bands[end].hash == index->bands[first].hash; end++) {
            has_peers =
                has_peers || !is_same_job(member, &index->members[index->bands[end].member]);
        }
        for (size_t i = first; i < end && has_peers; i++) {
            index->has_peers[index->bands[i].member] = true;
        }
    }
}

static void index_starts(wpa_similarity_index *index)
{
    while (index->start_bits < 16 && (index->n_bands >> index->start_bits) > 4) {
        index->start_bits++;
    }
    size_t n = (size_t)1 << index->start_bits, at = 0;
    index->starts = wpa_arena_array(index->arena, n, sizeof *index->starts);
    for (size_t i = 0; i < n; i++) {
        while (at < index->n_bands &&
               (uint64_t)index->bands[at].hash >> (32 - index->start_bits) < i) {
            at++;
        }
        index->starts[i] = (uint32_t)at;
    }
}

void wpa_similarity_index_close(wpa_similarity_index *index)
{
    if (index->n_bands) {
        list_members(index);
        sort_bands(index->bands, index->n_bands, 56);
        mark_peers(index);
        index_starts(index);
    }
}

static size_t lower_bound(const wpa_similarity_index *index, uint32_t hash)
{
    size_t at = index->starts[(uint64_t)hash >> (32 - index->start_bits)];
    while (at < index->n_bands && index->bands[at].hash < hash) {
        at++;
    }
    return at;
}

static bool has_member(const wpa_similarity_member members[], size_t n,
                       const wpa_similarity_member *member)
{
    for (size_t i = 0; i < n; i++) {
        if (is_same_job(&members[i], member) && members[i].first_step == member->first_step) {
            return true;
        }
    }
    return false;
}

/* Is the job, or this stretch of it, in the index, and alike to nothing? */
static bool is_alone(const wpa_similarity_index *index, const wpa_similarity_job *job,
                     uint32_t first_step)
{
    size_t member = (size_t)job->member + (first_step == WHOLE_JOB ? 0 : first_step + 1);
    return job->index == index && !index->has_peers[member];
}

size_t wpa_similarity_index_find(const wpa_similarity_index *index, const wpa_similarity_job *job,
                                 uint32_t first_step, wpa_similarity_member members[], size_t max)
{
    bool is_whole = first_step == WHOLE_JOB;
    uint32_t n_bands = is_whole ? WPA_SIMILARITY_BANDS : WPA_SIMILARITY_STRETCH_BANDS;
    const uint32_t *bands = is_whole ? job->bands : stretch_bands(job, first_step);
    size_t n = 0;
    if (index->n_bands == 0 || is_alone(index, job, first_step)) {
        return 0;
    }
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
