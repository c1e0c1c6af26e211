#include <errno.h>
#include <poll.h>

#include <wpa/text.h>

#include "db/pg.h"

bool wpa_pg_relisten(wpa_db *db, wpa_error *err)
{
    for (size_t i = 0; i < db->n_listens; i++) {
        if (!wpa_db_run(db, db->listens[i], NULL, 0, err)) {
            return false;
        }
    }
    return true;
}

bool wpa_db_listen(wpa_db *db, const wpa_sql *listen, wpa_error *err)
{
    if (!wpa_db_run(db, listen, NULL, 0, err)) {
        return false;
    }
    for (size_t i = 0; i < db->n_listens; i++) {
        if (db->listens[i] == listen) {
            return true;
        }
    }
    if (db->n_listens == WPA_DB_MAX_LISTENS) {
        return WPA_FAIL(err, WPA_E_LIMIT, "a connection listens to at most %d channels",
                        WPA_DB_MAX_LISTENS);
    }
    db->listens[db->n_listens++] = listen;
    return true;
}

/** The next one out of libpq's memory. Queries put them there too, so poll alone does not tell. */
static bool fetch(wpa_db *db, wpa_db_note *note)
{
    (void)PQconsumeInput(db->conn);
    PGnotify *notify = PQnotifies(db->conn);
    if (!notify) {
        return false;
    }
    (void)wpa_text_copy(note->channel, sizeof note->channel, notify->relname);
    (void)wpa_text_copy(note->payload, sizeof note->payload, notify->extra);
    PQfreemem(notify);
    return true;
}

bool wpa_db_note_next(wpa_db *db, wpa_db_note *note)
{
    wpa_pg_check_owner(db);
    if (db->has_note) {
        *note = db->note;
        db->has_note = false;
        return true;
    }
    return !wpa_db_is_lost(db) && fetch(db, note);
}

int wpa_db_fd(const wpa_db *db)
{
    return db->conn ? PQsocket(db->conn) : -1;
}

bool wpa_db_wait(wpa_db *db, int other_fd, int timeout_ms, wpa_error *err)
{
    wpa_pg_check_owner(db);
    if (!db->has_note && !wpa_db_is_lost(db)) {
        db->has_note = fetch(db, &db->note);
    }
    if (db->has_note) {
        return true;
    }
    struct pollfd fds[] = {
        {.fd = wpa_db_fd(db), .events = POLLIN},
        {.fd = other_fd, .events = POLLIN}, /* poll passes over negative ones */
    };
    if (poll(fds, WPA_COUNT(fds), timeout_ms) < 0 && errno != EINTR) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "poll: %s", wpa_strerror(errno));
    }
    if (fds[0].revents && !PQconsumeInput(db->conn)) {
        return wpa_pg_fail(db, NULL, "wait for notifications", err);
    }
    if (wpa_db_is_lost(db)) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "database: connection lost");
    }
    return true;
}
