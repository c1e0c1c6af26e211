#include "rules/hidden.h"

#include <string.h>

#include "rules/pin.h"

bool wpa_hidden_is_left_out(const wpa_outline_step *upload)
{
    wpa_version first = {.parts = {4, 4}, .n_parts = 2};
    const wpa_fact_use *fact = upload->uses.fact;
    bool may_leave_out =
        fact->has_version && fact->version.parts[0] >= 4 &&
        (fact->version.n_parts == 1 || wpa_version_compare(&fact->version, &first) >= 0);
    return may_leave_out &&
           !wpa_text_is(wpa_outline_with_text(upload, "include-hidden-files"), "true");
}

static bool is_hidden(wpa_slice name)
{
    return name.length > 1 && name.at[0] == '.' && !wpa_slice_is(name, "..");
}

static bool has_wildcard(wpa_slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (strchr("*?[", name.at[i])) {
            return true;
        }
    }
    return false;
}

/*
 * The search begins at the last folder without a wildcard, or at the file itself: hidden folders
 * above it do not matter, and from there on each name does.
 */
static bool fits_hidden_alone(wpa_slice line)
{
    bool is_first_hidden = false, is_searched = false;
    for (size_t at = 0; at < line.length;) {
        const char *slash = memchr(line.at + at, '/', line.length - at);
        size_t end = slash ? (size_t)(slash - line.at) : line.length;
        wpa_slice name = {line.at + at, end - at};
        at = end + 1;
        if (!name.length) {
            continue;
        }
        if (has_wildcard(name) || is_searched) {
            if (is_hidden(name) || (!is_searched && is_first_hidden)) {
                return true;
            }
            is_searched = true;
        }
        is_first_hidden = is_hidden(name);
    }
    return !is_searched && is_first_hidden;
}

wpa_slice wpa_hidden_path(const char *paths)
{
    while (paths && *paths) {
        size_t length = strcspn(paths, "\n"), blank = strspn(paths, " \t");
        wpa_slice line = {paths + blank, blank < length ? length - blank : 0};
        while (line.length && strchr(" \t\r", line.at[line.length - 1])) {
            line.length--;
        }
        bool is_wanted = line.length && !strchr("!#", line.at[0]);
        if (is_wanted && fits_hidden_alone(line)) {
            return line;
        }
        paths += length + (paths[length] == '\n');
    }
    return (wpa_slice){0};
}
