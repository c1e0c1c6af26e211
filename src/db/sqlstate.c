/* SQLSTATE to wpa_code: a table, the longest matching prefix wins. */
#include <string.h>

#include <wpa/text.h>

#include "db/pg.h"

static const struct {
    const char *prefix;
    wpa_code code;
} codes[] = {
    {"WP001", WPA_E_LEASE_LOST},  {"WP", WPA_E_REFUSED},
    {"23514", WPA_E_REFUSED}, /* check constraints say what a state needs */
    {"23505", WPA_E_CONFLICT},    {"40001", WPA_E_CONFLICT},
    {"40P01", WPA_E_CONFLICT},    {"23", WPA_E_INVALID},
    {"22", WPA_E_INVALID},        {"42501", WPA_E_DENIED},
    {"28", WPA_E_DENIED},         {"55P03", WPA_E_TIMEOUT},
    {"57014", WPA_E_TIMEOUT},     {"57P", WPA_E_UNAVAILABLE},
    {"53", WPA_E_UNAVAILABLE},    {"08", WPA_E_UNAVAILABLE},
    {"25P03", WPA_E_UNAVAILABLE}, /* idle in transaction: the server has closed the session */
    {"25006", WPA_E_UNAVAILABLE}, /* read only: after a failover this is a standby */
};

static wpa_code code_of(const char *sqlstate)
{
    for (size_t i = 0; i < WPA_COUNT(codes); i++) {
        if (wpa_text_starts(sqlstate, codes[i].prefix)) {
            return codes[i].code;
        }
    }
    return WPA_E_INTERNAL;
}

/** libpq's own messages end in a line feed and may have several lines: the first says it. */
static void first_line(const char *message, char *line, size_t size_bytes)
{
    size_t length = strcspn(message, "\n");
    if (wpa_text_starts(message, "ERROR:  ") || wpa_text_starts(message, "FATAL:  ")) {
        message += 8;
        length -= 8;
    }
    (void)wpa_text_format(line, size_bytes, "%.*s", (int)length, message);
}

bool wpa_pg_fail(wpa_db *db, const PGresult *result, const char *what, wpa_error *err)
{
    /* A killed backend gives a result without SQLSTATE, and a broken connection. */
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    char line[512];
    (void)wpa_text_copy(db->sqlstate, sizeof db->sqlstate, sqlstate ? sqlstate : "");
    if (primary) {
        (void)wpa_text_copy(line, sizeof line, primary);
    } else {
        first_line(db->conn ? PQerrorMessage(db->conn)
                            : "no answer in time, the connection was given up",
                   line, sizeof line);
    }
    if (!sqlstate || PQstatus(db->conn) == CONNECTION_BAD) {
        wpa_code code = sqlstate ? code_of(sqlstate) : WPA_E_UNAVAILABLE;
        if (code != WPA_E_DENIED) {
            code = WPA_E_UNAVAILABLE;
        }
        (void)WPA_FAIL(err, code, "database: %s", line[0] ? line : "connection lost");
        return wpa_error_within(err, "%s", what);
    }
    wpa_code code = code_of(sqlstate);
    if (code == WPA_E_INTERNAL) {
        (void)WPA_FAIL(err, code, "%s (SQLSTATE %s)", line, sqlstate);
        return wpa_error_within(err, "%s", what);
    }
    return WPA_FAIL(err, code, "%s", line);
}
