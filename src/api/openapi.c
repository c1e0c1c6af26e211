/* The OpenAPI 3.1 document and the readable one: both made from the route table. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "api/routes.h"
#include "api/server.h"
#include "auth/hash.h"

static wpa_json *add_parameter(wpa_json *list, const wpa_api_field *field, const char *place,
                               wpa_arena *arena)
{
    wpa_json *parameter = wpa_json_push_object(list);
    wpa_json_set_text(parameter, "name", field->name);
    wpa_json_set_text(parameter, "in", place);
    wpa_json_set_bool(parameter, "required", wpa_text_is(place, "path") || field->is_required);
    wpa_json_set(parameter, "schema", wpa_api_field_schema(field, false, arena));
    return parameter;
}

/** What the route's example has in place of the path's parameter at `at`; NULL without an example.
 */
static const char *example_of(const wpa_api_route *route, const char *at, wpa_arena *arena)
{
    const char *example = route->example;
    for (const char *path = route->path; example && path < at; path++) {
        if (*path == '/') {
            example = strchr(example + (path > route->path), '/');
        }
    }
    return example
               ? wpa_arena_printf(arena, "\"%.*s\"", (int)strcspn(example + 1, "/?"), example + 1)
               : NULL;
}

static void add_path_parameters(wpa_json *list, const wpa_api_route *route, wpa_arena *arena)
{
    for (const char *at = route->path; (at = strchr(at, '{')); at++) {
        const wpa_api_field field = {
            .name = wpa_arena_slice(arena, at + 1, strcspn(at + 1, "}")),
            .type = WPA_API_TEXT,
            .min = 1,
            .max = 512,
            .words = "a UUID, or a short id where there is one; names as repository-file or "
                     "repository/file",
            .example = example_of(route, at, arena)};
        add_parameter(list, &field, "path", arena);
    }
}

static wpa_json *content_of(const char *type, wpa_json *schema, wpa_arena *arena)
{
    wpa_json *content = wpa_json_new_object(arena);
    wpa_json *media = wpa_json_set_object(content, type);
    if (schema) {
        wpa_json_set(media, "schema", schema);
    }
    return content;
}

static wpa_json *answer_schema(const wpa_api_route *route, wpa_arena *arena)
{
    if (!route->answer) {
        return NULL;
    }
    wpa_json *schema = wpa_api_fields_schema(route->answer, true, arena);
    if (!route->is_list) {
        return schema;
    }
    wpa_json *list = wpa_json_new_object(arena);
    wpa_json_set_text(list, "type", "object");
    wpa_json *items = wpa_json_set_object(wpa_json_set_object(list, "properties"), "items");
    wpa_json_set_text(items, "type", "array");
    wpa_json_set(items, "items", schema);
    return list;
}

/* What makes a route refuse. */
typedef enum trait {
    TRAIT_EVERY = 1 << 0,
    TRAIT_TOKEN = 1 << 1,    /* it needs one */
    TRAIT_TRY = 1 << 2,      /* it takes a secret instead, and only so many tries */
    TRAIT_READ = 1 << 3,     /* it answers with what the asking side may have already */
    TRAIT_CHANGE = 1 << 4,   /* it changes things */
    TRAIT_IF_MATCH = 1 << 5, /* if they are as they were read */
    TRAIT_NAME = 1 << 6,     /* its path, query or body names a thing */
    TRAIT_BODY = 1 << 7,
} trait;

static const struct {
    const char *status;
    unsigned traits; /* any of them */
    const char *words;
} refusals[] = {
    {"304", TRAIT_READ, "nothing has changed since the ETag that was named"},
    {"401", TRAIT_TOKEN | TRAIT_TRY, "no token, or none that is valid; a wrong secret"},
    {"403", TRAIT_TOKEN | TRAIT_TRY, "whoever asks may not do this"},
    {"404", TRAIT_NAME, "there is no such thing"},
    {"409", TRAIT_CHANGE, "not as things stand now"},
    {"412", TRAIT_IF_MATCH, "the thing has changed since the ETag that was named"},
    {"413", TRAIT_BODY, "the body is too large"},
    {"415", TRAIT_BODY, "the body is of another type"},
    {"422", TRAIT_EVERY, "a parameter or the body is not as described here"},
    {"429", TRAIT_TRY, "too many tries; Retry-After tells when the next may be made"},
};

