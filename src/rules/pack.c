#include "rules/pack.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "rules/registry.h"

/* How a path is written: most are the file's own. */
enum {
    PATH_OWN = 0,
    PATH_BESIDE = 1,
    PATH_OTHER = 2
};

/* Counts beyond these are not ours; they bound what hostile bytes can ask for. */
#define ITEMS_MAX 100000

/* ---- writing ---- */

/* Most of what is put is a few bytes: they gather here before they go to the buffer. */
#define BLOCK_BYTES 1024
#define NUMBER_MAX_BYTES 10

typedef struct writer {
    const wpa_result *result;
    const char *prefix;
    wpa_buf *out;
    size_t n; /* bytes in block */
    uint8_t block[BLOCK_BYTES];
} writer;

static void flush(writer *w)
{
    wpa_buf_append(w->out, w->block, w->n);
    w->n = 0;
}

/** Room in the block for so many bytes, of at most BLOCK_BYTES. */
static uint8_t *make_room(writer *w, size_t size_bytes)
{
    if (size_bytes > BLOCK_BYTES - w->n) {
        flush(w);
    }
    return w->block + w->n;
}

/** Returns where it ends. */
static inline uint8_t *write_number(uint8_t *to, uint64_t number)
{
    for (; number > 0x7F; number >>= 7) {
        *to++ = (uint8_t)(number | 0x80);
    }
    *to++ = (uint8_t)number;
    return to;
}

static void put_long_number(writer *w, uint64_t number)
{
    uint8_t *room = make_room(w, NUMBER_MAX_BYTES);
    w->n += (size_t)(write_number(room, number) - room);
}

/** Nearly all are of one byte. */
static inline void put_number(writer *w, uint64_t number)
{
    if (number <= 0x7F && w->n < BLOCK_BYTES) {
        w->block[w->n++] = (uint8_t)number;
    } else {
        put_long_number(w, number);
    }
}

static void put_raw(writer *w, const void *data, size_t size_bytes)
{
    if (size_bytes > BLOCK_BYTES) {
        flush(w);
        wpa_buf_append(w->out, data, size_bytes);
    } else if (size_bytes) {
        memcpy(make_room(w, size_bytes), data, size_bytes);
        w->n += size_bytes;
    }
}

/** 0 stands for NULL. text is NUL-terminated at its length. */
static void put_bytes(writer *w, const char *text, size_t length)
{
    put_number(w, text ? length + 1 : 0);
    put_raw(w, text, text ? length + 1 : 0);
}

static void put_present(writer *w, const char *text)
{
    put_bytes(w, text, strlen(text));
}

/** Most of what a finding may have it has not. */
static inline void put_text(writer *w, const char *text)
{
    if (text) {
        put_present(w, text);
    } else {
        put_number(w, 0);
    }
}

static void put_path(writer *w, const char *path)
{
    bool is_beside = *w->prefix && wpa_text_starts(path, w->prefix);
    if (path == w->result->path || wpa_text_is(path, w->result->path)) {
        put_number(w, PATH_OWN);
    } else {
        put_number(w, is_beside ? PATH_BESIDE : PATH_OTHER);
        put_text(w, is_beside ? path + strlen(w->prefix) : path);
    }
}

#define SPAN_NUMBERS 6

static void put_span(writer *w, const wpa_finding_span *span)
{
    uint8_t *room = make_room(w, (size_t)SPAN_NUMBERS * NUMBER_MAX_BYTES), *to = room;
    to = write_number(to, span->start.line);
    to = write_number(to, span->start.column);
    to = write_number(to, span->end.line);
    to = write_number(to, span->end.column);
    to = write_number(to, span->bytes.start);
    to = write_number(to, span->bytes.end);
    w->n += (size_t)(to - room);
}

static void put_fix(writer *w, const wpa_fix *fix)
{
    put_text(w, fix->title);
    put_number(w, fix->safety);
    put_number(w, fix->declares);
    put_text(w, fix->needs);
    put_number(w, fix->n_edits);
    for (size_t i = 0; i < fix->n_edits; i++) {
        put_path(w, fix->edits[i].path);
        put_number(w, fix->edits[i].bytes.start);
        put_number(w, fix->edits[i].bytes.end);
        put_span(w, &fix->edits[i].span);
        put_text(w, fix->edits[i].text);
        put_number(w, fix->edits[i].is_new);
    }
}

