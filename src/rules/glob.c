#include <stdio.h>
#include <string.h>

#include "rules/settings.h"

/** Behind the current part of a path, its slash included; NULL at the end. */
static const char *next_part(const char *path)
{
    const char *slash = strchr(path, '/');
    return slash ? slash + 1 : NULL;
}

/*
 * Linear in glob × path: a failed match goes back to the last star only. A "**" restarts whole
 * parts, a "*" restarts within its part.
 */
static bool fits(const char *glob, const char *path)
{
    const char *star = NULL, *star_at = NULL, *deep = NULL, *deep_at = NULL;
    while (*path || *glob) {
        if (strncmp(glob, "**/", 3) == 0) {
            deep = glob + 3, deep_at = path, glob += 3, star = NULL;
        } else if (strcmp(glob, "**") == 0) {
            return true;
        } else if (*glob == '*') {
            star = ++glob, star_at = path;
        } else if (*path && ((*glob == '?' && *path != '/') || *glob == *path)) {
            glob++, path++;
        } else if (star && *star_at && *star_at != '/') {
            glob = star, path = ++star_at;
        } else if (deep && deep_at && (deep_at = next_part(deep_at))) {
            glob = deep, path = deep_at, star = NULL;
        } else {
            return false;
        }
    }
    return true;
}

/* Globs with alternatives: what is longer, or has more of them, fits nothing. */
#define GLOB_MAX_BYTES 1024
#define TRIES_MAX 64

/** Behind the alternative that begins here: its comma, or the brace that closes all; or NULL. */
static const char *alternative_end(const char *at)
{
    size_t depth = 0;
    for (; *at; at++) {
        if (depth == 0 && (*at == ',' || *at == '}')) {
            return at;
        }
        depth += *at == '{';
        depth -= *at == '}';
    }
    return NULL;
}

static const char *group_end(const char *open)
{
    const char *end = open;
    do {
        end = alternative_end(end + 1);
    } while (end && *end == ',');
    return end;
}

static bool fits_one_of(const char *glob, const char *path, size_t *n_tries)
{
    const char *open = strchr(glob, '{'), *close = open ? group_end(open) : NULL;
    if (++*n_tries > TRIES_MAX || !close) {
        return *n_tries <= TRIES_MAX && fits(glob, path);
    }
    for (const char *at = open; at != close;) {
        char copy[GLOB_MAX_BYTES];
        const char *end = alternative_end(at + 1);
        int n = snprintf(copy, sizeof copy, "%.*s%.*s%s", (int)(open - glob), glob,
                         (int)(end - at - 1), at + 1, close + 1);
        bool is_whole = n >= 0 && (size_t)n < sizeof copy;
        if (is_whole && fits_one_of(copy, path, n_tries)) {
            return true;
        }
        at = end;
    }
    return false;
}

bool wpa_glob_fits(const char *glob, const char *path)
{
    size_t n_tries = 0;
    return strchr(glob, '{') ? fits_one_of(glob, path, &n_tries) : fits(glob, path);
}
