import unittest

from ledger.book import Book, LedgerError, Posting


class BookTest(unittest.TestCase):
    def setUp(self):
        self.book = Book()
        self.book.open("cash")
        self.book.open("sales:2026")

    def test_balanced_transaction_is_posted(self):
        self.book.post("t1", [Posting("cash", 500), Posting("sales:2026", -500)])
        self.assertEqual(self.book.balances["cash"], 500)
        self.assertEqual(self.book.trial_balance(), 0)

    def test_unbalanced_transaction_is_refused(self):
        with self.assertRaises(LedgerError):
            self.book.post("t1", [Posting("cash", 500), Posting("sales:2026", -499)])
        self.assertEqual(self.book.balances["cash"], 0)

    def test_unknown_account_changes_nothing(self):
        with self.assertRaises(LedgerError):
            self.book.post("t1", [Posting("cash", 5), Posting("nowhere", -5)])
        self.assertEqual(self.book.balances["cash"], 0)

    def test_reference_is_posted_once(self):
        postings = [Posting("cash", 1), Posting("sales:2026", -1)]
        self.book.post("t1", postings)
        with self.assertRaises(LedgerError):
            self.book.post("t1", postings)

    def test_one_posting_is_too_few(self):
        with self.assertRaises(LedgerError):
            self.book.post("t1", [Posting("cash", 0)])

    def test_account_names(self):
        for name in ("", "a b", "x;y", "cash"):
            with self.subTest(name=name), self.assertRaises(LedgerError):
                self.book.open(name)
