#include "rules/decoded.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOB "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
#define BLOB_MIN_BYTES 16
/* Bytes in front of a call among which the call around it is looked for. */
#define LOOKBACK 256
/* Calls in a script, and places of a name, that are looked at. */
#define CALLS_MAX 32
#define PLACES_MAX 16

/* ---- commands of a shell -----------------------------------------------------------------------
 */

static bool is_decoder(const wpa_shell_command *c)
{
    bool is_hex = wpa_text_is(c->name, "xxd") && wpa_shell_word_find(c, "-r");
    bool is_base = wpa_text_is(c->name, "base64") || wpa_text_is(c->name, "base32") ||
                   (wpa_text_is(c->name, "openssl") && c->n_words > c->first + 1);
    return is_hex ||
           (is_base && (wpa_shell_word_find(c, "-d") || wpa_shell_word_find(c, "--decode") ||
                        wpa_shell_word_find(c, "-D") || wpa_shell_word_find(c, "-di")));
}

static bool is_interpreter(const char *name)
{
    static const char *const names[] = {"sh",     "bash", "zsh",    "dash",    "eval",
                                        "source", ".",    "python", "python3", "node",
                                        "perl",   "ruby", "php",    "pwsh"};
    return wpa_text_index(name, names, WPA_COUNT(names)) >= 0;
}

static bool is_blob(const char *word)
{
    size_t n = strspn(word, BLOB);
    return n >= BLOB_MIN_BYTES && !word[n];
}

static bool has_blob(const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (is_blob(c->words[i].text)) {
            return true;
        }
    }
    for (size_t i = 0; i < c->n_redirects; i++) {
        if (is_blob(c->redirects[i].target.text)) {
            return true;
        }
    }
    return false;
}

/* Letters written as "\x63" or "\143" that make a text one that nobody reads. */
#define ESCAPED_MIN 4

/* Is it an escape for a letter? Of colours and marks of encodings none is. */
static bool is_escaped_letter(const char *at)
{
    char *end = NULL;
    bool is_hex = at[1] == 'x';
    size_t digits = strspn(at + 1 + is_hex, is_hex ? "0123456789abcdefABCDEF" : "01234567");
    char number[5] = "";
    bool is_short = digits >= 2 && digits <= (is_hex ? 2 : 4);
    memcpy(number, at + 1 + is_hex, is_short ? digits : 0);
    long c = strtol(number, &end, is_hex ? 16 : 8);
    return is_short && c < 0x80 && isalpha((int)c);
}

static bool is_escaped(const wpa_shell_command *c)
{
    size_t n = 0;
    bool prints = wpa_text_is(c->name, "printf") || wpa_text_is(c->name, "echo");
    for (size_t i = c->first + 1; prints && i < c->n_words; i++) {
        for (const char *at = strchr(c->words[i].text, '\\'); at; at = strchr(at + 1, '\\')) {
            n += is_escaped_letter(at) ? 1 : 0;
        }
    }
    return n >= ESCAPED_MIN;
}

/* "rev", and "tr A-Za-z N-ZA-Mn-za-m": letters that stand elsewhere, or for others. */
static bool is_scrambler(const wpa_shell_command *c)
{
    bool is_it = wpa_text_is(c->name, "rev");
    for (size_t i = c->first + 1; wpa_text_is(c->name, "tr") && i < c->n_words; i++) {
        const char *word = c->words[i].text;
        is_it = is_it || strcasestr(word, "n-za-m");
    }
    return is_it;
}

/* "echo 'hs | moc.elpmaxe lruc'", "<<< '...'": text that stands in the script. */
static bool has_text(const wpa_shell_command *c)
{
    bool prints = wpa_text_is(c->name, "echo") || wpa_text_is(c->name, "printf");
    bool has = prints && c->n_words > c->first + 1;
    for (size_t i = c->first + 1; prints && i < c->n_words; i++) {
        has = has && !strpbrk(c->words[i].text, "$`");
    }
    for (size_t i = 0; i < c->n_redirects; i++) {
        has = has || (wpa_text_is(c->redirects[i].operator, "<<<") &&
                      !strpbrk(c->redirects[i].target.text, "$`"));
    }
    return has;
}

