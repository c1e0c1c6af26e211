#include <string.h>

#include <wpa/command.h>
#include <wpa/memory.h>

typedef struct command_info {
    const char *name;
    wpa_action action;
} command_info;

static const command_info infos[WPA_COMMAND_COUNT] = {
    [WPA_COMMAND_FIRST_GUARDIAN] = {"create the first guardian", WPA_ACTION_READ},
    [WPA_COMMAND_SIGN_IN] = {"sign in", WPA_ACTION_READ},
    [WPA_COMMAND_SIGN_IN_READ_ONLY] = {"sign in read-only", WPA_ACTION_READ},
    [WPA_COMMAND_SIGN_IN_BROWSER] = {"sign in by a browser", WPA_ACTION_READ},
    [WPA_COMMAND_SIGN_OUT] = {"sign out", WPA_ACTION_READ},
    [WPA_COMMAND_WATCH_LIST] = {"read a list", WPA_ACTION_READ},
    [WPA_COMMAND_WATCH_OBJECT] = {"open", WPA_ACTION_READ},
    [WPA_COMMAND_REFRESH] = {"read again", WPA_ACTION_READ},
    [WPA_COMMAND_FIND] = {"find", WPA_ACTION_READ},
    [WPA_COMMAND_VERIFY_AUDIT] = {"verify the audit log", WPA_ACTION_VERIFY_AUDIT},
    [WPA_COMMAND_ANALYSE] = {"analyse", WPA_ACTION_ORDER_ANALYSIS},
    [WPA_COMMAND_IGNORE] = {"ignore", WPA_ACTION_IGNORE_FINDING},
    [WPA_COMMAND_UNIGNORE] = {"stop ignoring", WPA_ACTION_IGNORE_FINDING},
    [WPA_COMMAND_COMMENT] = {"comment", WPA_ACTION_COMMENT},
    [WPA_COMMAND_CREATE_PATCH] = {"create a patch", WPA_ACTION_CREATE_PATCH},
    [WPA_COMMAND_TEST] = {"test", WPA_ACTION_ORDER_TEST},
    [WPA_COMMAND_STOP_TEST] = {"stop the test", WPA_ACTION_ORDER_TEST},
    [WPA_COMMAND_APPROVE] = {"approve", WPA_ACTION_APPROVE_PATCH},
    [WPA_COMMAND_WITHDRAW] = {"withdraw the approval", WPA_ACTION_APPROVE_PATCH},
    [WPA_COMMAND_REJECT] = {"reject", WPA_ACTION_APPROVE_PATCH},
    [WPA_COMMAND_WAIVE] = {"waive a check", WPA_ACTION_WAIVE_CHECK},
    [WPA_COMMAND_DEPLOY] = {"deploy", WPA_ACTION_START_DEPLOYMENT},
    [WPA_COMMAND_HOLD] = {"hold", WPA_ACTION_CONTROL_DEPLOYMENT},
    [WPA_COMMAND_RESUME] = {"resume", WPA_ACTION_CONTROL_DEPLOYMENT},
    [WPA_COMMAND_PROMOTE] = {"promote", WPA_ACTION_CONTROL_DEPLOYMENT},
    [WPA_COMMAND_CONCLUDE] = {"conclude as is", WPA_ACTION_CONCLUDE_DEPLOYMENT},
    [WPA_COMMAND_ABORT] = {"abort", WPA_ACTION_CONTROL_DEPLOYMENT},
    [WPA_COMMAND_ROLL_BACK] = {"roll back", WPA_ACTION_ROLL_BACK},
    [WPA_COMMAND_ROLL_BACK_NOW] = {"roll back now", WPA_ACTION_ROLL_BACK},
    [WPA_COMMAND_CANCEL_ROLL_BACK] = {"cancel the rollback", WPA_ACTION_ROLL_BACK},
    [WPA_COMMAND_ACKNOWLEDGE] = {"acknowledge", WPA_ACTION_CONTROL_DEPLOYMENT},
    [WPA_COMMAND_READ_NOTICE] = {"mark as read", WPA_ACTION_READ},
    [WPA_COMMAND_CANCEL_JOB] = {"stop a job", WPA_ACTION_CONTROL_JOBS},
    [WPA_COMMAND_TEST_DESTINATION] = {"send a test notice", WPA_ACTION_CHANGE_POLICY},
    [WPA_COMMAND_RETRY_DESTINATION] = {"send again what was given up", WPA_ACTION_CONTROL_JOBS},
    [WPA_COMMAND_PLACE] = {"tell where this is", WPA_ACTION_READ},
    [WPA_COMMAND_REFUSED] = {"note a refusal", WPA_ACTION_READ},
};

wpa_command *wpa_command_new(wpa_command_kind kind)
{
    wpa_command *command = wpa_alloc(sizeof *command);
    command->kind = kind;
    command->arena = wpa_arena_new();
    return command;
}

void wpa_command_free(wpa_command *command)
{
    if (command) {
        explicit_bzero(command->secret, sizeof command->secret);
        wpa_arena_free(command->arena);
        wpa_free(command);
    }
}

const char *wpa_command_name(wpa_command_kind kind)
{
    return kind < WPA_COMMAND_COUNT ? infos[kind].name : "?";
}

wpa_action wpa_command_action(wpa_command_kind kind)
{
    return kind < WPA_COMMAND_COUNT ? infos[kind].action : WPA_ACTION_READ;
}
