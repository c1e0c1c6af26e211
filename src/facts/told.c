#include "facts/told.h"

#include <stdlib.h>
#include <string.h>

#include "facts/lines.h"
#include "facts/tables.h"

#define FIRST_LINE "wpa.facts/1 forge"
#define MAJOR_MAX 100000
#define ID_MAX 60

static const char *const severities[] = {"low", "moderate", "high", "critical"};
static const char *const states[] = {
    [WPA_TOLD_ACTIVE] = "active", [WPA_TOLD_ARCHIVED] = "archived", [WPA_TOLD_MOVED] = "moved"};

/* ---- what may stand there ---- */

bool wpa_told_action_is_valid(wpa_slice name)
{
    const char *slash = name.length ? memchr(name.at, '/', name.length) : NULL;
    size_t left = slash ? (size_t)(name.at + name.length - slash - 1) : 0;
    const char *path = left ? memchr(slash + 1, '/', left) : NULL;
    wpa_slice slug = {name.at, path ? (size_t)(path - name.at) : name.length};
    bool is_valid = wpa_refreshed_slug_is_valid(slug) && wpa_refreshed_name_is_valid(name) &&
                    name.at[name.length - 1] != '/';
    for (const char *at = path; is_valid && at && at < name.at + name.length; at++) {
        bool is_start = *at == '/';
        is_valid = *at != '\\' && *at != '@' && *at != '%' && *at != '?' && *at != '#' &&
                   !(is_start && (at[1] == '/' || at[1] == '.'));
    }
    return is_valid;
}

bool wpa_told_id_is_valid(wpa_slice id)
{
    bool is_valid = id.length > 0 && id.length <= ID_MAX;
    for (size_t i = 0; i < id.length && is_valid; i++) {
        char c = id.at[i];
        is_valid = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                   (c == '-' && i > 0);
    }
    return is_valid;
}

bool wpa_told_severity_is_valid(wpa_slice severity)
{
    for (size_t i = 0; i < WPA_COUNT(severities); i++) {
        if (wpa_slice_is(severity, severities[i])) {
            return true;
        }
    }
    return false;
}

const char *wpa_told_text(const char *text, wpa_arena *arena)
{
    char *line = wpa_arena_text(arena, text);
    for (char *at = line; *at; at++) {
        *at = (char)(*at == '\n' || *at == '\r' || *at == '\t' ? ' ' : *at);
    }
    line = wpa_text_visible(arena, line, strlen(line), false);
    size_t length = strlen(line);
    if (length > WPA_TOLD_MAX_TEXT) {
        length = WPA_TOLD_MAX_TEXT;
        while (length && ((unsigned char)line[length] & 0xc0) == 0x80) {
            length--; /* in the middle of a character */
        }
    }
    while (length && line[length - 1] == ' ') {
        length--;
    }
    return wpa_arena_slice(arena, line, length);
}

/** As wpa_told_text would have left it. */
static bool is_text(wpa_slice text, wpa_arena *arena)
{
    const char *copy = wpa_arena_slice(arena, text.at, text.length);
    return wpa_utf8_is_valid(text.at, text.length) && wpa_text_is(wpa_told_text(copy, arena), copy);
}

int wpa_told_major(const char *tag)
{
    wpa_version version;
    bool is_release = wpa_version_parse(wpa_slice_of(tag), &version) && version.n_parts >= 3 &&
                      version.suffix.length == 0 && version.parts[0] < MAJOR_MAX;
    return is_release ? (int)version.parts[0] : -1;
}

/* ---- reading ---- */

typedef struct reader {
    wpa_fact_lines lines;
    wpa_told *told;
    int last_kind; /* index into kinds of the last row */
    size_t advisories_capacity, withdrawn_capacity, repos_capacity, actions_capacity;
    size_t ranges_capacity, inputs_capacity, outputs_capacity, uses_capacity; /* of the last one */
} reader;

static bool damaged(const reader *r, wpa_error *err, const char *what)
{
    return wpa_fact_lines_fail(&r->lines, err, what);
}

static const char *keep(const reader *r, wpa_slice text)
{
    return wpa_fact_lines_keep(&r->lines, text);
}

