/* What a "uses" names, and the comment behind it. */
#include <string.h>

#include <wpa/map.h>

#include "rules/outline_internal.h"

/* The comment behind a value on its line, or NULL. */
static const wpa_yaml_comment *comment_behind(const wpa_yaml_doc *doc, const wpa_yaml_node *node)
{
    if (!node) {
        return NULL;
    }
    const char *behind = doc->source + node->span.end, *end = doc->source + doc->size_bytes;
    const char *line_end = memchr(behind, '\n', (size_t)(end - behind));
    if (!memchr(behind, '#', (size_t)((line_end ? line_end : end) - behind))) {
        return NULL; /* as most have none */
    }
    size_t line = wpa_yaml_line_of(doc, node->span.end ? node->span.end - 1 : 0);
    size_t i = wpa_yaml_comment_from(doc, line);
    bool is_there = i < doc->n_comments && doc->comments[i].line == line &&
                    doc->comments[i].span.start >= node->span.end;
    return is_there ? &doc->comments[i] : NULL;
}

/* Words that people and tools write in front of a version; "owner/repo@v4", "pin@v4", "tag: v4". */
static bool leads_to_version(wpa_slice word, char behind)
{
    static const char *const leads[] = {"tag",      "pin",      "version",  "release",
                                        "ref",      "renovate", "ratchet",  "tags",
                                        "releases", "action",   "currently"};
    while (word.length && word.at[word.length - 1] == ':') {
        word.length--;
        behind = ':';
    }
    for (size_t i = 0; word.length && i < WPA_COUNT(leads); i++) {
        if (wpa_slice_is_ci(word, leads[i])) {
            return true;
        }
    }
    return !word.length || memchr(word.at, '/', word.length) || strchr("@=:", behind);
}

static bool parts_words(char c)
{
    return c == ' ' || c == '\t' || c == '#' || c == '=' || c == '@' || c == ',' || c == ';' ||
           c == '(' || c == ')' || !c;
}

/* The version that a comment begins with, or with what leads to one: "# v4.2.2", "# tag=v4.2.2". */
static wpa_slice version_in(wpa_slice comment)
{
    wpa_version version;
    bool may_begin = true; /* a second "#" begins another comment */
    for (size_t i = 0; i < comment.length; i++) {
        size_t start = i;
        while (i < comment.length && !parts_words(comment.at[i])) {
            i++;
        }
        char behind = i < comment.length ? comment.at[i] : ' ';
        wpa_slice word = {comment.at + start, i - start};
        bool is_version = word.length && wpa_version_parse(word, &version) &&
                          (word.at[0] == 'v' || version.n_parts > 1);
        if (may_begin && is_version) {
            return word;
        }
        may_begin = behind == '#' || (may_begin && leads_to_version(word, behind));
    }
    return (wpa_slice){comment.at, 0};
}

static bool is_slug(wpa_slice slug)
{
    for (size_t i = 0; i < slug.length; i++) {
        char c = slug.at[i];
        bool is_fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       strchr("-_./", c);
        if (!is_fine) {
            return false;
        }
    }
    return slug.length && memchr(slug.at, '/', slug.length) && slug.at[0] != '/' &&
           slug.at[0] != '.';
}

typedef struct known_use {
    wpa_slice hint;
    const wpa_fact_use *fact;
    uint32_t number;
} known_use;

/** Half of what a file uses it uses more than once. */
static const known_use *resolve(wpa_outline_known *r, const char *text,
                                const wpa_outline_uses *uses)
{
    known_use *known = r->uses ? wpa_map_get(r->uses, text) : NULL;
    if (known && known->hint.length == uses->hint.length &&
        memcmp(known->hint.at, uses->hint.at, uses->hint.length) == 0) {
        return known;
    }
    wpa_fact_use *fact = wpa_arena_alloc(r->arena, sizeof *fact);
    wpa_facts_use_resolve(uses->slug, uses->ref, uses->hint, fact);
    r->uses = r->uses ? r->uses : wpa_map_new(r->arena);
    known = wpa_arena_alloc(r->arena, sizeof *known);
    *known = (known_use){uses->hint, fact, r->n_uses++};
    wpa_map_put(r->uses, text, known);
    return known;
}

