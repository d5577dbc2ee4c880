"""Whether a signed refusal is a reason to sign anew and send again: only where the first cannot have been executed.

Times are judged before the signature, so whoever stands between can have a request executed, then have it refused as
stale, by waiting or by changing its `created`, and hand on that refusal only. So the client compares for itself: the
request must have been stale when it was sent, by its own `created` and the time that the server signed.
"""

from __future__ import annotations

import math

from .signature.rules import SKEW_SECONDS

LIFETIME_SECONDS = 30
"""From `created` to `expires`."""

_CHALLENGES = ("request.must_answer_a_challenge", "request.challenge_must_be_answered_in_time")


def may_send_again(code: str, *, created: int, took_seconds: float, server_time: int) -> bool:
    """Whether a request refused with `code` may be signed anew; times are seconds since 1970."""
    if code == "request.must_not_be_from_the_future":
        # What is early now was earlier still before.
        return created > server_time + SKEW_SECONDS
    if code == "request.must_be_fresh":
        return server_time - math.ceil(took_seconds) > created + LIFETIME_SECONDS + SKEW_SECONDS
    # Judged after the signature, so on the request as it was sent.
    return code in _CHALLENGES
