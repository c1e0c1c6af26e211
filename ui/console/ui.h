/*
 * The console's state, and what its parts may do with it. Everything here belongs to the UI thread.
 *
 * A view is what fills the screen between the tabs and the message line: the eight numbered ones,
 * and those that are opened on a thing. A pane is a part of the dashboard. Both are rows of tables
 * (views/registry.c, panes/registry.c), each in a file of its own.
 */
#pragma once

#include <wpa/buf.h>
#include <wpa/console.h>

#include "console/config.h"
#include "keymap/keymap.h"
#include "theme/theme.h"
#include "widgets/cursor.h"
#include "widgets/doc.h"
#include "widgets/draw.h"
#include "widgets/field.h"
#include "widgets/format.h"

#define WPA_PAGES_MAX 6
#define WPA_TABS 8
#define WPA_MESSAGE_MAX 256
#define WPA_QUESTION_MAX 1536
#define WPA_NAME_CHARS 120 /* of a name in a question: what is asked stands behind it */
#define WPA_ASK_FIELDS 3
#define WPA_LEAST_ROWS 10 /* with less there is no room for anything but alarms */
#define WPA_LEAST_COLS 40
#define WPA_SAVED_MAX 64
#define WPA_ASK_WIDE_COLS 46 /* of what a question says: narrower ones go without blank lines */

typedef struct wpa_ui wpa_ui;
typedef struct wpa_view wpa_view;

/** A view that is open. */
typedef struct wpa_page {
    const wpa_view *view;
    wpa_object object; /* what it was opened on; none for the numbered ones */
    void *state;       /* view->state_bytes, zeroed at first */
} wpa_page;

struct wpa_view {
    const char *id;    /* "findings" */
    int tab;           /* 1 to 8; 0: none of the tabs is its own */
    const char *topic; /* "Findings": the heading in help */
    size_t state_bytes;
    unsigned contexts; /* WPA_IN_*: what holds whatever is selected */
    int list;          /* wpa_list it watches while open, or -1 */
    /** Verbs for the hint line, most used first, WPA_VERB_NONE at the end. */
    const wpa_verb *hints;
    /** The same where they depend on what is focused; may be NULL. */
    const wpa_verb *(*hints_for)(wpa_ui *ui, wpa_page *page);
    const void *data;                          /* what views of one kind differ in */
    void (*open)(wpa_ui *ui, wpa_page *page);  /* may be NULL */
    void (*close)(wpa_ui *ui, wpa_page *page); /* may be NULL; state is freed by the caller */
    void (*draw)(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas);
    /** True: it was mine. Movement above all; what is done to things is done by actions.c. */
    bool (*verb)(wpa_ui *ui, wpa_page *page, wpa_verb verb);
    /** What keys act on. */
    wpa_object (*selected)(wpa_ui *ui, wpa_page *page);
    /** Whose detail it wants to have loaded; NULL: that of the selected. */
    wpa_object (*watched)(wpa_ui *ui, wpa_page *page);
    /** New data has come. */
    void (*changed)(wpa_ui *ui, wpa_page *page); /* may be NULL */
    /** Page of text that / searches; NULL: none. */
    wpa_doc_state *(*doc)(wpa_page *page);
    /** Cursor of a list, for its marks; NULL: no marks here. */
    wpa_cursor *(*cursor)(wpa_page *page);
    /** Row for Y; NULL: the id alone. */
    char *(*row_text)(wpa_ui *ui, wpa_page *page, wpa_arena *arena);
    /** A click on a row of a pane (-1: on no row; pane -1: it has none). May be NULL. */
    void (*pick)(wpa_ui *ui, wpa_page *page, int pane, int index);
    /** The wheel over a pane; NULL: moves the cursor wherever it is turned. */
    void (*roll)(wpa_ui *ui, wpa_page *page, int pane, int by);
    /** A click on the title of a column; NULL: nothing to sort. */
    void (*sort_by)(wpa_ui *ui, wpa_page *page, wpa_sort sort);
};

typedef enum wpa_mode {
    WPA_MODE_NORMAL,
    WPA_MODE_SIGN_IN,
    WPA_MODE_FILTER,
    WPA_MODE_PALETTE,
    WPA_MODE_ASK,
    WPA_MODE_HELP,
} wpa_mode;

#define WPA_ROW_IDS_MAX 256

