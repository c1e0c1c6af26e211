#include "deploy/target_rows.h"

#include <wpa/text.h>

#include "gen/sql.h"

static bool move_target(wpa_deploy_run *run, const wpa_target_change *c, const char *from,
                        const char *to, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char target[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_db_number(run->d->id, id),
        wpa_db_number(c->target->id, target),
        from,
        to,
        c->note,
        c->base,
        c->applied,
        c->reverted,
        c->observed,
    };
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_TARGET_MOVE, params, WPA_COUNT(params), err);
    if (rows == NULL) {
        return wpa_error_within(err, "target %s %s -> %s", c->target->repository, from, to);
    }
    return wpa_rows_count(rows) == 1 ||
           WPA_FAIL(err, WPA_E_CONFLICT, "target %s is not %s any more", c->target->repository,
                    from);
}

static bool insert_intent(wpa_deploy_run *run, const wpa_target_change *c, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char target[WPA_DB_NUMBER_SIZE];
    char token[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        c->begins->id,
        wpa_db_number(run->d->id, id),
        wpa_db_number(c->target->id, target),
        c->begins->kind,
        c->target->ref,
        c->begins->old_oid,
        c->begins->new_oid,
        wpa_db_bytes(run->arena, c->begins->raw, c->begins->raw_bytes),
        wpa_db_number(run->job->job->token, token),
    };
    return wpa_db_run(run->job->db, WPA_SQL_DEPLOY_INTENT_INSERT, params, WPA_COUNT(params), err);
}

static bool end_intent(wpa_deploy_run *run, const wpa_target_change *c, wpa_error *err)
{
    char token[WPA_DB_NUMBER_SIZE];
    const char *params[] = {c->ends->id, c->end_state, wpa_db_number(run->job->job->token, token)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_INTENT_END, params, WPA_COUNT(params), err);
    return rows != NULL && (wpa_rows_count(rows) == 1 ||
                            WPA_FAIL(err, WPA_E_CONFLICT, "intent %s has ended", c->ends->id));
}

bool wpa_target_write(wpa_deploy_run *run, const void *what, wpa_error *err)
{
    const wpa_target_change *c = what;
    if ((c->ends != NULL && !end_intent(run, c, err)) ||
        (c->begins != NULL && !insert_intent(run, c, err))) {
        return false;
    }
    if (c->via == NULL) {
        return move_target(run, c, c->from, c->to, err);
    }
    return move_target(run, c, c->from, c->via, err) && move_target(run, c, c->via, c->to, err);
}

bool wpa_target_wait(wpa_deploy_run *run, const wpa_deploy_target *target, int64_t delay_ms,
                     const char *note, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    char repository[WPA_DB_NUMBER_SIZE];
    char delay[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(run->d->id, id), wpa_db_number(target->id, repository),
                            wpa_db_number(delay_ms, delay), note};
    if (delay_ms >= 0) {
        wpa_deploy_wake(run, run->d->now_us + delay_ms * 1000);
    } else {
        run->has_moved = true;
    }
    if (!wpa_job_begin(run->job, err)) {
        return false;
    }
    if (!wpa_db_run(run->job->db, WPA_SQL_DEPLOY_TARGET_WAIT, params, WPA_COUNT(params), err)) {
        wpa_db_rollback(run->job->db);
        return false;
    }
    return wpa_db_commit(run->job->db, err);
}

bool wpa_target_intent(wpa_deploy_run *run, const wpa_deploy_target *target, wpa_intent *open,
                       bool *is_there, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(target->id, id), target->ref};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(run->job->db, WPA_SQL_DEPLOY_INTENT_OPEN, params, 2, err);
    if (rows == NULL) {
        return false;
    }
    *is_there = wpa_rows_count(rows) > 0;
    if (!*is_there) {
        return true;
    }
    *open = (wpa_intent){.deployment_id = wpa_rows_int(rows, 0, 1),
                         .kind = wpa_rows_dup(rows, 0, 2, run->arena)};
    wpa_text_copy(open->id, sizeof open->id, wpa_rows_text(rows, 0, 0));
    wpa_text_copy(open->old_oid, sizeof open->old_oid, wpa_rows_text(rows, 0, 3));
    wpa_text_copy(open->new_oid, sizeof open->new_oid, wpa_rows_text(rows, 0, 4));
    open->raw = wpa_rows_bytes(rows, 0, 5, run->arena, &open->raw_bytes);
    return open->deployment_id == run->d->id ||
           WPA_FAIL(err, WPA_E_INTERNAL, "target %s has an open intent of d-%lld",
                    target->repository, (long long)open->deployment_id);
}
