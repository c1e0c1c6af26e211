#include "rules/tls_off.h"

#include <ctype.h>
#include <string.h>

#include "match/words.h"

/* A word that switches the check off, of one program or, with NULL, of any. */
typedef struct switch_off {
    const char *program;
    const char *word;
    const char *next; /* the word behind it, or NULL */
} switch_off;

static const switch_off switches[] = {
    {"curl", "--insecure", NULL},
    {"curl", "--proxy-insecure", NULL},
    {"wget", "--no-check-certificate", NULL},
    {"aria2c", "--check-certificate=false", NULL},
    {"http", "--verify=no", NULL},
    {"https", "--verify=no", NULL},
    {"http", "--verify", "no"},
    {"https", "--verify", "no"},
    {NULL, "strict-ssl", "false"},
    {NULL, "strict-ssl=false", NULL},
    {NULL, "--strict-ssl=false", NULL},
    {NULL, "--no-strict-ssl", NULL},
    {NULL, "--strict-ssl", "false"},
    {"yarn", "enableStrictSsl", "false"},
    {NULL, "--trusted-host", NULL},
    {NULL, "--trusted-host=", NULL},
    {"pip", "global.trusted-host", NULL},
    {"pip", "install.trusted-host", NULL},
    {"pip3", "global.trusted-host", NULL},
    {"pip3", "install.trusted-host", NULL},
    {NULL, "--allow-insecure-host", NULL},
    {NULL, "--allow-insecure-host=", NULL},
    {"conda", "ssl_verify", "false"},
    {"conda", "ssl_verify", "False"},
    {"conda", "ssl_verify", "no"},
    {"bundle", "ssl_verify_mode", "0"},
    {"composer", "disable-tls", "true"},
    {"composer", "secure-http", "false"},
    {NULL, "--insecure-skip-tls-verify", NULL},
    {NULL, "--insecure-skip-tls-verify=true", NULL},
    {NULL, "--insecure-skip-verify", NULL},
    {NULL, "--tls-verify=false", NULL},
    {NULL, "--tls-verify", "false"},
    {"skopeo", "--src-tls-verify=false", NULL},
    {"skopeo", "--dest-tls-verify=false", NULL},
    {"argocd", "--insecure", NULL},
    {"crane", "--insecure", NULL},
    {"oras", "--insecure", NULL},
    {"mc", "--insecure", NULL},
    {"openstack", "--insecure", NULL},
    {"hg", "--insecure", NULL},
    {"svn", "--trust-server-cert", NULL},
    {"rclone", "--no-check-certificate", NULL},
    {"cf", "--skip-ssl-validation", NULL},
    {"vault", "-tls-skip-verify", NULL},
    {"aws", "--no-verify-ssl", NULL},
    {"gcloud", "auth/disable_ssl_validation", "true"},
    {"gcloud", "auth/disable_ssl_validation", "True"},
    {"apt-get", "--allow-unauthenticated", NULL},
    {"apt", "--allow-unauthenticated", NULL},
    {"apt-get", "--allow-insecure-repositories", NULL},
    {"apt", "--allow-insecure-repositories", NULL},
    {"apt-get", "--force-yes", NULL},
    {"zypper", "--no-gpg-checks", NULL},
    {"dnf", "--nogpgcheck", NULL},
    {"yum", "--nogpgcheck", NULL},
    {NULL, "-SkipCertificateCheck", NULL},
    {NULL, "-Dmaven.wagon.http.ssl.insecure=true", NULL},
    {NULL, "-Dmaven.wagon.http.ssl.allowall=true", NULL},
};

/* Settings by their name in any case, as options, configuration files and scripts hold them. */
typedef struct setting {
    const char *name;
    const char *values; /* "a|b" */
    const char *file;   /* part of the name of the file that it is written to */
} setting;

#define SSH 0
static const setting settings[] = {
    [SSH] = {"StrictHostKeyChecking", "no|off", "ssh"},
    {"sslVerify", "false|0|no|off", "gitconfig"},
    {"Verify-Peer", "false", "apt"},
    {"Verify-Host", "false", "apt"},
    {"Acquire::AllowInsecureRepositories", "true", "apt"},
    {"APT::Get::AllowUnauthenticated", "true", "apt"},
    {"strict-ssl", "false", "npmrc"},
    {"enableStrictSsl", "false", "yarnrc"},
    {"check_certificate", "off", "wgetrc"},
    {"trusted", "yes", "sources"},
    {"ssl:verify-certificate", "no|false|off", "lftp"},
};

