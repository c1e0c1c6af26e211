/* Which rules have to go over a file at all. Private to src/rules. */
#pragma once

#include "rules/sink.h"

/** Of files that are judged together, each one bit. */
typedef uint16_t wpa_file_bits;
_Static_assert(sizeof(wpa_file_bits) * 8 >= WPA_RULES_TOGETHER_MAX, "one bit a file");

/** The rules that settings ask for in files of one kind: the same for most that are neighbours. */
typedef struct wpa_lineup {
    const wpa_settings *settings; /* NULL: of no file so far */
    wpa_input_kind kind;
    bool has_tree, is_partial, may_ignore; /* of the file */
    bool has_paths;                        /* some of them are about files of some paths only */
    wpa_file_bits members;                 /* files that it is of, and no turns are given yet */
    /* [number of rules] all bits of those that go over every file, and of those that find nothing
       but in files that hold some word; else none. */
    wpa_file_bits *files, *bound_files;
    uint16_t *bound; /* [n_bound] the latter by index */
    size_t n_bound;
    uint16_t *hits; /* room for all words that rules look for */
} wpa_lineup;

/** With room for all rules. */
wpa_lineup wpa_lineup_new(wpa_arena *arena);

/**
 * Of each rule that has to go over the file of the sink set its bit in turns, which has one set a
 * rule: at once or when the lineup is closed. Those that would find nothing there, since it holds
 * none of their words, are said to have run. lineup is that of the last file, if there was one.
 */
void wpa_turns_find(wpa_lineup *lineup, wpa_rule_sink *sink, wpa_file_bits file,
                    wpa_file_bits *turns);
/** All files have been asked. */
void wpa_turns_close(wpa_lineup *lineup, wpa_file_bits *turns);
