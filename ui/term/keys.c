#include "term/keys.h"

#include <stdio.h>
#include <string.h>

#include <wpa/text.h>

#define BURST_MAX 64 /* keys of one read; more are nobody's fingers */
#define ALONE_MS 5
#define GUARD_MS 250
#define SEQUENCE_MS 500

enum {
    GROUND,
    UTF8,
    ESC,
    CSI,
    SS3,
    STRING,
    STRING_ESC
};

typedef struct output {
    wpa_key *keys;
    size_t n;
    size_t n_printable;
    bool is_pasted;
} output;

void wpa_keys_init(wpa_keys *keys, int64_t esc_ms)
{
    memset(keys, 0, sizeof *keys);
    keys->esc_ms = esc_ms;
    keys->last_byte_ms = INT64_MIN / 2;
    keys->guard_until_ms = INT64_MIN / 2;
}

static void add_key(output *out, wpa_key_code code, uint32_t character)
{
    if (out->n == WPA_KEYS_MAX) {
        return;
    }
    out->n_printable += code == WPA_KEY_CHAR;
    out->keys[out->n++] = (wpa_key){.code = code, .character = character};
}

static const struct {
    const char *final; /* parameters and final byte behind ESC [ or ESC O */
    wpa_key_code code;
} sequences[] = {
    {"A", WPA_KEY_UP},         {"B", WPA_KEY_DOWN},     {"C", WPA_KEY_RIGHT},
    {"D", WPA_KEY_LEFT},       {"H", WPA_KEY_HOME},     {"F", WPA_KEY_END},
    {"1~", WPA_KEY_HOME},      {"7~", WPA_KEY_HOME},    {"4~", WPA_KEY_END},
    {"8~", WPA_KEY_END},       {"3~", WPA_KEY_DELETE},  {"5~", WPA_KEY_PAGE_UP},
    {"6~", WPA_KEY_PAGE_DOWN}, {"Z", WPA_KEY_BACK_TAB}, {"P", WPA_KEY_F1},
    {"11~", WPA_KEY_F1},       {"[A", WPA_KEY_F1},      {"Q", WPA_KEY_F2},
    {"12~", WPA_KEY_F2},       {"[B", WPA_KEY_F2},      {"15~", WPA_KEY_F5},
    {"[E", WPA_KEY_F5},        {"M", WPA_KEY_ENTER},
};

/* "<0;12;40M": button, column and line from 1; with m at its end the button was let go. */
static void add_mouse(output *out, const char *text)
{
    int numbers[3] = {0};
    const char *at = text + 1;
    bool is_let_go = false;
    for (int i = 0; i < 3; i++) {
        size_t n = strspn(at, "0123456789");
        is_let_go = i == 2 && at[n] == 'm';
        if (n < 1 || n > 4 || (at[n] != (i < 2 ? ';' : 'M') && !is_let_go)) {
            return;
        }
        for (size_t k = 0; k < n; k++) {
            numbers[i] = numbers[i] * 10 + at[k] - '0';
        }
        at += n + 1;
    }
    if (!*at && out->n < WPA_KEYS_MAX) {
        out->keys[out->n++] = (wpa_key){.code = is_let_go ? WPA_KEY_MOUSE_LET_GO : WPA_KEY_MOUSE,
                                        .character = (uint32_t)numbers[0],
                                        .row = numbers[2] - 1,
                                        .col = numbers[1] - 1};
    }
}

static void end_sequence(wpa_keys *keys, output *out)
{
    const char *text = keys->pending + 2;
    if (keys->state == SS3 || keys->state == CSI) {
        for (size_t i = 0; i < WPA_COUNT(sequences); i++) {
            bool is_ss3_only = sequences[i].code == WPA_KEY_ENTER;
            if (wpa_text_is(text, sequences[i].final) && (!is_ss3_only || keys->state == SS3)) {
                add_key(out, sequences[i].code, 0);
            }
        }
        if (keys->has_mouse && keys->state == CSI && *text == '<') {
            add_mouse(out, text);
        } else if (wpa_text_is(text, "200~")) {
            keys->is_paste_open = true;
            keys->is_line_broken = false;
        } else if (wpa_text_is(text, "201~")) {
            keys->is_paste_open = keys->is_line_broken = false;
        } else if (wpa_text_is(text, "?2026;1$y") || wpa_text_is(text, "?2026;2$y")) {
            add_key(out, WPA_KEY_SYNC_MODE, 0);
        }
    }
    keys->state = GROUND;
    keys->n_pending = 0;
}

