#include "facts/index.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <wpa/memory.h>

#include "facts/platform_tables.h"
#include "facts/tables.h"

/* Where names stand: in each of n rows of a table. */
static const struct {
    const void *rows;
    const size_t *n;
    size_t row_bytes, offset;
} columns[] = {
#define COLUMN(rows, n, type, field)                                                               \
    {                                                                                              \
        rows, &(n), sizeof(type), offsetof(type, field)                                            \
    }
    [WPA_COLUMN_ACTION_NEEDS] =
        COLUMN(wpa_fact_action_needs, wpa_fact_n_action_needs, wpa_fact_need, name),
    [WPA_COLUMN_ACTION_ROLES] =
        COLUMN(wpa_fact_action_roles, wpa_fact_n_action_roles, wpa_fact_action_role, program),
    [WPA_COLUMN_ADVISORIES] =
        COLUMN(wpa_fact_advisories, wpa_fact_n_advisories, wpa_fact_advisory, action),
    [WPA_COLUMN_ARCHIVE] = COLUMN(wpa_fact_archive, wpa_fact_n_archive, wpa_fact_archived, repo),
    [WPA_COLUMN_CACHES] = COLUMN(wpa_fact_caches, wpa_fact_n_caches, wpa_fact_cache, action),
    [WPA_COLUMN_CLOSED_PROGRAMS] =
        COLUMN(wpa_fact_closed_programs, wpa_fact_n_closed_programs, wpa_fact_name, program),
    [WPA_COLUMN_CLOUD_LOGINS] =
        COLUMN(wpa_fact_cloud_logins, wpa_fact_n_cloud_logins, wpa_fact_cloud_login, action),
    [WPA_COLUMN_CODE_INPUTS] =
        COLUMN(wpa_fact_code_inputs, wpa_fact_n_code_inputs, wpa_fact_named_list, name),
    [WPA_COLUMN_COMMANDS] =
        COLUMN(wpa_fact_commands, wpa_fact_n_commands, wpa_fact_command, program),
    [WPA_COLUMN_CREATORS] = COLUMN(wpa_fact_creators, wpa_fact_n_creators, wpa_fact_creator, owner),
    [WPA_COLUMN_DEBUG_ACTIONS] =
        COLUMN(wpa_fact_debug_actions, wpa_fact_n_debug_actions, wpa_fact_debug_action, action),
    [WPA_COLUMN_EVENTS] = COLUMN(wpa_fact_events, wpa_fact_n_events, wpa_fact_event, name),
    [WPA_COLUMN_INSTALLERS] =
        COLUMN(wpa_fact_installers, wpa_fact_n_installers, wpa_fact_installer, program),
    [WPA_COLUMN_LAUNCHERS] =
        COLUMN(wpa_fact_launchers, wpa_fact_n_launchers, wpa_fact_launcher, program),
    [WPA_COLUMN_MIGRATIONS] =
        COLUMN(wpa_fact_migrations, wpa_fact_n_migrations, wpa_fact_migration, action),
    [WPA_COLUMN_OIDC_ACTIONS] =
        COLUMN(wpa_fact_oidc_actions, wpa_fact_n_oidc_actions, wpa_fact_oidc_action, action),
    [WPA_COLUMN_ORIGINALS] =
        COLUMN(wpa_fact_originals, wpa_fact_n_originals, wpa_fact_original, name),
    [WPA_COLUMN_PROGRAMS] =
        COLUMN(wpa_fact_programs, wpa_fact_n_programs, wpa_fact_program, command),
    [WPA_COLUMN_PUBLISH_ACTIONS] = COLUMN(wpa_fact_publish_actions, wpa_fact_n_publish_actions,
                                          wpa_fact_publish_action, action),
    [WPA_COLUMN_PUBLISH_COMMANDS] = COLUMN(wpa_fact_publish_commands, wpa_fact_n_publish_commands,
                                           wpa_fact_publish_command, program),
    [WPA_COLUMN_RENAMED_OWNERS] =
        COLUMN(wpa_fact_renamed_owners, wpa_fact_n_renamed_owners, wpa_fact_renamed_owner, owner),
    [WPA_COLUMN_REPLACEMENTS] =
        COLUMN(wpa_fact_replacements, wpa_fact_n_replacements, wpa_fact_replacement, action),
    [WPA_COLUMN_RUNNERS] = COLUMN(wpa_fact_runners, wpa_fact_n_runners, wpa_fact_runner, label),
    [WPA_COLUMN_RUNTIMES] =
        COLUMN(wpa_fact_runtimes, wpa_fact_n_runtimes, wpa_fact_runtime, action),
    [WPA_COLUMN_TAINT_OUTPUTS] =
        COLUMN(wpa_fact_taint_outputs, wpa_fact_n_taint_outputs, wpa_fact_named_list, name),
    [WPA_COLUMN_TOOLS] = COLUMN(wpa_fact_tools, wpa_fact_n_tools, wpa_fact_tool, action),
    [WPA_COLUMN_VALUES] =
        COLUMN(wpa_fact_value_rows, wpa_fact_n_value_rows, wpa_fact_values, action),
    [WPA_COLUMN_WRAPPERS] =
        COLUMN(wpa_fact_wrappers, wpa_fact_n_wrappers, wpa_fact_wrapper, program),
#undef COLUMN
};

