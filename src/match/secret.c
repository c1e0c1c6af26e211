#include "match/secret.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/memory.h>
#include <wpa/text.h>

#include "core/lanes.h"
#include "match/regex.h"
#include "match/secret_kinds.h"
#include "match/secret_runs.h"
#include "match/secret_value.h"

static_assert(WPA_SECRET_VALUE_MIN_BYTES >= WPA_SECRET_RUN_MIN_BYTES, "such runs are looked for");

/* Of each name of a secret value that the pattern knows as many bytes, in any case of letters. */
#define NAME_WORD_BYTES 4
static const char *const name_words[] = {"toke", "secr", "pass", "cred",
                                         "apik", "api_", "acce", "priv"};

/* A text that tells of a kind, in one run with the secret. */
typedef struct marker {
    const char *text;
    size_t length, kind;
} marker;

struct wpa_secret_scanner {
    _Atomic(wpa_regex *) *patterns; /* [WPA_SECRET_KINDS] each NULL until it is asked for */
    bool is_login_byte[256];        /* what a user's name and a password in an address may have */
    marker markers[64];             /* [n_markers] by the least bytes of their kinds */
    size_t n_markers;
    /* Which markers have this byte as their first, their second. */
    uint64_t first[256], second[256];
    /* Which of name_words have this byte, in any case, at each of their places. */
    uint8_t names[NAME_WORD_BYTES][256];
};

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void add_marker(wpa_secret_scanner *scanner, size_t kind, const char *text)
{
    if (scanner->n_markers == WPA_COUNT(scanner->markers) ||
        wpa_secret_kinds[kind].least_bytes < WPA_SECRET_RUN_MIN_BYTES) {
        abort(); /* a table of our own */
    }
    scanner->markers[scanner->n_markers++] = (marker){text, strlen(text), kind};
}

static int compare_markers(const void *a, const void *b)
{
    const marker *x = a, *y = b;
    size_t least = wpa_secret_kinds[x->kind].least_bytes;
    size_t other = wpa_secret_kinds[y->kind].least_bytes;
    return least < other ? -1 : least > other;
}

static void add_markers(wpa_secret_scanner *scanner)
{
    for (size_t i = 0; i < WPA_SECRET_KINDS; i++) {
        const wpa_secret_kind *kind = &wpa_secret_kinds[i];
        bool has_markers = kind->place == WPA_SECRET_IN_RUN;
        for (size_t k = 0; has_markers && k < WPA_SECRET_MARKERS_MAX && kind->markers[k]; k++) {
            add_marker(scanner, i, kind->markers[k]);
        }
    }
    qsort(scanner->markers, scanner->n_markers, sizeof *scanner->markers, compare_markers);
    for (size_t i = 0; i < scanner->n_markers; i++) {
        const char *text = scanner->markers[i].text;
        scanner->first[(unsigned char)text[0]] |= UINT64_C(1) << i;
        scanner->second[(unsigned char)text[1]] |= UINT64_C(1) << i;
    }
}

static void add_name_word(wpa_secret_scanner *scanner, size_t i)
{
    for (size_t at = 0; at < NAME_WORD_BYTES; at++) {
        for (int c = 0; c < 256; c++) {
            bool fits = c == name_words[i][at] || (c | 0x20) == name_words[i][at];
            scanner->names[at][c] |= (uint8_t)(fits << i);
        }
    }
}

wpa_secret_scanner *wpa_secret_scanner_new(void)
{
    wpa_secret_scanner *scanner = wpa_alloc(sizeof *scanner);
    scanner->patterns = wpa_alloc(WPA_SECRET_KINDS * sizeof *scanner->patterns);
    for (int c = 0; c < 256; c++) {
        scanner->is_login_byte[c] = !strchr("/ \t\r\n\f\v:@'\"${}", c);
    }
    for (size_t i = 0; i < WPA_COUNT(name_words); i++) {
        add_name_word(scanner, i);
    }
    add_markers(scanner);
    return scanner;
}

void wpa_secret_scanner_free(wpa_secret_scanner *scanner)
{
    if (scanner) {
        for (size_t i = 0; i < WPA_SECRET_KINDS; i++) {
            wpa_regex_free(scanner->patterns[i]);
        }
        wpa_free(scanner->patterns);
        wpa_free(scanner);
    }
}

/** Most files have nothing that a pattern is tried on, and compiling all of them takes longer than
    looking at a small file. Of threads that come at once one keeps what it made. */