/* The answer to OSC 11: "]11;rgb:1111/2222/3333". */
static void end_string(wpa_keys *keys, output *out)
{
    unsigned red = 0, green = 0, blue = 0;
    const char *text = keys->pending + 1;
    int digits = 0;
    /* NOLINTNEXTLINE(cert-err34-c): four digits at most cannot overflow */
    if (sscanf(text, "]11;rgb:%4x%n/%4x/%4x", &red, &digits, &green, &blue) == 3) {
        unsigned full = digits - (int)strlen("]11;rgb:") > 2 ? 65535 : 255;
        bool is_light = red * 299ULL + green * 587ULL + blue * 114ULL > full * 500ULL;
        add_key(out, WPA_KEY_BACKGROUND, is_light);
    }
    keys->state = GROUND;
    keys->n_pending = 0;
}

static void remember(wpa_keys *keys, char byte)
{
    if (keys->n_pending + 1 < sizeof keys->pending) {
        keys->pending[keys->n_pending++] = byte;
        keys->pending[keys->n_pending] = '\0';
    }
}

static void start(wpa_keys *keys, int state, char byte, int64_t now_ms)
{
    keys->state = state;
    keys->n_pending = 0;
    keys->pending_since_ms = now_ms;
    remember(keys, byte);
}

static size_t utf8_length(unsigned char lead)
{
    return lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
}

static void add_text(wpa_keys *keys, output *out, uint32_t character)
{
    if (keys->is_paste_open && !keys->takes_text) {
        out->is_pasted = true;
        return;
    }
    if (keys->is_line_broken) {
        add_key(out, WPA_KEY_CHAR, ' ');
    }
    keys->is_line_broken = false;
    add_key(out, WPA_KEY_CHAR, character);
}

static void ground_byte(wpa_keys *keys, unsigned char byte, int64_t now_ms, output *out)
{
    if (byte == 27) {
        start(keys, ESC, (char)byte, now_ms);
    } else if (keys->is_paste_open && (byte < 32 || byte == 127)) {
        out->is_pasted |= !keys->takes_text; /* no key of a paste acts, line feeds least of all */
        keys->is_line_broken |= byte == '\r' || byte == '\n' || byte == '\t';
    } else if (byte == '\r' || byte == '\n') {
        add_key(out, WPA_KEY_ENTER, 0);
    } else if (byte == '\t') {
        add_key(out, WPA_KEY_TAB, 0);
    } else if (byte == 127 || byte == 8) {
        add_key(out, WPA_KEY_BACKSPACE, 0);
    } else if (byte >= 1 && byte <= 26) {
        add_key(out, WPA_KEY_CTRL, (uint32_t)('a' + byte - 1));
    } else if (byte >= 32 && byte < 127) {
        add_text(keys, out, byte);
    } else if (byte >= 0x80 && utf8_length(byte)) {
        start(keys, UTF8, (char)byte, now_ms);
    }
}

static void utf8_byte(wpa_keys *keys, unsigned char byte, int64_t now_ms, output *out)
{
    if ((byte & 0xC0) != 0x80) {
        keys->state = GROUND;
        ground_byte(keys, byte, now_ms, out);
        return;
    }
    remember(keys, (char)byte);
    if (keys->n_pending == utf8_length((unsigned char)keys->pending[0])) {
        size_t at = 0;
        uint32_t c = wpa_utf8_next(keys->pending, keys->n_pending, &at);
        keys->state = GROUND;
        if (c != 0xFFFD && c >= 0xA0) {
            add_text(keys, out, c);
        }
    }
}

