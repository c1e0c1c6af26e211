#include "score/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#define HALVING_PENALTY 8.0 /* one critical finding halves a dimension */
#define CAP_CRITICAL 49.0
#define CAP_HIGH 69.0
#define REPOSITORY_ABOVE_LOWEST 30.0

static const struct {
    const char *name;
    double weight;
} parts[WPA_SCORE_PARTS] = {{"security", 30},      {"performance", 15}, {"efficiency", 10},
                            {"compatibility", 15}, {"quality", 10},     {"run history", 20}};

static const double severity_points[WPA_SEVERITY_COUNT] = {1, 2, 4, 8};
static const double confidence_share[WPA_CONFIDENCE_COUNT] = {0.5, 0.8, 1};

const char *wpa_score_part_name(size_t part)
{
    return parts[part].name;
}

const char *wpa_score_cap_words(wpa_score_cap cap)
{
    static const char *const words[] = {"", "an open high security finding caps it at 69",
                                        "an open critical security finding caps it at 49",
                                        "the file is invalid"};
    return words[cap];
}

char wpa_score_grade(double total)
{
    static const struct {
        double least;
        char grade;
    } grades[] = {{90, 'A'}, {80, 'B'}, {70, 'C'}, {50, 'D'}};
    for (size_t i = 0; i < WPA_COUNT(grades); i++) {
        if (total >= grades[i].least) {
            return grades[i].grade;
        }
    }
    return 'F';
}

/* ---- penalties ---- */

static bool counts(const wpa_score_finding *finding)
{
    return !finding->is_ignored && finding->persona == WPA_PERSONA_DEFAULT;
}

static int compare_text(const char *a, const char *b)
{
    return !a || !b ? (a != NULL) - (b != NULL) : strcmp(a, b);
}

static int compare_rules(const wpa_score_finding *a, const wpa_score_finding *b)
{
    int order = compare_text(a->rule, b->rule);
    return order ? order : compare_text(a->check, b->check);
}

static int compare_places(const void *a, const void *b)
{
    const wpa_score_finding *x = *(const wpa_score_finding *const *)a;
    const wpa_score_finding *y = *(const wpa_score_finding *const *)b;
    int order = compare_rules(x, y);
    return order ? order : strcmp(x->job, y->job);
}

/**
 * How much of itself each finding counts for: 1, or a share of it if the same finding repeats in
 * every job, since together they count once. They are sorted for it: a file has thousands, and to
 * look at each beside each other takes minutes.
 */
static const double *scopes_of(const wpa_score_input *input, wpa_arena *arena)
{
    double *scopes = wpa_arena_array(arena, input->n_findings + 1, sizeof *scopes);
    const wpa_score_finding **in_jobs =
        wpa_arena_array(arena, input->n_findings + 1, sizeof(const wpa_score_finding *));
    size_t n = 0;
    for (size_t i = 0; i < input->n_findings; i++) {
        const wpa_score_finding *finding = &input->findings[i];
        scopes[i] = 1;
        if (input->n_jobs > 1 && counts(finding) && finding->job) {
            in_jobs[n++] = finding;
        }
    }
    if (n > 1) {
        qsort(in_jobs, n, sizeof *in_jobs, compare_places);
    }
    for (size_t first = 0, end = 0; first < n; first = end) {
        size_t n_jobs = 0;
        for (; end < n && compare_rules(in_jobs[end], in_jobs[first]) == 0; end++) {
            n_jobs += end == first || strcmp(in_jobs[end]->job, in_jobs[end - 1]->job) != 0;
        }
        for (size_t i = first; i < end && n_jobs >= input->n_jobs; i++) {
            scopes[in_jobs[i] - input->findings] = 1.0 / (double)(end - first);
        }
    }
    return scopes;
}

static double penalty_of(const wpa_score_finding *finding, double scope)
{
    if (!counts(finding) || finding->kind == WPA_KIND_OPPORTUNITY) {
        return 0;
    }
    if (finding->penalty > 0) {
        return finding->penalty;
    }
    return severity_points[finding->severity] * confidence_share[finding->confidence] *
           (finding->severity > WPA_SEVERITY_MEDIUM ? 1 : scope);
}

/* ---- parts ---- */

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static double score_runs(const wpa_score_runs *runs)
{
    double good = (double)(runs->n_good + 1) / (double)(runs->n_runs + 2);
    double flaky = runs->n_commits ? (double)runs->n_flaky / (double)runs->n_commits : 0;
    double speed = runs->p50_before > 0 ? clamp(2 - runs->p50_now / runs->p50_before, 0, 1) : 1;
    return 100 * (0.6 * good + 0.2 * (1 - flaky) + 0.2 * speed);
}