static const wpa_regex *pattern_of(const wpa_secret_scanner *scanner, size_t kind)
{
    wpa_regex *known = atomic_load(&scanner->patterns[kind]);
    if (known) {
        return known;
    }
    wpa_error err = {0};
    wpa_regex *made = wpa_regex_new(wpa_secret_kinds[kind].pattern, 0, &err);
    if (!made) {
        abort(); /* a pattern of our own: the test finds it */
    }
    if (!atomic_compare_exchange_strong(&scanner->patterns[kind], &known, made)) {
        wpa_regex_free(made);
        return known;
    }
    return made;
}

static pthread_once_t shared_once = PTHREAD_ONCE_INIT;
static wpa_secret_scanner *shared; /* its patterns last: compiling takes longer than scanning */

static void make_shared(void)
{
    shared = wpa_secret_scanner_new();
}

const wpa_secret_scanner *wpa_secret_scanner_shared(void)
{
    (void)pthread_once(&shared_once, make_shared);
    return shared;
}

static bool is_secret(const wpa_secret_kind *kind, const char *text, size_t length)
{
    return wpa_entropy(text, length) >= kind->least_entropy &&
           !(kind->is_guess && wpa_secret_is_harmless(text, length)) &&
           !wpa_secret_is_published(text, length);
}

static int compare(const void *a, const void *b)
{
    const wpa_found_secret *x = a, *y = b;
    return x->span.start < y->span.start ? -1 : x->span.start > y->span.start;
}

static bool is_known(const wpa_found_secret *found, size_t n, wpa_span span)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_span_overlaps(found[i].span, span)) {
            return true;
        }
    }
    return false;
}

/* ---- where one may be ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Of the key for which a word may stand far in front. */
#define FAR_MIN_BYTES 40

static bool may_hold(const wpa_secret_filter *filter, const char *word)
{
    return !filter || filter->may_hold(filter->text, word);
}

/** From *at on, before the end, the next byte at which markers may begin: these, by two bytes, and
   0 where there is none. Text has a byte behind the end. */
static uint64_t next_markers(const wpa_secret_scanner *scanner, const char *text, size_t *at,
                             size_t end)
{
    const unsigned char *byte = (const unsigned char *)text + *at;
    const unsigned char *last = (const unsigned char *)text + end;
    uint64_t begun = scanner->first[*byte], both = 0;
    for (; byte < last && !(both = begun & scanner->second[byte[1]]); byte++) {
        begun = scanner->first[byte[1]];
    }
    *at = (size_t)((const char *)byte - text);
    return both;
}

/** Markers that are part of the secret itself, or touch it, of secrets of least bytes or more. */
static void find_markers(const wpa_secret_scanner *scanner, const char *text, wpa_span run,
                         size_t least, bool is_marked[WPA_SECRET_KINDS])
{
    size_t end = wpa_span_length(run) < least ? run.start : run.end - least + 1;
    uint64_t left;
    for (size_t at = run.start; at < end && (left = next_markers(scanner, text, &at, end)); at++) {
        for (; left; left &= left - 1) {
            const marker *m = &scanner->markers[__builtin_ctzll(left)];
            is_marked[m->kind] =
                is_marked[m->kind] || (at + wpa_secret_kinds[m->kind].least_bytes <= run.end &&
                                       memcmp(text + at, m->text, m->length) == 0);
        }
    }
}

static bool is_of_far_key(char c)
{
    return is_alphanumeric(c) || c == '/' || c == '+';
}

/** Bytes of such a key behind a delimiter? Most runs as long are commits, behind an "@". */
static bool has_far_key(const char *text, wpa_span run)
{
    char before = run.start ? text[run.start - 1] : '\0';
    bool is_open = before == '"' || before == '\'' || before == ':' || before == ' ';
    size_t at = run.start;
    const char *sign = NULL;
    while (is_open || (sign = memchr(text + at, '=', run.end - at))) {
        at = is_open ? at : (size_t)(sign - text) + 1;
        size_t end = at;
        while (end < run.end && end - at < FAR_MIN_BYTES && is_of_far_key(text[end])) {
            end++;
        }
        if (end - at == FAR_MIN_BYTES) {
            return true;
        }
        at = end;
        is_open = false;
    }
    return false;
}

/** Where what may be a user's name or a password begins that ends here. */
static size_t login_start(const wpa_secret_scanner *scanner, const char *text, size_t end)
{
    while (end > 0 && scanner->is_login_byte[(unsigned char)text[end - 1]]) {
        end--;
    }
    return end;
}

#define PASSWORD_MIN_BYTES 8

/** Before this "@": an address's user and password? */
static bool ends_login(const wpa_secret_scanner *scanner, const char *text, size_t at)
{
    size_t password = login_start(scanner, text, at);
    if (at - password < PASSWORD_MIN_BYTES || password == 0 || text[password - 1] != ':') {
        return false;
    }
    size_t user = login_start(scanner, text, password - 1);
    return user >= 3 && memcmp(text + user - 3, "://", 3) == 0;
}