/** Some rows of a list by the ids they begin with. */
typedef struct wpa_row_ids {
    int64_t ids[WPA_ROW_IDS_MAX];
    size_t n;
} wpa_row_ids;

/** Rows of one list as they came last. */
typedef struct wpa_rows {
    wpa_msg *msg;
    wpa_msg *local;                     /* those of msg that the filter lets through, while lost */
    const wpa_list_view *view;          /* of local, else of msg; NULL nothing yet */
    uint64_t request_id;                /* of the watch that is running; 0 none */
    char filter[512], kept_filter[512]; /* typed; and what Esc goes back to */
    wpa_sort sort;
    bool is_descending;
    bool is_asking;      /* a watch was sent and not answered */
    bool is_late;        /* filter or order have changed since: asked again once it is answered */
    wpa_msg *before_msg; /* of before */
    const wpa_list_view *before; /* as they were shown, while a view looks at what is other */
    wpa_object resumes_at;       /* selected when it is opened first; none */
    char resumes_cursor[256];    /* key of its row; "" the first rows are asked for */
    wpa_row_ids fresh;           /* came in since and have not been on the screen */
    wpa_row_ids changed;         /* other since the database was lost; until they are selected */
    bool was_lost;               /* the database was lost: the next rows are compared with these */
    bool is_order_held;          /* the newest order waits until the cursor has been still */
    char narrows[256]; /* "sev: 40  wf: 31": what would match without each term; "" not told */
} wpa_rows;

/** Texts with names that a Guardian keeps: filters, layouts of the dashboard. */
typedef struct wpa_names {
    const char *file;    /* "filters.yaml", beside console.yaml */
    const char *heading; /* first line of it */
    const char *what;    /* "filter": in messages */
    struct {
        const char *name, *text;
    } items[WPA_SAVED_MAX];
    size_t n;
} wpa_names;

typedef struct wpa_message {
    wpa_notice_level level;
    char text[WPA_MESSAGE_MAX];
    int64_t at_us, until_us; /* until_us 0: until a key */
} wpa_message;

/** A question or a form. Nothing happens but by its answer key. */
typedef struct wpa_ask {
    char title[64];
    wpa_command *command; /* sent when answered; owned */
    wpa_object object;    /* whose detail the question shows; may be none */
    char question[WPA_QUESTION_MAX];
    const char *yes; /* word behind y, "deploy"; NULL: a form, sent by Enter in its last field */
    struct {
        const char *label;
        wpa_field field;
        bool is_required;
    } fields[WPA_ASK_FIELDS];
    int n_fields, focus;
    /** Lines of its own below the question; returns the row behind. May be NULL. */
    int (*draw)(wpa_ui *ui, const wpa_canvas *canvas, int row);
    wpa_doc_state body; /* question and lines, where they do not fit the screen */
    /** Fills command from the fields; false with err: stays open. May be NULL. */
    bool (*fill)(wpa_ui *ui, wpa_error *err);
    wpa_error error;
    int64_t version_us; /* of what it asks about: a change closes it */
} wpa_ask;

/** The window after R. */
typedef struct wpa_rollback {
    wpa_object deployment;
    int64_t asked_us, until_us;
    bool is_held;      /* the engine has confirmed */
    bool is_own;       /* this guardian may cancel it */
    bool is_cancelled; /* Esc was pressed, the answer is awaited */
    bool is_seen;      /* the deployment's row has shown it */
    uint64_t request_id;
    char by[64];
} wpa_rollback;

/** What is told to the others of where this Guardian is. */
typedef struct wpa_whereabouts {
    char told[WPA_SHORT], now[WPA_SHORT];
    int64_t told_us, since_us;
} wpa_whereabouts;

/** What is told for a while when the database is back. */
typedef struct wpa_back {
    int64_t lost_at_us; /* the next dashboard tells what has happened since; 0 has told */
    int64_t until_us;   /* shown until then; 0 not */
    int64_t away_us;
    int n;
    bool is_at_least;
} wpa_back;

typedef struct wpa_sign_in {
    wpa_field name, secret, again, code;
    int focus;
    bool is_waiting; /* an answer is awaited */
    wpa_error error;
} wpa_sign_in;

struct wpa_ui {
    const wpa_ui_options *options;
    wpa_console_port *port;
    wpa_arena *arena; /* lives as long as the console */
    wpa_config config;
    wpa_keymap keymap;
    wpa_theme *themes[16];
    size_t n_themes, theme;
    bool theme_changed;

