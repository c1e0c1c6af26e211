/* Every rule: its words, and its fixtures under tests/fixtures/rules/<id>/ (see rules/rule.h). */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/tree.h"
#include "rules/config.h"
#include "rules/fix.h"
#include "rules/lint.h"

#define FIXTURE_MAX_BYTES (2 * 1024 * 1024)
#define EXPECTED_MAX_BYTES (256 * 1024)
#define TODAY_US INT64_C(1795305600000000) /* 2026-11-22 */

typedef struct fixture {
    const wpa_rule *rule;
    const char *folder, *name; /* "bad_x.action.yml" */
    const char *stem;          /* "bad_x.action" */
    wpa_input_kind kind;
} fixture;

static int n_faults;

static void fault(const fixture *at, const char *text)
{
    n_faults++;
    print_error("%s/%s: %s\n", at->rule->id, at->name ? at->name : "", text);
}

static const char *read_file(const fixture *at, const char *name, wpa_arena *arena, size_t *size)
{
    wpa_error err = {0};
    const char *path = wpa_path_join(arena, at->folder, name);
    return wpa_file_read(path, FIXTURE_MAX_BYTES, arena, size, &err);
}

/** All personas; and what bad_x.config says, which is read as wpa.yml is. */
static wpa_settings *settings_for(const fixture *at, wpa_arena *arena)
{
    wpa_error err = {0};
    size_t size;
    wpa_settings *settings = wpa_settings_new(TODAY_US, arena);
    settings->persona = WPA_PERSONA_AUDITOR;
    const char *name = wpa_arena_printf(arena, "%s.config", at->stem);
    const char *text = read_file(at, name, arena, &size);
    if (text && !wpa_config_read(name, text, size, settings, arena, &err)) {
        fault(at, err.message);
    }
    return settings;
}

static const wpa_source *source_of(const fixture *at, const char *text, size_t size,
                                   wpa_arena *arena)
{
    return wpa_source_read(at->kind, at->name, text, size, NULL, arena);
}

/* ---- what a tool would say: <stem>.lint, so that its rule is tested where it is not installed
 * ----
 *
 *   TOOL STEP LINE:COLUMN-LINE:COLUMN CODE|- LEVEL MESSAGE   of wpa_lint_tool, a step from 0
 *   + LINE:COLUMN-LINE:COLUMN TEXT                           what the comment above proposes
 */

static wpa_span lint_span(const wpa_lint_script *script, const char *text)
{
    long from_line = 0, from = 0, to_line = 0, to = 0;
    char *at;
    from_line = strtol(text, &at, 10);
    from = strtol(at + 1, &at, 10);
    to_line = strtol(at + 1, &at, 10);
    to = strtol(at + 1, &at, 10);
    return (wpa_span){wpa_lint_offset(script->text, script->length, from_line, from, 1),
                      wpa_lint_offset(script->text, script->length, to_line, to, 1)};
}

static char *take_field(char **line)
{
    char *field = *line, *blank = strchr(field, ' ');
    assert_non_null(blank);
    *blank = '\0';
    *line = blank + 1;
    return field;
}

static void read_comment(char *line, const wpa_source *source, wpa_lint_answers *answers,
                         wpa_arena *arena)
{
    static wpa_lint_script script;
    static wpa_lint_comment *last;
    char *first = take_field(&line);
    if (wpa_text_is(first, "+")) {
        wpa_lint_replacement *r = wpa_arena_alloc(arena, 4 * sizeof *r);
        if (last->n_replacements) {
            memcpy(r, last->replacements, last->n_replacements * sizeof *r);
        }
        r[last->n_replacements].span = lint_span(&script, take_field(&line));
        r[last->n_replacements++].text = line;
        last->replacements = r;
        return;
    }
    wpa_lint_tool tool = (wpa_lint_tool)strtol(first, NULL, 10);
    size_t step = (size_t)strtol(take_field(&line), NULL, 10);
    assert_true(wpa_lint_script_of(&source->outline->jobs[0].steps[step], tool, arena, &script));
    const char *key = wpa_lint_key(tool, &script, arena);
    wpa_lint_answer *answer = wpa_map_get(answers->by_script, key);
    if (!answer) {
        answer = wpa_arena_alloc(arena, sizeof *answer);
        answer->comments = wpa_arena_array(arena, 32, sizeof *answer->comments);
        wpa_map_put(answers->by_script, key, answer);
    }
    last = (wpa_lint_comment *)(uintptr_t)&answer->comments[answer->n++];
    last->span = lint_span(&script, take_field(&line));
    const char *code = take_field(&line);
    last->code = wpa_text_is(code, "-") ? NULL : code;
    last->level = take_field(&line);
    last->message = line;
}

