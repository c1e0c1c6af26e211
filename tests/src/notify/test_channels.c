/* What is said of a delivery that was not taken: never an address that is a secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "harness/patience.h"
#include "http/http.h"
#include "notify/channel.h"

#define LONG_PATH_BYTES 1500

typedef struct refused_case {
    const char *title, *channel, *url;
    bool is_secret;          /* the URL is not a setting */
    bool is_private_allowed; /* then nobody listens there */
    const char *has;         /* in the words */
} refused_case;

static const refused_case cases[] = {
    {"a setting of Slack", "slack", "http://127.0.0.1:1/services/hunter2", false, true,
     "http://127.0.0.1:1/..."},
    {"that, refused", "slack", "http://127.0.0.1:1/services/hunter2", false, false,
     "http://127.0.0.1:1/...' leads to an address of this host"},
    {"a secret of Slack", "slack", "http://127.0.0.1:1/services/hunter2", true, true, "the secret"},
    {"that, refused", "slack", "http://127.0.0.1:1/services/hunter2", true, false,
     "leads to an address of this host"},
    {"a secret that is no address", "slack", "hunter2 is no address", true, true, "the secret"},
    {"the query of a webhook", "webhook", "http://127.0.0.1:1/hook?key=hunter2", false, true,
     "http://127.0.0.1:1/hook?..."},
    {"a webhook without one", "webhook", "http://127.0.0.1:1/hook", false, true,
     "http://127.0.0.1:1/hook"},
    {"of an Alertmanager", "alertmanager", "http://127.0.0.1:1/?key=hunter2", false, false,
     "http://127.0.0.1:1/?...' leads to"},
};

static void send_refused(const refused_case *c, const char *url)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_secret) *secret = c->is_secret ? wpa_secret_new(url, strlen(url)) : NULL;
    wpa_json *settings = wpa_json_new_object(arena);
    if (!c->is_secret) {
        wpa_json_set_text(settings, "url", url);
    }
    const wpa_delivery delivery = {
        .uid = "0b8f0d4e-2d4c-4b7e-9f1e-6a3f6d1c2b5a",
        .event = "notice.error",
        .severity = "error",
        .message = "a deployment failed",
        .short_name = "d-1",
        .detail = wpa_json_new_object(arena),
        .repositories = wpa_json_new_array(arena),
        .timeout_ms = WPA_PATIENCE_MS,
        .channel = c->channel,
        .settings = settings,
        .is_private_allowed = c->is_private_allowed,
        .secret = secret,
        .arena = arena,
    };
    wpa_outcome outcome = {0};
    wpa_error err = {0};
    char text[sizeof err.message + sizeof err.context];
    assert_false(wpa_channel_sender(c->channel)(&delivery, &outcome, &err));
    const char *said = wpa_error_text(&err, text, sizeof text);
    if (strstr(said, "hunter2") || !strstr(said, c->has)) {
        fail_msg("%s: %s", c->title, said);
    }
}

static void an_address_that_is_a_secret_is_not_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        send_refused(&cases[i], cases[i].url);
    }
    /* Nor where it is longer than a message. */
    static const refused_case huge = {"a long one", "slack", NULL, true, true, "the secret"};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char *path = wpa_arena_alloc(arena, LONG_PATH_BYTES + 1);
    memset(path, 'a', LONG_PATH_BYTES);
    send_refused(&huge, wpa_arena_printf(arena, "http://127.0.0.1:1/hunter2/%s", path));
}

int main(void)
{
    wpa_error err = {0};
    if (!wpa_http_init(&err)) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_is_a_secret_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
