/* The index finds what comparing each with each finds, and marks are shared by what is alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/similarity.h"
#include "rules/source.h"

#define JOBS 60
#define TEXT_MAX 65536

/* Numbers by lot, the same ones each time. */
static unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33) % below;
}

/* One of a few scripts, some of whose words are others. */
static size_t write_script(char *text, size_t room, uint64_t *state)
{
    unsigned script = draw(state, 5), n_words = 4 + 12 * script;
    size_t length = (size_t)snprintf(text, room, "      - run: tool%u", script);
    for (unsigned i = 0; i < n_words && length < room; i++) {
        unsigned changed = draw(state, 40) == 0;
        length += (size_t)snprintf(text + length, room - length, " word%u.%u.%u", script, i,
                                   changed ? draw(state, 5) : 0);
    }
    return length + (size_t)snprintf(text + length, room - length, "\n");
}

static size_t write_use(char *text, size_t room, uint64_t *state)
{
    return (size_t)snprintf(text, room,
                            "      - uses: owner/action%u@v1\n"
                            "        with: {one: 1, two: 2, three: %u}\n",
                            draw(state, 3), draw(state, 2));
}

/* Jobs that are alike here and there. */
static const wpa_source *make_jobs(uint64_t seed, char text[TEXT_MAX], wpa_arena *arena)
{
    size_t length = (size_t)snprintf(text, TEXT_MAX, "on: push\njobs:\n");
    for (unsigned i = 0; i < JOBS; i++) {
        length += (size_t)snprintf(text + length, TEXT_MAX - length,
                                   "  j%u:\n    runs-on: x\n    steps:\n", i);
        for (unsigned k = 0, n = 1 + draw(&seed, 7); k < n; k++) {
            length += draw(&seed, 2) ? write_use(text + length, TEXT_MAX - length, &seed)
                                     : write_script(text + length, TEXT_MAX - length, &seed);
            assert_true(length < TEXT_MAX);
        }
    }
    const wpa_source *source =
        wpa_source_read(WPA_INPUT_WORKFLOW, ".github/workflows/a.yml", text, length, NULL, arena);
    assert_int_equal(source->outline->n_jobs, JOBS);
    return source;
}

static wpa_similarity_index *index_of(const wpa_source *source, wpa_similarity_job *jobs[JOBS],
                                      wpa_arena *arena)
{
    wpa_similarity_index *index = wpa_similarity_index_new(arena);
    wpa_similarity_seen seen[WPA_SIMILARITY_SEEN_MAX] = {0};
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = wpa_similarity_read(&source->outline->jobs[i], seen, arena);
        assert_non_null(jobs[i]);
        wpa_similarity_index_add(index, jobs[i], source, i);
    }
    wpa_similarity_index_close(index);
    return index;
}

static bool is_among(const wpa_similarity_member members[], size_t n, size_t job, size_t first_step)
{
    for (size_t i = 0; i < n; i++) {
        if (members[i].job == job && members[i].first_step == first_step) {
            return true;
        }
    }
    return false;
}

static void check_stretches(wpa_similarity_kin *kin, wpa_similarity_job *jobs[JOBS], size_t own,
                            size_t step, double least)
{
    wpa_similarity_member members[WPA_SIMILARITY_FOUND_MAX];
    size_t n = wpa_similarity_kin_stretches(kin, step, least, members), n_expected = 0;
    for (size_t i = 0; i < JOBS; i++) {
        for (size_t k = 0; i != own && k + WPA_SIMILARITY_STRETCH <= jobs[i]->n_steps; k++) {
            bool is_alike =
                wpa_similarity_length(jobs[own], step, jobs[i], k, least) >= WPA_SIMILARITY_STRETCH;
            assert_int_equal(is_among(members, n, i, k), is_alike);
            n_expected += is_alike;
        }
    }
    assert_int_equal(n, n_expected);
    for (size_t i = 1; i < n; i++) {
        assert_true(members[i - 1].job < members[i].job ||
                    (members[i - 1].job == members[i].job &&
                     members[i - 1].first_step < members[i].first_step));
    }
}

