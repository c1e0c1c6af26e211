#include "rules/expression_keys.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

/* Keys of action files by the names that the availability table has for them. */
static const struct {
    const char *pattern, *key;
} action_keys[] = {
    {"runs.steps.if", "action.yml:step-if"},
    {"runs.steps.env", "action.yml:step-env"},
    {"runs.steps.with", "action.yml:step-with"},
    {"runs.steps.continue-on-error", "action.yml:boolean-steps-context"},
    {"runs.steps.uses", NULL},
    {"runs.steps", "action.yml:string-steps-context"},
    {"runs.pre-if", "action.yml:runs-if"},
    {"runs.post-if", "action.yml:runs-if"},
    {"runs.env", "action.yml:container-runs-env"},
    {"runs.args", "action.yml:container-runs-context"},
    {"outputs.<output_id>.value", "action.yml:output-value"},
    {"inputs.<input_id>.default", "action.yml:input-default-context"},
};

/* What the value must be, if the path is just this and no list stands in between. */
static const struct {
    const char *pattern;
    wpa_expression_use use;
} uses[] = {
    {"jobs.<job_id>.continue-on-error", WPA_EXPRESSION_BOOL},
    {"jobs.<job_id>.strategy.fail-fast", WPA_EXPRESSION_BOOL},
    {"jobs.<job_id>.steps.continue-on-error", WPA_EXPRESSION_BOOL},
    {"jobs.<job_id>.concurrency.cancel-in-progress", WPA_EXPRESSION_BOOL},
    {"concurrency.cancel-in-progress", WPA_EXPRESSION_BOOL},
    {"jobs.<job_id>.environment.deployment", WPA_EXPRESSION_BOOL},
    {"jobs.<job_id>.timeout-minutes", WPA_EXPRESSION_NUMBER},
    {"jobs.<job_id>.steps.timeout-minutes", WPA_EXPRESSION_NUMBER},
    {"jobs.<job_id>.strategy.max-parallel", WPA_EXPRESSION_NUMBER},
    {"jobs.<job_id>.strategy", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.strategy.matrix", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.strategy.matrix.<row>", WPA_EXPRESSION_ARRAY},
    {"env", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.env", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.steps.env", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.container.env", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.services.<service_id>.env", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.services", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.services.<service_id>", WPA_EXPRESSION_TEXT_OR_OBJECT},
    {"jobs.<job_id>.container", WPA_EXPRESSION_TEXT_OR_OBJECT},
    {"jobs.<job_id>.environment", WPA_EXPRESSION_NAME_OR_OBJECT},
    {"jobs.<job_id>.concurrency", WPA_EXPRESSION_NAME_OR_OBJECT},
    {"jobs.<job_id>.container.ports", WPA_EXPRESSION_ARRAY},
    {"jobs.<job_id>.container.volumes", WPA_EXPRESSION_ARRAY},
    {"jobs.<job_id>.services.<service_id>.ports", WPA_EXPRESSION_ARRAY},
    {"jobs.<job_id>.services.<service_id>.volumes", WPA_EXPRESSION_ARRAY},
    {"jobs.<job_id>.container.credentials", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.services.<service_id>.credentials", WPA_EXPRESSION_OBJECT},
    {"jobs.<job_id>.runs-on", WPA_EXPRESSION_TEXT_OR_ARRAY},
    {"jobs.<job_id>.runs-on.labels", WPA_EXPRESSION_TEXT_OR_ARRAY},
    {"on.workflow_call.inputs.<inputs_id>.default", WPA_EXPRESSION_DEFAULT},
    {"runs.steps.continue-on-error", WPA_EXPRESSION_BOOL},
};

static const char *const conditions[] = {
    "jobs.<job_id>.if", "jobs.<job_id>.steps.if", "jobs.<job_id>.snapshot.if", "runs.steps.if",
    "runs.pre-if",      "runs.post-if",
};

/* ---- patterns -----------------------------------------------------------------------------------
 * Names with dots; <x> stands for any name. Most of them begin alike: those of all tables are one
 * tree, the same for all files. */

typedef enum table {
    ROWS, /* of the availability of contexts */
    ACTION_KEYS,
    USES,
    CONDITIONS,
    TABLES
} table;

#define NODES_MAX 400
#define SLOTS 1024

typedef struct pattern_node {
    size_t parent;
    const char *name;
    size_t length;
    size_t any; /* the node below it for any name; 0: there is none */
    bool has_rows;
    size_t rows[TABLES]; /* whose pattern ends here, from 1 on; 0: none does */
} pattern_node;

static struct {
    pattern_node nodes[NODES_MAX]; /* [n] the root first */
    size_t n;
    size_t slots[SLOTS]; /* nodes by parent and name; 0: free */
} tree = {.n = 1};
static pthread_once_t tree_once = PTHREAD_ONCE_INIT;

/** Where in the slots the node of this name below a parent is, or would be. */
static size_t *slot_of(size_t parent, const char *name, size_t length)
{
    size_t ends = length ? (unsigned char)name[0] * 5 + (unsigned char)name[length - 1] : 0;
    for (size_t i = parent * 89 + length * 23 + ends;; i++) {
        size_t *slot = &tree.slots[i % SLOTS];
        const pattern_node *node = &tree.nodes[*slot];
        bool is_it = node->parent == parent && node->length == length &&
                     wpa_bytes_are(node->name, name, length);
        if (!*slot || is_it) {
            return slot;
        }
    }
}

static void add_pattern(table of, size_t row, const char *pattern)
{
    size_t at = 0;
    while (*pattern) {
        size_t length = strcspn(pattern, ".");
        size_t *slot = *pattern == '<' ? &tree.nodes[at].any : slot_of(at, pattern, length);
        if (!*slot) {
            assert(tree.n < NODES_MAX);
            tree.nodes[tree.n] = (pattern_node){.parent = at, .name = pattern, .length = length};
            *slot = tree.n++;
        }
        at = *slot;
        pattern += length + (pattern[length] == '.');
    }
    size_t *is_at = &tree.nodes[at].rows[of];
    *is_at = *is_at ? *is_at : row + 1;
    tree.nodes[at].has_rows = true;
}

static void list_patterns(void)
{
    for (size_t i = 0; i < wpa_facts_availability_count(); i++) {
        add_pattern(ROWS, i, wpa_facts_availability_at(i)->key);
    }
    for (size_t i = 0; i < WPA_COUNT(action_keys); i++) {
        add_pattern(ACTION_KEYS, i, action_keys[i].pattern);
    }
    for (size_t i = 0; i < WPA_COUNT(uses); i++) {
        add_pattern(USES, i, uses[i].pattern);
    }
    for (size_t i = 0; i < WPA_COUNT(conditions); i++) {
        add_pattern(CONDITIONS, i, conditions[i]);
    }
}

/* Of each table the row of most names that the path begins with, of those of as many the first. */
typedef struct best_rows {
    size_t rows[TABLES]; /* from 1 on; 0: none */
    size_t n_names[TABLES];
} best_rows;

static void note_rows(const pattern_node *node, size_t n_names, best_rows *best)
{
    for (size_t of = 0; of < TABLES; of++) {
        bool is_better = n_names > best->n_names[of] ||
                         (n_names == best->n_names[of] && node->rows[of] < best->rows[of]);
        if (node->rows[of] && is_better) {
            best->rows[of] = node->rows[of];
            best->n_names[of] = n_names;
        }
    }
}

static void descend(size_t at, const wpa_key_path *path, size_t n_names, best_rows *best)
{
    const pattern_node *node = &tree.nodes[at];
    if (node->has_rows) {
        note_rows(node, n_names, best);
    }
    if (n_names == path->n) {
        return;
    }
    const char *name = path->names[n_names];
    size_t below = *slot_of(at, name, strlen(name));
    if (below) {
        descend(below, path, n_names + 1, best);
    }
    if (node->any) {
        descend(node->any, path, n_names + 1, best);
    }
}

static best_rows find_rows(const wpa_key_path *path)
{
    (void)pthread_once(&tree_once, list_patterns);
    best_rows best = {0};
    descend(0, path, 0, &best);
    return best;
}

/** Does a pattern of the table fit the whole path? */
static bool is_whole(const wpa_key_path *path, const best_rows *best, table of)
{
    return best->rows[of] && best->n_names[of] == path->n;
}

/* ---- places ---- */

static void find_action_key(size_t row, wpa_key_facts *facts)
{
    const char *key = action_keys[row].key;
    facts->key = key ? wpa_facts_availability_find(key) : NULL;
    facts->name = action_keys[row].pattern;
}

static void find_workflow_key(size_t row, wpa_key_facts *facts)
{
    facts->key = wpa_facts_availability_at(row);
    facts->name = facts->key->key;
}

/** What stands inside a row of a matrix may be anything. */
static bool is_in_matrix_row(const wpa_key_path *path)
{
    const size_t n_row = 5; /* jobs.<job_id>.strategy.matrix.<row> */
    return path->n >= n_row && (path->is_item || path->n > n_row) &&
           wpa_text_is(path->names[2], "strategy") && wpa_text_is(path->names[3], "matrix") &&
           wpa_text_is(path->names[0], "jobs");
}

static wpa_expression_use use_of(const wpa_key_path *path, const best_rows *best)
{
    if (is_whole(path, best, CONDITIONS)) {
        return WPA_EXPRESSION_CONDITION;
    }
    if (is_in_matrix_row(path)) {
        return WPA_EXPRESSION_ANYTHING;
    }
    bool has_use = !path->is_item && is_whole(path, best, USES);
    return has_use ? uses[best->rows[USES] - 1].use : WPA_EXPRESSION_TEXT;
}

wpa_key_facts wpa_key_facts_of(const wpa_key_path *path, bool is_workflow)
{
    wpa_key_facts facts = {0};
    best_rows best = find_rows(path);
    if (is_workflow && best.rows[ROWS]) {
        find_workflow_key(best.rows[ROWS] - 1, &facts);
    } else if (!is_workflow && best.rows[ACTION_KEYS]) {
        find_action_key(best.rows[ACTION_KEYS] - 1, &facts);
    }
    facts.use = use_of(path, &best);
    return facts;
}
