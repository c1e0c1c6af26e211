/* For tests of src/guardian: a database with mira, its first guardian, who is signed in. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/db.h"
#include "guardian/guardian.h"
#include "guardian/session.h"
#include "harness/pg.h"

typedef struct fixture {
    wpa_test_pg *pg;
    wpa_db *db;
    wpa_secret *right, *wrong;
    wpa_actor where;
    wpa_session mira;     /* signed in */
    const char *key_path; /* of one-time codes; NULL: they are not sealed */
} fixture;

static int set_up(void **state)
{
    static fixture made;
    wpa_error err = {0};
    made = (fixture){.pg = wpa_test_pg_new()};
    made.db = wpa_test_pg_connect(made.pg, "wpa_api");
    made.right = wpa_secret_new("correct horse", 13);
    made.wrong = wpa_secret_new("battery staple", 14);
    made.where = (wpa_actor){.address = "192.0.2.7", .user_agent = "tests"};
    *state = &made;
    bool is_good = wpa_guardian_create_first(made.db, &made.where, "mira", made.right, &err) &&
                   wpa_session_sign_in(made.db, &made.where, "mira", made.right, made.key_path,
                                       NULL, "console", &made.mira, &err);
    if (!is_good) {
        print_error("%s\n", err.message);
    }
    return is_good ? 0 : 1;
}

static int tear_down(void **state)
{
    fixture *made = *state;
    wpa_secret_free(made->right);
    wpa_secret_free(made->wrong);
    wpa_db_close(made->db);
    wpa_test_pg_free(made->pg);
    return 0;
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
