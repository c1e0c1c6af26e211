#include "views/list_view.h"

static const wpa_verb hints[] = {
    WPA_VERB_OPEN, WPA_VERB_ROLL_BACK, WPA_VERB_HOLD, WPA_VERB_DIFF, WPA_VERB_FILTER,
    WPA_VERB_COPY, WPA_VERB_COMMAND,   WPA_VERB_HELP, WPA_VERB_NONE,
};

static void right(wpa_ui *ui, const wpa_list_view *view, char *text, size_t size_bytes)
{
    (void)ui;
    (void)view;
    (void)wpa_text_copy(text, size_bytes, "live first");
}

static const wpa_list_kind kind = {
    .title = "Deploys",
    .table = &wpa_deployment_table,
    .empty = "Nothing deployed yet.  Choose a tested patch (4) and press D.",
    .right = right,
};

const wpa_view wpa_view_deploys = {
    .id = "deploys",
    .tab = 5,
    .topic = "deploys",
    .contexts = WPA_IN_LIST,
    .list = WPA_LIST_DEPLOYMENTS,
    .hints = hints,
    .data = &kind,
    WPA_LIST_VIEW,
};
