/* SEC-039: a model with rights reads what a stranger wrote. */
#include <pthread.h>
#include <string.h>

#include "rules/exports.h"
#include "rules/intake.h"
#include "rules/steps.h"

/* Programs that hand text to a model. */
typedef struct model {
    const char *name, *sub;
    const char *package; /* that is fetched to run it, if it is not called as the program is */
    bool reads_files;    /* works on the tree by itself, with tools */
} model;

static const model agents[] = {
    {"claude", NULL, "@anthropic-ai/claude-code", true},
    {"codex", NULL, "@openai/codex", true},
    {"gemini", NULL, "@google/gemini-cli", true},
    {"qwen", NULL, "@qwen-code/qwen-code", true},
    {"copilot", NULL, "@github/copilot", true},
    {"opencode", NULL, "opencode-ai", true},
    {"amp", NULL, "@sourcegraph/amp", true},
    {"aider", NULL, "aider-chat", true},
    {"goose", "run", NULL, true},
    {"cursor-agent", NULL, NULL, true},
    {"auggie", NULL, "@augmentcode/auggie", true},
    {"crush", "run", "@charmland/crush", true},
    {"droid", "exec", NULL, true},
    {"llm", NULL, NULL, false},
    {"ollama", "run", NULL, false},
    {"sgpt", NULL, "shell-gpt", false},
    {"mods", NULL, NULL, false},
    {"aichat", NULL, NULL, false},
    {"gh", "models", NULL, false},
    {"gh", "copilot", NULL, false},
};

/* Programs that fetch a package and run it, or run one that is installed. */
static const char *const runners[] = {"npx",  "bunx", "pnpx", "npm",  "pnpm",
                                      "yarn", "bun",  "uvx",  "pipx", "uv"};

/* Programs by which services are asked. */
static const char *const clients[] = {"curl", "wget", "http", "https"};

/* Where models are asked over HTTP. */
static const char *const hosts[] = {"api.openai.com",
                                    "api.anthropic.com",
                                    "generativelanguage.googleapis.com",
                                    "models.github.ai",
                                    "models.inference.ai.azure.com",
                                    "openrouter.ai",
                                    "api.mistral.ai",
                                    "api.groq.com",
                                    "api.deepseek.com",
                                    "api.together.xyz",
                                    "api.x.ai",
                                    "api.perplexity.ai",
                                    "api.cohere.com",
                                    "api-inference.huggingface.co"};

/* First arguments with which these programs look after themselves. */
static const char *const chores[] = {
    "mcp",       "login",      "logout",  "install", "uninstall", "update",      "upgrade",
    "config",    "plugin",     "auth",    "plugins", "keys",      "models",      "list",
    "extension", "extensions", "doctor",  "help",    "sessions",  "setup-token", "serve",
    "pull",      "templates",  "aliases", "version", "logs",      "completion"};

/* The word that is the package, with or without a version: "@openai/codex@0.4". */
static bool is_package(const char *word, const char *package)
{
    size_t length = package && *word == *package ? strlen(package) : 0;
    return length && strncmp(word, package, length) == 0 &&
           (!word[length] || word[length] == '@' || word[length] == '=');
}

/* Index of the word that names the agent, with what is asked of it behind; 0: none is started. */
static size_t find_word(const wpa_shell_command *c, const model *a, bool is_runner)
{
    if (wpa_text_is(c->name, a->name)) {
        return c->first;
    }
    size_t found = 0;
    for (size_t i = c->first + 1; is_runner && i < c->n_words && i < c->first + 8; i++) {
        const char *word = c->words[i].text;
        bool is_named = is_package(word, a->name) || is_package(word, a->package);
        if (is_named && !(found && i > found + 1)) {
            found = i; /* "--from aider-chat aider" */
        }
    }
    return found;
}

static bool does_chore(const wpa_shell_command *c, size_t from)
{
    for (size_t i = from; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (wpa_text_is(word, "--version") || wpa_text_is(word, "--help")) {
            return true;
        }
    }
    return from < c->n_words && wpa_text_index(c->words[from].text, chores, WPA_COUNT(chores)) >= 0;
}

