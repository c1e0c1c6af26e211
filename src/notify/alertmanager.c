/*
 * Alerts for Prometheus Alertmanager, version 2 of its API. An alert is its labels: the same ones
 * tell of its beginning and its end. While it lasts it is said again, and each time it stands for a
 * while longer: an Alertmanager that was started anew knows it again, and one that hears no more
 * takes it for over.
 */
#include <wpa/clock.h>
#include <wpa/text.h>

#include "notify/channel.h"

#define STANDS_US (4 * INT64_C(1000) * WPA_NOTIFY_REPEAT_MS)

static const struct {
    const char *kind, *name;
} names[] = {
    {"deployment", "WpaDeploymentInTrouble"},
    {"patch", "WpaPatchFailed"},
    {"repository", "WpaRepositoryUnreadable"},
    {"findings", "WpaOpenFindings"},
    {"audit", "WpaAuditLogBroken"},
};

static const char *name_of(const wpa_delivery *delivery)
{
    for (size_t i = 0; delivery->matter && i < WPA_COUNT(names); i++) {
        if (wpa_text_is(names[i].kind, delivery->matter->kind)) {
            return names[i].name;
        }
    }
    return "WpaTest";
}

static void set_labels(wpa_json *labels, const wpa_delivery *delivery)
{
    const wpa_json *more = wpa_json_find(delivery->settings, "labels");
    const wpa_matter *matter = delivery->matter;
    for (size_t i = 0; i < wpa_json_count(more); i++) {
        wpa_json_set_text(labels, wpa_json_key_at(more, i), wpa_json_text_of(wpa_json_at(more, i)));
    }
    wpa_json_set_text(labels, "alertname", name_of(delivery));
    wpa_json_set_text(labels, "severity", matter ? matter->severity : "info");
    wpa_json_set_text(labels, "matter", matter ? matter->key : delivery->subject);
    if (matter && wpa_json_count(matter->repositories) == 1) {
        wpa_json_set_text(labels, "repository",
                          wpa_json_text_of(wpa_json_at(matter->repositories, 0)));
    }
}

/** Of a test: a moment ago to now, so that nothing stays behind. */
static void set_times(wpa_json *alert, const wpa_delivery *delivery)
{
    char text[WPA_TIMESTAMP_SIZE];
    const wpa_matter *matter = delivery->matter;
    int64_t now_us = wpa_now_us();
    int64_t starts_us = matter ? matter->started_at_us : delivery->at_us;
    int64_t ends_us = matter && delivery->is_over ? matter->ended_at_us
                      : matter                    ? now_us + STANDS_US
                                                  : now_us + 60000000;
    wpa_json_set_text(alert, "startsAt", wpa_timestamp_format(starts_us, text));
    wpa_json_set_text(alert, "endsAt", wpa_timestamp_format(ends_us, text));
}

bool wpa_alertmanager_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err)
{
    wpa_arena *arena = delivery->arena;
    const char *url = wpa_delivery_text(delivery, "url");
    wpa_json *list = wpa_json_new_array(arena);
    wpa_json *alert = wpa_json_push_object(list);
    set_labels(wpa_json_set_object(alert, "labels"), delivery);
    wpa_json *annotations = wpa_json_set_object(alert, "annotations");
    wpa_json_set_text(annotations, "summary",
                      delivery->matter ? delivery->matter->summary : delivery->message);
    wpa_json_set_text(annotations, "description", delivery->message);
    wpa_json_set_text(annotations, "delivery", delivery->uid);
    set_times(alert, delivery);
    const char *const headers[] = {
        "Content-Type: application/json",
        wpa_arena_printf(arena, "X-Wpa-Delivery: %s", delivery->uid),
        delivery->secret ? wpa_arena_printf(arena, "Authorization: Bearer %s",
                                            (const char *)wpa_secret_bytes(delivery->secret))
                         : NULL,
        NULL,
    };
    const char *slash = wpa_text_ends(url, "/") ? "" : "/";
    return wpa_delivery_post(delivery, wpa_arena_printf(arena, "%s%sapi/v2/alerts", url, slash),
                             wpa_json_dump(list, arena), headers, outcome, err);
}