/* What every finding has is put first, in few bytes: severity, confidence and persona in one, with
 * a bit for whether there is more. */
#define GRADE_BITS 2
#define GRADE_MASK ((1U << GRADE_BITS) - 1)
#define HAS_MORE (1U << 3 * GRADE_BITS)

_Static_assert(WPA_SEVERITY_COUNT <= GRADE_MASK + 1, "a severity has room");
_Static_assert(WPA_CONFIDENCE_COUNT <= GRADE_MASK + 1, "a confidence has room");
_Static_assert(WPA_PERSONA_COUNT <= GRADE_MASK + 1, "a persona has room");
_Static_assert(WPA_FINDING_OPEN == 0, "what is not put is zero");

static bool has_more(const wpa_finding *finding)
{
    return finding->state != WPA_FINDING_OPEN || finding->is_secret || finding->is_summary ||
           finding->state_reason || finding->since || *finding->fingerprint || finding->n_related ||
           finding->n_structure || finding->n_fixes;
}

static void put_more(writer *w, const wpa_finding *finding)
{
    put_number(w, finding->state);
    put_number(w, (uint64_t)finding->is_secret | (uint64_t)finding->is_summary << 1);
    put_text(w, finding->state_reason);
    put_text(w, finding->since);
    put_text(w, finding->fingerprint);
    put_number(w, finding->n_related);
    for (size_t i = 0; i < finding->n_related; i++) {
        put_path(w, finding->related[i].path);
        put_span(w, &finding->related[i].span);
        put_text(w, finding->related[i].label);
        put_number(w, finding->related[i].is_step);
    }
    put_number(w, finding->n_structure);
    for (size_t i = 0; i < finding->n_structure; i++) {
        put_text(w, finding->structure[i]);
    }
    put_number(w, finding->n_fixes);
    for (size_t i = 0; i < finding->n_fixes; i++) {
        put_fix(w, finding->fixes[i]);
    }
}

static void put_finding(writer *w, const wpa_finding *finding)
{
    bool is_more = has_more(finding);
    put_number(w, wpa_rules_index(finding->rule));
    put_number(w, (unsigned)finding->severity | (unsigned)finding->confidence << GRADE_BITS |
                      (unsigned)finding->persona << 2 * GRADE_BITS | (is_more ? HAS_MORE : 0));
    put_text(w, finding->check);
    put_text(w, finding->message);
    put_span(w, &finding->span);
    if (is_more) {
        put_more(w, finding);
    }
}

/* ---- excerpts ---- */

static void mark_span(const wpa_finding_span *span, uint8_t *wanted, size_t n_lines)
{
    for (size_t i = 0; i < WPA_EXCERPT_LINES_MAX; i++) {
        size_t line = span->start.line + i;
        if (line <= span->end.line && line <= n_lines) {
            wanted[line / 8] = (uint8_t)(wanted[line / 8] | (1U << (line % 8)));
        }
    }
}

/** What a secret is hidden behind: all but its first characters, so that columns stay true. */
static void mask_secrets(const wpa_result *result, wpa_span line, char *copy)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        wpa_span secret = finding->span.bytes;
        for (size_t at = secret.start + 4; finding->is_secret && at < secret.end; at++) {
            bool is_inside = at >= line.start && at < line.end;
            if (is_inside && ((unsigned char)copy[at - line.start] & 0xC0) != 0x80) {
                copy[at - line.start] = '*';
            }
        }
    }
}

static bool has_secret(const wpa_result *result)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        if (result->findings[i]->is_secret) {
            return true;
        }
    }
    return false;
}

static void put_line(writer *w, size_t line, bool is_masked, wpa_arena *arena)
{
    const wpa_yaml_doc *doc = w->result->source->yaml;
    wpa_span span = wpa_yaml_line(doc, line);
    char *copy = wpa_arena_slice(arena, doc->source + span.start, wpa_span_length(span));
    if (is_masked) {
        mask_secrets(w->result, span, copy);
    }
    put_number(w, line);
    put_number(w, span.start);
    put_bytes(w, copy, wpa_span_length(span));
}

