/* The chain: known answers, and every way of tampering is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "audit/audit.h"
#include "db/db.h"
#include "harness/pg.h"

static void known_answers(void **state)
{
    (void)state;
    uint8_t genesis[32];
    uint8_t hash[32];
    char hex[65];
    wpa_audit_genesis(genesis);
    wpa_hex_encode(genesis, 32, hex);
    assert_string_equal(hex, "6dc6c43c7e7344c5431bda92cc420ec76877a0117a1301beef658588fdcac316");
    const wpa_audit_text row = {.seq = 1,
                                .at_us = 1767323045000006,
                                .actor = "7",
                                .action = "patch.pending",
                                .subject = "patch:1",
                                .detail = "{}"};
    wpa_audit_hash(genesis, &row, hash);
    wpa_hex_encode(hash, 32, hex);
    assert_string_equal(hex, "95ef05ed3dd00116480d4b1fdc342a8b0d19e5d1dc845ce1f0f1bf573008d7b5");
}

static void the_database_computes_the_same(void **state)
{
    (void)state;
    wpa_test_pg *pg = wpa_test_pg_new();
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    assert_string_equal(
        wpa_test_sql_value(pg, 0, arena,
                           "SELECT encode(audit_hash(sha256('wpa audit v1'), 1, "
                           "'2026-01-02T03:04:05.000006Z', '7', 'patch.pending', 'patch:1', '{}'), "
                           "'hex')"),
        "95ef05ed3dd00116480d4b1fdc342a8b0d19e5d1dc845ce1f0f1bf573008d7b5");
    assert_string_equal(wpa_test_sql_value(pg, 0, arena,
                                           "SELECT canonical('{\"b\": [1, {\"z\": null, \"a\": "
                                           "\"\\u0001\"}], \"aa\": 1.50, \"B\": true}')"),
                        "{\"B\":true,\"aa\":1.50,\"b\":[1,{\"a\":\"\\u0001\",\"z\":null}]}");
    wpa_test_pg_free(pg);
}

/* Tampering needs the owner with the triggers off; replica mode is what an attacker would use. */
#define REPLICA "SET LOCAL session_replication_role = replica;"
static const struct {
    const char *title, *sql, *fault;
    int64_t seq;
} tampers[] = {
    {"detail changed", REPLICA "UPDATE audit SET detail='{}' WHERE seq=3", "hash", 3},
    {"actor changed", REPLICA "UPDATE audit SET actor='9' WHERE seq=2", "hash", 2},
    {"time changed", REPLICA "UPDATE audit SET at=at+interval '1 second' WHERE seq=4", "hash", 4},
    {"row cut out", REPLICA "DELETE FROM audit WHERE seq=3", "gap", 3},
    {"tail cut", REPLICA "DELETE FROM audit WHERE seq>=4", "gap", 4},
    {"order changed",
     REPLICA "UPDATE audit SET seq=-1 WHERE seq=2; UPDATE audit SET seq=2 WHERE seq=3;"
             "UPDATE audit SET seq=3 WHERE seq=-1",
     "link", 2},
    {"hash forged with its row",
     REPLICA "UPDATE audit SET detail='{}', "
             "hash=audit_hash(prev,seq,at,actor,action,subject,'{}') WHERE seq=3",
     "link", 4},
    {"last row forged with its row",
     REPLICA "UPDATE audit SET detail='{}', "
             "hash=audit_hash(prev,seq,at,actor,action,subject,'{}') WHERE seq=5",
     "head", 5},
    {"head set back", "UPDATE audit_head SET hash='\\x00'", "head", 5},
    {"head set back to a row that was",
     "UPDATE audit_head SET (seq,hash)=(SELECT seq,hash FROM audit WHERE seq=3)", "head", 5},
    {"row put behind the head",
     REPLICA "INSERT INTO audit SELECT seq+1,at,actor,action,subject,detail,hash,"
             "audit_hash(hash,seq+1,at,actor,action,subject,detail) FROM audit WHERE seq=5",
     "head", 6},
    {"row put before the first",
     REPLICA "INSERT INTO audit SELECT -7,at,actor,action,subject,detail,prev,hash FROM audit "
             "WHERE seq=1",
     "gap", 1},
    {"row put in the place before the first",
     REPLICA "INSERT INTO audit SELECT 0,at,actor,action,subject,detail,prev,hash FROM audit WHERE "
             "seq=1",
     "gap", 1},
    {"all cut out, with the head", REPLICA "DELETE FROM audit; DELETE FROM audit_head", "head", 1},
};

static wpa_test_pg *with_five_rows(void)
{
    wpa_test_pg *pg = wpa_test_pg_new();
    for (int i = 0; i < 5; i++) {
        assert_string_equal(
            wpa_test_sql(pg, "wpa_agent", 1, "SELECT audit_add('test.row', 'x', '{\"b\":1}')"),
            "00000");
    }
    return pg;
}

static void every_tampering_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(tampers); i++) {
        wpa_test_pg *pg = with_five_rows();
        wpa_db *db = wpa_test_pg_connect(pg, "wpa_viewer");
        wpa_audit_report report;
        wpa_error err = {0};
        assert_true(wpa_audit_verify(db, 0, 0, &report, &err));
        assert_int_equal(report.fault_seq, 0);
        assert_int_equal(report.n_rows, 5);
        assert_string_equal(wpa_test_sql(pg, NULL, 0, tampers[i].sql), "00000");
        assert_true(wpa_audit_verify(db, 0, 0, &report, &err));
        if (report.fault_seq != tampers[i].seq || strcmp(report.fault, tampers[i].fault) != 0) {
            fail_msg("%s: found '%s' at %lld", tampers[i].title, report.fault,
                     (long long)report.fault_seq);
        }
        wpa_db_close(db);
        wpa_test_pg_free(pg);
    }
}

static void rows_are_read_newest_first(void **state)
{
    (void)state;
    wpa_test_pg *pg = with_five_rows();
    wpa_actor actor = wpa_test_person(pg, "mira", WPA_ROLE_GUARDIAN);
    wpa_db *db = wpa_test_pg_connect(pg, "wpa_api");
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_audit_entry *entries = NULL;
    size_t n = 0;
    wpa_error err = {0};
    assert_true(wpa_audit_append(db, &actor, "session.signed_in", "session:1", NULL, &err));
    const wpa_audit_query query = {.actor = "mira", .action = "session"};
    assert_true(wpa_audit_read(db, &query, arena, &entries, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(entries[0].who, "mira");
    assert_string_equal(entries[0].row.detail,
                        "{\"address\":\"10.2.0.14\",\"user_agent\":\"xterm-256color\"}");
    wpa_audit_report report;
    assert_true(wpa_audit_verify(db, 3, 5, &report, &err));
    assert_int_equal(report.n_rows, 3);
    assert_false(wpa_audit_verify(db, 99, 0, &report, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
    wpa_db_close(db);
    wpa_test_pg_free(pg);
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(the_database_computes_the_same),
        cmocka_unit_test(every_tampering_is_found),
        cmocka_unit_test(rows_are_read_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
