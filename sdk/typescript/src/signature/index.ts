/**
 * HTTP message signatures (RFC 9421) under Strongroom's profile: sign and judge requests, judge responses. It keeps no
 * keys and no nonces, and reads no clock: those are the caller's.
 */

export { SigningKey, VerifyingKey } from "./keys.js";
export { Fields, type Request, type Response, type Target } from "./message.js";
export { SignedRequest, type SigningParameters, signRequest } from "./request.js";
export { SignedResponse } from "./response.js";
export { DEFAULT_PROFILE, forAnyApplication, type Profile } from "./rules.js";