static void score_parts(const wpa_score_input *input, const double *scopes, wpa_score *score)
{
    for (size_t i = 0; i < WPA_SCORE_PARTS; i++) {
        score->parts[i].weight = parts[i].weight;
        score->parts[i].has_data = true;
    }
    for (size_t i = 0; i < input->n_findings; i++) {
        const wpa_score_finding *finding = &input->findings[i];
        score->parts[finding->dimension].penalty += penalty_of(finding, scopes[i]);
    }
    for (size_t i = 0; i < WPA_DIMENSION_COUNT; i++) {
        score->parts[i].score = 100 * exp2(-score->parts[i].penalty / HALVING_PENALTY);
    }
    wpa_score_part *history = &score->parts[WPA_SCORE_RUNS];
    history->has_data = input->runs && input->runs->n_runs >= WPA_SCORE_MIN_RUNS;
    history->score = history->has_data ? score_runs(input->runs) : 0;
}

static double sum_weights(const wpa_score *score)
{
    double sum = 0;
    for (size_t i = 0; i < WPA_SCORE_PARTS; i++) {
        sum += score->parts[i].has_data ? score->parts[i].weight : 0;
    }
    return sum;
}

/* ---- shares in whole hundredths ---- */

typedef struct share {
    double exact;
    int64_t rounded;
    size_t index;
} share;

