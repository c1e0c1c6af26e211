/* SEC-048: the check of who answers is switched off. */
#include <string.h>

#include "rules/steps.h"

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
    {"git", "http.sslVerify", "false"},
    {"git", "http.sslverify", "false"},
    {"git", "http.sslVerify=false", NULL},
    {"git", "http.sslverify=false", NULL},
    {"git", "http.sslVerify=0", NULL},
    {NULL, "strict-ssl", "false"},
    {NULL, "strict-ssl=false", NULL},
    {NULL, "--strict-ssl=false", NULL},
    {NULL, "--no-strict-ssl", NULL},
    {NULL, "--trusted-host", NULL},
    {NULL, "--allow-insecure-host", NULL},
    {"conda", "ssl_verify", "false"},
    {"conda", "ssl_verify", "False"},
    {"composer", "disable-tls", "true"},
    {"composer", "secure-http", "false"},
    {NULL, "StrictHostKeyChecking=no", NULL},
    {NULL, "-oStrictHostKeyChecking=no", NULL},
    {NULL, "StrictHostKeyChecking=off", NULL},
    {NULL, "--insecure-skip-tls-verify", NULL},
    {NULL, "--insecure-skip-tls-verify=true", NULL},
    {NULL, "--insecure-skip-verify", NULL},
    {"podman", "--tls-verify=false", NULL},
    {"skopeo", "--tls-verify=false", NULL},
    {"skopeo", "--src-tls-verify=false", NULL},
    {"skopeo", "--dest-tls-verify=false", NULL},
    {"buildah", "--tls-verify=false", NULL},
    {"apt-get", "--allow-unauthenticated", NULL},
    {"apt", "--allow-unauthenticated", NULL},
    {"apt-get", "--force-yes", NULL},
    {"zypper", "--no-gpg-checks", NULL},
    {"dnf", "--nogpgcheck", NULL},
    {"yum", "--nogpgcheck", NULL},
    {NULL, "-SkipCertificateCheck", NULL},
    {NULL, "-Dmaven.wagon.http.ssl.insecure=true", NULL},
};

/* Variables that switch it off, in env or assigned in a script. */
static const struct {
    const char *name, *value; /* value NULL: any that is not empty */
} variables[] = {
    {"NODE_TLS_REJECT_UNAUTHORIZED", "0"},
    {"GIT_SSL_NO_VERIFY", "true"},
    {"GIT_SSL_NO_VERIFY", "1"},
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

static bool switches_off(const char *name, size_t length, const char *value)
{
    for (size_t i = 0; i < WPA_COUNT(variables); i++) {
        bool is_named =
            strlen(variables[i].name) == length && memcmp(variables[i].name, name, length) == 0;
        if (is_named && (variables[i].value ? wpa_text_is(value, variables[i].value) : *value)) {
            return true;
        }
    }
    return false;
}

/* Are all the URLs of the command of this machine, or of a service beside the job? */
static bool is_local(const wpa_shell_command *c, bool *has_url)
{
    *has_url = false;
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        wpa_slice host = wpa_url_host(c->words[i].text);
        if (!host.length) {
            continue;
        }
        *has_url = true;
        if (memchr(host.at, '$', host.length) || !wpa_url_is_local(host)) {
            return false;
        }
    }
    return *has_url;
}

