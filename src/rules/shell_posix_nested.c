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

const wpa_shell_word *wpa_posix_nested_script(const wpa_shell_command *c)
{
    if (!has_short_c(c) && !wpa_text_is(c->name, "ssh")) {
        return NULL; /* nearly always */
    }
    size_t at = c->first;
    bool is_carrier = wpa_text_index(c->name, carriers, WPA_COUNT(carriers)) >= 0;
    bool starts = wpa_text_index(c->name, starters, WPA_COUNT(starters)) >= 0;
    while (is_carrier && at < c->n_words && !wpa_posix_is_shell(c->words[at].text)) {
        at++;
    }
    at = starts && at >= c->n_words ? c->first : at;
    if (at >= c->n_words && wpa_text_is(c->name, "ssh")) {
        return find_remote_script(c);
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
