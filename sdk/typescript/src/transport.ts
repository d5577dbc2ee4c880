/** One request over `fetch`, and its answer whole, within a bound and a time. */

import { type Bytes, concatenated } from "./bytes.js";
import { StrongroomError, TransportError } from "./errors.js";
import { Fields } from "./signature/index.js";

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** Causes of a failure before anything was sent. */
const NEVER_SENT = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"];

/** What is to be sent. */
export interface Wire {
  readonly method: string;
  readonly url: URL;
  readonly fields: Fields;
  readonly content: Bytes;
}

/** What came back, and how long that took. */
export interface Came {
  readonly status: number;
  readonly headers: Headers;
  readonly fields: Fields;
  readonly content: Bytes;
  readonly tookSeconds: number;
}

async function read(response: Response): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > ANSWER_BYTES_MAX) {
      throw new StrongroomError("client.answer_must_be_bounded", `the answer has more than ${ANSWER_BYTES_MAX} bytes`);
    }
    parts.push(part);
  }
  return concatenated(parts);
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return codeOf(inner);
}

/** Sends a request and reads its answer. Throws TransportError. */
export async function carry(fetching: typeof fetch, wire: Wire, timeoutSeconds: number): Promise<Came> {
  const begun = performance.now();
  // No content coding: the digest is that of the content as sent.
  const headers = new Headers([...wire.fields.pairs, ["accept-encoding", "identity"]]);
  const hasContent = wire.content.length > 0 || wire.method === "POST";
  try {
    const response = await fetching(wire.url, {
      method: wire.method,
      headers,
      body: hasContent ? wire.content : null,
      redirect: "manual",
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(timeoutSeconds * 1_000),
    });
    const content = await read(response);
    const tookSeconds = (performance.now() - begun) / 1_000;
    return {
      status: response.status,
      headers: response.headers,
      fields: new Fields(response.headers),
      content,
      tookSeconds,
    };
  } catch (error) {
    if (error instanceof StrongroomError) throw error;
    const code = codeOf(error);
    const text = code || (error instanceof Error ? error.message : String(error));
    throw new TransportError(text, !NEVER_SENT.includes(code), { cause: error });
  }
}
