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
bool wpa_glob_fits(const char *glob, const char *path)
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