/** An address with a user and a password? Few are tried then. */
static bool has_login(const wpa_secret_scanner *scanner, const char *text, size_t length)
{
    const char *end = text + length;
    for (const char *at = text; (at = memchr(at, '@', (size_t)(end - at))); at++) {
        if (ends_login(scanner, text, (size_t)(at - text))) {
            return true;
        }
    }
    return false;
}

/** The only letter of it that few texts have tells it from them. */
static bool has_key(const char *text, size_t length)
{
    static const char words[] = "PRIVATE KEY";
    const size_t rare = 3, n = sizeof words - 1;
    const char *end = text + length;
    for (const char *at = text; (at = memchr(at, words[rare], (size_t)(end - at))); at++) {
        if ((size_t)(at - text) >= rare && (size_t)(end - at) >= n - rare &&
            memcmp(at - rare, words, n) == 0) {
            return true;
        }
    }
    return false;
}

/* Quote, blanks, colon, blanks, quote. */
#define BETWEEN_MAX_BYTES 9

typedef struct search {
    const wpa_secret_scanner *scanner;
    const char *text;
    const wpa_secret_filter *filter; /* or NULL */
    wpa_arena *arena;
    wpa_found_secret *found;
    size_t n, capacity;
    bool is_marked[WPA_SECRET_KINDS]; /* of those in runs: a run has one of its markers */
    size_t least;                     /* bytes from a marker on: see least_of */
    bool has_names, may_be_far, has_far;
    wpa_span *runs; /* [n_runs] that are long enough for a value */
    size_t n_runs, runs_capacity;
} search;

/**
 * Is anything assigned that ends where the run does, and is long enough? "secrets.SOME_TOKEN", the
 * most common run behind such a name, is not.
 */
static bool is_assigned(const char *text, wpa_span run)
{
    size_t at = run.start, blanks = 0;
    at -= at > 0 && (text[at - 1] == '"' || text[at - 1] == '\'') ? 1 : 0;
    while (at > 0 && blanks < 3 && is_blank(text[at - 1])) {
        at--;
        blanks++;
    }
    return (at > 0 && (text[at - 1] == ':' || text[at - 1] == '=')) ||
           memchr(text + run.start, '=', wpa_span_length(run) - WPA_SECRET_VALUE_MIN_BYTES);
}

static_assert(WPA_SECRET_VALUE_MIN_BYTES >= WPA_LANES, "values are looked at so many at a time");

/** A value without any is harmless. */
static bool has_digit(const char *text, wpa_span run)
{
    wpa_lanes digits = {0};
    for (size_t at = run.start; at < run.end; at += WPA_LANES) {
        size_t last = run.end - WPA_LANES; /* it overlaps those before it */
        digits |= wpa_lanes_from_to(wpa_lanes_at(text + (at < last ? at : last)), '0', '9');
    }
    return wpa_lanes_bits(digits) != 0;
}

/** Does the text hold any name that such values have? */
static bool names_values(const search *s)
{
    bool names = false;
    for (size_t i = 0; i < WPA_COUNT(name_words) && !names; i++) {
        names = may_hold(s->filter, name_words[i]);
    }
    return names;
}

/** The fewest bytes from a marker on of all kinds that the text may hold: shorter runs have none.
 */
static size_t least_of(const search *s)
{
    for (size_t i = 0; i < s->scanner->n_markers; i++) {
        const marker *m = &s->scanner->markers[i];
        if (may_hold(s->filter, m->text)) {
            return wpa_secret_kinds[m->kind].least_bytes;
        }
    }
    return SIZE_MAX;
}

static void look_at_run(void *context, wpa_span run)
{
    search *s = context;
    size_t n = wpa_span_length(run);
    find_markers(s->scanner, s->text, run, s->least, s->is_marked);
    s->has_far = s->has_far || (s->may_be_far && n >= FAR_MIN_BYTES && has_far_key(s->text, run));
    if (s->has_names && n >= WPA_SECRET_VALUE_MIN_BYTES && has_digit(s->text, run) &&
        is_assigned(s->text, run)) {
        s->runs = wpa_arena_grow(s->arena, s->runs, s->n_runs, &s->runs_capacity, sizeof *s->runs);
        s->runs[s->n_runs++] = run;
    }
}

/** What tells of kinds: in most files there is hardly anything. */
static void find_signs(search *s, size_t length)
{
    s->least = least_of(s);
    s->may_be_far = may_hold(s->filter, "secret");
    s->has_names = names_values(s);
    size_t shortest = s->has_names && WPA_SECRET_VALUE_MIN_BYTES < s->least
                          ? WPA_SECRET_VALUE_MIN_BYTES
                          : s->least;
    wpa_secret_runs_each(s->text, length, shortest, look_at_run, s);
}

