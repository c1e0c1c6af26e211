/*
 * Whether a file may repeat steps at all, asked before its steps are read: the features of each
 * step are marked in a few words, and steps of which one has marks that the other lacks are not
 * alike. That takes a look at their words, and for most files answers it.
 */
#include "rules/similarity.h"
#include "rules/similarity_internal.h"
#include "rules/work.h"

#define STEPS_SEEN_MAX 256 /* of a file that has more it is taken for granted */
#define MARK_WORDS 4

typedef struct sketch {
    const wpa_outline_step *step;
    size_t job, index; /* of the job in the file, of the step in the job */
    size_t n_places;   /* of other jobs, where what ends with the step may stand too */
    uint64_t kind;
    bool has_marks; /* and so on: looked for once they are asked for */
    bool is_setup;
    uint32_t n_most;            /* as many features at most */
    uint32_t weight;            /* as wpa_similarity_step has it */
    uint64_t marks[MARK_WORDS]; /* each is of a feature that steps without the mark lack */
} sketch;

static void add_mark(sketch *s, size_t number)
{
    s->marks[number / 64 % MARK_WORDS] |= UINT64_C(1) << number % 64;
}

/* Each different word ends a 3-gram that no other word ends. Behind the text is a NUL. */
static void mark_words(sketch *s, const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    while (at < end && s->n_most < WPA_SIMILARITY_FEATURES_MAX) {
        const unsigned char *start = at;
        while (wpa_similarity_word_chars[*at]) {
            at++;
        }
        if (at > start) {
            s->n_most++;
            add_mark(s, (size_t)(at - start) + 5U * wpa_similarity_word_chars[*start] +
                            11U * wpa_similarity_word_chars[at[-1]]);
        }
        at++;
    }
    s->weight = 1 + s->n_most;
}

/* Inputs of other lengths have other names or values. */
static void mark_inputs(sketch *s, const wpa_yaml_node *with)
{
    for (size_t i = 0; with && i < with->n_pairs; i++) {
        add_mark(s, wpa_work_text(with->pairs[i].key).length * 7 +
                        wpa_work_text(with->pairs[i].value).length);
    }
    uint32_t n_inputs = with ? with->n_pairs : 0;
    s->n_most = 3 * n_inputs + 1;
    s->weight = 2 + 2 * n_inputs;
}

static void mark_features(sketch *s)
{
    s->has_marks = true;
    s->is_setup = wpa_work_is_setup(s->step);
    if (s->step->run) {
        mark_words(s, s->step->run->text, s->step->run->length);
    } else if (s->step->uses.node) {
        mark_inputs(s, s->step->with);
    }
}

/* So many features of a are not in b: are they too many for sets that overlap by that share? */
static bool lacks_many(const sketch *a, const sketch *b, double least)
{
    size_t n_spare = (size_t)((1 - least) * a->n_most + 0.001); /* the rest is for rounding */
    for (size_t i = 0; i < MARK_WORDS; i++) {
        for (uint64_t left = a->marks[i] & ~b->marks[i]; left; left &= left - 1) {
            if (n_spare-- == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool may_be_alike(sketch *a, sketch *b, double least)
{
    if (a->kind != b->kind) {
        return false;
    }
    if (!a->has_marks) {
        mark_features(a);
    }
    if (!b->has_marks) {
        mark_features(b);
    }
    return !lacks_many(a, b, least) && !lacks_many(b, a, least);
}

/* Are the steps of a stretch up to these two of the same kinds? Most are not. */
static inline bool are_of_kinds(const sketch *a, const sketch *b)
{
    bool are = a->kind == b->kind && a->index + 1 >= WPA_SIMILARITY_STRETCH &&
               b->index + 1 >= WPA_SIMILARITY_STRETCH;
    for (size_t n = 1; are && n < WPA_SIMILARITY_STRETCH; n++) {
        are = (a - n)->kind == (b - n)->kind;
    }
    return are;
}

/* 0: a script. The same of steps that are of one kind, as wpa_similarity_kind_of has it, and of few
 * others. */
static uint64_t rough_kind_of(const wpa_outline_step *step)
{
    if (step->run || !step->uses.node) {
        return 0;
    }
    bool is_known = step->uses.kind == WPA_OUTLINE_REPOSITORY;
    wpa_slice text = wpa_slice_of(wpa_yaml_text(step->uses.node) ? step->uses.node->text : "");
    wpa_slice slug = is_known ? step->uses.slug : text;
    uint64_t ends = 0;
    for (size_t i = 0; i < slug.length && i < sizeof ends / 2; i++) {
        uint64_t first = slug.at[i] | 0x20U, last = slug.at[slug.length - 1 - i] | 0x20U;
        ends = ends << 16 | (first & 0xFF) << 8 | (last & 0xFF);
    }
    uint64_t major = is_known ? (unsigned)wpa_outline_major(&step->uses) : 0;
    return wpa_similarity_mix(ends ^ (uint64_t)slug.length << 56 ^ major << 32) | 1;
}

/* So many steps may be alike, one by one, up to these two. */
static size_t length_up_to(sketch *a, sketch *b, double least)
{
    size_t n = 0, n_steps = (a->index < b->index ? a->index : b->index) + 1;
    while (n < n_steps && may_be_alike(a - n, b - n, least)) {
        n++;
    }
    return n;
}

/* Do the last n steps up to this one do something, and as much as is wanted? */
static bool is_work(const sketch *s, size_t n, size_t least_weight)
{
    size_t n_real = 0, weight = 0;
    for (size_t i = 0; i < n; i++) {
        n_real += !(s - i)->is_setup;
        weight += (s - i)->weight;
    }
    return n_real >= WPA_SIMILARITY_REAL_STEPS && weight >= least_weight;
}

/* Does the step end a stretch that is long, or stands often enough, with the steps before it? */
static bool ends_repeated(sketch *s, sketch all[], const wpa_similarity_wanted *wanted)
{
    for (sketch *other = all; other->job != s->job; other++) {
        size_t n = are_of_kinds(s, other) ? length_up_to(s, other, wanted->least) : 0;
        if (n < WPA_SIMILARITY_STRETCH ||
            !(is_work(s, n, wanted->least_weight) || is_work(other, n, wanted->least_weight))) {
            continue;
        }
        s->n_places++;
        other->n_places++;
        if (n >= wanted->long_steps || s->n_places + 1 >= wanted->least_count ||
            other->n_places + 1 >= wanted->least_count) {
            return true;
        }
    }
    return false;
}

/* Calls, and jobs with too many steps or too few, have no stretch. */
static bool has_stretch(const wpa_outline_job *job)
{
    return !job->is_call && job->n_steps >= WPA_SIMILARITY_STRETCH &&
           job->n_steps <= WPA_SIMILARITY_STEPS_MAX;
}

size_t wpa_similarity_count(const wpa_outline *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        n += has_stretch(&o->jobs[i]);
    }
    return n;
}

bool wpa_similarity_may_repeat(const wpa_outline *o, const wpa_similarity_wanted *wanted)
{
    sketch all[STEPS_SEEN_MAX];
    size_t n = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        for (size_t k = 0; has_stretch(job) && k < job->n_steps; k++) {
            if (n == STEPS_SEEN_MAX) {
                return true;
            }
            const wpa_outline_step *step = &job->steps[k];
            all[n] = (sketch){.step = step, .job = i, .index = k, .kind = rough_kind_of(step)};
            if (ends_repeated(&all[n], all, wanted)) {
                return true;
            }
            n++;
        }
    }
    return false;
}