/* ssh, and what passes its options on, to a machine nearby: user@10.0.0.1, localhost. */
static bool goes_nearby(const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *at = strchr(c->words[i].text, '@');
        const char *host = at ? at + 1 : c->words[i].text;
        size_t length = strcspn(host, ":/");
        wpa_slice slice = {host, length};
        bool is_host = at || wpa_slice_is(slice, "localhost") || wpa_slice_is(slice, "127.0.0.1");
        if (is_host && length && host[0] != '$' && wpa_url_is_local(slice)) {
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

static bool is_switch(const wpa_shell_command *c, size_t i)
{
    const char *word = c->words[i].text;
    const char *next = i + 1 < c->n_words ? c->words[i + 1].text : "";
    if (wpa_text_is(c->name, "curl") && has_k(word)) {
        return true;
    }
    for (size_t k = 0; k < WPA_COUNT(switches); k++) {
        const switch_off *s = &switches[k];
        if (*s->word == *word && s->word[1] == word[1] && wpa_text_is(s->word, word) &&
            (!s->program || wpa_text_is(s->program, c->name)) &&
            (!s->next || wpa_text_is(s->next, next))) {
            return true;
        }
    }
    const char *equals = strchr(word, '=');
    return (equals && switches_off(word, (size_t)(equals - word), equals + 1)) ||
           strstr(word, "-o StrictHostKeyChecking=no") != NULL;
}

/* Options, assignments and names of settings: most words are none of them. */
static bool may_switch(const char *word)
{
    static const char *const names[] = {"http.sslVerify", "http.sslverify", "strict-ssl",
                                        "ssl_verify",     "disable-tls",    "secure-http"};
    return *word == '-' || strchr(word, '=') || wpa_text_starts(word, "$env:") ||
           (strpbrk(word, "._-") && wpa_text_index(word, names, WPA_COUNT(names)) >= 0);
}

static bool is_assigned(const wpa_shell_command *c, size_t i)
{
    const char *word = c->words[i].text;
    const char *env = wpa_text_starts(word, "$env:") ? word + 5 : NULL;
    return env && i + 2 < c->n_words && wpa_text_is(c->words[i + 1].text, "=") &&
           switches_off(env, strlen(env), c->words[i + 2].text);
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    bool has_url = false, is_known = false; /* whom it asks, once there is a switch */
    for (size_t i = 0; i < c->n_words; i++) {
        const wpa_shell_word *word = &c->words[i];
        if (may_switch(word->text) && (is_switch(c, i) || is_assigned(c, i))) {
            if (!is_known && (is_local(c, &has_url) || goes_nearby(c) ||
                              wpa_text_is(c->name, "echo") || wpa_text_is(c->name, "printf"))) {
                return;
            }
            is_known = true;
            wpa_finding *finding = wpa_rule_report_script(
                run, step, word->span, NULL, NULL, "%s lets anybody answer in the server's place",
                wpa_rule_quote(run, word->text, strlen(word->text)));
            if (wpa_text_is(c->name, "curl") && !has_url) {
                finding->confidence = WPA_CONFIDENCE_MEDIUM; /* whom it asks is in a variable */
            }
        }
    }
}

static void check_env(wpa_rule_run *run, const wpa_outline_step *step,
                      const wpa_yaml_pair *variable)
{
    const char *name = wpa_yaml_text(variable->key), *value = wpa_yaml_text(variable->value);
    (void)step;
    if (value &&
        (switches_off(name, strlen(name), value) || strstr(value, "StrictHostKeyChecking=no"))) {
        (void)wpa_rule_report(run, wpa_yaml_resolve(variable->value)->span, NULL, NULL,
                              "%s at %s lets anybody answer in the server's place", name,
                              wpa_rule_quote(run, value, strlen(value)));
    }
}

/* Inputs of actions, by their names. */
static void check_inputs(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const struct {
        const char *name, *value;
    } inputs[] = {
        {"ssh-strict", "false"},     {"insecure", "true"},
        {"skip-tls-verify", "true"}, {"tls-verify", "false"},
        {"verify-ssl", "false"},     {"ssl-verify", "false"},
        {"tlsSkipVerify", "true"},   {"insecure-skip-tls-verify", "true"},
    };
    for (size_t i = 0; step->with && i < WPA_COUNT(inputs); i++) {
        const wpa_yaml_node *value = wpa_outline_with(step, inputs[i].name);
        if (value && wpa_text_is_ci(wpa_yaml_text(value), inputs[i].value)) {
            (void)wpa_rule_report(run, value->span, NULL, NULL,
                                  "'%s: %s' lets anybody answer in the server's place",
                                  inputs[i].name, inputs[i].value);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_command(run, check_command);
    wpa_rule_each_env(run, check_env);
    wpa_rule_each_step(run, check_inputs);
    return true;
}

const wpa_rule wpa_rule_tls_disabled = {
    .code = "SEC-048",
    .id = "tls-disabled",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "The check of a server's certificate or key is switched off",
    .why = "Whoever sits on the way reads what is sent, tokens too, and answers what they like.",
    .fix = "Leave the check on and give the job the certificate (--cacert) or the known host key. "
           "There is no fix by machine.",
    .words = (const char *const[]){"insecure",
                                   "check-certificate",
                                   "verify=no",
                                   "sslverify",
                                   "strict-ssl",
                                   "strict_ssl",
                                   "trusted-host",
                                   "trusted_host",
                                   "ssl_verify",
                                   "ssl-verify",
                                   "verify-ssl",
                                   "disable-tls",
                                   "disable_tls",
                                   "secure-http",
                                   "HostKeyChecking",
                                   "tls-verify",
                                   "tlsSkipVerify",
                                   "allow-unauthenticated",
                                   "force-yes",
                                   "no-gpg-checks",
                                   "nogpgcheck",
                                   "SkipCertificateCheck",
                                   "TLS_REJECT_UNAUTHORIZED",
                                   "SSL_NO_VERIFY",
                                   "PYTHONHTTPSVERIFY",
                                   "TLS_CA_STORE",
                                   "ssh-strict",
                                   NULL},
    .commands = (const char *const[]){"curl", NULL}, /* -k */
    .check = check,
};
