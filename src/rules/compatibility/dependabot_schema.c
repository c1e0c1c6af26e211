/* CMP-024: what stands in dependabot.yml that Dependabot refuses or never uses. */
#include <string.h>

#include "rules/cron.h"
#include "rules/shape.h"
#include "rules/upgrade.h"

/** Entries that are compared with each other. */
#define ENTRIES_MAX 300
#define DIRECTORIES_MAX 64

/* Names that people use for ecosystems, and what Dependabot calls them. */
static const struct {
    const char *alias, *name;
} aliases[] = {
    {"actions", "github-actions"},
    {"gha", "github-actions"},
    {"github_actions", "github-actions"},
    {"go", "gomod"},
    {"golang", "gomod"},
    {"go-modules", "gomod"},
    {"go_modules", "gomod"},
    {"node", "npm"},
    {"javascript", "npm"},
    {"yarn", "npm"},
    {"pnpm", "npm"},
    {"python", "pip"},
    {"poetry", "pip"},
    {"pipenv", "pip"},
    {"pip-compile", "pip"},
    {"ruby", "bundler"},
    {"rubygems", "bundler"},
    {"rust", "cargo"},
    {"dotnet", "nuget"},
    {"php", "composer"},
    {"elixir", "mix"},
    {"hex", "mix"},
    {"dart", "pub"},
    {"java", "maven"},
    {"dockerfile", "docker"},
    {"submodules", "gitsubmodule"},
};

typedef struct subject {
    const wpa_yaml_node *node;
    const char *text;
} subject;

static const char *check_of(wpa_shape_wrong wrong, const char *form)
{
    (void)form;
    return wrong == WPA_SHAPE_DUPLICATE                                            ? "B1"
           : wrong == WPA_SHAPE_UNKNOWN_KEY                                        ? "B2"
           : wrong == WPA_SHAPE_MISSING_KEY                                        ? "B3"
           : wrong == WPA_SHAPE_EMPTY_MAPPING || wrong == WPA_SHAPE_EMPTY_SEQUENCE ? NULL
           : wrong == WPA_SHAPE_NOT_ALLOWED && wpa_text_is(form, "ecosystem")      ? NULL
                                                                                   : "B4";
}

static const char *const left_to_others[] = {"ecosystem", "limit"};

static const wpa_shape_set set = {
    .refusal = "Dependabot refuses the file",
    .left_to_others = left_to_others,
    .n_left_to_others = WPA_COUNT(left_to_others),
    .check_of = check_of,
    .takes_misspelt = true,
};

static const char *quote(wpa_rule_run *run, const wpa_yaml_node *node)
{
    return wpa_rule_quote(run, node->text, node->length);
}

/* ---- values -----------------------------------------------------------------------------------*/

/* B5 */
static void check_ecosystem(wpa_rule_run *run, const wpa_yaml_node *node)
{
    const wpa_schema_def *def = wpa_schema_dependabot_find("ecosystem");
    const char *text = wpa_yaml_text(node), *meant = NULL;
    if (!text || !def || wpa_fact_list_has(def->allowed, wpa_slice_of(text))) {
        return;
    }
    for (size_t i = 0; i < WPA_COUNT(aliases) && !meant; i++) {
        meant = wpa_text_is_ci(aliases[i].alias, text) ? aliases[i].name : NULL;
    }
    meant = meant ? meant : wpa_rule_find_meant(text, def->allowed);
    subject *s = meant ? wpa_arena_alloc(run->arena, sizeof *s) : NULL;
    if (s) {
        *s = (subject){node, meant};
    }
    wpa_finding *finding = wpa_rule_report(
        run, node->span, "B5", s, "Dependabot has no ecosystem %s: it refuses the file%s%s%s",
        quote(run, node), meant ? " (did you mean '" : "", meant ? meant : "", meant ? "'?)" : "");
    finding->confidence = meant ? finding->confidence : WPA_CONFIDENCE_MEDIUM;
}

