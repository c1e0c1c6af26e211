/* The table of channels, and what their settings may be. */
#include <string.h>

#include <wpa/text.h>

#include "notify/channel.h"

#define WORD_MAX_BYTES 1000
#define LIST_MAX 50

/* clang-format off */
#define CA {"ca_file", WPA_NOTIFY_FILE, false, "certificates to trust instead of the system's (PEM)"}

static const wpa_notify_setting webhook[] = {
    {"url", WPA_NOTIFY_URL, true, "where to POST"}, CA,
};
static const wpa_notify_setting slack[] = {
    {"url", WPA_NOTIFY_URL, false, "of the incoming webhook, unless the secret is it"},
    {"channel", WPA_NOTIFY_TEXT, false, "where receivers take it: another channel than the webhook's"}, CA,
};
static const wpa_notify_setting alertmanager[] = {
    {"url", WPA_NOTIFY_URL, true, "of the server; /api/v2/alerts is added"},
    {"labels", WPA_NOTIFY_LABELS, false, "more labels for every alert"}, CA,
};
static const wpa_notify_setting email[] = {
    {"server", WPA_NOTIFY_URL, true, "smtp://host:587 (STARTTLS) or smtps://host:465"},
    {"from", WPA_NOTIFY_MAIL, true, "sender"},
    {"to", WPA_NOTIFY_MAILS, true, "recipients"},
    {"user", WPA_NOTIFY_TEXT, false, "to sign in as, with the secret as password"},
    {"no_tls", WPA_NOTIFY_BOOL, false, "true: speak to the server in the clear"}, CA,
};
static const wpa_notify_setting command[] = {
    {"argv", WPA_NOTIFY_ARGV, true, "program and arguments, run without a shell in the sandbox; JSON on its standard input"},
    {"network", WPA_NOTIFY_BOOL, false, "true: with the host's network"},
};

#define CHANNEL(is, says, has) {.name = #is, .words = says, .secret = has, .settings = is, .n_settings = WPA_COUNT(is)}
static const wpa_notify_channel channels[] = {
    CHANNEL(webhook, "JSON by POST, signed with the secret", "key of the signature"),
    CHANNEL(slack, "a message for Slack, Mattermost and others that take its webhooks", "the whole URL"),
    CHANNEL(alertmanager, "alerts that begin and end, for Prometheus Alertmanager (v2)", "bearer token"),
    CHANNEL(email, "a mail, by SMTP", "password of user"),
    CHANNEL(command, "a program of this host", NULL),
};
/* clang-format on */

static const wpa_channel_send senders[] = {wpa_webhook_send, wpa_slack_send, wpa_alertmanager_send,
                                           wpa_email_send, wpa_command_send};
_Static_assert(WPA_COUNT(senders) == WPA_COUNT(channels), "a channel has a sender");

const wpa_notify_channel *wpa_notify_channel_at(size_t i)
{
    return i < WPA_COUNT(channels) ? &channels[i] : NULL;
}

const wpa_notify_channel *wpa_notify_channel_find(const char *name, wpa_error *err)
{
    for (size_t i = 0; i < WPA_COUNT(channels); i++) {
        if (wpa_text_is(channels[i].name, name)) {
            return &channels[i];
        }
    }
    WPA_FAIL(err, WPA_E_INVALID,
             "field 'channel' must be one of webhook, slack, alertmanager, email, command");
    return NULL;
}

wpa_channel_send wpa_channel_sender(const char *channel)
{
    for (size_t i = 0; i < WPA_COUNT(channels); i++) {
        if (wpa_text_is(channels[i].name, channel)) {
            return senders[i];
        }
    }
    return NULL;
}

/* ---- settings -----------------------------------------------------------------------------------
 */

/** One line without control characters: it may end up in a header. */
static bool is_line(const wpa_json *value)
{
    const char *text = wpa_json_text_of(value);
    size_t length = text ? strlen(text) : 0;
    bool is_clean = length > 0 && length <= WORD_MAX_BYTES;
    for (const char *c = text; is_clean && *c; c++) {
        is_clean = (unsigned char)*c >= ' ' && *c != 0x7f;
    }
    return is_clean;
}

static bool is_mail(const wpa_json *value)
{
    const char *text = wpa_json_text_of(value);
    const char *at = text ? strchr(text, '@') : NULL;
    return is_line(value) && at && at != text && at[1] && !strchr(at + 1, '@') &&
           !strpbrk(text, " <>\",;:()[]\\") && wpa_text_is_ascii(text, strlen(text));
}

/** A user and password in it would be shown; they belong into the secret. */
static bool is_url(const wpa_json *value)
{
    static const char *const schemes[] = {"http://", "https://", "smtp://", "smtps://"};
    const char *text = wpa_json_text_of(value);
    const char *host = NULL;
    for (size_t i = 0; is_line(value) && i < WPA_COUNT(schemes) && !host; i++) {
        host = wpa_text_starts(text, schemes[i]) ? text + strlen(schemes[i]) : NULL;
    }
    size_t length = host ? strcspn(host, "/?#") : 0;
    return length > 0 && !memchr(host, '@', length) && !strchr(text, ' ');
}

