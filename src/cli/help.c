#include <string.h>

#include <wpa/text.h>

#include "cli/commands.h"
#include "rules/registry.h"

enum {
    OPTION_WIDTH = 28,
    COMMAND_WIDTH = 22
};

/* "-v, --verbose", "--limit N", "--fix[=RULE,...]" into text. */
static void format_option(const wpa_cli_option *option, char *text, size_t size_bytes)
{
    char letter[8] = "";
    if (option->letter) {
        wpa_text_format(letter, sizeof letter, "-%c, ", option->letter);
    }
    const char *open = "", *close = "";
    if (option->kind == WPA_CLI_OPTIONAL) {
        open = "[=";
        close = "]";
    } else if (option->value) {
        open = " ";
    }
    wpa_text_format(text, size_bytes, "%s--%s%s%s%s", letter, option->name, open,
                    option->value ? option->value : "", close);
}

static void print_option(FILE *out, const wpa_cli_option *option)
{
    char text[128];
    format_option(option, text, sizeof text);
    if (strlen(text) < OPTION_WIDTH) {
        fprintf(out, "  %-*s%s\n", OPTION_WIDTH, text, option->summary);
    } else {
        fprintf(out, "  %s\n  %*s%s\n", text, OPTION_WIDTH, "", option->summary);
    }
}

void wpa_cli_print_help(FILE *out, const wpa_cli_command *command)
{
    fprintf(out, "usage: wpa %s%s[OPTION...]%s%s\n\n%s.\n", command->name,
            command->name[0] ? " " : "", command->operands[0] ? " " : "", command->operands,
            command->summary);
    if (command->details) {
        fprintf(out, "\n%s\n", command->details);
    }
    (void)fputs("\noptions:\n", out);
    for (size_t i = 0; i < command->n_options; i++) {
        print_option(out, &command->options[i]);
    }
    if (command->has_json) {
        fprintf(out, "  %-*s%s\n", OPTION_WIDTH, "--json", "print JSON");
    }
    size_t n_common;
    const wpa_cli_option *common = wpa_cli_common_options(&n_common);
    for (size_t i = 0; i < n_common; i++) {
        print_option(out, &common[i]);
    }
}

void wpa_cli_print_overview(FILE *out)
{
    size_t n;
    const wpa_cli_command *const *commands = wpa_cli_commands(&n);
    (void)fputs("usage: wpa [COMMAND] [OPTION...] [OPERAND...]\n\n"
                "wpa, the Workflow Patch Agent, keeps a fleet of CI/CD workflows healthy.\n"
                "Without a command it opens the console.\n\ncommands:\n",
                out);
    for (size_t i = 0; i < n; i++) {
        if (commands[i]->name[0]) {
            fprintf(out, "  %-*s%s\n", COMMAND_WIDTH, commands[i]->name, commands[i]->summary);
        }
    }
    (void)fputs("\noptions of the console:\n", out);
    for (size_t i = 0; i < wpa_cli_console.n_options; i++) {
        print_option(out, &wpa_cli_console.options[i]);
    }
    size_t n_common;
    const wpa_cli_option *common = wpa_cli_common_options(&n_common);
    for (size_t i = 0; i < n_common; i++) {
        print_option(out, &common[i]);
    }
    (void)fputs("\nwpa COMMAND --help tells more about a command.\n", out);
}

/* ---- the manual page, in man(7) ---- */

/* Hyphens and backslashes escaped, and no line that begins as a request. */
static void print_man(FILE *out, const char *text)
{
    bool is_line_start = true;
    for (const char *c = text; *c; c++) {
        if (is_line_start && (*c == '.' || *c == '\'')) {
            (void)fputs("\\&", out);
        }
        if (*c == '-' || *c == '\\') {
            (void)fputs(*c == '-' ? "\\-" : "\\e", out);
        } else {
            (void)fputc(*c, out);
        }
        is_line_start = *c == '\n';
    }
}

static void print_man_option(FILE *out, const wpa_cli_option *option)
{
    char text[128];
    format_option(option, text, sizeof text);
    (void)fputs(".TP\n.B ", out);
    print_man(out, text);
    (void)fputs("\n", out);
    print_man(out, option->summary);
    (void)fputs(".\n", out);
}

static void print_man_command(FILE *out, const wpa_cli_command *command)
{
    (void)fputs(".SS wpa ", out);
    print_man(out, command->name);
    (void)fputs(command->name[0] ? " " : "", out);
    print_man(out, command->operands);
    (void)fputs("\n", out);
    print_man(out, command->summary);
    (void)fputs(".\n", out);
    if (command->details) {
        (void)fputs(".PP\n", out);
        print_man(out, command->details);
        (void)fputs("\n", out);
    }
    for (size_t i = 0; i < command->n_options; i++) {
        print_man_option(out, &command->options[i]);
    }
    if (command->has_json) {
        (void)fputs(".TP\n.B \\-\\-json\nprint JSON.\n", out);
    }
}

