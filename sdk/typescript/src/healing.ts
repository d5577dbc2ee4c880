/**
 * Whether a signed refusal is a reason to sign anew and send again: only where the first cannot have been executed.
 *
 * Times are judged before the signature, so whoever stands between can have a request executed, then have it refused as
 * stale, by waiting or by changing its `created`, and hand on that refusal only. So the client compares for itself: the
 * request must have been stale when it was sent, by its own `created` and the time that the server signed.
 */

import { SKEW_SECONDS } from "./signature/rules.js";

/** From `created` to `expires`. */
export const LIFETIME_SECONDS = 30;

/** One request that was sent: when it says that it was signed, and how long its answer took. */
export interface Sending {
  readonly created: number;
  readonly tookSeconds: number;
}

/** Whether a request refused with `code`, at the server's time in seconds since 1970, may be signed anew. */
export function maySendAgain(code: string, sending: Sending, serverTime: number): boolean {
  switch (code) {
    case "request.must_not_be_from_the_future":
      // What is early now was earlier still before.
      return sending.created > serverTime + SKEW_SECONDS;
    case "request.must_be_fresh":
      return serverTime - Math.ceil(sending.tookSeconds) > sending.created + LIFETIME_SECONDS + SKEW_SECONDS;
    case "request.must_answer_a_challenge":
    case "request.challenge_must_be_answered_in_time":
      // Judged after the signature, so on the request as it was sent.
      return true;
    default:
      return false;
  }
}