static const char *keep_day(const reader *r, wpa_slice word)
{
    const char *day = wpa_fact_lines_day(&r->lines, word);
    return day && strcmp(day, r->lines.date) <= 0 ? day : NULL;
}

static bool read_asked(reader *r, wpa_slice line, wpa_error *err)
{
    bool is_first = !r->told->advisories_date;
    r->told->advisories_date = keep_day(r, line);
    return (is_first && r->told->advisories_date) ||
           damaged(r, err, "advisories have no date, two, or one of tomorrow");
}

static int compare_advisories(const void *a, const void *b)
{
    const wpa_fact_advisory *x = a, *y = b;
    int order = wpa_fact_compare_folded(x->action, wpa_slice_of(y->action));
    return order ? order : strcmp(x->id, y->id);
}

static bool read_advisory(reader *r, wpa_slice line, wpa_error *err)
{
    static const char *const none[] = {NULL};
    wpa_told *t = r->told;
    wpa_slice id = wpa_fact_lines_word(&line), day = wpa_fact_lines_word(&line);
    wpa_slice severity = wpa_fact_lines_word(&line), action = wpa_fact_lines_word(&line);
    if (!t->advisories_date || !wpa_told_id_is_valid(id) || !wpa_told_severity_is_valid(severity) ||
        !wpa_told_action_is_valid(action) || !is_text(line, r->lines.arena) ||
        t->n_advisories == WPA_TOLD_MAX_ADVISORIES) {
        return damaged(r, err, "this is no advisory");
    }
    wpa_fact_advisory advisory = {
        .action = keep(r, action),
        .id = keep(r, id),
        .published = keep_day(r, day),
        .severity = keep(r, severity),
        .kind = "",
        .summary = keep(r, line),
        .versions = none,
        .bad_commits = none,
        .exposes_callers = true,
    };
    advisory.source =
        wpa_arena_printf(r->lines.arena, "https://github.com/advisories/%s", advisory.id);
    if (!advisory.published) {
        return damaged(r, err, "the advisory has no date, or one of tomorrow");
    }
    if (t->n_advisories &&
        compare_advisories(&t->advisories[t->n_advisories - 1], &advisory) >= 0) {
        return damaged(r, err, "its advisories are not in order");
    }
    t->advisories = wpa_arena_grow(r->lines.arena, t->advisories, t->n_advisories,
                                   &r->advisories_capacity, sizeof *t->advisories);
    t->advisories[t->n_advisories++] = advisory;
    r->ranges_capacity = 0;
    return true;
}

/** A version, "0" for the beginning, or "-" for none. */
static bool read_bound(const reader *r, wpa_slice word, const char **bound)
{
    wpa_version version;
    *bound = wpa_slice_is(word, "-") ? NULL : keep(r, word);
    return !*bound || (wpa_refreshed_name_is_valid(word) && wpa_version_parse(word, &version));
}

static bool read_range(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_told *t = r->told;
    wpa_fact_range range = {0};
    wpa_slice from = wpa_fact_lines_word(&line), fixed = wpa_fact_lines_word(&line);
    wpa_fact_advisory *advisory = t->n_advisories ? &t->advisories[t->n_advisories - 1] : NULL;
    if (!advisory || advisory->n_ranges == WPA_TOLD_MAX_RANGES ||
        !read_bound(r, from, &range.introduced) || !range.introduced ||
        !read_bound(r, fixed, &range.fixed) || !read_bound(r, line, &range.last_affected) ||
        (range.fixed && range.last_affected)) {
        return damaged(r, err, "this is no range of versions");
    }
    wpa_fact_range *ranges = (wpa_fact_range *)(uintptr_t)advisory->ranges;
    ranges = wpa_arena_grow(r->lines.arena, ranges, advisory->n_ranges, &r->ranges_capacity,
                            sizeof *ranges);
    ranges[advisory->n_ranges++] = range;
    advisory->ranges = ranges;
    advisory->first_patched = range.fixed ? range.fixed : advisory->first_patched;
    return true;
}

