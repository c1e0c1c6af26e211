#include <fcntl.h>
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

#include "auth/hash.h"
#include "auth/password.h"
#include "auth/token.h"

#define NOW 1800000000
#define JTI "9b2f0c5e-8a44-4f6f-9d7e-2f1f0d9c1a11"

/* 32 bytes of 'k', so that the test can sign what it likes. */
static const char key_line[] = "HS256 test a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s\n";

typedef struct fixture {
    wpa_arena *arena;
    char *folder, *path;
    wpa_token_keys *keys;
} fixture;

static int set_up(void **state)
{
    wpa_error err = {0};
    static fixture made;
    made.arena = wpa_arena_new();
    made.folder = wpa_dir_temp("/tmp/wpa-token-", made.arena, &err);
    made.path = wpa_path_join(made.arena, made.folder, "keys");
    bool is_good = wpa_file_replace(made.path, key_line, strlen(key_line), 0600, &err);
    made.keys = is_good ? wpa_token_keys_open(made.path, &err) : NULL;
    *state = &made;
    return made.keys ? 0 : 1;
}

static int tear_down(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_token_keys_free(made->keys);
    bool is_gone = wpa_dir_remove(made->folder, &err);
    wpa_arena_free(made->arena);
    return is_gone ? 0 : 1;
}

static char *sign(wpa_arena *arena, const char *header, const char *payload, const char *key)
{
    char *input =
        wpa_arena_printf(arena, "%s.%s", wpa_base64_encode(arena, header, strlen(header), true),
                         wpa_base64_encode(arena, payload, strlen(payload), true));
    uint8_t mac[WPA_SHA256_SIZE];
    wpa_hmac_sha256(key, strlen(key), input, strlen(input), mac);
    return wpa_arena_printf(arena, "%s.%s", input, wpa_base64_encode(arena, mac, sizeof mac, true));
}

#define KEY "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"test\"}"
#define WHO "\"sub\":\"mira\",\"role\":\"guardian\",\"jti\":\"" JTI "\""
#define TIMES "\"iat\":1799999990,\"exp\":1800000100"
#define GOOD "{\"iss\":\"wpa\",\"aud\":\"wpa\"," WHO "," TIMES "}"