/* Actions of each trait. */
static const char *const *const traits[] = {
    [WPA_TRAIT_METADATA_ONLY] = wpa_fact_metadata_only_list,
    [WPA_TRAIT_MEMBER_CHECK] = wpa_fact_member_checks_list,
    [WPA_TRAIT_ARTIFACT_DOWNLOAD] = wpa_fact_artifact_downloads_list,
    [WPA_TRAIT_AI_AGENT] = wpa_fact_ai_agents_list,
    [WPA_TRAIT_TREE_RUNNER] = wpa_fact_tree_runners_list,
    [WPA_TRAIT_MERGER] = wpa_fact_mergers_list,
    [WPA_TRAIT_COMMENT_COMMAND] = wpa_fact_comment_commands_list,
    [WPA_TRAIT_PUBLISHER] = wpa_fact_publishers_list,
};

/* Tables of programs, by the number of their bit. */
static const wpa_facts_column programs[] = {
    WPA_COLUMN_COMMANDS,   WPA_COLUMN_LAUNCHERS,        WPA_COLUMN_WRAPPERS,
    WPA_COLUMN_INSTALLERS, WPA_COLUMN_PUBLISH_COMMANDS, WPA_COLUMN_CLOSED_PROGRAMS,
};

static const wpa_facts_column slugs[] = {
    [WPA_SLUG_NEEDS] = WPA_COLUMN_ACTION_NEEDS,
    [WPA_SLUG_ROLES] = WPA_COLUMN_ACTION_ROLES,
    [WPA_SLUG_CACHES] = WPA_COLUMN_CACHES,
    [WPA_SLUG_LOGINS] = WPA_COLUMN_CLOUD_LOGINS,
    [WPA_SLUG_DEBUG_ACTIONS] = WPA_COLUMN_DEBUG_ACTIONS,
    [WPA_SLUG_MIGRATIONS] = WPA_COLUMN_MIGRATIONS,
    [WPA_SLUG_RUNTIMES] = WPA_COLUMN_RUNTIMES,
    [WPA_SLUG_PUBLISH_ACTIONS] = WPA_COLUMN_PUBLISH_ACTIONS,
    [WPA_SLUG_REPLACEMENTS] = WPA_COLUMN_REPLACEMENTS,
    [WPA_SLUG_TOOLS] = WPA_COLUMN_TOOLS,
    [WPA_SLUG_VALUES] = WPA_COLUMN_VALUES,
};
_Static_assert(WPA_COUNT(slugs) == WPA_SLUG_TABLE_COUNT, "a column for each");
_Static_assert(WPA_TRAIT_COUNT <= 8, "the bits of wpa_slug_rows");

/* A row under one of its names; an empty entry has no name. */
typedef struct entry {
    const char *name;
    uint32_t hash;
    uint32_t row;
} entry;

/* Most names that are asked for are in no table: a bit of the hash says so, in memory that is small
 * enough to stay near the processor, where the entries are not. */
#define FILTER_BITS 16