static wpa_settings *settings_with(const fixture *at, const wpa_source *source, wpa_arena *arena)
{
    size_t size;
    wpa_settings *settings = settings_for(at, arena);
    const char *text = read_file(at, wpa_arena_printf(arena, "%s.lint", at->stem), arena, &size);
    wpa_lint_answers *answers = wpa_arena_alloc(arena, sizeof *answers);
    answers->by_script = wpa_map_new(arena);
    char *line = text ? wpa_arena_text(arena, text) : NULL;
    while (line && *line) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        read_comment(line, source, answers, arena);
        line = end + 1;
    }
    settings->lint = answers;
    return settings;
}

static const char *describe(const fixture *at, const wpa_result *result, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(EXPECTED_MAX_BYTES);
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        if (finding->own_persona < finding->rule->persona && !finding->rule->has_wider_findings) {
            fault(at, "has a finding for more people than its rule is run for");
        }
        if (finding->rule == at->rule && finding->state == WPA_FINDING_OPEN) {
            wpa_buf_printf(buf, "%zu:%zu %s%s%s %s\n", finding->span.start.line,
                           finding->span.start.column, finding->rule->id, finding->check ? "/" : "",
                           finding->check ? finding->check : "",
                           wpa_severity_name(finding->severity));
        }
    }
    return wpa_buf_dup(buf, arena);
}

/** What findings of the rule name beside the place itself, where <stem>.related says it. */
static void check_related(const fixture *at, const wpa_result *result, wpa_arena *arena)
{
    size_t size;
    const char *expected =
        read_file(at, wpa_arena_printf(arena, "%s.related", at->stem), arena, &size);
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(EXPECTED_MAX_BYTES);
    for (size_t i = 0; expected && i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        for (size_t k = 0; finding->rule == at->rule && k < finding->n_related; k++) {
            wpa_buf_printf(buf, "%zu:%zu %s\n", finding->related[k].span.start.line,
                           finding->related[k].span.start.column, finding->related[k].label);
        }
    }
    if (expected && !wpa_text_is(wpa_buf_dup(buf, arena), expected)) {
        fault(at, "does not name what .related says but");
        print_error("%s", wpa_buf_dup(buf, arena));
    }
}

static void print_messages(const fixture *at, const wpa_result *result)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        if (result->findings[i]->rule == at->rule) {
            print_error("  %s\n", result->findings[i]->message);
        }
    }
    for (size_t i = 0; i < result->n_notes; i++) {
        print_error("  note: %s\n", result->notes[i].text);
    }
}

static void check_fixed(const fixture *at, const wpa_source *source, wpa_arena *arena)
{
    size_t n_rules, size;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    const char *name = wpa_arena_printf(arena, "%s.fixed.yml", at->stem);
    const char *expected = read_file(at, name, arena, &size);
    if (!expected) {
        return;
    }
    bool *chosen = wpa_arena_array(arena, n_rules, sizeof *chosen);
    for (size_t i = 0; i < n_rules; i++) {
        chosen[i] = rules[i] == at->rule;
    }
    wpa_fix_choice choice = {.has_unsafe = true, .rules = chosen};
    wpa_fix_outcome outcome =
        wpa_rules_fix(source, settings_with(at, source, arena), &choice, arena);
    for (size_t i = 0; i < outcome.n_notes; i++) {
        fault(at, outcome.notes[i].text);
    }
    if (outcome.n_applied == 0 || !wpa_text_is(outcome.text, expected)) {
        fault(at, "fixes do not give the .fixed file but");
        print_error("%s\n", outcome.text);
    }
    wpa_fix_outcome again = wpa_rules_fix(source_of(at, outcome.text, outcome.size_bytes, arena),
                                          settings_for(at, arena), &choice, arena);
    if (again.n_applied) {
        fault(at, "fixing twice changes more than fixing once");
    }
}

static bool is_same_finding(const wpa_finding *a, const wpa_finding *b)
{
    return a->rule == b->rule && wpa_text_is(a->check ? a->check : "", b->check ? b->check : "") &&
           a->span.bytes.start == b->span.bytes.start && a->span.bytes.end == b->span.bytes.end &&
           a->severity == b->severity && a->confidence == b->confidence && a->state == b->state &&
           wpa_text_is(a->message, b->message);
}

