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
