#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/pool.h"

#define N_TASKS 40
#define N_ITEMS 200

/* A task that shares what it has to do, twice, the second time needing all of the first. */
typedef struct job {
    wpa_pool_task task;
    wpa_pool *pool;
    atomic_int times[N_ITEMS];
    atomic_size_t sum;
    size_t first_sum;
} job;

static void count(void *context, size_t i)
{
    job *j = context;
    atomic_fetch_add(&j->times[i], 1);
    atomic_fetch_add(&j->sum, i);
}

static void run(wpa_pool_task *task)
{
    job *j = (job *)task;
    wpa_pool_each(j->pool, N_ITEMS, count, j);
    j->first_sum = atomic_load(&j->sum);
    wpa_pool_each(j->pool, N_ITEMS, count, j);
}

static void check_with(size_t n_threads)
{
    static job jobs[N_TASKS];
    wpa_pool *pool = wpa_pool_new(n_threads);
    for (size_t k = 0; k < N_TASKS; k++) {
        jobs[k] = (job){.task.run = run, .pool = pool};
        wpa_pool_submit(pool, &jobs[k].task);
    }
    for (size_t k = 0; k < N_TASKS; k++) {
        wpa_pool_wait(pool, &jobs[k].task);
        assert_true(wpa_pool_is_done(pool, &jobs[k].task));
        assert_int_equal(jobs[k].first_sum, N_ITEMS * (N_ITEMS - 1) / 2);
        for (size_t i = 0; i < N_ITEMS; i++) {
            assert_int_equal(jobs[k].times[i], 2);
        }
    }
    wpa_pool_free(pool);
}

static void test_everything_is_done_once(void **state)
{
    (void)state;
    for (size_t n_threads = 1; n_threads <= 8; n_threads++) {
        check_with(n_threads);
    }
}

static void test_a_pool_that_ends_does_what_it_was_given(void **state)
{
    (void)state;
    static job jobs[4];
    wpa_pool *pool = wpa_pool_new(3);
    for (size_t k = 0; k < 4; k++) {
        jobs[k] = (job){.task.run = run, .pool = pool};
        wpa_pool_submit(pool, &jobs[k].task);
    }
    wpa_pool_free(pool);
    for (size_t k = 0; k < 4; k++) {
        assert_int_equal(atomic_load(&jobs[k].sum), N_ITEMS * (N_ITEMS - 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_done_once),
        cmocka_unit_test(test_a_pool_that_ends_does_what_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
