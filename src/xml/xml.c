#include "xml/xml.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "gen/calls_expat.h"

#define TEXT_MAX_BYTES (1U << 20) /* of one element; the rest is left out */

struct wpa_xml {
    const char *name;
    const char *const *attributes; /* name, value, …, NULL */
    const char *text;
    wpa_xml *parent, *first, *last, *next;
    wpa_buf *gathering; /* while the element is open */
};

typedef struct reader {
    XML_Parser parser;
    wpa_arena *arena;
    wpa_xml *root, *open;
    int depth;
    size_t n_elements;
    wpa_error *err;
} reader;

static void stop(reader *at, wpa_code code, const char *what)
{
    WPA_FAIL(at->err, code, "line %lu column %lu: %s", XML_GetCurrentLineNumber(at->parser),
             XML_GetCurrentColumnNumber(at->parser) + 1, what);
    XML_StopParser(at->parser, XML_FALSE);
}

static const char *const *dup_attributes(const XML_Char **attributes, wpa_arena *arena)
{
    size_t n = 0;
    while (attributes[n]) {
        n++;
    }
    const char **copy = wpa_arena_array(arena, n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        copy[i] = wpa_arena_text(arena, attributes[i]);
    }
    return copy;
}

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    reader *at = context;
    if (++at->depth > WPA_XML_MAX_DEPTH || ++at->n_elements > WPA_XML_MAX_ELEMENTS) {
        stop(at, WPA_E_LIMIT, "too many elements, or nested too deep");
        return;
    }
    wpa_xml *element = wpa_arena_alloc(at->arena, sizeof *element);
    element->name = wpa_arena_text(at->arena, name);
    element->attributes = dup_attributes(attributes, at->arena);
    element->text = "";
    element->parent = at->open;
    if (at->open) {
        *(at->open->last ? &at->open->last->next : &at->open->first) = element;
        at->open->last = element;
    } else {
        at->root = element;
    }
    at->open = element;
}

static void close_text(wpa_xml *element, wpa_arena *arena)
{
    if (element->gathering) {
        element->text = wpa_buf_dup(element->gathering, arena);
        wpa_buf_free(element->gathering);
        element->gathering = NULL;
    }
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    reader *at = context;
    (void)name;
    close_text(at->open, at->arena);
    at->open = at->open->parent;
    at->depth--;
}

static void XMLCALL on_text(void *context, const XML_Char *text, int length)
{
    reader *at = context;
    if (!at->open->gathering) {
        at->open->gathering = wpa_buf_new(TEXT_MAX_BYTES);
    }
    wpa_buf_append(at->open->gathering, text, (size_t)length);
}

static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_internal_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
    stop(context, WPA_E_INVALID, "a DOCTYPE is not accepted");
}

static bool fail_parse(reader *at)
{
    enum XML_Error code = XML_GetErrorCode(at->parser);
    if (code != XML_ERROR_ABORTED) {
        WPA_FAIL(at->err, WPA_E_INVALID, "line %lu column %lu: %s",
                 XML_GetCurrentLineNumber(at->parser), XML_GetCurrentColumnNumber(at->parser) + 1,
                 XML_ErrorString(code));
    }
    for (wpa_xml *open = at->open; open; open = open->parent) {
        close_text(open, at->arena);
    }
    return false;
}

const wpa_xml *wpa_xml_parse(const char *text, size_t length, wpa_arena *arena, wpa_error *err)
{
    if (length > WPA_XML_MAX_BYTES) {
        WPA_FAIL(err, WPA_E_LIMIT, "XML of %zu bytes (at most %u)", length, WPA_XML_MAX_BYTES);
        return NULL;
    }
    if (!wpa_expat_open(err)) {
        return NULL;
    }
    reader at = {.parser = XML_ParserCreate(NULL), .arena = arena, .err = err};
    if (!at.parser) {
        WPA_FAIL(err, WPA_E_INTERNAL, "no XML parser could be made");
        return NULL;
    }
    XML_SetUserData(at.parser, &at);
    XML_SetElementHandler(at.parser, on_start, on_end);
    XML_SetCharacterDataHandler(at.parser, on_text);
    XML_SetStartDoctypeDeclHandler(at.parser, on_doctype);
    /* The whole text at once: in small pieces one long token costs quadratic time. */
    bool is_read = XML_Parse(at.parser, text, (int)length, XML_TRUE) == XML_STATUS_OK;
    is_read = is_read || fail_parse(&at);
    XML_ParserFree(at.parser);
    return is_read ? at.root : NULL;
}

const char *wpa_xml_name(const wpa_xml *element)
{
    return element->name;
}

const char *wpa_xml_attribute(const wpa_xml *element, const char *name)
{
    for (const char *const *at = element->attributes; *at; at += 2) {
        if (strcmp(at[0], name) == 0) {
            return at[1];
        }
    }
    return NULL;
}

const char *wpa_xml_text(const wpa_xml *element)
{
    return element->text;
}

const wpa_xml *wpa_xml_child(const wpa_xml *element)
{
    return element->first;
}

const wpa_xml *wpa_xml_next(const wpa_xml *element)
{
    return element->next;
}

const wpa_xml *wpa_xml_find(const wpa_xml *element, const char *name)
{
    const wpa_xml *at = element->first;
    while (at && strcmp(at->name, name) != 0) {
        at = at->next;
    }
    return at;
}
