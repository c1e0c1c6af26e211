/* Version numbers as tags write them. */
#include "facts/facts.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_suffix_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
}

/* Digits at *at into *value; false if there is none or it does not fit. */
static bool read_number(wpa_slice text, size_t *at, uint64_t *value)
{
    size_t start = *at;
    uint64_t number = 0;
    while (*at < text.length && is_digit(text.at[*at])) {
        if (*at - start >= 18) {
            return false;
        }
        number = number * 10 + (uint64_t)(text.at[(*at)++] - '0');
    }
    *value = number;
    return *at > start;
}

/* "-rc.1" or "+build" behind the numbers. */
static bool read_suffix(wpa_slice text, size_t at, wpa_version *version)
{
    if (at == text.length) {
        return true;
    }
    if ((text.at[at] != '-' && text.at[at] != '+') || at + 1 == text.length) {
        return false;
    }
    for (size_t i = at + 1; i < text.length; i++) {
        if (!is_suffix_char(text.at[i]) && text.at[i] != '+') {
            return false;
        }
    }
    if (text.at[at] == '-') {
        version->suffix = (wpa_slice){text.at + at + 1, text.length - at - 1};
    }
    return true;
}

bool wpa_version_parse(wpa_slice text, wpa_version *version)
{
    wpa_version read = {.suffix = {text.at, 0}};
    size_t at = text.length && (text.at[0] == 'v' || text.at[0] == 'V') ? 1 : 0;
    do {
        if (read.n_parts == WPA_COUNT(read.parts) ||
            !read_number(text, &at, &read.parts[read.n_parts])) {
            return false;
        }
        read.n_parts++;
    } while (at < text.length && text.at[at] == '.' && ++at);
    if (!read_suffix(text, at, &read)) {
        return false;
    }
    *version = read;
    return true;
}

/* Dot-separated identifiers: numbers by value, below words; a longer list wins a tie. */
static int compare_suffixes(wpa_slice a, wpa_slice b)
{
    size_t i = 0, k = 0;
    while (i < a.length && k < b.length) {
        uint64_t x = 0, y = 0;
        size_t i_start = i, k_start = k;
        bool x_is_number = read_number(a, &i, &x);
        bool y_is_number = read_number(b, &k, &y);
        if (x_is_number && y_is_number) {
            if (x != y) {
                return x < y ? -1 : 1;
            }
            continue;
        }
        if (x_is_number != y_is_number) {
            return x_is_number ? -1 : 1;
        }
        i = i_start;
        k = k_start;
        if (a.at[i] != b.at[k]) {
            return (unsigned char)a.at[i] < (unsigned char)b.at[k] ? -1 : 1;
        }
        i++;
        k++;
    }
    return (i < a.length) - (k < b.length);
}

int wpa_version_compare(const wpa_version *a, const wpa_version *b)
{
    for (size_t i = 0; i < WPA_COUNT(a->parts); i++) {
        if (a->parts[i] != b->parts[i]) {
            return a->parts[i] < b->parts[i] ? -1 : 1;
        }
    }
    if (!a->suffix.length || !b->suffix.length) {
        return (b->suffix.length != 0) - (a->suffix.length != 0);
    }
    return compare_suffixes(a->suffix, b->suffix);
}