static size_t check_jobs(wpa_similarity_kin *kin, wpa_similarity_job *jobs[JOBS], size_t own,
                         double least)
{
    wpa_similarity_member members[WPA_SIMILARITY_FOUND_MAX];
    size_t n = wpa_similarity_kin_jobs(kin, least, members), n_alike = 0;
    for (size_t i = 0; i < JOBS; i++) {
        double alike = i == own ? 0 : wpa_similarity_of_jobs(jobs[own], jobs[i], least);
        assert_true(alike == 0 || is_among(members, n, i, 0));
        assert_true(i == own || wpa_similarity_kin_alike(kin, jobs[i], least) == alike);
        n_alike += alike > 0;
    }
    return n_alike;
}

static void check_step(const wpa_similarity_step *a, const wpa_similarity_step *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->n_features, b->n_features);
    assert_memory_equal(a->features, b->features, a->n_features * sizeof *a->features);
    assert_int_equal(a->weight, b->weight);
    assert_int_equal(a->digest, b->digest);
    assert_true(a->upper_bits == b->upper_bits);
    assert_int_equal(a->is_setup, b->is_setup);
}

/* Do steps of an earlier job share this one's features? */
static bool is_shared_before(wpa_similarity_job *const jobs[], size_t n, const uint32_t *features)
{
    bool is_shared = false;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < jobs[i]->n_steps; k++) {
            is_shared = is_shared || jobs[i]->steps[k].features == features;
        }
    }
    return is_shared;
}

/* Whether a step is read, or was read before. */
static void reads_the_same_of_equal_steps(void **state)
{
    (void)state;
    static char text[TEXT_MAX];
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_similarity_job *jobs[JOBS];
    const wpa_source *source = make_jobs(5, text, arena);
    (void)index_of(source, jobs, arena);
    size_t n_shared = 0;
    for (size_t i = 0; i < JOBS; i++) {
        wpa_similarity_seen none[WPA_SIMILARITY_SEEN_MAX] = {0};
        const wpa_similarity_job *alone =
            wpa_similarity_read(&source->outline->jobs[i], none, arena);
        for (size_t k = 0; k < alone->n_steps; k++) {
            check_step(&alone->steps[k], &jobs[i]->steps[k]);
            n_shared += is_shared_before(jobs, i, jobs[i]->steps[k].features);
        }
    }
    assert_true(n_shared > 0);
}

/* Of the index's own jobs, and of equal ones that are not its own. */
static void finds_what_is_alike(void **state)
{
    (void)state;
    static const double leasts[] = {0.5, 0.7, 0.85, 0.95, 1};
    static char text[TEXT_MAX];
    size_t n_alike = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_similarity_job *jobs[JOBS], *others[JOBS];
        const wpa_source *source = make_jobs(seed, text, arena);
        const wpa_similarity_index *index = index_of(source, jobs, arena);
        (void)index_of(source, others, arena);
        for (size_t i = 0; i < JOBS * WPA_COUNT(leasts); i++) {
            double least = leasts[i / JOBS];
            size_t own = i % JOBS;
            wpa_similarity_kin *kin = wpa_similarity_kin_of(index, jobs[own], least, arena);
            n_alike += check_jobs(kin, jobs, own, least);
            for (size_t k = 0; k + WPA_SIMILARITY_STRETCH <= jobs[own]->n_steps; k++) {
                check_stretches(kin, jobs, own, k, least);
            }
            kin = wpa_similarity_kin_of(index, others[own], least, arena);
            assert_true(wpa_similarity_kin_alike(kin, jobs[own], least) == 1);
        }
    }
    assert_true(n_alike > JOBS);
}

