#include "http/guard.h"

#include <sys/socket.h>

#include "gen/calls_curl.h"

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const wpa_http_guard *guard = context;
    (void)a, (void)b, (void)c, (void)d;
    return guard->is_cancelled && guard->is_cancelled(guard->cancel_context);
}

/** The address is known here and nowhere earlier: a name may lead anywhere, and anew each time. */
static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    wpa_http_guard *guard = context;
    (void)purpose;
    const char *refusal = wpa_http_address_refusal(&address->addr);
    if (!refusal && guard->is_private_refused) {
        refusal = wpa_http_address_private(&address->addr);
    }
    if (refusal) {
        guard->refusal = refusal;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void wpa_http_guard_put(wpa_http_guard *guard, CURL *easy, int64_t timeout_ms)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    /* A proxy would hide the address that is connected to. */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, guard);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, guard);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, guard->why);
}

static wpa_code code_of(CURLcode rc)
{
    static const struct {
        CURLcode rc;
        wpa_code code;
    } rows[] = {
        {CURLE_UNSUPPORTED_PROTOCOL, WPA_E_INVALID},
        {CURLE_URL_MALFORMAT, WPA_E_INVALID},
        {CURLE_OPERATION_TIMEDOUT, WPA_E_TIMEOUT},
        {CURLE_TOO_MANY_REDIRECTS, WPA_E_LIMIT},
        {CURLE_WRITE_ERROR, WPA_E_LIMIT},
        {CURLE_ABORTED_BY_CALLBACK, WPA_E_CANCELLED},
        {CURLE_LOGIN_DENIED, WPA_E_DENIED},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        if (rows[i].rc == rc) {
            return rows[i].code;
        }
    }
    return WPA_E_UNAVAILABLE;
}

bool wpa_http_guard_fail(const wpa_http_guard *guard, CURLcode rc, const char *url, wpa_error *err)
{
    if (guard->refusal) {
        return WPA_FAIL(err, WPA_E_REFUSED, "'%s' leads to %s", url, guard->refusal);
    }
    if (rc == CURLE_WRITE_ERROR) {
        return WPA_FAIL(err, WPA_E_LIMIT, "the answer of '%s' is too long", url);
    }
    return WPA_FAIL(err, code_of(rc), "'%s': %s", url,
                    guard->why[0] ? guard->why : curl_easy_strerror(rc));
}
