import unittest

from migrations import chain


class ChainTest(unittest.TestCase):
    def test_one_line_from_root_to_head(self):
        links = chain.read()
        self.assertEqual(len(chain.heads(links)), 1)
        self.assertEqual(sum(down is None for down in links.values()), 1)
        for down in links.values():
            self.assertTrue(down is None or down in links)
