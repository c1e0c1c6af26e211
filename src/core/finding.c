#include <wpa/finding.h>
#include <wpa/text.h>

static const char *const dimensions[] = {"security", "performance", "efficiency", "compatibility",
                                         "quality"};
static const char *const kinds[] = {"issue", "inefficiency", "opportunity"};
static const char *const severities[] = {"low", "medium", "high", "critical"};
static const char *const confidences[] = {"low", "medium", "high"};
static const char *const personas[] = {"default", "pedantic", "auditor"};
static const char *const states[] = {"open",     "ignored",   "baseline",
                                     "in_patch", "verifying", "fixed"};

_Static_assert(WPA_COUNT(dimensions) == WPA_DIMENSION_COUNT, "a name for each dimension");
_Static_assert(WPA_COUNT(kinds) == WPA_KIND_COUNT, "a name for each kind");
_Static_assert(WPA_COUNT(severities) == WPA_SEVERITY_COUNT, "a name for each severity");
_Static_assert(WPA_COUNT(confidences) == WPA_CONFIDENCE_COUNT, "a name for each confidence");
_Static_assert(WPA_COUNT(personas) == WPA_PERSONA_COUNT, "a name for each persona");
_Static_assert(WPA_COUNT(states) == WPA_FINDING_STATE_COUNT, "a name for each state");

static int index_of(const char *name, const char *const names[], size_t n)
{
    return name ? wpa_text_index(name, names, n) : -1;
}

const char *wpa_dimension_name(wpa_dimension dimension)
{
    return dimensions[dimension];
}

const char *wpa_kind_name(wpa_kind kind)
{
    return kinds[kind];
}

const char *wpa_severity_name(wpa_severity severity)
{
    return severities[severity];
}

const char *wpa_confidence_name(wpa_confidence confidence)
{
    return confidences[confidence];
}

const char *wpa_persona_name(wpa_persona persona)
{
    return personas[persona];
}

const char *wpa_finding_state_name(wpa_finding_state state)
{
    return states[state];
}

bool wpa_dimension_from(const char *name, wpa_dimension *dimension)
{
    int i = index_of(name, dimensions, WPA_COUNT(dimensions));
    *dimension = i < 0 ? *dimension : (wpa_dimension)i;
    return i >= 0;
}

bool wpa_kind_from(const char *name, wpa_kind *kind)
{
    int i = index_of(name, kinds, WPA_COUNT(kinds));
    *kind = i < 0 ? *kind : (wpa_kind)i;
    return i >= 0;
}

bool wpa_severity_from(const char *name, wpa_severity *severity)
{
    int i = index_of(name, severities, WPA_COUNT(severities));
    *severity = i < 0 ? *severity : (wpa_severity)i;
    return i >= 0;
}

bool wpa_confidence_from(const char *name, wpa_confidence *confidence)
{
    int i = index_of(name, confidences, WPA_COUNT(confidences));
    *confidence = i < 0 ? *confidence : (wpa_confidence)i;
    return i >= 0;
}

bool wpa_persona_from(const char *name, wpa_persona *persona)
{
    int i = index_of(name, personas, WPA_COUNT(personas));
    *persona = i < 0 ? *persona : (wpa_persona)i;
    return i >= 0;
}

bool wpa_finding_state_from(const char *name, wpa_finding_state *state)
{
    int i = index_of(name, states, WPA_COUNT(states));
    *state = i < 0 ? *state : (wpa_finding_state)i;
    return i >= 0;
}
