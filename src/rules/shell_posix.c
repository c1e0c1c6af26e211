/* The lexer of bash and sh: one pass, recursive for substitutions. */
#include <string.h>

#include "rules/shell_lex.h"
#include "rules/shell_name.h"

typedef struct heredoc {
    wpa_shell_redirect *redirect;
    bool strips_tabs, is_quoted;
} heredoc;

#define HEREDOCS_MAX 16
#define REDIRECTS_MAX 16
#define REDIRECTS_FEW 2

typedef struct lexer {
    wpa_script *script;
    wpa_arena *arena;
    uint8_t *contexts;
    const char *text;
    size_t length, at;
    unsigned depth, loops, cases;
    heredoc heredocs[HEREDOCS_MAX];
    size_t n_heredocs;
    bool has_failed;
    unsigned script_depth; /* of bash -c */
} lexer;

/* The command being gathered. */
typedef struct gather {
    wpa_shell_word *words;
    size_t n_words, words_capacity;
    wpa_shell_redirect *redirects; /* see make_room */
    size_t n_redirects;
    const char *before;
    bool is_test; /* between [[ and ]] */
} gather;

static void lex_list(lexer *l, char end);

static char peek(const lexer *l, size_t ahead)
{
    return l->at + ahead < l->length ? l->text[l->at + ahead] : '\0';
}

/* Inline: the compiler knows the length of what is looked for. */
static inline bool looking_at(const lexer *l, const char *text)
{
    size_t n = strlen(text);
    return l->at + n <= l->length && l->text[l->at] == *text &&
           memcmp(l->text + l->at, text, n) == 0;
}

static void mark(lexer *l, size_t from, size_t to, wpa_shell_context context)
{
    if (l->contexts && from < to) {
        memset(l->contexts + from, context, to - from);
    }
}

