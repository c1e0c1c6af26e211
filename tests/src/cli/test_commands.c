/* The commands as a story: each row acts on what the rows before it have left in the database. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "git/git.h"
#include "harness/pg.h"
#include "run.h"

typedef struct fixture {
    wpa_arena *arena;
    wpa_test_pg *pg;
    char *folder;
} fixture;

typedef struct step {
    const char *line; /* @ stands for the test's folder */
    int code;
    const char *out, *err; /* must be in there; NULL: whatever */
    const char *input;
} step;

static char *fill_in(fixture *made, const char *line)
{
    const char *at = strchr(line, '@');
    return at ? wpa_arena_printf(made->arena, "%.*s%s%s", (int)(at - line), line, made->folder,
                                 at + 1)
              : wpa_arena_text(made->arena, line);
}

static void tell(fixture *made, const step steps[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printed result =
            run_with(fill_in(made, steps[i].line), steps[i].input ? steps[i].input : "");
        if (result.code != steps[i].code || (steps[i].out && !strstr(result.out, steps[i].out)) ||
            (steps[i].err && !strstr(result.err, steps[i].err))) {
            fail_msg("%s: exit %d\n%s%s", steps[i].line, result.code, result.out, result.err);
        }
        forget(&result);
    }
}

static const char *fleet_file(fixture *made, const char *name)
{
    const char *source = getenv("WPA_SOURCE_DIR");
    return wpa_path_join(made->arena, source ? source : ".",
                         wpa_arena_printf(made->arena, "tests/fleet/%s", name));
}

static pid_t start(const char *program, const char *script, const char *folder, const char *port)
{
    pid_t child = fork();
    if (child == 0) {
        int null_fd = open("/dev/null", O_RDWR);
        if (dup2(null_fd, 0) == 0 && dup2(null_fd, 1) == 1 && dup2(null_fd, 2) == 2) {
            execlp(program, program, script, folder, port, (char *)NULL);
        }
        _exit(127);
    }
    return child;
}

/* A port that this process alone is likely to take. */
static const char *port(fixture *made)
{
    return wpa_arena_printf(made->arena, "%d", 10000 + (int)getpid() % 10000);
}