    wpa_grid *grid, *scratch;
    bool is_ascii, is_wall;
    const char *terminal; /* what the terminal is, in words */
    uint64_t frame;       /* number of the frame on the screen */
    int64_t local_us;     /* this host's clock, set by the loop */
    bool is_dirty;        /* something changed that is not on the screen */
    bool wants_full;      /* repaint everything */
    bool wants_bell, wants_suspend, is_quitting;
    char *clipboard; /* to be handed to the terminal; owned */
    int64_t interrupted_us, last_key_us;
    bool has_mouse; /* wanted of the terminal */
    int64_t clicked_us;
    int pressed_row, pressed_col; /* of the mouse */

    wpa_msg *link_msg, *start_msg, *session_msg, *dash_msg, *detail_msg;
    wpa_msg *held_dash_msg; /* newest that came while frozen: its alarms are shown */
    int64_t heard_us;       /* local_us when a dashboard came last; 0 never */
    const wpa_link_view *link;
    const wpa_start_view *start;
    const wpa_session_view *session;
    const wpa_dashboard_view *dash;
    const wpa_detail_view *detail;
    wpa_rows lists[WPA_LIST_COUNT];
    wpa_names filters, layouts;
    wpa_layout layout; /* panes of the dashboard; none: by the size of the screen */

    uint64_t last_request;
    wpa_object watched; /* object whose detail is asked for */
    uint64_t watch_request;
    bool is_watch_open;   /* asked, not answered */
    uint64_t map_request; /* of a FIND whose answer is the middle of the map; 0 none */

    wpa_mode mode;
    wpa_page pages[WPA_TABS + 1][WPA_PAGES_MAX]; /* stack per tab; [0] unused */
    int n_pages[WPA_TABS + 1];
    int tab;
    wpa_object scope;
    char scope_name[128];
    bool is_frozen;
    int64_t frozen_us;
    int n_held_back; /* messages that came while frozen */

    wpa_message message;
    int n_more_messages;
    wpa_ask ask;
    char resumed[128];            /* whose place was taken up when he signed in */
    char *kept;                   /* what was written of where he is; NULL: nothing; owned */
    int64_t kept_us, kept_key_us; /* when, and last_key_us then */
    wpa_back back;
    wpa_whereabouts place;
    wpa_rollback rollback;
    int64_t closed_window_us; /* rollback_at of the window closed last: an older row may show it */
    wpa_sign_in sign_in;
    wpa_field prompt;
    int prompt_choice;
    char *history[100];
    int n_history, history_at;
    int help_scroll;
    wpa_field help_search;
    int64_t hold_keys_until_us; /* changing keys are refused: the selection has just changed */
    int wall_page;
    int64_t wall_turn_us, wall_asked_us;
    int tour;           /* its step, from 1; 0: there is none */
    wpa_verb did;       /* the last key meant; WPA_VERB_NONE: nothing by itself */
    char pressed[32];   /* key that is being handled, for the audit log */
    wpa_object acts_on; /* what a command names, instead of what is selected; none: the selected */
    int n_open_orders;  /* commands that were sent and not answered, watches left out */
    /** Plain mode is told each message as it comes; NULL elsewhere. */
    void (*said)(void *context, wpa_notice_level level, const char *text);
    void *said_context;
};

/* ---- life ---------------------------------------------------------------------------------- */

/** terminal: words for the sign-in screen; all borrowed. */
wpa_ui *wpa_ui_new(const wpa_ui_options *options, wpa_console_port *port, const char *terminal,
                   int rows, int cols, wpa_error *err);
void wpa_ui_free(wpa_ui *ui);
WPA_DEFINE_AUTO(wpa_ui, wpa_ui_free);

/** Load a theme and change to it. */
bool wpa_ui_load_theme(wpa_ui *ui, const char *name, wpa_error *err) WPA_CHECK;
/** Takes a message of the feed. */
void wpa_ui_apply(wpa_ui *ui, wpa_msg *msg);
/** Takes what is in the inbox; false: it was closed. */
bool wpa_ui_read_inbox(wpa_ui *ui);
void wpa_ui_key(wpa_ui *ui, const wpa_key *key);
/** The clock has moved: timers, messages that end. */
void wpa_ui_tick(wpa_ui *ui, int64_t local_us);
/** Milliseconds until the screen changes by itself; -1 never. */
int wpa_ui_wait_ms(const wpa_ui *ui);
void wpa_ui_resize(wpa_ui *ui, int rows, int cols);
/** Draw everything into ui->grid. */
void wpa_ui_paint(wpa_ui *ui);
/** A field or prompt is open: letters are text. */
bool wpa_ui_takes_text(const wpa_ui *ui);

