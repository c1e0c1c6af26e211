#include "rules/similarity.h"

#include <string.h>

#include "rules/similarity_internal.h"
#include "rules/work.h"

static uint64_t take_in(uint64_t hash, unsigned char c)
{
    return (hash ^ c) * UINT64_C(0x100000001b3);
}

static uint32_t hash_of(const char *text, size_t length, uint64_t seed)
{
    uint64_t hash = wpa_similarity_mix(seed);
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        hash = take_in(hash, (unsigned char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c));
    }
    return (uint32_t)(wpa_similarity_mix(hash) >> 32);
}

/* ---- reading ---- */

typedef struct features {
    uint32_t *items;
    size_t n;
} features;

static void add(features *f, uint32_t feature)
{
    if (f->n < WPA_SIMILARITY_FEATURES_MAX) {
        f->items[f->n++] = feature;
    }
}

#define RADIX 256
#define BUCKETS 64
#define FEW 32   /* are sorted by insertion alone */
#define SOME 256 /* are put near their places first, as hashes are drawn by lot */

static void insert_all(uint32_t *items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t item = items[i];
        size_t k = i;
        for (; k > 0 && items[k - 1] > item; k--) {
            items[k] = items[k - 1];
        }
        items[k] = item;
    }
}

/* From one list into the other, by some bits of each; what is equal in them stays in its order. */
static void distribute(const uint32_t *from, uint32_t *to, size_t n, unsigned shift,
                       size_t n_places)
{
    uint32_t starts[RADIX], at = 0;
    memset(starts, 0, n_places * sizeof *starts);
    for (size_t i = 0; i < n; i++) {
        starts[from[i] >> shift & (n_places - 1)]++;
    }
    for (size_t i = 0; i < n_places; i++) {
        uint32_t count = starts[i];
        starts[i] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[starts[from[i] >> shift & (n_places - 1)]++] = from[i];
    }
}

/* Ascending. */
static void sort_features(uint32_t *items, size_t n)
{
    uint32_t other[WPA_SIMILARITY_FEATURES_MAX];
    if (n > SOME) {
        for (unsigned shift = 0; shift < 32; shift += 16) {
            distribute(items, other, n, shift, RADIX);
            distribute(other, items, n, shift + 8, RADIX);
        }
        return;
    }
    if (n > FEW) {
        distribute(items, other, n, 26, BUCKETS);
        memcpy(items, other, n * sizeof *items);
    }
    insert_all(items, n);
}