/* B12: a wait for each level of a version, where versions have no levels. */
static void check_cooldown(wpa_rule_run *run, const wpa_yaml_node *update)
{
    static const char *const levels[] = {"semver-major-days", "semver-minor-days",
                                         "semver-patch-days"};
    const wpa_schema_def *def = wpa_schema_dependabot_find("ecosystem-without-levels");
    const wpa_yaml_node *ecosystem = wpa_yaml_get(update, "package-ecosystem");
    const wpa_yaml_node *cooldown = wpa_yaml_get(update, "cooldown");
    const char *name = wpa_yaml_text(ecosystem);
    if (!def || !name || !wpa_fact_list_has(def->allowed, wpa_slice_of(name))) {
        return;
    }
    for (size_t i = 0; i < WPA_COUNT(levels); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(cooldown, levels[i]);
        if (pair) {
            (void)wpa_rule_report(run, pair->key->span, "B12", NULL,
                                  "Dependabot knows no levels of versions for %s: it refuses the "
                                  "file for '%s'",
                                  quote(run, ecosystem), levels[i]);
        }
    }
}

/* B13: Dependabot waits for as long as it is told up to a quarter of a year, and takes no more. */
#define COOLDOWN_MAX_DAYS 90

static void check_waits(wpa_rule_run *run, const wpa_yaml_node *update)
{
    static const char *const waits[] = {"default-days", "semver-major-days", "semver-minor-days",
                                        "semver-patch-days"};
    const wpa_yaml_node *cooldown = wpa_yaml_get(update, "cooldown");
    for (size_t i = 0; i < WPA_COUNT(waits); i++) {
        const wpa_yaml_node *wait = wpa_yaml_get(cooldown, waits[i]);
        double days = 0;
        const char *text = wpa_yaml_text(wait);
        if (text && wpa_text_to_double(text, &days) && days > COOLDOWN_MAX_DAYS) {
            (void)wpa_rule_report(run, wait->span, "B13", NULL,
                                  "'%s' may be %d at most, and is %s: Dependabot refuses the file",
                                  waits[i], COOLDOWN_MAX_DAYS, quote(run, wait));
        }
    }
}