/** Of slug and ref: where the file has the text byte for byte, as nearly always, by one look. */
static void find_spans(wpa_outline_uses *uses, size_t slug_length)
{
    size_t length = uses->node->length;
    wpa_span all = wpa_yaml_source_span(uses->node, 0, length);
    if (wpa_span_length(all) == length) {
        uses->slug_span = (wpa_span){all.start, all.start + slug_length};
        uses->ref_span = (wpa_span){uses->slug_span.end + 1, all.end};
    } else {
        uses->slug_span = wpa_yaml_source_span(uses->node, 0, slug_length);
        uses->ref_span = wpa_yaml_source_span(uses->node, slug_length + 1, length);
    }
}

static bool read_repository(wpa_outline_known *r, const char *text, wpa_outline_uses *uses);

/** GitHub leaves empty parts out: "owner//repo" is "owner/repo". The spans are those of the text.
 */
static bool read_collapsed(wpa_outline_known *r, const char *text, size_t slug_length,
                           wpa_outline_uses *uses)
{
    char *copy = wpa_arena_text(r->arena, text);
    size_t n = 0;
    for (size_t i = 0; i < slug_length; i++) {
        if (text[i] != '/' || text[i + 1] != '/') {
            copy[n++] = text[i];
        }
    }
    memmove(copy + n, text + slug_length, strlen(text + slug_length) + 1);
    if (n == slug_length || !read_repository(r, copy, uses)) {
        return false;
    }
    find_spans(uses, slug_length);
    return true;
}

/* "owner/repo[/path]@ref" into its parts; false if it is not of that form. */
static bool read_repository(wpa_outline_known *r, const char *text, wpa_outline_uses *uses)
{
    const char *at = strchr(text, '@');
    if (!at || strchr(at + 1, '@') || !at[1]) {
        return false;
    }
    uses->slug = (wpa_slice){text, (size_t)(at - text)};
    uses->ref = wpa_slice_of(at + 1);
    if (!is_slug(uses->slug)) {
        return false;
    }
    const char *slash = memchr(text, '/', uses->slug.length);
    uses->owner = (wpa_slice){text, (size_t)(slash - text)};
    const char *end = memchr(slash + 1, '/', uses->slug.length - uses->owner.length - 1);
    uses->repo = (wpa_slice){text, end ? (size_t)(end - text) : uses->slug.length};
    if (uses->repo.length <= uses->owner.length + 1) {
        return read_collapsed(r, text, uses->slug.length, uses);
    }
    find_spans(uses, uses->slug.length);
    const known_use *known = resolve(r, text, uses);
    uses->fact = known->fact;
    uses->number = known->number;
    return true;
}

void wpa_outline_read_comment(wpa_outline_uses *uses)
{
    const wpa_yaml_doc *doc = uses->node->doc;
    const wpa_yaml_comment *comment = comment_behind(doc, uses->node);
    uses->hint = (wpa_slice){uses->node->text, 0};
    if (comment) {
        uses->comment = comment->span;
        uses->hint = version_in(
            (wpa_slice){doc->source + comment->span.start, wpa_span_length(comment->span)});
    }
}

wpa_outline_uses wpa_outline_uses_of(wpa_outline_known *r, const wpa_yaml_node *node)
{
    wpa_outline_uses uses = {.node = node};
    const char *text = wpa_yaml_text(uses.node);
    if (!text || !*text) {
        return (wpa_outline_uses){0};
    }
    wpa_outline_read_comment(&uses);
    if (wpa_outline_has_expression(text)) {
        uses.kind = WPA_OUTLINE_UNKNOWN;
    } else if (wpa_text_starts(text, "docker://")) {
        uses.kind = WPA_OUTLINE_DOCKER;
    } else if (wpa_text_starts(text, "./") || wpa_text_starts(text, "$/") ||
               wpa_text_starts(text, "../") || wpa_text_is(text, ".")) {
        uses.kind = WPA_OUTLINE_LOCAL;
    } else {
        uses.kind = read_repository(r, text, &uses) ? WPA_OUTLINE_REPOSITORY : WPA_OUTLINE_UNKNOWN;
    }
    return uses;
}

int wpa_outline_major(const wpa_outline_uses *uses)
{
    bool is_known = uses->fact && uses->fact->has_version && uses->fact->version.parts[0] < 100000;
    return is_known ? (int)uses->fact->version.parts[0] : -1;
}
