/** Signed responses, each bound to the request that it answers (section 2 of the profile). */

import { areEqual, type Bytes } from "../bytes.js";
import { plain, unknownComponent } from "./component.js";
import { coveredDigests, type Digests, declared, mustMatch } from "./content.js";
import { type Input, tagged } from "./input.js";
import type { VerifyingKey } from "./keys.js";
import type { Request, Response } from "./message.js";
import { decodeNonce } from "./nonce.js";
import { mustBeSignedBy } from "./request.js";
import { as, Broken, mustCover, REQUEST_TAG, RESPONSE_COVERED_WHEN_PRESENT, RESPONSE_TAG } from "./rules.js";

function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Broken) return undefined;
    throw error;
  }
}

/** Whether it answers the request's own signature; false where the request has none. */
function isBound(input: Input, request: Request): boolean {
  // It need not be a good one: a refusal of a bad signature is bound to it too.
  const own = orUndefined(() => tagged(request.fields, REQUEST_TAG).input);
  if (own === undefined) return false;
  const [asked, answered] = [own.maybe("nonce"), input.maybe("nonce")];
  const wanted = asked === undefined ? undefined : orUndefined(() => decodeNonce(asked));
  const isCovered = input.covers({ name: "signature", form: "key", key: own.label, req: true, text: "" });
  const given = isCovered && answered !== undefined ? decodeNonce(answered) : undefined;
  const isSame = wanted === undefined || given === undefined ? wanted === given : areEqual(wanted, given);
  if (isCovered && isSame) return true;
  throw new Broken("must_answer_the_request", "the response must answer this request");
}

/** Whatever its fields say (RFC 9110 sections 9.3.2, 15.3.5, 15.4.5). */
function hasNoContent(response: Response): boolean {
  const { status, request } = response;
  return request.target.method === "HEAD" || (status >= 100 && status < 200) || status === 204 || status === 304;
}

/** A response whose signature has been read, and nothing more. `verify` judges it. */
export class SignedResponse {
  private constructor(
    readonly keyId: string,
    readonly algorithm: string,
    readonly created: number,
    private readonly response: Response,
    private readonly input: Input,
    private readonly signature: Bytes,
    private readonly isBound: boolean,
    private readonly digests: Digests | undefined,
  ) {}

  /** Checks all that needs no key. Throws SignatureError. */
  static async read(response: Response): Promise<SignedResponse> {
    return await as("response", () => {
      const { fields, request } = response;
      const { input, signature } = tagged(fields, RESPONSE_TAG);
      const [created, keyId, algorithm] = [input.integer("created"), input.keyId(), input.algorithm()];
      for (const component of input.components) {
        if (component.form === "unknown") throw unknownComponent(component);
      }
      if (!input.covers(plain("@status"))) throw mustCover('"@status"');
      input.mustCoverTarget(true);
      input.mustCoverPresent(fields, RESPONSE_COVERED_WHEN_PRESENT);
      const bound = isBound(input, request);
      const hasContent = hasNoContent(response) ? false : declared(fields);
      const digests = coveredDigests(fields, input.covers(plain("content-digest")), hasContent);
      return new SignedResponse(keyId, algorithm, created, response, input, signature, bound, digests);
    });
  }

  /**
   * Judges signature and content, and gives the server's time in seconds since 1970; null where the response is not
   * bound to this one request, so that it may be old. Throws SignatureError.
   */
  async verify(key: VerifyingKey, content: Bytes): Promise<number | null> {
    return await as("response", async () => {
      await mustBeSignedBy(key, this.algorithm, this.response, this.input, this.signature);
      if (content.length > 0 || !hasNoContent(this.response)) await mustMatch(this.digests, content);
      return this.isBound ? this.created : null;
    });
  }
}