static bool read_withdrawn(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_told *t = r->told;
    const char *id = keep(r, line);
    if (!t->advisories_date || !wpa_told_id_is_valid(line) ||
        t->n_withdrawn == WPA_TOLD_MAX_ADVISORIES ||
        (t->n_withdrawn && strcmp(t->withdrawn[t->n_withdrawn - 1], id) >= 0)) {
        return damaged(r, err, "this is no advisory's name, or out of order");
    }
    t->withdrawn = wpa_arena_grow(r->lines.arena, t->withdrawn, t->n_withdrawn,
                                  &r->withdrawn_capacity, sizeof *t->withdrawn);
    t->withdrawn[t->n_withdrawn++] = id;
    return true;
}

static bool read_repo(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_told *t = r->told;
    wpa_slice slug = wpa_fact_lines_word(&line), day = wpa_fact_lines_word(&line);
    wpa_slice state = wpa_fact_lines_word(&line);
    wpa_told_repo repo = {.name = keep(r, slug), .date = keep_day(r, day)};
    size_t i = 0;
    while (i < WPA_COUNT(states) && !wpa_slice_is(state, states[i])) {
        i++;
    }
    bool is_moved = i == WPA_TOLD_MOVED;
    if (!wpa_refreshed_slug_is_valid(slug) || !repo.date || i == WPA_COUNT(states) ||
        t->n_repos == WPA_REFRESHED_MAX_REPOS ||
        (is_moved ? !wpa_refreshed_slug_is_valid(line) : line.length > 0)) {
        return damaged(r, err, "this is no repository");
    }
    if (t->n_repos && wpa_fact_compare_folded(t->repos[t->n_repos - 1].name, slug) >= 0) {
        return damaged(r, err, "its repositories are not in order");
    }
    repo.state = (wpa_told_state)i;
    repo.target = is_moved ? keep(r, line) : NULL;
    t->repos =
        wpa_arena_grow(r->lines.arena, t->repos, t->n_repos, &r->repos_capacity, sizeof *t->repos);
    t->repos[t->n_repos++] = repo;
    return true;
}

/** Without case first, since owner and repository have none; what a path differs in comes then. */
static int compare_action(const char *name, wpa_slice text)
{
    int order = wpa_fact_compare_folded(name, text);
    size_t length = strlen(name);
    size_t least = length < text.length ? length : text.length;
    const char *slash = strchr(name, '/'), *path = slash ? strchr(slash + 1, '/') : NULL;
    size_t head = path ? (size_t)(path - name) : least;
    return order || head >= least ? order : memcmp(name + head, text.at + head, least - head);
}

static bool read_action(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_told *t = r->told;
    wpa_slice name = wpa_fact_lines_word(&line), day = wpa_fact_lines_word(&line);
    wpa_slice tag = wpa_fact_lines_word(&line), commit = wpa_fact_lines_word(&line);
    wpa_told_action action = {.name = keep(r, name),
                              .date = keep_day(r, day),
                              .tag = keep(r, tag),
                              .using = keep(r, line)};
    action.major = wpa_told_major(action.tag);
    if (!wpa_told_action_is_valid(name) || !action.date || !wpa_refreshed_name_is_valid(tag) ||
        action.major < 0 || !wpa_fact_lines_commit(commit, action.commit) ||
        !wpa_refreshed_name_is_valid(line) || t->n_actions == WPA_REFRESHED_MAX_REPOS) {
        return damaged(r, err, "this is no action");
    }
    if (t->n_actions && compare_action(t->actions[t->n_actions - 1].name, name) >= 0) {
        return damaged(r, err, "its actions are not in order");
    }
    t->actions = wpa_arena_grow(r->lines.arena, t->actions, t->n_actions, &r->actions_capacity,
                                sizeof *t->actions);
    t->actions[t->n_actions++] = action;
    r->inputs_capacity = r->outputs_capacity = r->uses_capacity = 0;
    return true;
}

static wpa_told_action *last_action(const reader *r)
{
    return r->told->n_actions ? &r->told->actions[r->told->n_actions - 1] : NULL;
}

static bool read_image(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_told_action *action = last_action(r);
    if (!action || action->image || !wpa_refreshed_name_is_valid(line)) {
        return damaged(r, err, "this is no image of an action");
    }
    action->image = keep(r, line);
    return true;
}

