/* What scripts write to the runner's files, and to files of their own. */
#include "rules/exports.h"

#include <ctype.h>
#include <string.h>

#define EXPORTS_MAX 256
#define ALIASES_MAX 32

static const char *const files[] = {"GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT",
                                    "GITHUB_STEP_SUMMARY"};
/* Their paths in expressions. */
static const char *const members[WPA_COUNT(files)] = {"github.env", "github.path", "github.output",
                                                      "github.step_summary"};

static const char *behind_quotes(const char *text)
{
    while (*text == '"' || *text == '\'') {
        text++;
    }
    return text;
}

/** File that text names at its start, behind "$", "${", "%", "$env:" and quotes; NULL if none. */
static const char *file_named(const char *text)
{
    text = behind_quotes(text);
    text += *text == '$' || *text == '%' ? 1 : 0;
    text += *text == '{' ? 1 : 0;
    text += strncasecmp(text, "env:", 4) == 0 ? 4 : 0;
    bool may_be_file = (*text | 0x20) == 'g'; /* as all of them begin */
    for (size_t i = 0; may_be_file && i < WPA_COUNT(files); i++) {
        size_t length = strlen(files[i]);
        if (strncasecmp(text, files[i], length) == 0 &&
            !(isalnum((unsigned char)text[length]) || text[length] == '_')) {
            return files[i];
        }
    }
    return NULL;
}

/* A variable of the script that holds the name of one of the files. */
typedef struct alias {
    wpa_slice name;
    const char *file;
    bool is_of_cmd; /* stands as "%NAME%" alone */
} alias;

typedef struct gatherer {
    const char *raw; /* the script with its expressions */
    bool is_zsh;
    wpa_export *items;
    size_t n, capacity;
    alias aliases[ALIASES_MAX];
    size_t n_aliases;
    wpa_arena *arena;
} gatherer;

static void add_alias(gatherer *g, const char *name, size_t length, const char *file)
{
    if (length && g->n_aliases < ALIASES_MAX) {
        g->aliases[g->n_aliases++] = (alias){{name, length}, file, false};
    }
}

/* The same as file_named, and what variables of the script stand for. */
static const char *file_meant(const gatherer *g, const char *text)
{
    const char *file = file_named(text);
    text = behind_quotes(text);
    if (file || *text != '$' || !g->n_aliases) {
        return file;
    }
    text += text[1] == '{' ? 2 : 1;
    size_t length = wpa_text_name_length(text);
    for (size_t i = g->n_aliases; i-- > 0;) {
        const alias *a = &g->aliases[i];
        if (a->name.length == length && memcmp(a->name.at, text, length) == 0) {
            return a->file;
        }
    }
    return NULL;
}

static const char *name_in(const gatherer *g, const char *text, wpa_span value)
{
    for (size_t i = value.start; i < value.end; i++) {
        size_t start = i;
        while (i < value.end && (isalnum((unsigned char)text[i]) || strchr("_-", text[i]))) {
            i++;
        }
        bool ends = i < value.end &&
                    (text[i] == '=' || (text[i] == '<' && i + 1 < value.end && text[i + 1] == '<'));
        bool begins = start == value.start || strchr("\"' \t\n", text[start - 1]);
        if (i > start && ends && begins) {
            return wpa_arena_slice(g->arena, text + start, i - start);
        }
    }
    return NULL;
}

static void add_export(gatherer *g, const char *text, const char *file, wpa_span value,
                       wpa_span redirect)
{
    if (g->n >= EXPORTS_MAX || value.end < value.start) {
        return;
    }
    g->items = wpa_arena_grow(g->arena, g->items, g->n, &g->capacity, sizeof *g->items);
    g->items[g->n++] = (wpa_export){file, name_in(g, text, value), value, redirect};
}

/* The span with the here-documents and here-strings that the command is fed. */
static wpa_span with_fed(wpa_span span, const wpa_shell_command *c)
{
    for (size_t i = 0; i < c->n_redirects; i++) {
        const wpa_shell_redirect *r = &c->redirects[i];
        wpa_span fed = wpa_text_is(r->operator, "<<<") ? r->target.span : r->body;
        if (wpa_span_length(fed)) {
            span.end = fed.end > span.end ? fed.end : span.end;
            span.start = span.start < fed.start ? span.start : fed.start;
        }
    }
    return span;
}

/* Text that comes down the pipe to this command, and its own words and here-document. */
static wpa_span written_by(const wpa_script *script, size_t index)
{
    const wpa_shell_command *c = &script->commands[index];
    wpa_span span = c->n_words ? c->span : (wpa_span){SIZE_MAX, 0};
    for (size_t i = index; i > 0 && wpa_text_is(script->commands[i].before, "|"); i--) {
        const wpa_shell_command *before = &script->commands[i - 1];
        if (before->n_words && before->span.start < span.start) {
            span.start = before->span.start;
        }
        span.end = span.end ? span.end : before->span.end;
        span = with_fed(span, before);
    }
    return with_fed(span, c);
}