static void test_every_fault_gets_the_same_words(void **state)
{
    fixture *made = *state;
    static const struct {
        const char *title, *header, *payload, *key, *why;
    } cases[] = {
        {"good", HEADER, GOOD, KEY, NULL},
        {"audience in a list", HEADER,
         "{\"iss\":\"wpa\",\"aud\":[\"x\",\"wpa\"]," WHO "," TIMES "}", KEY, NULL},
        {"not before, soon", HEADER,
         "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"nbf\":1800000030," WHO "," TIMES "}", KEY, NULL},
        {"none", "{\"alg\":\"none\",\"kid\":\"test\"}", GOOD, KEY, "algorithm"},
        {"other algorithm", "{\"alg\":\"HS512\",\"kid\":\"test\"}", GOOD, KEY, "algorithm"},
        {"confused algorithm", "{\"alg\":\"RS256\",\"kid\":\"test\"}", GOOD, KEY, "algorithm"},
        {"algorithm in lower case", "{\"alg\":\"hs256\",\"kid\":\"test\"}", GOOD, KEY, "algorithm"},
        {"no algorithm", "{\"kid\":\"test\"}", GOOD, KEY, "algorithm"},
        {"two algorithms", "{\"alg\":\"none\",\"alg\":\"HS256\",\"kid\":\"test\"}", GOOD, KEY,
         "malformed"},
        {"other type", "{\"alg\":\"HS256\",\"typ\":\"JWE\",\"kid\":\"test\"}", GOOD, KEY, "type"},
        {"type of access tokens", "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"test\"}", GOOD,
         KEY, "type"},
        {"critical", "{\"alg\":\"HS256\",\"crit\":[\"x\"],\"kid\":\"test\"}", GOOD, KEY,
         "critical header"},
        {"unknown key", "{\"alg\":\"HS256\",\"kid\":\"other\"}", GOOD, KEY, "unknown key"},
        {"no key named", "{\"alg\":\"HS256\"}", GOOD, KEY, "unknown key"},
        {"wrong key", HEADER, GOOD, "another key another key another.", "signature"},
        {"empty key", HEADER, GOOD, "", "signature"},
        {"expired", HEADER,
         "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"iat\":1,\"exp\":1800000000," WHO "}", KEY, "expired"},
        {"expires as text", HEADER,
         "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"iat\":1,\"exp\":\"1900000000\"," WHO "}", KEY,
         "times"},
        {"expires as real", HEADER,
         "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"iat\":1,\"exp\":1.9e9," WHO "}", KEY, "times"},
        {"never expires", HEADER, "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"iat\":1," WHO "}", KEY,
         "times"},
        {"expires twice", HEADER, "{\"exp\":1,\"iss\":\"wpa\",\"aud\":\"wpa\"," WHO "," TIMES "}",
         KEY, "malformed"},
        {"not before", HEADER,
         "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"nbf\":1800000090," WHO "," TIMES "}", KEY,
         "not yet valid"},
        {"from the future", HEADER,
         "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"iat\":1800000090,\"exp\":1900000000," WHO "}", KEY,
         "not yet valid"},
        {"other issuer", HEADER, "{\"iss\":\"x\",\"aud\":\"wpa\"," WHO "," TIMES "}", KEY,
         "issuer"},
        {"other audience", HEADER, "{\"iss\":\"wpa\",\"aud\":\"x\"," WHO "," TIMES "}", KEY,
         "audience"},
        {"no audience", HEADER, "{\"iss\":\"wpa\"," WHO "," TIMES "}", KEY, "audience"},
        {"audience null", HEADER, "{\"iss\":\"wpa\",\"aud\":null," WHO "," TIMES "}", KEY,
         "audience"},
        {"subject a number", HEADER,
         "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"sub\":1,\"role\":\"guardian\",\"jti\":\"" JTI
         "\"," TIMES "}",
         KEY, "identity"},
        {"session no uuid", HEADER,
         "{\"iss\":\"wpa\",\"aud\":\"wpa\",\"sub\":\"m\",\"role\":\"guardian\",\"jti\":\"1\"," TIMES
         "}",
         KEY, "identity"},
        {"payload a list", HEADER, "[]", KEY, "malformed"},
        {"payload empty", HEADER, "", KEY, "malformed"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        wpa_token_claims claims;
        const char *why = "unset";
        char *token = sign(made->arena, cases[i].header, cases[i].payload, cases[i].key);
        bool is_good = wpa_token_verify(made->keys, token, NOW, made->arena, &claims, &why, &err);
        if (!wpa_text_is(why, cases[i].why)) {
            fail_msg("%s: '%s' instead of '%s'", cases[i].title, why, cases[i].why);
        }
        assert_int_equal(is_good, cases[i].why == NULL);
        if (is_good) {
            assert_string_equal(claims.subject, "mira");
        } else {
            assert_int_equal(err.code, WPA_E_DENIED);
            assert_string_equal(err.message, "the token is not valid; sign in again");
            assert_null(claims.subject);
        }
    }
}

static void test_broken_shapes_are_refused(void **state)
{
    fixture *made = *state;
    char *good = sign(made->arena, HEADER, GOOD, KEY);
    char *tampered = wpa_arena_text(made->arena, good);
    char *at = strchr(tampered, '.') + 5;
    *at = *at == 'A' ? 'B' : 'A';
    char *unsigned_token = wpa_arena_text(made->arena, good);
    strrchr(unsigned_token, '.')[1] = 0;
    char *huge = wpa_arena_alloc(made->arena, 2 * WPA_TOKEN_MAX_BYTES);
    memset(huge, 'a', 2 * WPA_TOKEN_MAX_BYTES - 1);
    const char *const tokens[] = {
        NULL,
        "",
        ".",
        "..",
        "a.b.c",
        "a.b",
        tampered,
        unsigned_token,
        huge,
        wpa_arena_printf(made->arena, "%s.x", good),
        wpa_arena_printf(made->arena, "%s\n", good),
        wpa_arena_printf(made->arena, "%s=", good),
        wpa_arena_printf(made->arena, " %s", good),
    };
    for (size_t i = 0; i < WPA_COUNT(tokens); i++) {
        wpa_error err = {0};
        wpa_token_claims claims;
        assert_false(
            wpa_token_verify(made->keys, tokens[i], NOW, made->arena, &claims, NULL, &err));
        assert_int_equal(err.code, WPA_E_DENIED);
        assert_string_equal(err.message, "the token is not valid; sign in again");
    }
}

static void test_what_is_issued_verifies_until_it_expires(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_token_claims in = {"mira \"the\" first", "guardian", JTI, NOW, NOW + 100}, out;
    char *token = wpa_token_issue(made->keys, &in, made->arena, &err);
    assert_non_null(token);
    assert_true(wpa_token_verify(made->keys, token, NOW + 99, made->arena, &out, NULL, &err));
    assert_string_equal(out.subject, in.subject);
    assert_string_equal(out.role, in.role);
    assert_string_equal(out.jti, in.jti);
    assert_int_equal(out.expires_at_s, in.expires_at_s);
    assert_false(wpa_token_verify(made->keys, token, NOW + 100, made->arena, &out, NULL, &err));
}

static void test_key_file_is_made_once_and_kept_private(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_token_claims in = {"mira", "guardian", JTI, NOW, NOW + 100}, out;
    char *path = wpa_path_join(made->arena, made->folder, "fresh");
    struct stat info;
    WPA_AUTO(wpa_token_keys) *first = wpa_token_keys_open(path, &err);
    WPA_AUTO(wpa_token_keys) *second = wpa_token_keys_open(path, &err);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    char *token = wpa_token_issue(first, &in, made->arena, &err);
    assert_true(wpa_token_verify(second, token, NOW, made->arena, &out, NULL, &err));
    assert_false(wpa_token_verify(made->keys, token, NOW, made->arena, &out, NULL, &err));
    assert_int_equal(chmod(path, 0640), 0);
    assert_null(wpa_token_keys_open(path, &err));
    assert_int_equal(err.code, WPA_E_DENIED);
}

static void test_bad_key_files_are_refused(void **state)
{
    fixture *made = *state;
    static const char *const contents[] = {
        "",
        "HS256\n",
        "HS256 a\n",
        "HS256 a c2hvcnQ\n",
        "none a a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s\n",
        "HS256 a not!base64\n",
        "HS256 a a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s soon\n",
        "HS256 a a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s 1 2\n",
        "HS256  a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s\n",
    };
    for (size_t i = 0; i < WPA_COUNT(contents); i++) {
        wpa_error err = {0};
        char *path = wpa_path_join(made->arena, made->folder, "bad");
        assert_true(wpa_file_replace(path, contents[i], strlen(contents[i]), 0600, &err));
        assert_null(wpa_token_keys_open(path, &err));
        assert_int_equal(err.code, WPA_E_INVALID);
    }
}

static void test_rotation_keeps_old_tokens(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    wpa_token_claims in = {"mira", "guardian", JTI, NOW, NOW + 100}, out;
    char *old = wpa_token_issue(made->keys, &in, made->arena, &err);
    char *path = wpa_path_join(made->arena, made->folder, "rotated");
    char *text = wpa_arena_printf(
        made->arena, "HS256 next bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4\n%s", key_line);
    assert_true(wpa_file_replace(path, text, strlen(text), 0600, &err));
    WPA_AUTO(wpa_token_keys) *keys = wpa_token_keys_open(path, &err);
    assert_non_null(keys);
    char *fresh = wpa_token_issue(keys, &in, made->arena, &err);
    assert_true(wpa_token_verify(keys, old, NOW, made->arena, &out, NULL, &err));
    assert_true(wpa_token_verify(keys, fresh, NOW, made->arena, &out, NULL, &err));
    assert_false(wpa_token_verify(made->keys, fresh, NOW, made->arena, &out, NULL, &err));
}

static void test_keys_have_an_end(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    const char *why = NULL;
    wpa_token_claims in = {"mira", "guardian", JTI, NOW, NOW + 1000}, out;
    char *old = wpa_token_issue(made->keys, &in, made->arena, &err);
    char *path = wpa_path_join(made->arena, made->folder, "ended");
    char *text = wpa_arena_printf(
        made->arena, "HS256 next bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4\n%.*s %d\n",
        (int)strlen(key_line) - 1, key_line, NOW + 50);
    assert_true(wpa_file_replace(path, text, strlen(text), 0600, &err));
    WPA_AUTO(wpa_token_keys) *keys = wpa_token_keys_open(path, &err);
    assert_non_null(keys);
    assert_true(wpa_token_verify(keys, old, NOW + 49, made->arena, &out, NULL, &err));
    assert_false(wpa_token_verify(keys, old, NOW + 50, made->arena, &out, &why, &err));
    assert_string_equal(why, "ended key");
}

/* One that is open sees the rotation at once, as a server must. */
static void test_rotation_is_seen_by_those_who_run(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    size_t n = 0;
    const char *why = NULL;
    wpa_token_claims in = {"mira", "guardian", JTI, NOW, NOW + 1000}, out;
    char *path = wpa_path_join(made->arena, made->folder, "running");
    WPA_AUTO(wpa_token_keys) *server = wpa_token_keys_open(path, &err);
    assert_non_null(server);
    char *first = wpa_token_issue(server, &in, made->arena, &err);
    assert_true(wpa_token_keys_rotate(path, NOW, 500, &err));
    WPA_AUTO(wpa_token_keys) *other = wpa_token_keys_open(path, &err);
    assert_non_null(other);
    char *second = wpa_token_issue(other, &in, made->arena, &err);
    assert_true(wpa_token_verify(server, second, NOW, made->arena, &out, NULL, &err));
    assert_true(wpa_token_verify(server, first, NOW + 499, made->arena, &out, NULL, &err));
    assert_false(wpa_token_verify(server, first, NOW + 500, made->arena, &out, NULL, &err));
    const wpa_token_key_info *items = wpa_token_keys_list(server, made->arena, &n);
    assert_int_equal(n, 2);
    assert_true(items[0].is_signing && !items[1].is_signing);
    assert_int_equal(items[0].until_s, 0);
    assert_int_equal(items[1].until_s, NOW + 500);
    /* A later rotation lets go what verifies nothing any more. */
    assert_true(wpa_token_keys_rotate(path, NOW + 600, 500, &err));
    items = wpa_token_keys_list(server, made->arena, &n);
    assert_int_equal(n, 2);
    assert_int_equal(items[1].until_s, NOW + 1100);
    /* And a key that somebody else may know is trusted no more. */
    assert_true(wpa_token_keys_rotate(path, NOW + 600, 0, &err));
    assert_false(wpa_token_verify(server, second, NOW, made->arena, &out, &why, &err));
    assert_string_equal(why, "unknown key");
    char *third = wpa_token_issue(server, &in, made->arena, &err);
    assert_true(wpa_token_verify(other, third, NOW, made->arena, &out, NULL, &err));
    for (int i = 0; i < 20 && wpa_token_keys_rotate(path, NOW, 500, &err); i++) {
    }
    assert_int_equal(err.code, WPA_E_LIMIT);
}

static const char *why_refused(fixture *made, const char *token)
{
    wpa_error err = {0};
    wpa_token_claims out;
    const char *why = NULL;
    (void)!wpa_token_verify(made->keys, token, NOW, made->arena, &out, &why, &err);
    return why ? why : "good";
}

static void write_keys(fixture *made, const char *text)
{
    wpa_error err = {0};
    assert_true(wpa_file_replace(made->path, text, strlen(text), 0600, &err));
}

static void take_away(fixture *made)
{
    (void)unlink(made->path);
}

static void break_it(fixture *made)
{
    write_keys(made, "HS256 x\n");
}

static void open_it(fixture *made)
{
    assert_int_equal(chmod(made->path, 0640), 0);
}

static void make_it_a_link(fixture *made)
{
    (void)unlink(made->path);
    assert_int_equal(symlink("/dev/null", made->path), 0);
}

/* Nothing is signed or verified by a file that would not be opened; said once, until it is right.
 */
static void test_without_the_file_there_are_no_keys(void **state)
{
    fixture *made = *state;
    void (*const harms[])(fixture *) = {take_away, break_it, open_it, make_it_a_link};
    wpa_error err = {0};
    wpa_token_claims in = {"mira", "guardian", JTI, NOW, NOW + 100};
    char *log_path = wpa_path_join(made->arena, made->folder, "log");
    int fd = open(log_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    WPA_AUTO(wpa_log) *log = wpa_log_new(fd, WPA_LOG_INFO);
    wpa_token_keys_set_log(made->keys, log);
    char *token = wpa_token_issue(made->keys, &in, made->arena, &err);
    for (size_t i = 0; i < WPA_COUNT(harms); i++) {
        size_t size = 0;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_string_equal(why_refused(made, token), "good");
        harms[i](made);
        for (int k = 0; k < 3; k++) {
            assert_string_equal(why_refused(made, token), "no key file");
            wpa_error_clear(&err);
            assert_null(wpa_token_issue(made->keys, &in, made->arena, &err));
            assert_int_equal(err.code, WPA_E_UNAVAILABLE);
        }
        write_keys(made, key_line);
        assert_string_equal(why_refused(made, token), "good");
        const char *said = wpa_file_read(log_path, 8192, made->arena, &size, &err);
        const char *first = strstr(said, "no token is taken");
        assert_non_null(first);
        assert_null(strstr(first + 1, "no token is taken"));
        assert_non_null(strstr(first, "can be used again"));
    }
    wpa_token_keys_set_log(made->keys, NULL);
    (void)close(fd);
}

static void test_passphrases(void **state)
{
    (void)state;
    wpa_error err = {0};
    char hash[WPA_PASSWORD_HASH_SIZE], again[WPA_PASSWORD_HASH_SIZE];
    WPA_AUTO(wpa_secret) *right = wpa_secret_new("correct horse", 13);
    WPA_AUTO(wpa_secret) *wrong = wpa_secret_new("correct horsf", 13);
    WPA_AUTO(wpa_secret) *brief = wpa_secret_new("horse", 5);
    WPA_AUTO(wpa_secret) *control = wpa_secret_new("correct\nhorse", 13);
    assert_true(wpa_passphrase_check(right, &err));
    assert_false(wpa_passphrase_check(brief, &err));
    assert_false(wpa_passphrase_check(control, &err));
    assert_true(wpa_password_hash(right, hash, &err));
    assert_true(wpa_password_hash(right, again, &err));
    assert_true(wpa_text_starts(hash, "$argon2id$"));
    assert_string_not_equal(hash, again);
    assert_true(wpa_password_verify(hash, right));
    assert_false(wpa_password_verify(hash, wrong));
    assert_false(wpa_password_verify(NULL, right));
    assert_false(wpa_password_verify("nonsense", right));
    assert_false(wpa_password_is_outdated(hash));
    assert_false(wpa_secret_is(right, wrong));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_fault_gets_the_same_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_shapes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_issued_verifies_until_it_expires, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_key_file_is_made_once_and_kept_private, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_bad_key_files_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rotation_keeps_old_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys_have_an_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rotation_is_seen_by_those_who_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_the_file_there_are_no_keys, set_up, tear_down),
        cmocka_unit_test(test_passphrases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