typedef struct row_index {
    entry *entries; /* [mask + 1], at least half of them empty: those of one hash in a row */
    uint32_t mask;
    wpa_slug_rows *slugs; /* [n_slugs] by the row of their entries */
    size_t n_slugs;
    uint64_t filter[(1U << FILTER_BITS) / 64];
} row_index;

static pthread_once_t index_once = PTHREAD_ONCE_INIT;
static row_index shared; /* constant once made */
static _Atomic(bool) is_made;

static uint64_t with_bytes(uint64_t hash, uint64_t bytes)
{
    hash = (hash ^ (bytes | UINT64_C(0x2020202020202020))) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/** Fewer than eight bytes as a number: two halves that overlap, or one by one. */
static uint64_t short_bytes(wpa_slice name)
{
    uint32_t first, last;
    uint64_t bytes = 0;
    if (name.length >= sizeof first) {
        memcpy(&first, name.at, sizeof first);
        memcpy(&last, name.at + name.length - sizeof last, sizeof last);
        return (uint64_t)first << 32 | last;
    }
    for (size_t i = 0; i < name.length; i++) {
        bytes = bytes << 8 | (unsigned char)name.at[i];
    }
    return bytes;
}

/** Eight bytes at once, the last of them with some of those before: names are asked for often. */
static uint32_t hash_of(wpa_facts_column column, wpa_slice name)
{
    uint64_t hash = (uint64_t)column << 32 | name.length, bytes;
    if (name.length < sizeof bytes) {
        return (uint32_t)with_bytes(hash, short_bytes(name));
    }
    for (size_t i = 0; i + sizeof bytes < name.length; i += sizeof bytes) {
        memcpy(&bytes, name.at + i, sizeof bytes);
        hash = with_bytes(hash, bytes);
    }
    memcpy(&bytes, name.at + name.length - sizeof bytes, sizeof bytes);
    return (uint32_t)with_bytes(hash, bytes);
}

/** By other bits of the hash than those that an entry is looked for by. */
static uint32_t filter_place(uint32_t hash)
{
    return hash >> (32 - FILTER_BITS);
}

static void mark(row_index *index, uint32_t hash)
{
    uint32_t at = filter_place(hash);
    index->filter[at / 64] |= UINT64_C(1) << at % 64;
}

static bool may_have(const row_index *index, uint32_t hash)
{
    uint32_t at = filter_place(hash);
    return (index->filter[at / 64] >> at % 64 & 1) != 0;
}

static void add(row_index *index, wpa_facts_column column, const char *name, size_t row)
{
    uint32_t hash = hash_of(column, wpa_slice_of(name)), at = hash & index->mask;
    mark(index, hash);
    while (index->entries[at].name) {
        at = (at + 1) & index->mask;
    }
    index->entries[at] = (entry){name, hash, (uint32_t)row};
}

static const char *name_at(wpa_facts_column column, size_t row)
{
    const char *at = (const char *)columns[column].rows + row * columns[column].row_bytes;
    return *(const char *const *)(const void *)(at + columns[column].offset);
}

static size_t count(wpa_fact_list names)
{
    size_t n = 0;
    while (names[n]) {
        n++;
    }
    return n;
}

static void add_all(row_index *index, wpa_facts_column column, wpa_fact_list names, size_t row)
{
    for (size_t i = 0; names[i]; i++) {
        add(index, column, names[i], row);
    }
}

/* Programs go by their aliases, too. */
static size_t count_names(void)
{
    size_t n = 0;
    for (size_t c = 0; c < WPA_COLUMN_COUNT; c++) {
        n += *columns[c].n;
    }
    for (size_t i = 0; i < wpa_fact_n_programs; i++) {
        n += 2 * count(wpa_fact_programs[i].aliases) + 1; /* what is known of them is one more */
    }
    for (size_t i = 0; i < WPA_COUNT(traits); i++) {
        n += 2 * count(traits[i]);
    }
    for (size_t i = 0; i < WPA_COUNT(programs); i++) {
        n += *columns[programs[i]].n;
    }
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        n += *columns[slugs[i]].n;
    }
    return n + wpa_fact_n_actions + wpa_fact_n_repos;
}

/* The one entry of the program that says which tables have it; an empty one if none does yet. */
static entry *known_entry(const row_index *index, const char *name, uint32_t hash)
{
    uint32_t at = hash & index->mask;
    while (index->entries[at].name &&
           !(index->entries[at].hash == hash && wpa_text_is(index->entries[at].name, name))) {
        at = (at + 1) & index->mask;
    }
    return &index->entries[at];
}