/* Those that the file names: asked once, and hardly any is left to be compared with commands. */
typedef struct named_agents {
    const model *items[WPA_COUNT(agents)];
    size_t n;
    const model *called[WPA_COUNT(agents)]; /* of these: others are packages that runners fetch */
    size_t n_called;
    bool has_runners;
    bool has_service; /* a model's host, that programs are asked by */
} named_agents;

/* By what each file is asked for the names: made of them once. */
static struct {
    uint32_t agents[WPA_COUNT(agents)], runners[WPA_COUNT(runners)], clients[WPA_COUNT(clients)];
} grams;
static pthread_once_t grams_once = PTHREAD_ONCE_INIT;

static void make_grams(void)
{
    for (size_t i = 0; i < WPA_COUNT(agents); i++) {
        grams.agents[i] = wpa_yaml_gram_of_name(agents[i].name);
    }
    for (size_t i = 0; i < WPA_COUNT(runners); i++) {
        grams.runners[i] = wpa_yaml_gram_of_name(runners[i]);
    }
    for (size_t i = 0; i < WPA_COUNT(clients); i++) {
        grams.clients[i] = wpa_yaml_gram_of_name(clients[i]);
    }
}

static bool has_any(const wpa_yaml_doc *doc, const uint32_t names[], size_t n)
{
    bool has = false;
    for (size_t i = 0; i < n && !has; i++) {
        has = wpa_yaml_has_gram(doc, names[i]);
    }
    return has;
}

static named_agents agents_named(const wpa_yaml_doc *doc)
{
    (void)pthread_once(&grams_once, make_grams);
    named_agents named;
    named.n = named.n_called = 0;
    named.has_service = false;
    named.has_runners = has_any(doc, grams.runners, WPA_COUNT(runners));
    for (size_t i = 0; i < WPA_COUNT(agents); i++) {
        const model *a = &agents[i];
        bool is_package = named.has_runners && (wpa_yaml_may_hold(doc, a->name) ||
                                                (a->package && wpa_yaml_may_hold(doc, a->package)));
        bool is_called = wpa_yaml_has_gram(doc, grams.agents[i]);
        if (is_package || is_called) {
            named.items[named.n++] = a;
        }
        if (is_called) {
            named.called[named.n_called++] = a;
        }
    }
    bool has_clients = has_any(doc, grams.clients, WPA_COUNT(clients));
    for (size_t i = 0; has_clients && i < WPA_COUNT(hosts) && !named.has_service; i++) {
        named.has_service = wpa_yaml_may_hold(doc, hosts[i]);
    }
    return named;
}

/** By its first letter: one of the runners, as most programs are not? */
static bool may_be_runner(const wpa_shell_command *c)
{
    switch (*c->name) {
    case 'b':
    case 'n':
    case 'p':
    case 'u':
    case 'y':
        return true;
    default:
        return false;
    }
}

static const model *agent_of(const named_agents *named, const wpa_shell_command *c)
{
    bool may_run = named->n && named->has_runners && may_be_runner(c);
    bool is_runner = may_run && wpa_text_index(c->name, runners, WPA_COUNT(runners)) >= 0;
    const model *const *some = is_runner ? named->items : named->called;
    size_t n = is_runner ? named->n : named->n_called;
    for (size_t i = 0; i < n; i++) {
        const model *a = some[i];
        bool is_named = wpa_text_is(c->name, a->name);
        size_t at = is_named || is_runner ? find_word(c, a, is_runner) : 0;
        bool is_it = is_named || at;
        size_t behind = at + 1;
        if (is_it && a->sub) {
            is_it = behind < c->n_words && wpa_text_is(c->words[behind].text, a->sub);
            behind++;
        }
        if (is_it && !does_chore(c, behind)) {
            return a;
        }
    }
    return NULL;
}

/* A model that is asked over HTTP. */
static const model *service_of(const wpa_shell_command *c)
{
    static const model service = {"a model's service", NULL, NULL, false};
    bool is_client = wpa_text_index(c->name, clients, WPA_COUNT(clients)) >= 0;
    for (size_t i = c->first + 1; is_client && i < c->n_words; i++) {
        wpa_slice host = wpa_url_host(c->words[i].text);
        for (size_t k = 0; host.length && k < WPA_COUNT(hosts); k++) {
            if (wpa_slice_is_ci(host, hosts[k])) {
                return &service;
            }
        }
    }
    return NULL;
}

