#include <string.h>

#include <wpa/text.h>

#include "rules/rule.h"

static const char *const safeties[] = {"safe", "unsafe"};
static const char *const declared[] = {"triggers", "matrix",    "jobs",  "permissions", "names",
                                       "runner",   "container", "cache", "concurrency", "timeouts",
                                       "script",   "env",       "pins"};

_Static_assert(WPA_COUNT(safeties) == WPA_SAFETY_COUNT, "a name for each");
_Static_assert(WPA_COUNT(declared) == WPA_DECLARES_COUNT, "a name for each bit");

const char *wpa_safety_name(wpa_safety safety)
{
    return safeties[safety];
}

const char *wpa_declares_name(unsigned bit_index)
{
    return declared[bit_index];
}

static int compare_sizes(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

/** Most are the same text, or NULL. */
static int compare_texts(const char *a, const char *b)
{
    return a == b ? 0 : strcmp(a ? a : "", b ? b : "");
}

int wpa_finding_compare_places(const wpa_finding *a, const wpa_finding *b)
{
    int order = compare_texts(a->path, b->path);
    order = order ? order : compare_sizes(a->span.bytes.start, b->span.bytes.start);
    order = order ? order : (int)b->severity - (int)a->severity;
    order = order ? order : compare_texts(a->rule->code, b->rule->code);
    return order ? order : compare_texts(a->check, b->check);
}

int wpa_finding_compare(const void *a, const void *b)
{
    const wpa_finding *x = *(wpa_finding *const *)a, *y = *(wpa_finding *const *)b;
    int order = wpa_finding_compare_places(x, y);
    order = order ? order : strcmp(x->fingerprint, y->fingerprint);
    order = order ? order : compare_sizes(x->span.bytes.end, y->span.bytes.end);
    return order ? order : strcmp(x->message, y->message);
}