static void fail(lexer *l)
{
    l->has_failed = true;
    l->at = l->length;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* What a byte may be, or do, in a word. */
enum {
    ENDS_WORD = 1,   /* "(" unless something stands before it */
    IS_QUOTE = 2,    /* or begins an expansion, or an escape */
    IS_GLOB = 4,     /* makes a word none that is literal, where it is not quoted */
    IS_SPECIAL = 8,  /* within double quotes */
    IS_COMMENT = 16, /* where a word may begin */
    IS_BLANKED = 32  /* if there are some of them, an expression may have stood here */
};

static const unsigned char kinds[256] = {
    ['\0'] = ENDS_WORD | IS_GLOB,
    [' '] = ENDS_WORD,
    ['\t'] = ENDS_WORD,
    ['\r'] = ENDS_WORD,
    ['\n'] = ENDS_WORD,
    [';'] = ENDS_WORD,
    ['&'] = ENDS_WORD,
    ['|'] = ENDS_WORD,
    ['('] = ENDS_WORD,
    [')'] = ENDS_WORD,
    ['<'] = ENDS_WORD,
    ['>'] = ENDS_WORD,
    ['\''] = IS_QUOTE,
    ['"'] = IS_QUOTE | IS_SPECIAL,
    ['$'] = IS_QUOTE | IS_SPECIAL,
    ['`'] = IS_QUOTE | IS_SPECIAL,
    ['\\'] = IS_QUOTE | IS_SPECIAL,
    ['*'] = IS_GLOB,
    ['?'] = IS_GLOB,
    ['['] = IS_GLOB,
    ['#'] = IS_COMMENT,
    ['_'] = IS_BLANKED,
};

static unsigned kind_of(char c)
{
    return kinds[(unsigned char)c];
}

static bool ends_word(char c)
{
    return (kind_of(c) & ENDS_WORD) != 0;
}

/** Past bytes that are none of these kinds; which kinds they were. */
static unsigned skip_but(lexer *l, unsigned stops)
{
    unsigned seen = 0;
    for (; l->at < l->length && !(kind_of(l->text[l->at]) & stops); l->at++) {
        seen |= kind_of(l->text[l->at]);
    }
    return seen;
}

/* ---- words -------------------------------------------------------------------------------------
 */

static void lex_substitution(lexer *l, char end)
{
    if (++l->depth > WPA_SHELL_MAX_DEPTH) {
        fail(l);
        return;
    }
    unsigned cases = l->cases;
    l->cases = 0;
    lex_list(l, end);
    l->cases = cases;
    l->depth--;
    if (peek(l, 0) == end && l->at < l->length) {
        l->at++;
    } else {
        fail(l);
    }
}

/* "((" has been read: on to the matching "))". */
static void lex_arithmetic(lexer *l)
{
    size_t start = l->at, open = 2;
    while (l->at < l->length && open) {
        open += (size_t)(l->text[l->at] == '(');
        open -= (size_t)(l->text[l->at] == ')');
        l->at++;
    }
    mark(l, start, l->at, WPA_SHELL_ARITHMETIC);
    if (open) {
        fail(l);
    }
}

static void lex_dollar(lexer *l, wpa_shell_context around);

static void lex_single(lexer *l)
{
    size_t start = ++l->at;
    while (l->at < l->length && l->text[l->at] != '\'') {
        l->at++;
    }
    mark(l, start, l->at, WPA_SHELL_SINGLE);
    if (l->at == l->length) {
        fail(l);
        return;
    }
    l->at++;
}

/* $'...' knows backslashes. */
static void lex_ansi(lexer *l)
{
    size_t start = l->at += 2;
    while (l->at < l->length && l->text[l->at] != '\'') {
        l->at += l->text[l->at] == '\\' ? 2 : 1;
    }
    if (l->at >= l->length) {
        fail(l);
        return;
    }
    mark(l, start, l->at, WPA_SHELL_SINGLE);
    l->at++;
}

static void lex_double(lexer *l)
{
    l->at++;
    while (l->at < l->length && l->text[l->at] != '"') {
        size_t start = l->at;
        char c = l->text[l->at];
        if (c == '$') {
            lex_dollar(l, WPA_SHELL_DOUBLE);
        } else if (c == '`') {
            l->at++;
            lex_substitution(l, '`');
        } else {
            l->at += c == '\\' && l->at + 1 < l->length ? 2 : 1;
            (void)skip_but(l, IS_SPECIAL);
            mark(l, start, l->at, WPA_SHELL_DOUBLE);
        }
    }
    if (l->at >= l->length) {
        fail(l);
        return;
    }
    l->at++;
}

/* "${" has been read: on to the matching "}". */
static void lex_parameter(lexer *l, wpa_shell_context around)
{
    if (++l->depth > WPA_SHELL_MAX_DEPTH) {
        fail(l);
        return;
    }
    while (l->at < l->length && l->text[l->at] != '}') {
        size_t start = l->at;
        char c = l->text[l->at];
        if (c == '$') {
            lex_dollar(l, around);
        } else if (c == '"') {
            lex_double(l);
        } else if (c == '\'' && around == WPA_SHELL_PLAIN) {
            lex_single(l);
        } else {
            l->at += c == '\\' && l->at + 1 < l->length ? 2 : 1;
            mark(l, start, l->at, around);
        }
    }
    l->depth--;
    if (l->at >= l->length) {
        fail(l);
        return;
    }
    l->at++;
}

static void lex_dollar(lexer *l, wpa_shell_context around)
{
    size_t start = l->at;
    if (peek(l, 1) != '(' && peek(l, 1) != '{' && peek(l, 1) != '\'') {
        l->at++; /* of a plain variable, as most are */
        mark(l, start, l->at, around);
    } else if (looking_at(l, "$((")) {
        l->at += 3;
        lex_arithmetic(l);
    } else if (looking_at(l, "$(")) {
        l->at += 2;
        lex_substitution(l, ')');
    } else if (looking_at(l, "${")) {
        l->at += 2;
        lex_parameter(l, around);
    } else if (looking_at(l, "$'") && around == WPA_SHELL_PLAIN) {
        lex_ansi(l);
    } else {
        l->at++;
        mark(l, start, l->at, around);
    }
}

/* "name=(" has been read: words until the bracket closes. */
static void lex_array(lexer *l)
{
    while (l->at < l->length && l->text[l->at] != ')') {
        char c = l->text[l->at];
        if (c == '\'') {
            lex_single(l);
        } else if (c == '"') {
            lex_double(l);
        } else if (c == '$') {
            lex_dollar(l, WPA_SHELL_PLAIN);
        } else if (c == '`') {
            l->at++;
            lex_substitution(l, '`');
        } else if (c == '#' && (is_blank(l->text[l->at - 1]) || l->text[l->at - 1] == '\n')) {
            while (l->at < l->length && l->text[l->at] != '\n') {
                l->at++;
            }
        } else {
            l->at += c == '\\' && l->at + 1 < l->length ? 2 : 1;
        }
    }
    if (l->at >= l->length) {
        fail(l);
        return;
    }
    l->at++;
}

/* One piece of a word; false at its end. */
static bool lex_piece(lexer *l, char end, size_t word_start)
{
    char c = peek(l, 0);
    if (c == '\'') {
        lex_single(l);
    } else if (c == '"') {
        lex_double(l);
    } else if (c == '$') {
        lex_dollar(l, WPA_SHELL_PLAIN);
    } else if (c == '`') {
        if (end == '`') {
            return false;
        }
        l->at++;
        lex_substitution(l, '`');
    } else if (c == '\\') {
        l->at += l->at + 1 < l->length ? 2 : 1;
    } else if (c == '(' && l->at > word_start && l->text[l->at - 1] == '=') {
        l->at++;
        lex_array(l);
    } else if (c == '(' && l->at > word_start && strchr("@!?*+", l->text[l->at - 1])) {
        l->at++; /* extended glob */
        lex_array(l);
    } else if ((c == '<' || c == '>') && peek(l, 1) == '(' && l->at == word_start) {
        l->at += 2;
        lex_substitution(l, ')');
    } else if (ends_word(c)) {
        return false;
    } else {
        l->at++;
    }
    return true;
}

/* A run of these is a blanked expression. */
#define BLANKED "____"

/* text[span] without quotes and escapes; expansions stay as written. */
static const char *unquote(lexer *l, wpa_span span, bool *is_literal)
{
    char *out = wpa_arena_slice(l->arena, l->text + span.start, wpa_span_length(span));
    size_t n = 0;
    char quote = '\0';
    *is_literal = true;
    for (size_t i = span.start; i < span.end; i++) {
        char c = l->text[i];
        unsigned kind = kind_of(c);
        if (!(kind & (IS_QUOTE | IS_GLOB))) {
            out[n++] = c;
            continue;
        }
        if (quote == '\'' ? c == '\'' : quote == '"' && c == '"') {
            quote = '\0';
            continue;
        }
        if (!quote && (c == '\'' || c == '"')) {
            quote = c;
            continue;
        }
        if (c == '\\' && quote != '\'' && i + 1 < span.end) {
            i++;
            if (l->text[i] != '\n') {
                out[n++] = l->text[i];
            }
            continue;
        }
        if (quote != '\'' && (c == '$' || c == '`')) {
            *is_literal = false;
        }
        if (!quote && (kind & IS_GLOB)) {
            *is_literal = false;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    *is_literal = *is_literal && !strstr(out, BLANKED);
    return out;
}

static wpa_shell_word lex_word(lexer *l, char end)
{
    wpa_shell_word word = {.span = {l->at, l->at}};
    unsigned seen = skip_but(l, ENDS_WORD | IS_QUOTE);
    bool is_plain = l->at == l->length || (ends_word(l->text[l->at]) && l->text[l->at] != '(');
    if (is_plain && l->at > word.span.start) { /* as most are: there is nothing to undo */
        word.span.end = l->at;
        word.text =
            wpa_arena_slice(l->arena, l->text + word.span.start, wpa_span_length(word.span));
        bool may_be_blanked = seen & IS_BLANKED;
        word.is_literal = !(seen & IS_GLOB) && !(may_be_blanked && strstr(word.text, BLANKED));
        return word;
    }
    while (l->at < l->length && lex_piece(l, end, word.span.start)) {
        (void)skip_but(l, ENDS_WORD | IS_QUOTE);
    }
    word.span.end = l->at;
    word.text = unquote(l, word.span, &word.is_literal);
    return word;
}

/* ---- commands ----------------------------------------------------------------------------------
 */

/* Programs that hand a command line of theirs to a shell elsewhere: "docker run x sh -c '...'". */
static const char *const carriers[] = {
    "docker", "podman",    "nerdctl", "kubectl", "ssh", "su",     "docker-compose",
    "nix",    "nix-shell", "wsl",     "chroot",  "lxc", "script", "runuser"};

static bool is_shell(const char *word)
{
    static const char *const shells[] = {"bash", "sh", "dash", "zsh", "ksh", "ash"};
    const char *slash = strrchr(word, '/');
    return wpa_text_index(slash ? slash + 1 : word, shells, WPA_COUNT(shells)) >= 0;
}

/* Programs that take a script behind -c as a shell does. */
static const char *const starters[] = {"fish", "su", "runuser"};

/* "ssh host 'a | b'": the one word behind the host is a script; several are arguments first. */
static const wpa_shell_word *find_remote_script(const wpa_shell_command *c)
{
    size_t i = c->first + 1;
    for (; i < c->n_words && c->words[i].text[0] == '-'; i++) {
        const char *word = c->words[i].text;
        i += word[1] && !word[2] && strchr("BbcDEeFIiJLlmOopQRSWw", word[1]) ? 1 : 0;
    }
    return i + 2 == c->n_words ? &c->words[i + 1] : NULL;
}

/* "-c", "-ec" and the like. */
static bool is_short_c(const char *word)
{
    return word[0] == '-' && word[1] != '-' && strchr(word, 'c');
}

static bool has_short_c(const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i + 1 < c->n_words; i++) {
        if (is_short_c(c->words[i].text)) {
            return true;
        }
    }
    return false;
}

/* The word that holds the script of "sh -c", NULL if there is none. */
static const wpa_shell_word *find_nested_script(const wpa_shell_command *c)
{
    if (!has_short_c(c) && !wpa_text_is(c->name, "ssh")) {
        return NULL; /* nearly always */
    }
    size_t at = c->first;
    bool is_carrier = wpa_text_index(c->name, carriers, WPA_COUNT(carriers)) >= 0;
    bool starts = wpa_text_index(c->name, starters, WPA_COUNT(starters)) >= 0;
    while (is_carrier && at < c->n_words && !is_shell(c->words[at].text)) {
        at++;
    }
    at = starts && at >= c->n_words ? c->first : at;
    if (at >= c->n_words && wpa_text_is(c->name, "ssh")) {
        return find_remote_script(c);
    }
    if (at >= c->n_words || !(is_carrier || starts || is_shell(c->name))) {
        return NULL;
    }
    for (size_t i = at + 1; i + 1 < c->n_words; i++) {
        if (is_short_c(c->words[i].text)) {
            return &c->words[i + 1];
        }
    }
    return NULL;
}

/* Where a text that was quoted as a whole begins in the script; its bytes are there one by one. */
static bool is_quoted_plainly(const lexer *l, const wpa_shell_word *word)
{
    size_t length = wpa_span_length(word->span);
    char quote = length >= 2 ? l->text[word->span.start] : '\0';
    return (quote == '\'' || quote == '"') && strlen(word->text) == length - 2 &&
           memcmp(word->text, l->text + word->span.start + 1, length - 2) == 0;
}

/* Spans of a nested script's commands in the outer one: exact if shift says where, else all of it.
 */
static void place_nested(wpa_shell_command *c, wpa_span whole, bool is_exact)
{
    size_t shift = whole.start + 1;
    c->is_nested_script = true;
    c->span = is_exact ? (wpa_span){c->span.start + shift, c->span.end + shift} : whole;
    for (size_t w = 0; w < c->n_words; w++) {
        wpa_span span = c->words[w].span;
        c->words[w].span = is_exact ? (wpa_span){span.start + shift, span.end + shift} : whole;
    }
    for (size_t r = 0; r < c->n_redirects; r++) {
        wpa_span span = c->redirects[r].target.span;
        c->redirects[r].target.span =
            is_exact ? (wpa_span){span.start + shift, span.end + shift} : whole;
        c->redirects[r].body = (wpa_span){0, 0};
    }
}

static void lex_nested_script(lexer *l, const wpa_shell_command *c)
{
    const wpa_shell_word *text = l->script_depth < 3 ? find_nested_script(c) : NULL;
    if (!text) {
        return;
    }
    lexer inner = {.script = l->script,
                   .arena = l->arena,
                   .text = text->text,
                   .length = strlen(text->text),
                   .script_depth = l->script_depth + 1};
    size_t first = l->script->n_commands;
    lex_list(&inner, '\0');
    if (inner.has_failed) {
        l->script->n_commands = first;
    }
    bool is_exact = is_quoted_plainly(l, text);
    for (size_t k = first; k < l->script->n_commands; k++) {
        place_nested(&l->script->commands[k], text->span, is_exact);
    }
}

static const char *const reserved[] = {"if",    "then",  "else", "elif", "fi", "do",  "done",
                                       "while", "until", "!",    "{",    "}",  "esac"};

#define RESERVED_MAX_BYTES 5

/* Take reserved words off the front, minding loops and cases. */
static void strip_reserved(lexer *l, gather *g)
{
    while (g->n_words) {
        const char *word = g->words[0].text;
        size_t length = strlen(word);
        if (length > RESERVED_MAX_BYTES ||
            wpa_text_index(word, reserved, WPA_COUNT(reserved)) < 0) {
            return;
        }
        if (wpa_text_is(word, "do")) {
            l->loops++;
        } else if (wpa_text_is(word, "done") && l->loops) {
            l->loops--;
        } else if (wpa_text_is(word, "esac") && l->cases) {
            l->cases--;
        }
        g->words++;
        g->n_words--;
        g->words_capacity--;
    }
}

static void end_command(lexer *l, gather *g, const char *after)
{
    strip_reserved(l, g);
    if ((g->n_words || g->n_redirects) && !l->has_failed) {
        wpa_shell_command c = {
            .words = g->words,
            .n_words = g->n_words,
            .redirects = g->redirects,
            .n_redirects = g->n_redirects,
            .before = g->before,
            .after = after,
            .loops = l->loops,
            .nested = l->depth,
        };
        wpa_shell_name_find(&c);
        if (g->n_words) {
            c.span = (wpa_span){g->words[0].span.start, g->words[g->n_words - 1].span.end};
        } else {
            c.span = g->redirects[0].target.span;
        }
        wpa_shell_add(l->script, &c, l->arena);
        lex_nested_script(l, &c);
    }
    *g = (gather){.before = after};
}

/* Bodies of the here-documents whose line has ended. */
static void read_heredocs(lexer *l)
{
    for (size_t i = 0; i < l->n_heredocs; i++) {
        heredoc *h = &l->heredocs[i];
        const char *delimiter = h->redirect->target.text;
        size_t start = l->at, n = strlen(delimiter);
        for (;;) {
            if (l->at >= l->length) {
                h->redirect->body = (wpa_span){start, l->length};
                break;
            }
            const char *break_at = memchr(l->text + l->at, '\n', l->length - l->at);
            size_t line = l->at, end = break_at ? (size_t)(break_at - l->text) : l->length;
            l->at = break_at ? end + 1 : l->length;
            while (h->strips_tabs && line < end && l->text[line] == '\t') {
                line++;
            }
            size_t length = end - line;
            if (length && l->text[end - 1] == '\r') {
                length--;
            }
            if (length == n && memcmp(l->text + line, delimiter, n) == 0) {
                h->redirect->body = (wpa_span){start, line};
                break;
            }
        }
        mark(l, h->redirect->body.start, h->redirect->body.end,
             h->is_quoted ? WPA_SHELL_HEREDOC_QUOTED : WPA_SHELL_HEREDOC);
    }
    l->n_heredocs = 0;
}

/** For one more redirection: few commands have more than two. Here-documents move with them. */
static void make_room(lexer *l, gather *g)
{
    size_t n = g->n_redirects;
    if (n != 0 && n != REDIRECTS_FEW) {
        return;
    }
    wpa_shell_redirect *roomier =
        wpa_arena_array(l->arena, n ? REDIRECTS_MAX : REDIRECTS_FEW, sizeof *roomier);
    for (size_t i = 0; i < n; i++) {
        roomier[i] = g->redirects[i];
        for (size_t k = 0; k < l->n_heredocs; k++) {
            bool is_moved = l->heredocs[k].redirect == &g->redirects[i];
            l->heredocs[k].redirect = is_moved ? &roomier[i] : l->heredocs[k].redirect;
        }
    }
    g->redirects = roomier;
}

static void lex_redirect(lexer *l, gather *g, char end)
{
    static const char *const operators[] = {"<<<", "<<-", "<<", "&>>", "&>", ">>",
                                            ">&",  "<&",  ">|", "<>",  ">",  "<"};
    const char *operator= NULL;
    for (size_t i = 0; i < WPA_COUNT(operators) && !operator; i++) {
        operator= looking_at(l, operators[i]) ? operators[i] : NULL;
    }
    if (!operator) {
        l->at++;
        return;
    }
    l->at += strlen(operator);
    while (is_blank(peek(l, 0))) {
        l->at++;
    }
    if (g->n_redirects == REDIRECTS_MAX) {
        fail(l);
        return;
    }
    make_room(l, g);
    wpa_shell_redirect *redirect = &g->redirects[g->n_redirects++];
    *redirect = (wpa_shell_redirect){.operator= operator, .target = lex_word(l, end)};
    if (wpa_text_is(operator, "<<") || wpa_text_is(operator, "<<-")) {
        if (l->n_heredocs == HEREDOCS_MAX) {
            fail(l);
            return;
        }
        wpa_span target = redirect->target.span;
        bool is_quoted = memchr(l->text + target.start, '\'', wpa_span_length(target)) ||
                         memchr(l->text + target.start, '"', wpa_span_length(target)) ||
                         memchr(l->text + target.start, '\\', wpa_span_length(target));
        l->heredocs[l->n_heredocs++] = (heredoc){redirect, operator[2] == '-', is_quoted};
    }
}

static void lex_comment(lexer *l)
{
    size_t start = l->at;
    while (l->at < l->length && l->text[l->at] != '\n') {
        l->at++;
    }
    mark(l, start, l->at, WPA_SHELL_COMMENT);
}

/* An operator or line break ends the command; returns it, NULL if there is none here. */
static const char *lex_operator(lexer *l)
{
    static const char *const operators[] = {"&&", "||", ";;&", ";;", ";&", "|&", ";", "&", "|"};
    char c = peek(l, 0);
    if ((c != '&' && c != '|' && c != ';') || looking_at(l, "&>")) {
        return NULL;
    }
    for (size_t i = 0; i < WPA_COUNT(operators); i++) {
        if (looking_at(l, operators[i])) {
            l->at += strlen(operators[i]);
            return i >= 2 && operators[i][0] == ';' ? ";" : operators[i];
        }
    }
    return NULL;
}

static void lex_bracket(lexer *l, gather *g)
{
    if (g->n_words == 0 && looking_at(l, "((")) {
        l->at += 2;
        lex_arithmetic(l);
    } else if (g->n_words && looking_at(l, "()")) {
        l->at += 2; /* "name() {": a function, whose body is read as commands */
        *g = (gather){.before = ";"};
    } else {
        l->at++;
        end_command(l, g, "(");
        g->before = ";";
        lex_substitution(l, ')');
    }
}

/* for (( ... )) and [[ a < b ]] hold characters that mean something else elsewhere. */
static bool lex_test(lexer *l, gather *g)
{
    if (g->n_words && wpa_text_is(g->words[g->n_words - 1].text, "for") && looking_at(l, "((")) {
        l->at += 2;
        lex_arithmetic(l);
        return true;
    }
    char c = peek(l, 0);
    if (g->is_test && c && strchr("<>()|&", c)) {
        l->at++;
        return true;
    }
    return false;
}

static void take_word(lexer *l, gather *g, char end)
{
    size_t start = l->at;
    wpa_shell_word word = lex_word(l, end);
    if (l->at == start) {
        l->at++; /* a stray character that starts no word */
        return;
    }
    bool is_redirected = peek(l, 0) == '<' || peek(l, 0) == '>';
    if (is_redirected && !word.text[strspn(word.text, "0123456789")]) {
        return; /* the descriptor of a redirection */
    }
    g->words = wpa_arena_grow(l->arena, g->words, g->n_words, &g->words_capacity, sizeof *g->words);
    g->words[g->n_words++] = word;
    g->is_test = wpa_text_is(word.text, "[[") || (g->is_test && !wpa_text_is(word.text, "]]"));
    if (g->n_words >= 3 && wpa_text_is(word.text, "in") &&
        wpa_text_is(g->words[g->n_words - 3].text, "case")) {
        end_command(l, g, ";");
        l->cases++;
    }
}

/* A line break ends a command, but not what an operator at the end of the line asks for. */
static void end_line(lexer *l, gather *g)
{
    static const char *const open[] = {"|", "|&", "&&", "||"};
    bool goes_on =
        !g->n_words && !g->n_redirects && wpa_text_index(g->before, open, WPA_COUNT(open)) >= 0;
    if (!goes_on) {
        end_command(l, g, ";");
    }
}

static bool lex_one(lexer *l, gather *g, char end)
{
    char c = peek(l, 0);
    if (!(kind_of(c) & (ENDS_WORD | IS_QUOTE | IS_COMMENT))) {
        take_word(l, g, end);
    } else if (is_blank(c)) {
        l->at++;
    } else if (looking_at(l, "\\\n") || looking_at(l, "\\\r\n")) {
        l->at += c == '\\' && peek(l, 1) == '\r' ? 3 : 2;
    } else if (lex_test(l, g)) {
        return true;
    } else if (c == '\n') {
        l->at++;
        end_line(l, g);
        read_heredocs(l);
    } else if (c == '#') {
        lex_comment(l);
    } else if (c == ')' && l->cases) {
        l->at++;
        *g = (gather){.before = ";"}; /* the pattern of a case */
    } else if (end && c == end) {
        return false;
    } else if (c == '(' && !(l->cases && g->n_words == 0)) {
        lex_bracket(l, g);
    } else if ((c == '<' || c == '>') && peek(l, 1) != '(') {
        lex_redirect(l, g, end);
    } else if (looking_at(l, "&>")) {
        lex_redirect(l, g, end);
    } else {
        const char *operator= lex_operator(l);
        if (operator) {
            end_command(l, g, operator);
        } else {
            take_word(l, g, end);
        }
    }
    return true;
}

static void lex_list(lexer *l, char end)
{
    gather g = {.before = ""};
    while (l->at < l->length && !l->has_failed && lex_one(l, &g, end)) {
    }
    end_command(l, &g, "");
}

/* "bash <<EOF": the here-document is a script of its own, at its own place. */
static void lex_fed_script(lexer *l, const wpa_shell_redirect *redirect)
{
    size_t first = l->script->n_commands, length = wpa_span_length(redirect->body);
    lexer inner = {.script = l->script,
                   .arena = l->arena,
                   .text = l->text,
                   .at = redirect->body.start,
                   .length = redirect->body.start + length,
                   .script_depth = l->script_depth + 1};
    lex_list(&inner, '\0');
    l->script->n_commands = inner.has_failed ? first : l->script->n_commands;
    for (size_t k = first; k < l->script->n_commands; k++) {
        l->script->commands[k].is_nested_script = true;
    }
}

static void lex_fed_scripts(lexer *l)
{
    size_t n = l->script->n_commands; /* those of a fed script feed no others */
    for (size_t i = 0; i < n; i++) {
        if (!l->script->commands[i].n_redirects) {
            continue;
        }
        wpa_shell_command c = l->script->commands[i]; /* a copy: the list may move */
        bool reads_input = c.n_words && (is_shell(c.name) || wpa_text_is(c.name, "ssh")) &&
                           !c.is_nested_script && !find_nested_script(&c);
        for (size_t r = 0; reads_input && r < c.n_redirects; r++) {
            if (wpa_text_starts(c.redirects[r].operator, "<<") &&
                wpa_span_length(c.redirects[r].body)) {
                lex_fed_script(l, &c.redirects[r]);
            }
        }
    }
}

bool wpa_shell_lex_posix(wpa_script *script, uint8_t *contexts, wpa_arena *arena)
{
    lexer l = {.script = script, .arena = arena, .text = script->text, .length = script->length};
    l.contexts = contexts;
    lex_list(&l, '\0');
    if (!l.has_failed) {
        lex_fed_scripts(&l);
    }
    return !l.has_failed;
}