static bool contains(wpa_span outer, wpa_span inner)
{
    return outer.start <= inner.start && inner.end <= outer.end;
}

/* Is there an interpreter further down the pipeline of this command? */
static bool is_piped_on(const wpa_script *script, size_t i)
{
    for (i++; i < script->n_commands && wpa_text_is(script->commands[i].before, "|"); i++) {
        if (is_interpreter(script->commands[i].name)) {
            return true;
        }
    }
    return false;
}

/* "NAME=$(... | base64 -d)": the variable that holds what is decoded; empty if there is none. */
static wpa_slice assigned_to(const wpa_shell_command *c, const wpa_shell_command *decoder)
{
    for (size_t i = 0; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        size_t length = wpa_text_name_length(word);
        if (length && wpa_text_starts(word + length, "=") &&
            contains(c->words[i].span, decoder->span)) {
            return (wpa_slice){word, length};
        }
    }
    return (wpa_slice){"", 0};
}

/* "$NAME" or "${NAME}" in a text. */
static bool expands(const char *text, wpa_slice name)
{
    for (const char *at = strchr(text, '$'); at; at = strchr(at + 1, '$')) {
        const char *start = at + 1 + (at[1] == '{');
        if (strncmp(start, name.at, name.length) == 0 &&
            wpa_text_name_length(start) == name.length) {
            return true;
        }
    }
    return false;
}

/* 'eval "$NAME"', 'bash -c "$NAME"', 'echo "$NAME" | sh'. */
static bool runs_variable(const wpa_script *script, size_t i, wpa_slice name)
{
    const wpa_shell_command *c = &script->commands[i];
    bool is_code =
        wpa_text_is(c->name, "eval") ||
        (is_interpreter(c->name) && (wpa_shell_word_find(c, "-c") || wpa_shell_word_find(c, "-e")));
    bool is_fed = false, is_named = false;
    for (size_t k = 0; k < c->n_redirects; k++) {
        is_fed = is_fed || expands(c->redirects[k].target.text, name);
    }
    for (size_t k = c->first + 1; k < c->n_words; k++) {
        is_named = is_named || expands(c->words[k].text, name);
    }
    return (is_named && (is_code || is_piped_on(script, i))) || (is_fed && is_interpreter(c->name));
}

/* "$(... | base64 -d) ARGUMENTS": what is decoded is the command. */
static bool is_its_program(const wpa_shell_command *c, const wpa_shell_command *decoder)
{
    return c->first < c->n_words && contains(c->words[c->first].span, decoder->span);
}

/* 'eval "$(...)"', 'bash -c "$(...)"', "bash <(...)", "sh <<< ..."; behind a program it is text. */
static bool is_its_code(const wpa_shell_command *c, const wpa_shell_command *decoder)
{
    bool is_any = wpa_text_is(c->name, "eval"), is_behind = false;
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (contains(c->words[i].span, decoder->span)) {
            return is_any || !is_behind;
        }
        is_behind = is_behind || c->words[i].text[0] != '-';
    }
    return true;
}

/* Does what the decoder writes run: further down its pipeline, in the command around it, or from a
 * variable that keeps it? */
static bool is_run(wpa_rule_run *run, const wpa_script *script, size_t decoder)
{
    const wpa_shell_command *d = &script->commands[decoder];
    wpa_slice kept = {"", 0};
    bool is_it = is_piped_on(script, decoder);
    for (size_t i = 0; i < script->n_commands && !is_it && wpa_rule_spend(run, 1); i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_around = i != decoder && contains(c->span, d->span);
        is_it = (is_around &&
                 ((is_interpreter(c->name) && is_its_code(c, d)) || is_its_program(c, d))) ||
                (kept.length && i > decoder && runs_variable(script, i, kept));
        kept = is_around && !kept.length ? assigned_to(c, d) : kept;
    }
    return is_it;
}

