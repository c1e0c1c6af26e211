#include "lint/grammar_words.h"

#include <string.h>

#include <wpa/text.h>

/* ---- characters ---- */

bool wpa_sh_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool wpa_sh_is_meta(char c)
{
    return c == '\0' || strchr(" \t\n;&|<>()", c) != NULL;
}

bool wpa_sh_is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t wpa_sh_name_length(const char *at)
{
    size_t n = 0;
    while (wpa_sh_is_name_start(at[n]) || (n && is_digit(at[n]))) {
        n++;
    }
    return n;
}

void wpa_sh_skip_blanks(wpa_sh *r)
{
    for (;;) {
        if (wpa_sh_is_blank(*r->at)) {
            r->at++;
        } else if (r->at[0] == '\\' && r->at[1] == '\n') {
            r->at += 2;
        } else {
            break;
        }
    }
    if (*r->at == '#') {
        r->at += strcspn(r->at, "\n");
    }
}

bool wpa_sh_take(wpa_sh *r, const char *token)
{
    if (!wpa_text_starts(r->at, token)) {
        return false;
    }
    r->at += strlen(token);
    return true;
}

/* ---- words ---- */

/** Up to and with the next quote of this kind that no backslash hides. */
static bool skip_to(wpa_sh *r, char quote, bool has_escapes)
{
    for (; *r->at && *r->at != quote; r->at++) {
        if (has_escapes && *r->at == '\\' && !*++r->at) {
            return false;
        }
    }
    return *r->at && r->at++;
}

/* Characters with a meaning in words, and within double quotes; most of a script has none. */
static const bool is_special[256] = {
    ['\0'] = true, [' '] = true, ['\t'] = true, ['\n'] = true, [';'] = true, ['&'] = true,
    ['|'] = true,  ['<'] = true, ['>'] = true,  ['('] = true,  [')'] = true, ['\''] = true,
    ['"'] = true,  ['`'] = true, ['$'] = true,  ['\\'] = true,
};
static const bool is_special_quoted[256] = {
    ['\0'] = true, ['"'] = true, ['`'] = true, ['$'] = true, ['\\'] = true,
};

static void skip_plain(wpa_sh *r, const bool special[256])
{
    while (!special[(unsigned char)*r->at]) {
        r->at++;
    }
}

static bool read_double_quoted(wpa_sh *r)
{
    for (skip_plain(r, is_special_quoted); *r->at != '"'; skip_plain(r, is_special_quoted)) {
        if (!wpa_sh_part(r, true)) { /* nor can the end of the text be read */
            return false;
        }
    }
    return wpa_sh_take(r, "\"");
}

/** Behind "${": a name, and what is done with it. */
static bool read_parameter(wpa_sh *r, bool is_quoted)
{
    r->at += strspn(r->at, r->is_bash ? "#!" : "#");
    size_t length = wpa_sh_name_length(r->at);
    length = length ? length : strspn(r->at, "0123456789");
    length = length ? length : strspn(r->at, "@*?$!-") != 0;
    r->at += length;
    if (length == 0) {
        return false;
    }
    if (r->is_bash && *r->at == '[') {
        r->at += strcspn(r->at, "]}\n'\"`\\$");
        if (!wpa_sh_take(r, "]")) {
            return false;
        }
    }
    if (wpa_sh_take(r, "}")) {
        return true;
    }
    if (*r->at == '\0' || !strchr(r->is_bash ? ":-=+?#%/^,@" : ":-=+?#%", *r->at) ||
        (!r->is_bash && r->at[0] == ':' && !strchr("-=+?", r->at[1]))) {
        return false;
    }
    /* Quotes count in patterns; in other words within double quotes that depends on the shell. */
    bool is_pattern = r->is_bash && strchr("#%/^,", *r->at);
    r->at++;
    while (*r->at && *r->at != '}') {
        if ((is_quoted && !is_pattern && strchr("'\"", *r->at)) || wpa_sh_is_process(r)) {
            return false;
        }
        if (strchr("\\\"'`$", *r->at) ? !wpa_sh_part(r, is_quoted && !is_pattern) : !*r->at++) {
            return false;
        }
    }
    return wpa_sh_take(r, "}");
}

