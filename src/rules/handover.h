/*
 * What passes from one run to another by artifacts: which upload of which workflow a download of
 * another run may take, and the other way round. Definitions that a workflow calls count as its
 * own.
 */
#pragma once

#include "rules/graph.h"
#include "rules/rule.h"

#define WPA_HANDOVER_MAX 16

/** An upload or download, and the file that it stands in. */
typedef struct wpa_handover {
    const wpa_graph_file *file;
    const wpa_store_artifact *artifact;
} wpa_handover;

typedef struct wpa_handovers {
    wpa_handover items[WPA_HANDOVER_MAX];
    size_t n;
    bool is_open;       /* somewhere is a step that may do it as well, or there are too many */
    bool has_strangers; /* a stranger's own definition may have made it (pull_request) */
} wpa_handovers;

/**
 * Uploads in the runs that a download of this file takes from: those of the workflows named in its
 * workflow_run or by the step. is_open if these are not all known.
 */
wpa_handovers wpa_handover_uploads(const wpa_graph *graph, const wpa_graph_file *file,
                                   const wpa_store_artifact *download);
/** Downloads in workflows that follow the runs of this file and may take this upload. */
wpa_handovers wpa_handover_downloads(const wpa_graph *graph, const wpa_graph_file *file,
                                     const wpa_store_artifact *upload);
/** Uploads (or downloads) of one file and of what it calls that may fit the other side. */
wpa_handovers wpa_handover_within(const wpa_graph *graph, const wpa_graph_file *file,
                                  const wpa_store_artifact *other);

/** Record of a step of the file under analysis; NULL if it has none. */
const wpa_store_artifact *wpa_handover_of(const wpa_graph_file *file, const wpa_outline_step *step,
                                          const wpa_outline *outline);
/** Step where it stands, read for this run; NULL if the file cannot be had. */
const wpa_outline_step *wpa_handover_step(wpa_rule_run *run, const wpa_handover *item,
                                          const wpa_source **source);
