/*
 * Errors as values: whoever fails fills one, whoever decides reads it.
 *
 * A function that can fail returns bool, or a pointer that is NULL on failure, and takes a
 * wpa_error last. The text is inline, so failing allocates nothing and an error can cross threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define WPA_CHECK __attribute__((warn_unused_result))
#define WPA_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))

/** What a caller can act on; the exit codes of the commands follow from these. */
typedef enum wpa_code {
    WPA_OK,
    WPA_E_INVALID,     /* bad input: names the file, line or field and what was expected */
    WPA_E_NOT_FOUND,   /* no such thing */
    WPA_E_DENIED,      /* who asks may not: role, passphrase, token */
    WPA_E_REFUSED,     /* a rule forbids it now: state machine, approval, policy */
    WPA_E_CONFLICT,    /* somebody else was first: version, moved ref, claim */
    WPA_E_LEASE_LOST,  /* the job belongs to another agent now */
    WPA_E_LIMIT,       /* a named maximum was exceeded */
    WPA_E_CANCELLED,   /* told to stop */
    WPA_E_TIMEOUT,     /* a deadline passed */
    WPA_E_UNAVAILABLE, /* database, network, tool: may work later */
    WPA_E_IO,          /* the operating system said no */
    WPA_E_INTERNAL,    /* our own mistake, or a library's */
    WPA_CODE_COUNT
} wpa_code;

typedef struct wpa_error {
    wpa_code code;
    char message[768]; /* lower case, no full stop, offending value quoted */
    char context[256]; /* "load ci.yml: analyse ledger-api", outermost first */
    const char *file;  /* origin */
    int line;
} wpa_error;

/** "invalid", "not_found", ...: stable, stored and shown. */
const char *wpa_code_name(wpa_code code);

/** Fill err and return false. Control characters in the values are made visible. */
bool wpa_error_set(wpa_error *err, wpa_code code, const char *file, int line, const char *format,
                   ...) WPA_PRINTF(5, 6);

/** Put what was being done in front of the context; returns false, so it ends a return statement.
 */
bool wpa_error_within(wpa_error *err, const char *format, ...) WPA_PRINTF(2, 3);

/** "context: message" into text[size_bytes]; returns text. */
char *wpa_error_text(const wpa_error *err, char *text, size_t size_bytes);

/** Make err say nothing again, before a second try. */
void wpa_error_clear(wpa_error *err);

/** strerror without its shared buffer: a static text for errno's value. */
const char *wpa_strerror(int error_number);

/* Inline, so that compilers see the value and do not warn of paths that cannot be. */
static inline bool wpa_failed(bool is_set)
{
    (void)is_set;
    return false;
}

#define WPA_FAIL(err, code, ...)                                                                   \
    wpa_failed(wpa_error_set((err), (code), __FILE__, __LINE__, __VA_ARGS__))

/*
 * Release at every exit: WPA_AUTO(wpa_rows) *rows = ...; needs WPA_DEFINE_AUTO(wpa_rows, free_fn)
 * beside the type. Initialise on the declaring line; hand ownership out with WPA_STEAL.
 */
#define WPA_DEFINE_AUTO(type, free_function)                                                       \
    static inline void type##_auto(type **owned)                                                   \
    {                                                                                              \
        if (*owned) {                                                                              \
            free_function(*owned);                                                                 \
        }                                                                                          \
    }                                                                                              \
    static inline void type##_auto(type **owned)
#define WPA_AUTO(type) __attribute__((cleanup(type##_auto))) type
#define WPA_STEAL(owned)                                                                           \
    __extension__({                                                                                \
        __typeof__(owned) stolen_ = (owned);                                                       \
        (owned) = NULL;                                                                            \
        stolen_;                                                                                   \
    })

#define WPA_COUNT(array) (sizeof(array) / sizeof((array)[0]))