static void esc_byte(wpa_keys *keys, unsigned char byte, int64_t now_ms, output *out)
{
    if (byte == 27) {
        add_key(out, WPA_KEY_ESC, 0);
        start(keys, ESC, (char)byte, now_ms);
        return;
    }
    remember(keys, (char)byte);
    keys->state = byte == '[' ? CSI : byte == 'O' ? SS3 : strchr("]PX^_", byte) ? STRING : GROUND;
    if (byte == 0) {
        keys->state = GROUND; /* strchr finds the terminator */
    }
}

static void csi_byte(wpa_keys *keys, unsigned char byte, int64_t now_ms, output *out)
{
    if (byte == 27) {
        start(keys, ESC, (char)byte, now_ms);
        return;
    }
    if (byte < 0x20 || byte > 0x7E) {
        keys->state = GROUND; /* no sequence: what there was of it is swallowed */
        return;
    }
    remember(keys, (char)byte);
    bool is_linux_f_key = keys->state == CSI && keys->n_pending == 3 && byte == '[';
    if (byte >= 0x40 && !is_linux_f_key) {
        end_sequence(keys, out);
    }
}

static void string_byte(wpa_keys *keys, unsigned char byte, output *out)
{
    if (byte == 7 || (keys->state == STRING_ESC && byte == '\\')) {
        end_string(keys, out);
    } else if (byte == 27) {
        keys->state = STRING_ESC;
    } else {
        keys->state = STRING;
        remember(keys, (char)byte);
    }
}

static void feed_byte(wpa_keys *keys, unsigned char byte, int64_t now_ms, output *out)
{
    switch (keys->state) {
    case UTF8:
        utf8_byte(keys, byte, now_ms, out);
        break;
    case ESC:
        esc_byte(keys, byte, now_ms, out);
        break;
    case CSI:
    case SS3:
        csi_byte(keys, byte, now_ms, out);
        break;
    case STRING:
    case STRING_ESC:
        string_byte(keys, byte, out);
        break;
    default:
        ground_byte(keys, byte, now_ms, out);
    }
}

/* A sequence that comes in torn pieces keeps the guard up for as long as pieces of it arrive. */
static void keep_guard(wpa_keys *keys, const char *bytes, size_t n, int64_t now_ms)
{
    bool is_piece = n > 0 && strchr("[O;?0123456789]", bytes[n - 1]) && bytes[n - 1];
    if (keys->state >= ESC || (now_ms < keys->guard_until_ms && is_piece)) {
        keys->guard_until_ms = now_ms + GUARD_MS;
    }
}

/* What is left of a burst: everything but the text, which was never typed. */
static void drop_text(output *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->n; i++) {
        if (out->keys[i].code == WPA_KEY_SYNC_MODE || out->keys[i].code == WPA_KEY_BACKGROUND) {
            out->keys[kept++] = out->keys[i];
        }
    }
    out->n = kept;
    out->is_pasted = true;
}

size_t wpa_keys_feed(wpa_keys *keys, const char *bytes, size_t n, int64_t now_ms, wpa_key *out)
{
    output result = {.keys = out};
    bool is_alone = n == 1 && keys->state == GROUND && !keys->is_paste_open &&
                    now_ms - keys->last_byte_ms >= ALONE_MS && now_ms >= keys->guard_until_ms;
    for (size_t i = 0; i < n; i++) {
        feed_byte(keys, (unsigned char)bytes[i], now_ms, &result);
    }
    keep_guard(keys, bytes, n, now_ms);
    keys->last_byte_ms = now_ms;
    if (!keys->takes_text && (result.n_printable >= 3 || result.n > BURST_MAX)) {
        drop_text(&result);
    }
    for (size_t i = 0; i < result.n; i++) {
        out[i].is_alone = is_alone;
    }
    if (result.is_pasted && result.n < WPA_KEYS_MAX) {
        out[result.n++] = (wpa_key){.code = WPA_KEY_PASTE_DROPPED};
    }
    return result.n;
}

