#include <inttypes.h>

#include "cli/commands.h"
#include "cli/work.h"
#include "gen/sql.h"
#include "json/json.h"

/* Exit codes of this command: a chain that could not be read is not a broken one. */
enum {
    EXIT_SOUND = 0,
    EXIT_BROKEN = 1,
    EXIT_NOT_CHECKED = 2
};

/* clang-format off */
static const wpa_cli_option show_options[] = {
    {"subject", 's', WPA_CLI_TEXT, "NAME", "only rows about this, such as patch:7 or deployment:3"},
    {"before", 0, WPA_CLI_INT, "SEQ", "only rows before this one"},
    WPA_CLI_OPTION_LIMIT,
};
static const wpa_cli_option verify_options[] = {
    {"from", 0, WPA_CLI_INT, "SEQ", "begin with this row"},
    {"to", 0, WPA_CLI_INT, "SEQ", "end with this row"},
};

static const wpa_cli_column columns[] = {
    {"seq", "SEQ", WPA_CLI_AS_INT, 0},
    {"at", "TIME", WPA_CLI_AS_TIME, 0},
    {"actor", "WHO", WPA_CLI_AS_TEXT, 0},
    {"action", "ACTION", WPA_CLI_AS_TEXT, 0},
    {"subject", "SUBJECT", WPA_CLI_AS_TEXT, 0},
    {"detail", "DETAIL", WPA_CLI_AS_TEXT, 0},
    {"hash", NULL, WPA_CLI_AS_TEXT, 0},
};
/* clang-format on */

static int run_show(wpa_cli *cli, wpa_error *err)
{
    char before[WPA_DB_NUMBER_SIZE], limit[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_cli_text(cli, "subject"),
        wpa_cli_is_given(cli, "before") ? wpa_db_number(wpa_cli_int(cli, "before", 0), before)
                                        : NULL,
        wpa_cli_limit(cli, limit),
    };
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_CLI_AUDIT, params, WPA_COUNT(params), err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, columns, WPA_COUNT(columns), "no row");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_audit_show = {
    .name = "audit show",
    .operands = "",
    .summary = "show the audit log, the latest row first",
    .options = show_options,
    .n_options = WPA_COUNT(show_options),
    .has_json = true,
    .run = run_show,
};

static void print_report(wpa_cli *cli, const wpa_audit_report *report)
{
    if (wpa_cli_wants_json(cli)) {
        wpa_json *object = wpa_json_new_object(cli->arena);
        wpa_json_set_bool(object, "sound", report->fault_seq == 0);
        wpa_json_set_int(object, "rows", report->n_rows);
        wpa_json_set_int(object, "first", report->first_seq);
        wpa_json_set_int(object, "last", report->last_seq);
        if (report->fault_seq) {
            wpa_json *fault = wpa_json_set_object(object, "fault");
            wpa_json_set_int(fault, "seq", report->fault_seq);
            wpa_json_set_text(fault, "what", report->fault);
            wpa_json_set_text(fault, "stored", report->stored);
            wpa_json_set_text(fault, "computed", report->computed);
        }
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(object, cli->arena));
        return;
    }
    fprintf(cli->out, "%" PRId64 " rows checked, %" PRId64 " to %" PRId64 ": %s\n", report->n_rows,
            report->first_seq, report->last_seq, report->fault_seq ? "BROKEN" : "sound");
    if (report->fault_seq) {
        fprintf(cli->out, "row %" PRId64 ": %s is wrong\n  stored    %s\n  computed  %s\n",
                report->fault_seq, report->fault, report->stored, report->computed);
    }
}

static int run_verify(wpa_cli *cli, wpa_error *err)
{
    wpa_audit_report report = {0};
    wpa_engine *engine = wpa_cli_engine(cli, err);
    if (!engine || !wpa_agent_verify_audit(engine, wpa_cli_int(cli, "from", 0),
                                           wpa_cli_int(cli, "to", 0), &report, err)) {
        return WPA_CLI_FAILED;
    }
    print_report(cli, &report);
    return report.fault_seq ? EXIT_BROKEN : EXIT_SOUND;
}

static int verify_exit_code(wpa_code code)
{
    return code == WPA_OK ? EXIT_SOUND : EXIT_NOT_CHECKED;
}

const wpa_cli_command wpa_cli_audit_verify = {
    .name = "audit verify",
    .operands = "",
    .summary = "recompute the hash chain of the audit log",
    .details = "Exit status: 0 sound, 1 broken, 2 it could not be checked completely.",
    .options = verify_options,
    .n_options = WPA_COUNT(verify_options),
    .has_json = true,
    .run = run_verify,
    .exit_code = verify_exit_code,
};
