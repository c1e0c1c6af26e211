/* Places, structure, evidence and fingerprint: what follows from a finding's span. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "rules/sink.h"

#define EVIDENCE_MAX_BYTES 400
#define IDENTITY_WORDS 8
#define FINGERPRINT_BYTES 20
#define IDENTITY_MAX_BYTES ((size_t)64 << 20)

wpa_finding_span wpa_finding_span_of(const wpa_source *source, wpa_span bytes)
{
    wpa_finding_span span = {.start = {1, 1}, .end = {1, 1}, .bytes = bytes};
    if (source->yaml) {
        span.start = wpa_yaml_position(source->yaml, bytes.start);
        span.end = wpa_yaml_position(source->yaml, bytes.end);
    }
    return span;
}

/** The first words of a text, blanks collapsed. */
static const char *first_words(const char *text, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(EVIDENCE_MAX_BYTES);
    size_t n_words = 0;
    for (const char *at = text; *at && n_words < IDENTITY_WORDS;) {
        size_t blanks = strspn(at, " \t\r\n");
        size_t length = strcspn(at + blanks, " \t\r\n");
        if (length && n_words++) {
            wpa_buf_char(buf, ' ');
        }
        wpa_buf_append(buf, at + blanks, length);
        at += blanks + length;
    }
    return wpa_buf_dup(buf, arena);
}

/** A step is known by its id, else name, else action without its version, else its script. */
static const char *step_identity(const wpa_yaml_node *step, wpa_arena *arena)
{
    const char *text = wpa_yaml_text(wpa_yaml_get(step, "id"));
    text = text ? text : wpa_yaml_text(wpa_yaml_get(step, "name"));
    if (text) {
        return text;
    }
    text = wpa_yaml_text(wpa_yaml_get(step, "uses"));
    if (text) {
        return wpa_arena_slice(arena, text, strcspn(text, "@"));
    }
    text = wpa_yaml_text(wpa_yaml_get(step, "run"));
    return text ? first_words(text, arena) : NULL;
}

static const char *item_identity(const wpa_yaml_node *item, wpa_arena *arena)
{
    const wpa_yaml_node *list = item->parent;
    const char *text = NULL;
    if (list->key && list->key->text &&
        (wpa_text_is(list->key->text, "steps") || wpa_text_is(list->key->text, "parallel"))) {
        text = step_identity(item, arena);
    }
    return text ? text : wpa_arena_printf(arena, "%u", item->index);
}

static bool is_key_of(const wpa_yaml_node *node, const wpa_yaml_node *mapping)
{
    return mapping->kind == WPA_YAML_MAPPING && node->index < mapping->n_pairs &&
           mapping->pairs[node->index].key == node;
}

static const char *identity_of(const wpa_yaml_node *node, wpa_arena *arena)
{
    if (node->key) {
        return node->key->kind == WPA_YAML_SCALAR ? node->key->text : "?";
    }
    if (!node->parent) {
        return NULL;
    }
    if (is_key_of(node, node->parent)) {
        return node->kind == WPA_YAML_SCALAR ? node->text : "?";
    }
    return node->parent->kind == WPA_YAML_SEQUENCE ? item_identity(node, arena) : NULL;
}

static void find_structure(const wpa_source *source, wpa_finding *finding, wpa_arena *arena)
{
    const char *names[WPA_YAML_MAX_DEPTH + 2];
    size_t n = 0;
    const wpa_yaml_node *node = wpa_yaml_node_at(source->yaml, finding->span.bytes.start);
    for (; node && n < WPA_COUNT(names); node = node->parent) {
        const char *name = identity_of(node, arena);
        if (name) {
            names[n++] = name;
        }
    }
    const char **structure = wpa_arena_array(arena, n ? n : 1, sizeof *structure);
    for (size_t i = 0; i < n; i++) {
        structure[i] = wpa_text_visible(arena, names[n - 1 - i], strlen(names[n - 1 - i]), false);
    }
    finding->structure = structure;
    finding->n_structure = n;
}

static const char *collapse(const char *text, size_t length, wpa_arena *arena)
{
    char *out = wpa_arena_alloc(arena, length + 1);
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool is_blank = c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\0';
        if (!is_blank) {
            out[n++] = c;
        } else if (n && out[n - 1] != ' ') {
            out[n++] = ' ';
        }
    }
    n -= n && out[n - 1] == ' ';
    out[n] = '\0';
    return out;
}