/** Where nobody asks for identities, rules leave out what nobody would see: what is seen is the
    same. */
static void check_unwanted(const fixture *at, const wpa_source *source, wpa_persona persona,
                           wpa_arena *arena)
{
    wpa_settings *settings = settings_with(at, source, arena);
    settings->persona = persona;
    wpa_result all = wpa_rules_run(source, settings, arena);
    settings->has_no_identities = true;
    wpa_result wanted = wpa_rules_run(source, settings, arena);
    bool are_same = all.n_findings == wanted.n_findings;
    for (size_t i = 0; are_same && i < all.n_findings; i++) {
        are_same = is_same_finding(all.findings[i], wanted.findings[i]);
    }
    if (!are_same) {
        fault(at, "gives other findings where rules leave out what nobody would see");
        print_messages(at, &all);
        print_messages(at, &wanted);
    }
}

static void check_bad(const fixture *at, wpa_arena *arena)
{
    size_t size;
    const char *text = read_file(at, at->name, arena, &size);
    const wpa_source *source = source_of(at, text, size, arena);
    wpa_result result = wpa_rules_run(source, settings_with(at, source, arena), arena);
    const char *actual = describe(at, &result, arena);
    const char *expected =
        read_file(at, wpa_arena_printf(arena, "%s.expected", at->stem), arena, &size);
    if (!expected) {
        fault(at, "has no .expected file; it would hold");
        print_error("%s", actual);
    } else if (!wpa_text_is(actual, expected) || !*actual) {
        fault(at, "does not give what .expected says but");
        print_error("%s", actual);
        print_messages(at, &result);
    }
    check_related(at, &result, arena);
    check_fixed(at, source, arena);
    check_unwanted(at, source, WPA_PERSONA_DEFAULT, arena);
    check_unwanted(at, source, WPA_PERSONA_PEDANTIC, arena);
}

static void check_good(const fixture *at, wpa_arena *arena)
{
    size_t size;
    const char *text = read_file(at, at->name, arena, &size);
    const wpa_source *source = source_of(at, text, size, arena);
    wpa_result result = wpa_rules_run(source, settings_with(at, source, arena), arena);
    const char *actual = describe(at, &result, arena);
    if (*actual || result.n_notes) {
        fault(at, "should be silent but gives");
        print_error("%s", actual);
        print_messages(at, &result);
    }
    check_unwanted(at, source, WPA_PERSONA_DEFAULT, arena);
}

/** Kind by the name's last part but one: "bad_x.action.yml". */
static wpa_input_kind kind_of(const fixture *at)
{
    const char *dot = strrchr(at->stem, '.');
    wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    if (dot && !wpa_input_kind_from(dot + 1, &kind)) {
        fault(at, "is of no kind that wpa reads");
    }
    return kind;
}

/* ---- folders that hold a whole repository ---- */

/* What all fixes of the rule make of a repository. */
typedef struct repository {
    const fixture *at;
    size_t skip; /* bytes of its folder in front of paths */
    wpa_arena *arena;
    wpa_map *files;   /* path → wpa_slice of what changed */
    wpa_map *made;    /* paths of new files */
    const char *copy; /* folder of a copy, or NULL */
} repository;

static void put_file(const repository *r, const char *path, const char *text, size_t size)
{
    wpa_slice *slice = wpa_arena_alloc(r->arena, sizeof *slice);
    *slice = (wpa_slice){wpa_arena_slice(r->arena, text, size), size};
    wpa_map_put(r->files, wpa_arena_text(r->arena, path), slice);
}

static void on_fixed(void *context, const wpa_tree_file *file)
{
    const repository *r = context;
    if (file->fixed->n_applied) {
        put_file(r, file->path + r->skip, file->fixed->text, file->fixed->size_bytes);
    }
}

static void on_together(void *context, const wpa_tree_together *together)
{
    const repository *r = context;
    for (size_t i = 0; i < together->n_notes; i++) {
        fault(r->at, together->notes[i].text);
    }
    for (size_t i = 0; i < together->n; i++) {
        const wpa_fix_change *change = &together->changes[i];
        put_file(r, change->path, change->after, change->after_bytes);
        if (!change->before) {
            wpa_map_put(r->made, wpa_arena_text(r->arena, change->path), r->files);
        }
    }
}