/* ---- for views, panes and prompts ------------------------------------------------------------ */

/** Now, by the database's clock. */
int64_t wpa_ui_clock(const wpa_ui *ui);
/**
 * The moment the data on the screen is true for: now, or when the database was lost. Ages and
 * timers are counted to it, so that nothing that is old goes on ticking as if it were live.
 */
int64_t wpa_ui_now(const wpa_ui *ui);
bool wpa_ui_is_live(const wpa_ui *ui);
/** It was live, and what is on the screen is from then. */
bool wpa_ui_is_lost(const wpa_ui *ui);
/** The newest alarms, also while the view is frozen; n receives how many. */
const wpa_notice_row *wpa_ui_alarms(const wpa_ui *ui, size_t *n);
bool wpa_ui_is_signed_in(const wpa_ui *ui);
bool wpa_ui_may(const wpa_ui *ui, wpa_action action);

wpa_page *wpa_ui_page(wpa_ui *ui);
void wpa_ui_show_tab(wpa_ui *ui, int tab);
/** Open a view above the one that is open. */
void wpa_ui_push(wpa_ui *ui, const wpa_view *view, wpa_object object);
/** Close the topmost; false at a view's root. */
bool wpa_ui_pop(wpa_ui *ui);
/** The map with this workflow in the middle; Esc goes back to the one that was there. */
void wpa_ui_show_map(wpa_ui *ui, wpa_object workflow);
/** Go to a thing: opens the view that shows its kind. */
void wpa_ui_open(wpa_ui *ui, wpa_object object);
/** What keys act on now. */
wpa_object wpa_ui_selected(wpa_ui *ui);
unsigned wpa_ui_contexts(wpa_ui *ui);
/** Of a thing of this kind, wherever it is selected. */
unsigned wpa_ui_contexts_of(wpa_object_kind kind);
/** Cursor with the marked rows of the list that is open; NULL: it has none, or a command names what
    it is about. */
const wpa_cursor *wpa_ui_marks(wpa_ui *ui);

/** Detail of this object if it has come; NULL not yet. */
const wpa_detail_view *wpa_ui_detail(const wpa_ui *ui, wpa_object object);
/** Rows of things wherever they are loaded; NULL if nowhere. */
const wpa_deployment_row *wpa_ui_deployment(const wpa_ui *ui, int64_t id);
const wpa_patch_row *wpa_ui_patch(const wpa_ui *ui, int64_t id);
const wpa_finding_row *wpa_ui_finding(const wpa_ui *ui, int64_t id);
const wpa_workflow_row *wpa_ui_workflow(const wpa_ui *ui, int64_t id);

/** Give the command away; returns its request id, or 0 with a message on the screen. */
uint64_t wpa_ui_send(wpa_ui *ui, wpa_command *command);
/** Ask for the rows of a list again: filter, sort or window have changed. */
void wpa_ui_watch_list(wpa_ui *ui, wpa_list list, const char *cursor, bool from_end);
/** The same from its start, one question at a time: a key that is held down asks twice at most. */
void wpa_ui_ask_list(wpa_ui *ui, wpa_list list);
/** The filter of a list is another one: asked for, one question at a time. */
void wpa_ui_filter_list(wpa_ui *ui, wpa_list list, const char *filter);
/** The clock has moved: what has waited for the cursor to be still is shown, strips end. */
void wpa_ui_settle(wpa_ui *ui);
/** Bring watches in line with what is open. */
void wpa_ui_sync(wpa_ui *ui);

void wpa_ui_say(wpa_ui *ui, wpa_notice_level level, const char *format, ...) WPA_PRINTF(3, 4);
void wpa_ui_say_error(wpa_ui *ui, const char *what, const wpa_error *err);
void wpa_ui_copy(wpa_ui *ui, const char *text);

/* ---- parts of the console ------------------------------------------------------------------- */

