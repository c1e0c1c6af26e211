import unittest

from worker.reconcile import differences


class ReconcileTest(unittest.TestCase):
    def test_equal_books(self):
        self.assertEqual(differences({"a": 1}, {"a": 1}), [])

    def test_missing_on_either_side_and_different(self):
        found = differences({"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 4, "d": 5})
        self.assertEqual(found, [("a", 1, None), ("c", 3, 4), ("d", None, 5)])