static void fix_repository(const repository *r, const char *root)
{
    wpa_error err = {0};
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    bool *chosen = wpa_arena_array(r->arena, n_rules, sizeof *chosen);
    for (size_t i = 0; i < n_rules; i++) {
        chosen[i] = rules[i] == r->at->rule;
    }
    const wpa_fix_choice choice = {.has_unsafe = true, .rules = chosen};
    wpa_tree_options options = {.settings = settings_for(r->at, r->arena),
                                .stdin_fd = -1,
                                .is_root = true,
                                .n_threads = 1,
                                .fixes = &choice,
                                .on_fixed = on_fixed,
                                .on_together = on_together,
                                .context = (void *)(uintptr_t)r};
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
    if (!wpa_tree_add(tree, root, &err) || !wpa_tree_finish(tree, &err)) {
        fault(r->at, err.message);
    }
}

static void make_file(const char *root, const char *path, const char *text, size_t size,
                      wpa_arena *arena)
{
    wpa_error err = {0};
    const char *whole = wpa_path_join(arena, root, path);
    const char *folder = wpa_arena_slice(arena, whole, (size_t)(strrchr(whole, '/') - whole));
    assert_true(wpa_dir_make(folder, 0755, &err));
    assert_true(wpa_file_replace(whole, text, size, 0644, &err));
}

/** Every file below a folder, by its path there. */
typedef void (*visit_file)(const repository *r, const char *root, const char *path);