const unsigned char wpa_similarity_word_chars[256] = {
    ['$'] = '$', ['-'] = '-', ['.'] = '.', ['/'] = '/', ['0'] = '0', ['1'] = '1', ['2'] = '2',
    ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g',
    ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n',
    ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u',
    ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z', ['_'] = '_', ['a'] = 'a',
    ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h',
    ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o',
    ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v',
    ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

/* The 3-grams of the script's words, so that order counts within a line or so. */
static uint32_t add_script(features *f, const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    const uint64_t seed = wpa_similarity_mix(1);
    uint32_t before[2] = {0, 0}, n_words = 0;
    while (at < end) {
        unsigned char c = wpa_similarity_word_chars[*at];
        if (!c) {
            at++;
            continue;
        }
        uint64_t hash = seed;
        for (; c; c = ++at < end ? wpa_similarity_word_chars[*at] : 0) {
            hash = take_in(hash, c);
        }
        uint32_t word = (uint32_t)(wpa_similarity_mix(hash) >> 32);
        add(f, (uint32_t)wpa_similarity_mix(((uint64_t)before[0] << 32 | before[1]) ^
                                            wpa_similarity_mix(word)));
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

uint32_t wpa_similarity_kind_of(const wpa_outline_step *step)
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

static uint32_t digest_of(uint32_t kind, const uint32_t *items, size_t n)
{
    uint64_t digest = kind;
    for (size_t i = 0; i < n; i++) {
        digest = (digest ^ items[i]) * UINT64_C(0x9e3779b97f4a7c15);
        digest ^= digest >> 32;
    }
    return (uint32_t)(wpa_similarity_mix(digest) >> 32);
}

static uint64_t upper_bits_of(const uint32_t *items, size_t n)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        bits |= UINT64_C(1) << (items[i] >> 26);
    }
    return bits;
}

/* The text that tells how many features there are, and most of them. */
static wpa_slice text_of(const wpa_outline_step *step)
{
    return step->run ? (wpa_slice){step->run->text, step->run->length} : wpa_work_text(step->with);
}

static bool is_same_text(wpa_slice a, wpa_slice b)
{
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

/* Of one kind: have they the same features? */
static bool is_same_step(const wpa_outline_step *a, const wpa_outline_step *b)
{
    bool is_same = !a->run == !b->run && is_same_text(text_of(a), text_of(b));
    size_t n = is_same && !a->run ? a->with->n_pairs : 0;
    is_same = is_same && (a->run || n == b->with->n_pairs);
    for (size_t i = 0; is_same && i < n; i++) { /* the same text may be read in another way */
        const wpa_yaml_pair *x = &a->with->pairs[i], *y = &b->with->pairs[i];
        is_same = is_same_text(wpa_work_text(x->key), wpa_work_text(y->key)) &&
                  is_same_text(wpa_work_text(x->value), wpa_work_text(y->value));
    }
    return is_same;
}

static void read_features(wpa_similarity_step *s, const wpa_outline_step *step, features *scratch,
                          wpa_arena *arena)
{
    scratch->n = 0;
    if (step->run) {
        s->weight = 1 + add_script(scratch, step->run->text, step->run->length);
    } else if (step->uses.node) {
        s->weight = 2 + 2 * add_inputs(scratch, step->with);
        add(scratch, s->kind);
    }
    sort_features(scratch->items, scratch->n);
    size_t n = 0;
    for (size_t i = 0; i < scratch->n; i++) {
        if (n == 0 || scratch->items[n - 1] != scratch->items[i]) {
            scratch->items[n++] = scratch->items[i];
        }
    }
    s->n_features = (uint32_t)n;
    s->digest = digest_of(s->kind, scratch->items, n);
    s->upper_bits = upper_bits_of(scratch->items, n);
    s->features = n ? wpa_arena_dup(arena, scratch->items, n * sizeof *scratch->items) : NULL;
}

/* Where a step of its kind and length was seen last. */
static wpa_similarity_seen *seen_of(wpa_similarity_seen seen[WPA_SIMILARITY_SEEN_MAX],
                                    const wpa_outline_step *step, uint32_t kind)
{
    uint64_t hash = wpa_similarity_mix((uint64_t)kind << 32 | text_of(step).length);
    return &seen[hash % WPA_SIMILARITY_SEEN_MAX];
}

static void read_step(wpa_similarity_step *s, const wpa_outline_step *step,
                      wpa_similarity_seen seen[WPA_SIMILARITY_SEEN_MAX], features *scratch,
                      wpa_arena *arena)
{
    *s = (wpa_similarity_step){.kind = wpa_similarity_kind_of(step)};
    bool may_be_seen = step->run || (step->uses.node && step->with);
    wpa_similarity_seen *like = may_be_seen ? seen_of(seen, step, s->kind) : NULL;
    if (like && like->step && like->read->kind == s->kind && is_same_step(like->step, step)) {
        *s = *like->read;
    } else {
        read_features(s, step, scratch, arena);
    }
    if (like) {
        *like = (wpa_similarity_seen){step, s};
    }
    s->is_setup = wpa_work_is_setup(step);
}

wpa_similarity_job *wpa_similarity_read(const wpa_outline_job *job,
                                        wpa_similarity_seen seen[WPA_SIMILARITY_SEEN_MAX],
                                        wpa_arena *arena)
{
    if (job->is_call || job->n_steps == 0 || job->n_steps > WPA_SIMILARITY_STEPS_MAX) {
        return NULL;
    }
    uint32_t items[WPA_SIMILARITY_FEATURES_MAX];
    features scratch = {items, 0};
    wpa_similarity_step *steps = wpa_arena_array(arena, job->n_steps, sizeof *steps);
    wpa_similarity_job *s = wpa_arena_alloc(arena, sizeof *s);
    s->steps = steps;
    s->n_steps = job->n_steps;
    for (size_t i = 0; i < job->n_steps; i++) {
        read_step(&steps[i], &job->steps[i], seen, &scratch, arena);
        s->weight += steps[i].weight;
        s->n_real += !steps[i].is_setup;
    }
    return s;
}

/* ---- comparing ---- */

/* Does b lack more than so many of a's features? Of those it does no feature has the upper bits. */
static bool misses_more(const wpa_similarity_step *b, const wpa_similarity_step *a, size_t n)
{
    return wpa_similarity_are_more(a->upper_bits & ~b->upper_bits, n);
}

double wpa_similarity_of_steps(const wpa_similarity_step *a, const wpa_similarity_step *b,
                               double least)
{
    size_t n_a = a->n_features, n_b = b->n_features, i = 0, k = 0, n_both = 0;
    if (a->kind != b->kind) {
        return 0;
    }
    size_t wanted = (size_t)(least / (1 + least) * (double)(n_a + n_b)); /* that both must have */
    if (n_a < wanted || n_b < wanted) {
        return 0;
    }
    size_t spare_a = n_a - wanted, spare_b = n_b - wanted; /* may be missing in the other */
    if (misses_more(b, a, spare_a) || misses_more(a, b, spare_b)) {
        return 0;
    }
    if (a->digest == b->digest && n_a == n_b &&
        (n_a == 0 || memcmp(a->features, b->features, n_a * sizeof *a->features) == 0)) {
        return 1;
    }
    while (i < n_a && k < n_b) {
        uint32_t x = a->features[i], y = b->features[k];
        n_both += x == y;
        i += x <= y;
        k += y <= x;
        if (i - n_both > spare_a || k - n_both > spare_b) {
            return 0;
        }
    }
    double alike = (double)n_both / (double)(n_a + n_b - n_both);
    return alike >= least ? alike : 0;
}

/* The same, of steps that may be known to be equal. */
static double alike_at(const wpa_similarity_job *a, size_t i, const wpa_similarity_job *b, size_t k,
                       double least)
{
    bool are_equal = a->shapes && a->index == b->index && a->shapes[i] == b->shapes[k];
    return are_equal ? 1 : wpa_similarity_of_steps(&a->steps[i], &b->steps[k], least);
}

size_t wpa_similarity_length(const wpa_similarity_job *a, size_t first_of_a,
                             const wpa_similarity_job *b, size_t first_of_b, double least)
{
    size_t n = 0;
    while (first_of_a + n < a->n_steps && first_of_b + n < b->n_steps &&
           alike_at(a, first_of_a + n, b, first_of_b + n, least) > 0) {
        n++;
    }
    return n;
}

/* Longest common subsequence, in which a pair counts by how alike and how large it is. */
double wpa_similarity_align(const wpa_similarity_job *a, const wpa_similarity_job *b,
                            size_t n_equal, wpa_similarity_matrix alike, double least)
{
    double best[2][WPA_SIMILARITY_STEPS_MAX + 1];
    unsigned total = a->weight + b->weight, sure = 0;
    for (size_t i = 0; i < n_equal; i++) {
        sure += a->steps[i].weight + b->steps[i].weight;
    }
    for (size_t k = n_equal; k <= b->n_steps; k++) {
        best[n_equal % 2][k] = sure;
    }
    for (size_t i = n_equal; i < a->n_steps; i++) {
        double *now = best[(i + 1) % 2];
        const double *before = best[i % 2];
        now[n_equal] = sure;
        for (size_t k = n_equal; k < b->n_steps; k++) {
            double without = before[k + 1] > now[k] ? before[k + 1] : now[k];
            double both = a->steps[i].weight + b->steps[k].weight;
            double with = before[k] + alike[i][k] * both;
            now[k + 1] = with > without ? with : without;
        }
    }
    double share = total ? best[a->n_steps % 2][b->n_steps] / total : 0;
    return share >= least ? share : 0;
}

double wpa_similarity_of_jobs(const wpa_similarity_job *a, const wpa_similarity_job *b,
                              double least)
{
    wpa_similarity_matrix alike;
    for (size_t i = 0; i < a->n_steps; i++) {
        for (size_t k = 0; k < b->n_steps; k++) {
            alike[i][k] = alike_at(a, i, b, k, WPA_SIMILARITY_ALIGNED);
        }
    }
    return wpa_similarity_align(a, b, 0, alike, least);
}