static unsigned traits_of(const wpa_api_route *route)
{
    bool is_get = wpa_text_is(route->method, "GET"), is_open = route->access == WPA_API_OPEN;
    bool has_body = route->body || route->takes_raw;
    unsigned traits = TRAIT_EVERY;
    traits |= is_open ? 0 : TRAIT_TOKEN;
    traits |= is_open && !is_get ? TRAIT_TRY : 0;
    traits |= is_get && (!is_open || route->is_fixed) ? TRAIT_READ : 0;
    traits |= is_get ? 0 : TRAIT_CHANGE;
    traits |= wpa_text_is(route->method, "PATCH") ? TRAIT_IF_MATCH : 0;
    traits |= has_body ? TRAIT_BODY : 0;
    traits |= strchr(route->path, '{') || (!is_open && (route->query || has_body)) ? TRAIT_NAME : 0;
    return traits;
}

static void refer(wpa_json *object, const char *key, const char *place)
{
    wpa_json_set_text(wpa_json_set_object(object, key), "$ref", place);
}

static void add_refusals(wpa_json *responses, const wpa_api_route *route, wpa_arena *arena)
{
    unsigned traits = traits_of(route);
    for (size_t i = 0; i < WPA_COUNT(refusals); i++) {
        if (refusals[i].traits & traits) {
            refer(responses, refusals[i].status,
                  wpa_arena_printf(arena, "#/components/responses/%s", refusals[i].status));
        }
    }
    refer(responses, "default", "#/components/responses/default");
}

static void describe_problem(wpa_json *responses, const char *status, const char *words,
                             wpa_arena *arena)
{
    wpa_json *response = wpa_json_set_object(responses, status);
    wpa_json_set_text(response, "description", words);
    if (!wpa_text_is(status, "304")) {
        wpa_json *schema = wpa_json_new_object(arena);
        wpa_json_set_text(schema, "$ref", "#/components/schemas/Problem");
        wpa_json_set(response, "content", content_of("application/problem+json", schema, arena));
    }
}

/** What routes refer to: each status once. */
static void describe_refusals(wpa_json *responses, wpa_arena *arena)
{
    for (size_t i = 0; i < WPA_COUNT(refusals); i++) {
        describe_problem(responses, refusals[i].status, refusals[i].words, arena);
    }
    describe_problem(responses, "default", "a problem (RFC 9457)", arena);
}

static void add_responses(wpa_json *operation, const wpa_api_route *route, wpa_arena *arena)
{
    wpa_json *responses = wpa_json_set_object(operation, "responses");
    int status = route->status ? route->status : 200;
    wpa_json *good = wpa_json_set_object(responses, wpa_arena_printf(arena, "%d", status));
    wpa_json_set_text(good, "description", route->summary);
    if (status != 204) {
        wpa_json_set(good, "content",
                     content_of(route->content ? route->content : "application/json",
                                answer_schema(route, arena), arena));
    }
    if (route->may_wait) {
        wpa_json_set_text(wpa_json_set_object(responses, "202"), "description",
                          "it takes longer; Location tells where the result will be");
    }
    add_refusals(responses, route, arena);
}

static bool needs_body(const wpa_api_route *route)
{
    for (const wpa_api_field *field = route->body; field->name; field++) {
        if (field->is_required) {
            return true;
        }
    }
    return false;
}

static void add_example(wpa_json *content, const wpa_api_route *route, wpa_arena *arena)
{
    wpa_error err = {0};
    wpa_json *example = route->example_body
                            ? wpa_json_parse(route->example_body, strlen(route->example_body),
                                             WPA_JSON_MAX_BYTES, arena, &err)
                            : NULL;
    if (example) {
        wpa_json *media = (wpa_json *)(uintptr_t)wpa_json_find(content, "application/json");
        wpa_json_set(media, "example", example);
    }
}

