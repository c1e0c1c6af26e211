/* EFF-006: a matrix of so many legs that fewer would tell as much. */
#include <string.h>

#include "rules/work.h"

#define ROWS_MAX 8
#define VALUES_MAX 32
#define GITHUB_MAX_LEGS 256 /* more is a matter of limits */

static const wpa_rule_option options[] = {
    {"max-legs", "32", "legs on a pull request that are fine", WPA_OPTION_NUMBER},
    {0},
};

/* Rows of more than one value, by how many they have. */
typedef struct cover {
    size_t sizes[ROWS_MAX];
    size_t n_rows;
    bool seen[ROWS_MAX][ROWS_MAX][VALUES_MAX][VALUES_MAX]; /* the pair is in a leg already */
    size_t n_left;
} cover;

/* How many pairs that no leg has yet would value v of a row bring to this leg? */
static size_t gain_of(const cover *c, const size_t leg[], size_t row, size_t v)
{
    size_t n = 0;
    for (size_t i = 0; i < row; i++) {
        n += !c->seen[i][row][leg[i]][v];
    }
    /* Pairs with rows that are not chosen yet count too, or nothing would begin. */
    for (size_t i = row + 1; i < c->n_rows; i++) {
        for (size_t w = 0; w < c->sizes[i]; w++) {
            n += !c->seen[row][i][v][w];
        }
    }
    return n;
}

static void take_leg(cover *c)
{
    size_t leg[ROWS_MAX] = {0};
    for (size_t row = 0; row < c->n_rows; row++) {
        size_t best = 0, best_gain = 0;
        for (size_t v = 0; v < c->sizes[row]; v++) {
            size_t gain = gain_of(c, leg, row, v);
            best = gain > best_gain ? v : best;
            best_gain = gain > best_gain ? gain : best_gain;
        }
        leg[row] = best;
    }
    for (size_t i = 0; i < c->n_rows; i++) {
        for (size_t k = i + 1; k < c->n_rows; k++) {
            bool *seen = &c->seen[i][k][leg[i]][leg[k]];
            c->n_left -= !*seen;
            *seen = true;
        }
    }
}

/*
 * Legs of a set in which every pair of values of two rows stands together once, chosen greedily:
 * what a matrix finds that no single value would is nearly always found by a pair. 0 if it is too
 * large to be looked at.
 */
static size_t count_cover(const wpa_matrix *matrix, wpa_arena *arena)
{
    cover *c = wpa_arena_alloc(arena, sizeof *c);
    for (size_t i = 0; i < matrix->n_rows; i++) {
        size_t n = matrix->rows[i].n_values;
        if (n > VALUES_MAX || (n > 1 && c->n_rows == ROWS_MAX)) {
            return 0;
        }
        if (n > 1) {
            c->sizes[c->n_rows++] = n;
        }
    }
    for (size_t i = 0; i < c->n_rows; i++) {
        for (size_t k = i + 1; k < c->n_rows; k++) {
            c->n_left += c->sizes[i] * c->sizes[k];
        }
    }
    size_t n_legs = 0, n_before = c->n_left + 1;
    while (c->n_left && c->n_left < n_before) {
        n_before = c->n_left;
        take_leg(c);
        n_legs++;
    }
    return c->n_left ? 0 : n_legs;
}

static size_t count_rows(const wpa_matrix *matrix)
{
    size_t n = 0;
    for (size_t i = 0; i < matrix->n_rows; i++) {
        n += matrix->rows[i].n_values > 1;
    }
    return n;
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_within(wpa_arena_budget(run->arena));
    const wpa_work_matrix *matrix = wpa_work_matrix_of(run, job, arena);
    const wpa_strategy strategy = matrix->strategy;
    const wpa_matrix_legs legs = matrix->legs;
    size_t most = (size_t)wpa_rule_option_int(run, "max-legs", 1, GITHUB_MAX_LEGS, 32);
    size_t n_rows = count_rows(&strategy.matrix);
    bool is_wide = n_rows > 3 && legs.n > most / 2;
    if (!strategy.matrix.key || legs.n > GITHUB_MAX_LEGS || (legs.n <= most && !is_wide) ||
        wpa_work_mentions(job->condition, "event_name")) {
        return;
    }
    size_t n_cover = strategy.matrix.n_includes ? 0 : count_cover(&strategy.matrix, arena);
    if (n_cover && 2 * n_cover < legs.n) {
        (void)wpa_rule_report(run, strategy.matrix.key->span, NULL, NULL,
                              "each pull request runs %zu legs of job %s; %zu legs would try every "
                              "pair of values",
                              legs.n, wpa_rule_quote(run, job->id, strlen(job->id)), n_cover);
    } else {
        (void)wpa_rule_report(run, strategy.matrix.key->span, NULL, NULL,
                              "each pull request runs %zu legs of job %s", legs.n,
                              wpa_rule_quote(run, job->id, strlen(job->id)));
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; wpa_work_pr_trigger(o) && i < o->n_jobs; i++) {
        if (wpa_yaml_find(o->jobs[i].node, "strategy")) {
            check_job(run, &o->jobs[i]);
        }
    }
    return true;
}

const wpa_rule wpa_rule_matrix_explosion = {
    .code = "EFF-006",
    .id = "matrix-explosion",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A matrix runs very many legs for every pull request",
    .why = "Legs queue behind each other and are billed one by one; what fails in one of many "
           "nearly always fails for a value or a pair of values.",
    .fix = "Run a set that has every pair of values on pull requests, and all on a schedule. Which "
           "legs matter a person must say.",
    .options = options,
    .words = (const char *const[]){"strategy", NULL},
    .check = check,
};
