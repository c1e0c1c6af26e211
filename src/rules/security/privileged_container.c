/* SEC-046: a container that is no wall between the job and its runner. */
#include <string.h>
#include <strings.h>

#include "rules/outline.h"
#include "rules/rule.h"

/* An option of docker and what it opens; value NULL: whatever it is. */
static const struct {
    const char *option, *value, *what;
} openings[] = {
    {"--privileged", NULL, "has every right of the host"},
    {"--cap-add", NULL, "is given rights of the host"},
    {"--pid", "host", "sees the processes of the host"},
    {"--network", "host", "shares the network of the host"},
    {"--net", "host", "shares the network of the host"},
    {"--ipc", "host", "shares the memory segments of the host, where --shm-size gives it its own"},
    {"--userns", "host", "shares the users of the host"},
    {"--device", NULL, "is given a device of the host"},
    {"--security-opt", "seccomp=unconfined", "is not kept from any system call"},
    {"--security-opt", "apparmor=unconfined", "is not confined"},
};

/* Rights by which the container can be left; others of --cap-add open no wall. */
static bool is_grave_right(wpa_slice value)
{
    static const char *const rights[] = {"ALL",        "SYS_ADMIN", "SYS_PTRACE",
                                         "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH",
                                         "BPF",        "SYS_BOOT",  "SYSLOG"};
    bool has_prefix = value.length > 4 && strncasecmp(value.at, "CAP_", 4) == 0;
    wpa_slice name = {value.at + 4 * has_prefix, value.length - 4 * has_prefix};
    for (size_t i = 0; i < WPA_COUNT(rights); i++) {
        if (wpa_slice_is_ci(name, rights[i])) {
            return true;
        }
    }
    return false;
}

/* Does a volume give the container the host's root, or the socket that rules all containers? */
static bool opens_host(wpa_slice volume)
{
    return memmem(volume.at, volume.length, "docker.sock", strlen("docker.sock")) ||
           (volume.length > 1 && volume.at[0] == '/' && volume.at[1] == ':');
}

static const char *what_opens(wpa_slice word, wpa_slice next, bool *is_slight)
{
    const char *equals = memchr(word.at, '=', word.length);
    wpa_slice name = {word.at, equals ? (size_t)(equals - word.at) : word.length};
    wpa_slice value = equals ? (wpa_slice){equals + 1, word.length - name.length - 1} : next;
    for (size_t i = 0; i < WPA_COUNT(openings); i++) {
        if (wpa_slice_is(name, openings[i].option) &&
            (!openings[i].value || wpa_slice_is(value, openings[i].value)) &&
            !(equals && wpa_slice_is(value, "false"))) {
            *is_slight = (wpa_slice_is(name, "--cap-add") && !is_grave_right(value)) ||
                         wpa_slice_is(name, "--ipc");
            return openings[i].what;
        }
    }
    bool is_volume =
        wpa_slice_is(name, "-v") || wpa_slice_is(name, "--volume") || wpa_slice_is(name, "--mount");
    return is_volume && opens_host(value) ? "holds the keys of the host" : NULL;
}

static wpa_slice next_word(const char **at)
{
    *at += strspn(*at, " \t\r\n");
    wpa_slice word = {*at, strcspn(*at, " \t\r\n")};
    *at += word.length;
    return word;
}

static void report(wpa_rule_run *run, const wpa_outline_job *job, wpa_span span, const char *what,
                   bool is_slight)
{
    const wpa_outline *o = run->source->outline;
    bool is_open = o->trust == WPA_TRUST_OUTSIDER || o->trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
    wpa_finding *finding = wpa_rule_report(run, span, NULL, NULL, "the container of job %s %s%s",
                                           wpa_rule_quote(run, job->id, strlen(job->id)), what,
                                           is_slight ? "" : ": it is no wall");
    finding->severity = is_slight ? WPA_SEVERITY_LOW : finding->severity;
    if (is_slight || (!is_open && !job->is_self_hosted)) {
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static void check_container(wpa_rule_run *run, const wpa_outline_job *job,
                            const wpa_yaml_node *container)
{
    const wpa_yaml_node *options = wpa_yaml_get(container, "options");
    const char *text = wpa_yaml_text(options), *at = text;
    wpa_slice word = at ? next_word(&at) : (wpa_slice){0};
    bool has_everything = text && strstr(text, "--privileged"); /* what more is given is in it */
    while (word.length) {
        wpa_slice next = next_word(&at);
        bool is_slight = false, is_whole = wpa_text_starts(word.at, "--privileged");
        const char *what = what_opens(word, next, &is_slight);
        if (what && (is_whole || !has_everything)) {
            size_t start = (size_t)(word.at - text);
            report(run, job, wpa_yaml_source_span(options, start, start + word.length), what,
                   is_slight);
        }
        word = next;
    }
    const wpa_yaml_node *volumes = wpa_yaml_get(container, "volumes");
    for (size_t i = 0; wpa_yaml_is(volumes, WPA_YAML_SEQUENCE) && i < volumes->n_items; i++) {
        const char *volume = wpa_yaml_text(volumes->items[i]);
        if (volume && opens_host(wpa_slice_of(volume))) {
            report(run, job, volumes->items[i]->span, "holds the keys of the host", false);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        check_container(run, job, wpa_yaml_get(job->node, "container"));
        const wpa_yaml_node *services = wpa_yaml_get(job->node, "services");
        for (size_t k = 0; wpa_yaml_is(services, WPA_YAML_MAPPING) && k < services->n_pairs; k++) {
            check_container(run, job, wpa_yaml_resolve(services->pairs[k].value));
        }
    }
    return true;
}

const wpa_rule wpa_rule_privileged_container = {
    .code = "SEC-046",
    .id = "privileged-container",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"container", "services", NULL},
    .summary = "A container is given the host it runs on",
    .why = "What runs in it can leave it, and then has the runner, its other jobs and their "
           "secrets.",
    .fix = "Take the option away, or name the one right that is needed and run the job where "
           "nobody else's does. There is no fix by machine.",
    .check = check,
};