static uint8_t *mark_lines(const wpa_result *result, size_t n_lines, wpa_arena *arena)
{
    uint8_t *wanted = wpa_arena_array(arena, n_lines / 8 + 1, 1);
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        mark_span(&finding->span, wanted, n_lines);
        for (size_t j = 0; j < finding->n_related; j++) {
            if (wpa_text_is(finding->related[j].path, finding->path)) {
                mark_span(&finding->related[j].span, wanted, n_lines);
            }
        }
    }
    return wanted;
}

/** Of a result that was unpacked before. */
static void put_kept_lines(writer *w)
{
    put_number(w, w->result->n_lines);
    for (size_t i = 0; i < w->result->n_lines; i++) {
        put_number(w, w->result->lines[i].line);
        put_number(w, w->result->lines[i].start);
        put_bytes(w, w->result->lines[i].text, w->result->lines[i].length);
    }
}

static void put_lines(writer *w)
{
    const wpa_yaml_doc *doc = w->result->source ? w->result->source->yaml : NULL;
    if (!w->result->source) {
        put_kept_lines(w);
        return;
    }
    if (!doc || !w->result->n_findings) {
        put_number(w, 0);
        return;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    uint8_t *wanted = mark_lines(w->result, doc->n_lines, arena);
    size_t n = 0;
    for (size_t i = 0; i <= doc->n_lines / 8; i++) {
        n += (size_t)__builtin_popcount(wanted[i]);
    }
    put_number(w, n);
    bool is_masked = has_secret(w->result);
    for (size_t line = 1; line <= doc->n_lines; line++) {
        if (wanted[line / 8] >> (line % 8) & 1U) {
            put_line(w, line, is_masked, arena);
        }
    }
}

void wpa_result_pack(const wpa_result *result, bool has_excerpts, wpa_buf *out)
{
    const wpa_surroundings *around = result->source ? result->source->around : NULL;
    writer w; /* not its block, which is written anyway */
    w.result = result;
    w.prefix = around && around->prefix ? around->prefix : "";
    w.out = out;
    w.n = 0;
    put_number(&w, result->n_findings);
    for (size_t i = 0; i < result->n_findings; i++) {
        put_finding(&w, result->findings[i]);
    }
    put_number(&w, (uint64_t)result->spent_us);
    put_number(&w, result->n_notes);
    for (size_t i = 0; i < result->n_notes; i++) {
        put_text(&w, result->notes[i].rule);
        put_text(&w, result->notes[i].text);
    }
    put_number(&w, result->undecided.n_unknown);
    put_number(&w, result->undecided.n_unversioned);
    put_number(&w, result->undecided.n_unread);
    put_number(&w, result->n_used);
    put_raw(&w, result->used, result->n_used * sizeof *result->used);
    if (has_excerpts) {
        put_lines(&w);
    } else {
        put_number(&w, 0);
    }
    flush(&w);
}

/* ---- reading ---- */

typedef struct reader {
    const uint8_t *at, *end;
    const char *path, *prefix;
    wpa_arena *arena;
    bool is_bad;
} reader;

static uint64_t get_long_number(reader *r)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        uint8_t byte = *r->at++;
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            return number;
        }
    }
    r->is_bad = true;
    return 0;
}

/** Nearly all are of one byte. */
static inline uint64_t get_number(reader *r)
{
    return r->at < r->end && *r->at <= 0x7F ? *r->at++ : get_long_number(r);
}

static unsigned get_below(reader *r, unsigned bound)
{
    uint64_t number = get_number(r);
    r->is_bad = r->is_bad || number >= bound;
    return r->is_bad ? 0 : (unsigned)number;
}

/** Items take a byte each at least: a count beyond what is left is a lie. */
static size_t get_count(reader *r)
{
    uint64_t n = get_number(r);
    r->is_bad = r->is_bad || n > ITEMS_MAX || n > (uint64_t)(r->end - r->at);
    return r->is_bad ? 0 : (size_t)n;
}

/** Room for so many items; NULL for none, as most lists are. */
static void *make_list(const reader *r, size_t n, size_t item_bytes)
{
    return n ? wpa_arena_array(r->arena, n, item_bytes) : NULL;
}

