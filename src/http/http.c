#include "http/http.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "gen/calls_curl.h"
#include "http/guard.h"

#define TIMEOUT_MS 10000
#define BODY_MAX_BYTES ((size_t)1 << 20)

typedef struct exchange {
    const wpa_http_request *request;
    CURL *easy;
    struct curl_slist *headers;
    wpa_buf *body;
    wpa_http_guard guard;
} exchange;

static void exchange_free(exchange *at)
{
    curl_easy_cleanup(at->easy);
    curl_slist_free_all(at->headers);
    if (at->body) {
        wpa_buf_free(at->body);
    }
}
WPA_DEFINE_AUTO(exchange, exchange_free);

bool wpa_http_init(wpa_error *err)
{
    if (!wpa_curl_open(err)) {
        return false;
    }
    CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);
    return rc == CURLE_OK || WPA_FAIL(err, WPA_E_INTERNAL, "libcurl: %s", curl_easy_strerror(rc));
}

static size_t on_body(char *data, size_t size, size_t n, void *context)
{
    exchange *at = context;
    wpa_buf_append(at->body, data, size * n);
    return wpa_buf_is_full(at->body) ? 0 : size * n;
}

static bool check_header(const char *header, wpa_error *err)
{
    const char *colon = strchr(header, ':');
    if (!colon || colon == header || strpbrk(header, "\r\n")) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%.*s' is no header", (int)strcspn(header, ":"),
                        header);
    }
    return true;
}

static bool add_headers(exchange *at, wpa_error *err)
{
    for (size_t i = 0; at->request->headers && at->request->headers[i]; i++) {
        if (!check_header(at->request->headers[i], err)) {
            return false;
        }
        at->headers = curl_slist_append(at->headers, at->request->headers[i]);
    }
    return true;
}

static void set_limits(exchange *at)
{
    const wpa_http_request *request = at->request;
    at->guard.is_private_refused = request->is_private_refused;
    at->guard.is_cancelled = request->is_cancelled;
    at->guard.cancel_context = request->cancel_context;
    wpa_http_guard_put(&at->guard, at->easy,
                       request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS);
    curl_easy_setopt(at->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* What is asked for under seal is not sent on to where anybody on the way can answer. */
    bool is_sealed = strncasecmp(request->url, "https:", strlen("https:")) == 0;
    curl_easy_setopt(at->easy, CURLOPT_REDIR_PROTOCOLS_STR, is_sealed ? "https" : "http,https");
    curl_easy_setopt(at->easy, CURLOPT_FOLLOWLOCATION, request->is_redirect_refused ? 0L : 1L);
    curl_easy_setopt(at->easy, CURLOPT_MAXREDIRS, (long)WPA_HTTP_MAX_REDIRECTS);
    curl_easy_setopt(at->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(at->easy, CURLOPT_WRITEDATA, at);
}

static void set_request(exchange *at)
{
    const wpa_http_request *request = at->request;
    curl_easy_setopt(at->easy, CURLOPT_URL, request->url);
    curl_easy_setopt(at->easy, CURLOPT_USERAGENT, "wpa/" WPA_VERSION);
    curl_easy_setopt(at->easy, CURLOPT_HTTPHEADER, at->headers);
    if (request->body) {
        curl_easy_setopt(at->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
        curl_easy_setopt(at->easy, CURLOPT_POSTFIELDS, request->body);
    }
    if (wpa_text_is(request->method, "HEAD")) {
        curl_easy_setopt(at->easy, CURLOPT_NOBODY, 1L);
    } else if (request->method) {
        curl_easy_setopt(at->easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
    if (request->tls_roots) {
        curl_easy_setopt(at->easy, CURLOPT_CAINFO, request->tls_roots);
    }
}

static const wpa_http_response *make_response(const exchange *at, wpa_arena *arena)
{
    wpa_http_response *response = wpa_arena_alloc(arena, sizeof *response);
    long status = 0;
    curl_off_t total_us = 0, retry_after_s = 0;
    char *type = NULL, *url = NULL, *address = NULL;
    curl_easy_getinfo(at->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(at->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    curl_easy_getinfo(at->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    curl_easy_getinfo(at->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(at->easy, CURLINFO_EFFECTIVE_URL, &url);
    curl_easy_getinfo(at->easy, CURLINFO_PRIMARY_IP, &address);
    response->status = (int)status;
    response->body = wpa_buf_dup(at->body, arena);
    response->body_bytes = wpa_buf_size(at->body);
    response->content_type = wpa_arena_text(arena, type ? type : "");
    struct curl_header *link = NULL;
    bool is_linked =
        curl_easy_header(at->easy, "Link", 0, CURLH_HEADER, -1, &link) == CURLHE_OK && link;
    response->link = wpa_arena_text(arena, is_linked ? link->value : "");
    response->url = wpa_arena_text(arena, url ? url : at->request->url);
    response->address = wpa_arena_text(arena, address ? address : "");
    response->latency_ms = total_us / 1000;
    response->retry_after_ms =
        retry_after_s > 0 && retry_after_s < 86400 ? retry_after_s * 1000 : 0;
    return response;
}

const wpa_http_response *wpa_http_send(const wpa_http_request *request, wpa_arena *arena,
                                       wpa_error *err)
{
    if (!wpa_curl_open(err)) {
        return NULL;
    }
    exchange storage = {.request = request, .easy = curl_easy_init()};
    WPA_AUTO(exchange) *at = &storage;
    if (!at->easy) {
        WPA_FAIL(err, WPA_E_INTERNAL, "libcurl gave no handle");
        return NULL;
    }
    at->body = wpa_buf_new(request->max_body_bytes ? request->max_body_bytes : BODY_MAX_BYTES);
    if (!add_headers(at, err)) {
        return NULL;
    }
    set_limits(at);
    set_request(at);
    CURLcode rc = curl_easy_perform(at->easy);
    if (rc != CURLE_OK) {
        const char *shown = request->shown_url ? request->shown_url : request->url;
        wpa_http_guard_fail(&at->guard, rc, shown, err);
        return NULL;
    }
    return make_response(at, arena);
}
