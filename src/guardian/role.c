#include <wpa/actor.h>
#include <wpa/text.h>

typedef struct permission {
    const char *text;
    bool is_allowed[WPA_ROLE_COUNT];
} permission;

static const char *const role_names[WPA_ROLE_COUNT] = {
    [WPA_ROLE_VIEWER] = "viewer",
    [WPA_ROLE_GUARDIAN] = "guardian",
    [WPA_ROLE_AGENT] = "agent",
};

/* clang-format off */
static const permission permissions[WPA_ACTION_COUNT] = {
    /*                                                              viewer guardian agent */
    [WPA_ACTION_READ]                = {"read",                     {true,  true,  true}},
    [WPA_ACTION_VERIFY_AUDIT]        = {"verify the audit log",     {true,  true,  true}},
    [WPA_ACTION_ORDER_ANALYSIS]      = {"order an analysis",        {false, true,  true}},
    [WPA_ACTION_DO_ANALYSIS]         = {"analyse",                  {false, false, true}},
    [WPA_ACTION_REVIEW_ANALYSIS]     = {"mark an analysis as read", {false, true,  false}},
    [WPA_ACTION_IGNORE_FINDING]      = {"ignore a finding",         {false, true,  false}},
    [WPA_ACTION_COMMENT]             = {"comment",                  {false, true,  false}},
    [WPA_ACTION_CREATE_PATCH]        = {"create a patch",           {false, true,  true}},
    [WPA_ACTION_ORDER_TEST]          = {"order a test",             {false, true,  true}},
    [WPA_ACTION_DO_TEST]             = {"test a patch",             {false, false, true}},
    [WPA_ACTION_APPROVE_PATCH]       = {"approve, reject or withdraw a patch",
                                                                    {false, true,  false}},
    [WPA_ACTION_WAIVE_CHECK]         = {"waive a failed check",     {false, true,  false}},
    [WPA_ACTION_START_DEPLOYMENT]    = {"start a deployment",       {false, true,  false}},
    [WPA_ACTION_CONTROL_DEPLOYMENT]  = {"pause, resume, promote or abort a deployment",
                                                                    {false, true,  false}},
    [WPA_ACTION_ROLL_BACK]           = {"roll back a deployment",   {false, true,  false}},
    [WPA_ACTION_ROLL_BACK_BY_RULE]   = {"roll back by rule",        {false, false, true}},
    [WPA_ACTION_CONCLUDE_DEPLOYMENT] = {"skip, retry or conclude in a deployment",
                                                                    {false, true,  false}},
    [WPA_ACTION_DO_DEPLOYMENT]       = {"carry out a deployment",   {false, false, true}},
    [WPA_ACTION_CHANGE_FLEET]        = {"change the fleet",         {false, true,  false}},
    [WPA_ACTION_SCAN_FLEET]          = {"scan the fleet",           {false, true,  true}},
    [WPA_ACTION_CHANGE_POLICY]       = {"change settings, policy or rollout plans",
                                                                    {false, true,  false}},
    [WPA_ACTION_CHANGE_PRINCIPALS]   = {"change guardians and roles", {false, true, false}},
    [WPA_ACTION_CONTROL_JOBS]        = {"cancel, hold or repeat a job", {false, true, false}},
};
/* clang-format on */

const char *wpa_role_name(wpa_role role)
{
    return (unsigned)role < WPA_ROLE_COUNT ? role_names[role] : "unknown";
}

bool wpa_role_parse(const char *name, wpa_role *role, wpa_error *err)
{
    int index = wpa_text_index(name, role_names, WPA_ROLE_COUNT);
    if (index < 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "unknown role '%s' (viewer, guardian or agent)",
                        name ? name : "");
    }
    *role = (wpa_role)index;
    return true;
}

const char *wpa_action_text(wpa_action action)
{
    return (unsigned)action < WPA_ACTION_COUNT ? permissions[action].text : "do that";
}

bool wpa_role_allows(wpa_role role, wpa_action action)
{
    return (unsigned)role < WPA_ROLE_COUNT && (unsigned)action < WPA_ACTION_COUNT &&
           permissions[action].is_allowed[role];
}

/** What a machine does in a guardian's name counts as his word only if he said so. */
static bool is_word(wpa_action action)
{
    return action == WPA_ACTION_APPROVE_PATCH || action == WPA_ACTION_WAIVE_CHECK;
}

bool wpa_actor_check(const wpa_actor *actor, wpa_action action, wpa_error *err)
{
    if (!actor || actor->principal_id <= 0) {
        return WPA_FAIL(err, WPA_E_DENIED, "sign in first to %s", wpa_action_text(action));
    }
    if (!wpa_role_allows(actor->role, action)) {
        return WPA_FAIL(err, WPA_E_DENIED, "'%s' may not %s: the role %s does not allow it",
                        actor->name, wpa_action_text(action), wpa_role_name(actor->role));
    }
    if (actor->cannot_approve && is_word(action)) {
        return WPA_FAIL(err, WPA_E_DENIED,
                        "this token of '%s' may not %s: it has no scope 'approve'", actor->name,
                        wpa_action_text(action));
    }
    return true;
}
