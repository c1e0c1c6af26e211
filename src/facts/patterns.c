#include "facts/patterns.h"

#include <string.h>

/* Both ends are given, so it is linear but for the stars, which are few. */
bool wpa_fact_glob_fits(wpa_slice glob, const char *text)
{
    const char *g = glob.at, *end = glob.at + glob.length, *star = NULL, *mark = NULL;
    while (*text) {
        if (g < end && *g == '*') {
            star = g++;
            mark = text;
            if (g == end) {
                return true; /* whatever is left */
            }
        } else if (g < end && *g == *text) {
            g++;
            text++;
        } else if (star) { /* to the next place where what is behind the star may begin */
            g = star + 1;
            do {
                mark++;
            } while (*mark && *mark != *g);
            text = mark;
        } else {
            return false;
        }
    }
    while (g < end && *g == '*') {
        g++;
    }
    return g == end;
}

/* Options that many programs share and that take the next word. */
static bool takes_next(const char *option)
{
    static const char letters[] = "CcfFpw";
    static const char *const words[] = {"--prefix",    "--dir",       "--cwd",
                                        "--directory", "--project",   "--file",
                                        "--filter",    "--workspace", "--manifest-path"};
    return option[0] == '-' && option[1] &&
           (option[1] == '-' ? wpa_text_index(option, words, WPA_COUNT(words)) >= 0
                             : !option[2] && strchr(letters, option[1]));
}

/* Index of the next argument at or behind i, n if there is none. */
static size_t next_argument(const char *const words[], size_t n, size_t i)
{
    while (i < n && (words[i][0] == '-' || words[i][0] == '+')) {
        i += i + 2 < n && takes_next(words[i]) ? 2 : 1;
    }
    return i < n ? i : n;
}

wpa_fact_words wpa_fact_words_of(const char *const words[], size_t n)
{
    size_t first = next_argument(words, n, 0);
    wpa_fact_words all = {words, n, first, first < n ? wpa_fact_first_bit(words[first]) : 0, 0};
    for (size_t i = 0; i < n; i++) {
        all.firsts |= wpa_fact_first_bit(words[i]);
    }
    return all;
}

/* Few words begin as one of the choices does. */
static bool word_fits(const wpa_fact_pattern_word *wanted, const char *word)
{
    bool may_fit = (wanted->firsts & wpa_fact_first_bit(word)) != 0;
    for (size_t i = 0; may_fit && i < wanted->n; i++) {
        const wpa_fact_choice *choice = &wanted->choices[i];
        if (choice->is_open ? wpa_fact_glob_fits((wpa_slice){choice->text, choice->length}, word)
                            : wpa_text_is(choice->text, word)) {
            return true;
        }
    }
    return false;
}

static bool any_word_fits(const wpa_fact_pattern_word *wanted, const wpa_fact_words *words)
{
    bool may_fit = (wanted->firsts & words->firsts) != 0;
    for (size_t i = 0; may_fit && i < words->n; i++) {
        if (word_fits(wanted, words->at[i])) {
            return true;
        }
    }
    return false;
}

bool wpa_fact_all_fit(const wpa_fact_pattern *pattern, const wpa_fact_words *words, size_t *behind)
{
    size_t at = words->first;
    *behind = 0;
    for (size_t i = 0; i < pattern->n; i++) {
        const wpa_fact_pattern_word *wanted = &pattern->words[i];
        if (wanted->is_anywhere) {
            if (!any_word_fits(wanted, words)) {
                return false;
            }
            continue;
        }
        if (at >= words->n || !word_fits(wanted, words->at[at])) {
            return false;
        }
        *behind = at + 1;
        at = i + 1 < pattern->n ? next_argument(words->at, words->n, at + 1) : words->n;
    }
    return true;
}
