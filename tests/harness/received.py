#!/usr/bin/env python3
"""received.py LOG N PATH: of the Nth thing that a receiver wrote down, the member at a PATH.

"headers/x-wpa-delivery", "body/0/labels" (a body that is JSON is gone into), "data/Subject" (a
header of a mail, decoded), "data/" (its text).
"""
import email
import email.policy
import json
import sys

log, n, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(log, encoding="utf-8") as lines:
    entries = [json.loads(line) for line in lines]
value = entries[n - 1]
names = path.split("/")
while names:
    name = names.pop(0)
    if isinstance(value, str) and value[:1] in "[{":
        value = json.loads(value)
    if isinstance(value, str):
        mail = email.message_from_string(value, policy=email.policy.default)
        value = mail[name] if name else mail.get_content()
    else:
        value = value[int(name)] if isinstance(value, list) else value.get(name)
print(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
