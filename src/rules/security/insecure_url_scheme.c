/* SEC-049: code or packages fetched by http:// or git://, which anybody on the way may change. */
#include <string.h>
#include <strings.h>

#include "facts/commands.h"
#include "rules/shell_roles.h"
#include "rules/steps.h"

static const char *const schemes[] = {"http://", "git://"};

/* The first insecure URL in text that is not of this machine; its length. NULL if there is none. */
static const char *find_url(const char *text, size_t *length)
{
    bool may_be = text && strchr(text, ':'); /* most are words of a command */
    for (size_t i = 0; may_be && i < WPA_COUNT(schemes); i++) {
        const char *at = wpa_text_seek_ci(text, schemes[i]);
        if (!at || (at > text && at[-1] == '+' && strncasecmp(at, "git://", 6) == 0)) {
            continue;
        }
        wpa_slice host = wpa_url_host(at);
        bool is_known = host.length && !memchr(host.at, '$', host.length) &&
                        !memchr(host.at, '_', host.length) && !memchr(host.at, '{', host.length) &&
                        !memchr(host.at, '%', host.length);
        if (is_known && !wpa_url_is_local(host)) {
            *length = strcspn(at, " \t\r\n\"'`<>)|;,");
            return at;
        }
    }
    return NULL;
}

static wpa_finding *report(wpa_rule_run *run, const wpa_outline_step *step,
                           const wpa_yaml_node *node, size_t offset, size_t length,
                           const char *what)
{
    const char *url = node->text + offset;
    return wpa_rule_report(run, wpa_step_span(step, node, offset, offset + length), NULL, NULL,
                           "%s comes from %s without encryption: it may be changed on the way",
                           what, wpa_rule_quote(run, url, length));
}

static void check_value(wpa_rule_run *run, const wpa_yaml_node *node, const char *what)
{
    size_t length;
    const char *text = wpa_yaml_text(node);
    const char *url = find_url(text, &length);
    if (url) {
        (void)report(run, NULL, wpa_yaml_resolve(node), (size_t)(url - text), length, what);
    }
}

/* ---- pre-commit, dependabot --------------------------------------------------------------------
 */

static void check_pre_commit(wpa_rule_run *run, const wpa_yaml_node *root)
{
    const wpa_yaml_node *repos = wpa_yaml_get(root, "repos");
    for (size_t i = 0; wpa_yaml_is(repos, WPA_YAML_SEQUENCE) && i < repos->n_items; i++) {
        const wpa_yaml_node *repo = wpa_yaml_resolve(repos->items[i]);
        if (wpa_yaml_is(repo, WPA_YAML_MAPPING)) {
            check_value(run, wpa_yaml_get(repo, "repo"), "the hooks' code");
        }
    }
}

static void check_dependabot(wpa_rule_run *run, const wpa_yaml_node *root)
{
    const wpa_yaml_node *registries = wpa_yaml_get(root, "registries");
    for (size_t i = 0; wpa_yaml_is(registries, WPA_YAML_MAPPING) && i < registries->n_pairs; i++) {
        const wpa_yaml_node *registry = wpa_yaml_resolve(registries->pairs[i].value);
        if (wpa_yaml_is(registry, WPA_YAML_MAPPING)) {
            check_value(run, wpa_yaml_get(registry, "url"), "what the registry offers");
        }
    }
}

/* ---- workflows and actions ---------------------------------------------------------------------
 */

static void check_env(wpa_rule_run *run, const wpa_outline_step *step,
                      const wpa_yaml_pair *variable)
{
    static const char *const names[] = {"PIP_INDEX_URL",
                                        "PIP_EXTRA_INDEX_URL",
                                        "UV_INDEX_URL",
                                        "UV_EXTRA_INDEX_URL",
                                        "UV_DEFAULT_INDEX",
                                        "UV_INDEX",
                                        "GOPROXY",
                                        "NPM_CONFIG_REGISTRY",
                                        "npm_config_registry",
                                        "YARN_NPM_REGISTRY_SERVER",
                                        "TWINE_REPOSITORY_URL",
                                        "BUNDLE_MIRROR",
                                        "CARGO_REGISTRY_INDEX",
                                        "HOMEBREW_BOTTLE_DOMAIN"};
    (void)step;
    if (wpa_text_index(wpa_yaml_text(variable->key), names, WPA_COUNT(names)) >= 0) {
        check_value(run, variable->value, "what packages are installed");
    }
}

static void check_inputs(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const names[] = {"registry-url",   "registry", "index-url",
                                        "repository-url", "repo-url", "repository",
                                        "download-url",   "url"};
    for (size_t i = 0; step->with && i < WPA_COUNT(names); i++) {
        bool is_about = i + 1 == WPA_COUNT(names); /* an "url" may be there to be tested */
        const wpa_yaml_node *value = is_about ? NULL : wpa_outline_with(step, names[i]);
        if (value) {
            check_value(run, value, "what the action fetches");
        }
    }
}

/* Does a fetched text go on to something that runs it? */
static bool is_executed(const wpa_script *script, size_t i)
{
    static const char *const runners[] = {"sh",   "bash", "zsh",  "python", "python3",
                                          "node", "perl", "ruby", "iex",    "Invoke-Expression",
                                          "eval"};
    for (size_t k = i + 1; k < script->n_commands && k < i + 300; k++) {
        const wpa_shell_command *c = &script->commands[k];
        bool is_piped = wpa_text_is(c->before, "|");
        bool is_around = script->commands[i].nested > c->nested &&
                         wpa_span_contains(c->span, script->commands[i].span);
        if ((is_piped || is_around) && wpa_text_index(c->name, runners, WPA_COUNT(runners)) >= 0) {
            return true;
        }
        if (!is_piped && c->nested <= script->commands[i].nested) {
            return false;
        }
    }
    return false;
}

