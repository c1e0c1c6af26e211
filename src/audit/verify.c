#include <string.h>

#include <wpa/text.h>

#include "audit/audit.h"
#include "auth/hash.h"
#include "gen/sql.h"

#define PAGE_ROWS 5000
#define PAGE_TEXT "5000"
#define CLOCK_SLACK_US 5000000 /* a failover may set the clock back a little */

_Static_assert(WPA_AUDIT_HASH_SIZE == WPA_SHA256_SIZE, "the chain is made of SHA-256");

void wpa_audit_genesis(uint8_t hash[WPA_AUDIT_HASH_SIZE])
{
    static const char text[] = "wpa audit v1";
    wpa_sha256(text, sizeof text - 1, hash);
}

static void put_big_endian(uint8_t *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        at[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
    }
}

static void add_field(wpa_sha256_state *state, const char *text)
{
    uint8_t length[4];
    size_t n = strlen(text);
    put_big_endian(length, n, sizeof length);
    wpa_sha256_update(state, length, sizeof length);
    wpa_sha256_update(state, text, n);
}

void wpa_audit_hash(const uint8_t prev[WPA_AUDIT_HASH_SIZE], const wpa_audit_text *row,
                    uint8_t hash[WPA_AUDIT_HASH_SIZE])
{
    wpa_sha256_state state;
    uint8_t number[8];
    wpa_sha256_init(&state);
    wpa_sha256_update(&state, prev, WPA_AUDIT_HASH_SIZE);
    put_big_endian(number, (uint64_t)row->seq, sizeof number);
    wpa_sha256_update(&state, number, sizeof number);
    put_big_endian(number, (uint64_t)row->at_us, sizeof number);
    wpa_sha256_update(&state, number, sizeof number);
    add_field(&state, row->actor);
    add_field(&state, row->action);
    add_field(&state, row->subject);
    add_field(&state, row->detail);
    wpa_sha256_final(&state, hash);
}

/* ---- verification -----------------------------------------------------------------------------
 */

typedef struct verifier {
    wpa_audit_report *report;
    uint8_t prev[WPA_AUDIT_HASH_SIZE]; /* hash of the row before */
    int64_t next_seq;
} verifier;

static bool fault(verifier *v, int64_t seq, const char *what, const char *stored,
                  const char *computed)
{
    v->report->fault_seq = seq;
    (void)wpa_text_copy(v->report->fault, sizeof v->report->fault, what);
    (void)wpa_text_copy(v->report->stored, sizeof v->report->stored, stored);
    (void)wpa_text_copy(v->report->computed, sizeof v->report->computed, computed);
    return false;
}

static const char *hex_of(const uint8_t hash[WPA_AUDIT_HASH_SIZE], char *hex)
{
    wpa_hex_encode(hash, WPA_AUDIT_HASH_SIZE, hex);
    return hex;
}

/** False at a fault. */
static bool check_row(verifier *v, const wpa_rows *rows, size_t i)
{
    wpa_audit_text row = {
        .seq = wpa_rows_int(rows, i, 0),
        .at_us = wpa_rows_int(rows, i, 1),
        .actor = wpa_rows_text(rows, i, 2),
        .action = wpa_rows_text(rows, i, 3),
        .subject = wpa_rows_text(rows, i, 4),
        .detail = wpa_rows_text(rows, i, 5),
    };
    char want[WPA_SHA256_HEX_SIZE];
    char number[WPA_DB_NUMBER_SIZE];
    char other[WPA_DB_NUMBER_SIZE];
    const char *prev = wpa_rows_text(rows, i, 6);
    const char *stored = wpa_rows_text(rows, i, 7);
    if (row.seq != v->next_seq) {
        return fault(v, v->next_seq, "gap", wpa_db_number(row.seq, number),
                     wpa_db_number(v->next_seq, other));
    }
    if (strcmp(prev, hex_of(v->prev, want)) != 0) {
        return fault(v, row.seq, "link", prev, want);
    }
    wpa_audit_hash(v->prev, &row, v->prev);
    if (strcmp(stored, hex_of(v->prev, want)) != 0) {
        return fault(v, row.seq, "hash", stored, want);
    }
    if (row.at_us + CLOCK_SLACK_US < v->report->last_at_us) {
        return fault(v, row.seq, "time", wpa_db_number(row.at_us, number),
                     wpa_db_number(v->report->last_at_us, other));
    }
    v->report->n_rows++;
    v->report->last_seq = row.seq;
    v->report->last_at_us = row.at_us;
    v->next_seq++;
    return true;
}