static void report(wpa_rule_run *run, const wpa_site *site, wpa_span span, const char *agent,
                   const wpa_taint *taint)
{
    bool is_privileged =
        wpa_trust_site_is_privileged(site) && taint->trust.trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
    wpa_finding *finding =
        wpa_rule_report(run, span, NULL, NULL, "%s reads %s, which whoever causes %s writes%s",
                        agent, wpa_rule_quote(run, taint->path, strlen(taint->path)),
                        taint->trust.event ? taint->trust.event : "its trigger",
                        is_privileged ? ", and it has a write token or secrets at hand" : "");
    if (!is_privileged || taint->grade == WPA_TAINT_OF_STRUCTURED) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
    wpa_taint_relate(run, finding, taint);
}

/* The files that it works on are a stranger's. */
static bool report_tree(wpa_rule_run *run, const wpa_site *site, wpa_span span, const char *agent)
{
    wpa_intake intake;
    if (!wpa_intake_before(run, site, &intake) || intake.is_refused) {
        return false;
    }
    bool is_privileged = wpa_trust_site_is_privileged(site);
    wpa_finding *finding =
        wpa_rule_report(run, span, NULL, NULL, "%s works on files that whoever causes %s chooses%s",
                        agent, intake.trust.event ? intake.trust.event : "its trigger",
                        is_privileged ? ", and it has a write token or secrets at hand" : "");
    if (!is_privileged) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
    wpa_rule_relate(run, finding, intake.span, "brings them in");
    return true;
}

/* Inputs by which an action gives up its own test of who asks. */
static bool report_open(wpa_rule_run *run, const wpa_site *site, const char *agent)
{
    static const char *const inputs[] = {"allowed_non_write_users", "allow-users"};
    for (size_t i = 0; i < WPA_COUNT(inputs); i++) {
        const wpa_yaml_node *value = wpa_outline_with(site->step, inputs[i]);
        if (!wpa_text_is(wpa_yaml_text(value), "*")) {
            continue;
        }
        wpa_trust trust = wpa_trust_of(run, site);
        if (trust.trust != WPA_TRUST_OUTSIDER_PRIVILEGED) {
            return false;
        }
        wpa_finding *finding = wpa_rule_report(
            run, value->span, NULL, NULL, "%s takes orders from whoever causes %s: '%s' is open",
            agent, trust.event ? trust.event : "its trigger", inputs[i]);
        if (!wpa_trust_site_is_privileged(site)) {
            finding->severity = WPA_SEVERITY_MEDIUM;
        }
        return true;
    }
    return false;
}

/* Does an input of the step tell the model of this variable: "read $ISSUE_TITLE"? */
static bool tells_of(const wpa_outline_step *step, const char *name)
{
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        const char *text = wpa_yaml_text(step->with->pairs[i].value);
        for (const char *at = text ? strstr(text, name) : NULL; at; at = strstr(at + 1, name)) {
            bool begins = at == text || !wpa_text_name_length(at - 1) || at[-1] == '$';
            if (begins && wpa_text_name_length(at) == strlen(name)) {
                return true;
            }
        }
    }
    return false;
}

/* A model that is told to look into a variable of its step. */
static bool report_variables(wpa_rule_run *run, const wpa_site *site, const char *agent)
{
    const wpa_yaml_node *env = wpa_yaml_get(site->step->node, "env");
    for (size_t i = 0; wpa_yaml_is(env, WPA_YAML_MAPPING) && i < env->n_pairs; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        const wpa_yaml_node *value = wpa_yaml_resolve(env->pairs[i].value);
        wpa_taint taint = wpa_taint_of_scalar(run, site, value, WPA_TAINT_TEXT);
        if (name && wpa_taint_is_of_outsider(&taint) && taint.grade != WPA_TAINT_OF_STRUCTURED &&
            tells_of(site->step, name)) {
            report(run, site, value->span, agent, &taint);
            return true;
        }
    }
    return false;
}

