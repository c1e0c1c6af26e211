#include "lint/grammar.h"

#include <string.h>

#include <wpa/text.h>

#include "lint/grammar_words.h"

/* ---- simple commands ---- */

static bool is_word(const wpa_sh *r, const char *word)
{
    size_t length = strlen(word);
    return strncmp(r->at, word, length) == 0 && wpa_sh_is_meta(r->at[length]);
}

static bool is_word_of(const wpa_sh *r, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (*r->at == *words[i] && is_word(r, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_even(const char *text, size_t length, char c)
{
    bool is_even = true;
    for (size_t i = 0; i < length; i++) {
        is_even = is_even != (text[i] == c);
    }
    return is_even;
}

/** "name=", "name+=" or "name[...]=" in front of a word; its length, or 0. */
static size_t assignment_length(const wpa_sh *r)
{
    size_t n = wpa_sh_name_length(r->at);
    if (n && r->is_bash && r->at[n] == '[') {
        size_t index = strcspn(r->at + n, "]\n \t'`\\");
        n = r->at[n + index] == ']' && is_even(r->at + n, index, '"') ? n + index + 1 : 0;
    }
    n += n && r->is_bash && r->at[n] == '+';
    return n && r->at[n] == '=' ? n + 1 : 0;
}

/** Behind "name=(": words up to ")". */
static bool read_array(wpa_sh *r)
{
    for (wpa_sh_skip_newlines(r); *r->at != ')'; wpa_sh_skip_newlines(r)) {
        if (!wpa_sh_word(r)) {
            return false;
        }
    }
    return wpa_sh_take(r, ")");
}

static bool read_assignment(wpa_sh *r, size_t length)
{
    bool is_one = memchr(r->at, '[', length) != NULL; /* of an array, and none itself */
    r->at += length;
    if (r->is_bash && !is_one && wpa_sh_take(r, "(")) {
        return read_array(r) && wpa_sh_is_meta(*r->at) && *r->at != '(';
    }
    return (wpa_sh_is_meta(*r->at) && *r->at != '(' && *r->at != '<' && *r->at != '>') ||
           wpa_sh_word(r);
}

/** bash looks for the end of an index as soon as it sees its begin. */
static bool is_element(const wpa_sh *r)
{
    size_t name = wpa_sh_name_length(r->at);
    return r->is_bash && name && r->at[name] == '[';
}

static bool read_arguments(wpa_sh *r, bool are_declarations)
{
    for (wpa_sh_skip_blanks(r);
         !wpa_sh_is_meta(*r->at) || wpa_sh_is_redirection(r) || wpa_sh_is_process(r);
         wpa_sh_skip_blanks(r)) {
        size_t length = are_declarations ? assignment_length(r) : 0;
        bool ok = wpa_sh_is_redirection(r) ? wpa_sh_redirection(r)
                  : length                 ? read_assignment(r, length)
                                           : !(are_declarations && is_element(r)) && wpa_sh_word(r);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool read_compound(wpa_sh *r, bool *is_there);

/** Behind "name (": what a function does. */
static bool read_function(wpa_sh *r)
{
    bool is_there;
    wpa_sh_skip_blanks(r);
    if (!wpa_sh_take(r, ")")) {
        return false;
    }
    wpa_sh_skip_newlines(r);
    return read_compound(r, &is_there) && is_there;
}

/** Assignments and redirections in front of a command; false: one of them is not sound. */
static bool read_prefix(wpa_sh *r, bool *is_empty)
{
    size_t length;
    *is_empty = true;
    for (wpa_sh_skip_blanks(r); (length = assignment_length(r)) || wpa_sh_is_redirection(r);
         wpa_sh_skip_blanks(r)) {
        if (length ? !read_assignment(r, length) : !wpa_sh_redirection(r)) {
            return false;
        }
        *is_empty = false;
    }
    return true;
}

static bool is_function(const wpa_sh *r)
{
    size_t name = wpa_sh_name_length(r->at);
    while (name && r->is_bash && r->at[name] && strchr("-.:", r->at[name])) {
        name += 1 + wpa_sh_name_length(r->at + name + 1);
    }
    return name && r->at[name + strspn(r->at + name, " \t")] == '(';
}

static bool read_simple(wpa_sh *r)
{
    static const char *const declaring[] = {"declare", "local", "export", "readonly", "typeset"};
    bool is_empty;
    if (!read_prefix(r, &is_empty)) {
        return false;
    }
    if (wpa_sh_is_meta(*r->at) && !wpa_sh_is_process(r)) {
        return !is_empty;
    }
    if (is_element(r)) {
        return false;
    }
    if (is_empty && is_function(r)) {
        r->at += strcspn(r->at, "(") + 1;
        return read_function(r);
    }
    bool are_declarations = is_word_of(r, declaring, WPA_COUNT(declaring));
    return wpa_sh_word(r) && read_arguments(r, are_declarations);
}

/* ---- "[[" ---- */

/** Up to a blank, but for what is in parentheses. */
static bool read_regex(wpa_sh *r)
{
    const char *from = r->at;
    for (int depth = 0; depth || (!wpa_sh_is_blank(*r->at) && *r->at != '\n' && *r->at != ')');) {
        depth += *r->at == '(' ? 1 : *r->at == ')' ? -1 : 0;
        if (strchr(" \t\n;&<>", *r->at) || (*r->at == '|' && !depth) || !wpa_sh_part(r, false)) {
            return false; /* strchr finds the end of the text too */
        }
    }
    return r->at > from;
}

static bool read_operator(wpa_sh *r)
{
    static const char *const operators[] = {"==",  "=",   "!=",  "-eq", "-ne", "-lt",
                                            "-le", "-gt", "-ge", "-nt", "-ot", "-ef"};
    if ((*r->at == '<' || *r->at == '>') && wpa_sh_is_blank(r->at[1])) {
        r->at++;
        return true;
    }
    return is_word_of(r, operators, WPA_COUNT(operators)) && wpa_sh_word(r);
}

static bool is_term_end(const wpa_sh *r)
{
    return is_word(r, "]]") || wpa_text_starts(r->at, "&&") || wpa_text_starts(r->at, "||") ||
           *r->at == ')';
}

static bool read_condition(wpa_sh *r);

static bool read_term(wpa_sh *r)
{
    wpa_sh_skip_newlines(r);
    while (is_word(r, "!")) {
        r->at++;
        wpa_sh_skip_blanks(r);
    }
    if (wpa_sh_take(r, "(")) {
        bool ok = ++r->depth < WPA_SH_DEPTH_MAX && read_condition(r);
        r->depth--;
        return ok && wpa_sh_take(r, ")");
    }
    bool is_unary = r->at[0] == '-' && wpa_sh_is_name_start(r->at[1]) && wpa_sh_is_meta(r->at[2]);
    if (is_term_end(r) || !wpa_sh_word(r)) {
        return false;
    }
    wpa_sh_skip_blanks(r);
    if (is_unary) {
        return !is_term_end(r) && wpa_sh_word(r);
    }
    if (is_term_end(r)) {
        return true;
    }
    bool is_regex = is_word(r, "=~");
    if (is_regex ? !wpa_sh_word(r) : !read_operator(r)) {
        return false;
    }
    wpa_sh_skip_blanks(r);
    return !is_term_end(r) && (is_regex ? read_regex(r) : wpa_sh_word(r));
}

static bool read_condition(wpa_sh *r)
{
    do {
        if (!read_term(r)) {
            return false;
        }
        wpa_sh_skip_blanks(r);
    } while (wpa_sh_take(r, "&&") || wpa_sh_take(r, "||"));
    return true;
}

static bool expect(wpa_sh *r, const char *word)
{
    wpa_sh_skip_blanks(r);
    return is_word(r, word) && wpa_sh_take(r, word);
}

static bool read_test(wpa_sh *r)
{
    return read_condition(r) && expect(r, "]]");
}

/* ---- compound commands; each begins behind its first word ---- */

/** Commands, at least one, up to the word that must end them. */
static bool read_block(wpa_sh *r, const char *end)
{
    const char *from = (wpa_sh_skip_newlines(r), r->at);
    return wpa_sh_list(r) && r->at > from && expect(r, end);
}

static bool read_if(wpa_sh *r)
{
    if (!read_block(r, "then")) {
        return false;
    }
    const char *from = (wpa_sh_skip_newlines(r), r->at);
    if (!wpa_sh_list(r) || r->at == from) {
        return false;
    }
    if (expect(r, "elif")) {
        return read_if(r);
    }
    return expect(r, "else") ? read_block(r, "fi") : expect(r, "fi");
}

static bool read_body(wpa_sh *r)
{
    wpa_sh_skip_newlines(r);
    return expect(r, "do") && read_block(r, "done");
}

static bool read_while(wpa_sh *r)
{
    return read_block(r, "do") && read_block(r, "done");
}

/** Behind "((": three expressions. */
static bool read_counting(wpa_sh *r)
{
    static const char stops[] = "();\n'\"`\\#";
    r->at += strcspn(r->at, stops);
    for (int i = 1; i < 3; i++) {
        if (!wpa_sh_take(r, ";")) {
            return false;
        }
        r->at += strcspn(r->at, stops);
    }
    if (!wpa_sh_take(r, "))")) {
        return false;
    }
    wpa_sh_skip_blanks(r);
    (void)wpa_sh_take(r, ";");
    return read_body(r);
}

static bool read_for(wpa_sh *r)
{
    wpa_sh_skip_blanks(r);
    if (r->is_bash && wpa_sh_take(r, "((")) {
        return read_counting(r);
    }
    size_t length = wpa_sh_name_length(r->at);
    if (length == 0 || !wpa_sh_is_meta(r->at[length])) {
        return false;
    }
    r->at += length;
    wpa_sh_skip_blanks(r);
    if (wpa_sh_take(r, ";")) {
        return read_body(r);
    }
    wpa_sh_skip_newlines(r);
    if (!expect(r, "in")) {
        return read_body(r);
    }
    for (wpa_sh_skip_blanks(r); !wpa_sh_is_meta(*r->at) || wpa_sh_is_process(r);
         wpa_sh_skip_blanks(r)) {
        if (!wpa_sh_word(r)) {
            return false;
        }
    }
    return (*r->at == '\n' || wpa_sh_take(r, ";")) && read_body(r);
}

static bool read_patterns(wpa_sh *r)
{
    (void)wpa_sh_take(r, "(");
    do {
        wpa_sh_skip_blanks(r);
        if (!wpa_sh_word(r)) {
            return false;
        }
        wpa_sh_skip_blanks(r);
    } while (wpa_sh_take(r, "|"));
    return wpa_sh_take(r, ")");
}

static bool read_case(wpa_sh *r)
{
    wpa_sh_skip_blanks(r);
    if (!wpa_sh_word(r)) {
        return false;
    }
    wpa_sh_skip_newlines(r);
    if (!expect(r, "in")) {
        return false;
    }
    bool is_more = true;
    for (wpa_sh_skip_newlines(r); !is_word(r, "esac"); wpa_sh_skip_newlines(r)) {
        if (!is_more || !read_patterns(r) || !wpa_sh_list(r)) {
            return false;
        }
        is_more =
            (r->is_bash && (wpa_sh_take(r, ";;&") || wpa_sh_take(r, ";&"))) || wpa_sh_take(r, ";;");
    }
    return expect(r, "esac");
}

static bool read_group(wpa_sh *r)
{
    return read_block(r, "}");
}

static bool read_named_function(wpa_sh *r)
{
    bool is_there;
    wpa_sh_skip_blanks(r);
    size_t length = wpa_sh_name_length(r->at);
    r->at += length;
    if (!wpa_sh_is_meta(*r->at)) {
        return false;
    }
    wpa_sh_skip_blanks(r);
    if (wpa_sh_take(r, "(")) {
        return length && read_function(r);
    }
    wpa_sh_skip_newlines(r);
    return length && read_compound(r, &is_there) && is_there;
}

static bool read_unknown(wpa_sh *r)
{
    (void)r;
    return false;
}

static bool read_parenthesis(wpa_sh *r)
{
    if (r->at[0] == '(') {
        r->at++;
        return r->is_bash && wpa_sh_arithmetic(r);
    }
    const char *from = (wpa_sh_skip_newlines(r), r->at);
    return wpa_sh_list(r) && r->at > from && wpa_sh_take(r, ")");
}

/** is_there: the command begins like one of them. */
static bool read_compound(wpa_sh *r, bool *is_there)
{
    static const struct {
        const char *word;
        bool (*read)(wpa_sh *r);
        bool is_of_bash;
    } kinds[] = {
        {"if", read_if, false},         {"for", read_for, false},
        {"while", read_while, false},   {"until", read_while, false},
        {"case", read_case, false},     {"{", read_group, false},
        {"[[", read_test, true},        {"function", read_named_function, true},
        {"select", read_unknown, true}, {"coproc", read_unknown, true},
    };
    wpa_sh_skip_blanks(r);
    *is_there = true;
    bool ok = ++r->depth < WPA_SH_DEPTH_MAX;
    for (size_t i = 0; ok && i < WPA_COUNT(kinds); i++) {
        bool is_known = r->is_bash || !kinds[i].is_of_bash;
        if (is_known && *r->at == *kinds[i].word && expect(r, kinds[i].word)) {
            ok = kinds[i].read(r);
            r->depth--;
            return ok && wpa_sh_redirections(r);
        }
    }
    if (ok && wpa_sh_take(r, "(")) {
        ok = read_parenthesis(r);
        r->depth--;
        return ok && wpa_sh_redirections(r);
    }
    r->depth--;
    *is_there = false;
    return ok;
}

/* ---- lists ---- */

static const char *const closing[] = {"then", "elif", "else", "fi", "do",
                                      "done", "esac", "}",    "]]", "in"};

static bool read_command(wpa_sh *r)
{
    bool is_there;
    wpa_sh_skip_blanks(r);
    return !is_word_of(r, closing, WPA_COUNT(closing)) && !is_word(r, "!") &&
           read_compound(r, &is_there) && (is_there || read_simple(r));
}

static bool read_pipeline(wpa_sh *r)
{
    wpa_sh_skip_blanks(r);
    if (r->is_bash && expect(r, "time")) {
        wpa_sh_skip_blanks(r);
    }
    if (expect(r, "!")) {
        wpa_sh_skip_blanks(r);
    }
    while (read_command(r)) {
        wpa_sh_skip_blanks(r);
        if (r->at[0] != '|' || r->at[1] == '|') {
            return true;
        }
        r->at++;
        if (wpa_sh_take(r, "&") && !r->is_bash) {
            return false;
        }
        wpa_sh_skip_newlines(r);
    }
    return false;
}

static bool read_chain(wpa_sh *r)
{
    while (read_pipeline(r)) {
        wpa_sh_skip_blanks(r);
        if (!wpa_sh_take(r, "&&") && !wpa_sh_take(r, "||")) {
            return true;
        }
        wpa_sh_skip_newlines(r);
    }
    return false;
}

/* Where no separator is needed behind a command. */
static bool is_end(const wpa_sh *r)
{
    return *r->at == '\0' || *r->at == ')' ||
           (r->at[0] == ';' && (r->at[1] == ';' || r->at[1] == '&'));
}

bool wpa_sh_list(wpa_sh *r)
{
    for (wpa_sh_skip_newlines(r); !is_end(r) && !is_word_of(r, closing, WPA_COUNT(closing));
         wpa_sh_skip_newlines(r)) {
        if (!read_chain(r)) {
            return false;
        }
        wpa_sh_skip_blanks(r);
        bool is_separated =
            *r->at == '\n' || (!is_end(r) && (wpa_sh_take(r, ";") || wpa_sh_take(r, "&")));
        if (!is_separated && !is_end(r)) {
            return false;
        }
    }
    return !r->is_lost;
}

bool wpa_shell_is_sound(const char *text, bool is_bash)
{
    wpa_sh r = {.at = text, .is_bash = is_bash};
    return !strchr(text, '\r') && wpa_sh_list(&r) && *r.at == '\0' && r.n_heredocs == 0;
}
