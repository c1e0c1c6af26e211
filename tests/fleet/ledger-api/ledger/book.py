"""Accounts and transactions. Amounts are integers in cents; nothing is ever rounded."""
from dataclasses import dataclass, field


class LedgerError(ValueError):
    """The request would make the books wrong."""


@dataclass(frozen=True)
class Posting:
    account: str
    cents: int


@dataclass
class Book:
    balances: dict = field(default_factory=dict)
    journal: list = field(default_factory=list)

    def open(self, account):
        if not account or not account.replace("-", "").replace(":", "").isalnum():
            raise LedgerError(f"bad account name {account!r}")
        if account in self.balances:
            raise LedgerError(f"account {account} is open already")
        self.balances[account] = 0

    def post(self, reference, postings):
        if any(entry["reference"] == reference for entry in self.journal):
            raise LedgerError(f"reference {reference} was posted before")
        if len(postings) < 2:
            raise LedgerError("a transaction needs two postings")
        if sum(posting.cents for posting in postings) != 0:
            raise LedgerError("the transaction does not balance")
        for posting in postings:
            if posting.account not in self.balances:
                raise LedgerError(f"no account {posting.account}")
        for posting in postings:
            self.balances[posting.account] += posting.cents
        self.journal.append({"reference": reference, "postings": list(postings)})

    def trial_balance(self):
        return sum(self.balances.values())
