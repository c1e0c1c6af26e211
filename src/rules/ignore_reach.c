/* Which part of a file a comment that silences stands in, or in front of. */
#include <string.h>

#include <wpa/text.h>

#include "rules/ignore.h"

/* That a step may begin behind its dash: more would be searched anew for each comment between. */
#define DASH_BYTES_MAX 4096

size_t wpa_ignore_last_line(const wpa_yaml_doc *doc, const wpa_yaml_node *node)
{
    return wpa_yaml_line_of(doc, node->span.end ? node->span.end - 1 : 0);
}

/** Does the i-th thing of a list or a mapping begin before this byte, where a line begins? */
static bool begins_before(const wpa_yaml_node *list, size_t i, size_t line_start)
{
    if (list->kind == WPA_YAML_MAPPING) {
        return list->pairs[i].key->span.start < line_start;
    }
    size_t start = wpa_yaml_full(list->items[i]).start;
    bool may_begin_above = start >= line_start && start - line_start <= DASH_BYTES_MAX;
    return (may_begin_above ? wpa_yaml_dash(list->items[i]) : start) < line_start;
}

/** Of n things in the order of the file, the first that begins on the line or behind it. */
static size_t first_from(const wpa_yaml_doc *doc, const wpa_yaml_node *list, size_t n, size_t line)
{
    size_t line_start = wpa_yaml_line(doc, line).start; /* the end of the file behind it */
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_before = begins_before(list, middle, line_start);
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    return low;
}

/** The step among these that begins on the line, or NULL. */
static const wpa_yaml_node *step_on(const wpa_yaml_doc *doc, const wpa_yaml_node *steps,
                                    size_t line)
{
    steps = wpa_yaml_resolve(steps);
    if (!wpa_yaml_is(steps, WPA_YAML_SEQUENCE)) {
        return NULL;
    }
    size_t i = first_from(doc, steps, steps->n_items, line);
    bool is_there =
        i < steps->n_items && wpa_yaml_line_of(doc, wpa_yaml_dash(steps->items[i])) == line;
    return is_there ? steps->items[i] : NULL;
}

const wpa_yaml_node *wpa_ignore_block_on(const wpa_yaml_doc *doc, size_t line)
{
    const wpa_yaml_node *jobs = wpa_yaml_get(doc->root, "jobs");
    const wpa_yaml_node *step = NULL;
    if (wpa_yaml_is(jobs, WPA_YAML_MAPPING)) {
        size_t next = first_from(doc, jobs, jobs->n_pairs, line);
        if (next < jobs->n_pairs &&
            wpa_yaml_line_of(doc, jobs->pairs[next].key->span.start) == line) {
            return jobs->pairs[next].value;
        }
        /* Of the job that began before; by aliases, of any. */
        for (size_t i = next; i-- > 0 && !step && (i + 1 == next || doc->n_aliases > 0);) {
            step = step_on(doc, wpa_yaml_get(jobs->pairs[i].value, "steps"), line);
        }
    }
    const wpa_yaml_node *runs = wpa_yaml_get(doc->root, "runs");
    return step ? step : step_on(doc, wpa_yaml_get(runs, "steps"), line);
}

/* ---- how far a comment of zizmor's reaches ----------------------------------------------------*/

static const wpa_yaml_pair *pair_around(const wpa_yaml_doc *doc, const wpa_yaml_node *node,
                                        size_t line)
{
    size_t next =
        wpa_yaml_is(node, WPA_YAML_MAPPING) ? first_from(doc, node, node->n_pairs, line + 1) : 0;
    return next ? &node->pairs[next - 1] : NULL;
}

static const wpa_yaml_node *item_around(const wpa_yaml_doc *doc, const wpa_yaml_node *node,
                                        size_t line)
{
    size_t next =
        wpa_yaml_is(node, WPA_YAML_SEQUENCE) ? first_from(doc, node, node->n_items, line + 1) : 0;
    return next ? node->items[next - 1] : NULL;
}

const wpa_yaml_node *wpa_ignore_call_on(const wpa_yaml_doc *doc, size_t line)
{
    const wpa_yaml_pair *job = pair_around(doc, wpa_yaml_get(doc->root, "jobs"), line);
    const wpa_yaml_pair *uses = job ? wpa_yaml_find(job->value, "uses") : NULL;
    return uses && wpa_yaml_line_of(doc, uses->key->span.start) == line ? job->value : NULL;
}

typedef struct part {
    size_t start;             /* of its key, or of what stands behind its dash */
    const wpa_yaml_node *end; /* its last node; NULL: there is none */
    bool is_item;
} part;

static part part_of_pair(const wpa_yaml_pair *pair)
{
    return pair ? (part){pair->key->span.start, pair->value, false} : (part){0};
}

static part part_of_item(const wpa_yaml_node *item)
{
    return item ? (part){wpa_yaml_full(item).start, item, true} : (part){0};
}

/** Does a comment alone on its line belong to the part, though it stands behind its last words? */
static bool is_below(const wpa_yaml_doc *doc, size_t comment, const part *around)
{
    size_t column = around->start - wpa_yaml_line(doc, wpa_yaml_line_of(doc, around->start)).start;
    size_t indent = comment - wpa_yaml_line(doc, wpa_yaml_line_of(doc, comment)).start;
    return indent + around->is_item > column;
}

/** The entry of a list, or the whole value; permissions and images are judged one by one. */
static part part_of_value(const wpa_yaml_doc *doc, const wpa_yaml_pair *pair, size_t line)
{
    static const char *const lists[] = {"steps", "updates", "repos"};
    static const char *const loose[] = {"permissions", "container", "services"};
    const char *key = pair ? wpa_yaml_text(pair->key) : NULL;
    if (!key || wpa_text_index(key, loose, WPA_COUNT(loose)) >= 0) {
        return (part){0};
    }
    return wpa_text_index(key, lists, WPA_COUNT(lists)) >= 0
               ? part_of_item(item_around(doc, pair->value, line))
               : part_of_pair(pair);
}

static part part_around(const wpa_yaml_doc *doc, size_t line)
{
    const wpa_yaml_pair *pair = pair_around(doc, doc->root, line);
    const char *key = pair ? wpa_yaml_text(pair->key) : NULL;
    if (wpa_text_is(key, "runs")) {
        pair = pair_around(doc, pair->value, line);
    } else if (wpa_text_is(key, "jobs")) {
        pair = pair_around(doc, pair->value, line);
        if (pair && wpa_yaml_find(pair->value, "uses")) {
            return part_of_pair(pair);
        }
        pair = pair ? pair_around(doc, pair->value, line) : NULL;
    }
    return part_of_value(doc, pair, line);
}

void wpa_ignore_reach_around(const wpa_yaml_doc *doc, bool is_alone, wpa_ignore *ignore)
{
    part around = part_around(doc, ignore->first_line);
    size_t last = around.end ? wpa_ignore_last_line(doc, around.end) : 0;
    bool is_inside = ignore->first_line <= last ||
                     (is_alone && around.end && is_below(doc, ignore->span.start, &around));
    if (is_inside) {
        ignore->first_around = wpa_yaml_line_of(doc, around.start);
        ignore->last_around = last;
    }
}
