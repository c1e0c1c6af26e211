/*
 * The words of a finding: dimension, kind, severity, confidence, visibility, state. Each enum has
 * one table of names; those names are what files, JSON and the database say.
 */
#pragma once

#include <wpa/error.h>

typedef enum wpa_dimension {
    WPA_DIMENSION_SECURITY,
    WPA_DIMENSION_PERFORMANCE,
    WPA_DIMENSION_EFFICIENCY,
    WPA_DIMENSION_COMPATIBILITY,
    WPA_DIMENSION_QUALITY,
    WPA_DIMENSION_COUNT
} wpa_dimension;

typedef enum wpa_kind {
    WPA_KIND_ISSUE,        /* wrong or dangerous */
    WPA_KIND_INEFFICIENCY, /* works, wastes */
    WPA_KIND_OPPORTUNITY,  /* could be better, nothing is wrong */
    WPA_KIND_COUNT
} wpa_kind;

/** Ascending: compare with < and >. */
typedef enum wpa_severity {
    WPA_SEVERITY_LOW,
    WPA_SEVERITY_MEDIUM,
    WPA_SEVERITY_HIGH,
    WPA_SEVERITY_CRITICAL,
    WPA_SEVERITY_COUNT
} wpa_severity;

/** Ascending. */
typedef enum wpa_confidence {
    WPA_CONFIDENCE_LOW,
    WPA_CONFIDENCE_MEDIUM,
    WPA_CONFIDENCE_HIGH,
    WPA_CONFIDENCE_COUNT
} wpa_confidence;

/** Who wants to see it; each level shows those before it too. */
typedef enum wpa_persona {
    WPA_PERSONA_DEFAULT,
    WPA_PERSONA_PEDANTIC, /* smells and style */
    WPA_PERSONA_AUDITOR,  /* everything worth a human look */
    WPA_PERSONA_COUNT
} wpa_persona;

typedef enum wpa_finding_state {
    WPA_FINDING_OPEN,
    WPA_FINDING_IGNORED,
    WPA_FINDING_BASELINE,
    WPA_FINDING_IN_PATCH,  /* a patch not yet deployed answers it; counts as open */
    WPA_FINDING_VERIFYING, /* deployed, the next analysis decides; counts as open */
    WPA_FINDING_FIXED,
    WPA_FINDING_STATE_COUNT
} wpa_finding_state;

/** "security", "inefficiency", "critical", "high", "pedantic", "in_patch": static texts. */
const char *wpa_dimension_name(wpa_dimension dimension);
const char *wpa_kind_name(wpa_kind kind);
const char *wpa_severity_name(wpa_severity severity);
const char *wpa_confidence_name(wpa_confidence confidence);
const char *wpa_persona_name(wpa_persona persona);
const char *wpa_finding_state_name(wpa_finding_state state);

/** The other way round; false leaves the value untouched. */
bool wpa_dimension_from(const char *name, wpa_dimension *dimension) WPA_CHECK;
bool wpa_kind_from(const char *name, wpa_kind *kind) WPA_CHECK;
bool wpa_severity_from(const char *name, wpa_severity *severity) WPA_CHECK;
bool wpa_confidence_from(const char *name, wpa_confidence *confidence) WPA_CHECK;
bool wpa_persona_from(const char *name, wpa_persona *persona) WPA_CHECK;
bool wpa_finding_state_from(const char *name, wpa_finding_state *state) WPA_CHECK;