static void note_known(row_index *index, const char *name, uint32_t bit)
{
    uint32_t hash = hash_of(WPA_COLUMN_KNOWN, wpa_slice_of(name));
    entry *known = known_entry(index, name, hash);
    if (!known->name) {
        *known = (entry){name, hash, 0};
        mark(index, hash);
    }
    known->row |= bit;
}

static void note_command_row(row_index *index, const char *name, size_t row)
{
    entry *known = known_entry(index, name, hash_of(WPA_COLUMN_KNOWN, wpa_slice_of(name)));
    assert(row < UINT32_MAX >> WPA_KNOWN_ROW_SHIFT);
    if (!(known->row >> WPA_KNOWN_ROW_SHIFT)) {
        known->row |= (uint32_t)(row + 1) << WPA_KNOWN_ROW_SHIFT;
    }
}

/* The programs of a table, each by its first row: those of one are neighbours. */
static void add_programs(row_index *index, wpa_facts_column column, uint32_t bit)
{
    for (size_t row = 0; row < *columns[column].n; row++) {
        const char *name = name_at(column, row);
        if (row > 0 && wpa_text_is(name, name_at(column, row - 1))) {
            continue;
        }
        note_known(index, name, bit);
        if (column == WPA_COLUMN_COMMANDS) {
            note_command_row(index, name, row);
        } else {
            add(index, column, name, row);
        }
    }
}

/** Letters' case is hardly ever different: all bytes are compared at once first. */
static bool is_name(wpa_slice name, const char *other)
{
    return strlen(other) == name.length && (memcmp(name.at, other, name.length) == 0 ||
                                            wpa_bytes_are_ci(name.at, other, name.length));
}

/* As known_entry, of an action by its slug in any case of letters. */
static entry *slug_entry(const row_index *index, wpa_slice slug, uint32_t hash)
{
    uint32_t at = hash & index->mask;
    while (index->entries[at].name &&
           !(index->entries[at].hash == hash && is_name(slug, index->entries[at].name))) {
        at = (at + 1) & index->mask;
    }
    return &index->entries[at];
}

static wpa_slug_rows *rows_of_slug(row_index *index, const char *name)
{
    wpa_slice slug = wpa_slice_of(name);
    uint32_t hash = hash_of(WPA_COLUMN_SLUGS, slug);
    entry *known = slug_entry(index, slug, hash);
    if (!known->name) {
        *known = (entry){name, hash, (uint32_t)index->n_slugs++};
        mark(index, hash);
    }
    return &index->slugs[known->row];
}

/* The rows of a table, the lower ones first. */
static void note_slug(row_index *index, wpa_slug_table table, size_t row)
{
    const char *name = name_at(slugs[table], row);
    wpa_slug_rows *rows = rows_of_slug(index, name);
    size_t first = rows->first[table], n = rows->n[table];
    assert(row < UINT16_MAX && n < UINT8_MAX);
    if (!first) {
        rows->first[table] = (uint16_t)(row + 1);
        rows->n[table] = 1;
    } else if (row + 1 == first + n && wpa_text_is(name, name_at(slugs[table], first - 1))) {
        rows->n[table]++;
    }
}

static void note_slugs(row_index *index)
{
    size_t n = 0;
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        n += *columns[slugs[i]].n;
    }
    for (size_t i = 0; i < WPA_COUNT(traits); i++) {
        n += count(traits[i]);
    }
    index->slugs = wpa_alloc((n + 1) * sizeof *index->slugs);
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        for (size_t row = 0; row < *columns[slugs[i]].n; row++) {
            note_slug(index, (wpa_slug_table)i, row);
        }
    }
    for (size_t i = 0; i < WPA_COUNT(traits); i++) {
        for (size_t k = 0; traits[i][k]; k++) {
            rows_of_slug(index, traits[i][k])->traits |= (uint8_t)(1U << i);
        }
    }
}

static bool is_of_programs(wpa_facts_column column)
{
    bool is_one = false;
    for (size_t i = 0; i < WPA_COUNT(programs); i++) {
        is_one = is_one || programs[i] == column;
    }
    return is_one;
}

