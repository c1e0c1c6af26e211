"""Double-entry ledger of Acme."""
