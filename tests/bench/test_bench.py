#!/usr/bin/env python3
"""What tests/bench/bench.py promises of its own figures."""
import contextlib
import io
import tempfile
import unittest

import bench

OK = (["true"], None, bench.WELL)


def measure(commands, runs=2):
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()), \
            contextlib.redirect_stdout(io.StringIO()) as out:
        return bench.Bench(folder, folder, folder).medians(commands, runs), out.getvalue()


class Medians(unittest.TestCase):
    def test_what_ends_well_is_measured(self):
        seen, said = measure({"a": OK, "b": (["cat"], "text", bench.WELL)})
        self.assertEqual(list(seen), ["a", "b"])
        self.assertTrue(all(len(figures) == 3 for figures in seen.values()))
        self.assertEqual(said, "")

    def test_a_failure_is_no_figure(self):
        seen, said = measure({"a": OK, "b": (["sh", "-c", "exit 3"], None, bench.WELL)})
        self.assertEqual(list(seen), ["a"])
        self.assertEqual(said, "not measured: b: exit code 3\n")

    def test_a_crash_is_no_figure(self):
        seen, said = measure({"a": (["sh", "-c", "kill -9 $$"], None, bench.WITH_FINDINGS)})
        self.assertEqual(seen, {})
        self.assertEqual(said, "not measured: a: exit code -9\n")

    def test_one_failure_of_many_is_enough(self):
        with tempfile.TemporaryDirectory() as folder:
            once = f"test -e {folder}/seen && exit 4; touch {folder}/seen"
            seen, said = measure({"a": (["sh", "-c", once], None, bench.WELL)})
        self.assertEqual(seen, {})
        self.assertEqual(said, "not measured: a: exit code 4\n")

    def test_findings_are_no_failure(self):
        seen, said = measure({"a": (["false"], None, bench.WITH_FINDINGS)})
        self.assertEqual(list(seen), ["a"])
        self.assertEqual(said, "")


class Shares(unittest.TestCase):
    def test_they_are_counted_by_rule_and_draw(self):
        verdicts = [{"draw": draw, "rule": rule, "place": "a:1", "verdict": verdict, "why": why}
                    for draw, rule, verdict, why in [("first", "a", "true", ""), ("first", "a", "false", "so"),
                                                     ("first", "a", "false", "so"), ("next", "a", "true", ""),
                                                     ("first", "b", "true", "")]]
        self.assertEqual(list(bench.shares(verdicts, "first")),
                         [["a", "1 of 3", "33%", "so"], ["b", "1 of 1", "100%", ""]])

    def test_each_verdict_is_one_of_three(self):
        for row in bench.kept("verdicts.tsv"):
            self.assertIn((row["verdict"], bool(row["why"])),
                          {("true", False), ("false", True), ("worthless", True)})
            self.assertNotIn("|", row["why"])  # it stands in a table


if __name__ == "__main__":
    unittest.main()
