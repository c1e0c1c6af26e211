/*
 * Who acts, and what his role allows. Every call of the engine that changes something takes an
 * actor, and wpa_actor_check is the one place in the program where roles are checked; the database
 * checks them once more for what it enforces itself.
 */
#pragma once

#include <stdint.h>

#include <wpa/error.h>

typedef enum wpa_role {
    WPA_ROLE_VIEWER,
    WPA_ROLE_GUARDIAN,
    WPA_ROLE_AGENT,
    WPA_ROLE_COUNT
} wpa_role;

typedef struct wpa_actor {
    int64_t principal_id;
    wpa_role role;
    char name[64];
    char address[64];     /* SSH client, peer of the API; "local" for a terminal of this host */
    char user_agent[128]; /* terminal, or what the API's client calls itself */
    bool cannot_approve;  /* a machine that acts in his name, and was not given that */
} wpa_actor;

/* What can be asked for; the table in role.c has a line for each. */
typedef enum wpa_action {
    WPA_ACTION_READ,
    WPA_ACTION_VERIFY_AUDIT,
    WPA_ACTION_ORDER_ANALYSIS,
    WPA_ACTION_DO_ANALYSIS,
    WPA_ACTION_REVIEW_ANALYSIS,
    WPA_ACTION_IGNORE_FINDING,
    WPA_ACTION_COMMENT,
    WPA_ACTION_CREATE_PATCH,
    WPA_ACTION_ORDER_TEST,
    WPA_ACTION_DO_TEST,
    WPA_ACTION_APPROVE_PATCH, /* approve, reject, withdraw */
    WPA_ACTION_WAIVE_CHECK,
    WPA_ACTION_START_DEPLOYMENT,
    WPA_ACTION_CONTROL_DEPLOYMENT,  /* pause, resume, promote, abort */
    WPA_ACTION_ROLL_BACK,           /* ordered by a person */
    WPA_ACTION_ROLL_BACK_BY_RULE,   /* a check failed, a lease was lost: the rollback rules */
    WPA_ACTION_CONCLUDE_DEPLOYMENT, /* skip a target, retry a stage, conclude as is */
    WPA_ACTION_DO_DEPLOYMENT,       /* move targets as the plan says */
    WPA_ACTION_CHANGE_FLEET,        /* add, remove, import repositories */
    WPA_ACTION_SCAN_FLEET,
    WPA_ACTION_CHANGE_POLICY, /* settings, rollout plans */
    WPA_ACTION_CHANGE_PRINCIPALS,
    WPA_ACTION_CONTROL_JOBS, /* cancel, hold, retry */
    WPA_ACTION_COUNT
} wpa_action;

/** "viewer", "guardian", "agent": as stored and shown. */
const char *wpa_role_name(wpa_role role);
/** False with WPA_E_INVALID for an unknown name. */
bool wpa_role_parse(const char *name, wpa_role *role, wpa_error *err) WPA_CHECK;

/** "approve a patch": what the action is called in a refusal and in help. */
const char *wpa_action_text(wpa_action action);
/** Does the role allow it? For greying out; wpa_actor_check decides. */
bool wpa_role_allows(wpa_role role, wpa_action action);

/**
 * May this actor do that?
 *
 * actor     borrowed; NULL is nobody and may do nothing.
 *
 * Errors    WPA_E_DENIED, naming actor, role and action.
 * Thread    any.
 */
bool wpa_actor_check(const wpa_actor *actor, wpa_action action, wpa_error *err) WPA_CHECK;
