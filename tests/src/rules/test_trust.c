/* Conditions judged for strangers: what keeps them out, and what only seems to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/trust.h"

#define PR "github.event.pull_request."

typedef struct guard_case {
    const char *title, *event, *condition;
    wpa_trust_guard guard;
} guard_case;

static const guard_case cases[] = {
    {"nothing", "pull_request_target", "true", WPA_GUARD_NONE},
    {"same repository", "pull_request_target", PR "head.repo.full_name == github.repository",
     WPA_GUARD_FORKS},
    {"either side", "pull_request_target", "github.repository == " PR "head.repo.full_name",
     WPA_GUARD_FORKS},
    {"literal repository", "pull_request_target", PR "head.repo.full_name == 'o/r'",
     WPA_GUARD_FORKS},
    {"another repository", "pull_request_target", PR "head.repo.full_name != github.repository",
     WPA_GUARD_NONE},
    {"own owner", "pull_request_target", PR "head.repo.owner.login == github.repository_owner",
     WPA_GUARD_FORKS},
    {"no fork", "pull_request_target", "!" PR "head.repo.fork", WPA_GUARD_FORKS},
    {"fork is false", "pull_request_target", PR "head.repo.fork == false", WPA_GUARD_FORKS},
    {"a fork", "pull_request_target", PR "head.repo.fork", WPA_GUARD_NONE},
    {"dominated", "pull_request_target", "!" PR "head.repo.fork && github.actor != 'x'",
     WPA_GUARD_FORKS},
    {"beside", "pull_request_target", "!" PR "head.repo.fork || " PR "draft", WPA_GUARD_NONE},
    {"beside another event", "pull_request_target",
     "github.event_name == 'push' || !" PR "head.repo.fork", WPA_GUARD_FORKS},
    {"negated whole", "pull_request_target", "!(" PR "head.repo.fork || " PR "draft)",
     WPA_GUARD_FORKS},
    {"in a fence", "pull_request_target", "${{ !" PR "head.repo.fork }}", WPA_GUARD_FORKS},
    {"text around the fence", "pull_request_target", "x ${{ !" PR "head.repo.fork }} longer",
     WPA_GUARD_NONE},
    {"member", "pull_request_target", PR "author_association == 'MEMBER'", WPA_GUARD_MEMBERS},
    {"contributor", "pull_request_target", PR "author_association == 'CONTRIBUTOR'",
     WPA_GUARD_NONE},
    {"list of associations", "issue_comment",
     "contains(fromJSON('[\"OWNER\", \"MEMBER\"]'), github.event.comment.author_association)",
     WPA_GUARD_MEMBERS},
    {"list with outsiders", "issue_comment",
     "contains(fromJSON('[\"OWNER\", \"NONE\"]'), github.event.comment.author_association)",
     WPA_GUARD_NONE},
    {"who opened the issue", "issue_comment", "github.event.issue.author_association == 'OWNER'",
     WPA_GUARD_NONE},
    {"who opened the issue, by login", "issue_comment",
     "github.event.issue.user.login == 'octocat'", WPA_GUARD_NONE},
    {"comments of who opened it", "issue_comment",
     "github.event.comment.user.login == github.event.issue.user.login", WPA_GUARD_NONE},
    {"who opens the issue", "issues", "github.event.issue.author_association == 'OWNER'",
     WPA_GUARD_MEMBERS},
    {"author", "pull_request_target", PR "user.login == 'dependabot[bot]'", WPA_GUARD_MEMBERS},
    {"person", "issue_comment", "github.actor == 'octocat'", WPA_GUARD_MEMBERS},
    {"bot as actor", "pull_request_target", "github.actor == 'dependabot[bot]'", WPA_GUARD_NONE},
    {"label", "pull_request_target", "github.event.label.name == 'safe'", WPA_GUARD_NONE},
    {"other event", "pull_request_target", "github.event_name == 'push'", WPA_GUARD_EVENT},
    {"this event", "push", "github.event_name == 'push'", WPA_GUARD_NONE},
    {"not this event", "issues", "github.event_name != 'issues'", WPA_GUARD_EVENT},
    {"listed events", "issues", "contains(fromJSON('[\"push\"]'), github.event_name)",
     WPA_GUARD_EVENT},
    {"payload of another event", "push", "github.event.pull_request", WPA_GUARD_EVENT},
    {"run of a push", "workflow_run", "github.event.workflow_run.event == 'push'", WPA_GUARD_FORKS},
    {"run of no pull request", "workflow_run", "github.event.workflow_run.event != 'pull_request'",
     WPA_GUARD_NONE},
    {"run of a branch by name", "workflow_run", "github.event.workflow_run.head_branch == 'main'",
     WPA_GUARD_NONE},
    {"run of the repository", "workflow_run",
     "github.event.workflow_run.head_repository.full_name == github.repository", WPA_GUARD_FORKS},
    {"run that passed", "workflow_run", "github.event.workflow_run.conclusion == 'success'",
     WPA_GUARD_NONE},
    {"ref of a pull request", "pull_request", "github.ref == 'refs/heads/main'", WPA_GUARD_EVENT},
    {"name of a pull request's ref", "pull_request", "github.ref_name == 'main'", WPA_GUARD_EVENT},
    {"tags", "pull_request", "github.ref_type == 'tag'", WPA_GUARD_EVENT},
    {"tags and a branch", "pull_request", "github.ref_type == 'tag' || github.ref_name == 'main'",
     WPA_GUARD_EVENT},
    {"branches", "pull_request", "github.ref_type == 'branch'", WPA_GUARD_NONE},
    {"tags of a comment", "issue_comment", "github.ref_type == 'tag'", WPA_GUARD_EVENT},
    {"tags of a release", "release", "github.ref_type == 'tag'", WPA_GUARD_NONE},
    {"base of a pull request", "pull_request_target", "github.ref_name == 'main'", WPA_GUARD_NONE},
    {"broken", "issues", "github.event_name ==", WPA_GUARD_NONE},
    {"empty", "issues", "", WPA_GUARD_NONE},
};

static void guards(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        const char *text = wpa_arena_printf(arena, "if: |-\n  %s\n", cases[i].condition);
        const wpa_yaml_doc *doc = wpa_yaml_parse("x.yml", text, strlen(text), arena, &err);
        assert_non_null(doc);
        wpa_trust_guard guard =
            wpa_trust_condition(NULL, wpa_yaml_get(doc->root, "if"), cases[i].event, false);
        if (guard != cases[i].guard) {
            fail_msg("%s: %s: %d", cases[i].title, cases[i].condition, (int)guard);
        }
    }
    assert_int_equal(wpa_trust_condition(NULL, NULL, "issues", false), WPA_GUARD_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(guards)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
