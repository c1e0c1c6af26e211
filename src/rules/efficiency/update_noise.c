/* EFF-025: a dependabot.yml that opens many small pull requests. */
#include <string.h>

#include "rules/work.h"

#define DAILY_MAX 4
#define MANIFEST_MAX_BYTES ((size_t)256 * 1024)
#define FOLDERS_MIN 3
#define ENTRIES_MAX 300 /* each is compared with each */

static const wpa_rule_option options[] = {
    {"max-dependencies", "10", "of one entry that groups nothing", WPA_OPTION_NUMBER},
    {0},
};

static const char *text_at(const wpa_yaml_node *entry, const char *key)
{
    return wpa_yaml_text(wpa_yaml_get(entry, key));
}

/* Everything but the folder. */
static bool is_alike(const wpa_yaml_node *a, const wpa_yaml_node *b)
{
    static const char *const keys[] = {"package-ecosystem", "target-branch"};
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        if (!wpa_text_is(text_at(a, keys[i]), text_at(b, keys[i]))) {
            return false;
        }
    }
    return text_at(a, "package-ecosystem") != NULL;
}

static bool is_same_interval(const wpa_yaml_node *a, const wpa_yaml_node *b)
{
    return wpa_text_is(text_at(wpa_yaml_get(a, "schedule"), "interval"),
                       text_at(wpa_yaml_get(b, "schedule"), "interval"));
}

static wpa_span place_of(const wpa_yaml_node *entry)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(entry, "package-ecosystem");
    return pair->value->span;
}

static void check_same(wpa_rule_run *run, const wpa_yaml_node *updates, size_t i)
{
    const wpa_yaml_node *entry = wpa_yaml_resolve(updates->items[i]);
    const char *folder = text_at(entry, "directory");
    for (size_t k = 0; folder && k < i; k++) {
        const wpa_yaml_node *other = wpa_yaml_resolve(updates->items[k]);
        if (is_alike(entry, other) && wpa_text_is(folder, text_at(other, "directory"))) {
            wpa_finding *finding = wpa_rule_report(
                run, place_of(entry), NULL, NULL, "%s of %s is looked after twice",
                text_at(entry, "package-ecosystem"), wpa_rule_quote(run, folder, strlen(folder)));
            wpa_rule_relate(run, finding, place_of(other), "first here");
            return;
        }
    }
}

/* Several folders of one ecosystem, one entry each: one entry could list them. */
static void check_folders(wpa_rule_run *run, const wpa_yaml_node *updates, size_t i)
{
    const wpa_yaml_node *entry = wpa_yaml_resolve(updates->items[i]);
    size_t n = 0;
    for (size_t k = 0; k < updates->n_items && k < ENTRIES_MAX; k++) {
        const wpa_yaml_node *other = wpa_yaml_resolve(updates->items[k]);
        bool fits = is_alike(entry, other) && text_at(other, "directory") &&
                    is_same_interval(entry, other) && !wpa_yaml_find(other, "groups") &&
                    entry->n_pairs == other->n_pairs;
        if (fits && k < i) {
            return;
        }
        n += fits;
    }
    if (n >= FOLDERS_MIN) {
        (void)wpa_rule_report(run, place_of(entry), NULL, NULL,
                              "%zu entries differ only in their folder, and each opens pull "
                              "requests of its own: directories and a group would make one",
                              n);
    }
}

static void check_daily(wpa_rule_run *run, const wpa_yaml_node *updates)
{
    const wpa_yaml_node *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < updates->n_items; i++) {
        const wpa_yaml_node *entry = wpa_yaml_resolve(updates->items[i]);
        const char *interval = text_at(wpa_yaml_get(entry, "schedule"), "interval");
        const char *limit = text_at(entry, "open-pull-requests-limit");
        if (wpa_text_is(interval, "daily") && !wpa_yaml_find(entry, "groups") && !limit) {
            first = first ? first : entry;
            n++;
        }
    }
    if (n > DAILY_MAX && wpa_yaml_find(first, "package-ecosystem")) {
        (void)wpa_rule_report(run, place_of(first), NULL, first,
                              "%zu entries look daily and group nothing: each update is a pull "
                              "request of its own",
                              n);
    }
}

/* ---- how much there is to update ---- */

typedef struct manifest {
    const char *ecosystem, *file;
    const char *begins; /* a line with this opens a list of dependencies; NULL: all lines are one */
    const char *ends;   /* a line that begins so closes it */
} manifest;

static const manifest manifests[] = {
    {"npm", "package.json", "ependencies\": {", "}"},
    {"pip", "requirements.txt", NULL, NULL},
    {"gomod", "go.mod", "require (", ")"},
    {"cargo", "Cargo.toml", "dependencies]", "["},
    {"bundler", "Gemfile", NULL, NULL},
    {"composer", "composer.json", "\"require", "}"},
};

