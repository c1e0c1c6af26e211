/* PRF-012: package indexes that are fetched again, and systems that are upgraded before use. */
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/work.h"

typedef struct index_command {
    const char *program, *sub;
} index_command;

static const index_command updates[] = {
    {"apt-get", "update"}, {"apt", "update"},    {"aptitude", "update"}, {"apk", "update"},
    {"dnf", "makecache"},  {"yum", "makecache"}, {"brew", "update"},     {"pacman", "-Sy"},
    {"zypper", "refresh"}, {"scoop", "update"},
};

static const index_command upgrades[] = {
    {"apt-get", "upgrade"},  {"apt-get", "dist-upgrade"}, {"apt", "upgrade"},
    {"apt", "full-upgrade"}, {"apk", "upgrade"},          {"dnf", "upgrade"},
    {"yum", "upgrade"},      {"brew", "upgrade"},
};

#define PER_JOB_MAX 16 /* finding a place in a long script takes its time */

#define RECOMMENDED_JOBS 3

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_shell_command *command;
} subject;

static int index_of(const wpa_shell_command *c, const index_command table[], size_t n)
{
    /* All of them install, and most commands are none of those. */
    for (size_t i = 0; i < n && (c->known & WPA_KNOWN_INSTALLER); i++) {
        if (wpa_shell_is(c, table[i].program, table[i].sub)) {
            return (int)i;
        }
    }
    return -1;
}

/* apt and apt-get keep one index. */
static const char *manager_of(const wpa_shell_command *c)
{
    return wpa_text_starts(c->name, "apt") ? "apt" : c->name;
}

/* Something in between that gives the second update something to fetch. */
static bool adds_source(const wpa_outline_step *step)
{
    static const char *const words[] = {"sources.list",
                                        "add-apt-repository",
                                        "apt-key",
                                        "add-architecture",
                                        "repositories",
                                        "brew tap",
                                        "keyrings",
                                        "/etc/apt",
                                        "setup_",
                                        "install.sh",
                                        "nodesource",
                                        ".repo",
                                        "apt-fast",
                                        "get.docker",
                                        "packages-microsoft",
                                        "rm -rf",
                                        "sed -i",
                                        NULL};
    return wpa_work_mentions_any(step->node, words);
}

/* Branches and loops: it may be another way, not another time. */
static bool is_plain(const wpa_outline_step *step)
{
    static const char *const words[] = {"if ", "case ", "else", "||", "docker ", "chroot", NULL};
    return !step->condition && !wpa_work_mentions_any(step->run, words);
}

/* Of all that is there, not of what is named. */
static bool upgrades_all(const wpa_shell_command *c)
{
    if (!(c->known & WPA_KNOWN_INSTALLER)) {
        return false;
    }
    const wpa_shell_word *what = wpa_shell_argument(c, 1);
    if (wpa_shell_is(c, "choco", "upgrade") || wpa_shell_is(c, "winget", "upgrade")) {
        return (what && wpa_text_is_ci(what->text, "all")) || wpa_shell_word_find(c, "--all");
    }
    return index_of(c, upgrades, WPA_COUNT(upgrades)) >= 0 && !what;
}

