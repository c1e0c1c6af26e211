/* Secrets that are encrypted with the key of a file: by what they open, and by what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/seal.h"

#define PLAIN "twenty bytes of seed"
#define PLAIN_BYTES (sizeof PLAIN - 1)
#define SEALED_BYTES (PLAIN_BYTES + WPA_SEAL_EXTRA_BYTES)
#define WHAT "one-time code of 2"

typedef struct fixture {
    wpa_arena *arena;
    char *folder, *path, *other;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    wpa_error err = {0};
    f.arena = wpa_arena_new();
    f.folder = wpa_dir_temp("/tmp/wpa-seal-", f.arena, &err);
    f.path = wpa_path_join(f.arena, f.folder, "codes.key");
    f.other = wpa_path_join(f.arena, f.folder, "other.key");
    assert_true(wpa_seal_make_key(f.path, &err) && wpa_seal_make_key(f.other, &err));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    assert_true(wpa_dir_remove(f->folder, &err));
    wpa_arena_free(f->arena);
    return 0;
}

static uint8_t *seal(fixture *f)
{
    wpa_error err = {0};
    uint8_t *sealed = wpa_seal(f->path, WHAT, PLAIN, PLAIN_BYTES, f->arena, &err);
    assert_non_null(sealed);
    return sealed;
}

static wpa_code open_it(const char *path, const char *what, const uint8_t *sealed, size_t n)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_secret) *opened = wpa_unseal(path, what, sealed, n, &err);
    assert_true((opened == NULL) == (err.code != WPA_OK));
    if (opened) {
        assert_int_equal(wpa_secret_size(opened), PLAIN_BYTES);
        assert_memory_equal(wpa_secret_bytes(opened), PLAIN, PLAIN_BYTES);
    }
    return err.code;
}

static void it_opens_as_what_it_is_alone(void **state)
{
    fixture *f = *state;
    const uint8_t *sealed = seal(f), *again = seal(f);
    assert_int_equal(open_it(f->path, WHAT, sealed, SEALED_BYTES), WPA_OK);
    assert_int_equal(open_it(f->path, "one-time code of 3", sealed, SEALED_BYTES), WPA_E_INVALID);
    assert_int_equal(open_it(f->other, WHAT, sealed, SEALED_BYTES), WPA_E_INVALID);
    assert_int_equal(open_it(NULL, WHAT, sealed, SEALED_BYTES), WPA_E_UNAVAILABLE);
    assert_int_not_equal(memcmp(sealed, again, SEALED_BYTES), 0); /* a new nonce each time */
    assert_null(memmem(sealed, SEALED_BYTES, PLAIN, 8));
}

static void what_was_changed_does_not_open(void **state)
{
    fixture *f = *state;
    uint8_t *sealed = seal(f);
    for (size_t i = 0; i < SEALED_BYTES; i++) {
        sealed[i] ^= 1;
        assert_int_equal(open_it(f->path, WHAT, sealed, SEALED_BYTES), WPA_E_INVALID);
        sealed[i] ^= 1;
        assert_int_equal(open_it(f->path, WHAT, sealed, i), WPA_E_INVALID);
    }
    assert_int_equal(open_it(f->path, WHAT, sealed, SEALED_BYTES), WPA_OK);
}

static void a_file_that_is_not_right_is_no_key(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    static const char *const texts[] = {"", "XC20P \n", "XC20P AAAA\n", "HS256 k AAAA\n",
                                        "XC20P !\n"};
    const uint8_t *sealed = seal(f);
    assert_true(wpa_seal_has_key(f->path));
    assert_int_equal(chmod(f->path, 0640), 0);
    assert_int_equal(open_it(f->path, WHAT, sealed, SEALED_BYTES), WPA_E_DENIED);
    assert_null(wpa_seal(f->path, WHAT, PLAIN, PLAIN_BYTES, f->arena, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        wpa_error_clear(&err);
        assert_true(wpa_file_replace(f->path, texts[i], strlen(texts[i]), 0600, &err));
        assert_int_equal(open_it(f->path, WHAT, sealed, SEALED_BYTES), WPA_E_INVALID);
        assert_true(wpa_seal_make_key(f->path, &err)); /* nothing of what is there is replaced */
        assert_int_equal(open_it(f->path, WHAT, sealed, SEALED_BYTES), WPA_E_INVALID);
    }
    assert_int_equal(unlink(f->path), 0);
    assert_false(wpa_seal_has_key(f->path));
    assert_false(wpa_seal_has_key(NULL));
    assert_int_equal(open_it(f->path, WHAT, sealed, SEALED_BYTES), WPA_E_UNAVAILABLE);
    assert_int_equal(symlink(f->other, f->path), 0);
    assert_int_equal(open_it(f->path, WHAT, sealed, SEALED_BYTES), WPA_E_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_opens_as_what_it_is_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_changed_does_not_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_right_is_no_key, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
