/* The examples that stand in the README, for tests that let the program read them. */
#pragma once

#include <wpa/arena.h>

/** The YAML behind the mark "<!-- name -->" in the README; fails the test if there is none. */
char *wpa_test_readme_example(const char *name, wpa_arena *arena);