static const struct {
    const char *code, *meaning;
} exit_codes[] = {
    {"0", "done"},
    {"1", "refused by a rule: state, role, approval"},
    {"2", "wrong usage, or a name that nothing has"},
    {"3", "conflict: version, moved branch, claim"},
    {"4", "a check failed, or the deployment was rolled back"},
    {"5", "inconclusive"},
    {"6", "database unavailable"},
    {"7", "lease lost"},
    {"70", "a mistake of the program"},
    {"74", "the operating system refused a file"},
    {"75", "try again later"},
    {"130", "stopped by the user"},
};

typedef struct place {
    const char *name, *meaning;
} place;

static const place variables[] = {
    {"WPA_DB", "the database, as --db"},
    {"PGHOST, PGHOSTADDR, PGPORT, PGDATABASE, PGSERVICE",
     "the database, as for every program of PostgreSQL"},
    {"WPA_TOKEN", "token of a session, instead of the one that wpa login stores"},
    {"XDG_STATE_HOME", "where the state folder wpa is, ~/.local/state if unset"},
    {"XDG_CONFIG_HOME", "where wpa/console.yaml is, ~/.config if unset"},
    {"XDG_CACHE_HOME", "where the cache folder wpa is, ~/.cache if unset"},
    {"XDG_DATA_HOME, XDG_DATA_DIRS",
     "where refreshed facts are, in wpa/facts/ of each: ~/.local/share, /usr/local/share and "
     "/usr/share if unset"},
    {"TMPDIR",
     "where temporary files are, /tmp if unset: what check keeps of thousands of files, for one"},
    {"NO_COLOR", "no colours, if set to anything"},
    {"WPA_PLAIN", "if 1, the console is lines instead of a screen, as --plain"},
};

static const place files[] = {
    {"~/.config/wpa/console.yaml, /etc/wpa/console.yaml",
     "the console's settings, and the database: db:, theme:, unicode:, mouse:, clock:, input:, "
     "rollback:, lock:, ui: (motion, live data, where it begins), notify:, dash: (panes of the "
     "dashboard), wall: (its pages), keys: (a command's own)"},
    {"~/.config/wpa/filters.yaml", "filters that :set filter NAME has kept in the console"},
    {"~/.config/wpa/layouts.yaml", "layouts that :layout save NAME has kept in the console"},
    {"~/.local/state/wpa/console-NAME-SIZE.yaml",
     "where the console goes on for a Guardian in a terminal of this size"},
    {"~/.config/wpa/themes/", "colour themes of one's own"},
    {"~/.config/wpa/secrets/, /etc/wpa/secrets/",
     "files that --secret file:... may name, and no others"},
    {"~/.local/state/wpa/", "the database of its own, session keys, wpa.log"},
    {"~/.local/share/wpa/facts/tags.txt, forge.txt",
     "facts about actions that are newer than the program, as wpa data update has written them"},
    {"wpa.yml, .wpa.yml, .github/wpa.yml",
     "of a repository: which rules, how severe, what is ignored"},
};

static void print_man_places(FILE *out, const char *heading, const place *places, size_t n)
{
    (void)fputs(heading, out);
    for (size_t i = 0; i < n; i++) {
        (void)fputs(".TP\n.B ", out);
        print_man(out, places[i].name);
        (void)fputs("\n", out);
        print_man(out, places[i].meaning);
        (void)fputs(".\n", out);
    }
}

void wpa_cli_print_manual(FILE *out)
{
    size_t n, n_common;
    const wpa_cli_command *const *commands = wpa_cli_commands(&n);
    const wpa_cli_option *common = wpa_cli_common_options(&n_common);
    (void)fputs(
        ".TH WPA 1 \"\" \"wpa " WPA_VERSION "\" \"User Commands\"\n"
        ".SH NAME\nwpa \\- terminal operations console for CI/CD workflows\n"
        ".SH SYNOPSIS\n.B wpa\n[\\fICOMMAND\\fR] [\\fIOPTION\\fR...] [\\fIOPERAND\\fR...]\n"
        ".SH DESCRIPTION\nKeeps a fleet of CI/CD workflows healthy: finds what is wrong with "
        "them, writes the patch, proves it, deploys it in stages under health checks, and takes "
        "it back when one fails. Without a command it opens the console.\n"
        ".SH OPTIONS\nEvery command takes these.\n",
        out);
    for (size_t i = 0; i < n_common; i++) {
        print_man_option(out, &common[i]);
    }
    (void)fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < n; i++) {
        print_man_command(out, commands[i]);
    }
    (void)fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < WPA_COUNT(exit_codes); i++) {
        fprintf(out, ".TP\n.B %s\n%s.\n", exit_codes[i].code, exit_codes[i].meaning);
    }
    (void)fputs(".PP\nwpa check and wpa audit verify have codes of their own, told above.\n", out);
    print_man_places(out, ".SH ENVIRONMENT\n", variables, WPA_COUNT(variables));
    print_man_places(out, ".SH FILES\n", files, WPA_COUNT(files));
}