/** Points into the bytes, which are NUL-terminated there. */
static const char *get_bytes(reader *r, size_t *length)
{
    uint64_t n = get_number(r);
    *length = 0;
    if (r->is_bad || n == 0) {
        return NULL;
    }
    if (n > (uint64_t)(r->end - r->at) || r->at[n - 1] != '\0') {
        r->is_bad = true;
        return NULL;
    }
    const char *text = (const char *)r->at;
    r->at += n;
    *length = (size_t)n - 1;
    return text;
}

static const char *get_text(reader *r)
{
    size_t length;
    return get_bytes(r, &length);
}

static const char *get_text_or_empty(reader *r)
{
    const char *text = get_text(r);
    return text ? text : "";
}

static const char *get_path(reader *r)
{
    switch (get_below(r, PATH_OTHER + 1)) {
    case PATH_OWN:
        return r->path;
    case PATH_BESIDE:
        return wpa_arena_printf(r->arena, "%s%s", r->prefix, get_text_or_empty(r));
    default:
        return get_text_or_empty(r);
    }
}

static wpa_finding_span get_span(reader *r)
{
    wpa_finding_span span;
    span.start.line = (size_t)get_number(r);
    span.start.column = (size_t)get_number(r);
    span.end.line = (size_t)get_number(r);
    span.end.column = (size_t)get_number(r);
    span.bytes.start = (size_t)get_number(r);
    span.bytes.end = (size_t)get_number(r);
    return span;
}

static wpa_fix *get_fix(reader *r)
{
    wpa_fix *fix = wpa_arena_alloc(r->arena, sizeof *fix);
    fix->title = get_text_or_empty(r);
    fix->safety = (wpa_safety)get_below(r, WPA_SAFETY_COUNT);
    fix->declares = get_below(r, 1U << WPA_DECLARES_COUNT);
    fix->needs = get_text(r);
    fix->n_edits = fix->capacity = get_count(r);
    fix->edits = make_list(r, fix->n_edits, sizeof *fix->edits);
    for (size_t i = 0; i < fix->n_edits && !r->is_bad; i++) {
        fix->edits[i].path = get_path(r);
        fix->edits[i].bytes.start = (size_t)get_number(r);
        fix->edits[i].bytes.end = (size_t)get_number(r);
        fix->edits[i].span = get_span(r);
        fix->edits[i].text = get_text_or_empty(r);
        fix->edits[i].is_new = get_below(r, 2);
    }
    return fix;
}

static void get_related(reader *r, wpa_finding *finding)
{
    finding->n_related = finding->related_capacity = get_count(r);
    finding->related = make_list(r, finding->n_related, sizeof *finding->related);
    for (size_t i = 0; i < finding->n_related && !r->is_bad; i++) {
        finding->related[i].path = get_path(r);
        finding->related[i].span = get_span(r);
        finding->related[i].label = get_text_or_empty(r);
        finding->related[i].is_step = get_number(r) != 0;
    }
}

static void get_structure(reader *r, wpa_finding *finding)
{
    finding->n_structure = get_count(r);
    const char **structure = make_list(r, finding->n_structure, sizeof *structure);
    for (size_t i = 0; i < finding->n_structure && !r->is_bad; i++) {
        structure[i] = get_text_or_empty(r);
    }
    finding->structure = structure;
}

static void get_rule(reader *r, wpa_finding *finding)
{
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    unsigned index = get_below(r, (unsigned)n_rules + 1); /* the last: of a program outside */
    finding->rule = index < n_rules ? rules[index] : &wpa_rule_external;
    finding->dimension = finding->rule->dimension;
    finding->kind = finding->rule->kind;
}

/** Returns whether there is more. */
static bool get_grades(reader *r, wpa_finding *finding)
{
    unsigned grades = get_below(r, 2 * HAS_MORE);
    unsigned severity = grades & GRADE_MASK, confidence = grades >> GRADE_BITS & GRADE_MASK,
             persona = grades >> 2 * GRADE_BITS & GRADE_MASK;
    r->is_bad = r->is_bad || severity >= WPA_SEVERITY_COUNT || confidence >= WPA_CONFIDENCE_COUNT ||
                persona >= WPA_PERSONA_COUNT;
    if (!r->is_bad) {
        finding->severity = (wpa_severity)severity;
        finding->confidence = (wpa_confidence)confidence;
        finding->persona = (wpa_persona)persona;
    }
    return grades & HAS_MORE;
}

