/*
 * Which words of a command are read once more by what they are given to: as code, as the name of a
 * program, as a sum, or as options.
 */
#pragma once

#include "rules/site.h"

typedef enum wpa_word_reading {
    WPA_WORD_IS_CODE,     /* the word is a program of another interpreter */
    WPA_WORD_IS_COMMAND,  /* it names the program, as people who start a workflow may */
    WPA_WORD_IS_NUMBER,   /* the shell evaluates it, subscripts with commands in them too */
    WPA_WORD_IS_NAME,     /* it names the variable that is printed */
    WPA_WORD_IS_OPTION,   /* the word may begin with a dash, or fall apart into several */
    WPA_WORD_IS_ARGUMENT, /* the same of one in quotes: it may begin with a dash */
    WPA_WORD_IS_SPLIT,    /* it falls apart if there are blanks in it: "-f title=$X" */
    WPA_WORD_IS_PRINTED,  /* a whole command, and what it prints is a program */
    WPA_WORD_IS_FILE,     /* the name of a file that is run */
    WPA_WORD_IS_MACRO, /* "NAME=$X" of make, which expands the value once more where it is used */
} wpa_word_reading;

/** runner: what reads the word. A here-document is a word without text. */
typedef void (*wpa_code_visitor)(wpa_rule_run *run, const wpa_site *site, const char *runner,
                                 const wpa_shell_word *word, wpa_word_reading reading);

/**
 * Every such word of the i-th command of the site's script, and of what is piped or fed to it.
 * Commands of which none hold a variable are most of them, and can give nothing away.
 */
void wpa_code_words_visit(wpa_rule_run *run, const wpa_site *site, size_t i,
                          wpa_code_visitor visit);