static bool has_text(wpa_slice line, const char *text)
{
    return memmem(line.at, line.length, text, strlen(text)) != NULL;
}

/* Is the line a dependency, in a list or in a file of nothing else? */
static bool names_one(const manifest *m, wpa_slice line)
{
    if (m->begins) {
        return line.at[0] != '#' && strncmp(line.at, "//", 2) != 0;
    }
    return wpa_text_is(m->ecosystem, "bundler") ? line.length > 4 && memcmp(line.at, "gem ", 4) == 0
                                                : line.at[0] != '#' && line.at[0] != '-';
}

static size_t count_in(const manifest *m, const char *text)
{
    size_t at = 0, n = 0;
    bool is_inside = !m->begins;
    wpa_slice line;
    while (wpa_work_next_line(text, &at, &line)) {
        bool is_end = m->ends && line.length >= strlen(m->ends) &&
                      memcmp(line.at, m->ends, strlen(m->ends)) == 0;
        if (m->begins && has_text(line, m->begins)) {
            is_inside = true;
        } else if (m->begins && is_end) {
            is_inside = false;
        } else {
            n += is_inside && names_one(m, line);
        }
    }
    return n;
}

/* Dependencies of the entry's folder, as its manifest lists them; 0 if that is not known. */
static size_t count_dependencies(wpa_rule_run *run, const wpa_yaml_node *entry)
{
    const char *ecosystem = text_at(entry, "package-ecosystem");
    const char *folder = text_at(entry, "directory");
    for (size_t i = 0; folder && i < WPA_COUNT(manifests); i++) {
        if (!wpa_text_is(ecosystem, manifests[i].ecosystem)) {
            continue;
        }
        folder += strspn(folder, "/.");
        size_t length = strlen(folder), size;
        const char *gap = length && folder[length - 1] != '/' ? "/" : "";
        const char *path = wpa_arena_printf(run->arena, "%s%s%s", folder, gap, manifests[i].file);
        const char *text =
            wpa_surroundings_read(run->source->around, path, MANIFEST_MAX_BYTES, run->arena, &size);
        return text ? count_in(&manifests[i], text) : 0;
    }
    return 0;
}

static void check_many(wpa_rule_run *run, const wpa_yaml_node *updates)
{
    size_t most = (size_t)wpa_rule_option_int(run, "max-dependencies", 1, 10000, 10);
    for (size_t i = 0; i < updates->n_items && i < ENTRIES_MAX; i++) {
        const wpa_yaml_node *entry = wpa_yaml_resolve(updates->items[i]);
        static const char *const bounds[] = {"groups", "allow", "ignore",
                                             "open-pull-requests-limit"};
        bool is_open = wpa_yaml_is(entry, WPA_YAML_MAPPING) && text_at(entry, "package-ecosystem");
        for (size_t k = 0; is_open && k < WPA_COUNT(bounds); k++) {
            is_open = !wpa_yaml_find(entry, bounds[k]);
        }
        size_t n = is_open ? count_dependencies(run, entry) : 0;
        if (n > most) {
            (void)wpa_rule_report(run, place_of(entry), NULL, entry,
                                  "each of %zu dependencies is updated by a pull request of its "
                                  "own: nothing groups them",
                                  n);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *updates = wpa_yaml_get(run->source->yaml->root, "updates");
    if (!wpa_yaml_is(updates, WPA_YAML_SEQUENCE)) {
        return true;
    }
    check_daily(run, updates);
    check_many(run, updates);
    for (size_t i = 0; i < updates->n_items && i < ENTRIES_MAX; i++) {
        const wpa_yaml_node *entry = wpa_yaml_resolve(updates->items[i]);
        if (wpa_yaml_is(entry, WPA_YAML_MAPPING) && text_at(entry, "package-ecosystem")) {
            check_same(run, updates, i);
            check_folders(run, updates, i);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *entry = finding->subject;
    if (!entry) {
        return;
    }
    const wpa_yaml_node *last = entry->pairs[entry->n_pairs - 1].value;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "group minor and patch updates");
    (void)wpa_rule_insert_behind(run, fix, last,
                                 "groups:\n  minor-and-patch:\n    update-types: [minor, patch]");
}

const wpa_rule wpa_rule_update_noise = {
    .code = "EFF-025",
    .id = "update-noise",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_DEPENDABOT,
    .summary = "Updates come as many small pull requests",
    .why = "Each runs the whole build, and people stop reading them.",
    .fix = "Group minor and patch updates, list folders under directories, look weekly.",
    .options = options,
    .declares = WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
