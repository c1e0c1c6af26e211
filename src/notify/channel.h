/* Inside src/notify only: a delivery on its way through its channel. */
#pragma once

#include "auth/secret.h"
#include "notify/notify.h"

#define WPA_NOTIFY_ANSWER_MAX_BYTES 500
/* Alerts are said again this often, and stand for four times it. */
#define WPA_NOTIFY_REPEAT_MS 120000

typedef struct wpa_matter {
    const char *key, *kind, *severity, *subject, *summary;
    const wpa_json *repositories;
    int64_t started_at_us, ended_at_us; /* 0: it lasts */
} wpa_matter;

typedef struct wpa_delivery {
    int64_t id, token, at_us;
    const char *uid; /* the same for every try */
    const char *event, *severity, *subject, *short_name, *message;
    const wpa_json *detail, *repositories;
    bool is_over, is_test;
    int tries, max_tries;
    int failures; /* of the destination, one after the other, before this one */

    int64_t destination_id, timeout_ms;
    const char *destination, *channel;
    const wpa_json *settings;
    const char *secret_reference; /* or NULL */
    bool is_private_allowed;
    bool is_spent; /* it has no try left: whoever made the last one never came back */

    const wpa_matter *matter; /* or NULL */
    const wpa_secret *secret; /* read before it is sent, or NULL */
    bool is_secret_missing;   /* it could not be read here */
    wpa_arena *arena;
    bool (*is_stopped)(void *context);
    void *context;
} wpa_delivery;

/** What the receiver said. */
typedef struct wpa_outcome {
    int status;         /* of HTTP or SMTP, or an exit code; 0: none */
    const char *answer; /* its first bytes, made visible; NULL: none */
    int64_t latency_ms;
    int64_t retry_after_ms; /* that it asks for */
    bool is_final;          /* trying again is of no use */
} wpa_outcome;

/** Deliver; false with *err set if it was not taken. */
typedef bool (*wpa_channel_send)(const wpa_delivery *delivery, wpa_outcome *outcome,
                                 wpa_error *err);

bool wpa_webhook_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err);
bool wpa_slack_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err);
bool wpa_alertmanager_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err);
bool wpa_email_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err);
bool wpa_command_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err);

wpa_channel_send wpa_channel_sender(const char *channel);

/** Are these settings what the channel takes? Errors INVALID, naming the field. */
bool wpa_channel_check(const wpa_notify_channel *channel, const wpa_json *settings, bool has_secret,
                       wpa_error *err) WPA_CHECK;
/** JSON of a column of the first row; NULL with *err set. */
const wpa_json *wpa_notify_json_at(const wpa_rows *rows, size_t col, wpa_arena *arena,
                                   wpa_error *err);
/** Text of a setting, NULL if it is not there. */
const char *wpa_delivery_text(const wpa_delivery *delivery, const char *setting);
/** The delivery as webhooks and commands get it. */
const char *wpa_delivery_json(const wpa_delivery *delivery);
/** POST a JSON body; false unless it was answered with 2xx. headers: NULL-terminated, or NULL. */
bool wpa_delivery_post(const wpa_delivery *delivery, const char *url, const char *body,
                       const char *const *headers, wpa_outcome *outcome, wpa_error *err) WPA_CHECK;
