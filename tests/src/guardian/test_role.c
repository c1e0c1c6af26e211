#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/actor.h>

static void test_roles_allow_what_the_table_says(void **state)
{
    (void)state;
    static const struct {
        wpa_action action;
        bool viewer, guardian, agent;
    } cases[] = {
        {WPA_ACTION_READ, true, true, true},
        {WPA_ACTION_VERIFY_AUDIT, true, true, true},
        {WPA_ACTION_ORDER_ANALYSIS, false, true, true},
        {WPA_ACTION_IGNORE_FINDING, false, true, false},
        {WPA_ACTION_CREATE_PATCH, false, true, true},
        {WPA_ACTION_APPROVE_PATCH, false, true, false},
        {WPA_ACTION_WAIVE_CHECK, false, true, false},
        {WPA_ACTION_START_DEPLOYMENT, false, true, false},
        {WPA_ACTION_ROLL_BACK, false, true, false},
        {WPA_ACTION_ROLL_BACK_BY_RULE, false, false, true},
        {WPA_ACTION_CONCLUDE_DEPLOYMENT, false, true, false},
        {WPA_ACTION_CHANGE_POLICY, false, true, false},
        {WPA_ACTION_CHANGE_PRINCIPALS, false, true, false},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        bool allowed[] = {cases[i].viewer, cases[i].guardian, cases[i].agent};
        for (int role = 0; role < WPA_ROLE_COUNT; role++) {
            wpa_actor actor = {.principal_id = 1, .role = (wpa_role)role, .name = "mira"};
            wpa_error err = {0};
            assert_int_equal(wpa_actor_check(&actor, cases[i].action, &err), allowed[role]);
            assert_int_equal(err.code, allowed[role] ? WPA_OK : WPA_E_DENIED);
        }
    }
}

/* A machine starts what people have approved. */
static void test_a_machine_gives_nobodys_word(void **state)
{
    (void)state;
    const wpa_actor machine = {
        .principal_id = 1, .role = WPA_ROLE_GUARDIAN, .name = "mira", .cannot_approve = true};
    static const wpa_action refused[] = {WPA_ACTION_APPROVE_PATCH, WPA_ACTION_WAIVE_CHECK};
    wpa_error err = {0};
    assert_true(wpa_actor_check(&machine, WPA_ACTION_START_DEPLOYMENT, &err));
    for (size_t i = 0; i < WPA_COUNT(refused); i++) {
        assert_false(wpa_actor_check(&machine, refused[i], &err));
        assert_int_equal(err.code, WPA_E_DENIED);
        wpa_error_clear(&err);
    }
}

static void test_nobody_may_do_nothing(void **state)
{
    (void)state;
    wpa_actor unknown = {.role = WPA_ROLE_GUARDIAN};
    for (int action = 0; action < WPA_ACTION_COUNT; action++) {
        wpa_error err = {0};
        assert_false(wpa_actor_check(NULL, (wpa_action)action, &err));
        assert_int_equal(err.code, WPA_E_DENIED);
        assert_false(wpa_actor_check(&unknown, (wpa_action)action, &err));
        assert_true(strlen(wpa_action_text((wpa_action)action)) > 3);
    }
}

static void test_role_names_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < WPA_ROLE_COUNT; i++) {
        wpa_role role = WPA_ROLE_COUNT;
        wpa_error err = {0};
        assert_true(wpa_role_parse(wpa_role_name((wpa_role)i), &role, &err));
        assert_int_equal(role, i);
    }
    wpa_role role = WPA_ROLE_VIEWER;
    wpa_error err = {0};
    assert_false(wpa_role_parse("owner", &role, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles_allow_what_the_table_says),
        cmocka_unit_test(test_a_machine_gives_nobodys_word),
        cmocka_unit_test(test_nobody_may_do_nothing),
        cmocka_unit_test(test_role_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
