#include "views/list_view.h"

static const wpa_verb hints[] = {WPA_VERB_FILTER, WPA_VERB_COPY, WPA_VERB_COMMAND, WPA_VERB_HELP,
                                 WPA_VERB_NONE};

static const wpa_list_kind kind = {
    .title = "Runs",
    .table = &wpa_run_table,
    .empty =
        "No runs recorded yet.  Runs come from a forge, or from jobs that wpa ran itself; scores "
        "are based on the files alone until there are some.",
};

const wpa_view wpa_view_runs = {
    .id = "runs",
    .tab = 7,
    .topic = "runs",
    .contexts = WPA_IN_LIST,
    .list = WPA_LIST_RUNS,
    .hints = hints,
    .data = &kind,
    WPA_LIST_VIEW,
};