static void report(wpa_rule_run *run, const wpa_outline_step *step, const wpa_shell_command *c,
                   const subject *first)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){step, c};
    wpa_finding *finding = wpa_rule_report(
        run, wpa_outline_script_span(step, c->span), NULL, s,
        first ? "%s fetches the package index that this job has fetched already"
              : "%s upgrades packages of a machine that is thrown away behind the job",
        wpa_rule_quote(run, wpa_step_commands(step)->text + c->span.start,
                       wpa_span_length(c->span)));
    if (first) {
        wpa_rule_relate(run, finding, wpa_outline_script_span(first->step, first->command->span),
                        "first here");
    } else if (wpa_text_is(c->name, "brew") && wpa_shell_argument(c, 1)) {
        finding->persona = WPA_PERSONA_PEDANTIC; /* of one formula */
    }
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    subject first[WPA_COUNT(updates)] = {{0}};
    size_t n = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        const wpa_script *script = wpa_step_commands(step);
        bool is_asked = false; /* is_plain reads the whole script */
        for (size_t k = 0; script && n < PER_JOB_MAX && k < script->n_commands; k++) {
            const wpa_shell_command *c = &script->commands[k];
            if (!(c->known & WPA_KNOWN_INSTALLER)) {
                continue; /* most */
            }
            int update = index_of(c, updates, WPA_COUNT(updates));
            bool is_upgrade = upgrades_all(c);
            if ((update < 0 && !is_upgrade) || c->loops) {
                continue;
            }
            if (!is_asked && !is_plain(step)) {
                break;
            }
            is_asked = true;
            if (is_upgrade && !wpa_yaml_find(job->node, "container")) {
                report(run, step, c, NULL);
                n++;
            }
            if (update < 0) {
                continue;
            }
            size_t slot = 0;
            while (first[slot].command &&
                   !wpa_text_is(manager_of(first[slot].command), manager_of(c))) {
                slot++;
            }
            if (first[slot].command && !adds_source(step)) {
                report(run, step, c, &first[slot]);
                n++;
            } else {
                first[slot] = (subject){step, c};
            }
        }
    }
}

/* ---- packages that nobody asked for ---- */

/* Does a step up to this one say what becomes of them? */
static bool has_told(const wpa_outline_job *job, size_t last)
{
    static const char *const words[] = {"recommends", "apt.conf", NULL};
    bool has = false;
    for (size_t i = 0; i <= last && !has; i++) {
        has = wpa_work_mentions_any(job->steps[i].run, words);
    }
    return has;
}

/* The first command of the job that installs with all that its packages recommend, or NULL. */
static const wpa_shell_command *find_recommended(const wpa_outline_job *job,
                                                 const wpa_outline_step **at)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        const wpa_script *script = wpa_step_commands(step);
        for (size_t k = 0; script && k < script->n_commands; k++) {
            const wpa_shell_command *c = &script->commands[k];
            bool is_install =
                (c->known & WPA_KNOWN_INSTALLER) &&
                (wpa_shell_is(c, "apt-get", "install") || wpa_shell_is(c, "apt", "install"));
            if (is_install && wpa_shell_argument(c, 1)) {
                *at = step;
                return has_told(job, i) ? NULL : c;
            }
        }
    }
    return NULL;
}

static void check_recommended(wpa_rule_run *run, const wpa_outline *o)
{
    subject found[RECOMMENDED_JOBS] = {{0}};
    size_t n = 0;
    for (size_t i = 0; i < o->n_jobs && o->n_jobs >= RECOMMENDED_JOBS; i++) {
        const wpa_outline_step *step = NULL;
        const wpa_shell_command *c = find_recommended(&o->jobs[i], &step);
        if (c && n < RECOMMENDED_JOBS) {
            found[n] = (subject){step, c};
        }
        n += c != NULL;
    }
    if (n < RECOMMENDED_JOBS) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, wpa_outline_script_span(found[0].step, found[0].command->span), NULL, NULL,
        "%zu jobs install packages with all that they recommend; --no-install-recommends leaves "
        "out what nothing needs",
        n);
    finding->persona = WPA_PERSONA_PEDANTIC;
    for (size_t i = 1; i < RECOMMENDED_JOBS; i++) {
        wpa_rule_relate(run, finding,
                        wpa_outline_script_span(found[i].step, found[i].command->span), "and here");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    if (wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
        check_recommended(run, o);
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i]);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s) {
        return; /* which of them are needed a person must say */
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove it");
    (void)wpa_work_drop_command(run, fix, s->step, s->command);
}

const wpa_rule wpa_rule_repeated_package_index = {
    .code = "PRF-012",
    .id = "repeated-package-index",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A package index is fetched twice, or the whole system upgraded",
    .why = "Indexes are some ten megabytes each time; upgrades take minutes and the machine is "
           "thrown away afterwards.",
    .fix = "Update once, install all packages behind it, upgrade nothing.",
    .declares = WPA_DECLARES_SCRIPT,
    .commands = (const char *const[]){"apt-get", "apt", "aptitude", "apk", "dnf", "yum", "brew",
                                      "pacman", "zypper", "choco", "winget", "scoop", NULL},
    .check = check,
    .repair = repair,
};