static void make_index(void)
{
    size_t n = count_names(), size = 1;
    while (size < 2 * n) {
        size *= 2;
    }
    shared.mask = (uint32_t)size - 1;
    shared.entries = wpa_alloc(size * sizeof *shared.entries);
    for (size_t c = 0; c < WPA_COLUMN_COUNT; c++) {
        wpa_facts_column column = (wpa_facts_column)c;
        for (size_t row = 0; !is_of_programs(column) && row < *columns[c].n; row++) {
            add(&shared, column, name_at(column, row), row);
        }
    }
    for (size_t i = 0; i < wpa_fact_n_programs; i++) {
        const wpa_fact_program *program = &wpa_fact_programs[i];
        add_all(&shared, WPA_COLUMN_PROGRAMS, program->aliases, i);
        note_known(&shared, program->command, WPA_KNOWN_TOOL);
        for (size_t k = 0; program->aliases[k]; k++) {
            note_known(&shared, program->aliases[k], WPA_KNOWN_TOOL);
        }
    }
    for (size_t i = 0; i < WPA_COUNT(traits); i++) {
        add_all(&shared, WPA_COLUMN_TRAITS, traits[i], i);
    }
    for (size_t i = 0; i < WPA_COUNT(programs); i++) {
        add_programs(&shared, programs[i], UINT32_C(1) << i);
    }
    note_slugs(&shared);
    for (size_t i = 0; i < wpa_fact_n_actions; i++) {
        add(&shared, WPA_COLUMN_ACTIONS, wpa_fact_pool + wpa_fact_actions[i].name, i);
    }
    for (size_t i = 0; i < wpa_fact_n_repos; i++) {
        add(&shared, WPA_COLUMN_REPOS, wpa_fact_pool + wpa_fact_repos[i].name, i);
    }
    atomic_store_explicit(&is_made, true, memory_order_release);
}

/** Once made, which is seen without a call: names are asked for more often than anything else. */
static void need_index(void)
{
    if (!atomic_load_explicit(&is_made, memory_order_acquire)) {
        (void)pthread_once(&index_once, make_index);
    }
}

size_t wpa_facts_row(wpa_facts_column column, wpa_slice name, size_t from)
{
    need_index();
    uint32_t hash = hash_of(column, name);
    size_t first = WPA_NO_ROW;
    if (!may_have(&shared, hash)) {
        return WPA_NO_ROW;
    }
    for (uint32_t at = hash & shared.mask; shared.entries[at].name; at = (at + 1) & shared.mask) {
        const entry *e = &shared.entries[at];
        if (e->hash == hash && e->row >= from && e->row < first && is_name(name, e->name)) {
            first = e->row;
        }
    }
    return first;
}

size_t wpa_facts_rows(wpa_facts_column column, wpa_slice name, size_t *n)
{
    size_t first = wpa_facts_row(column, name, 0);
    *n = 0;
    while (first != WPA_NO_ROW && first + *n < *columns[column].n &&
           wpa_text_is(name_at(column, first + *n), name_at(column, first))) {
        (*n)++;
    }
    return first;
}

const wpa_slug_rows *wpa_facts_slug_rows(wpa_slice slug)
{
    need_index();
    uint32_t hash = hash_of(WPA_COLUMN_SLUGS, slug);
    const entry *known = may_have(&shared, hash) ? slug_entry(&shared, slug, hash) : NULL;
    return known && known->name ? &shared.slugs[known->row] : NULL;
}

size_t wpa_facts_program_row(wpa_facts_column column, const char *name)
{
    wpa_slice slice = wpa_slice_of(name);
    size_t row = wpa_facts_row(column, slice, 0);
    while (row != WPA_NO_ROW && !wpa_text_is(name_at(column, row), name)) {
        row = wpa_facts_row(column, slice, row + 1); /* that differs in the case of its letters */
    }
    return row;
}

unsigned wpa_facts_program_known(const char *name)
{
    need_index();
    uint32_t hash = hash_of(WPA_COLUMN_KNOWN, wpa_slice_of(name));
    const entry *known = may_have(&shared, hash) ? known_entry(&shared, name, hash) : NULL;
    return known && known->name ? known->row : 0;
}