static void each_file(const repository *r, const char *root, const char *below, visit_file visit)
{
    DIR *folder = opendir(*below ? wpa_path_join(r->arena, root, below) : root);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        const char *path = *below ? wpa_path_join(r->arena, below, entry->d_name)
                                  : wpa_arena_text(r->arena, entry->d_name);
        if (wpa_text_is(entry->d_name, ".") || wpa_text_is(entry->d_name, "..")) {
            continue;
        }
        if (wpa_path_is_dir(wpa_path_join(r->arena, root, path))) {
            each_file(r, root, path, visit);
        } else {
            visit(r, root, path);
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
}

static const char *bad_path(const repository *r, const char *path)
{
    return wpa_path_join(r->arena, r->at->name, path);
}

/**
 * fixed_x/<path> is what fixes make of bad_x/<path>, if it is the same nothing; changed files
 * without one are not looked at.
 */
static void compare_file(const repository *r, const char *root, const char *path)
{
    wpa_error err = {0};
    size_t size;
    const char *expected = wpa_file_read(wpa_path_join(r->arena, root, path), FIXTURE_MAX_BYTES,
                                         r->arena, &size, &err);
    const wpa_slice *changed = wpa_map_get(r->files, path);
    const char *actual =
        changed ? changed->at : read_file(r->at, bad_path(r, path), r->arena, &size);
    if (!expected || !wpa_text_is(actual, expected)) {
        fault(r->at, "fixes do not give the file below fixed_ but");
        print_error("%s: %s\n", path, changed ? changed->at : "(unchanged)");
    }
}

static void copy_file(const repository *r, const char *root, const char *path)
{
    wpa_error err = {0};
    size_t size;
    const char *text = wpa_file_read(wpa_path_join(r->arena, root, path), FIXTURE_MAX_BYTES,
                                     r->arena, &size, &err);
    const wpa_slice *changed = wpa_map_get(r->files, path);
    make_file(r->copy, path, changed ? changed->at : text, changed ? changed->length : size,
              r->arena);
}

/** The repository with all changes in it has nothing left to fix. */
static void fix_again(const repository *r, const char *root)
{
    wpa_error err = {0};
    char *folder = wpa_dir_temp("/tmp/wpa-fixed-XXXXXX", r->arena, &err);
    assert_non_null(folder);
    repository copied = *r;
    copied.copy = folder;
    each_file(&copied, root, "", copy_file);
    for (size_t i = 0; i < wpa_map_count(r->made); i++) {
        void *value;
        const char *path = wpa_map_at(r->made, i, &value);
        const wpa_slice *text = wpa_map_get(r->files, path);
        make_file(folder, path, text->at, text->length, r->arena);
    }
    repository again = {.at = r->at, .skip = strlen(folder) + 1, .arena = r->arena};
    again.files = wpa_map_new(r->arena);
    again.made = wpa_map_new(r->arena);
    fix_repository(&again, folder);
    if (wpa_map_count(again.files)) {
        void *value;
        fault(r->at, "fixing twice changes more than fixing once");
        const char *path = wpa_map_at(again.files, 0, &value);
        print_error("%s: %s\n", path, ((const wpa_slice *)value)->at);
    }
    assert_true(wpa_dir_remove(folder, &err));
}

static void check_repository_fixes(const fixture *at, const char *root, wpa_arena *arena)
{
    const char *name = wpa_arena_printf(arena, "fixed%s", at->name + strlen("bad"));
    const char *fixed = wpa_path_join(arena, at->folder, name);
    if (!wpa_text_starts(at->name, "bad") || !wpa_path_is_dir(fixed)) {
        return;
    }
    repository r = {.at = at, .skip = strlen(root) + 1, .arena = arena};
    r.files = wpa_map_new(arena);
    r.made = wpa_map_new(arena);
    fix_repository(&r, root);
    each_file(&r, fixed, "", compare_file);
    for (size_t i = 0; i < wpa_map_count(r.made); i++) {
        void *value;
        const char *path = wpa_map_at(r.made, i, &value);
        if (!wpa_path_exists(wpa_path_join(arena, fixed, path))) {
            fault(at, "fixes make a file that is not below fixed_");
            print_error("%s: %s\n", path, ((const wpa_slice *)wpa_map_get(r.files, path))->at);
        }
    }
    fix_again(&r, root);
}

/** Each folder inside is a repository, and all of them go together. */
static bool add_fleet(wpa_tree *tree, const char *root, wpa_arena *arena)
{
    wpa_error err = {0};
    struct dirent **entries;
    int n = scandir(root, &entries, NULL, alphasort);
    bool ok = n > 0;
    for (int i = 0; i < n; i++) {
        bool is_real = entries[i]->d_name[0] != '.';
        ok = ok &&
             (!is_real || wpa_tree_add(tree, wpa_path_join(arena, root, entries[i]->d_name), &err));
        free(entries[i]);
    }
    if (n > 0) {
        free(entries);
    }
    return ok;
}

/** What the rule says of all files of the repository, one finding a line with its path. */
static const char *describe_repository(const fixture *at, wpa_arena *arena, size_t *n_notes)
{
    wpa_error err = {0};
    const char *root = wpa_path_join(arena, at->folder, at->name);
    wpa_tree_options options = {
        .settings = settings_for(at, arena), .stdin_fd = -1, .is_root = true, .n_threads = 1};
    options.is_fleet = strstr(at->name, "_fleet") != NULL;
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
    bool is_added =
        options.is_fleet ? add_fleet(tree, root, arena) : wpa_tree_add(tree, root, &err);
    if (!is_added || !wpa_tree_finish(tree, &err)) {
        fault(at, err.message);
        return "";
    }
    const wpa_results *results = wpa_tree_results(tree);
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(EXPECTED_MAX_BYTES);
    for (size_t i = 0; i < wpa_results_count(results); i++) {
        wpa_result result = wpa_results_at(results, i, arena);
        *n_notes += result.n_notes;
        for (size_t k = 0; k < result.n_findings; k++) {
            const wpa_finding *f = result.findings[k];
            if (f->rule == at->rule && f->state == WPA_FINDING_OPEN) {
                wpa_buf_printf(buf, "%s:%zu:%zu %s%s%s %s\n", f->path + strlen(root) + 1,
                               f->span.start.line, f->span.start.column, f->rule->id,
                               f->check ? "/" : "", f->check ? f->check : "",
                               wpa_severity_name(f->severity));
            }
        }
    }
    return wpa_buf_dup(buf, arena);
}

static void check_repository(const fixture *at, wpa_arena *arena)
{
    size_t size, n_notes = 0;
    const char *actual = describe_repository(at, arena, &n_notes);
    bool is_bad = wpa_text_starts(at->name, "bad");
    const char *expected =
        is_bad ? read_file(at, wpa_arena_printf(arena, "%s.expected", at->name), arena, &size) : "";
    if (!expected || !wpa_text_is(actual, expected) || (is_bad && !*actual) || n_notes) {
        fault(at, expected ? "does not give what is expected but" : "has no .expected file but");
        print_error("%s", actual);
    }
    check_repository_fixes(at, wpa_path_join(arena, at->folder, at->name), arena);
}

static bool is_repository(const fixture *at, wpa_arena *arena)
{
    return (wpa_text_starts(at->name, "bad") || wpa_text_starts(at->name, "good")) &&
           wpa_path_is_dir(wpa_path_join(arena, at->folder, at->name));
}

static void check_folder(const wpa_rule *rule, wpa_arena *arena)
{
    fixture at = {.rule = rule};
    at.folder =
        wpa_arena_printf(arena, "%s/tests/fixtures/rules/%s", getenv("WPA_SOURCE_DIR"), rule->id);
    size_t n_bad = 0, n_good = 0, n_fixed = 0;
    DIR *folder = opendir(at.folder);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        at.name = entry->d_name;
        size_t length = strlen(at.name);
        at.stem = at.name;
        if (is_repository(&at, arena)) {
            n_bad += wpa_text_starts(at.name, "bad");
            n_good += wpa_text_starts(at.name, "good");
            check_repository(&at, arena);
            continue;
        }
        n_fixed += wpa_text_ends(at.name, ".fixed.yml") || wpa_text_starts(at.name, "fixed_");
        if (!wpa_text_ends(at.name, ".yml") || wpa_text_ends(at.name, ".fixed.yml")) {
            continue;
        }
        at.stem = wpa_arena_slice(arena, at.name, length - strlen(".yml"));
        at.kind = kind_of(&at);
        n_bad += wpa_text_starts(at.name, "bad");
        n_good += wpa_text_starts(at.name, "good");
        if (wpa_text_starts(at.name, "bad")) {
            check_bad(&at, arena);
        } else {
            check_good(&at, arena);
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
    at.name = NULL;
    if (n_bad == 0 || n_good == 0) {
        fault(&at, "needs at least one bad*.yml and one good*.yml");
    }
    if (rule->repair && n_fixed == 0) {
        fault(&at, "has fixes, and no .fixed.yml to show them");
    }
}

static void test_every_rule_has_its_fixtures(void **state)
{
    (void)state;
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    n_faults = 0;
    for (size_t i = 0; i < n; i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        check_folder(rules[i], arena);
    }
    assert_int_equal(n_faults, 0);
}

static bool has_words(const char *text)
{
    return text && strlen(text) >= 10;
}

static bool has_code_of(const wpa_rule *rule)
{
    static const char *const prefixes[] = {"SEC-", "PRF-", "EFF-", "CMP-", "QUA-"};
    return wpa_text_starts(rule->code, prefixes[rule->dimension]) && strlen(rule->code) == 7;
}

static void test_every_rule_has_its_words(void **state)
{
    (void)state;
    /* Their fixes change files beside the workflows: what runs stays what it is. */
    static const char *const beside[] = {"missing-codeowners", "no-update-bot"};
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    n_faults = 0;
    for (size_t i = 0; i < n; i++) {
        fixture at = {.rule = rules[i]};
        const wpa_rule *rule = rules[i];
        if (!has_words(rule->summary) || !has_words(rule->why) || !has_words(rule->fix)) {
            fault(&at, "lacks summary, why or fix");
        }
        if (!has_code_of(rule) || !rule->check || !rule->inputs) {
            fault(&at, "lacks a code of its dimension, a check or inputs");
        }
        for (size_t j = 0; rule->words && rule->words[j]; j++) {
            if (strlen(rule->words[j]) < 4 || strpbrk(rule->words[j], " \t\n\"'")) {
                fault(&at, "asks for a word that no filter knows");
            }
        }
        bool is_beside = wpa_text_index(rule->id, beside, WPA_COUNT(beside)) >= 0;
        if (rule->repair && !rule->declares && !is_beside) {
            fault(&at, "has fixes that declare nothing");
        }
        for (size_t j = 0; j < i; j++) {
            if (wpa_text_is(rules[j]->id, rule->id) || wpa_text_is(rules[j]->code, rule->code)) {
                fault(&at, "shares its id or code with another rule");
            }
        }
    }
    assert_int_equal(n_faults, 0);
}

static void test_rules_are_found_by_every_name(void **state)
{
    (void)state;
    wpa_error err = {0};
    const char *check;
    const wpa_rule *rule = wpa_rules_find("missing-timeout", &check, &err);
    assert_non_null(rule);
    assert_null(check);
    assert_ptr_equal(wpa_rules_find("PRF-001", &check, &err), rule);
    assert_ptr_equal(wpa_rules_find("prf-001/X1", &check, &err), rule);
    assert_string_equal(check, "X1");
    assert_ptr_equal(wpa_rules_find("actionlint-fork/require-job-timeout", &check, &err), rule);
    assert_ptr_equal(wpa_rules_find("require-job-timeout", &check, &err), rule);
    assert_null(wpa_rules_find("mising-timeout", &check, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_non_null(strstr(err.message, "did you mean 'missing-timeout'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rule_has_its_words),
        cmocka_unit_test(test_every_rule_has_its_fixtures),
        cmocka_unit_test(test_rules_are_found_by_every_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