/** The hash before the first row: the genesis, or what the row before says. */
static bool begin(wpa_db *db, verifier *v, int64_t from_seq, wpa_error *err)
{
    v->next_seq = from_seq;
    v->report->first_seq = from_seq;
    if (from_seq == 1) {
        wpa_audit_genesis(v->prev);
        return true;
    }
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(from_seq - 1, number)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_AUDIT_HASH_OF, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0 ||
        !wpa_hex_decode(wpa_rows_text(rows, 0, 0), v->prev, WPA_AUDIT_HASH_SIZE)) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no audit row %lld",
                        (long long)(from_seq - 1));
    }
    return true;
}

/* Where the log begins and ends, as its rows have it and as its head does: of one moment. */
typedef struct ends {
    int64_t lowest, highest; /* 1, 0: there is no row */
    int64_t head;            /* -1: there is no head */
    char hash[WPA_SHA256_HEX_SIZE];
} ends;

static bool read_ends(wpa_db *db, ends *e, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_AUDIT_ENDS, NULL, 0, err);
    if (!rows) {
        return false;
    }
    e->lowest = wpa_rows_int(rows, 0, 0);
    e->highest = wpa_rows_int(rows, 0, 1);
    e->head = wpa_rows_is_null(rows, 0, 2) ? -1 : wpa_rows_int(rows, 0, 2);
    const char *hash = wpa_rows_is_null(rows, 0, 3) ? "" : wpa_rows_text(rows, 0, 3);
    (void)wpa_text_copy(e->hash, sizeof e->hash, hash);
    return true;
}

/**
 * The head must be the last row, and no row may stand before the first one; what was appended
 * since the beginning is for the next time.
 */
static bool check_ends(wpa_db *db, verifier *v, wpa_error *err)
{
    ends e;
    char want[WPA_SHA256_HEX_SIZE];
    char number[WPA_DB_NUMBER_SIZE];
    char other[WPA_DB_NUMBER_SIZE];
    if (!read_ends(db, &e, err)) {
        return false;
    }
    int64_t last = v->next_seq - 1;
    if (e.lowest < 1) {
        (void)fault(v, 1, "gap", wpa_db_number(e.lowest, number), wpa_db_number(1, other));
    } else if (e.head < last || (e.head == last && strcmp(e.hash, hex_of(v->prev, want)) != 0)) {
        (void)fault(v, last > 0 ? last : 1, "head", e.hash, hex_of(v->prev, want));
    }
    return true;
}

/** To the last row, even if the head says that there is none so late. */
static bool find_end(wpa_db *db, int64_t *to_seq, wpa_error *err)
{
    ends e;
    if (*to_seq > 0) {
        return true;
    }
    if (!read_ends(db, &e, err)) {
        return false;
    }
    *to_seq = e.head > e.highest ? e.head : e.highest;
    return true;
}

static bool check_pages(wpa_db *db, verifier *v, int64_t to_seq, wpa_error *err)
{
    while (v->next_seq <= to_seq) {
        char from[WPA_DB_NUMBER_SIZE];
        char to[WPA_DB_NUMBER_SIZE];
        const char *params[] = {wpa_db_number(v->next_seq, from), wpa_db_number(to_seq, to),
                                PAGE_TEXT};
        WPA_AUTO(wpa_rows) *rows =
            wpa_db_exec(db, WPA_SQL_AUDIT_PAGE, params, WPA_COUNT(params), err);
        if (!rows) {
            return false;
        }
        for (size_t i = 0; i < wpa_rows_count(rows); i++) {
            if (!check_row(v, rows, i)) {
                return true;
            }
        }
        if (wpa_rows_count(rows) < PAGE_ROWS && v->next_seq <= to_seq) {
            (void)fault(v, v->next_seq, "gap", "", "");
            return true;
        }
    }
    return true;
}

bool wpa_audit_verify(wpa_db *db, int64_t from_seq, int64_t to_seq, wpa_audit_report *report,
                      wpa_error *err)
{
    *report = (wpa_audit_report){0};
    verifier v = {.report = report};
    bool is_whole = to_seq <= 0;
    if (!begin(db, &v, from_seq > 0 ? from_seq : 1, err) || !find_end(db, &to_seq, err) ||
        !check_pages(db, &v, to_seq, err)) {
        return wpa_error_within(err, "verify the audit log");
    }
    return !is_whole || report->fault_seq != 0 || check_ends(db, &v, err);
}