/* "{ ...; } >> file", "done >> file": from the bracket or loop that the redirection closes. */
static wpa_span group_before(const wpa_script *script, size_t end)
{
    size_t depth = 0;
    for (size_t i = end; i-- > 0;) {
        char c = script->text[i];
        depth += c == '}' || c == ')';
        if (c == '{' || c == '(') {
            depth -= depth ? 1 : 0;
            if (!depth) {
                return (wpa_span){i + 1, end};
            }
        }
    }
    return (wpa_span){0, end};
}

static wpa_span operator_of(const wpa_script *script, const wpa_shell_redirect *redirect)
{
    size_t start = redirect->target.span.start;
    while (start > 0 && strchr(" \t>|", script->text[start - 1])) {
        start--;
    }
    start += strspn(script->text + start, " \t");
    return (wpa_span){start, redirect->target.span.end};
}

wpa_span wpa_exports_text(const wpa_script *script, size_t index,
                          const wpa_shell_redirect *redirect)
{
    const wpa_shell_command *c = &script->commands[index];
    bool is_group = redirect && c->n_words <= c->first;
    return is_group ? group_before(script, operator_of(script, redirect).start)
                    : written_by(script, index);
}

/* "$GITHUB_ENV", or the path as an expression: "${{ github.env }}". */
static const char *file_of(const gatherer *g, const wpa_script *script, const wpa_shell_word *word)
{
    size_t length = wpa_span_length(word->span);
    if (*word->text != '_' || !g->raw || word->span.end > script->length) {
        return file_meant(g, word->text);
    }
    for (size_t i = 0; i < WPA_COUNT(members); i++) {
        if (memmem(g->raw + word->span.start, length, members[i], strlen(members[i]))) {
            return files[i];
        }
    }
    return NULL;
}

/* node -e "... appendFileSync(process.env.GITHUB_ENV, ...)" */
static void gather_inline(gatherer *g, const wpa_script *script, const wpa_shell_command *c)
{
    static const char *const programs[] = {"node", "python", "python3", "ruby", "perl", "php"};
    static const char *const writers[] = {"append", "write", "open(", "File."};
    bool is_inline = wpa_text_index(c->name, programs, WPA_COUNT(programs)) >= 0;
    for (size_t i = c->first + 1; is_inline && i < c->n_words; i++) {
        const char *text = c->words[i].text;
        const char *at = strstr(text, "GITHUB_");
        const char *file = at ? file_named(at) : NULL;
        bool is_writing = false;
        for (size_t k = 0; file && k < WPA_COUNT(writers); k++) {
            is_writing = is_writing || strstr(text, writers[k]);
        }
        if (is_writing) {
            add_export(g, script->text, file, c->words[i].span, c->span);
        }
    }
}

/* "F=$GITHUB_ENV", "export F=...": a later "$F" is the file. */
static void note_aliases(gatherer *g, const wpa_shell_command *c)
{
    bool declares = wpa_text_is(c->name, "export") || wpa_text_is(c->name, "local") ||
                    wpa_text_is(c->name, "declare") || wpa_text_is(c->name, "readonly");
    for (size_t i = 0; i < (declares ? c->n_words : c->first) && i < c->n_words; i++) {
        const char *text = c->words[i].text;
        size_t length = wpa_text_name_length(text);
        const char *file = text[length] == '=' ? file_meant(g, text + length + 1) : NULL;
        if (file) {
            add_alias(g, text, length, file);
        }
    }
}

/* Programs that write a file which stands among their words. */
static bool writes_argument(const wpa_shell_command *c, size_t i)
{
    const char *name = c->name;
    bool is_last = i + 1 == c->n_words;
    if (wpa_text_is(name, "sed") || wpa_text_is(name, "perl")) {
        bool is_in_place = false;
        for (size_t k = c->first + 1; k < i; k++) {
            const char *word = c->words[k].text;
            is_in_place = is_in_place || wpa_text_starts(word, "--in-place") ||
                          (word[0] == '-' && word[1] != '-' && strchr(word, 'i'));
        }
        return is_in_place;
    }
    return wpa_text_is(name, "tee") || wpa_text_is(name, "sponge") ||
           ((wpa_text_is(name, "cp") || wpa_text_is(name, "mv")) && is_last);
}

/* exec >> "$GITHUB_ENV": all that the script prints from there on. */
static bool is_for_all(const wpa_shell_command *c)
{
    return c->n_words == 1 && wpa_text_is(c->words[0].text, "exec");
}

/* zsh: ">>! file" and ">! file" write where ">>" and ">" may not. The lexer takes the mark for the
 * target; the word behind it, or the rest of the mark's, is it. */
