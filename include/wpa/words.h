/*
 * The closed sets of words that the engine, the database and every screen share: states of
 * patches, deployments, jobs; types, phases, results (those of findings: wpa/finding.h). Each enum
 * has a table of its words, in the order of the enum and exactly as the database stores them:
 * wpa_text_index(text, wpa_patch_state_words, WPA_PATCH_STATE_COUNT).
 */
#pragma once

/* clang-format off */
#define WPA_PATCH_STATES(X) \
    X(PENDING, "pending") X(TESTING, "testing") X(TESTED, "tested") X(APPROVED, "approved") \
    X(DEPLOYED, "deployed") X(FAILED, "failed") X(ROLLED_BACK, "rolled_back")

#define WPA_PATCH_TYPES(X) \
    X(BUG_FIX, "bug_fix") X(PERFORMANCE, "performance") X(SECURITY, "security") \
    X(FEATURE, "feature") X(REFACTOR, "refactor")

/* The four phases of a test, in their fixed order. */
#define WPA_PHASES(X) \
    X(ISOLATED, "isolated") X(INTEGRATION, "integration") X(SAFETY, "safety") \
    X(COMPATIBILITY, "compatibility")

/* Result of one check of a test phase. */
#define WPA_RESULTS(X) \
    X(PASS, "pass") X(WARN, "warn") X(FAIL, "fail") X(SKIPPED, "skipped") X(ERROR, "error")

#define WPA_DEPLOYMENT_STATES(X) \
    X(PLANNED, "planned") X(RUNNING, "running") X(PAUSED, "paused") \
    X(ROLLING_BACK, "rolling_back") X(SUCCEEDED, "succeeded") X(ABORTED, "aborted") \
    X(ROLLED_BACK, "rolled_back") X(STUCK, "stuck")

#define WPA_STAGE_STATES(X) \
    X(WAITING, "waiting") X(APPLYING, "applying") X(BAKING, "baking") X(PASSED, "passed") \
    X(FAILED, "failed") X(SKIPPED, "skipped") X(REVERTED, "reverted")

#define WPA_TARGET_STATES(X) \
    X(PLANNED, "planned") X(INTENDED, "intended") X(WAITING_MERGE, "waiting_merge") \
    X(APPLIED, "applied") X(VERIFIED, "verified") X(CONFLICT, "conflict") X(FAILED, "failed") \
    X(SKIPPED, "skipped") X(REVERT_INTENDED, "revert_intended") X(REVERTED, "reverted") \
    X(REVERT_BLOCKED, "revert_blocked")

/* Result of one measurement of a health check. */
#define WPA_MEASURES(X) \
    X(SUCCESS, "success") X(FAILURE, "failure") X(INCONCLUSIVE, "inconclusive") X(ERROR, "error")

#define WPA_JOB_STATES(X) \
    X(QUEUED, "queued") X(RUNNING, "running") X(DONE, "done") X(DEAD, "dead") \
    X(CANCELLED, "cancelled")

#define WPA_ANALYSIS_STATES(X) \
    X(RUNNING, "running") X(NEW, "new") X(REVIEWED, "reviewed") X(PATCHED, "patched") \
    X(RESOLVED, "resolved") X(FAILED, "failed") X(CANCELLED, "cancelled")

#define WPA_NOTICE_LEVELS(X) X(OK, "ok") X(NOTE, "note") X(ERROR, "error") X(ALARM, "alarm")
/* clang-format on */

#define WPA_WORD_X(name, word) WPA_PATCH_##name,
typedef enum wpa_patch_state {
    WPA_PATCH_STATES(WPA_WORD_X) WPA_PATCH_STATE_COUNT
} wpa_patch_state;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_PATCH_TYPE_##name,
typedef enum wpa_patch_type {
    WPA_PATCH_TYPES(WPA_WORD_X) WPA_PATCH_TYPE_COUNT
} wpa_patch_type;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_PHASE_##name,
typedef enum wpa_phase {
    WPA_PHASES(WPA_WORD_X) WPA_PHASE_COUNT
} wpa_phase;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_RESULT_##name,
typedef enum wpa_check_result {
    WPA_RESULTS(WPA_WORD_X) WPA_RESULT_COUNT
} wpa_check_result;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_DEPLOYMENT_##name,
typedef enum wpa_deployment_state {
    WPA_DEPLOYMENT_STATES(WPA_WORD_X) WPA_DEPLOYMENT_STATE_COUNT
} wpa_deployment_state;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_STAGE_##name,
typedef enum wpa_stage_state {
    WPA_STAGE_STATES(WPA_WORD_X) WPA_STAGE_STATE_COUNT
} wpa_stage_state;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_TARGET_##name,
typedef enum wpa_target_state {
    WPA_TARGET_STATES(WPA_WORD_X) WPA_TARGET_STATE_COUNT
} wpa_target_state;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_MEASURE_##name,
typedef enum wpa_measure {
    WPA_MEASURES(WPA_WORD_X) WPA_MEASURE_COUNT
} wpa_measure;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_JOB_##name,
typedef enum wpa_job_state {
    WPA_JOB_STATES(WPA_WORD_X) WPA_JOB_STATE_COUNT
} wpa_job_state;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_ANALYSIS_##name,
typedef enum wpa_analysis_state {
    WPA_ANALYSIS_STATES(WPA_WORD_X) WPA_ANALYSIS_STATE_COUNT
} wpa_analysis_state;
#undef WPA_WORD_X
#define WPA_WORD_X(name, word) WPA_NOTICE_##name,
typedef enum wpa_notice_level {
    WPA_NOTICE_LEVELS(WPA_WORD_X) WPA_NOTICE_LEVEL_COUNT
} wpa_notice_level;
#undef WPA_WORD_X

extern const char *const wpa_patch_state_words[WPA_PATCH_STATE_COUNT];
extern const char *const wpa_patch_type_words[WPA_PATCH_TYPE_COUNT];
extern const char *const wpa_phase_words[WPA_PHASE_COUNT];
extern const char *const wpa_result_words[WPA_RESULT_COUNT];
extern const char *const wpa_deployment_state_words[WPA_DEPLOYMENT_STATE_COUNT];
extern const char *const wpa_stage_state_words[WPA_STAGE_STATE_COUNT];
extern const char *const wpa_target_state_words[WPA_TARGET_STATE_COUNT];
extern const char *const wpa_measure_words[WPA_MEASURE_COUNT];
extern const char *const wpa_job_state_words[WPA_JOB_STATE_COUNT];
extern const char *const wpa_analysis_state_words[WPA_ANALYSIS_STATE_COUNT];
extern const char *const wpa_notice_level_words[WPA_NOTICE_LEVEL_COUNT];
