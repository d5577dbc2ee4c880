/** The profile's numbers, and how a broken rule becomes an error (sections 1.6 and 4). */

import { SignatureError } from "../errors.js";

export const REQUEST_TAG = "strongroom-request";
export const RESPONSE_TAG = "strongroom-response";
export const LABEL = "strongroom";
export const LIFETIME_SECONDS_MAX = 60;
export const SKEW_SECONDS = 5;
export const SIGNATURE_INPUT_BYTES_MAX = 4_096;
export const SIGNATURE_BYTES_MAX = 8_192;
export const LABELS_MAX = 4;
export const COMPONENTS_MAX = 32;
export const PARAMETERS_MAX = 16;
export const BASE_BYTES_MAX = 65_536;
export const CONTENT_DIGEST_BYTES_MAX = 1_024;
export const KEY_ID_CHARACTERS_MAX = 256;
export const NONCE_BYTES_MIN = 16;
export const NONCE_BYTES_MAX = 64;

/** The names that a signature may have; this package signs and verifies by the first three. */
export const ALGORITHMS = ["ed25519", "ecdsa-p256-sha256", "hmac-sha256", "rsa-pss-sha512", "ml-dsa-65"];

const HEEDED_BY_FRAMEWORKS = [
  "cookie",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
];

export const RESPONSE_COVERED_WHEN_PRESENT = [
  "accept-signature",
  "content-encoding",
  "content-type",
  "etag",
  "location",
  "retry-after",
];

/** What a signed request must be like. */
export interface Profile {
  readonly tag: string;
  readonly windowSeconds: number;
  readonly skewSeconds: number;
  readonly coveredWhenPresent: readonly string[];
}

export const DEFAULT_PROFILE: Profile = {
  tag: REQUEST_TAG,
  windowSeconds: LIFETIME_SECONDS_MAX,
  skewSeconds: SKEW_SECONDS,
  coveredWhenPresent: [
    "authorization",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
  ],
};

/** The same profile for a service that nobody has read: it also demands what common frameworks heed. */
export function forAnyApplication(profile: Profile): Profile {
  return { ...profile, coveredWhenPresent: [...profile.coveredWhenPresent, ...HEEDED_BY_FRAMEWORKS] };
}

/** A broken rule before it is known whose it is: a request's or a response's. */
export class Broken extends Error {
  constructor(
    readonly rule: string,
    text: string,
  ) {
    super(text);
  }
}

/** Does something, and says of a broken rule whose it is. */
export async function as<T>(subject: "request" | "response", work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Broken) throw new SignatureError(`${subject}.${error.rule}`, error.message);
    throw error;
  }
}

/** A field or parameter that does not parse, has another type, or says something twice. */
export function malformed(what: string): Broken {
  return new Broken("must_be_well_formed", `${what} must be well formed`);
}

/** More of something than section 1.6 allows. */
export function outOfBounds(what: string): Broken {
  return new Broken("signature_must_be_within_bounds", `the signature must be within its bounds: ${what}`);
}

/** A component that is not covered. */
export function mustCover(what: string): Broken {
  return new Broken("signature_must_cover", `the signature must cover ${what}`);
}
