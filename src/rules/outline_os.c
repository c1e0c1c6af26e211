/* The system that a step's condition asks for, where the legs of its job run on several. */
#include <string.h>

#include "rules/outline_internal.h"

static bool begins_with(wpa_slice text, const char *word)
{
    size_t length = strlen(word);
    return text.length >= length && wpa_slice_is_ci((wpa_slice){text.at, length}, word);
}

/* "windows-2025", "Windows", "macos". */
static wpa_fact_os os_named(wpa_slice text)
{
    return begins_with(text, "windows")                                ? WPA_OS_WINDOWS
           : begins_with(text, "macos")                                ? WPA_OS_MACOS
           : begins_with(text, "ubuntu") || begins_with(text, "linux") ? WPA_OS_LINUX
                                                                       : WPA_OS_UNKNOWN;
}

/* The last name of a term that stands in runs-on too: "matrix.os" of "startsWith(matrix.os, …". */
static bool names_label(wpa_slice term, const char *runs_on)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    const char *at = runs_on ? wpa_text_find(term.at, term.length, "matrix.") : NULL;
    size_t length = at ? strspn(at, letters) : 0;
    const char *label =
        length ? wpa_text_find_slice(runs_on, strlen(runs_on), (wpa_slice){at, length}) : NULL;
    return label && !strspn(label + length, letters);
}

/* One term of a chain of "&&": "runner.os == 'Windows'", "startsWith(matrix.os, 'windows')". */
static wpa_fact_os os_of_term(wpa_slice term, const char *runs_on)
{
    const char *end = term.at + term.length;
    const char *open = memchr(term.at, '\'', term.length);
    const char *close = open ? memchr(open + 1, '\'', (size_t)(end - open - 1)) : NULL;
    bool is_runner = wpa_text_find(term.at, term.length, "runner.os") != NULL;
    bool is_not = memchr(term.at, '!', term.length) != NULL;
    if (!close || (!is_runner && !names_label(term, runs_on))) {
        return WPA_OS_UNKNOWN;
    }
    wpa_fact_os os = os_named((wpa_slice){open + 1, (size_t)(close - open - 1)});
    if (is_not) { /* all but Windows have one shell */
        bool is_sure = is_runner && os == WPA_OS_WINDOWS;
        return is_sure ? WPA_OS_LINUX : WPA_OS_UNKNOWN;
    }
    return os;
}

wpa_fact_os wpa_outline_os_asked(const wpa_yaml_node *condition, const wpa_yaml_node *runs_on)
{
    const char *at = wpa_yaml_text(condition), *label = wpa_yaml_text(runs_on);
    wpa_fact_os os = WPA_OS_UNKNOWN;
    bool is_chain = at && !strstr(at, "||");
    while (is_chain && *at && os == WPA_OS_UNKNOWN) {
        const char *end = strstr(at, "&&");
        size_t length = end ? (size_t)(end - at) : strlen(at);
        os = os_of_term((wpa_slice){at, length}, label);
        at += length + (end ? 2 : 0);
    }
    return os;
}
