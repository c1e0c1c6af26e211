/* A message as Slack's incoming webhooks take it, and those who copy them. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "notify/channel.h"

#define TEXT_MAX_BYTES 12000
#define TEXT_MAX_CHARS 2500

static const struct {
    const char *severity, *colour, *sign;
} looks[] = {
    {"critical", "#b00020", ":rotating_light:"},
    {"error", "#d9480f", ":x:"},
    {"warning", "#e0a800", ":warning:"},
    {"info", "#2f6f4f", ":information_source:"},
};

/** These three mean something to it; nothing else does (mentions and links begin with "<"). */
static const char *escaped(wpa_arena *arena, const char *text)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(TEXT_MAX_BYTES * 5);
    for (const char *c = wpa_text_ellipsis(arena, text, TEXT_MAX_CHARS); *c; c++) {
        switch (*c) {
        case '&':
            wpa_buf_text(buf, "&amp;");
            break;
        case '<':
            wpa_buf_text(buf, "&lt;");
            break;
        case '>':
            wpa_buf_text(buf, "&gt;");
            break;
        default:
            wpa_buf_char(buf, *c);
        }
    }
    return wpa_buf_dup(buf, arena);
}

static void add_field(wpa_json *fields, const char *title, const char *value)
{
    if (value && *value) {
        wpa_json *field = wpa_json_push_object(fields);
        wpa_json_set_text(field, "title", title);
        wpa_json_set_text(field, "value", value);
        wpa_json_set_bool(field, "short", true);
    }
}

static const char *repositories_of(const wpa_delivery *delivery)
{
    const char *text = "";
    size_t n = wpa_json_count(delivery->repositories);
    for (size_t i = 0; i < n && i < 5; i++) {
        text = wpa_arena_printf(delivery->arena, "%s%s%s", text, i ? ", " : "",
                                wpa_json_text_of(wpa_json_at(delivery->repositories, i)));
    }
    return n > 5 ? wpa_arena_printf(delivery->arena, "%s and %zu more", text, n - 5) : text;
}

bool wpa_slack_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    wpa_arena *arena = delivery->arena;
    size_t look = WPA_COUNT(looks) - 1;
    for (size_t i = 0; i < WPA_COUNT(looks); i++) {
        look = wpa_text_is(looks[i].severity, delivery->severity) ? i : look;
    }
    const char *message = escaped(arena, delivery->message);
    wpa_json *object = wpa_json_new_object(arena);
    wpa_json_set_text(object, "text",
                      wpa_arena_printf(arena, "%s %s",
                                       delivery->is_over ? ":white_check_mark:" : looks[look].sign,
                                       message));
    if (wpa_delivery_text(delivery, "channel")) {
        wpa_json_set_text(object, "channel", wpa_delivery_text(delivery, "channel"));
    }
    wpa_json *attachment = wpa_json_push_object(wpa_json_set_array(object, "attachments"));
    wpa_json_set_text(attachment, "color", looks[look].colour);
    wpa_json_set_text(attachment, "fallback", message);
    wpa_json *fields = wpa_json_set_array(attachment, "fields");
    add_field(fields, "event", delivery->event);
    add_field(fields, "severity", delivery->severity);
    add_field(fields, "what", escaped(arena, delivery->short_name));
    add_field(fields, "repositories", escaped(arena, repositories_of(delivery)));
    wpa_json_set_text(attachment, "footer", wpa_arena_printf(arena, "wpa %s", delivery->uid));
    wpa_json_set_int(attachment, "ts", delivery->at_us / 1000000);
    const char *url = delivery->secret ? (const char *)wpa_secret_bytes(delivery->secret)
                                       : wpa_delivery_text(delivery, "url");
    return wpa_delivery_post(delivery, url, wpa_json_dump(object, arena), headers, outcome, err);
}