static void nothing_in_nothing(void **state)
{
    (void)state;
    static char text[TEXT_MAX];
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_similarity_job *jobs[JOBS];
    wpa_similarity_member members[WPA_SIMILARITY_FOUND_MAX];
    (void)index_of(make_jobs(1, text, arena), jobs, arena);
    wpa_similarity_index *empty = wpa_similarity_index_new(arena);
    wpa_similarity_index_close(empty);
    for (size_t i = 0; i < JOBS; i++) {
        wpa_similarity_kin *kin = wpa_similarity_kin_of(empty, jobs[i], 0.5, arena);
        assert_int_equal(wpa_similarity_kin_jobs(kin, 0.5, members), 0);
        for (size_t k = 0; k + WPA_SIMILARITY_STRETCH <= jobs[i]->n_steps; k++) {
            assert_int_equal(wpa_similarity_kin_stretches(kin, k, 0.5, members), 0);
        }
    }
}

static bool share_one(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
    for (size_t i = 0; i < n_a; i++) {
        for (size_t k = 0; k < n_b; k++) {
            if (a[i] == b[k]) {
                return true;
            }
        }
    }
    return false;
}

/* Has a stretch of the one that does something a place in the other? */
static bool share_stretch(const wpa_similarity_job *a, const wpa_similarity_job *b, double least)
{
    for (size_t i = 0; i + WPA_SIMILARITY_STRETCH <= a->n_steps; i++) {
        for (size_t k = 0; k + WPA_SIMILARITY_STRETCH <= b->n_steps; k++) {
            if (wpa_similarity_length(a, i, b, k, least) >= WPA_SIMILARITY_STRETCH) {
                return true;
            }
        }
    }
    return false;
}

/* Nearly all that are alike share one. */
static void marks(void **state)
{
    (void)state;
    static char text[TEXT_MAX];
    size_t n_pairs = 0, n_missed = 0;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_similarity_job *jobs[JOBS];
    (void)index_of(make_jobs(1, text, arena), jobs, arena);
    for (size_t i = 0; i < JOBS; i++) {
        uint32_t own[WPA_SIMILARITY_MARKS_MAX], other[WPA_SIMILARITY_MARKS_MAX];
        size_t n = wpa_similarity_marks(jobs[i], own);
        assert_true(jobs[i]->n_real < 2 ? n == 0 : n >= 8);
        for (size_t k = 0; k < i; k++) {
            size_t n_other = wpa_similarity_marks(jobs[k], other);
            bool are_alike = n && n_other && share_stretch(jobs[i], jobs[k], 0.9);
            n_pairs += are_alike;
            n_missed += are_alike && !share_one(own, n, other, n_other);
        }
    }
    assert_true(n_pairs > 0);
    assert_true(n_missed * 10 <= n_pairs);
}

static bool may_repeat(const wpa_outline *o, size_t one, size_t other, double least)
{
    const wpa_similarity_wanted wanted = {.least = least, .least_count = 2, .long_steps = 5};
    wpa_outline_job both[] = {o->jobs[one], o->jobs[other]};
    return wpa_similarity_may_repeat(&(wpa_outline){.jobs = both, .n_jobs = 2}, &wanted);
}

/* No two jobs that have a stretch in common are said to have none; most of the others are. */
static void asks_before_reading(void **state)
{
    (void)state;
    static const double leasts[] = {0.5, 0.85, 1};
    static char text[TEXT_MAX];
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_similarity_job *jobs[JOBS];
    const wpa_source *source = make_jobs(1, text, arena);
    (void)index_of(source, jobs, arena);
    size_t n_shared = 0, n_refused = 0, n_all = 0;
    for (size_t i = 0; i < JOBS * JOBS * WPA_COUNT(leasts); i++) {
        size_t one = i % JOBS, other = i / JOBS % JOBS;
        double least = leasts[i / (JOBS * JOBS)];
        bool is_shared = one != other && share_stretch(jobs[one], jobs[other], least);
        bool may_be = one != other && may_repeat(source->outline, one, other, least);
        assert_true(may_be || !is_shared);
        n_shared += is_shared;
        n_refused += !may_be;
        n_all++;
    }
    assert_true(n_shared > JOBS);
    assert_true(n_refused * 2 > n_all - n_shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_same_of_equal_steps),
        cmocka_unit_test(finds_what_is_alike),
        cmocka_unit_test(nothing_in_nothing),
        cmocka_unit_test(marks),
        cmocka_unit_test(asks_before_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