/* Headers that calls take beside the token. */
static void add_headers(wpa_json *parameters, const wpa_api_route *route, wpa_arena *arena)
{
    static const struct {
        const char *method;
        wpa_api_field field;
    } headers[] = {
        {"POST",
         {.name = "Idempotency-Key",
          .type = WPA_API_TEXT,
          .min = 1,
          .max = 255,
          .words = "repeated with the same key, the call is made once and answered again"}},
        {"PATCH",
         {.name = "If-Match",
          .type = WPA_API_TEXT,
          .words = "the ETag that was read; 412 if the thing has changed since"}},
        {"GET",
         {.name = "If-None-Match",
          .type = WPA_API_TEXT,
          .words = "the ETag that was read; 304 if nothing has changed"}},
    };
    for (size_t i = 0; i < WPA_COUNT(headers); i++) {
        if (wpa_text_is(headers[i].method, route->method) &&
            (route->access != WPA_API_OPEN || route->is_fixed)) {
            add_parameter(parameters, &headers[i].field, "header", arena);
        }
    }
}

static void add_operation(wpa_json *paths, const wpa_api_route *route, wpa_arena *arena)
{
    const char *path = wpa_arena_printf(arena, "%s%s", WPA_API_BASE, route->path);
    wpa_json *item = wpa_json_find(paths, path) ? (wpa_json *)(uintptr_t)wpa_json_find(paths, path)
                                                : wpa_json_set_object(paths, path);
    char method[8] = "";
    for (size_t i = 0; route->method[i] && i + 1 < sizeof method; i++) {
        method[i] = (char)(route->method[i] | 0x20);
    }
    wpa_json *operation = wpa_json_set_object(item, method);
    wpa_json_push_text(wpa_json_set_array(operation, "tags"), route->tag);
    wpa_json_set_text(operation, "summary", route->summary);
    if (route->details) {
        wpa_json_set_text(operation, "description", route->details);
    }
    wpa_json *parameters = wpa_json_set_array(operation, "parameters");
    add_path_parameters(parameters, route, arena);
    const wpa_api_field *field;
    for (field = route->query; field && field->name; field++) {
        add_parameter(parameters, field, "query", arena);
    }
    for (field = route->is_query_body ? route->body : NULL; field && field->name; field++) {
        wpa_api_field optional = *field; /* it may stand in the body as well */
        optional.is_required = false;
        add_parameter(parameters, &optional, "query", arena);
    }
    for (size_t i = 0; (field = wpa_api_common_field(route, i)); i++) {
        add_parameter(parameters, field, "query", arena);
    }
    add_headers(parameters, route, arena);
    if (route->body) {
        wpa_json *body = wpa_json_set_object(operation, "requestBody");
        wpa_json_set_bool(body, "required", !route->is_query_body && needs_body(route));
        wpa_json *content =
            content_of("application/json", wpa_api_fields_schema(route->body, false, arena), arena);
        add_example(content, route, arena);
        wpa_json_set(body, "content", content);
    }
    if (route->takes_raw && !route->body) {
        wpa_json *body = wpa_json_set_object(operation, "requestBody");
        wpa_json *schema = wpa_json_new_object(arena);
        wpa_json_set_bool(body, "required", true);
        wpa_json_set_text(schema, "type", "object");
        wpa_json_set(body, "content", content_of("application/json", schema, arena));
    }
    if (route->access == WPA_API_OPEN) {
        (void)wpa_json_set_array(operation, "security");
    }
    add_responses(operation, route, arena);
}

static const wpa_api_field problem_fields[] = {
    {.name = "type", .type = WPA_API_TEXT, .is_required = true},
    {.name = "title", .type = WPA_API_TEXT, .is_required = true, .words = "stable, for programs"},
    {.name = "status", .type = WPA_API_INT, .is_required = true},
    {.name = "detail", .type = WPA_API_TEXT, .is_required = true, .words = "for people"},
    {.name = "instance", .type = WPA_API_TEXT, .is_required = true},
    {.name = "field", .type = WPA_API_TEXT, .words = "that was wrong"},
    {0},
};

