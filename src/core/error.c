#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <wpa/error.h>
#include <wpa/text.h>

#include "core/visible.h"

static const char *const code_names[WPA_CODE_COUNT] = {
    [WPA_OK] = "ok",
    [WPA_E_INVALID] = "invalid",
    [WPA_E_NOT_FOUND] = "not_found",
    [WPA_E_DENIED] = "denied",
    [WPA_E_REFUSED] = "refused",
    [WPA_E_CONFLICT] = "conflict",
    [WPA_E_LEASE_LOST] = "lease_lost",
    [WPA_E_LIMIT] = "limit",
    [WPA_E_CANCELLED] = "cancelled",
    [WPA_E_TIMEOUT] = "timeout",
    [WPA_E_UNAVAILABLE] = "unavailable",
    [WPA_E_IO] = "io",
    [WPA_E_INTERNAL] = "internal",
};

const char *wpa_code_name(wpa_code code)
{
    return (unsigned)code < WPA_CODE_COUNT ? code_names[code] : "unknown";
}

bool wpa_error_set(wpa_error *err, wpa_code code, const char *file, int line, const char *format,
                   ...)
{
    char raw[sizeof err->message];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(raw, sizeof raw, format, values);
    va_end(values);
    err->code = code;
    err->context[0] = '\0';
    err->file = file;
    err->line = line;
    wpa_visible_copy(err->message, sizeof err->message, raw, strlen(raw), false);
    return false;
}

bool wpa_error_within(wpa_error *err, const char *format, ...)
{
    char raw[sizeof err->context];
    char inner[sizeof err->context];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(raw, sizeof raw, format, values);
    va_end(values);
    (void)snprintf(inner, sizeof inner, "%s", err->context);
    wpa_visible_copy(err->context, sizeof err->context, raw, strlen(raw), false);
    if (inner[0]) {
        size_t used = strlen(err->context);
        (void)wpa_text_format(err->context + used, sizeof err->context - used, ": %s", inner);
    }
    return false;
}

char *wpa_error_text(const wpa_error *err, char *text, size_t size_bytes)
{
    (void)wpa_text_format(text, size_bytes, "%s%s%s", err->context, err->context[0] ? ": " : "",
                          err->message);
    return text;
}

void wpa_error_clear(wpa_error *err)
{
    *err = (wpa_error){0};
}

const char *wpa_strerror(int error_number)
{
    const char *text = strerrordesc_np(error_number);
    return text ? text : "unknown error";
}