static wpa_shell_redirect forced(const wpa_shell_command *c, const wpa_shell_redirect *redirect)
{
    wpa_shell_redirect r = *redirect;
    if (r.target.text[0] != '!' || *r.operator!= '>') {
        return r;
    }
    if (r.target.text[1]) {
        r.target.text++;
        r.target.span.start++;
        return r;
    }
    for (size_t i = 0; i < c->n_words; i++) {
        if (c->words[i].span.start > redirect->target.span.end) {
            r.target = c->words[i];
            return r;
        }
    }
    return r;
}

static void gather_command(gatherer *g, const wpa_script *script, size_t index)
{
    const wpa_shell_command *c = &script->commands[index];
    for (size_t i = 0; i < c->n_redirects; i++) {
        wpa_shell_redirect zsh = g->is_zsh ? forced(c, &c->redirects[i]) : c->redirects[i];
        const wpa_shell_redirect *r = &zsh;
        bool is_writing = *r->operator== '>' || * r->operator== '&';
        const char *file = is_writing ? file_of(g, script, &r->target) : NULL;
        if (file && c->is_nested_script) { /* of "bash -c": its places are those of the word */
            add_export(g, script->text, file, c->span, r->target.span);
        } else if (file && is_for_all(c)) {
            add_export(g, script->text, file, (wpa_span){r->target.span.end, script->length},
                       operator_of(script, r));
        } else if (file) {
            wpa_span at = operator_of(script, r);
            add_export(g, script->text, file, wpa_exports_text(script, index, r), at);
        }
    }
    gather_inline(g, script, c);
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *text = c->words[i].text;
        bool is_dd = wpa_text_is(c->name, "dd") && wpa_text_starts(text, "of=");
        const char *file =
            is_dd || writes_argument(c, i) ? file_meant(g, text + (is_dd ? 3 : 0)) : NULL;
        if (file) {
            add_export(g, script->text, file, written_by(script, index), c->span);
        }
    }
    note_aliases(g, c);
}

/* cmd: "set F=%GITHUB_ENV%", also with quotes around all of it. */
static bool note_alias_cmd(gatherer *g, const char *text, wpa_span line)
{
    size_t at = line.start + strspn(text + line.start, " \t@");
    if (at + 5 > line.end || !wpa_bytes_are_ci(text + at, "set ", 4)) {
        return false;
    }
    at += 4 + strspn(text + at + 4, " \t\"");
    size_t length = wpa_text_name_length(text + at), mark = at + length + 1;
    bool is_set = length && mark < line.end && text[mark - 1] == '=' && text[mark] == '%';
    const char *file = is_set ? file_named(text + mark) : NULL;
    if (!file || memchr(text + mark, '&', line.end - mark) || g->n_aliases >= ALIASES_MAX) {
        return false;
    }
    g->aliases[g->n_aliases++] = (alias){{text + at, length}, file, true};
    return true;
}

/* "$f = $env:GITHUB_ENV", "path = os.environ['GITHUB_ENV']"; false: the line does more than that.
 */
static bool note_alias_line(gatherer *g, const char *text, wpa_span line)
{
    size_t at = line.start;
    while (at < line.end && strchr(" \t$", text[at])) {
        at++;
    }
    size_t length = wpa_text_name_length(text + at), behind = at + length;
    behind += strspn(text + behind, " \t");
    const char *mark = behind < line.end && text[behind] == '=' && text[behind + 1] != '='
                           ? wpa_text_find_ci(text + behind, line.end - behind, "GITHUB_")
                           : NULL;
    const char *file = mark && length ? file_named(mark) : NULL;
    if (!file || memmem(text + behind, line.end - behind, "open(", 5)) {
        return false;
    }
    add_alias(g, text + at, length, file);
    return true;
}

/* The file that stands at text[i] by its name, or by a variable of the script. */
static const char *file_at(const gatherer *g, const char *text, size_t i)
{
    if (text[i] == 'G' || text[i] == 'g') {
        return file_named(text + i);
    }
    bool is_start = i == 0 || !(isalnum((unsigned char)text[i - 1]) || text[i - 1] == '_');
    for (size_t k = 0; is_start && k < g->n_aliases; k++) {
        wpa_slice name = g->aliases[k].name;
        bool is_marked = !g->aliases[k].is_of_cmd || (i > 0 && strchr("%!", text[i - 1]));
        if (is_marked && strncmp(text + i, name.at, name.length) == 0 &&
            wpa_text_name_length(text + i + name.length) == 0) {
            return g->aliases[k].file;
        }
    }
    return NULL;
}

