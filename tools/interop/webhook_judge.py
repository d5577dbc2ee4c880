#!/usr/bin/env python3
"""Verifies webhooks with the PyPI package `standardwebhooks` as it is.

Standard input has a JSON list of {secret, headers, content}; standard output gets a list of true and false.
"""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def is_good(row) -> bool:
    try:
        Webhook(row["secret"]).verify(row["content"], row["headers"], json_parse=False)
    except WebhookVerificationError:
        return False
    return True


print(json.dumps([is_good(row) for row in json.load(sys.stdin)]))
