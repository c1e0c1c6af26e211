"""Differences between our payments and the bank's statement."""


def differences(ours, bank):
    """Lists (reference, our cents or None, bank cents or None), sorted by reference."""
    found = []
    for reference in sorted(set(ours) | set(bank)):
        pair = (ours.get(reference), bank.get(reference))
        if pair[0] != pair[1]:
            found.append((reference, *pair))
    return found