static wpa_json *describe(wpa_arena *arena)
{
    size_t n;
    const wpa_api_route *const *routes = wpa_api_routes(&n);
    wpa_json *document = wpa_json_new_object(arena);
    wpa_json_set_text(document, "openapi", "3.1.0");
    wpa_json *info = wpa_json_set_object(document, "info");
    wpa_json_set_text(info, "title", "wpa");
    wpa_json_set_text(info, "version", WPA_VERSION);
    wpa_json_set_text(info, "description",
                      "The Workflow Patch Agent: analyses CI workflows, writes patches, tests and "
                      "deploys them.");
    wpa_json *paths = wpa_json_set_object(document, "paths");
    for (size_t i = 0; i < n; i++) {
        add_operation(paths, routes[i], arena);
    }
    wpa_json *components = wpa_json_set_object(document, "components");
    wpa_json *schemas = wpa_json_set_object(components, "schemas");
    wpa_json_set(schemas, "Problem", wpa_api_fields_schema(problem_fields, true, arena));
    describe_refusals(wpa_json_set_object(components, "responses"), arena);
    wpa_json *bearer =
        wpa_json_set_object(wpa_json_set_object(components, "securitySchemes"), "bearer");
    wpa_json_set_text(bearer, "type", "http");
    wpa_json_set_text(bearer, "scheme", "bearer");
    wpa_json *security = wpa_json_push_object(wpa_json_set_array(document, "security"));
    (void)wpa_json_set_array(security, "bearer");
    return document;
}

static wpa_api_next answer_document(wpa_api_request *request, const wpa_api_document *document)
{
    request->text = document->text;
    request->text_bytes = document->size_bytes;
    request->etag = document->etag;
    return WPA_API_DONE;
}

static wpa_api_next answer_openapi(wpa_api_request *request, wpa_error *err)
{
    (void)err;
    return answer_document(request, &request->api->openapi);
}

const wpa_api_route wpa_api_openapi = {
    .method = "GET",
    .path = "/openapi.json",
    .access = WPA_API_OPEN,
    .tag = "service",
    .summary = "This interface as an OpenAPI 3.1 document",
    .is_fixed = true,
    .is_immediate = true,
    .run = answer_openapi,
};

/* ---- for people ---------------------------------------------------------------------------------
 */

static void write_escaped(wpa_buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            wpa_buf_text(out, "&lt;");
            break;
        case '>':
            wpa_buf_text(out, "&gt;");
            break;
        case '&':
            wpa_buf_text(out, "&amp;");
            break;
        default:
            wpa_buf_char(out, *text);
        }
    }
}

static void write_element(wpa_buf *out, const char *element, const char *text)
{
    wpa_buf_printf(out, "<%s>", element);
    write_escaped(out, text);
    wpa_buf_printf(out, "</%s>\n", element);
}

/** "integer", "array of string"; what may be null says so. */
static const char *type_words(const wpa_api_field *field, wpa_arena *arena)
{
    const wpa_json *schema = wpa_api_field_schema(field, true, arena);
    const wpa_json *type = wpa_json_find(schema, "type");
    bool is_choice = wpa_json_kind_of(type) == WPA_JSON_ARRAY; /* with null */
    const char *name = wpa_json_text_of(is_choice ? wpa_json_at(type, 0) : type);
    const char *item = wpa_json_text_of(wpa_json_find(wpa_json_find(schema, "items"), "type"));
    return wpa_arena_printf(arena, "%s%s%s%s%s", name ? name : "any", item ? " of " : "",
                            item ? item : "", is_choice ? " or null" : "",
                            field->is_required ? ", required" : "");
}

static void write_fields(wpa_buf *out, const wpa_api_field *fields, int depth, wpa_arena *arena);

