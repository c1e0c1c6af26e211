/* The lexer of bash and sh: one pass, recursive for substitutions. */
#include "rules/shell_posix.h"

#include "core/room.h"
#include "rules/shell_name.h"

#define REDIRECTS_MAX 16
#define REDIRECTS_FEW 2
#define WORDS_FEW 4 /* as many as most commands have */

typedef wpa_posix_lexer lexer;

/* The command being gathered. */
typedef struct gather {
    wpa_shell_word *words;
    size_t n_words, words_capacity;
    wpa_shell_redirect *redirects; /* see make_room */
    size_t n_redirects;
    const char *before;
    bool is_test; /* between [[ and ]] */
} gather;

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
        /* A script that was put together holds blanks that stand nowhere. */
        c->words[w].is_as_written = c->words[w].is_as_written && is_exact;
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
    const wpa_shell_word *text = l->script_depth < 3 ? wpa_posix_nested_script(c, l->arena) : NULL;
    if (!text) {
        return;
    }
    lexer inner = {.script = l->script,
                   .arena = l->arena,
                   .text = text->text,
                   .length = strlen(text->text),
                   .script_depth = l->script_depth + 1};
    inner.words = wpa_arena_slice(l->arena, inner.text, inner.length);
    size_t first = l->script->n_commands;
    wpa_posix_list(&inner, '\0');
    if (inner.has_failed) {
        l->script->n_commands = first;
    }
    bool is_exact = is_quoted_plainly(l, text);
    for (size_t k = first; k < l->script->n_commands; k++) {
        place_nested(&l->script->commands[k], text->span, is_exact);
    }
}

/** Asked of every command, of which few begin as these words do. */
static bool is_reserved(const char *word)
{
    switch (word[0]) {
    case '!':
    case '{':
    case '}':
        return !word[1];
    case 'd':
        return wpa_text_is(word, "do") || wpa_text_is(word, "done");
    case 'e':
        return wpa_text_is(word, "else") || wpa_text_is(word, "elif") || wpa_text_is(word, "esac");
    case 'f':
        return wpa_text_is(word, "fi");
    case 'i':
        return wpa_text_is(word, "if");
    case 't':
        return wpa_text_is(word, "then");
    case 'u':
        return wpa_text_is(word, "until");
    case 'w':
        return wpa_text_is(word, "while");
    default:
        return false;
    }
}