static bool may_be(const search *s, size_t kind, size_t length)
{
    const char *first = wpa_secret_kinds[kind].markers[0];
    switch (wpa_secret_kinds[kind].place) {
    case WPA_SECRET_IN_RUN:
        return s->is_marked[kind];
    case WPA_SECRET_FAR_FROM_NAME:
        return s->has_far && wpa_text_find_ci(s->text, length, first);
    case WPA_SECRET_IN_HEADING:
        return may_hold(s->filter, first) && has_key(s->text, length);
    case WPA_SECRET_IN_LOGIN:
        return has_login(s->scanner, s->text, length);
    case WPA_SECRET_BEHIND_NAME:
        return s->n_runs > 0;
    }
    return false;
}

/** Is there a word that the name of such a value has? Text has as many bytes behind the piece. */
static bool may_name_secret(const wpa_secret_scanner *scanner, const char *text, wpa_span piece)
{
    const unsigned char *at = (const unsigned char *)text + piece.start;
    for (size_t left = wpa_span_length(piece); left >= NAME_WORD_BYTES; left--, at++) {
        if (scanner->names[0][at[0]] & scanner->names[1][at[1]] & scanner->names[2][at[2]] &
            scanner->names[3][at[3]]) {
            return true;
        }
    }
    return false;
}

/**
 * The piece of text that can hold a value with its name in front: such a value ends where a run of
 * its bytes does that is long enough. Hardly any line has one, and the pattern, which may begin at
 * any letter, is spared the rest. A long name is a run as well.
 */
static wpa_span piece_of(const search *s, wpa_span run)
{
    size_t name = run.start > BETWEEN_MAX_BYTES ? run.start - BETWEEN_MAX_BYTES : 0;
    while (name > 0 && wpa_is_secret_byte[(unsigned char)s->text[name - 1]]) {
        name--;
    }
    return (wpa_span){name, run.end};
}

/* ---- all of them ---- */

/** Secrets of one kind in a piece of the text; the pattern sees what stands in front of it. */
static void find_in(search *s, size_t kind, wpa_span piece)
{
    wpa_regex_match match;
    size_t at = piece.start;
    const wpa_regex *pattern = pattern_of(s->scanner, kind);
    while (s->n < WPA_SECRETS_MAX &&
           wpa_regex_find(pattern, s->text, piece.end, at, &match) == WPA_REGEX_YES) {
        wpa_span span = match.spans[match.n > 1 ? 1 : 0];
        at = span.end > at ? span.end : at + 1;
        if (!is_secret(&wpa_secret_kinds[kind], s->text + span.start, wpa_span_length(span)) ||
            is_known(s->found, s->n, span)) {
            continue;
        }
        s->found = wpa_arena_grow(s->arena, s->found, s->n, &s->capacity, sizeof *s->found);
        s->found[s->n++] = (wpa_found_secret){
            .kind = wpa_secret_kinds[kind].kind,
            .is_guess = wpa_secret_kinds[kind].is_guess,
            .is_doubtful =
                wpa_secret_has_wrong_checksum(s->text + span.start, wpa_span_length(span)),
            .span = span,
        };
    }
}

static void find_values(search *s, size_t kind)
{
    for (size_t i = 0; i < s->n_runs; i++) {
        wpa_span piece = piece_of(s, s->runs[i]);
        if (may_name_secret(s->scanner, s->text, piece)) {
            find_in(s, kind, piece);
        }
    }
}

static void find_all(search *s, size_t kind, size_t length)
{
    if (wpa_secret_kinds[kind].place == WPA_SECRET_BEHIND_NAME) {
        find_values(s, kind);
    } else {
        find_in(s, kind, (wpa_span){0, length});
    }
}

wpa_found_secret *wpa_secrets_find(const wpa_secret_scanner *scanner, const char *text,
                                   size_t length, wpa_arena *arena, size_t *n)
{
    return wpa_secrets_find_in(scanner, text, length, NULL, arena, n);
}

wpa_found_secret *wpa_secrets_find_in(const wpa_secret_scanner *scanner, const char *text,
                                      size_t length, const wpa_secret_filter *filter,
                                      wpa_arena *arena, size_t *n)
{
    search s = {.scanner = scanner, .text = text, .filter = filter, .arena = arena};
    find_signs(&s, length);
    for (size_t kind = 0; kind < WPA_SECRET_KINDS; kind++) {
        if (may_be(&s, kind, length)) {
            find_all(&s, kind, length);
        }
    }
    if (s.n > 1) {
        qsort(s.found, s.n, sizeof *s.found, compare);
    }
    *n = s.n;
    return s.found;
}
