#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <wpa/memory.h>
#include <wpa/queue.h>

struct wpa_queue {
    pthread_mutex_t lock;
    pthread_cond_t has_room;
    wpa_msg **ring;
    size_t capacity, first, count;
    bool is_closed;
    int fd;
};

wpa_msg *wpa_msg_new(int kind)
{
    wpa_msg *msg = wpa_alloc(sizeof *msg);
    msg->kind = kind;
    msg->arena = wpa_arena_new();
    return msg;
}

void wpa_msg_free(wpa_msg *msg)
{
    if (msg) {
        wpa_arena_free(msg->arena);
        wpa_free(msg);
    }
}

wpa_queue *wpa_queue_new(size_t capacity)
{
    wpa_queue *queue = wpa_alloc(sizeof *queue);
    (void)pthread_mutex_init(&queue->lock, NULL);
    (void)pthread_cond_init(&queue->has_room, NULL);
    queue->capacity = capacity ? capacity : 1;
    queue->ring = wpa_alloc(queue->capacity * sizeof(wpa_msg *));
    queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->fd < 0) {
        abort(); /* out of descriptors at start: as out of memory */
    }
    return queue;
}

void wpa_queue_free(wpa_queue *queue)
{
    if (!queue) {
        return;
    }
    for (size_t i = 0; i < queue->count; i++) {
        wpa_msg_free(queue->ring[(queue->first + i) % queue->capacity]);
    }
    (void)close(queue->fd);
    (void)pthread_cond_destroy(&queue->has_room);
    (void)pthread_mutex_destroy(&queue->lock);
    wpa_free(queue->ring);
    wpa_free(queue);
}

static void signal_readers(wpa_queue *queue)
{
    uint64_t one = 1;
    ssize_t written = write(queue->fd, &one, sizeof one);
    (void)written; /* a full counter is readable already */
}

static wpa_msg *take_first(wpa_queue *queue)
{
    wpa_msg *msg = queue->ring[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    return msg;
}

bool wpa_queue_push(wpa_queue *queue, wpa_msg *msg, wpa_queue_full full, wpa_error *err)
{
    wpa_msg *dropped = NULL;
    wpa_code code = WPA_OK;
    (void)pthread_mutex_lock(&queue->lock);
    while (full == WPA_QUEUE_WAIT && queue->count == queue->capacity && !queue->is_closed) {
        (void)pthread_cond_wait(&queue->has_room, &queue->lock);
    }
    if (queue->is_closed) {
        code = WPA_E_CANCELLED;
    } else if (queue->count == queue->capacity && full == WPA_QUEUE_REFUSE) {
        code = WPA_E_UNAVAILABLE;
    } else {
        if (queue->count == queue->capacity) {
            dropped = take_first(queue);
        }
        queue->ring[(queue->first + queue->count++) % queue->capacity] = msg;
        signal_readers(queue);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    wpa_msg_free(dropped);
    if (code != WPA_OK) {
        wpa_msg_free(msg);
        return WPA_FAIL(err, code, code == WPA_E_CANCELLED ? "queue is closed" : "queue is full");
    }
    return true;
}

wpa_msg *wpa_queue_pop(wpa_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    wpa_msg *msg = queue->count ? take_first(queue) : NULL;
    if (!queue->count && !queue->is_closed) {
        uint64_t drained = 0;
        ssize_t got = read(queue->fd, &drained, sizeof drained);
        (void)got; /* already drained is fine */
    }
    if (msg) {
        (void)pthread_cond_signal(&queue->has_room);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return msg;
}

int wpa_queue_fd(const wpa_queue *queue)
{
    return queue->fd;
}

void wpa_queue_close(wpa_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    signal_readers(queue);
    (void)pthread_cond_broadcast(&queue->has_room);
    (void)pthread_mutex_unlock(&queue->lock);
}

bool wpa_queue_is_closed(wpa_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    bool is_closed = queue->is_closed;
    (void)pthread_mutex_unlock(&queue->lock);
    return is_closed;
}