static void write_field(wpa_buf *out, const wpa_api_field *field, int depth, wpa_arena *arena)
{
    wpa_buf_printf(out, "<li><code>%s</code> <i>%s</i> ", field->name, type_words(field, arena));
    write_escaped(out, field->words ? field->words : "");
    for (const char *const *choice = field->choices; choice && *choice; choice++) {
        wpa_buf_printf(out, "%s<code>%s</code>", choice == field->choices ? ": " : ", ", *choice);
    }
    bool is_number = field->type == WPA_API_INT || field->type == WPA_API_REAL;
    if (is_number && field->max) {
        wpa_buf_printf(out, " (%lld to %lld)", (long long)field->min, (long long)field->max);
    }
    if (field->fallback) {
        wpa_buf_printf(out, " (if left out: <code>%s</code>)", field->fallback);
    }
    write_fields(out, field->fields, depth + 1, arena);
    wpa_buf_text(out, "</li>\n");
}

static void write_fields(wpa_buf *out, const wpa_api_field *fields, int depth, wpa_arena *arena)
{
    if (!fields || depth > 4) {
        return;
    }
    wpa_buf_text(out, "<ul>\n");
    for (; fields->name; fields++) {
        write_field(out, fields, depth, arena);
    }
    wpa_buf_text(out, "</ul>\n");
}

static void write_section(wpa_buf *out, const char *title, const wpa_api_field *fields,
                          wpa_arena *arena)
{
    if (fields) {
        write_element(out, "h4", title);
        write_fields(out, fields, 0, arena);
    }
}

/** The route's own parameters, and those that all of its kind take. */
static void write_parameters(wpa_buf *out, const wpa_api_route *route, wpa_arena *arena)
{
    const wpa_api_field *field = route->query;
    if (!field && !wpa_api_common_field(route, 0)) {
        return;
    }
    write_element(out, "h4", "Parameters");
    wpa_buf_text(out, "<ul>\n");
    for (; field && field->name; field++) {
        write_field(out, field, 0, arena);
    }
    for (size_t i = 0; (field = wpa_api_common_field(route, i)); i++) {
        write_field(out, field, 0, arena);
    }
    wpa_buf_text(out, "</ul>\n");
}

static void write_route(wpa_buf *out, const wpa_api_route *route, wpa_arena *arena)
{
    static const char *const access[] = {"no token",
                                         "guardian (viewers where the server allows it)",
                                         "guardian", "any token", "any token"};
    wpa_buf_printf(out, "<section><h3><code>%s %s</code></h3>\n", route->method, route->path);
    write_element(out, "p", route->summary);
    if (route->details) {
        write_element(out, "p", route->details);
    }
    wpa_buf_printf(out, "<p><small>Needs: %s%s%s.</small></p>\n", access[route->access],
                   route->scope ? "; scope " : "", route->scope ? route->scope : "");
    write_parameters(out, route, arena);
    write_section(out, route->is_query_body ? "Body, or parameters of these names" : "Body",
                  route->body, arena);
    write_section(out, route->is_list ? "Answer: items of" : "Answer", route->answer, arena);
    if (route->example_body) {
        write_element(out, "pre", route->example_body);
    }
    wpa_buf_text(out, "</section>\n");
}

static const char *const problem_words[WPA_CODE_COUNT] = {
    [WPA_E_INVALID] = "a parameter, a header or the body is not as described: see `field`",
    [WPA_E_NOT_FOUND] = "there is no such thing, or none any more",
    [WPA_E_DENIED] = "no valid token (401), or one that may not do this (403)",
    [WPA_E_REFUSED] = "not as things stand now: `detail` says what is in the way",
    [WPA_E_CONFLICT] =
        "somebody else was faster: read again (412 where If-Match said what was read)",
    [WPA_E_LEASE_LOST] = "the work went to another agent meanwhile",
    [WPA_E_LIMIT] = "too large (413), or too many tries (429)",
    [WPA_E_CANCELLED] = "the work was cancelled",
    [WPA_E_TIMEOUT] = "it took too long",
    [WPA_E_UNAVAILABLE] = "something that is needed cannot be reached: try again after Retry-After",
    [WPA_E_IO] = "an error of the server; its log says more",
    [WPA_E_INTERNAL] = "an error of the server; its log says more",
};

