/*
 * Figures that take long to count, over weeks of rows: what was counted is told again for ten
 * times as long as counting took, so that whoever asks often costs a tenth of a connection at most.
 * Where counting is quick, they are as of now.
 */
#pragma once

#include <wpa/buf.h>
#include <wpa/error.h>

typedef struct wpa_api_figures wpa_api_figures;

/** max_bytes: of the text. */
wpa_api_figures *wpa_api_figures_new(size_t max_bytes);
void wpa_api_figures_free(wpa_api_figures *figures);

/** Put them into the text. */
typedef bool (*wpa_api_figures_count)(void *context, wpa_buf *out, wpa_error *err);

/**
 * Put them into the text as they were counted last, or count them now. While somebody else counts
 * nobody waits for him: what was counted before is told. Where counting has failed it is not tried
 * again for as long, and nothing is put.
 *
 * Errors    those of count; LIMIT.
 * Thread    any.
 */
bool wpa_api_figures_put(wpa_api_figures *figures, wpa_api_figures_count count, void *context,
                         wpa_buf *out, wpa_error *err) WPA_CHECK;
