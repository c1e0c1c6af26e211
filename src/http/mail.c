/* Messages to a mail server, by libcurl. */
#include <string.h>

#include <wpa/text.h>

#include "gen/calls_curl.h"
#include "http/guard.h"

#define TIMEOUT_MS 10000
#define WORDS_MAX_BYTES 300

typedef struct sending {
    CURL *easy;
    struct curl_slist *recipients;
    const wpa_http_mail *mail;
    size_t at; /* bytes of the message that have gone */
    wpa_http_guard guard;
    char words[WORDS_MAX_BYTES]; /* the server's last line */
} sending;

static void sending_free(sending *self)
{
    curl_easy_cleanup(self->easy);
    curl_slist_free_all(self->recipients);
}
WPA_DEFINE_AUTO(sending, sending_free);

static size_t on_read(char *data, size_t size, size_t n, void *context)
{
    sending *self = context;
    size_t left = self->mail->message_bytes - self->at;
    size_t taken = size * n < left ? size * n : left;
    memcpy(data, self->mail->message + self->at, taken);
    self->at += taken;
    return taken;
}

static size_t on_line(char *data, size_t size, size_t n, void *context)
{
    sending *self = context;
    size_t length = size * n < sizeof self->words - 1 ? size * n : sizeof self->words - 1;
    memcpy(self->words, data, length);
    self->words[length] = '\0';
    self->words[strcspn(self->words, "\r\n")] = '\0';
    return size * n;
}

/** An address goes into a command of its own line: nothing in it may end that. */
static bool check_address(const char *address, wpa_error *err)
{
    for (const char *c = address; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == '<' || *c == '>' || *c == 0x7f) {
            return WPA_FAIL(err, WPA_E_INVALID, "'%s' is no mail address", address);
        }
    }
    return strchr(address, '@') || WPA_FAIL(err, WPA_E_INVALID, "'%s' is no mail address", address);
}

static bool add_recipients(sending *self, wpa_error *err)
{
    if (!check_address(self->mail->sender, err)) {
        return false;
    }
    for (size_t i = 0; self->mail->recipients[i]; i++) {
        if (!check_address(self->mail->recipients[i], err)) {
            return false;
        }
        self->recipients = curl_slist_append(self->recipients, self->mail->recipients[i]);
    }
    return self->recipients || WPA_FAIL(err, WPA_E_INVALID, "a mail needs a recipient");
}

static void set_up(sending *self)
{
    const wpa_http_mail *mail = self->mail;
    CURL *easy = self->easy;
    self->guard.is_private_refused = mail->is_private_refused;
    self->guard.is_cancelled = mail->is_cancelled;
    self->guard.cancel_context = mail->cancel_context;
    wpa_http_guard_put(&self->guard, easy, mail->timeout_ms > 0 ? mail->timeout_ms : TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_URL, mail->server);
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     (long)(mail->is_plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mail->sender);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, self->recipients);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, self);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message_bytes);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
    if (mail->user) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, mail->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, mail->password ? mail->password : "");
    }
    if (mail->tls_roots) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, mail->tls_roots);
    }
}

bool wpa_http_mail_send(const wpa_http_mail *mail, wpa_arena *arena, const char **answer,
                        int *status, wpa_error *err)
{
    if (!wpa_curl_open(err)) {
        return false;
    }
    sending storage = {.easy = curl_easy_init(), .mail = mail};
    WPA_AUTO(sending) *self = &storage;
    if (!self->easy) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "libcurl gave no handle");
    }
    if (!add_recipients(self, err)) {
        return false;
    }
    set_up(self);
    CURLcode rc = curl_easy_perform(self->easy);
    long code = 0;
    curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &code);
    *status = (int)code;
    if (answer) {
        *answer = wpa_arena_text(arena, self->words);
    }
    return rc == CURLE_OK || wpa_http_guard_fail(&self->guard, rc, mail->server, err);
}