static void check_action(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_outline_step *step = site->step;
    if (!wpa_outline_uses_trait(step, WPA_TRAIT_AI_AGENT)) {
        return;
    }
    const char *agent = wpa_rule_quote(run, step->uses.slug.at, step->uses.slug.length);
    bool is_told = false;
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        const wpa_yaml_node *value = wpa_yaml_resolve(step->with->pairs[i].value);
        wpa_taint taint = wpa_taint_of_scalar(run, site, value, WPA_TAINT_TEXT);
        const char *file = wpa_yaml_text(value);
        if (file && strpbrk(file, "./") && !strpbrk(file, " \n$")) { /* prompt-file: ... */
            wpa_taint written = wpa_taint_of_file(run, site, file, SIZE_MAX);
            taint = wpa_taint_is_of_outsider(&written) ? written : taint;
        }
        if (wpa_taint_is_of_outsider(&taint) && taint.grade != WPA_TAINT_OF_STRUCTURED) {
            report(run, site, value->span, agent, &taint);
            is_told = true;
        }
    }
    is_told = is_told || report_variables(run, site, agent) || report_open(run, site, agent);
    if (!is_told) {
        (void)report_tree(run, site, step->uses.span, agent);
    }
}

/* What the command reads: its words, the pipe to it, here-documents, files that scripts wrote. */
static wpa_taint taint_of_command(wpa_rule_run *run, const wpa_site *site, size_t i)
{
    const wpa_script *script = site->step->script;
    const wpa_shell_command *c = &script->commands[i];
    wpa_span span = c->is_nested_script ? c->span : wpa_exports_text(script, i, NULL);
    wpa_taint worst = wpa_taint_of_script(run, site, span, WPA_TAINT_TEXT);
    for (size_t k = 0; k < c->n_redirects && !wpa_taint_is_of_outsider(&worst); k++) {
        if (wpa_text_is(c->redirects[k].operator, "<")) {
            const wpa_shell_word *file = &c->redirects[k].target;
            worst = wpa_taint_of_file(run, site, file->text, file->span.start);
        }
    }
    for (size_t k = c->first + 1; k < c->n_words && !wpa_taint_is_of_outsider(&worst); k++) {
        const char *word = c->words[k].text;
        const char *value = word[0] == '-' && strchr(word, '=') ? strchr(word, '=') + 1 : word;
        value += *value == '@' ? 1 : 0; /* curl -d @file */
        if (*value != '-') {
            worst = wpa_taint_of_file(run, site, value, c->words[k].span.start);
        }
    }
    return worst;
}

static void check_script(wpa_rule_run *run, const wpa_site *site, const named_agents *named)
{
    const wpa_script *script = named->n || named->has_service ? site->step->script : NULL;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        const model *a = c->n_words > c->first ? agent_of(named, c) : NULL;
        a = a || !c->n_words || !named->has_service ? a : service_of(c);
        if (!a) {
            continue;
        }
        wpa_span span = wpa_outline_script_span(site->step, c->span);
        wpa_taint taint = taint_of_command(run, site, i);
        const char *name = a->name[0] == 'a' && strchr(a->name, ' ')
                               ? a->name
                               : wpa_rule_quote(run, a->name, strlen(a->name));
        if (wpa_taint_is_of_outsider(&taint)) {
            report(run, site, span, name, &taint);
        } else if (a->reads_files) {
            (void)report_tree(run, site, span, name);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (!o->may_be_of_outsiders) {
        return true;
    }
    named_agents named = agents_named(run->source->yaml);
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_site site = {.source = run->source, .job = &o->jobs[i]};
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            site.step = &o->jobs[i].steps[k];
            if (site.step->uses.kind == WPA_OUTLINE_REPOSITORY) {
                check_action(run, &site);
            } else {
                check_script(run, &site, &named);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_prompt_injection = {
    .code = "SEC-039",
    .id = "prompt-injection",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A model is given a stranger's text or files while it holds rights",
    .why = "A model follows what it reads: an issue that tells it to print a secret or to push a "
           "change is an order.",
    .fix =
        "Let only members start it, or give it a token that reads and no secrets but its own, and "
        "act on its answer in another job. There is no fix by machine.",
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .check = check,
};