/** What `type` of a problem leads to. */
static void write_problems(wpa_buf *out)
{
    write_element(out, "h2", "problems");
    wpa_buf_text(out, "<ul>\n");
    for (int code = WPA_OK + 1; code < WPA_CODE_COUNT; code++) {
        const char *name = wpa_code_name((wpa_code)code);
        wpa_buf_printf(out, "<li id=\"%s\"><code>%s</code> ", name, name);
        write_escaped(out, problem_words[code]);
        wpa_buf_text(out, "</li>\n");
    }
    wpa_buf_text(out, "</ul>\n");
}

static void write_docs(wpa_buf *out, wpa_arena *arena)
{
    static const char head[] =
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>wpa REST API</title>"
        "<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "code,pre{background:#eee;padding:.1em .3em}section{border-top:1px solid #ccc}"
        "@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}"
        "code,pre{background:#333}}</style>\n<h1>wpa REST API</h1>\n"
        "<p>All paths are below <code>" WPA_API_BASE "</code>. Errors are "
        "<code>application/problem+json</code> and name the <code>field</code> that was wrong. The "
        "same as data: <code>/openapi.json</code>.</p>\n"
        "<ul>\n<li>Sign in by <code>POST /auth/token</code>; all else wants "
        "<code>Authorization: Bearer</code> and the token.</li>\n"
        "<li>An <code>id</code> is a UUID; paths take the short id (<code>p-17</code>) as "
        "well.</li>\n"
        "<li>Lists come in pages of <code>limit</code> rows: the header <code>Link</code> with "
        "<code>rel=\"next\"</code> leads to the next one, and the last has none.</li>\n"
        "<li>A long call answers with the result if it comes within <code>wait</code> seconds, "
        "else 202, and <code>Location</code> tells where to look. <code>GET /events</code> streams "
        "what changes.</li>\n"
        "<li>What is read has an <code>ETag</code>: with <code>If-None-Match</code> 304 if nothing "
        "has changed, with <code>If-Match</code> a PATCH is refused (412) if something has.</li>\n"
        "<li>A POST with an <code>Idempotency-Key</code> is made once, however often it is "
        "sent.</li>\n"
        "<li>Fields and parameters that are not described here are refused (422).</li>\n</ul>\n";
    size_t n;
    const wpa_api_route *const *routes = wpa_api_routes(&n);
    const char *tag = "";
    wpa_buf_text(out, head);
    for (size_t i = 0; i < n; i++) {
        if (!wpa_text_is(tag, routes[i]->tag)) {
            tag = routes[i]->tag;
            write_element(out, "h2", tag);
        }
        write_route(out, routes[i], arena);
    }
    write_problems(out);
}

static wpa_api_next answer_docs(wpa_api_request *request, wpa_error *err)
{
    (void)err;
    return answer_document(request, &request->api->docs);
}

const wpa_api_route wpa_api_docs = {
    .method = "GET",
    .path = "/docs",
    .access = WPA_API_OPEN,
    .tag = "service",
    .summary = "This documentation",
    .content = "text/html; charset=utf-8",
    .is_fixed = true,
    .is_immediate = true,
    .run = answer_docs,
};

/* ---- made once ----------------------------------------------------------------------------------
 */

static wpa_api_document keep(const char *text, size_t size_bytes, wpa_arena *arena)
{
    char hex[WPA_BLAKE2B_HEX_SIZE];
    return (wpa_api_document){
        .text = wpa_arena_slice(arena, text, size_bytes),
        .size_bytes = size_bytes,
        .etag = wpa_arena_text(arena, wpa_blake2b_hex(text, size_bytes, hex)),
    };
}

bool wpa_api_documents_make(wpa_api *api, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *page = wpa_buf_new((size_t)4 << 20);
    const char *openapi = wpa_json_dump(describe(arena), arena);
    write_docs(page, arena);
    api->openapi = keep(openapi, strlen(openapi), api->arena);
    api->docs = keep(wpa_buf_data(page), wpa_buf_size(page), api->arena);
    return wpa_buf_check(page, "documentation", err);
}
