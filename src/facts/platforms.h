/*
 * What runners have on them, which runtime versions are still looked after, what other forges lack,
 * and what changes between the majors of an action. Compiled in from data/ as facts.h says.
 */
#pragma once

#include "facts/facts.h"

/* ---- images of hosted runners -----------------------------------------------------------------*/

typedef struct wpa_fact_image {
    const char *name;     /* "ubuntu-24.04" */
    const char *version;  /* of the snapshot */
    wpa_fact_list labels; /* that run on it, aliases not among them */
    const char *source;
} wpa_fact_image;

/** Image behind a hosted label, aliases followed; NULL if its contents are not known. */
const wpa_fact_image *wpa_facts_image_of(const wpa_fact_runner *runner);
const wpa_fact_image *wpa_facts_image_find(const char *name);

/** A "-latest" label that goes, or went, to another image. */
typedef struct wpa_fact_move {
    const char *label;
    const char *from, *to;     /* images */
    const char *begins, *ends; /* days */
    const char *source;
} wpa_fact_move;

/** NULL: no move of this label is known. */
const wpa_fact_move *wpa_facts_move_of(const char *label);

/** A tool on one image; version NULL: it is not there. */
typedef struct wpa_fact_presence {
    const char *image;
    const char *version; /* "1.13.1", or "present" where the README does not say */
} wpa_fact_presence;

typedef struct wpa_fact_program {
    const char *command; /* as called */
    const char *name;
    const char *setup;      /* action that installs it, or NULL */
    wpa_fact_list packages; /* names package managers have for it */
    wpa_fact_list aliases;  /* further commands that come with it */
    const wpa_fact_presence *images;
    size_t n_images;
} wpa_fact_program;

/** By command or alias; NULL: not in the table. */
const wpa_fact_program *wpa_facts_program_find(wpa_slice command);
size_t wpa_facts_program_count(void);
const wpa_fact_program *wpa_facts_program_at(size_t i);
/** The row for this image; NULL: not known. */
const wpa_fact_presence *wpa_facts_program_on(const wpa_fact_program *tool, const char *image);
/** Runtime versions in the image's tool cache ("node": 20, 22); NULL: not known. */
wpa_fact_list wpa_facts_cached(const char *runtime, const char *image);

/* ---- runtimes ---------------------------------------------------------------------------------*/

typedef struct wpa_fact_runtime {
    const char *name;                 /* "node" */
    const char *command;              /* as called */
    const char *action;               /* its setup action, owner/repo */
    const char *input;                /* of that action: the version */
    const char *file_input;           /* of that action: a file that says it; or NULL */
    wpa_fact_list images;             /* container images of it, without registry and tag */
    wpa_fact_list files;              /* files of a repository that say the version */
    size_t first_release, n_releases; /* its rows among the releases */
} wpa_fact_runtime;

typedef struct wpa_fact_release {
    const char *runtime;
    const char *version;  /* "3.12", "20" */
    const char *released; /* day, or NULL */
    const char *ends;     /* last day of security support, or NULL if not known */
    wpa_fact_list not_on; /* images, or "os/arch", its setup action has no build for */
} wpa_fact_release;

size_t wpa_facts_runtime_count(void);
const wpa_fact_runtime *wpa_facts_runtime_at(size_t i);
const wpa_fact_runtime *wpa_facts_runtime_of_action(wpa_slice slug);
const wpa_fact_runtime *wpa_facts_runtime_of_image(wpa_slice image);
/** The release a version belongs to: "3.8.18", "3.8.x", "v20", "20-alpine"; NULL: not known. */
const wpa_fact_release *wpa_facts_release_find(const wpa_fact_runtime *runtime, wpa_slice version);
/** The oldest release of the runtime that is looked after for longer than days; NULL: none known.
 */
const wpa_fact_release *wpa_facts_release_next(const wpa_fact_runtime *runtime,
                                               const wpa_fact_release *above, int64_t days);

/* ---- forges -----------------------------------------------------------------------------------*/

typedef struct wpa_fact_feature {
    const char *name;
    const char *kind;        /* "workflow-key", "job-key", "step-key", "trigger", "action", ... */
    const char *match;       /* key, event, "owner/repo@>=4", ... */
    const char *say;         /* "is ignored": what happens where it is missing */
    const char *replacement; /* text to write instead, or NULL */
    wpa_fact_list forges;    /* forges known to lack it, or to have lacked it */
    wpa_fact_list since;     /* for each: first version that has it; "" if none does */
} wpa_fact_feature;

size_t wpa_facts_feature_count(void);
const wpa_fact_feature *wpa_facts_feature_at(size_t i);
wpa_fact_list wpa_facts_forge_names(void);

/* ---- values of inputs
 * --------------------------------------------------------------------------*/

typedef enum wpa_fact_value_kind {
    WPA_VALUE_BOOLEAN, /* true, false */
    WPA_VALUE_COUNT,   /* a whole number */
    WPA_VALUE_CHOICE   /* one of the words */
} wpa_fact_value_kind;

/** What an input of an action accepts. */
typedef struct wpa_fact_values {
    const char *action; /* owner/repo[/path]; rows of one action stand together */
    const char *input;
    wpa_fact_value_kind kind;
    wpa_fact_list words; /* of a choice, and of a boolean */
} wpa_fact_values;

/** The first row of an action, and how many there are; NULL: nothing is known. */
const wpa_fact_values *wpa_facts_values_of(wpa_slice slug, size_t *n);

/* ---- migrations -------------------------------------------------------------------------------*/

typedef enum wpa_fact_change {
    WPA_CHANGE_INPUT_RENAMED,
    WPA_CHANGE_OUTPUT_RENAMED,
    WPA_CHANGE_DEFAULT,   /* of the input name, or of what text says */
    WPA_CHANGE_BEHAVIOUR, /* text says it */
    WPA_CHANGE_PARTNER    /* name moves along, to major replacement at least */
} wpa_fact_change;

typedef struct wpa_fact_migration {
    const char *action; /* rows of one action stand together */
    int to;             /* major at which it changes */
    wpa_fact_change change;
    const char *name;        /* input, output or partner; or NULL */
    const char *replacement; /* its new name, or the partner's major; or NULL */
    const char *text;        /* "caches by itself", said of the new version; or NULL */
} wpa_fact_migration;

/** The first row of an action, and how many there are; NULL: nothing is known. */
const wpa_fact_migration *wpa_facts_migrations_of(wpa_slice slug, size_t *n);