/* Does the command write in plain what stands in it, or in the one before it, in another form? */
static bool makes_code(const wpa_shell_command *c, bool is_piped)
{
    return (is_decoder(c) && (has_blob(c) || (is_piped && has_blob(c - 1)))) ||
           (is_scrambler(c) && (has_text(c) || (is_piped && has_text(c - 1)))) || is_escaped(c);
}

/* "pwsh -EncodedCommand ZQBj...", also cut short: a script in base64. */
static bool is_encoded(const wpa_shell_command *c)
{
    static const char option[] = "-EncodedCommand";
    bool is_shell = wpa_text_starts(c->name, "pwsh") || wpa_text_starts(c->name, "powershell");
    for (size_t i = c->first + 1; is_shell && i + 1 < c->n_words; i++) {
        const char *word = c->words[i].text;
        size_t length = strlen(word);
        if (length > 1 && length < sizeof option && strncasecmp(word, option, length) == 0 &&
            is_blob(c->words[i + 1].text)) {
            return true;
        }
    }
    return false;
}

static void visit_commands(wpa_rule_run *run, const wpa_outline_step *step,
                           wpa_decoded_visitor visit)
{
    const wpa_script *script = step->lexed;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_it = is_encoded(c);
        if (!is_it && step->script && makes_code(c, i > 0 && wpa_text_is(c->before, "|"))) {
            is_it = is_run(run, script, i);
        }
        if (is_it) {
            visit(run, wpa_outline_script_span(step, c->span));
        }
    }
}

/* ---- programs of other languages ---------------------------------------------------------------
 */

/* Calls that decode. */
static const char *const decoders[] = {
    "b64decode(", "b32decode(",   "unhexlify(", "bytes.fromhex(", "FromBase64String(",
    "atob(",      "Buffer.from(", "decode64(",  "decode_base64(", "base64_decode("};

/* Calls that run what they are given, by the end of their name. */
static const struct {
    const char *name;
    bool is_whole; /* with nothing in front of it: "pattern.exec" is another function */
} runners[] = {
    {"eval", false},
    {"exec", true},
    {"exec.exec", false},
    {"child_process.exec", false},
    {"execSync", false},
    {"Function", false},
    {".system", false},
    {"system", true},
    {"popen", false},
    {"subprocess.run", false},
    {"subprocess.call", false},
    {"subprocess.check_call", false},
    {"subprocess.check_output", false},
    {"subprocess.Popen", false},
    {"runInThisContext", false},
    {"runInNewContext", false},
    {"iex", true},
    {"Invoke-Expression", true},
    {"scriptblock]::Create", false},
};

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_.-:]", c));
}

/* Is the word that ends here one of those that run something? PowerShell takes any case. */
static bool ends_runner(const char *text, size_t end)
{
    size_t start = end;
    while (start && end - start < LOOKBACK && is_of_name(text[start - 1])) {
        start--;
    }
    for (size_t i = 0; i < WPA_COUNT(runners); i++) {
        size_t n = strlen(runners[i].name);
        bool is_long = end - start >= n;
        char before = is_long && end > n ? text[end - n - 1] : ' ';
        bool is_member = *runners[i].name == '.';
        bool is_bounded = is_member             ? true
                          : runners[i].is_whole ? end - start == n
                                                : !isalnum((unsigned char)before) && before != '_';
        if (is_long && is_bounded && strncasecmp(text + end - n, runners[i].name, n) == 0) {
            return true;
        }
    }
    return false;
}

static size_t skip_back(const char *text, size_t at)
{
    while (at && strchr(" \t$", text[at - 1])) {
        at--;
    }
    return at;
}