static int compare_remainders(const void *a, const void *b)
{
    const share *x = a, *y = b;
    double rx = x->exact - (double)x->rounded, ry = y->exact - (double)y->rounded;
    if (rx != ry) {
        return rx > ry ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

static int compare_indexes(const void *a, const void *b)
{
    const share *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

/** Round shares so that they add up to total: the largest remainders are rounded up. */
static void round_shares(share *shares, size_t n, int64_t total)
{
    int64_t left = total;
    for (size_t i = 0; i < n; i++) {
        shares[i].index = i;
        shares[i].rounded = (int64_t)floor(shares[i].exact);
        left -= shares[i].rounded;
    }
    qsort(shares, n, sizeof *shares, compare_remainders);
    for (size_t i = 0; i < n && left > 0; i++, left--) {
        shares[i].rounded++;
    }
    for (size_t i = n; i-- > 0 && left < 0; left++) {
        shares[i].rounded--;
    }
    qsort(shares, n, sizeof *shares, compare_indexes);
}

static void explain_parts(wpa_score *score)
{
    share shares[WPA_SCORE_PARTS] = {0};
    double weights = sum_weights(score);
    for (size_t i = 0; i < WPA_SCORE_PARTS; i++) {
        const wpa_score_part *part = &score->parts[i];
        shares[i].exact = part->has_data ? 100 * part->weight * (100 - part->score) / weights : 0;
    }
    round_shares(shares, WPA_SCORE_PARTS, 10000 - llround(score->uncapped * 100));
    for (size_t i = 0; i < WPA_SCORE_PARTS; i++) {
        score->parts[i].lost = shares[i].rounded;
    }
}

static int compare_lines(const void *a, const void *b)
{
    const wpa_score_cost *x = a, *y = b;
    if (x->lost != y->lost) {
        return x->lost > y->lost ? -1 : 1;
    }
    if (x->penalty != y->penalty) {
        return x->penalty > y->penalty ? -1 : 1;
    }
    return x->id < y->id ? -1 : x->id > y->id;
}

/** Lines of one dimension, appended behind those that are there. */
static size_t explain_dimension(const wpa_score_input *input, const double *scopes,
                                const wpa_score *score, wpa_dimension dimension,
                                wpa_score_cost *lines, wpa_arena *arena)
{
    size_t n = 0;
    for (size_t i = 0; i < input->n_findings; i++) {
        double penalty = penalty_of(&input->findings[i], scopes[i]);
        if (input->findings[i].dimension == dimension && penalty > 0) {
            lines[n++] = (wpa_score_cost){input->findings[i].id, dimension, penalty, 0};
        }
    }
    if (n == 0) {
        return 0;
    }
    const wpa_score_part *part = &score->parts[dimension];
    share *shares = wpa_arena_array(arena, n, sizeof *shares);
    for (size_t i = 0; i < n; i++) {
        shares[i].exact = (double)part->lost * lines[i].penalty / part->penalty;
    }
    round_shares(shares, n, part->lost);
    for (size_t i = 0; i < n; i++) {
        lines[i].lost = shares[i].rounded;
    }
    return n;
}

static void explain(const wpa_score_input *input, const double *scopes, wpa_score *score,
                    wpa_arena *arena)
{
    explain_parts(score);
    size_t n_all = input->n_findings ? input->n_findings : 1;
    wpa_score_cost *lines = wpa_arena_array(arena, n_all, sizeof *lines);
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        score->n_lines += explain_dimension(input, scopes, score, (wpa_dimension)i,
                                            lines + score->n_lines, arena);
    }
    if (score->n_lines) {
        qsort(lines, score->n_lines, sizeof *lines, compare_lines);
    }
    score->lines = lines;
}

/* ---- total ---- */

static wpa_score_cap find_cap(const wpa_score_input *input)
{
    wpa_score_cap cap = input->is_invalid ? WPA_SCORE_CAP_INVALID : WPA_SCORE_UNCAPPED;
    for (size_t i = 0; i < input->n_findings && !input->is_invalid; i++) {
        const wpa_score_finding *finding = &input->findings[i];
        bool can_cap = counts(finding) && finding->kind != WPA_KIND_OPPORTUNITY &&
                       finding->dimension == WPA_DIMENSION_SECURITY &&
                       finding->confidence >= WPA_CONFIDENCE_MEDIUM;
        if (can_cap && finding->severity == WPA_SEVERITY_CRITICAL) {
            return WPA_SCORE_CAP_CRITICAL;
        }
        if (can_cap && finding->severity == WPA_SEVERITY_HIGH) {
            cap = WPA_SCORE_CAP_HIGH;
        }
    }
    return cap;
}

static void apply_cap(wpa_score *score)
{
    static const double most[] = {100, CAP_HIGH, CAP_CRITICAL, 0};
    score->total = score->uncapped < most[score->cap] ? score->uncapped : most[score->cap];
    score->cap_lost = llround(score->uncapped * 100) - llround(score->total * 100);
    score->grade = wpa_score_grade(score->total);
}

/** All but the explanation. */
static wpa_score sum_up(const wpa_score_input *input, const double *scopes)
{
    wpa_score score = {.cap = find_cap(input)};
    score_parts(input, scopes, &score);
    for (size_t i = 0; i < WPA_SCORE_PARTS; i++) {
        const wpa_score_part *part = &score.parts[i];
        score.n_parts += part->has_data;
        score.uncapped += part->has_data ? part->weight * part->score : 0;
    }
    score.uncapped /= sum_weights(&score);
    return score;
}

wpa_score wpa_score_compute(const wpa_score_input *input, wpa_arena *arena)
{
    const double *scopes = scopes_of(input, arena);
    wpa_score score = sum_up(input, scopes);
    explain(input, scopes, &score, arena);
    apply_cap(&score);
    return score;
}

double wpa_score_without(const wpa_score_input *input, int64_t id)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_score_finding *rest = wpa_arena_array(arena, input->n_findings + 1, sizeof *rest);
    wpa_score_input without = *input;
    without.findings = rest;
    without.n_findings = 0;
    for (size_t i = 0; i < input->n_findings; i++) {
        if (input->findings[i].id != id) {
            rest[without.n_findings++] = input->findings[i];
        }
    }
    wpa_score score = sum_up(&without, scopes_of(&without, arena));
    apply_cap(&score);
    return score.total;
}

/* ---- more than one workflow ---- */

double wpa_score_repository(const wpa_score_member *workflows, size_t n)
{
    double sum = 0, weights = 0, lowest = 100;
    for (size_t i = 0; i < n; i++) {
        double weight = 1 + log10(1 + (double)workflows[i].n_runs);
        sum += weight * workflows[i].total;
        weights += weight;
        lowest = workflows[i].total < lowest ? workflows[i].total : lowest;
    }
    double mean = sum / weights;
    return mean < lowest + REPOSITORY_ABOVE_LOWEST ? mean : lowest + REPOSITORY_ABOVE_LOWEST;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/** Nearest rank: the least value that a share p of all do not exceed. */
static double percentile(const double *sorted, size_t n, double p)
{
    size_t rank = (size_t)ceil(p * (double)n);
    return sorted[rank ? rank - 1 : 0];
}

wpa_score_spread wpa_score_fleet(const wpa_score_member *repositories, size_t n, wpa_arena *arena)
{
    double *sorted = wpa_arena_array(arena, n, sizeof *sorted);
    double sum = 0, weights = 0;
    for (size_t i = 0; i < n; i++) {
        sorted[i] = repositories[i].total;
        sum += repositories[i].criticality * repositories[i].total;
        weights += repositories[i].criticality;
    }
    qsort(sorted, n, sizeof *sorted, compare_doubles);
    return (wpa_score_spread){sum / weights, percentile(sorted, n, 0.1), percentile(sorted, n, 0.5),
                              percentile(sorted, n, 0.9)};
}