static const char *find_evidence(const wpa_source *source, const wpa_finding *finding,
                                 wpa_arena *arena)
{
    wpa_span span = finding->span.bytes;
    size_t length = wpa_span_length(span);
    const char *at = source->yaml->source + span.start;
    if (finding->is_secret) {
        /* A key keeps the digest from being looked up in tables of digests of known tokens. */
        static const char key[] = "wpa secret evidence";
        uint8_t mac[WPA_SHA256_SIZE];
        char hex[WPA_SHA256_HEX_SIZE];
        wpa_hmac_sha256(key, sizeof key, at, length, mac);
        wpa_hex_encode(mac, WPA_SHA256_SIZE, hex);
        return wpa_arena_text(arena, hex);
    }
    length = length > EVIDENCE_MAX_BYTES ? EVIDENCE_MAX_BYTES : length;
    return collapse(at, length, arena);
}

static size_t clamp(size_t offset, size_t max)
{
    return offset > max ? max : offset;
}

void wpa_finding_clamp(const wpa_source *source, wpa_finding *finding)
{
    if (source->yaml) {
        wpa_span *bytes = &finding->span.bytes;
        bytes->start = clamp(bytes->start, source->yaml->size_bytes);
        bytes->end =
            clamp(bytes->end < bytes->start ? bytes->start : bytes->end, source->yaml->size_bytes);
    }
}

void wpa_finding_locate(const wpa_source *source, wpa_finding *finding)
{
    finding->span = wpa_finding_span_of(source, finding->span.bytes);
}

void wpa_finding_identify(const wpa_source *source, wpa_finding *finding, wpa_arena *arena)
{
    finding->evidence = "";
    if (source->yaml) {
        find_structure(source, finding, arena);
        finding->evidence = find_evidence(source, finding, arena);
    }
}

/** Length first, so that no two lists of texts give the same bytes. */
static void put_text(wpa_buf *buf, const char *text)
{
    uint64_t length = strlen(text);
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(length >> (8 * i));
    }
    wpa_buf_append(buf, bytes, sizeof bytes);
    wpa_buf_append(buf, text, length);
}

static void put_identity(const wpa_source *source, const wpa_finding *finding, wpa_buf *buf)
{
    char ordinal[24];
    (void)wpa_text_format(ordinal, sizeof ordinal, "%zu", finding->ordinal);
    wpa_buf_truncate(buf, 0);
    put_text(buf, "wpa1");
    put_text(buf, finding->rule->id);
    put_text(buf, finding->check ? finding->check : "");
    put_text(buf, wpa_source_identity(source));
    for (size_t i = 0; i < finding->n_structure; i++) {
        put_text(buf, finding->structure[i]);
    }
    put_text(buf, finding->evidence);
    put_text(buf, ordinal);
}

/** What the fingerprint is of, as one text: to count those that are alike, hashing is too slow. */
static const char *identity_text(const wpa_finding *finding, wpa_buf *buf)
{
    wpa_buf_truncate(buf, 0);
    wpa_buf_text(buf, finding->rule->id);
    wpa_buf_char(buf, '\n');
    wpa_buf_text(buf, finding->check ? finding->check : "");
    for (size_t i = 0; i < finding->n_structure; i++) {
        wpa_buf_char(buf, '\n');
        wpa_buf_text(buf, finding->structure[i]);
    }
    wpa_buf_char(buf, '\n');
    wpa_buf_text(buf, finding->evidence);
    return wpa_buf_data(buf);
}

void wpa_findings_number(wpa_finding **findings, size_t n, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(IDENTITY_MAX_BYTES);
    wpa_map *seen = wpa_map_new(arena); /* identity → how many so far */
    for (size_t i = 0; i < n; i++) {
        if (!findings[i]->evidence) {
            continue;
        }
        const char *identity = identity_text(findings[i], buf);
        size_t *count = wpa_map_get(seen, identity);
        if (!count) {
            count = wpa_arena_alloc(arena, sizeof *count);
            wpa_map_put(seen, identity, count);
        }
        findings[i]->ordinal = (*count)++;
    }
}

void wpa_findings_fingerprint(const wpa_source *source, wpa_finding **findings, size_t n)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(IDENTITY_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        uint8_t digest[WPA_SHA256_SIZE];
        put_identity(source, findings[i], buf);
        wpa_sha256(wpa_buf_data(buf), wpa_buf_size(buf), digest);
        wpa_hex_encode(digest, FINGERPRINT_BYTES, findings[i]->fingerprint);
    }
}