/* Does what stands here reach a call that runs it: one around it, or "eval" and "iex" before it? */
static bool reaches_runner(const char *text, size_t at)
{
    size_t first = at > LOOKBACK ? at - LOOKBACK : 0, depth = 0;
    size_t word = at;
    while (word > first && (is_of_name(text[word - 1]) || text[word - 1] == '[')) {
        word--;
    }
    if (ends_runner(text, skip_back(text, word))) {
        return true;
    }
    for (size_t i = at; i > first; i--) {
        char c = text[i - 1];
        if (c == ')') {
            depth++;
        } else if (c == '(' && depth) {
            depth--;
        } else if (c == '(' && ends_runner(text, skip_back(text, i - 1))) {
            return true;
        } else if (c == ';' && !depth) {
            return false;
        }
    }
    return false;
}

/* "... | iex" on the rest of the line. */
static bool is_piped_to_runner(const char *text)
{
    size_t length = strcspn(text, "\r\n");
    length = length < 2 * LOOKBACK ? length : 2 * LOOKBACK;
    const char *pipe = memrchr(text, '|', length);
    const char *word = pipe ? pipe + 1 + strspn(pipe + 1, " ") : "";
    return strncasecmp(word, "iex", 3) == 0 || strncasecmp(word, "Invoke-Expression", 17) == 0;
}

/* Does a blob in quotes stand here, as nothing or the prefix of a literal may precede it? */
static bool begins_blob(const char *text)
{
    text += strspn(text, " \t\r\n");
    text += *text == 'b' && strchr("\"'\\", text[1]) ? 1 : 0;
    text += *text == '\\' ? 1 : 0; /* in a program within quotes */
    size_t n = *text == '"' || *text == '\'' || *text == '`' ? strspn(text + 1, BLOB "\\") : 0;
    return n >= BLOB_MIN_BYTES && text[1 + n] == *text;
}

/* The next place of a name in the text, as a word of its own; NULL if there is none. */
static const char *next_place(const char *text, const char *from, wpa_slice name)
{
    const char *at = from, *end = from + strlen(from);
    while ((at = wpa_text_find_slice(at, (size_t)(end - at), name))) {
        char before = at > text ? at[-1] : ' ', behind = at[name.length];
        if (!isalnum((unsigned char)before) && before != '_' && before != '.' &&
            !isalnum((unsigned char)behind) && behind != '_') {
            return at;
        }
        at++;
    }
    return NULL;
}

/* Is the variable given a blob somewhere: 'name = "..."'? */
static bool holds_blob(const char *text, wpa_slice name)
{
    size_t n = 0;
    for (const char *at = text; n < PLACES_MAX && (at = next_place(text, at, name)); at++, n++) {
        const char *behind = at + name.length + strspn(at + name.length, " \t");
        if (*behind == '=' && begins_blob(behind + 1)) {
            return true;
        }
    }
    return false;
}

/* The variable that the line of this offset assigns; empty if it assigns none. */
static wpa_slice variable_of(wpa_rule_run *run, const char *text, size_t at)
{
    size_t first = at > LOOKBACK ? at - LOOKBACK : 0, line = at;
    while (line > first && text[line - 1] != '\n' && text[line - 1] != ';') {
        line--;
    }
    const char *equals = memchr(text + line, '=', at - line);
    size_t end = equals && equals[1] != '=' ? (size_t)(equals - text) : line;
    while (end > line && strchr(" \t", text[end - 1])) {
        end--;
    }
    size_t start = end;
    while (start > line && (isalnum((unsigned char)text[start - 1]) || text[start - 1] == '_')) {
        start--;
    }
    return (wpa_slice){wpa_arena_slice(run->arena, text + start, end - start), end - start};
}

/* Does a later place of the variable reach what runs it? */
static bool is_variable_run(const char *text, size_t from, wpa_slice name)
{
    size_t n = 0;
    for (const char *at = text + from; name.length && n < PLACES_MAX; at++, n++) {
        at = next_place(text, at, name);
        if (!at) {
            return false;
        }
        size_t place = (size_t)(at - text);
        place -= place && text[place - 1] == '$' ? 1 : 0;
        if (reaches_runner(text, place)) {
            return true;
        }
    }
    return false;
}