/** Do what a verb means for the selected thing; false: not an action. (actions.c) */
bool wpa_ui_act(wpa_ui *ui, wpa_verb verb);
/** May this verb change the fleet now? Says why not. */
bool wpa_ui_check_change(wpa_ui *ui, wpa_verb verb, wpa_object object);
void wpa_ui_reply(wpa_ui *ui, const wpa_reply_view *reply);

/** Open a question; takes command. (ask.c) */
wpa_ask *wpa_ask_open(wpa_ui *ui, const char *title, wpa_command *command);
void wpa_ask_field(wpa_ask *ask, const char *label, const char *text, bool is_required);
void wpa_ask_close(wpa_ui *ui);
void wpa_ask_key(wpa_ui *ui, const wpa_key *key);
void wpa_ask_draw(wpa_ui *ui, const wpa_canvas *canvas);

/** R, the window, its strip. (rollback.c) */
void wpa_rollback_start(wpa_ui *ui, wpa_object object);
bool wpa_rollback_is_open(const wpa_ui *ui);
/** Esc and Enter while the window is open; true: taken. */
bool wpa_rollback_key(wpa_ui *ui, wpa_verb verb);
void wpa_rollback_reply(wpa_ui *ui, const wpa_reply_view *reply);
/** Look for windows in what came. */
void wpa_rollback_follow(wpa_ui *ui);
/** Returns the rows the strip took. */
int wpa_rollback_draw(wpa_ui *ui, const wpa_canvas *canvas, int row);

void wpa_sign_in_open(wpa_ui *ui); /* signin.c */
void wpa_sign_in_key(wpa_ui *ui, const wpa_key *key);
/** The field that is filled in now, and its name; NULL and "" at a button. */
wpa_field *wpa_sign_in_field(wpa_ui *ui);
const char *wpa_sign_in_label(const wpa_ui *ui);
void wpa_sign_in_read_only(wpa_ui *ui);
void wpa_sign_in_reply(wpa_ui *ui, const wpa_reply_view *reply);
void wpa_sign_in_draw(wpa_ui *ui, const wpa_canvas *canvas);

/** The prompt behind /: filters a list, searches a page of text. (filter.c) */
void wpa_filter_open(wpa_ui *ui);
void wpa_filter_key(wpa_ui *ui, const wpa_key *key);
void wpa_filter_draw(wpa_ui *ui, const wpa_canvas *canvas);
/**
 * Terms of a list's filter as the engine takes them: @mine is what this Guardian did, @NAME what
 * was saved under the name.
 */
const wpa_filter_term *wpa_filter_terms(const wpa_ui *ui, wpa_list list, const char *text,
                                        wpa_arena *arena, size_t *n);

/** What was saved, from its file; none is no error. (saved.c) */
bool wpa_names_read(wpa_ui *ui, wpa_names *names, wpa_error *err) WPA_CHECK;
/** NULL: none has this name. */
const char *wpa_names_find(const wpa_names *names, const char *name);
/** May it be a name? Small letters, digits, _ and -. */
bool wpa_names_takes(const char *name);
/** Keeps the text under the name, in the file too; "" forgets it. */
bool wpa_names_put(wpa_ui *ui, wpa_names *names, const char *name, const char *text,
                   wpa_error *err) WPA_CHECK;
/** ":set filter NAME": keeps the filter of the list that is open, forgets it if there is none. */
void wpa_saved_set(wpa_ui *ui, const char *name);
/** ":layout": panes, a name, "save NAME", "default", or nothing: says what there is. (layout.c) */
void wpa_layout_run(wpa_ui *ui, const char *rest);

/** While the database is lost, filter and order are those of the rows that are loaded. (loaded.c)
 */
void wpa_loaded_filter(wpa_ui *ui, wpa_list list);
/** The rows as the engine sent them. */
void wpa_loaded_forget(wpa_rows *rows);

/** Puts the rows, which are the view's own, in another order if they tell it. (loaded_sort.c) */
void wpa_loaded_sort(wpa_list_view *view, void *rows, size_t bytes, wpa_sort sort,
                     bool is_descending);

/** Text as YAML takes it, and a new line. */
void wpa_saved_put_quoted(wpa_buf *buf, const char *text);

/** Goes on where the one who has just signed in was. (resume.c) */
void wpa_resume_take(wpa_ui *ui);
/** Keeps it, when he leaves or the console is locked. */
void wpa_resume_keep(wpa_ui *ui);
/** Keeps it now and then while he is there: a console may end without a word. */
void wpa_resume_follow(wpa_ui *ui);

