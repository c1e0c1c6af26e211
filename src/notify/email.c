/*
 * Mail. Whatever goes into a header is one line: text from outside is encoded (RFC 2047) unless it
 * is plain ASCII without control characters, so no header and no recipient can be put in through
 * it.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "http/http.h"
#include "notify/channel.h"

#define MESSAGE_MAX_BYTES ((size_t)256 << 10)
#define SUBJECT_MAX_CHARS 150
#define WORD_BYTES 42 /* of text in one encoded word: 56 characters of base64, 75 are allowed */
#define LINE_BYTES 57 /* of a body in one line of 76 characters of base64 */

static bool is_plain(const char *text)
{
    bool is_plain = !strstr(text, "=?");
    for (const char *c = text; is_plain && *c; c++) {
        is_plain = (unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f;
    }
    return is_plain;
}

/** Encoded words of whole characters, one a line. */
static void put_words(wpa_buf *out, const char *text, wpa_arena *arena)
{
    size_t length = strlen(text), at = 0;
    while (at < length) {
        size_t n = length - at < WORD_BYTES ? length - at : WORD_BYTES;
        while (at + n < length && n > 1 && ((unsigned char)text[at + n] & 0xc0) == 0x80) {
            n--;
        }
        wpa_buf_printf(out, "%s=?UTF-8?B?%s?=", at ? "\r\n " : "",
                       wpa_base64_encode(arena, text + at, n, false));
        at += n;
    }
}

static void put_header(wpa_buf *out, const char *name, const char *text, wpa_arena *arena)
{
    wpa_buf_printf(out, "%s: ", name);
    if (is_plain(text)) {
        wpa_buf_text(out, text);
    } else {
        put_words(out, text, arena);
    }
    wpa_buf_text(out, "\r\n");
}

/** In English whatever the locale: that is what the format says. */
static const char *date_of(int64_t time_us, wpa_arena *arena)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm t;
    (void)gmtime_r(&seconds, &t);
    return wpa_arena_printf(arena, "%s, %02d %s %d %02d:%02d:%02d +0000", days[t.tm_wday % 7],
                            t.tm_mday, months[t.tm_mon % 12], t.tm_year + 1900, t.tm_hour, t.tm_min,
                            t.tm_sec);
}

static void put_recipients(wpa_buf *out, const wpa_json *to)
{
    for (size_t i = 0; i < wpa_json_count(to); i++) {
        wpa_buf_printf(out, "%s%s", i ? ",\r\n " : "To: ", wpa_json_text_of(wpa_json_at(to, i)));
    }
    wpa_buf_text(out, "\r\n");
}

static void put_body(wpa_buf *out, const wpa_delivery *delivery)
{
    wpa_arena *arena = delivery->arena;
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(MESSAGE_MAX_BYTES / 2);
    char at[WPA_TIMESTAMP_SIZE];
    wpa_buf_printf(text, "%s\r\n\r\n", delivery->message);
    wpa_buf_printf(text, "event     %s\r\nseverity  %s\r\nwhat      %s\r\nat        %s\r\n",
                   delivery->event, delivery->severity, delivery->short_name,
                   wpa_timestamp_format(delivery->at_us, at));
    for (size_t i = 0; i < wpa_json_count(delivery->repositories); i++) {
        wpa_buf_printf(text, "%s%s\r\n", i ? "          " : "where     ",
                       wpa_json_text_of(wpa_json_at(delivery->repositories, i)));
    }
    wpa_buf_printf(text, "\r\n%s\r\n", wpa_json_dump_pretty(delivery->detail, arena));
    const char *data = wpa_buf_data(text);
    for (size_t i = 0; i < wpa_buf_size(text); i += LINE_BYTES) {
        size_t left = wpa_buf_size(text) - i;
        wpa_buf_printf(
            out, "%s\r\n",
            wpa_base64_encode(arena, data + i, left < LINE_BYTES ? left : LINE_BYTES, false));
    }
}

static void put_message(wpa_buf *out, const wpa_delivery *delivery, const char *from)
{
    wpa_arena *arena = delivery->arena;
    const char *subject = wpa_text_ellipsis(
        arena,
        wpa_arena_printf(arena, "[wpa %s] %s", delivery->is_over ? "over" : delivery->severity,
                         delivery->message),
        SUBJECT_MAX_CHARS);
    const char *domain = strchr(from, '@') + 1;
    put_header(out, "From", from, arena);
    put_recipients(out, wpa_json_find(delivery->settings, "to"));
    put_header(out, "Subject", subject, arena);
    wpa_buf_printf(out, "Date: %s\r\n", date_of(delivery->at_us, arena));
    wpa_buf_printf(out, "Message-ID: <%s@%s>\r\n", delivery->uid, domain);
    if (delivery->matter) { /* mail programs show a matter as one thread */
        wpa_buf_printf(out, "References: <matter-%lld@%s>\r\n",
                       (long long)delivery->matter->started_at_us, domain);
    }
    put_header(out, "X-Wpa-Event", delivery->event, arena);
    put_header(out, "X-Wpa-Delivery", delivery->uid, arena);
    wpa_buf_text(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                      "Content-Type: text/plain; charset=UTF-8\r\n"
                      "Content-Transfer-Encoding: base64\r\n\r\n");
    put_body(out, delivery);
}

bool wpa_email_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err)
{
    wpa_arena *arena = delivery->arena;
    const wpa_json *to = wpa_json_find(delivery->settings, "to");
    const char *from = wpa_delivery_text(delivery, "from");
    const char **recipients = wpa_arena_array(arena, wpa_json_count(to) + 1, sizeof *recipients);
    for (size_t i = 0; i < wpa_json_count(to); i++) {
        recipients[i] = wpa_json_text_of(wpa_json_at(to, i));
    }
    recipients[wpa_json_count(to)] = NULL;
    WPA_AUTO(wpa_buf) *message = wpa_buf_new(MESSAGE_MAX_BYTES);
    put_message(message, delivery, from);
    if (!wpa_buf_check(message, "mail", err)) {
        return false;
    }
    const wpa_http_mail mail = {
        .server = wpa_delivery_text(delivery, "server"),
        .is_plain = wpa_json_bool_of(wpa_json_find(delivery->settings, "no_tls"), false),
        .user = wpa_delivery_text(delivery, "user"),
        .password = delivery->secret ? (const char *)wpa_secret_bytes(delivery->secret) : NULL,
        .sender = from,
        .recipients = recipients,
        .message = wpa_buf_data(message),
        .message_bytes = wpa_buf_size(message),
        .timeout_ms = delivery->timeout_ms,
        .is_private_refused = !delivery->is_private_allowed,
        .tls_roots = wpa_delivery_text(delivery, "ca_file"),
        .is_cancelled = delivery->is_stopped,
        .cancel_context = delivery->context,
    };
    const char *answer = NULL;
    int64_t started_ms = wpa_monotonic_ms();
    bool is_taken = wpa_http_mail_send(&mail, arena, &answer, &outcome->status, err);
    outcome->latency_ms = wpa_monotonic_ms() - started_ms;
    outcome->answer = answer ? wpa_text_visible(arena, answer, strlen(answer), false) : NULL;
    return is_taken;
}