static bool is_scheme_right(const wpa_notify_setting *setting, const char *url)
{
    bool is_mail_server = wpa_text_is(setting->name, "server");
    return is_mail_server == (wpa_text_starts(url, "smtp://") || wpa_text_starts(url, "smtps://"));
}

static bool is_list_of(const wpa_json *value, bool (*is_one)(const wpa_json *))
{
    size_t n = wpa_json_count(value);
    bool is_right = wpa_json_kind_of(value) == WPA_JSON_ARRAY && n > 0 && n <= LIST_MAX;
    for (size_t i = 0; is_right && i < n; i++) {
        is_right = is_one(wpa_json_at(value, i));
    }
    return is_right;
}

/** As Prometheus names labels. */
static bool is_label(const char *name)
{
    bool is_right = *name && strlen(name) <= 100 && !(*name >= '0' && *name <= '9');
    for (const char *c = name; is_right && *c; c++) {
        is_right = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' ||
                   (*c >= '0' && *c <= '9');
    }
    return is_right;
}

static bool are_labels(const wpa_json *value)
{
    bool is_right = wpa_json_kind_of(value) == WPA_JSON_OBJECT && wpa_json_count(value) <= LIST_MAX;
    for (size_t i = 0; is_right && i < wpa_json_count(value); i++) {
        is_right = is_label(wpa_json_key_at(value, i)) && is_line(wpa_json_at(value, i));
    }
    return is_right;
}

static bool is_path(const wpa_json *value)
{
    return is_line(value) && wpa_json_text_of(value)[0] == '/';
}

static bool check_one(const wpa_notify_setting *setting, const wpa_json *value, wpa_error *err)
{
    bool is_right = false;
    const char *expected = "";
    switch (setting->type) {
    case WPA_NOTIFY_URL:
        is_right = is_url(value) && is_scheme_right(setting, wpa_json_text_of(value));
        expected = wpa_text_is(setting->name, "server")
                       ? "smtp://host:587 or smtps://host:465, without user and password"
                       : "an http or https URL without user and password";
        break;
    case WPA_NOTIFY_TEXT:
        is_right = is_line(value);
        expected = "one line of text";
        break;
    case WPA_NOTIFY_MAIL:
        is_right = is_mail(value);
        expected = "a mail address, as wpa@example.org";
        break;
    case WPA_NOTIFY_MAILS:
        is_right = is_list_of(value, is_mail);
        expected = "a list of mail addresses";
        break;
    case WPA_NOTIFY_ARGV:
        is_right = is_list_of(value, is_line) && is_path(wpa_json_at(value, 0));
        expected = "a list of words, the first of them the program's whole path";
        break;
    case WPA_NOTIFY_LABELS:
        is_right = are_labels(value);
        expected = "an object of label names and texts";
        break;
    case WPA_NOTIFY_FILE:
        is_right = is_path(value);
        expected = "an absolute path";
        break;
    case WPA_NOTIFY_BOOL:
        is_right = wpa_json_kind_of(value) == WPA_JSON_BOOL;
        expected = "true or false";
        break;
    }
    return is_right ||
           WPA_FAIL(err, WPA_E_INVALID, "field 'settings.%s' must be %s", setting->name, expected);
}

static bool is_known(const wpa_notify_channel *channel, const char *name)
{
    for (size_t i = 0; i < channel->n_settings; i++) {
        if (wpa_text_is(channel->settings[i].name, name)) {
            return true;
        }
    }
    return false;
}

bool wpa_channel_check(const wpa_notify_channel *channel, const wpa_json *settings, bool has_secret,
                       wpa_error *err)
{
    for (size_t i = 0; i < wpa_json_count(settings); i++) {
        if (!is_known(channel, wpa_json_key_at(settings, i))) {
            return WPA_FAIL(err, WPA_E_INVALID, "field 'settings.%s' is none that %s has",
                            wpa_json_key_at(settings, i), channel->name);
        }
    }
    for (size_t i = 0; i < channel->n_settings; i++) {
        const wpa_notify_setting *setting = &channel->settings[i];
        const wpa_json *value = wpa_json_find(settings, setting->name);
        if (!value && setting->is_required) {
            return WPA_FAIL(err, WPA_E_INVALID, "field 'settings.%s' is missing: %s", setting->name,
                            setting->words);
        }
        if (value && !check_one(setting, value, err)) {
            return false;
        }
    }
    if (has_secret && !channel->secret) {
        return WPA_FAIL(err, WPA_E_INVALID, "field 'secret': %s has none", channel->name);
    }
    bool needs_url = wpa_text_is(channel->name, "slack") && !wpa_json_find(settings, "url");
    return !needs_url || has_secret ||
           WPA_FAIL(err, WPA_E_INVALID, "field 'secret' or settings.url must say where to post");
}
