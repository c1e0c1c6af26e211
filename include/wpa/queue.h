/*
 * Bounded queues: the only place where threads meet. A message owns its arena; pushing gives both
 * away, so nothing is shared. The queue has a descriptor, so that a loop waits in one poll.
 */
#pragma once

#include <wpa/arena.h>

typedef struct wpa_msg {
    int kind;         /* the receiver's enum */
    wpa_arena *arena; /* owns body; freed by wpa_msg_free; may be NULL */
    void *body;
} wpa_msg;

typedef enum wpa_queue_full {
    WPA_QUEUE_WAIT,        /* block until there is room */
    WPA_QUEUE_DROP_OLDEST, /* progress: the newest matters */
    WPA_QUEUE_REFUSE       /* WPA_E_UNAVAILABLE */
} wpa_queue_full;

typedef struct wpa_queue wpa_queue;

wpa_msg *wpa_msg_new(int kind);
void wpa_msg_free(wpa_msg *msg);
WPA_DEFINE_AUTO(wpa_msg, wpa_msg_free);

wpa_queue *wpa_queue_new(size_t capacity);
/** Frees what is still queued. */
void wpa_queue_free(wpa_queue *queue);
WPA_DEFINE_AUTO(wpa_queue, wpa_queue_free);

/** Takes msg, also when it fails. Thread: any. */
bool wpa_queue_push(wpa_queue *queue, wpa_msg *msg, wpa_queue_full full, wpa_error *err) WPA_CHECK;
/** Next message, yours to free, or NULL. Thread: any; meant for one receiver. */
wpa_msg *wpa_queue_pop(wpa_queue *queue);
/** Readable while the queue has messages or is closed. */
int wpa_queue_fd(const wpa_queue *queue);
/** No more pushes; waiting pushers get WPA_E_CANCELLED. */
void wpa_queue_close(wpa_queue *queue);
bool wpa_queue_is_closed(wpa_queue *queue);
