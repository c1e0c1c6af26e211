#include <ctype.h>
#include <string.h>

#include "workflow/workflow.h"

static size_t count_hex(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF");
}

/* v1, 1.2, v1.2.3-rc.1: digits in dotted groups, then perhaps a pre-release or build part. */
static bool is_version(const char *ref)
{
    const char *at = *ref == 'v' || *ref == 'V' ? ref + 1 : ref;
    for (int group = 0; group < 4; group++) {
        size_t digits = strspn(at, "0123456789");
        if (digits == 0) {
            return false;
        }
        at += digits;
        if (*at != '.') {
            break;
        }
        at++;
    }
    return *at == '\0' || ((*at == '-' || *at == '+') && at[1] != '\0');
}

wpa_ref_kind wpa_ref_kind_of(const char *ref)
{
    if (!ref || *ref == '\0') {
        return WPA_REF_NONE;
    }
    size_t length = strlen(ref);
    size_t hex = count_hex(ref);
    if (hex == length && (length == 40 || length == 64)) {
        return WPA_REF_COMMIT;
    }
    if (is_version(ref)) {
        return WPA_REF_VERSION;
    }
    return hex == length && length >= 7 && length < 40 ? WPA_REF_SHORT_COMMIT : WPA_REF_OTHER;
}

/* The comment behind the value on its line. */
static void find_comment(wpa_reference *uses, wpa_arena *arena)
{
    const wpa_yaml_doc *doc = uses->node->doc;
    size_t line = wpa_yaml_line_of(doc, uses->node->span.end);
    for (size_t i = wpa_yaml_comment_from(doc, line); i < doc->n_comments; i++) {
        const wpa_yaml_comment *comment = &doc->comments[i];
        if (comment->line != line) {
            return;
        }
        if (comment->span.start < uses->node->span.end) {
            continue;
        }
        uses->comment_span = comment->span;
        size_t start = comment->span.start, end = comment->span.end;
        while (start < end && (doc->source[start] == '#' || doc->source[start] == ' ')) {
            start++;
        }
        while (end > start && isspace((unsigned char)doc->source[end - 1])) {
            end--;
        }
        uses->comment = wpa_arena_slice(arena, doc->source + start, end - start);
        return;
    }
}

static bool is_name(const char *text)
{
    return *text && !strpbrk(text, " \t@\\:");
}

/* owner/repo[/path]@ref; false if a part is missing. */
static bool parse_repository(wpa_reference *uses, const char *at, wpa_arena *arena)
{
    char *name = wpa_arena_slice(arena, uses->text, (size_t)(at - uses->text));
    char *slash = strchr(name, '/');
    uses->ref = wpa_arena_text(arena, at + 1);
    uses->ref_kind = wpa_ref_kind_of(uses->ref);
    if (!slash || *uses->ref == '\0' || strchr(uses->ref, '@')) {
        return false;
    }
    *slash = '\0';
    char *path = strchr(slash + 1, '/');
    uses->path = path ? wpa_arena_text(arena, path + 1) : "";
    if (path) {
        *path = '\0';
    }
    uses->owner = name;
    uses->repository = slash + 1;
    char *slug = wpa_arena_printf(arena, "%s/%s", name, slash + 1);
    for (char *c = slug; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    uses->slug = slug;
    return is_name(uses->owner) && is_name(uses->repository);
}

wpa_reference wpa_reference_parse(const wpa_value *value, wpa_arena *arena)
{
    wpa_reference uses = {.node = value->node, .text = value->text};
    if (!value->text) {
        return uses;
    }
    find_comment(&uses, arena);
    const char *at = strchr(uses.text, '@');
    size_t length = strlen(uses.text);
    size_t name_length = at ? (size_t)(at - uses.text) : length;
    uses.name_span = wpa_yaml_source_span(uses.node, 0, name_length);
    if (at) {
        uses.ref_span = wpa_yaml_source_span(uses.node, name_length + 1, length);
    }
    if (value->has_expression) {
        uses.kind = WPA_REFERENCE_INVALID;
    } else if (wpa_text_starts(uses.text, "docker://")) {
        uses.kind = WPA_REFERENCE_DOCKER;
        uses.image = uses.text + strlen("docker://");
    } else if (wpa_text_starts(uses.text, "./") || wpa_text_starts(uses.text, "$/")) {
        uses.kind = WPA_REFERENCE_LOCAL;
        uses.path = uses.text;
    } else {
        uses.kind = at && parse_repository(&uses, at, arena) ? WPA_REFERENCE_REPOSITORY
                                                             : WPA_REFERENCE_INVALID;
    }
    return uses;
}
