/* A file where a rule fires and one where it does not: those of its own tests, so both are true. */
#pragma once

typedef struct wpa_rule_example {
    const char *id;
    const char *fires, *does_not;
} wpa_rule_example;

/** By id, ended by a row without one; rules whose case takes several files have none. */
extern const wpa_rule_example wpa_rule_examples[];
