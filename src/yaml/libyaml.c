/* libyaml as a reader of events: its places become bytes of the file, its complaints ours. */
#include <string.h>

#include "gen/calls_libyaml.h"
#include "yaml/builder.h"

typedef wpa_yaml_builder builder;

static size_t byte_of(const builder *b, const yaml_mark_t *mark)
{
    size_t size_bytes = b->doc->size_bytes;
    if (b->offsets) {
        return b->offsets[mark->index < b->n_chars ? mark->index : b->n_chars];
    }
    return mark->index < size_bytes - b->bom ? mark->index + b->bom : size_bytes;
}

static void set_scalar(wpa_yaml_event *event, const yaml_event_t *from)
{
    static const wpa_yaml_style styles[] = {
        [YAML_ANY_SCALAR_STYLE] = WPA_YAML_PLAIN,
        [YAML_PLAIN_SCALAR_STYLE] = WPA_YAML_PLAIN,
        [YAML_SINGLE_QUOTED_SCALAR_STYLE] = WPA_YAML_SINGLE_QUOTED,
        [YAML_DOUBLE_QUOTED_SCALAR_STYLE] = WPA_YAML_DOUBLE_QUOTED,
        [YAML_LITERAL_SCALAR_STYLE] = WPA_YAML_LITERAL,
        [YAML_FOLDED_SCALAR_STYLE] = WPA_YAML_FOLDED,
    };
    event->kind = WPA_YAML_EVENT_SCALAR;
    event->style = styles[from->data.scalar.style];
    event->text = (const char *)from->data.scalar.value;
    event->length = from->data.scalar.length;
    event->anchor = (const char *)from->data.scalar.anchor;
    event->tag = (const char *)from->data.scalar.tag;
    event->holds_nul = memchr(event->text, '\0', event->length) != NULL;
}

/* As libyaml has it; borrows from that. */
static wpa_yaml_event event_of(const builder *b, const yaml_event_t *from)
{
    wpa_yaml_event event = {.span = {byte_of(b, &from->start_mark), byte_of(b, &from->end_mark)}};
    bool is_flow;
    switch (from->type) {
    case YAML_SCALAR_EVENT:
        set_scalar(&event, from);
        event.is_escaped =
            event.style == WPA_YAML_DOUBLE_QUOTED &&
            memchr(b->doc->source + event.span.start, '\\', wpa_span_length(event.span));
        break;
    case YAML_ALIAS_EVENT:
        event.kind = WPA_YAML_EVENT_ALIAS;
        event.anchor = (const char *)from->data.alias.anchor;
        break;
    case YAML_MAPPING_START_EVENT:
        is_flow = from->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
        event.kind = WPA_YAML_EVENT_MAPPING;
        event.style = is_flow ? WPA_YAML_FLOW : WPA_YAML_BLOCK;
        event.anchor = (const char *)from->data.mapping_start.anchor;
        event.tag = (const char *)from->data.mapping_start.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        is_flow = from->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
        event.kind = WPA_YAML_EVENT_SEQUENCE;
        event.style = is_flow ? WPA_YAML_FLOW : WPA_YAML_BLOCK;
        event.anchor = (const char *)from->data.sequence_start.anchor;
        event.tag = (const char *)from->data.sequence_start.tag;
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        event.kind = WPA_YAML_EVENT_END;
        break;
    case YAML_DOCUMENT_START_EVENT:
        event.kind = WPA_YAML_EVENT_DOCUMENT;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return event;
}

static wpa_span char_span(const builder *b, size_t at)
{
    size_t size_bytes = b->doc->size_bytes;
    at = at > size_bytes ? size_bytes : at;
    return (wpa_span){at, at < size_bytes ? at + 1 : at};
}

/* Does the mistake lie where the parser began to read something, rather than where it gave up? */
static bool is_at_start(const yaml_parser_t *p)
{
    bool is_flow = p->context && strstr(p->context, "flow");
    return p->context && p->context_mark.index <= p->problem_mark.index &&
           (p->error == YAML_SCANNER_ERROR || is_flow);
}

/* Was this piece left out because of a mistake that is reported already? */
static bool is_known_mistake(const builder *b, size_t at)
{
    for (size_t i = 0; i < b->n_broken; i++) {
        size_t next = b->broken[i].span.end;
        while (next < b->doc->size_bytes && wpa_yaml_is_space(b->doc->source[next])) {
            next++;
        }
        if (at >= b->broken[i].span.start && at < wpa_yaml_line_end(b->doc, next)) {
            return true;
        }
    }
    return false;
}

/* Returns where the broken entry is to be looked for. */
static size_t report_parser(builder *b, const yaml_parser_t *p)
{
    const char *problem = p->problem ? p->problem : "cannot be read";
    size_t at =
        p->error == YAML_READER_ERROR ? p->problem_offset + b->bom : byte_of(b, &p->problem_mark);
    wpa_span span = char_span(b, at), begun = {0, 0};
    b->end = span.start > b->end ? span.start : b->end;
    bool is_tab = span.start < b->doc->size_bytes && b->doc->source[span.start] == '\t';
    bool is_begun = !is_tab && is_at_start(p);
    if (p->context && p->error != YAML_READER_ERROR) {
        begun = char_span(b, byte_of(b, &p->context_mark));
    }
    size_t broken_at = is_begun ? begun.start : span.start;
    if (is_known_mistake(b, broken_at)) {
        return broken_at;
    }
    bool is_far =
        is_begun && wpa_yaml_line_of(b->doc, begun.start) != wpa_yaml_line_of(b->doc, span.start);
    if (is_far) { /* what is never closed is told where it was opened */
        wpa_span given_up = span;
        span = begun;
        begun = given_up;
    }
    if (p->error == YAML_READER_ERROR) {
        wpa_yaml_report(b, WPA_YAML_FAULT_ENCODING, span, begun, "%s", problem);
    } else if (is_tab) {
        wpa_yaml_report(b, WPA_YAML_FAULT_TAB, span, begun, "a tab cannot indent; use blanks");
    } else {
        wpa_yaml_report(b, WPA_YAML_FAULT_SYNTAX, span, begun, "%s%s%s", problem,
                        p->context ? " " : "", p->context ? p->context : "");
    }
    return broken_at;
}

bool wpa_yaml_read_by_library(builder *b, const char *text, size_t *broken_at)
{
    yaml_parser_t parser;
    wpa_error err = {0};
    if (!wpa_libyaml_open(&err) || !yaml_parser_initialize(&parser)) {
        wpa_yaml_report(b, WPA_YAML_FAULT_LIMIT, (wpa_span){0, 0}, (wpa_span){0, 0}, "%s",
                        *err.message ? err.message : "out of memory");
        wpa_yaml_stop(b);
        return true;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text + b->bom,
                                 b->doc->size_bytes - b->bom);
    bool is_done = false, is_broken = false;
    while (!is_done && !b->is_stopped) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            *broken_at = report_parser(b, &parser);
            is_broken = parser.error != YAML_READER_ERROR;
            wpa_yaml_stop(b);
            break;
        }
        is_done = event.type == YAML_STREAM_END_EVENT;
        const wpa_yaml_event own = event_of(b, &event);
        wpa_yaml_build(b, &own);
        yaml_event_delete(&event);
    }
    wpa_yaml_close_open(b);
    yaml_parser_delete(&parser);
    return !is_broken;
}