static bool read_input(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_told_action *action = last_action(r);
    wpa_slice name = wpa_fact_lines_word(&line), flags = wpa_fact_lines_word(&line);
    if (!action || !wpa_refreshed_name_is_valid(name) || flags.length != 2 ||
        action->n_inputs == WPA_TOLD_MAX_ENTRIES || !is_text(line, r->lines.arena)) {
        return damaged(r, err, "this is no input of an action");
    }
    action->inputs = wpa_arena_grow(r->lines.arena, action->inputs, action->n_inputs,
                                    &r->inputs_capacity, sizeof *action->inputs);
    action->inputs[action->n_inputs++] =
        (wpa_fact_input){.name = keep(r, name),
                         .deprecated = line.length ? keep(r, line) : NULL,
                         .is_required = flags.at[0] == 'r',
                         .has_default = flags.at[1] == 'd'};
    return true;
}

static bool read_entry(reader *r, const char ***entries, size_t *n, size_t *capacity,
                       wpa_slice line, wpa_error *err)
{
    if (!wpa_refreshed_name_is_valid(line) || *n == WPA_TOLD_MAX_ENTRIES) {
        return damaged(r, err, "this is nothing of an action");
    }
    *entries = wpa_arena_grow(r->lines.arena, *entries, *n, capacity, sizeof **entries);
    (*entries)[(*n)++] = keep(r, line);
    return true;
}

static bool read_output(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_told_action *a = last_action(r);
    return a ? read_entry(r, &a->outputs, &a->n_outputs, &r->outputs_capacity, line, err)
             : damaged(r, err, "this is an output of no action");
}

static bool read_used(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_told_action *a = last_action(r);
    return a ? read_entry(r, &a->uses, &a->n_uses, &r->uses_capacity, line, err)
             : damaged(r, err, "this is used by no action");
}

/* The words that rows begin with, in the order of the table. */
static const struct {
    const char *word;
    bool (*read)(reader *r, wpa_slice line, wpa_error *err);
    int section; /* never falls */
} kinds[] = {
    {"advisories", read_asked, 0},    {"advisory", read_advisory, 1}, {"range", read_range, 1},
    {"withdrawn", read_withdrawn, 2}, {"repo", read_repo, 3},         {"action", read_action, 4},
    {"image", read_image, 4},         {"input", read_input, 4},       {"output", read_output, 4},
    {"uses", read_used, 4},
};

static bool read_row(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_slice word = wpa_fact_lines_word(&line);
    for (size_t i = 0; i < WPA_COUNT(kinds); i++) {
        if (wpa_slice_is(word, kinds[i].word)) {
            if (kinds[i].section < r->last_kind) {
                return damaged(r, err, "its rows are not in order");
            }
            r->last_kind = kinds[i].section;
            return kinds[i].read(r, line, err);
        }
    }
    return damaged(r, err, "this line is none of a table of facts");
}

const wpa_told *wpa_told_parse(const char *name, const char *text, size_t size_bytes,
                               const char *today, wpa_arena *arena, wpa_error *err)
{
    reader r = {.told = wpa_arena_alloc(arena, sizeof *r.told)};
    bool ok = wpa_fact_lines_open(&r.lines, name, text, size_bytes, FIRST_LINE, today, arena, err);
    while (ok && r.lines.at < r.lines.end) {
        wpa_slice line = {"", 0};
        ok = wpa_fact_lines_next(&r.lines, &line, err) && read_row(&r, line, err);
    }
    r.told->date = r.lines.date;
    r.told->digest = ok ? wpa_arena_text(arena, r.lines.digest) : NULL;
    return ok ? r.told : NULL;
}

/* ---- looking up ---- */