size_t wpa_keys_tick(wpa_keys *keys, int64_t now_ms, wpa_key *out)
{
    if (keys->state == ESC && now_ms - keys->pending_since_ms >= keys->esc_ms) {
        keys->state = GROUND;
        keys->guard_until_ms = keys->pending_since_ms + keys->esc_ms + GUARD_MS;
        out[0] = (wpa_key){.code = WPA_KEY_ESC, .is_alone = true};
        return 1;
    }
    if (keys->state != GROUND && now_ms - keys->pending_since_ms >= SEQUENCE_MS) {
        keys->state = GROUND;
        keys->guard_until_ms = keys->pending_since_ms + SEQUENCE_MS + GUARD_MS;
    }
    return 0;
}

int wpa_keys_wait_ms(const wpa_keys *keys, int64_t now_ms)
{
    if (keys->state == GROUND) {
        return -1;
    }
    int64_t wait =
        keys->pending_since_ms + (keys->state == ESC ? keys->esc_ms : SEQUENCE_MS) - now_ms;
    return wait < 0 ? 0 : (int)wait;
}

static const struct {
    const char *name;
    wpa_key key;
} names[] = {
    {"Enter", {.code = WPA_KEY_ENTER}},
    {"Tab", {.code = WPA_KEY_TAB}},
    {"Shift-Tab", {.code = WPA_KEY_BACK_TAB}},
    {"Esc", {.code = WPA_KEY_ESC}},
    {"Backspace", {.code = WPA_KEY_BACKSPACE}},
    {"Delete", {.code = WPA_KEY_DELETE}},
    {"Up", {.code = WPA_KEY_UP}},
    {"Down", {.code = WPA_KEY_DOWN}},
    {"Left", {.code = WPA_KEY_LEFT}},
    {"Right", {.code = WPA_KEY_RIGHT}},
    {"Home", {.code = WPA_KEY_HOME}},
    {"End", {.code = WPA_KEY_END}},
    {"PgUp", {.code = WPA_KEY_PAGE_UP}},
    {"PgDn", {.code = WPA_KEY_PAGE_DOWN}},
    {"F1", {.code = WPA_KEY_F1}},
    {"F2", {.code = WPA_KEY_F2}},
    {"F5", {.code = WPA_KEY_F5}},
    {"Space", {.code = WPA_KEY_CHAR, .character = ' '}},
};

bool wpa_key_parse(const char *text, wpa_key *key)
{
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        if (wpa_text_is(text, names[i].name)) {
            *key = names[i].key;
            return true;
        }
    }
    size_t length = text ? strlen(text) : 0;
    if (length == 6 && wpa_text_starts(text, "Ctrl-") && text[5] >= 'A' && text[5] <= 'Z') {
        *key = (wpa_key){.code = WPA_KEY_CTRL, .character = (uint32_t)(text[5] - 'A' + 'a')};
        return true;
    }
    size_t at = 0;
    uint32_t c = length ? wpa_utf8_next(text, length, &at) : 0;
    if (!length || at != length || c <= 32 || c == 0xFFFD || wpa_char_is_hidden(c)) {
        return false;
    }
    *key = (wpa_key){.code = WPA_KEY_CHAR, .character = c};
    return true;
}

char *wpa_key_text(const wpa_key *key, char *text, size_t size_bytes)
{
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        if (wpa_key_is(&names[i].key, key)) {
            (void)wpa_text_copy(text, size_bytes, names[i].name);
            return text;
        }
    }
    char bytes[5] = "";
    if (key->code == WPA_KEY_CTRL) {
        (void)wpa_text_format(text, size_bytes, "Ctrl-%c", (char)(key->character - 'a' + 'A'));
    } else {
        bytes[wpa_utf8_encode(key->character, bytes)] = '\0';
        (void)wpa_text_copy(text, size_bytes, bytes);
    }
    return text;
}

bool wpa_key_is(const wpa_key *a, const wpa_key *b)
{
    return a->code == b->code && a->character == b->character;
}
