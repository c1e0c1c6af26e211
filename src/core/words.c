#include <wpa/snapshot.h>
#include <wpa/words.h>

#define WORD(name, word) word,

const char *const wpa_patch_state_words[] = {WPA_PATCH_STATES(WORD)};
const char *const wpa_patch_type_words[] = {WPA_PATCH_TYPES(WORD)};
const char *const wpa_phase_words[] = {WPA_PHASES(WORD)};
const char *const wpa_result_words[] = {WPA_RESULTS(WORD)};
const char *const wpa_deployment_state_words[] = {WPA_DEPLOYMENT_STATES(WORD)};
const char *const wpa_stage_state_words[] = {WPA_STAGE_STATES(WORD)};
const char *const wpa_target_state_words[] = {WPA_TARGET_STATES(WORD)};
const char *const wpa_measure_words[] = {WPA_MEASURES(WORD)};
const char *const wpa_job_state_words[] = {WPA_JOB_STATES(WORD)};
const char *const wpa_analysis_state_words[] = {WPA_ANALYSIS_STATES(WORD)};
const char *const wpa_notice_level_words[] = {WPA_NOTICE_LEVELS(WORD)};

const char *const wpa_list_words[WPA_LIST_COUNT] = {
    [WPA_LIST_WORKFLOWS] = "workflows",
    [WPA_LIST_FINDINGS] = "findings",
    [WPA_LIST_PATCHES] = "patches",
    [WPA_LIST_DEPLOYMENTS] = "deployments",
    [WPA_LIST_AUDIT] = "audit",
    [WPA_LIST_NOTICES] = "notices",
    [WPA_LIST_JOBS] = "jobs",
    [WPA_LIST_RUNS] = "runs",
    [WPA_LIST_DESTINATIONS] = "destinations",
};

const char *const wpa_sort_words[WPA_SORT_COUNT] = {
    [WPA_SORT_DEFAULT] = "default",   [WPA_SORT_NAME] = "name",         [WPA_SORT_AGE] = "age",
    [WPA_SORT_STATE] = "state",       [WPA_SORT_SEVERITY] = "severity", [WPA_SORT_SCORE] = "score",
    [WPA_SORT_FINDINGS] = "findings",
};
