#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/map.h>
#include <wpa/queue.h>

#include "core/large.h"
#include "core/paged.h"

static void test_arena_gives_zeroed_memory_of_any_size(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (size_t size_bytes = 1; size_bytes < 200000; size_bytes *= 3) {
        unsigned char *memory = wpa_arena_alloc(arena, size_bytes);
        assert_int_equal(memory[0] | memory[size_bytes - 1], 0);
        memset(memory, 0xaa, size_bytes);
    }
    int *items = NULL;
    size_t n = 0, capacity = 0;
    for (; n < 1000; n++) {
        items = wpa_arena_grow(arena, items, n, &capacity, sizeof *items);
        items[n] = (int)n;
    }
    assert_int_equal(items[999], 999);
}

static void test_arena_memory_is_zero_again_when_it_is_taken_again(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    (void)wpa_arena_text(arena, "in front of the mark");
    for (int round = 0; round < 3; round++) {
        wpa_arena_mark mark = wpa_arena_here(arena);
        size_t used_bytes = wpa_arena_used_bytes(arena);
        for (size_t size_bytes = 1; size_bytes < 40000; size_bytes *= 2) {
            unsigned char *memory = wpa_arena_alloc(arena, size_bytes);
            for (size_t i = 0; i < size_bytes; i++) {
                assert_int_equal(memory[i], 0);
            }
            memset(memory, 0xaa, size_bytes);
            memset(wpa_arena_slice(arena, "", 0), 0xaa, 1);
        }
        assert_true(wpa_arena_used_bytes(arena) > used_bytes);
        wpa_arena_rewind(arena, mark);
        assert_int_equal(wpa_arena_used_bytes(arena), used_bytes);
    }
}

/* Lists that grow side by side, from sizes that share a block to such that have one of their own.
 */
static void test_arena_lists_grow_without_copies_of_themselves(void **state)
{
    (void)state;
    enum {
        ITEMS = 100000
    };
    wpa_budget budget = {.max_bytes = SIZE_MAX};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_within(&budget);
    uint64_t *up = NULL;
    uint32_t *down = NULL;
    size_t up_capacity = 0, down_capacity = 0;
    wpa_arena_mark mark = wpa_arena_here(arena);
    for (size_t n = 0; n < ITEMS; n++) {
        up = wpa_arena_grow(arena, up, n, &up_capacity, sizeof *up);
        assert_int_equal(up[n], 0);
        up[n] = n;
        down = wpa_arena_grow(arena, down, n, &down_capacity, sizeof *down);
        assert_int_equal(down[n], 0);
        down[n] = (uint32_t)(ITEMS - n);
        if (n % 100 == 0) {
            (void)wpa_arena_text(arena, "between");
        }
    }
    for (size_t n = 0; n < ITEMS; n++) {
        assert_true(up[n] == n && down[n] == ITEMS - n);
    }
    size_t listed = up_capacity * sizeof *up + down_capacity * sizeof *down;
    assert_true(budget.bytes >= listed);
#ifndef WPA_SANITIZED /* where every list that moves is left behind, to be found out */
    assert_true(budget.bytes < listed + listed / 8);
#endif
    wpa_arena_rewind(arena, mark);
    assert_int_equal(budget.bytes, 0);
    assert_int_equal(wpa_arena_used_bytes(arena), 0);
}

/* More than is kept in memory, between two of which much is let go of. */
#define LARGE_ITEMS 12000
#define LARGE_ITEM_BYTES 3000

static void test_large_arena_holds_what_is_let_go_of(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_large();
    uint32_t **items = NULL;
    size_t n = 0, capacity = 0;
    for (; n < LARGE_ITEMS; n++) {
        items = wpa_arena_grow(arena, items, n, &capacity, sizeof(uint32_t *));
        items[n] = wpa_arena_alloc(arena, LARGE_ITEM_BYTES);
        assert_int_equal(items[n][0] | items[n][LARGE_ITEM_BYTES / sizeof(uint32_t) - 1], 0);
        memset(items[n], (int)(n % 251), LARGE_ITEM_BYTES);
        items[n][0] = (uint32_t)n;
        wpa_paged_relax();
    }
    for (size_t i = 0; i < n; i++) {
        const unsigned char *bytes = (const unsigned char *)items[i];
        assert_int_equal(items[i][0], i);
        assert_int_equal(bytes[LARGE_ITEM_BYTES - 1], i % 251);
        wpa_paged_relax();
    }
    wpa_arena_reset(arena);
    assert_int_equal(*(char *)wpa_arena_alloc(arena, 1), 0);
}