bool wpa_cli_print_family(FILE *out, const char *word)
{
    size_t n, length = strlen(word);
    const wpa_cli_command *const *commands = wpa_cli_commands(&n);
    bool has_any = false;
    for (size_t i = 0; i < n; i++) {
        const char *name = commands[i]->name;
        if (strncmp(name, word, length) == 0 && name[length] == ' ') {
            fprintf(out, "  wpa %-22s %s\n", name, commands[i]->summary);
            has_any = true;
        }
    }
    return has_any;
}

/* ---- the commands ---- */

static int run_version(wpa_cli *cli, wpa_error *err)
{
    (void)err;
    (void)fputs("wpa " WPA_VERSION "\n", cli->out);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_version = {
    .name = "version",
    .operands = "",
    .summary = "print the version",
    .is_light = true,
    .run = run_version,
};

static int run_help(wpa_cli *cli, wpa_error *err)
{
    if (cli->n_operands == 0) {
        wpa_cli_print_overview(cli->out);
        return WPA_EXIT_OK;
    }
    const char *name = cli->n_operands == 1 ? cli->operands[0]
                                            : wpa_arena_printf(cli->arena, "%s %s",
                                                               cli->operands[0], cli->operands[1]);
    size_t n;
    const wpa_cli_command *const *commands = wpa_cli_commands(&n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            wpa_cli_print_help(cli->out, commands[i]);
            return WPA_EXIT_OK;
        }
    }
    if (wpa_cli_print_family(cli->out, name)) {
        return WPA_EXIT_OK;
    }
    WPA_FAIL(err, WPA_E_INVALID, "there is no command '%s' (see wpa help)", name);
    return WPA_CLI_FAILED;
}

const wpa_cli_command wpa_cli_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .summary = "list the commands, or tell more about one",
    .max_operands = 2,
    .is_light = true,
    .run = run_help,
};

static int run_man(wpa_cli *cli, wpa_error *err)
{
    (void)err;
    wpa_cli_print_manual(cli->out);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_man = {
    .name = "man",
    .operands = "",
    .summary = "print the manual page, made from the commands themselves: wpa man > wpa.1",
    .is_light = true,
    .run = run_man,
};

/* ---- the manual page of the rules ---- */

static void print_man_rule(FILE *out, const wpa_rule *rule)
{
    (void)fputs(".TP\n.B ", out);
    print_man(out, rule->code);
    (void)fputs(" ", out);
    print_man(out, rule->id);
    fprintf(out, "\n%s, %s, %s%s%s: ", wpa_dimension_name(rule->dimension),
            wpa_kind_name(rule->kind), wpa_severity_name(rule->severity),
            rule->persona == WPA_PERSONA_DEFAULT ? "" : ", ",
            rule->persona == WPA_PERSONA_DEFAULT ? "" : wpa_persona_name(rule->persona));
    print_man(out, rule->summary);
    fprintf(out, ".%s\n", rule->repair ? " Has a fix." : "");
}

/** From the names of another tool to ours. */
static void print_man_names(FILE *out, const char *tool, const char *heading)
{
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    (void)fputs(".SH FROM ", out);
    print_man(out, heading);
    (void)fputs("\n", out);
    for (size_t i = 0; i < n; i++) {
        for (const char *const *at = rules[i]->elsewhere; at && *at; at++) {
            if (wpa_text_starts(*at, tool)) {
                (void)fputs(".br\n", out);
                print_man(out, *at + strlen(tool));
                fprintf(out, ": %s ", rules[i]->code);
                print_man(out, rules[i]->id);
                (void)fputs("\n", out);
            }
        }
    }
}

static int run_man_rules(wpa_cli *cli, wpa_error *err)
{
    (void)err;
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    (void)fputs(".TH WPA-RULES 7 \"\" \"wpa " WPA_VERSION "\" \"Rules\"\n"
                ".SH NAME\nwpa-rules \\- what wpa check finds\n"
                ".SH DESCRIPTION\nEvery rule of wpa check. wpa explain RULE tells all of one; a "
                "rule is named by its id, its code, or the name another tool has for it.\n"
                ".SH RULES\n",
                cli->out);
    for (size_t i = 0; i < n; i++) {
        print_man_rule(cli->out, rules[i]);
    }
    print_man_names(cli->out, "zizmor/", "ZIZMOR");
    print_man_names(cli->out, "actionlint/", "ACTIONLINT");
    (void)fputs(".SH SEE ALSO\n.BR wpa (1)\n", cli->out);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_man_rules = {
    .name = "man rules",
    .operands = "",
    .summary = "print the manual page of the rules: wpa man rules > wpa-rules.7",
    .is_light = true,
    .run = run_man_rules,
};