const wpa_told_repo *wpa_told_repo_find(const wpa_told *told, wpa_slice slug)
{
    size_t low = 0, high = told ? told->n_repos : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = wpa_fact_compare_folded(told->repos[middle].name, slug);
        if (order == 0) {
            return &told->repos[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

const wpa_told_action *wpa_told_action_find(const wpa_told *told, wpa_slice slug)
{
    size_t low = 0, high = told ? told->n_actions : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare_action(told->actions[middle].name, slug);
        if (order == 0) {
            return &told->actions[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool wpa_told_is_withdrawn(const wpa_told *told, const char *id)
{
    return told->n_withdrawn && bsearch(&id, told->withdrawn, told->n_withdrawn,
                                        sizeof *told->withdrawn, compare_texts) != NULL;
}

/* ---- writing ---- */

static int compare_repos(const void *a, const void *b)
{
    const wpa_told_repo *x = a, *y = b;
    return wpa_fact_compare_folded(x->name, wpa_slice_of(y->name));
}

static int compare_actions(const void *a, const void *b)
{
    const wpa_told_action *x = a, *y = b;
    return compare_action(x->name, wpa_slice_of(y->name));
}

static void sort(void *rows, size_t n, size_t row_bytes, int (*order)(const void *, const void *))
{
    if (n) {
        qsort(rows, n, row_bytes, order);
    }
}

static void print_advisory(const wpa_fact_advisory *advisory, wpa_buf *out)
{
    wpa_buf_printf(out, "advisory %s %s %s %s %s\n", advisory->id, advisory->published,
                   advisory->severity, advisory->action, advisory->summary);
    for (size_t i = 0; i < advisory->n_ranges; i++) {
        const wpa_fact_range *range = &advisory->ranges[i];
        wpa_buf_printf(out, "range %s %s %s\n", range->introduced ? range->introduced : "0",
                       range->fixed ? range->fixed : "-",
                       range->last_affected ? range->last_affected : "-");
    }
}

static void print_action(const wpa_told_action *action, wpa_buf *out)
{
    char hex[2 * WPA_COMMIT_BYTES + 1];
    wpa_hex_encode(action->commit, WPA_COMMIT_BYTES, hex);
    wpa_buf_printf(out, "action %s %s %s %s %s\n", action->name, action->date, action->tag, hex,
                   action->using);
    if (action->image) {
        wpa_buf_printf(out, "image %s\n", action->image);
    }
    for (size_t i = 0; i < action->n_inputs; i++) {
        const wpa_fact_input *input = &action->inputs[i];
        wpa_buf_printf(out, "input %s %c%c%s%s\n", input->name, input->is_required ? 'r' : '-',
                       input->has_default ? 'd' : '-', input->deprecated ? " " : "",
                       input->deprecated ? input->deprecated : "");
    }
    for (size_t i = 0; i < action->n_outputs; i++) {
        wpa_buf_printf(out, "output %s\n", action->outputs[i]);
    }
    for (size_t i = 0; i < action->n_uses; i++) {
        wpa_buf_printf(out, "uses %s\n", action->uses[i]);
    }
}

bool wpa_told_print(wpa_told *told, wpa_buf *out, wpa_error *err)
{
    WPA_AUTO(wpa_buf) *rows = wpa_buf_new(WPA_REFRESHED_MAX_BYTES);
    sort(told->advisories, told->n_advisories, sizeof *told->advisories, compare_advisories);
    sort(told->withdrawn, told->n_withdrawn, sizeof *told->withdrawn, compare_texts);
    sort(told->repos, told->n_repos, sizeof *told->repos, compare_repos);
    sort(told->actions, told->n_actions, sizeof *told->actions, compare_actions);
    if (told->advisories_date) {
        wpa_buf_printf(rows, "advisories %s\n", told->advisories_date);
    }
    for (size_t i = 0; i < told->n_advisories; i++) {
        print_advisory(&told->advisories[i], rows);
    }
    for (size_t i = 0; i < told->n_withdrawn; i++) {
        wpa_buf_printf(rows, "withdrawn %s\n", told->withdrawn[i]);
    }
    for (size_t i = 0; i < told->n_repos; i++) {
        const wpa_told_repo *repo = &told->repos[i];
        wpa_buf_printf(rows, "repo %s %s %s%s%s\n", repo->name, repo->date, states[repo->state],
                       repo->target ? " " : "", repo->target ? repo->target : "");
    }
    for (size_t i = 0; i < told->n_actions; i++) {
        print_action(&told->actions[i], rows);
    }
    return wpa_fact_lines_print(FIRST_LINE, told->date, rows, out, err);
}
