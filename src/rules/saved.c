/* What is downloaded to a file, and what runs that file. */
#include "rules/saved.h"

#include <string.h>

static const char *const interpreters[] = {
    "sh",     "bash",       "zsh",       "dash", "ksh",  "ash",  "fish",
    "python", "python3",    "python2",   "node", "perl", "ruby", "php",
    "pwsh",   "powershell", "osascript", "deno", "bun",  "lua",  "Rscript"};

bool wpa_is_interpreter(const char *name)
{
    return wpa_text_index(name, interpreters, WPA_COUNT(interpreters)) >= 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "-qO-", "-sSLofile": the file in the word of the option itself; NULL if none is there. */
static const char *attached_file(const char *word, char option)
{
    size_t flags = word[0] == '-' ? 1 + strspn(word + 1, "fsSLgkivqncNJ#") : 0;
    return flags && word[flags] == option && word[flags + 1] ? word + flags + 1 : NULL;
}

const char *wpa_saved_as(const wpa_script *script, size_t fetch, const char *url, wpa_arena *arena)
{
    const wpa_shell_command *c = &script->commands[fetch];
    bool is_wget = wpa_text_is(c->name, "wget");
    bool keeps_name = is_wget || wpa_text_is(c->name, "aria2c");
    bool has_next = c + 1 < script->commands + script->n_commands;
    if (has_next && wpa_text_is(c->after, "|") && wpa_text_is(c[1].name, "tee")) {
        const wpa_shell_word *file = wpa_shell_argument(c + 1, 0);
        return file ? file->text : NULL;
    }
    for (size_t i = 0; i < c->n_redirects; i++) {
        if (wpa_text_is(c->redirects[i].operator, ">")) {
            return c->redirects[i].target.text;
        }
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        size_t length = strlen(word);
        bool is_short = word[0] == '-' && word[1] != '-' && length > 1;
        char last = is_short ? word[length - 1] : '\0';
        bool takes_file = last == (is_wget ? 'O' : 'o') || wpa_text_is(word, "--output") ||
                          wpa_text_is(word, "--output-document") ||
                          wpa_text_is_ci(word, "-OutFile");
        if (takes_file && i + 1 < c->n_words) {
            return c->words[i + 1].text;
        }
        const char *attached = attached_file(word, is_wget ? 'O' : 'o');
        if (attached) {
            return attached;
        }
        if (wpa_text_starts(word, "--output=") || wpa_text_starts(word, "--output-document=")) {
            return strchr(word, '=') + 1;
        }
        keeps_name =
            keeps_name || (is_short && strchr(word, 'O')) || wpa_text_is(word, "--remote-name");
    }
    if (!keeps_name || !url) {
        return NULL;
    }
    const char *name = base_name(url);
    return wpa_arena_slice(arena, name, strcspn(name, "?#\"'"));
}

static bool is_same_file(const char *a, const char *b)
{
    a += wpa_text_starts(a, "./") || wpa_text_starts(a, ".\\") ? 2 : 0;
    b += wpa_text_starts(b, "./") || wpa_text_starts(b, ".\\") ? 2 : 0;
    return *a && wpa_text_is(a, b);
}

/* "/i $env:TEMP\\x.msi /qn" may be one word, of the arguments of Start-Process. */
static bool names_file(const char *word, const char *file)
{
    size_t length = strlen(file);
    for (const char *at = strstr(word, file); at && length; at = strstr(at + 1, file)) {
        bool begins = at == word || strchr(" \"'\\/", at[-1]);
        if (begins && strchr(" \"',", at[length])) {
            return true;
        }
    }
    return false;
}

/* Does the command call the installer of Windows, by itself or by what starts programs? */
static bool is_installer(const wpa_shell_command *c, size_t i)
{
    return wpa_text_is_ci(c->words[i].text, "msiexec") ||
           wpa_text_is_ci(c->words[i].text, "msiexec.exe");
}

static bool installs(const wpa_shell_command *c, const char *file)
{
    bool starts = wpa_text_is_ci(c->name, "Start-Process") || wpa_text_is_ci(c->name, "start");
    bool has_installer = false;
    for (size_t i = c->first; i < c->n_words && (starts || i == c->first || has_installer); i++) {
        if (has_installer && names_file(c->words[i].text, file)) {
            return true;
        }
        has_installer = has_installer || is_installer(c, i);
    }
    return false;
}

bool wpa_runs_file(const wpa_shell_command *c, const char *file)
{
    if (c->first >= c->n_words) {
        return false;
    }
    if (installs(c, file)) {
        return true;
    }
    const char *program = c->words[c->first].text;
    if (strchr(program, '/') || wpa_text_ends(program, ".ps1") || wpa_text_ends(program, ".exe")) {
        return is_same_file(program, file);
    }
    bool takes_script = wpa_is_interpreter(c->name) || wpa_text_is(c->name, "source") ||
                        wpa_text_is(c->name, ".") || wpa_text_is_ci(c->name, "Start-Process") ||
                        wpa_text_is_ci(c->name, "start");
    for (size_t i = c->first + 1; takes_script && i < c->n_words; i++) {
        const char *word = c->words[i].text;
        bool is_option = word[0] == '-' || (wpa_text_is_ci(c->name, "start") && word[0] == '/');
        if (!is_option) {
            return is_same_file(word, file);
        }
    }
    return false;
}

bool wpa_makes_program(const wpa_shell_command *c, const char *file)
{
    const wpa_shell_word *mode = wpa_text_is(c->name, "chmod") ? wpa_shell_argument(c, 0) : NULL;
    bool is_program = mode && (strchr(mode->text, 'x') || strpbrk(mode->text, "157"));
    for (size_t i = c->first + 1; is_program && i < c->n_words; i++) {
        if (is_same_file(c->words[i].text, file)) {
            return true;
        }
    }
    return false;
}