/* "with open(file) as f:" writes by the lines below it that are indented deeper. */
static size_t block_end(const char *text, size_t length, wpa_span line)
{
    size_t indent = strspn(text + line.start, " \t"), at = line.end;
    const char *open = memmem(text + line.start, wpa_span_length(line), "open(", 5);
    if (!open || strncmp(text + line.start + indent, "with", 4) != 0) {
        return line.end;
    }
    while (at < length) {
        size_t start = at + 1, blank = strspn(text + start, " \t");
        const char *newline = start < length ? memchr(text + start, '\n', length - start) : NULL;
        size_t end = newline ? (size_t)(newline - text) : length;
        if (start >= length || (blank <= indent && start + blank < end)) {
            return at;
        }
        at = end;
    }
    return length;
}

/* PowerShell: a here-string begins at the end of the line. */
static bool opens_here_string(const char *text, wpa_span line)
{
    size_t end = line.end;
    while (end > line.start && strchr(" \t\r", text[end - 1])) {
        end--;
    }
    return end >= line.start + 2 && text[end - 2] == '@' && strchr("\"'", text[end - 1]);
}

/* Any shell: a line that names the file and writes. PowerShell and cmd do not mind the case. */
static void gather_lines(gatherer *g, const char *text, size_t length)
{
    static const char *const writers[] = {">",          "Out-File", "Add-Content",  "Set-Content",
                                          "Tee-Object", "tee ",     ".write(",      "open(",
                                          "AppendAll",  "WriteAll", ".write_text(", "ac $env:",
                                          "ac -Path",   "sc $env:", "sc -Path"};
    size_t first = 0; /* of the lines that go on with a backtick, or are a here-string */
    size_t here = 0;  /* the last line that opens one */
    for (size_t start = 0; start < length;) {
        const char *newline = memchr(text + start, '\n', length - start);
        size_t end = newline ? (size_t)(newline - text) : length;
        wpa_span line = {start, end};
        bool is_done = note_alias_line(g, text, line) || note_alias_cmd(g, text, line);
        first =
            end > start + 1 && text[start + 1] == '@' && strchr("\"'", text[start]) ? here : first;
        here = opens_here_string(text, line) ? start : here;
        for (size_t i = start; i < end && !is_done; i++) {
            const char *file = file_at(g, text, i);
            for (size_t k = 0; file && k < WPA_COUNT(writers) && !is_done; k++) {
                is_done = wpa_text_find_ci(text + start, end - start, writers[k]) != NULL;
            }
            if (is_done) {
                add_export(g, text, file, (wpa_span){first, block_end(text, length, line)},
                           (wpa_span){i, end});
            }
        }
        start = end + 1;
        first = end > 0 && text[end - 1] == '`' ? first : start;
    }
}

static bool begins_with(const char *text, const char *end, const char *name)
{
    size_t length = strlen(name);
    return length <= (size_t)(end - text) && wpa_bytes_are_ci(text, name, length);
}

/** Does the text name one of the files, in whichever way? */
static bool names_file(const char *text, size_t length)
{
    static const char prefix[] = "github"; /* of all names and paths */
    const char *end = text + length, *at = text;
    while ((at = wpa_text_find_ci(at, (size_t)(end - at), prefix))) {
        for (size_t i = 0; i < WPA_COUNT(files); i++) {
            if (begins_with(at, end, files[i]) || begins_with(at, end, members[i])) {
                return true;
            }
        }
        at += sizeof prefix - 1;
    }
    return false;
}

/** Most scripts name none, as they stand and in the words that quotes are in. */
static bool may_export(const wpa_outline_step *step)
{
    bool may = step->run && names_file(step->run->text, step->run->length);
    for (size_t i = 0; i < step->n_unquoted && !may; i++) {
        may = names_file(step->unquoted[i].at, step->unquoted[i].length);
    }
    return may;
}

static gatherer gather(const wpa_outline_step *step, wpa_arena *arena)
{
    gatherer g = {.arena = arena,
                  .raw = step->run ? step->run->text : NULL,
                  .is_zsh = step->shell == WPA_SHELL_ZSH};
    const wpa_script *script = step->script;
    bool is_text = step->run && strlen(step->run->text) == step->run->length;
    if (script && script->is_readable) {
        for (size_t i = 0; i < script->n_commands; i++) {
            gather_command(&g, script, i);
        }
    } else if (is_text && wpa_text_find_ci(step->run->text, step->run->length, "GITHUB_")) {
        gather_lines(&g, step->run->text, step->run->length);
    }
    return g;
}

typedef struct exports {
    const wpa_export *items;
    size_t n;
} exports;

const wpa_export *wpa_exports_of(wpa_rule_run *run, const wpa_outline_step *step, size_t *n)
{
    bool is_new;
    exports *known = wpa_site_keep(run, 'x', step, NULL, sizeof *known, &is_new);
    if (is_new && may_export(step)) {
        gatherer g = gather(step, run->lasting);
        *known = (exports){g.items, g.n};
    }
    *n = known->n;
    return known->items;
}