static bool is_comment(const char *text, size_t at)
{
    size_t first = at > LOOKBACK ? at - LOOKBACK : 0;
    while (at > first && text[at - 1] != '\n') {
        at--;
    }
    at += strspn(text + at, " \t");
    return text[at] == '#' || wpa_text_starts(text + at, "//");
}

/* Is the call at this offset of what stands in the script, and run? */
static bool is_decoded_and_run(wpa_rule_run *run, const char *text, size_t at, size_t behind)
{
    size_t name = behind + (text[behind] == '$' ? 1 : 0);
    size_t length = wpa_text_name_length(text + name);
    bool is_blob_here = begins_blob(text + behind);
    if (!is_blob_here && (!length || !strchr("),", text[name + length]))) {
        return false;
    }
    const char *word = wpa_arena_slice(run->arena, text + name, length);
    return (is_blob_here || holds_blob(text, (wpa_slice){word, length})) &&
           (reaches_runner(text, at) || is_piped_to_runner(text + behind) ||
            is_variable_run(text, behind, variable_of(run, text, at)));
}

static void visit_calls(wpa_rule_run *run, const wpa_outline_step *step, const wpa_yaml_node *node,
                        wpa_decoded_visitor visit)
{
    const char *text = node->text;
    size_t n = 0;
    for (size_t i = 0; i < WPA_COUNT(decoders); i++) {
        bool may_be = wpa_yaml_may_hold(node->doc, decoders[i]);
        size_t length = strlen(decoders[i]);
        for (const char *at = may_be ? strcasestr(text, decoders[i]) : NULL;
             at && n < CALLS_MAX && wpa_rule_spend(run, 2 * node->length);
             at = strcasestr(at + 1, decoders[i]), n++) {
            size_t from = (size_t)(at - text);
            if (!is_comment(text, from) && is_decoded_and_run(run, text, from, from + length)) {
                visit(run, wpa_step_span(step, node, from, from + length - 1));
            }
        }
    }
}

/* ---- all of them -------------------------------------------------------------------------------
 */

/* How commands begin that turn letters about, or write them by their numbers. */
static const char *const forms[] = {"| rev",         "rev <<<",      "n-za-m",       "printf '\\x",
                                    "printf \"\\x",  "printf '\\1",  "printf \"\\1", "echo -e '\\x",
                                    "echo -e \"\\x", "echo -e '\\0", "echo -e \"\\0"};

bool wpa_decoded_may(const wpa_yaml_doc *doc)
{
    bool may_encode = wpa_yaml_may_hold(doc, " -e") || wpa_yaml_may_hold(doc, " -E");
    bool may =
        (may_encode && (wpa_yaml_may_name(doc, "pwsh") || wpa_yaml_may_name(doc, "powershell"))) ||
        wpa_yaml_may_name(doc, "base64") || wpa_yaml_may_name(doc, "base32") ||
        wpa_yaml_may_name(doc, "openssl") || wpa_yaml_may_name(doc, "xxd");
    for (size_t i = 0; i < WPA_COUNT(decoders) && !may; i++) {
        may = wpa_yaml_may_hold(doc, decoders[i]);
    }
    for (size_t i = 0; i < WPA_COUNT(forms) && !may; i++) {
        may = wpa_yaml_may_hold(doc, forms[i]);
    }
    return may;
}

void wpa_decoded_visit(wpa_rule_run *run, const wpa_outline_step *step, wpa_decoded_visitor visit)
{
    const wpa_yaml_node *node = step->run ? step->run : wpa_step_javascript(step);
    visit_commands(run, step, visit);
    if (node && node->text) {
        visit_calls(run, step, node, visit);
    }
}
