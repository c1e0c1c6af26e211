/*
 * Shared by code_words.c (what commands take as code) and code_input.c (what interpreters are fed,
 * and files that they run). Included by these alone.
 */
#pragma once

#include "rules/code_words.h"

/* Whose words are looked at, and who wants to know. */
typedef struct wpa_code_finder {
    wpa_rule_run *run;
    const wpa_site *site;
    wpa_code_visitor visit;
} wpa_code_finder;

static inline void wpa_code_tell(const wpa_code_finder *f, const char *runner,
                                 const wpa_shell_word *word, wpa_word_reading reading)
{
    f->visit(f->run, f->site, runner, word, reading);
}

/** Is the word, without its folders, the name of a shell? */
bool wpa_code_is_shell(const char *word);
/** Is it the name of an interpreter of another language? */
bool wpa_code_is_interpreter(const char *name);
/** Is it the name of what runs the file that is its argument: a shell, an interpreter, "source"? */
bool wpa_code_is_runner(const char *name);
/** The word that a shell, and what takes code as shells do, has behind "-c"; NULL: none. */
const wpa_shell_word *wpa_code_of(const wpa_shell_command *c);
/** What is fed to the i-th command, comes down a pipe to it or stands in the file that it runs. */
void wpa_code_visit_input(const wpa_code_finder *f, size_t i);
/** "source <(echo "$X")": the i-th command prints what is run. */
void wpa_code_visit_printer(const wpa_code_finder *f, size_t i);
/** "ssh host command": tells all words of the command; false if there is none. */
bool wpa_code_visit_remote(const wpa_code_finder *f, const wpa_shell_command *c);
/** "GIT_SSH_COMMAND="... $X" git fetch", "git config alias.x "!$X"": what other programs start. */
void wpa_code_visit_assigned(const wpa_code_finder *f, const wpa_shell_command *c);