bool wpa_sh_arithmetic(wpa_sh *r)
{
    int depth = 0;
    for (;;) {
        if (*r->at == '$' || *r->at == '"') {
            if (!wpa_sh_part(r, false)) {
                return false;
            }
        } else if (*r->at == '\0' || strchr("\n'`\\;{}#", *r->at)) {
            return false;
        } else if (*r->at == ')' && depth == 0) {
            return wpa_sh_take(r, "))");
        } else {
            depth += *r->at == '(' ? 1 : *r->at == ')' ? -1 : 0;
            r->at++;
        }
    }
}

/** Behind "(": commands up to ")", here-documents of its own within. */
static bool read_substitution(wpa_sh *r)
{
    int n_heredocs = r->n_heredocs;
    bool ok =
        ++r->depth < WPA_SH_DEPTH_MAX && n_heredocs == 0 && wpa_sh_list(r) && r->n_heredocs == 0;
    r->depth--;
    return ok && wpa_sh_take(r, ")");
}

static bool read_dollar(wpa_sh *r, bool is_quoted)
{
    r->at++;
    if (wpa_sh_take(r, "{")) {
        return read_parameter(r, is_quoted);
    }
    if (wpa_sh_take(r, "((")) {
        return wpa_sh_arithmetic(r);
    }
    if (wpa_sh_take(r, "(")) {
        return read_substitution(r);
    }
    if (!is_quoted && r->at[0] == '\'') {
        r->at++;
        return r->is_bash && skip_to(r, '\'', true);
    }
    if (*r->at && strchr("$@*#?!-", *r->at)) {
        r->at++;
        return true;
    }
    return !(*r->at == '"' && !is_quoted) && *r->at != '[';
}

bool wpa_sh_part(wpa_sh *r, bool is_quoted)
{
    switch (*r->at) {
    case '\0':
        return false;
    case '\\':
        r->at++;
        return *r->at && r->at++;
    case '\'':
        r->at++;
        return is_quoted || skip_to(r, '\'', false);
    case '"':
        r->at++;
        return !is_quoted ? read_double_quoted(r) : false;
    case '`': /* bash looks into it when it runs */
        r->at++;
        return r->is_bash && skip_to(r, '`', true);
    case '$':
        return read_dollar(r, is_quoted);
    default:
        r->at++;
        return true;
    }
}

bool wpa_sh_is_process(const wpa_sh *r)
{
    return r->is_bash && (r->at[0] == '<' || r->at[0] == '>') && r->at[1] == '(';
}

bool wpa_sh_word(wpa_sh *r)
{
    const char *from = r->at;
    for (;;) {
        skip_plain(r, is_special);
        if (wpa_sh_is_process(r)) {
            r->at += 2;
            if (!read_substitution(r)) {
                return false;
            }
        } else if (wpa_sh_is_meta(*r->at)) {
            return r->at > from && *r->at != '(';
        } else if (!wpa_sh_part(r, false)) {
            return false;
        }
    }
}

/* ---- lines, and the here-documents behind them ---- */

static bool ends_heredoc(const wpa_sh_heredoc *doc, const char *line, size_t length)
{
    while (doc->is_indented && length && *line == '\t') {
        line++;
        length--;
    }
    return length == strlen(doc->delimiter) && strncmp(line, doc->delimiter, length) == 0;
}

/** bash looks at what is expanded in it when it runs; others when they read. */
static bool is_checked(const wpa_sh *r, const wpa_sh_heredoc *doc, size_t length)
{
    return !r->is_bash && !doc->is_quoted &&
           (memchr(r->at, '`', length) || memchr(r->at, '$', length));
}