static void get_more(reader *r, wpa_finding *finding)
{
    finding->state = (wpa_finding_state)get_below(r, WPA_FINDING_STATE_COUNT);
    unsigned flags = get_below(r, 4);
    finding->is_secret = flags & 1U;
    finding->is_summary = flags >> 1 & 1U;
    finding->state_reason = get_text(r);
    finding->since = get_text(r);
    const char *fingerprint = get_text_or_empty(r);
    r->is_bad = r->is_bad || strlen(fingerprint) >= sizeof finding->fingerprint;
    if (!r->is_bad) {
        memcpy(finding->fingerprint, fingerprint, strlen(fingerprint) + 1);
    }
    get_related(r, finding);
    get_structure(r, finding);
    finding->n_fixes = finding->fixes_capacity = get_count(r);
    finding->fixes = make_list(r, finding->n_fixes, sizeof(wpa_fix *));
    for (size_t i = 0; i < finding->n_fixes && !r->is_bad; i++) {
        finding->fixes[i] = get_fix(r);
    }
}

static wpa_finding *get_finding(reader *r)
{
    wpa_finding *finding = wpa_arena_alloc(r->arena, sizeof *finding);
    get_rule(r, finding);
    bool has_more = get_grades(r, finding);
    finding->check = get_text(r);
    finding->message = get_text_or_empty(r);
    finding->path = r->path;
    finding->evidence = "";
    finding->span = get_span(r);
    if (has_more) {
        get_more(r, finding);
    }
    return finding;
}

static void get_notes(reader *r, wpa_result *result)
{
    result->n_notes = get_count(r);
    wpa_note *notes = make_list(r, result->n_notes, sizeof *notes);
    for (size_t i = 0; i < result->n_notes && !r->is_bad; i++) {
        const char *rule = get_text(r);
        notes[i] = (wpa_note){r->path, rule, get_text_or_empty(r)};
    }
    result->notes = notes;
}

static void get_used(reader *r, wpa_result *result)
{
    result->n_used = get_count(r);
    size_t size_bytes = result->n_used * sizeof *result->used;
    if (r->is_bad || size_bytes > (size_t)(r->end - r->at)) {
        r->is_bad = true;
        result->n_used = 0;
        return;
    }
    uint64_t *used = make_list(r, result->n_used, sizeof *used);
    if (used) {
        memcpy(used, r->at, size_bytes);
    }
    r->at += size_bytes;
    result->used = used;
}

static void get_lines(reader *r, wpa_result *result)
{
    result->n_lines = get_count(r);
    wpa_excerpt_line *lines = make_list(r, result->n_lines, sizeof *lines);
    for (size_t i = 0; i < result->n_lines && !r->is_bad; i++) {
        lines[i].line = (size_t)get_number(r);
        lines[i].start = (size_t)get_number(r);
        const char *text = get_bytes(r, &lines[i].length);
        lines[i].text = text ? text : "";
    }
    result->lines = lines;
}

bool wpa_result_unpack(const void *data, size_t size_bytes, const char *path, const char *prefix,
                       wpa_arena *arena, wpa_result *result)
{
    reader r = {.at = data, .path = path, .prefix = prefix ? prefix : "", .arena = arena};
    r.end = r.at + size_bytes;
    *result = (wpa_result){.path = path};
    result->n_findings = get_count(&r);
    result->findings = wpa_arena_array(arena, result->n_findings + 1, sizeof *result->findings);
    for (size_t i = 0; i < result->n_findings && !r.is_bad; i++) {
        result->findings[i] = get_finding(&r);
    }
    result->spent_us = (int64_t)get_number(&r);
    get_notes(&r, result);
    result->undecided.n_unknown = (size_t)get_number(&r);
    result->undecided.n_unversioned = (size_t)get_number(&r);
    result->undecided.n_unread = (size_t)get_number(&r);
    get_used(&r, result);
    get_lines(&r, result);
    return !r.is_bad && r.at == r.end;
}