/* Take reserved words off the front, minding loops and cases. */
static void strip_reserved(lexer *l, gather *g)
{
    while (g->n_words) {
        const char *word = g->words[0].text;
        if (!is_reserved(word)) {
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
            .n_words = (uint32_t)g->n_words,
            .redirects = g->redirects,
            .n_redirects = (uint32_t)g->n_redirects,
            .before = g->before,
            .after = after,
            .loops = (uint16_t)l->loops,
            .nested = (uint8_t)l->depth,
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
        wpa_posix_heredoc *h = &l->heredocs[i];
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
        wpa_posix_mark(l, h->redirect->body.start, h->redirect->body.end,
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
        operator= wpa_posix_looks_at(l, operators[i]) ? operators[i] : NULL;
    }
    if (!operator) {
        l->at++;
        return;
    }
    l->at += strlen(operator);
    while (wpa_posix_is_blank(wpa_posix_peek(l, 0))) {
        l->at++;
    }
    if (g->n_redirects == REDIRECTS_MAX) {
        wpa_posix_fail(l);
        return;
    }
    make_room(l, g);
    wpa_shell_redirect *redirect = &g->redirects[g->n_redirects++];
    *redirect = (wpa_shell_redirect){.operator= operator, .target = wpa_posix_word(l, end)};
    if (wpa_text_is(operator, "<<") || wpa_text_is(operator, "<<-")) {
        if (l->n_heredocs == WPA_POSIX_HEREDOCS_MAX) {
            wpa_posix_fail(l);
            return;
        }
        wpa_span target = redirect->target.span;
        bool is_quoted = memchr(l->text + target.start, '\'', wpa_span_length(target)) ||
                         memchr(l->text + target.start, '"', wpa_span_length(target)) ||
                         memchr(l->text + target.start, '\\', wpa_span_length(target));
        l->heredocs[l->n_heredocs++] = (wpa_posix_heredoc){redirect, operator[2] == '-', is_quoted};
    }
}

static void lex_comment(lexer *l)
{
    size_t start = l->at;
    while (l->at < l->length && l->text[l->at] != '\n') {
        l->at++;
    }
    wpa_posix_mark(l, start, l->at, WPA_SHELL_COMMENT);
}

/* An operator or line break ends the command; returns it, NULL if there is none here. */
static const char *lex_operator(lexer *l)
{
    static const char *const operators[] = {"&&", "||", ";;&", ";;", ";&", "|&", ";", "&", "|"};
    char c = wpa_posix_peek(l, 0);
    if ((c != '&' && c != '|' && c != ';') || wpa_posix_looks_at(l, "&>")) {
        return NULL;
    }
    for (size_t i = 0; i < WPA_COUNT(operators); i++) {
        if (wpa_posix_looks_at(l, operators[i])) {
            l->at += strlen(operators[i]);
            return i >= 2 && operators[i][0] == ';' ? ";" : operators[i];
        }
    }
    return NULL;
}

static void lex_bracket(lexer *l, gather *g)
{
    if (g->n_words == 0 && wpa_posix_looks_at(l, "((")) {
        l->at += 2;
        wpa_posix_arithmetic(l);
    } else if (g->n_words && wpa_posix_looks_at(l, "()")) {
        l->at += 2; /* "name() {": a function, whose body is read as commands */
        *g = (gather){.before = ";"};
    } else {
        l->at++;
        end_command(l, g, "(");
        g->before = ";";
        wpa_posix_substitution(l, ')');
    }
}

/* for (( ... )) and [[ a < b ]] hold characters that mean something else elsewhere. */
static bool lex_test(lexer *l, gather *g)
{
    if (g->n_words && wpa_text_is(g->words[g->n_words - 1].text, "for") &&
        wpa_posix_looks_at(l, "((")) {
        l->at += 2;
        wpa_posix_arithmetic(l);
        return true;
    }
    char c = wpa_posix_peek(l, 0);
    if (g->is_test && c && strchr("<>()|&", c)) {
        l->at++;
        return true;
    }
    return false;
}

static void take_word(lexer *l, gather *g, char end)
{
    size_t start = l->at;
    wpa_shell_word word = wpa_posix_word(l, end);
    if (l->at == start) {
        l->at++; /* a stray character that starts no word */
        return;
    }
    bool is_redirected = wpa_posix_peek(l, 0) == '<' || wpa_posix_peek(l, 0) == '>';
    if (is_redirected && !word.text[strspn(word.text, "0123456789")]) {
        return; /* the descriptor of a redirection */
    }
    if (!g->words) {
        g->words_capacity = WORDS_FEW;
        g->words = wpa_arena_room(l->arena, WORDS_FEW * sizeof *g->words);
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
    char c = wpa_posix_peek(l, 0);
    if (!(wpa_posix_kind(c) & (WPA_POSIX_ENDS_WORD | WPA_POSIX_IS_QUOTE | WPA_POSIX_IS_COMMENT))) {
        take_word(l, g, end);
    } else if (wpa_posix_is_blank(c)) {
        l->at++;
    } else if (wpa_posix_looks_at(l, "\\\n") || wpa_posix_looks_at(l, "\\\r\n")) {
        l->at += c == '\\' && wpa_posix_peek(l, 1) == '\r' ? 3 : 2;
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
    } else if ((c == '<' || c == '>') && wpa_posix_peek(l, 1) != '(') {
        lex_redirect(l, g, end);
    } else if (wpa_posix_looks_at(l, "&>")) {
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

void wpa_posix_list(lexer *l, char end)
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
                   .words = l->words,
                   .at = redirect->body.start,
                   .length = redirect->body.start + length,
                   .script_depth = l->script_depth + 1};
    wpa_posix_list(&inner, '\0');
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
        bool reads_input = c.n_words &&
                           (wpa_posix_is_shell(c.name) || wpa_text_is(c.name, "ssh")) &&
                           !c.is_nested_script && !wpa_posix_nested_script(&c, l->arena);
        for (size_t r = 0; reads_input && r < c.n_redirects; r++) {
            if (wpa_text_starts(c.redirects[r].operator, "<<") &&
                wpa_span_length(c.redirects[r].body)) {
                lex_fed_script(l, &c.redirects[r]);
            }
        }
    }
}

#define COMMANDS_FEW 16
/* Bytes of script that there is a command in, or a little less: so that most lists need not grow.
 */
#define COMMAND_BYTES 48

static void make_room_for_commands(wpa_script *script, wpa_arena *arena)
{
    size_t n = script->length / COMMAND_BYTES + 1;
    script->capacity = n < COMMANDS_FEW ? n : COMMANDS_FEW;
    script->commands = wpa_arena_room(arena, script->capacity * sizeof *script->commands);
}

bool wpa_shell_lex_posix(wpa_script *script, uint8_t *contexts, wpa_arena *arena)
{
    lexer l = {.script = script, .arena = arena, .text = script->text, .length = script->length};
    l.contexts = contexts;
    l.words = wpa_arena_slice(arena, script->text, script->length);
    make_room_for_commands(script, arena);
    wpa_posix_list(&l, '\0');
    if (!l.has_failed) {
        lex_fed_scripts(&l);
    }
    return !l.has_failed;
}