static bool skip_heredoc(wpa_sh *r, const wpa_sh_heredoc *doc)
{
    while (*r->at) {
        size_t length = strcspn(r->at, "\n");
        bool is_end = ends_heredoc(doc, r->at, length);
        if (is_checked(r, doc, length)) {
            return false;
        }
        r->at += length + (r->at[length] == '\n');
        if (is_end) {
            return true;
        }
    }
    return false;
}

static bool take_newline(wpa_sh *r)
{
    if (!wpa_sh_take(r, "\n")) {
        return false;
    }
    for (int i = 0; i < r->n_heredocs; i++) {
        if (!skip_heredoc(r, &r->heredocs[i])) {
            r->is_lost = true;
            return false;
        }
    }
    r->n_heredocs = 0;
    return true;
}

void wpa_sh_skip_newlines(wpa_sh *r)
{
    do {
        wpa_sh_skip_blanks(r);
    } while (take_newline(r));
}

/* ---- redirections ---- */

/** Of plain characters, perhaps within one pair of quotes; no backslashes and expansions. */
static bool read_delimiter(wpa_sh *r, wpa_sh_heredoc *doc)
{
    char quote = *r->at == '\'' || *r->at == '"' ? *r->at++ : '\0';
    doc->is_quoted = quote != '\0';
    size_t length = 0;
    while (quote ? *r->at != quote && *r->at && *r->at != '\n' : !wpa_sh_is_meta(*r->at)) {
        if (length + 1 == sizeof doc->delimiter || strchr("\\$`'\"", *r->at)) {
            return false;
        }
        doc->delimiter[length++] = *r->at++;
    }
    doc->delimiter[length] = '\0';
    return length > 0 && (!quote || (*r->at == quote && *r->at++)) && wpa_sh_is_meta(*r->at) &&
           *r->at != '(';
}

static bool read_heredoc(wpa_sh *r)
{
    if (r->n_heredocs == WPA_SH_HEREDOCS_MAX) {
        return false;
    }
    wpa_sh_heredoc *doc = &r->heredocs[r->n_heredocs++];
    doc->is_indented = wpa_sh_take(r, "-");
    wpa_sh_skip_blanks(r);
    return read_delimiter(r, doc);
}

bool wpa_sh_redirection(wpa_sh *r)
{
    static const char *const of_bash[] = {"&>>", "&>", "<<<"};
    static const char *const of_all[] = {">>", ">&", "<&", "<>", ">|", ">", "<"};
    r->at += strspn(r->at, "0123456789");
    bool is_taken = false;
    for (size_t i = 0; i < WPA_COUNT(of_bash) && !is_taken; i++) {
        if (wpa_text_starts(r->at, of_bash[i]) && !r->is_bash) {
            return false;
        }
        is_taken = wpa_sh_take(r, of_bash[i]);
    }
    if (!is_taken && wpa_sh_take(r, "<<")) {
        return read_heredoc(r);
    }
    for (size_t i = 0; i < WPA_COUNT(of_all) && !is_taken; i++) {
        is_taken = wpa_sh_take(r, of_all[i]);
    }
    wpa_sh_skip_blanks(r);
    /* Digits there belong to what comes next: ">&1>". */
    return is_taken && wpa_sh_word(r) && *r->at != '<' && *r->at != '>';
}

bool wpa_sh_is_redirection(const wpa_sh *r)
{
    const char *at = r->at + strspn(r->at, "0123456789");
    return (*at == '<' || *at == '>' || (at == r->at && at[0] == '&' && at[1] == '>')) &&
           !(at == r->at && wpa_sh_is_process(r));
}

bool wpa_sh_redirections(wpa_sh *r)
{
    for (wpa_sh_skip_blanks(r); wpa_sh_is_redirection(r); wpa_sh_skip_blanks(r)) {
        if (!wpa_sh_redirection(r)) {
            return false;
        }
    }
    return true;
}