/** Key of row i of a view. (loaded.c) */
const char *wpa_loaded_cursor(const wpa_list_view *view, size_t i);
/** Key of row index of a view if it begins with this id; NULL it does not. */
const char *wpa_loaded_row_cursor(const wpa_list_view *view, int index, int64_t id);
/** Size of a row of this list. */
size_t wpa_loaded_row_bytes(wpa_list list);

/** Takes newer rows of a list; their order may wait. (moves.c) */
void wpa_moves_take(wpa_ui *ui, wpa_rows *rows, wpa_msg *msg);
/** The view has seen them: what was shown before is let go. */
void wpa_moves_taken(wpa_ui *ui);
/** Puts rows in the order that has waited; true: one has. */
bool wpa_moves_settle(wpa_rows *rows);
/** The same for all, once the cursor has been still for long enough. */
bool wpa_moves_settle_still(wpa_ui *ui);
/** Rows that came in above row top and have not been on the screen. */
int wpa_moves_new_above(const wpa_rows *rows, int top);
/** What the cursor tells to be on the screen has been seen. */
void wpa_moves_seen(wpa_rows *rows, const wpa_cursor *cursor);
bool wpa_moves_has(const wpa_row_ids *ids, int64_t id);
void wpa_moves_add(wpa_row_ids *ids, int64_t id);
/** The row of a view that begins with this id; NULL none. */
const void *wpa_moves_row(const wpa_list_view *view, int64_t id);
/** The database is back; a dashboard that came: what has happened since it was lost. */
void wpa_moves_back(wpa_ui *ui, int64_t lost_at_us);
void wpa_moves_count(wpa_ui *ui);
/** Returns the row behind the strip. */
int wpa_moves_draw_back(wpa_ui *ui, const wpa_canvas *canvas, int row);

/** Tells the others where this Guardian is, once he has settled there. (place.c) */
void wpa_place_follow(wpa_ui *ui);
/** The thing that a place is about; none: a view. */
wpa_object wpa_place_object(const char *place);
/** Who else looks at or decides on what is open: in its title, the first row of the body. */
void wpa_place_draw(wpa_ui *ui, const wpa_canvas *canvas, const wpa_canvas *body);

/** What may stand where the cursor of the filter is; "" none. (complete.c) */
const char *wpa_complete_words(const wpa_ui *ui, wpa_list list, char *text, size_t size_bytes);
/** Tab: as much as all that may stand there begin with. */
void wpa_complete(wpa_ui *ui, wpa_list list);

void wpa_palette_open(wpa_ui *ui, const char *text); /* palette.c */
void wpa_palette_key(wpa_ui *ui, const wpa_key *key);
void wpa_palette_draw(wpa_ui *ui, const wpa_canvas *canvas);
/** Run a command line as if typed. */
void wpa_palette_run(wpa_ui *ui, const char *line);
/** Is it a command, written out? */
bool wpa_palette_has(const char *name);
/** The i-th command that is no key; NULL behind the last. */
const char *wpa_palette_special(size_t i, const char **usage, const char **help);

/** ":tour": begins it, or ends it. (tour.c) */
void wpa_tour_toggle(wpa_ui *ui);
/** A key has been handled: is the step done? */
void wpa_tour_follow(wpa_ui *ui);
/** The step that is on; returns the row behind. */
int wpa_tour_draw(wpa_ui *ui, const wpa_canvas *canvas, int row);

/** Wheel and buttons. (mouse.c) */
void wpa_mouse_key(wpa_ui *ui, const wpa_key *key);
void wpa_mouse_toggle(wpa_ui *ui);

void wpa_help_open(wpa_ui *ui); /* help.c */
void wpa_help_key(wpa_ui *ui, const wpa_key *key);
void wpa_help_draw(wpa_ui *ui, const wpa_canvas *canvas);

/* ---- tables --------------------------------------------------------------------------------- */

extern const wpa_view *const wpa_views[];
extern const size_t wpa_n_views;
const wpa_view *wpa_view_of_tab(int tab);
/** The view that shows a thing of this kind. */
const wpa_view *wpa_view_of_object(wpa_object_kind kind);
/** The tab of the list that things of this kind are rows of; 0: none. */
int wpa_tab_of_object(wpa_object_kind kind);
const wpa_view *wpa_view_named(const char *id);