static bool make_sample_fleet(fixture *made)
{
    pid_t child = start("sh", fleet_file(made, "make.sh"), made->folder, port(made));
    int status = 1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static int set_up(void **state)
{
    static fixture made;
    wpa_error err = {0};
    made.arena = wpa_arena_new();
    made.pg = wpa_test_pg_new();
    made.folder = wpa_dir_temp("/tmp/wpa-commands-", made.arena, &err);
    *state = &made;
    return made.folder && setenv("WPA_DB", wpa_test_pg_dsn(made.pg), 1) == 0 &&
                   setenv("XDG_STATE_HOME", made.folder, 1) == 0 &&
                   setenv("XDG_CACHE_HOME", made.folder, 1) == 0 &&
                   setenv("XDG_CONFIG_HOME", made.folder, 1) == 0
               ? 0
               : 1;
}

static int tear_down(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    bool is_gone = wpa_dir_remove(made->folder, &err);
    wpa_test_pg_free(made->pg);
    wpa_arena_free(made->arena);
    return is_gone ? 0 : 1;
}

#define PASSPHRASE "correct horse\n"

static void test_people(void **state)
{
    fixture *made = *state;
    static const step steps[] = {
        {"wpa whoami", 1, "", "there is no guardian yet: make one with wpa guardian add NAME",
         NULL},
        {"wpa guardian add -- -x", 2, "", "a name is", NULL},
        {"wpa guardian add mira --passphrase-file @/none", 2, "", "cannot read", NULL},
        {"wpa guardian add mira --passphrase-file -", 2, "", "at least 8", "short\n"},
        {"wpa guardian add mira --passphrase-file -", 2, "", "no passphrase", ""},
        {"wpa guardian add mira --role owner", 2, "", "unknown role 'owner'", NULL},
        {"wpa guardian add tom --role viewer --passphrase-file -", 1, "", "no guardian yet",
         PASSPHRASE},
        {"wpa guardian add mira --passphrase-file -", 0, "added guardian 'mira'", "", PASSPHRASE},
        {"wpa guardian add eve --passphrase-file -", 1, "", "nobody is signed in", PASSPHRASE},
        {"wpa whoami", 1, "", "nobody is signed in", NULL},
        {"wpa login mira --passphrase-file -", 1, "", "4 tries left", "wrong horse\n"},
        {"wpa login mira --passphrase-file -", 0, "signed in as mira (guardian)", "", PASSPHRASE},
        {"wpa whoami", 0, "mira (guardian)", "", NULL},
        {"wpa whoami --json", 0, "\"role\": \"guardian\"", "", NULL},
        {"wpa guardian add tom --role viewer --passphrase-file -", 0, "added viewer", "",
         PASSPHRASE},
        {"wpa guardian add TOM --passphrase-file -", 3, "", "is taken", PASSPHRASE},
        {"wpa guardian list", 0, "tom", "", NULL},
        {"wpa guardian list --json", 0, "\"name\": \"engine\"", "", NULL},
        {"wpa guardian disable mira", 1, "", "last active guardian", NULL},
        {"wpa guardian disable tom", 0, "disabled", "", NULL},
        {"wpa login tom --passphrase-file -", 1, "", "wrong name, passphrase or code", PASSPHRASE},
        {"wpa guardian enable tom", 0, "enabled", "", NULL},
        {"wpa guardian disable nobody", 2, "", "nobody is called 'nobody'", NULL},
        {"wpa guardian passwd --old-passphrase-file - --passphrase-file -", 1, "",
         "wrong passphrase", "wrong horse\nanother horse\n"},
        {"wpa guardian passwd MIRA --old-passphrase-file - --passphrase-file -", 1, "",
         "wrong passphrase", "another horse\nanother horse\n"},
        {"wpa guardian passwd --old-passphrase-file - --passphrase-file -", 2, "", "no passphrase",
         PASSPHRASE},
        {"wpa guardian passwd --old-passphrase-file - --passphrase-file -", 0, "new passphrase", "",
         PASSPHRASE "another horse\n"},
        {"wpa guardian passwd tom --passphrase-file -", 0, "new passphrase", "", PASSPHRASE},
        {"wpa whoami", 0, "mira", "", NULL},
        {"wpa config default", 0, "no configuration of its own", "", NULL},
        {"wpa config default --off", 0, "no configuration of its own any more", "", NULL},
        {"wpa config default -", 2, "", "the fleet's wpa.yml:2:1: rule: unknown key",
         "version: 1\nrule: {}\n"},
        {"wpa config default -", 2, "", "baseline is a repository's own to say",
         "version: 1\nbaseline: x.json\n"},
        {"wpa config default -", 2, "", "holds no text", ""},
        {"wpa config default - --off", 2, "", "mean two things", "version: 1\n"},
        {"wpa config default @/none.yml", 2, "", "none.yml", NULL},
        {"wpa config default -", 0, "holds for every repository", "", "version: 1\n"},
        {"wpa config default", 0, "version: 1\n", "", NULL},
        {"wpa config default --json", 0, "\"changed_by\": \"mira\"", "", NULL},
        {"wpa audit show --json", 0, "\"subject\": \"setting:wpa.yml\"", "", NULL},
        {"wpa logout", 0, "signed out", "", NULL},
        {"wpa logout", 0, "nobody was signed in", "", NULL},
        {"wpa login tom --passphrase-file -", 0, "signed in as tom (viewer)", "", PASSPHRASE},
        {"wpa guardian add eve --passphrase-file -", 1, "", "may not change guardians", PASSPHRASE},
        {"wpa fleet scan", 1, "", "may not", NULL},
        {"wpa config default --off", 1, "", "may not", NULL},
        {"wpa config default", 0, "version: 1", "", NULL},
        {"wpa audit show --json", 0, "\"action\": \"access.refused\"", "", NULL},
        {"wpa audit verify", 0, "sound", "", NULL},
        {"wpa audit show --json", 0, "\"action\": \"session.opened\"", "", NULL},
    };
    tell(made, steps, WPA_COUNT(steps));
    struct stat info;
    assert_int_equal(stat(fill_in(made, "@/wpa/token"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_fleet_and_findings(void **state)
{
    fixture *made = *state;
    wpa_error err = {0};
    static const char far[] = "version: 1\nrepositories:\n  - name: far\n    url: "
                              "https://me:hunter2@127.0.0.1:1/far.git\n";
    assert_true(wpa_file_replace(fill_in(made, "@/far.yml"), far, strlen(far), 0600, &err));
    static const step steps[] = {
        {"wpa guardian add mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa login mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa fleet list", 0, "no repository yet", "", NULL},
        {"wpa health", 0, "no workflow has been analysed yet", "", NULL},
        {"wpa finding list", 0, "no finding", "", NULL},
        {"wpa patch list", 0, "no patch", "", NULL},
        {"wpa queue", 0, "no job", "", NULL},
        {"wpa fleet import @/none.yml", 2, "", "none.yml", NULL},
        {"wpa fleet import @/fleet.yml --wait", 0, "6 added", "", NULL},
        {"wpa fleet import @/fleet.yml --wait", 0, "6 as before", "", NULL},
        {"wpa fleet list", 0, "ledger-api", "", NULL},
        {"wpa fleet list --json", 0, "\"state\": \"ok\"", "", NULL},
        {"wpa fleet add @/none --wait", 5, "added 'none'", "none cannot be scanned", NULL},
        {"wpa fleet list", 0, "error", "", NULL},
        {"wpa fleet remove none", 0, "removed", "", NULL},
        {"wpa fleet import @/far.yml", 0, "1 added", "", NULL},
        {"wpa fleet list --json", 0, "\"https://***@127.0.0.1:1/far.git\"", "", NULL},
        {"wpa fleet list", 0, "https://***@127.0.0.1:1/far.git", "", NULL},
        {"wpa fleet remove far", 0, "removed", "", NULL},
        {"wpa fleet remove none", 2, "", "none", NULL},
        {"wpa fleet scan ledger-api --wait", 0, "1 scan queued", "", NULL},
        {"wpa analyse", 2, "", "name workflows, or say --all", NULL},
        {"wpa analyse --all ledger-api-ci", 2, "", "name workflows, or say --all", NULL},
        {"wpa analyse ledger-api/ci.yml --wait", 0, "ledger-api/ci.yml: done", "", NULL},
        {"wpa analyse ledger-api-ci", 0, "queued as j-", "", NULL},
        {"wpa analyse --all --wait", 0, "the fleet is analysed", "", NULL},
        {"wpa analyse nothing", 2, "", "nothing", NULL},
        {"wpa health", 0, "ledger-api/ci.yml", "", NULL},
        {"wpa health ledger-api-ci --json", 0, "\"workflow\": \"ledger-api/ci.yml\"", "", NULL},
        {"wpa score explain ledger-api-ci", 0, "unpinned-uses  f-", "", NULL},
        {"wpa finding list --workflow ledger-api-ci --severity high -n 3", 0, "high", "", NULL},
        {"wpa finding list --json -n 1", 0, "\"fingerprint\"", "", NULL},
        {"wpa finding show f-999999", 2, "", "there is no f-999999", NULL},
        {"wpa finding show p-1", 2, "", "is not an id", NULL},
        {"wpa finding show f-1", 0, "\n>", "", NULL},
        {"wpa finding ignore f-1", 2, "", "--reason", NULL},
        {"wpa finding ignore f-1 --reason 'known and accepted' --until soon", 2, "", "--until",
         NULL},
        {"wpa finding ignore f-1 --reason 'known and accepted' --until 2020-01-01", 2, "",
         "'2020-01-01' is over", NULL},
        {"wpa finding ignore f-1 --reason 'known and accepted' --until 30d", 0, "1 finding ignored",
         "", NULL},
        {"wpa finding show f-1", 0, "known and accepted", "", NULL},
        {"wpa finding ignore f-1 --undo", 0, "open again", "", NULL},
        {"wpa finding ignore f-1 -r x --until 2999-12-31", 0, "ignored", "", NULL},
        {"wpa queue --history --kind analyse", 0, "done", "", NULL},
        {"wpa agents", 0, NULL, "", NULL},
        {"wpa patch show p-1", 2, "", "there is no p-1", NULL},
        {"wpa patch approve p-1", 2, "", NULL, NULL},
        {"wpa patch reject p-1", 2, "", "--reason", NULL},
        {"wpa audit show --subject finding:1", 0, "finding.ignored", "", NULL},
        {"wpa audit verify --json", 0, "\"sound\": true", "", NULL},
    };
    assert_true(make_sample_fleet(made));
    tell(made, steps, WPA_COUNT(steps));
}

/* A file that is too large has no score: the list says so, and why. */
static void test_what_cannot_be_analysed_is_told(void **state)
{
    fixture *made = *state;
    static const step steps[] = {
        {"wpa guardian add mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa login mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa fleet add @/large --wait", 0, NULL, "", NULL},
        {"wpa health", 0, "large/ci.yml", "large/big.yml cannot be analysed: has 1100000 bytes",
         NULL},
        {"wpa health large/ci.yml", 0, "large/ci.yml", "", NULL},
        {"wpa health large/big.yml", 2, "", "'large/big.yml' cannot be analysed: has 1100000 bytes",
         NULL},
    };
    wpa_error err = {0};
    char *big = wpa_arena_alloc(made->arena, 1100000);
    memset(big, '#', 1100000);
    static const char ci[] = "on: push\njobs: {}\n";
    const char *folder = fill_in(made, "@/large/.github/workflows");
    assert_true(wpa_dir_make(folder, 0755, &err));
    assert_true(
        wpa_file_replace(wpa_path_join(made->arena, folder, "big.yml"), big, 1100000, 0600, &err));
    assert_true(
        wpa_file_replace(wpa_path_join(made->arena, folder, "ci.yml"), ci, strlen(ci), 0600, &err));
    pid_t child = start("sh", "-c",
                        "cd \"$0\" && git init -q -b main && git add . && git -c user.name=a -c "
                        "user.email=a@example.org commit -q -m one",
                        fill_in(made, "@/large"));
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    tell(made, steps, WPA_COUNT(steps));
}

/* Who waits for analyses is told which of them were given up, and why; others' are not his. */
static void test_given_up(void **state)
{
    fixture *made = *state;
    static const step before[] = {
        {"wpa guardian add mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa login mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa fleet import @/fleet.yml --wait", 0, "6 added, 0 changed, 0 as before\n", "", NULL},
        {"wpa fleet import @/fleet.yml", 0, "6 as before; scans are queued", "", NULL},
        {"wpa fleet scan --wait", 0, NULL, "", NULL},
    };
    static const step after[] = {
        {"wpa analyse --all --wait", 4, NULL, "analyse ledger-api/ci.yml: given up: ", NULL},
        {"wpa analyse --all --wait", 4, NULL, "the disk is full", NULL},
        {"wpa fleet scan web-front --wait", 0, NULL, "", NULL},
    };
    assert_true(make_sample_fleet(made));
    tell(made, before, WPA_COUNT(before));
    wpa_test_sql_int(
        made->pg, 0,
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "IF EXISTS (SELECT FROM wpa.workflow w JOIN wpa.repository r ON r.id = w.repository_id "
        "WHERE w.id = NEW.workflow_id AND r.name = 'ledger-api' AND w.path LIKE '%/ci.yml') THEN "
        "RAISE EXCEPTION 'the disk is full'; END IF; RETURN NEW; END$$; "
        "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON wpa.health FOR EACH ROW "
        "EXECUTE FUNCTION public.refuse(); "
        "CREATE FUNCTION public.once() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN NEW.max_attempts := 1; RETURN NEW; END$$; "
        "CREATE TRIGGER once BEFORE INSERT ON wpa.job FOR EACH ROW EXECUTE FUNCTION public.once(); "
        "SELECT 1");
    tell(made, after, WPA_COUNT(after));
}

static void test_patches(void **state)
{
    fixture *made = *state;
    static const step steps[] = {
        {"wpa guardian add mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa login mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa fleet import @/fleet.yml --wait", 0, "6 added", "", NULL},
        {"wpa patch create", 2, "", "name findings, or say", NULL},
        {"wpa patch create f-1 --rule unpinned-uses", 2, "", "name findings, or say", NULL},
        {"wpa patch create f-999999", 2, "", NULL, NULL},
        {"wpa patch create --rule nonsense", 2, "", "no open finding", NULL},
        {"wpa patch create --workflow ledger-api-ci --rule unpinned-uses --wait", 0,
         "p-1 is tested", "", NULL},
        {"wpa patch list", 0, "tested", "", NULL},
        {"wpa patch list --state failed", 0, "no patch", "", NULL},
        {"wpa patch show p-1", 0, "the repository's own tests", "", NULL},
        {"wpa patch show p-1", 0, "whoever can move it runs code in this job\n", "", NULL},
        {"wpa patch show 1 --json", 0, "\"checks\": [", "", NULL},
        {"wpa patch diff p-1", 0, "+++ b/", "", NULL},
        {"wpa patch test p-1 --wait", 0, "p-1 is tested", "", NULL},
    };
    /* What p-1 answers is open, as after another patch was rolled back: it is left to p-1. */
    static const step rest[] = {
        {"wpa patch create --workflow ledger-api-ci --rule unpinned-uses", 2, "", "in no patch yet",
         NULL},
        {"wpa patch create --workflow ledger-api-ci", 0, "p-2 answers", "", NULL},
        {"wpa deploy plan p-1", 0, "plan digest", "", NULL},
        {"wpa deploy plan p-1 --json", 0, "\"plan_digest\"", "", NULL},
        {"wpa patch approve p-1 --reason 'looks right'", 0, "p-1 is approved", "", NULL},
        {"wpa patch withdraw p-1", 0, "p-1 is tested", "", NULL},
        {"wpa patch reject p-1 --reason 'not now'", 0, "p-1 is failed: rejected", "", NULL},
        {"wpa patch approve p-1", 1, "", NULL, NULL},
        {"wpa patch show p-1", 0, "not now", "", NULL},
        {"wpa audit verify", 0, "sound", "", NULL},
    };
    assert_true(make_sample_fleet(made));
    tell(made, steps, WPA_COUNT(steps));
    wpa_test_sql_int(made->pg, 0,
                     "UPDATE wpa.finding SET state = 'open' WHERE id IN (SELECT finding_id FROM "
                     "wpa.patch_finding WHERE patch_id = 1); SELECT 1");
    tell(made, rest, WPA_COUNT(rest));
}

static const char *head_of(fixture *made, const char *repository)
{
    wpa_error err = {0};
    char *oid = wpa_arena_alloc(made->arena, WPA_OID_SIZE);
    WPA_AUTO(wpa_git) *git =
        wpa_git_open(wpa_arena_printf(made->arena, "%s/%s.git", made->folder, repository), &err);
    assert_non_null(git);
    assert_true(wpa_git_ref_read(git, "refs/heads/main", oid, &err));
    return oid;
}

#define PAUSED 5
#define TRIES 8

/** A busy machine measures too seldom, and the rollout is held: a Guardian lets it go on. */
static void deploy(void)
{
    printed result = run_with("wpa deploy start p-1 --watch", "");
    for (int i = 0; result.code == PAUSED && strstr(result.out, "too few of the measurements");
         i++) {
        printed resumed = run_with("wpa deploy resume d-1", "");
        assert_true(resumed.code == 0 && i < TRIES);
        forget(&resumed);
        forget(&result);
        result = run_with("wpa deploy watch d-1", "");
    }
    if (result.code != 0 || !strstr(result.out, "d-1  succeeded")) {
        fail_msg("exit %d\n%s%s", result.code, result.out, result.err);
    }
    forget(&result);
}

static void test_deployments(void **state)
{
    fixture *made = *state;
    static const step before[] = {
        {"wpa guardian add mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa login mira --passphrase-file -", 0, NULL, "", PASSPHRASE},
        {"wpa fleet import @/fleet.yml --wait", 0, "6 added", "", NULL},
        {"wpa deploy status", 0, "no deployment", "", NULL},
        {"wpa deploy start p-1", 2, "", NULL, NULL},
        {"wpa deploy rollback p-1", 2, "", "never been deployed", NULL},
        {"wpa patch create --workflow ledger-api-ci --rule retired-runner --wait", 0,
         "p-1 is tested", "", NULL},
        {"wpa deploy start p-1 --plan-digest 00", 3, "", NULL, NULL},
    };
    static const step after[] = {
        {"wpa deploy status", 0, "succeeded", "", NULL},
        {"wpa deploy status d-1", 0, "books balance", "", NULL},
        {"wpa deploy status d-1 --json", 0, "\"targets\": [", "", NULL},
        {"wpa deploy watch d-1", 0, "succeeded", "", NULL},
        {"wpa deploy pause d-1 --reason x", 1, "", NULL, NULL},
        {"wpa deploy rollback d-1 --if-version 0 --reason x", 3, "", NULL, NULL},
        {"wpa deploy rollback p-1 --watch --reason rehearsal", 0, "d-1  rolled_back", "", NULL},
        {"wpa deploy watch d-1", 4, "rolled_back", "", NULL},
        {"wpa deploy rollback d-1", 1, "", "wpa: d-1 is rolled_back: it cannot", NULL},
        {"wpa patch list", 0, "rolled_back", "", NULL},
        {"wpa audit verify", 0, "sound", "", NULL},
    };
    assert_true(make_sample_fleet(made));
    pid_t service = start("python3", fleet_file(made, "service.py"), made->folder, port(made));
    const char *old = head_of(made, "ledger-api");
    tell(made, before, WPA_COUNT(before));
    deploy();
    const char *patched = head_of(made, "ledger-api");
    assert_string_not_equal(old, patched);
    tell(made, after, WPA_COUNT(after));
    assert_string_not_equal(head_of(made, "ledger-api"), patched);
    assert_int_equal(kill(service, SIGKILL), 0);
    assert_int_equal(waitpid(service, NULL, 0), service);
}

static void test_database_away(void **state)
{
    (void)state;
    fixture *made = *state;
    static const step steps[] = {
        {"wpa health --db 'host=/nonexistent dbname=x'", 6, "", "open the database (--db)", NULL},
        {"wpa health --db 'no=such option'", 6, "", NULL, NULL},
    };
    tell(made, steps, WPA_COUNT(steps));
}

static void test_broken_audit_log_is_told(void **state)
{
    fixture *made = *state;
    static const step before[] = {
        {"wpa guardian add mira --passphrase-file -", 0, NULL, "", PASSPHRASE}};
    static const step after[] = {
        {"wpa audit verify", 1, "hash is wrong", "", NULL},
        {"wpa audit verify --json", 1, "\"sound\": false", "", NULL},
        {"wpa audit verify --db 'host=/nonexistent'", 2, "", "open the database", NULL},
    };
    tell(made, before, WPA_COUNT(before));
    wpa_test_sql_int(made->pg, 0,
                     "ALTER TABLE wpa.audit DISABLE TRIGGER ALL; "
                     "UPDATE wpa.audit SET action = 'other' WHERE seq = 1 RETURNING seq");
    tell(made, after, WPA_COUNT(after));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    wpa_error err = {0};
    wpa_test_pg_need();
    if (!wpa_git_init(&err)) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        CASE(test_people),        CASE(test_fleet_and_findings),
        CASE(test_given_up),      CASE(test_what_cannot_be_analysed_is_told),
        CASE(test_patches),       CASE(test_deployments),
        CASE(test_database_away), CASE(test_broken_audit_log_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
