/* A statement before others, in one round trip: the session of a call before what it looks at. */
#include <assert.h>

#include "db/pg.h"

static bool shut(wpa_pg_gate *gate, const wpa_error *err)
{
    gate->state = WPA_PG_GATE_SHUT;
    gate->error = *err;
    return false;
}

void wpa_db_gate_begin(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n,
                       wpa_db_gate pass, void *context)
{
    assert(n <= WPA_DB_GATE_PARAMS && !db->is_open);
    db->gate = (wpa_pg_gate){.state = WPA_PG_GATE_WAITING,
                             .statement = statement,
                             .n = n,
                             .pass = pass,
                             .context = context};
    for (size_t i = 0; i < n; i++) {
        db->gate.params[i] = params[i];
    }
}

void wpa_db_gate_end(wpa_db *db)
{
    db->gate = (wpa_pg_gate){0};
}

/** What the gate says of its rows (NULL: *err says why there are none). */
static bool pass(wpa_pg_gate *gate, const wpa_rows *rows, wpa_error *err)
{
    if (!rows || !gate->pass(gate->context, rows, err)) {
        return shut(gate, err);
    }
    gate->state = WPA_PG_GATE_NONE;
    return true;
}

bool wpa_db_gate_ask(wpa_db *db, wpa_error *err)
{
    wpa_pg_gate *gate = &db->gate;
    if (gate->state == WPA_PG_GATE_WAITING) {
        gate->state = WPA_PG_GATE_NONE; /* for its own statement */
        WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, gate->statement, gate->params, gate->n, err);
        return pass(gate, rows, err);
    }
    if (gate->state == WPA_PG_GATE_SHUT) {
        *err = gate->error;
        return false;
    }
    return true;
}

/* ---- both at once ------------------------------------------------------------------------------
 */

/** The result of one statement of a pipeline, and the NULL behind it. */
static PGresult *take_result(wpa_db *db)
{
    PGresult *result = wpa_pg_next_result(db), *more;
    while (result && (more = wpa_pg_next_result(db))) {
        PQclear(more);
    }
    return result;
}

/** Up to the end of the pipeline; a lost connection has none. */
static void end_pipeline(wpa_db *db)
{
    bool has_ended = false;
    for (int n_empty = 0; !has_ended && n_empty < 2 && !wpa_db_is_lost(db);) {
        PGresult *result = wpa_pg_next_result(db);
        n_empty = result ? 0 : n_empty + 1;
        has_ended = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
    if (db->conn && PQexitPipelineMode(db->conn) != 1 && !wpa_db_is_lost(db)) {
        PQfinish(db->conn); /* whatever it still says belongs to nobody: begin anew */
        db->conn = NULL;
    }
}

static wpa_rows *exec_both(wpa_db *db, const wpa_sql *statement, const char *const params[],
                           size_t n, wpa_error *err)
{
    wpa_pg_gate *gate = &db->gate;
    if (PQenterPipelineMode(db->conn) != 1) {
        (void)WPA_FAIL(err, WPA_E_INTERNAL, "database: no pipeline");
        (void)shut(gate, err);
        return NULL;
    }
    PGresult *first = NULL, *second = NULL;
    if (wpa_pg_send(db, gate->statement, gate->params, gate->n) == 1 &&
        wpa_pg_send(db, statement, params, n) == 1 && PQpipelineSync(db->conn) == 1) {
        first = take_result(db);
        second = first ? take_result(db) : NULL;
    }
    WPA_AUTO(wpa_rows) *asked = wpa_pg_rows(db, first, gate->statement, err);
    bool may_pass = pass(gate, asked, err);
    wpa_rows *rows = may_pass ? wpa_pg_rows(db, second, statement, err) : NULL;
    if (!may_pass) {
        PQclear(second);
    }
    end_pipeline(db);
    return rows;
}

wpa_rows *wpa_pg_exec_gated(wpa_db *db, const wpa_sql *statement, const char *const params[],
                            size_t n, wpa_error *err)
{
    wpa_pg_gate *gate = &db->gate;
    bool are_both = gate->state == WPA_PG_GATE_WAITING && statement->index >= 0 &&
                    gate->statement->index >= 0 && !db->is_open;
    if (!are_both) {
        return wpa_db_gate_ask(db, err) ? wpa_db_exec(db, statement, params, n, err) : NULL;
    }
    if (!wpa_db_prepare(db, gate->statement, err) || !wpa_db_prepare(db, statement, err)) {
        (void)shut(gate, err);
        return NULL;
    }
    return exec_both(db, statement, params, n, err);
}