#define SETTING_MIN_BYTES 7 /* "trusted" */

/* Variables that switch it off, in env or assigned in a script. */
static const struct {
    const char *name, *value; /* value NULL: any that is not empty */
} variables[] = {
    {"NODE_TLS_REJECT_UNAUTHORIZED", "0"},
    {"GIT_SSL_NO_VERIFY", NULL},
    {"ANSIBLE_HOST_KEY_CHECKING", "false"},
    {"ANSIBLE_HOST_KEY_CHECKING", "0"},
    {"VAULT_SKIP_VERIFY", "true"},
    {"VAULT_SKIP_VERIFY", "1"},
    {"GOVC_INSECURE", "true"},
    {"GOVC_INSECURE", "1"},
    {"PERL_LWP_SSL_VERIFY_HOSTNAME", "0"},
    {"PYTHONHTTPSVERIFY", "0"},
    {"NPM_CONFIG_STRICT_SSL", "false"},
    {"npm_config_strict_ssl", "false"},
    {"PIP_TRUSTED_HOST", NULL},
    {"GOINSECURE", NULL},
    {"BUNDLE_SSL_VERIFY_MODE", "0"},
    {"YARN_ENABLE_STRICT_SSL", "false"},
    {"CONDA_SSL_VERIFY", "false"},
    {"DENO_TLS_CA_STORE", "none"},
    {"UV_INSECURE_HOST", NULL},
    {"COMPOSER_DISABLE_TLS", "1"},
    {"HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "true"},
};

bool wpa_tls_off_variable(const char *name, size_t length, const char *value)
{
    for (size_t i = 0; i < WPA_COUNT(variables); i++) {
        const char *own = variables[i].name;
        bool is_named = *own == *name && strncmp(own, name, length) == 0 && !own[length];
        if (is_named && (variables[i].value ? wpa_text_is_ci(value, variables[i].value) : *value)) {
            return true;
        }
    }
    return false;
}

/* "a|b" holds the word that text begins with. */
static bool begins_with_one(const char *text, const char *end, const char *choices)
{
    size_t length = 0;
    while (text + length < end && (isalnum((unsigned char)text[length]) || text[length] == '-')) {
        length++;
    }
    for (const char *at = choices; *at;) {
        size_t n = strcspn(at, "|");
        if (n == length && strncasecmp(at, text, n) == 0) {
            return true;
        }
        at += n + (at[n] == '|');
    }
    return false;
}

/* "name=value", "name value", "name: value", 'name "value"'; *found is where the name begins. */
static bool is_set(const setting *s, const char *text, size_t length, wpa_span *found)
{
    const char *end = text + length;
    for (const char *at = text; (at = wpa_text_find_ci(at, (size_t)(end - at), s->name)); at++) {
        const char *value = at + strlen(s->name);
        const char *behind = value;
        while (value < end && strchr(" \t=:\"'", *value)) {
            value++;
        }
        bool is_option = at - text == 2 && text[0] == '-' && text[1] == 'o';
        bool is_whole =
            at == text || is_option || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (is_whole && value > behind && begins_with_one(value, end, s->values)) {
            const char *last = value;
            while (last < end && isalnum((unsigned char)*last)) {
                last++;
            }
            *found = (wpa_span){(size_t)(at - text), (size_t)(last - text)};
            return true;
        }
    }
    return false;
}

/* -k among the short options that curl takes in one word; what follows one with a value is not. */
static bool has_k(const char *word)
{
    if (word[0] != '-' || word[1] == '-') {
        return false;
    }
    for (const char *at = word + 1; *at; at++) {
        if (*at == 'k') {
            return true;
        }
        if (strchr("oHdXuAebcFTmwxCEKDrQUyYzPt", *at)) {
            return false;
        }
    }
    return false;
}

static bool names_setting(const char *word, size_t length)
{
    const char *names[WPA_COUNT(settings)];
    for (size_t i = 0; i < WPA_COUNT(settings); i++) {
        names[i] = settings[i].name;
    }
    return length >= SETTING_MIN_BYTES &&
           wpa_words_find_ci(word, length, names, WPA_COUNT(names), NULL);
}

/* In one word, or in two: "http.sslVerify false". Returns how many; 0: it is none. */
static size_t setting_words(const char *word, const char *next)
{
    wpa_span found;
    size_t length = strlen(word);
    bool is_named = names_setting(word, length);
    for (size_t i = 0; is_named && i < WPA_COUNT(settings); i++) {
        const setting *s = &settings[i];
        size_t n = strlen(s->name);
        if (length < n) {
            continue; /* there is no room for it */
        }
        bool is_end = strcasecmp(word + length - n, s->name) == 0;
        if (is_end ? begins_with_one(next, next + strlen(next), s->values)
                   : is_set(s, word, length, &found)) {
            return is_end ? 2 : 1;
        }
    }
    return 0;
}

/* Does the option or setting name the host that is let be in the next word? */
static bool takes_host(const switch_off *s)
{
    size_t length = strlen(s->word);
    return !s->next && s->word[length - 1] != '=' &&
           (wpa_text_ends(s->word, "trusted-host") || wpa_text_ends(s->word, "insecure-host"));
}

/* The row of the table that these words are, or NULL. */
static const switch_off *find_switch(const wpa_shell_command *c, const char *word, const char *next)
{
    for (size_t k = 0; k < WPA_COUNT(switches); k++) {
        const switch_off *s = &switches[k];
        /* Before its length is asked for; all rows have three bytes or more. */
        if (*s->word != *word || s->word[1] != word[1] || s->word[2] != word[2]) {
            continue;
        }
        size_t length = strlen(s->word);
        bool is_prefix = s->word[length - 1] == '=' && strncmp(s->word, word, length) == 0;
        if ((is_prefix || wpa_text_is(s->word, word)) &&
            (!s->program || wpa_text_is(s->program, c->name)) &&
            (!s->next || wpa_text_is(s->next, next))) {
            return s;
        }
    }
    return NULL;
}

/* Options, assignments and names of settings: most words are none of them. */
static bool may_switch(const char *word)
{
    static const char *const parts[] = {"ssl", "trusted-host", "disable-tls", "secure-http",
                                        "hostkeychecking"};
    if (*word == '-' || strchr(word, '=')) {
        return true;
    }
    size_t length = strlen(word);
    return length > 8 && wpa_words_find_ci(word, length, parts, WPA_COUNT(parts), NULL);
}

size_t wpa_tls_off_words(const wpa_shell_command *c, size_t i)
{
    const char *word = c->words[i].text;
    const char *next = i + 1 < c->n_words ? c->words[i + 1].text : "";
    if (!may_switch(word)) {
        return 0;
    }
    if (wpa_text_is(c->name, "curl") && has_k(word)) {
        return 1;
    }
    const switch_off *s = find_switch(c, word, next);
    if (s) {
        return s->next || (*next && takes_host(s)) ? 2 : 1;
    }
    const char *equals = strchr(word, '=');
    bool is_variable = equals && wpa_tls_off_variable(word, (size_t)(equals - word), equals + 1);
    return is_variable ? 1 : setting_words(word, next);
}

bool wpa_tls_off_in_file(const char *file, const char *text, size_t length, wpa_span *found)
{
    for (size_t i = 0; i < WPA_COUNT(settings); i++) {
        if (wpa_text_find_ci(file, strlen(file), settings[i].file) &&
            is_set(&settings[i], text, length, found)) {
            return true;
        }
    }
    for (size_t i = 0; strstr(file, "GITHUB_ENV") && i < WPA_COUNT(variables); i++) {
        const char *values = variables[i].value ? variables[i].value : "true|1";
        if (is_set(&(setting){variables[i].name, values, NULL}, text, length, found)) {
            return true;
        }
    }
    return false;
}

bool wpa_tls_off_ssh(const char *value)
{
    wpa_span found;
    return is_set(&settings[SSH], value, strlen(value), &found);
}
