#include "api/figures.h"

#include <pthread.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/memory.h>

#define KEPT_TIMES 10

struct wpa_api_figures {
    pthread_mutex_t mutex;
    size_t max_bytes;
    char *text; /* NULL: never counted */
    size_t text_bytes;
    int64_t ends_ms;
    bool is_counting;
};

wpa_api_figures *wpa_api_figures_new(size_t max_bytes)
{
    wpa_api_figures *figures = wpa_alloc(sizeof *figures);
    (void)pthread_mutex_init(&figures->mutex, NULL);
    figures->max_bytes = max_bytes;
    return figures;
}

void wpa_api_figures_free(wpa_api_figures *figures)
{
    if (figures) {
        wpa_free(figures->text);
        (void)pthread_mutex_destroy(&figures->mutex);
        wpa_free(figures);
    }
}

/** Tell what there is; false: it must be counted. */
static bool put_kept(wpa_api_figures *figures, wpa_buf *out)
{
    pthread_mutex_lock(&figures->mutex);
    bool is_kept = (figures->text && figures->is_counting) || wpa_monotonic_ms() < figures->ends_ms;
    if (is_kept && figures->text) {
        wpa_buf_append(out, figures->text, figures->text_bytes);
    }
    if (!is_kept) {
        figures->is_counting = true;
    }
    pthread_mutex_unlock(&figures->mutex);
    return is_kept;
}

/** fresh: NULL: they could not be counted. */
static void keep(wpa_api_figures *figures, const wpa_buf *fresh, int64_t took_ms)
{
    size_t size_bytes = fresh ? wpa_buf_size(fresh) : 0;
    char *text = fresh ? wpa_alloc(size_bytes + 1) : NULL;
    if (text) {
        memcpy(text, wpa_buf_data(fresh), size_bytes);
    }
    pthread_mutex_lock(&figures->mutex);
    figures->is_counting = false;
    figures->ends_ms = wpa_monotonic_ms() + KEPT_TIMES * took_ms;
    if (text) {
        wpa_free(figures->text);
        figures->text = text;
        figures->text_bytes = size_bytes;
    }
    pthread_mutex_unlock(&figures->mutex);
}

bool wpa_api_figures_put(wpa_api_figures *figures, wpa_api_figures_count count, void *context,
                         wpa_buf *out, wpa_error *err)
{
    if (put_kept(figures, out)) {
        return true;
    }
    WPA_AUTO(wpa_buf) *fresh = wpa_buf_new(figures->max_bytes);
    int64_t started_ms = wpa_monotonic_ms();
    bool is_counted = count(context, fresh, err) && wpa_buf_check(fresh, "the figures", err);
    keep(figures, is_counted ? fresh : NULL, wpa_monotonic_ms() - started_ms);
    if (is_counted) {
        wpa_buf_append(out, wpa_buf_data(fresh), wpa_buf_size(fresh));
    }
    return is_counted;
}
