/* Inside tests/harness only: the state of the scripted engine, and what it shows of it. */
#pragma once

#include <pthread.h>

#include "harness/scripted.h"

#define WPA_SCRIPTED_WORKFLOWS_MAX 16
#define WPA_SCRIPTED_PATCHES_MAX 16
#define WPA_SCRIPTED_DEPLOYMENTS_MAX 8
#define WPA_SCRIPTED_MINUTE_US ((int64_t)60 * 1000000)
#define WPA_SCRIPTED_HOUR_US (60 * WPA_SCRIPTED_MINUTE_US)

struct wpa_scripted {
    pthread_mutex_t lock;
    wpa_queue *inbox;
    wpa_console_port port;
    int64_t now_us;
    wpa_workflow_row workflows[WPA_SCRIPTED_WORKFLOWS_MAX];
    size_t n_workflows;
    size_t n_findings, n_runs;
    size_t n_happened; /* newest lines of the activity */
    int64_t fixed_finding;
    bool needs_code, can_browse;
    const char *browser_code;
    wpa_patch_row patches[WPA_SCRIPTED_PATCHES_MAX];
    size_t n_patches;
    wpa_deployment_row deployments[WPA_SCRIPTED_DEPLOYMENTS_MAX];
    size_t n_deployments;
    int64_t test_ends_us;
    int64_t testing_patch;
    char place[64], joes_place[64]; /* what is looked at here, and by joe */
    char alarm[256];
    char name[256];
    bool is_lost, is_signed_in, is_slow;
    wpa_role role;
    wpa_list_query query; /* watched list; texts not kept */
    char filter[128], in_the_way[64], ignored[128];
    uint64_t list_request, object_request;
    wpa_object watched;
    size_t counts[WPA_COMMAND_COUNT];
    int64_t n_expected; /* of the last command about all that match */
    wpa_object last[WPA_COMMAND_COUNT];
};

#define WPA_SCRIPTED_CHECKS 3
extern const wpa_check_row wpa_scripted_checks[WPA_SCRIPTED_CHECKS];

/** Hand a message to the console. */
void wpa_scripted_push(wpa_scripted *s, wpa_msg *msg);
/** The i-th finding of the fleet. */
wpa_finding_row wpa_scripted_finding(const wpa_scripted *s, size_t i);

void wpa_scripted_send_dashboard(wpa_scripted *s);
/** The list and the object that are watched, if any are. */
void wpa_scripted_send_list(wpa_scripted *s);
void wpa_scripted_send_object(wpa_scripted *s);