static void test_page_without_room_on_disk_ends_the_process(void **state)
{
    (void)state;
#ifndef WPA_SANITIZED /* which takes the signal */
    int status = 0, ends[2];
    char said[256] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGBUS, SIG_DFL); /* the framework has one of its own */
        *(char *)wpa_paged_take(4096) = 'a';
        (void)raise(SIGBUS);
        _exit(0);
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(read(ends[0], said, sizeof said - 1) > 0);
    (void)close(ends[0]);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 4);
    assert_non_null(strstr(said, "TMPDIR"));
#endif
}

static void test_map_finds_by_keys_that_it_borrows(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_map *map = wpa_map_new(arena);
    for (size_t i = 0; i < 1000; i++) {
        char *key = wpa_arena_printf(arena, "k%zu", i);
        wpa_map_put_borrowed(map, key, key);
        assert_ptr_equal(wpa_map_at(map, i, NULL), key);
    }
    for (size_t i = 0; i < 1000; i++) {
        const char *key = wpa_arena_printf(arena, "k%zu", i);
        assert_string_equal((const char *)wpa_map_get(map, key), key);
    }
    assert_false(wpa_map_has(map, "k1000"));
}

static void test_buffer_remembers_what_did_not_fit(void **state)
{
    (void)state;
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(8);
    wpa_error err = {0};
    wpa_buf_text(buf, "12345");
    assert_true(wpa_buf_check(buf, "x", &err));
    wpa_buf_printf(buf, "%d", 6789);
    assert_false(wpa_buf_check(buf, "x", &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
    assert_string_equal(wpa_buf_data(buf), "12345");
}

static void test_map_keeps_order_and_replaces(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_map *map = wpa_map_new(arena);
    static int values[500];
    for (int i = 0; i < 500; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key-%d", i);
        wpa_map_put(map, key, &values[i]);
    }
    wpa_map_put(map, "key-7", &values[8]);
    assert_int_equal(wpa_map_count(map), 500);
    assert_ptr_equal(wpa_map_get(map, "key-7"), &values[8]);
    assert_ptr_equal(wpa_map_get(map, "key-499"), &values[499]);
    assert_null(wpa_map_get(map, "key-500"));
    assert_string_equal(wpa_map_at(map, 3, NULL), "key-3");
}

static void test_queue_says_what_full_means(void **state)
{
    (void)state;
    WPA_AUTO(wpa_queue) *queue = wpa_queue_new(2);
    wpa_error err = {0};
    for (int kind = 1; kind <= 3; kind++) {
        assert_true(wpa_queue_push(queue, wpa_msg_new(kind), WPA_QUEUE_DROP_OLDEST, &err));
    }
    assert_false(wpa_queue_push(queue, wpa_msg_new(4), WPA_QUEUE_REFUSE, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    struct pollfd fd = {.fd = wpa_queue_fd(queue), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 1);
    for (int kind = 2; kind <= 3; kind++) {
        WPA_AUTO(wpa_msg) *msg = wpa_queue_pop(queue);
        assert_int_equal(msg->kind, kind);
    }
    assert_null(wpa_queue_pop(queue));
    assert_int_equal(poll(&fd, 1, 0), 0);
    wpa_queue_close(queue);
    assert_false(wpa_queue_push(queue, wpa_msg_new(5), WPA_QUEUE_WAIT, &err));
    assert_int_equal(err.code, WPA_E_CANCELLED);
}

enum {
    MESSAGES = 2000
};

static void *push_many(void *argument)
{
    wpa_error err = {0};
    for (int i = 0; i < MESSAGES; i++) {
        if (!wpa_queue_push(argument, wpa_msg_new(i), WPA_QUEUE_WAIT, &err)) {
            return argument;
        }
    }
    return NULL;
}

static void test_queue_between_threads_loses_nothing(void **state)
{
    (void)state;
    WPA_AUTO(wpa_queue) *queue = wpa_queue_new(7);
    pthread_t threads[3];
    for (size_t i = 0; i < WPA_COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, queue), 0);
    }
    struct pollfd fd = {.fd = wpa_queue_fd(queue), .events = POLLIN};
    size_t received = 0;
    while (received < MESSAGES * WPA_COUNT(threads)) {
        assert_int_equal(poll(&fd, 1, 10000), 1);
        for (wpa_msg *msg = wpa_queue_pop(queue); msg; msg = wpa_queue_pop(queue)) {
            wpa_msg_free(msg);
            received++;
        }
    }
    for (size_t i = 0; i < WPA_COUNT(threads); i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

static void test_files_are_replaced_whole_and_read_within_limits(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    char *folder = wpa_dir_temp("/tmp/wpa-test", arena, &err);
    assert_non_null(folder);
    char *nested = wpa_path_join(arena, folder, "a/b");
    assert_true(wpa_dir_make(nested, 0700, &err));
    char *path = wpa_path_join(arena, nested, "file");
    assert_true(wpa_file_replace(path, "hello", 5, 0640, &err));
    size_t size_bytes = 0;
    assert_string_equal(wpa_file_read(path, 5, arena, &size_bytes, &err), "hello");
    assert_int_equal(size_bytes, 5);
    assert_null(wpa_file_read(path, 4, arena, &size_bytes, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
    assert_null(wpa_file_read(nested, 4, arena, &size_bytes, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_null(wpa_file_read("/nonexistent", 4, arena, &size_bytes, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
    char *outside = wpa_dir_temp("/tmp/wpa-test", arena, &err);
    assert_int_equal(symlink(outside, wpa_path_join(arena, nested, "link")), 0);
    assert_true(wpa_dir_remove(folder, &err));
    assert_false(wpa_path_exists(folder));
    assert_true(wpa_path_is_dir(outside));
    assert_true(wpa_dir_remove(outside, &err));
}

static void test_times_round_trip(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {{0, "1970-01-01T00:00:00.000000Z"},
                 {1767323045000006, "2026-01-02T03:04:05.000006Z"},
                 {-1, "1969-12-31T23:59:59.999999Z"}};
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        char text[WPA_TIMESTAMP_SIZE];
        int64_t us = 0;
        wpa_error err = {0};
        assert_string_equal(wpa_timestamp_format(cases[i].us, text), cases[i].text);
        assert_true(wpa_timestamp_parse(cases[i].text, &us, &err));
        assert_int_equal(us, cases[i].us);
    }
    int64_t us = 0;
    wpa_error err = {0};
    assert_true(wpa_timestamp_parse("2026-01-02 03:04:05.000006+00", &us, &err));
    assert_int_equal(us, 1767323045000006);
    assert_false(wpa_timestamp_parse("tomorrow", &us, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_gives_zeroed_memory_of_any_size),
        cmocka_unit_test(test_arena_memory_is_zero_again_when_it_is_taken_again),
        cmocka_unit_test(test_arena_lists_grow_without_copies_of_themselves),
        cmocka_unit_test(test_large_arena_holds_what_is_let_go_of),
        cmocka_unit_test(test_page_without_room_on_disk_ends_the_process),
        cmocka_unit_test(test_map_finds_by_keys_that_it_borrows),
        cmocka_unit_test(test_buffer_remembers_what_did_not_fit),
        cmocka_unit_test(test_map_keeps_order_and_replaces),
        cmocka_unit_test(test_queue_says_what_full_means),
        cmocka_unit_test(test_queue_between_threads_loses_nothing),
        cmocka_unit_test(test_files_are_replaced_whole_and_read_within_limits),
        cmocka_unit_test(test_times_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
