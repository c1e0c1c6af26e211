import unittest

from worker.retry import delay_s, is_final


class RetryTest(unittest.TestCase):
    def test_delay_grows_to_a_limit(self):
        self.assertEqual(delay_s(1, random=1), 2)
        self.assertEqual(delay_s(3, random=0), 4)
        self.assertEqual(delay_s(40, random=1), 300)

    def test_attempts_count_from_one(self):
        with self.assertRaises(ValueError):
            delay_s(0)

    def test_final_answers(self):
        self.assertTrue(is_final(201) and is_final(402))
        self.assertFalse(is_final(503) or is_final(429))
