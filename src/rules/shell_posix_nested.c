/* Which words of commands are scripts of bash and sh themselves. */
#include "rules/shell_posix.h"

/* Programs that hand a command line of theirs to a shell elsewhere: "docker run x sh -c '...'". */
static const char *const carriers[] = {
    "docker", "podman",    "nerdctl", "kubectl", "ssh", "su",     "docker-compose",
    "nix",    "nix-shell", "wsl",     "chroot",  "lxc", "script", "runuser"};

bool wpa_posix_is_shell(const char *word)
{
    static const char *const shells[] = {"bash", "sh", "dash", "zsh", "ksh", "ash"};
    const char *slash = strrchr(word, '/');
    return wpa_text_index(slash ? slash + 1 : word, shells, WPA_COUNT(shells)) >= 0;
}

/* Programs that take a script behind -c as a shell does. */
static const char *const starters[] = {"fish", "su", "runuser", "script"};

/* Words of a remote command that are put together. */
#define REMOTE_WORDS_MAX 64

/* "ssh host a \| b": words that are one script over there, since an operator is among them. */
static const wpa_shell_word *join_remote_words(const wpa_shell_command *c, size_t i,
                                               wpa_arena *arena)
{
    bool has_operator = false;
    const char *text = c->words[i].text;
    for (size_t w = i + 1; w < c->n_words; w++) {
        const char *word = c->words[w].text;
        has_operator = has_operator || word[strspn(word, "|&;")] != word[0];
    }
    for (size_t w = i + 1; has_operator && w < c->n_words; w++) {
        text = wpa_arena_printf(arena, "%s %s", text, c->words[w].text);
    }
    wpa_shell_word *joined = has_operator ? wpa_arena_alloc(arena, sizeof *joined) : NULL;
    if (joined) {
        *joined = c->words[i];
        joined->text = text;
        joined->span.end = c->words[c->n_words - 1].span.end;
        joined->is_literal = false;
    }
    return joined;
}

/* "ssh host 'a | b'": the one word behind the host is a script; several are arguments first. */
static const wpa_shell_word *find_remote_script(const wpa_shell_command *c, bool names_shell,
                                                wpa_arena *arena)
{
    size_t i = c->first + 1;
    for (; i < c->n_words && c->words[i].text[0] == '-'; i++) {
        const char *word = c->words[i].text;
        i += word[1] && !word[2] && strchr("BbcDEeFIiJLlmOopQRSWw", word[1]) ? 1 : 0;
    }
    return i + 2 < c->n_words && c->n_words < i + REMOTE_WORDS_MAX
               ? join_remote_words(c, i + 1, arena)
           : i + 2 == c->n_words && !names_shell ? &c->words[i + 1]
                                                 : NULL;
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

const wpa_shell_word *wpa_posix_nested_script(const wpa_shell_command *c, wpa_arena *arena)
{
    bool is_ssh = wpa_text_is(c->name, "ssh");
    if (!has_short_c(c) && !is_ssh) {
        return NULL; /* nearly always */
    }
    size_t at = c->first;
    bool is_carrier = wpa_text_index(c->name, carriers, WPA_COUNT(carriers)) >= 0;
    bool starts = wpa_text_index(c->name, starters, WPA_COUNT(starters)) >= 0;
    while (is_carrier && at < c->n_words && !wpa_posix_is_shell(c->words[at].text)) {
        at++;
    }
    at = starts && at >= c->n_words ? c->first : at;
    const wpa_shell_word *remote = is_ssh ? find_remote_script(c, at < c->n_words, arena) : NULL;
    if (remote || (is_ssh && at >= c->n_words)) {
        return remote;
    }
    if (at >= c->n_words || !(is_carrier || starts || wpa_posix_is_shell(c->name))) {
        return NULL;
    }
    for (size_t i = at + 1; i + 1 < c->n_words; i++) {
        if (is_short_c(c->words[i].text)) {
            return &c->words[i + 1];
        }
    }
    return NULL;
}
