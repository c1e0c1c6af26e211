/*
 * The other side of the console, from a script: a small fleet whose things answer commands as the
 * engine would, with times that the test chooses. No database, no git.
 */
#pragma once

#include <wpa/console.h>

typedef struct wpa_scripted wpa_scripted;

#define WPA_SCRIPTED_PASSPHRASE "correct horse battery"

/** now_us: where its clock starts; it moves by wpa_scripted_tick alone. */
wpa_scripted *wpa_scripted_new(int64_t now_us);
void wpa_scripted_free(wpa_scripted *scripted);
WPA_DEFINE_AUTO(wpa_scripted, wpa_scripted_free);

wpa_console_port *wpa_scripted_port(wpa_scripted *scripted);

/** Say what the engine says first: link and session. is_first: no guardian exists yet. */
void wpa_scripted_start(wpa_scripted *scripted, bool is_first);
/** Say it anew: is a one-time code wanted, can a browser sign in, which code does that show? */
void wpa_scripted_set_sign_in(wpa_scripted *scripted, bool needs_code, bool can_browse,
                              const char *browser_code);
/** Sign in without the form. */
void wpa_scripted_sign_in(wpa_scripted *scripted, wpa_role role);
/** Time passes: rollback windows end, tests finish, stages move. Thread: any. */
void wpa_scripted_tick(wpa_scripted *scripted, int64_t now_us);

/** Commands of this kind that were submitted so far. */
size_t wpa_scripted_count(const wpa_scripted *scripted, wpa_command_kind kind);
/** How many the last command about all that match was to be about. */
int64_t wpa_scripted_expected(const wpa_scripted *scripted);
/** The object of the last one of this kind. */
wpa_object wpa_scripted_last(const wpa_scripted *scripted, wpa_command_kind kind);

/** Things a test wants to happen. */
void wpa_scripted_lose(wpa_scripted *scripted, const char *reason);
void wpa_scripted_restore(wpa_scripted *scripted);
/** Put a worse workflow above the others. */
void wpa_scripted_add_worst(wpa_scripted *scripted);
/** Joe looks at something else; he begins with p-2214. */
void wpa_scripted_joe(wpa_scripted *s, const char *place);
/** What the console has told of where its Guardian is. */
const char *wpa_scripted_place(const wpa_scripted *s);
/** Workflows i and k change places in the list. */
void wpa_scripted_swap(wpa_scripted *s, size_t i, size_t k);
/** Workflow i of the list has another score: something has happened. */
void wpa_scripted_rescore(wpa_scripted *s, size_t i, double overall);
/** Remove a finding from the list. */
void wpa_scripted_fix(wpa_scripted *scripted, int64_t finding_id);
void wpa_scripted_alarm(wpa_scripted *scripted, const char *text);
/** A workflow of this name instead of the first: hostile ones. */
void wpa_scripted_rename(wpa_scripted *scripted, const char *name);
/** So many findings in the list. */
void wpa_scripted_set_findings(wpa_scripted *scripted, size_t n);
/** So many runs in the list; none at first. */
void wpa_scripted_set_runs(wpa_scripted *scripted, size_t n);
/** Answer no question for rows; not slow again: the one that is open. */
void wpa_scripted_set_slow(wpa_scripted *scripted, bool is_slow);
/** The list that is watched cannot be read. */
void wpa_scripted_refuse_list(wpa_scripted *scripted, const char *why);
/** Dashboard and list as they are now, as if something had changed. */
void wpa_scripted_send(wpa_scripted *scripted);
