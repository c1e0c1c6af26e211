/* A small world for the tests of notices: a database, who may say where they go, who sends them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "gen/sql.h"
#include "harness/pg.h"
#include "notify/notify.h"

typedef struct fixture {
    wpa_arena *arena;
    wpa_test_pg *pg;
    wpa_actor guardian, engine;
    wpa_db *api, *agent, *other; /* other: a second agent's */
    const char *home;            /* of secrets, where a test makes one */
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->arena = wpa_arena_new();
    f->pg = wpa_test_pg_new();
    f->guardian = wpa_test_person(f->pg, "mira", WPA_ROLE_GUARDIAN);
    f->engine = wpa_test_engine(f->pg);
    f->api = wpa_test_pg_connect(f->pg, "wpa_api");
    f->agent = wpa_test_pg_connect(f->pg, "wpa_agent");
    f->other = wpa_test_pg_connect(f->pg, "wpa_agent");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wpa_db_close(f->api);
    wpa_db_close(f->agent);
    wpa_db_close(f->other);
    wpa_test_pg_free(f->pg);
    wpa_arena_free(f->arena);
    free(f);
    return 0;
}

/** The words of the delivery that is claimed; NULL if none is due. */
static const char *claim(wpa_db *db, wpa_arena *arena)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_NOTIFY_CLAIM, (const char *[]){"{}"}, 1, &err);
    assert_non_null(rows);
    return wpa_rows_count(rows) ? wpa_rows_dup(rows, 0, 7, arena) : NULL;
}
