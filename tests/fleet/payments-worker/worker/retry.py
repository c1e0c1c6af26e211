"""When to try a payment again."""
LIMIT = 6


def delay_s(attempt, random=0.5):
    """2, 4, 8 ... at most 300 seconds, spread over half to all of it."""
    if attempt < 1:
        raise ValueError("attempts count from 1")
    return min(300.0, 2.0**attempt) * (0.5 + random / 2)


def is_final(status):
    """Does the bank's answer end the matter?"""
    return 200 <= status < 300 or status in (400, 402, 404, 409, 422)