/* B6: "05:30", a zone of the tz database, a cron line where and only where it is asked for. */
static void check_schedule(wpa_rule_run *run, const wpa_yaml_node *schedule)
{
    const wpa_yaml_node *time = wpa_yaml_get(schedule, "time");
    const wpa_yaml_node *zone = wpa_yaml_get(schedule, "timezone");
    const wpa_yaml_node *cron = wpa_yaml_get(schedule, "cronjob");
    const char *interval = wpa_yaml_text(wpa_yaml_get(schedule, "interval"));
    const char *text = wpa_yaml_text(time);
    bool is_time = text && strlen(text) == 5 && text[2] == ':' &&
                   strspn(text, "0123456789:") == 5 && strncmp(text, "24", 2) < 0 &&
                   strncmp(text + 3, "60", 2) < 0;
    if (text && !is_time) {
        (void)wpa_rule_report(run, time->span, "B6", NULL,
                              "%s is no time of the form 05:30: Dependabot refuses the file",
                              quote(run, time));
    }
    text = wpa_yaml_text(zone);
    if (text && *text && !wpa_fact_list_has(wpa_facts_timezone_names(), wpa_slice_of(text))) {
        const char *meant = wpa_rule_find_meant(text, wpa_facts_timezone_names());
        subject *s = meant ? wpa_arena_alloc(run->arena, sizeof *s) : NULL;
        if (s) {
            *s = (subject){zone, meant};
        }
        (void)wpa_rule_report(run, zone->span, "B6", s, "%s is no IANA time zone%s%s%s",
                              quote(run, zone), meant ? " (did you mean '" : "", meant ? meant : "",
                              meant ? "'?)" : "");
    }
    bool is_cron = wpa_text_is(interval, "cron");
    wpa_cron parsed;
    if (is_cron && !wpa_yaml_find(schedule, "cronjob")) {
        (void)wpa_rule_report(run, wpa_yaml_find(schedule, "interval")->key->span, "B6", NULL,
                              "interval is cron, and there is no cronjob that says when");
    } else if (cron && interval && !is_cron) {
        (void)wpa_rule_report(run, wpa_yaml_find(schedule, "cronjob")->key->span, "B6", NULL,
                              "cronjob is read with interval cron alone");
    }
    text = wpa_yaml_text(cron);
    if (is_cron && text && *text && !strchr(text, ' ')) {
        return; /* "every day at 9": a form of its own */
    }
    if (is_cron && text && strspn(text, "0123456789*") && !wpa_cron_parse(text, &parsed)) {
        wpa_finding *finding =
            wpa_rule_report(run, cron->span, "B6", NULL, "cronjob %s is not valid: %s",
                            quote(run, cron), parsed.fault);
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
}

/* B7: how many pull requests may be open; 0 turns version updates off. */
static void check_limit(wpa_rule_run *run, const wpa_yaml_node *update)
{
    const wpa_yaml_node *node = wpa_yaml_get(update, "open-pull-requests-limit");
    int64_t limit;
    if (wpa_yaml_text(node) && !wpa_text_to_int(node->text, 0, 1000, &limit)) {
        (void)wpa_rule_report(run, wpa_span_length(node->span) ? node->span : node->key->span, "B7",
                              NULL, "%s is no whole number of pull requests", quote(run, node));
    }
}

/* ---- entries ----------------------------------------------------------------------------------*/

/* What is there with a slip in its key is told as that. */
static bool is_misspelt(const wpa_yaml_node *update, const char *key)
{
    const wpa_schema_def *def = wpa_schema_dependabot_find("update");
    return def && wpa_shape_has_misspelt(def, update, key);
}

/* B8 */
static void check_directories(wpa_rule_run *run, const wpa_yaml_node *update)
{
    const wpa_yaml_pair *one = wpa_yaml_find(update, "directory");
    const wpa_yaml_pair *many = wpa_yaml_find(update, "directories");
    wpa_span at = update->n_pairs ? update->pairs[0].key->span : update->span;
    if (one && many) {
        wpa_finding *finding = wpa_rule_report(run, many->key->span, "B8", NULL,
                                               "an entry has both directory and directories: "
                                               "Dependabot refuses the file");
        wpa_rule_relate(run, finding, one->key->span, "the other one");
    } else if (!one && !many && !update->is_incomplete && !is_misspelt(update, "directory")) {
        (void)wpa_rule_report(run, at, "B8", NULL,
                              "an entry names no directory: Dependabot refuses the file");
    }
}

static const char *strip(const char *directory)
{
    return directory + strspn(directory, "./");
}

/* B9: a directory of the tree; globs and the root are always there. */
static void check_directory(wpa_rule_run *run, const wpa_yaml_node *node)
{
    const wpa_surroundings *around = run->source->around;
    const char *text = wpa_yaml_text(node);
    wpa_input_kind kind;
    bool is_checkout = false;
    if (!text || !around || !around->has_paths || strpbrk(text, "*?[{")) {
        return;
    }
    for (size_t i = 0; i < around->n_paths && !is_checkout; i++) {
        is_checkout =
            !strstr(around->paths[i], ".github/") && !wpa_input_of_path(around->paths[i], &kind);
    }
    const char *folder = strip(text);
    size_t length = strlen(folder);
    while (length && folder[length - 1] == '/') {
        length--;
    }
    const char *name = wpa_arena_slice(run->arena, folder, length);
    bool is_own = wpa_text_starts(wpa_source_identity(run->source), ".github/");
    if (length && is_own && is_checkout && !wpa_surroundings_has_folder(around, name)) {
        wpa_finding *finding = wpa_rule_report(
            run, node->span, "B9", NULL,
            "the repository has no folder %s: Dependabot finds nothing there", quote(run, node));
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
}

/* B10: registries that are used must be defined, and the other way round. */
static bool names_registry(const wpa_yaml_node *update, const char *name, const wpa_yaml_node **at)
{
    const wpa_yaml_node *list = wpa_yaml_get(update, "registries");
    if (wpa_text_is(wpa_yaml_text(list), "*")) {
        return true;
    }
    for (size_t i = 0; wpa_yaml_is(list, WPA_YAML_SEQUENCE) && i < list->n_items; i++) {
        *at = list->items[i];
        if (wpa_text_is(wpa_yaml_text(list->items[i]), name)) {
            return true;
        }
    }
    return false;
}

static void check_registries(wpa_rule_run *run, const wpa_yaml_node *root,
                             const wpa_yaml_node *updates)
{
    const wpa_yaml_node *defined = wpa_yaml_get(root, "registries"), *at = NULL;
    for (size_t i = 0; i < updates->n_items; i++) {
        const wpa_yaml_node *list = wpa_yaml_get(updates->items[i], "registries");
        for (size_t k = 0; wpa_yaml_is(list, WPA_YAML_SEQUENCE) && k < list->n_items; k++) {
            const char *name = wpa_yaml_text(list->items[k]);
            if (name && !wpa_text_is(name, "*") && !wpa_yaml_find(defined, name)) {
                (void)wpa_rule_report(run, list->items[k]->span, "B10", NULL,
                                      "there is no registry %s above: Dependabot refuses the file",
                                      quote(run, wpa_yaml_resolve(list->items[k])));
            }
        }
    }
    for (size_t i = 0; wpa_yaml_is(defined, WPA_YAML_MAPPING) && i < defined->n_pairs; i++) {
        const char *name = wpa_yaml_text(defined->pairs[i].key);
        bool is_used = !name || run->source->is_partial;
        is_used = is_used || updates->n_items > ENTRIES_MAX;
        for (size_t k = 0; k < updates->n_items && !is_used; k++) {
            is_used = names_registry(wpa_yaml_resolve(updates->items[k]), name, &at);
        }
        if (!is_used) {
            wpa_finding *finding =
                wpa_rule_report(run, defined->pairs[i].key->span, "B10", NULL,
                                "no entry uses registry %s", quote(run, defined->pairs[i].key));
            finding->severity = WPA_SEVERITY_LOW;
        }
    }
}

/* Groups over several ecosystems likewise. */
static void check_groups(wpa_rule_run *run, const wpa_yaml_node *root, const wpa_yaml_node *updates)
{
    const wpa_yaml_node *defined = wpa_yaml_get(root, "multi-ecosystem-groups");
    for (size_t i = 0; i < updates->n_items; i++) {
        const wpa_yaml_node *group = wpa_yaml_get(updates->items[i], "multi-ecosystem-group");
        const char *name = wpa_yaml_text(group);
        if (name && *name && !wpa_yaml_find(defined, name)) {
            (void)wpa_rule_report(run, wpa_yaml_resolve(group)->span, "B10", NULL,
                                  "there is no group %s under multi-ecosystem-groups: Dependabot "
                                  "refuses the file",
                                  quote(run, wpa_yaml_resolve(group)));
        }
    }
}

/* ---- the same thing twice (B11) ---------------------------------------------------------------*/

static bool is_same_text(const wpa_yaml_node *a, const wpa_yaml_node *b, const char *key)
{
    return wpa_text_is(wpa_yaml_text(wpa_yaml_get(a, key)), wpa_yaml_text(wpa_yaml_get(b, key)));
}

static const wpa_yaml_node *directory_at(const wpa_yaml_node *update, size_t i)
{
    const wpa_yaml_node *many = wpa_yaml_get(update, "directories");
    if (wpa_yaml_is(many, WPA_YAML_SEQUENCE)) {
        return i < many->n_items ? many->items[i] : NULL;
    }
    return i == 0 ? wpa_yaml_get(update, "directory") : NULL;
}

static const wpa_yaml_node *shared_directory(const wpa_yaml_node *a, const wpa_yaml_node *b)
{
    for (size_t i = 0; i < DIRECTORIES_MAX; i++) {
        const char *own = wpa_yaml_text(directory_at(a, i));
        if (!own) {
            break;
        }
        for (size_t k = 0; k < DIRECTORIES_MAX; k++) {
            const char *other = wpa_yaml_text(directory_at(b, k));
            if (!other) {
                break;
            }
            if (wpa_text_is(strip(own), strip(other))) {
                return directory_at(a, i);
            }
        }
    }
    return NULL;
}

static void check_twice(wpa_rule_run *run, const wpa_yaml_node *updates, size_t i)
{
    const wpa_yaml_node *own = wpa_yaml_resolve(updates->items[i]);
    for (size_t k = 0; k < i && i < ENTRIES_MAX; k++) {
        const wpa_yaml_node *other = wpa_yaml_resolve(updates->items[k]);
        const wpa_yaml_node *twice = wpa_yaml_text(wpa_yaml_get(own, "package-ecosystem")) &&
                                             is_same_text(own, other, "package-ecosystem") &&
                                             is_same_text(own, other, "target-branch") &&
                                             is_same_text(own, other, "multi-ecosystem-group")
                                         ? shared_directory(own, other)
                                         : NULL;
        if (twice) {
            wpa_finding *finding = wpa_rule_report(
                run, wpa_yaml_get(own, "package-ecosystem")->span, "B11", NULL,
                "%s of %s is there twice for one branch: Dependabot refuses the file",
                quote(run, wpa_yaml_get(own, "package-ecosystem")),
                quote(run, wpa_yaml_resolve(twice)));
            wpa_rule_relate(run, finding, wpa_yaml_get(other, "package-ecosystem")->span,
                            "first here");
            return;
        }
    }
}

static void check_update(wpa_rule_run *run, const wpa_yaml_node *updates, size_t i)
{
    const wpa_yaml_node *update = wpa_yaml_resolve(updates->items[i]);
    if (!wpa_yaml_is(update, WPA_YAML_MAPPING) || !update->n_pairs) {
        return; /* the walk of the schema says so */
    }
    const wpa_yaml_pair *schedule = wpa_yaml_find(update, "schedule");
    if (!schedule && !update->is_incomplete && !wpa_yaml_find(update, "multi-ecosystem-group") &&
        !is_misspelt(update, "schedule")) {
        (void)wpa_rule_report(run, update->n_pairs ? update->pairs[0].key->span : update->span,
                              "B3", NULL, "an entry has no schedule: Dependabot refuses the file");
    }
    check_ecosystem(run, wpa_yaml_get(update, "package-ecosystem"));
    check_cooldown(run, update);
    check_waits(run, update);
    check_schedule(run, schedule ? wpa_yaml_resolve(schedule->value) : NULL);
    check_limit(run, update);
    check_directories(run, update);
    for (size_t k = 0; directory_at(update, k); k++) {
        check_directory(run, wpa_yaml_resolve(directory_at(update, k)));
    }
    check_twice(run, updates, i);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    const wpa_yaml_node *root = run->source->yaml->root;
    const wpa_schema_def *def = wpa_schema_dependabot_find("dependabot-root");
    if (!def) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "the schema has no root");
    }
    if (!root || wpa_yaml_is_null(root)) {
        return true; /* syntax says that it is empty */
    }
    wpa_shape_check(run, &set, def, root);
    const wpa_yaml_node *version = wpa_yaml_get(root, "version");
    if (wpa_yaml_text(version) && !wpa_text_is(version->text, "2")) {
        (void)wpa_rule_report(run, version->span, "B4", NULL,
                              "version is %s, and Dependabot reads 2 alone", quote(run, version));
    }
    const wpa_yaml_node *updates = wpa_yaml_get(root, "updates");
    if (wpa_yaml_is(updates, WPA_YAML_SEQUENCE)) {
        for (size_t i = 0; i < updates->n_items; i++) {
            check_update(run, updates, i);
        }
        check_groups(run, root, updates);
        check_registries(run, root, updates);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    bool is_value = wpa_text_is(finding->check, "B5") || wpa_text_is(finding->check, "B6");
    if (!is_value) {
        wpa_shape_repair(run, finding);
    } else if (s) {
        (void)wpa_rule_rewrite(run, finding, s->node, s->text);
    }
}

const wpa_rule wpa_rule_dependabot_schema = {
    .code = "CMP-024",
    .id = "dependabot-schema",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_DEPENDABOT,
    .summary = "dependabot.yml says something that Dependabot refuses or never uses",
    .why = "One wrong entry stops all updates, those of security too, and only a page deep in the "
           "settings says so.",
    .fix = "Write keys and values as Dependabot knows them; slips of one letter are corrected by "
           "wpa.",
    .checks = (const char *const[]){"B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10",
                                    "B11", "B12", "B13", NULL},
    .tables = 1U << WPA_FACTS_SCHEMA,
    .declares = WPA_DECLARES_TRIGGERS,
    .check = check,
    .repair = repair,
};
