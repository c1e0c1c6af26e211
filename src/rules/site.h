/*
 * A site is where something runs: a step or job of a definition, and who called that definition.
 * Callers and callees are looked up in the repository's graph and read for this run.
 */
#pragma once

#include <stdint.h>

#include "rules/outline.h"
#include "rules/rule.h"

/** Callers of one definition that are looked at. */
#define WPA_SITE_CALLERS_MAX 24
/** How many definitions may call each other in a row. */
#define WPA_SITE_DEPTH_MAX 10

typedef struct wpa_site wpa_site;
struct wpa_site {
    const wpa_source *source;
    const wpa_outline_job *job;   /* NULL: of the whole file */
    const wpa_outline_step *step; /* NULL: of the job */
    const wpa_site *caller; /* the step or job that calls this definition; NULL: any of them */
};

/**
 * The steps and jobs of the repository that call this definition.
 *
 * sites  [WPA_SITE_CALLERS_MAX], filled.
 *
 * Returns how many there are; 0 also where the repository is not known.
 */
size_t wpa_site_callers(wpa_rule_run *run, const wpa_source *source, wpa_site *sites);

typedef void (*wpa_site_visitor)(wpa_rule_run *run, const wpa_site *site);
/** Every step of the run's file as a site, whoever calls it. */
void wpa_site_each_step(wpa_rule_run *run, wpa_site_visitor visit);

#define WPA_SITE_NUMBER_SIZE 16
/** A number in as many letters as it takes, and a sign that ends it; where that ends. */
char *wpa_site_put(char to[WPA_SITE_NUMBER_SIZE], uintptr_t number);
#define WPA_SITE_KEY_SIZE 64
/** A question about one or two things as a key of run->memo; b may be NULL. */
void wpa_site_key(char key[WPA_SITE_KEY_SIZE], char question, const void *a, const void *b);
/* What was kept so far; private to wpa_site_keep. */
typedef struct wpa_site_answers wpa_site_answers;
/**
 * What rules keep of one or two things under a question, until the file is done: of this size, all
 * zero at first, which *is_new tells. b may be NULL.
 */
void *wpa_site_keep(wpa_rule_run *run, char question, const void *a, const void *b, size_t size,
                    bool *is_new);
/** Bytes of the file for bytes of a decoded scalar; the way back is made once a file. */
wpa_span wpa_site_span(wpa_rule_run *run, const wpa_yaml_node *scalar, size_t from, size_t to);

/** The definition of the same repository that a uses names; NULL if it is none or is not there. */
const wpa_source *wpa_site_callee(wpa_rule_run *run, const wpa_outline_uses *uses);

/**
 * May other repositories call this workflow: it can be called, and nothing here does? Then the tree
 * of a checkout, and what "./" names, is theirs.
 */
bool wpa_site_is_for_others(const wpa_source *source);

/** How many definitions this site was reached through. */
unsigned wpa_site_depth(const wpa_site *site);
/** The site where the chain of calls begins. */
const wpa_site *wpa_site_root(const wpa_site *site);
/** Job with this id, compared as GitHub does; NULL if there is none. */
const wpa_outline_job *wpa_site_job(const wpa_source *source, const char *id);
