"""No list of the API reads a big table from end to end: the database explains every statement that
it runs while each list is asked for with each of its filters."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "harness"))
from world import TESTS, World  # noqa: E402

BIG = ("finding", "patch", "patch_edit", "patch_finding", "workflow_analysis", "approval", "test_run",
       "audit")
# So that reading all of it costs more than an index.
MANY_AUDITED = """
  SELECT count(wpa.audit_add('filler.' || i % 20, 'filler:' || i, '{}')) FROM generate_series(1, 5000) i;
  ANALYZE wpa.audit"""
SETTINGS = ("auto_explain.log_min_duration=0", "auto_explain.log_nested_statements=on")

LISTS = (
    "/patches", "/patches?status_filter=tested", "/patches?severity_filter=critical",
    "/patches?status_filter=tested&severity_filter=critical&cursor=3000",
    "/patches?workflow_name=service-7-ci", "/patches?cursor=2000&limit=500", "/patches/p-700",
    "/findings", "/findings?cursor=20000", "/findings?severity_filter=critical",
    "/findings?dimension=security&kind=issue", "/findings?rule=rule-7",
    "/findings?status_filter=fixed",
    "/findings?repository=service-7", "/findings?workflow_name=service-7-ci",
    "/findings?has_fix=true",
    "/findings?filter=sev%3Dcrit,high%20rule:rule-1*", "/findings?filter=cat:security%20!sev:low",
    "/findings?filter=wf:service-7/*", "/findings?filter=repo:service-7%20state:fixed",
    "/findings/f-700", "/analyses", "/analyses?status_filter=new",
    "/analyses?workflow_name=service-7-ci", "/analyses/a-70",
    "/deployments", "/deployments?patch=7", "/deployments?status_filter=running",
    "/audit", "/audit?actor=mira", "/audit?subject=principal:2", "/audit?action=session.opened",
    "/health/service-7-ci", "/workflows?repository=service-7", "/jobs", "/notices", "/tokens",
)


def scans(text):
    return set(re.findall(r"Seq Scan on (\w+)", text)) & set(BIG)


def main():
    complaints = []
    with World(sys.argv[1], SETTINGS) as world:
        world.sql(f"{TESTS}/bench/api_fill.sql", patches=5000, findings=50000)
        world.sql(MANY_AUDITED)
        world.sql("ALTER SYSTEM SET session_preload_libraries = 'auto_explain'")
        world.sql("SELECT pg_reload_conf()")
        world.serve("--threads", "1")
        log = world.path("postgres.log")
        writer = subprocess.Popen([f"{world.programs}/psql", "-XqAt", "-h", world.socket, "-U", "wpa", "postgres"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for mode in ("force_custom_plan", "force_generic_plan"):
            world.sql(f"ALTER SYSTEM SET plan_cache_mode = {mode}")
            world.sql("SELECT pg_reload_conf()")
            for path in LISTS:
                begin = os.path.getsize(log)
                writer.stdin.write("SELECT pg_current_xact_id();\n")  # so that nothing kept is given
                writer.stdin.flush()
                writer.stdout.readline()
                answer = world.call("GET", path)
                if answer.status != 200:
                    complaints.append(f"{path}: {answer.status} {answer.body[:200]}")
                    break
                with open(log, encoding="utf-8", errors="replace") as file:
                    file.seek(begin)
                    told = file.read()
                assert "Query Text" in told, "the database explains nothing"
                for table in scans(told):
                    complaints.append(f"{path}: reads all of {table} ({mode})")
        writer.stdin.close()
        print(f"{len(LISTS)} lists and things, none of which reads all of {', '.join(BIG)}"
              if not complaints else "\n".join(sorted(set(complaints))))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