typedef enum use_of_url {
    USE_NONE,
    USE_CODE,     /* a clone, an index of packages */
    USE_EXECUTED, /* a download that runs */
    USE_DOWNLOAD
} use_of_url;

static use_of_url use_of(const wpa_script *script, size_t i)
{
    static const char *const code[] = {"clone",     "fetch",     "pull",   "remote",
                                       "submodule", "ls-remote", "subtree"};
    static const char *const indexes[] = {"pip",
                                          "pip3",
                                          "uv",
                                          "poetry",
                                          "pdm",
                                          "npm",
                                          "yarn",
                                          "pnpm",
                                          "bun",
                                          "gem",
                                          "bundle",
                                          "cargo",
                                          "go",
                                          "helm",
                                          "nuget",
                                          "dotnet",
                                          "composer",
                                          "conda",
                                          "mamba",
                                          "brew",
                                          "choco",
                                          "luarocks",
                                          "mvn",
                                          "Install-Module",
                                          "Register-PSRepository",
                                          "apt-key",
                                          "rpm",
                                          "cpanm"};
    const wpa_shell_command *c = &script->commands[i];
    const wpa_shell_word *first = wpa_shell_argument(c, 0);
    if (wpa_text_is(c->name, "git")) {
        for (size_t k = 0; k < WPA_COUNT(code); k++) {
            if (wpa_shell_word_find(c, code[k])) {
                return USE_CODE;
            }
        }
        return USE_NONE;
    }
    if (wpa_text_index(c->name, indexes, WPA_COUNT(indexes)) >= 0 ||
        (first && (wpa_shell_roles(c) & WPA_DOES_INSTALL))) {
        return USE_CODE;
    }
    bool is_fetch = wpa_shell_roles(c) & WPA_DOES_FETCH;
    return !is_fetch ? USE_NONE : is_executed(script, i) ? USE_EXECUTED : USE_DOWNLOAD;
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step, size_t i)
{
    static const char *const whats[] = {"", "code", "what runs here", "the download"};
    const wpa_shell_command *c = &step->lexed->commands[i];
    for (size_t k = c->first + 1; k < c->n_words; k++) {
        size_t length;
        const char *url = find_url(c->words[k].text, &length);
        use_of_url use = url ? use_of(step->lexed, i) : USE_NONE;
        bool is_seen_twice = use == USE_DOWNLOAD && c->is_nested_script && c->nested;
        if (use == USE_NONE || is_seen_twice) { /* "$(curl ...)" as the text of sh -c */
            continue;
        }
        const char *in_script = memmem(step->run->text + c->words[k].span.start,
                                       wpa_span_length(c->words[k].span), url, length);
        if (!in_script) {
            continue; /* escapes stand in it */
        }
        wpa_finding *finding =
            report(run, step, step->run, (size_t)(in_script - step->run->text), length, whats[use]);
        if (use == USE_DOWNLOAD) {
            finding->severity = WPA_SEVERITY_LOW;
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
            finding->persona = WPA_PERSONA_AUDITOR;
        }
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    for (size_t i = 0; step->lexed && i < step->lexed->n_commands; i++) {
        check_command(run, step, i);
    }
    check_inputs(run, step);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *root = wpa_yaml_resolve(run->source->yaml->root);
    if (!wpa_yaml_is(root, WPA_YAML_MAPPING)) {
        return true;
    }
    if (run->source->kind == WPA_INPUT_PRE_COMMIT) {
        check_pre_commit(run, root);
    } else if (run->source->kind == WPA_INPUT_DEPENDABOT) {
        check_dependabot(run, root);
    } else {
        wpa_rule_each_env(run, check_env);
        wpa_rule_each_step(run, check_step);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const char *source = run->source->yaml->source + finding->span.bytes.start;
    size_t scheme = strcspn(source, ":");
    if (scheme >= wpa_span_length(finding->span.bytes)) {
        return;
    }
    const wpa_fact_host *host = wpa_facts_host_find(wpa_url_host(source));
    bool is_safe = host && host->has_https;
    wpa_fix *fix =
        wpa_rule_fix(run, finding, is_safe ? WPA_FIX_SAFE : WPA_FIX_UNSAFE, "fetch it by https://");
    wpa_span span = {finding->span.bytes.start, finding->span.bytes.start + scheme};
    wpa_rule_edit(run, fix, span, "https");
}

const wpa_rule wpa_rule_insecure_url_scheme = {
    .code = "SEC-049",
    .id = "insecure-url-scheme",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUTS_ALL,
    .summary = "Code or packages are fetched by http:// or git://",
    .why = "Neither says who answers: whoever sits on the way puts code of their own into the job.",
    .fix = "Write https://, if the host serves it.",
    .elsewhere = (const char *const[]){"zizmor/insecure-url-scheme", NULL},
    .tables = 1U << WPA_FACTS_COMMANDS,
    .declares = WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .words = (const char *const[]){"http://", "git://", NULL},
    .check = check,
    .repair = repair,
};
