/** What came back. */

import { Refused } from "./errors.js";

const NO_CODE = "client.answer_must_be_a_success";
const SAID_CHARACTERS_MAX = 2_000;

/** What came back in answer to this request; unless `any` was asked for, signed by a pinned key. */
export class Answer {
  constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly content: Uint8Array,
    /** How often the request was signed. */
    readonly tries: number,
    /** Whether a pinned key signed it. */
    readonly isSigned: boolean,
  ) {}

  /** The content, read as UTF-8. */
  text(): string {
    return new TextDecoder().decode(this.content);
  }

  /** The content, read as JSON. */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }

  /** The content, read as JSON, where the server agreed; throws Refused where it did not. */
  success<T = unknown>(): T {
    if (this.status < 400) return (this.content.length > 0 ? this.json() : undefined) as T;
    const { code, detail } = this.problem();
    if (code !== undefined) throw new Refused(this.status, code, detail ?? "");
    throw new Refused(
      this.status,
      NO_CODE,
      `HTTP ${this.status} ${this.text().slice(0, SAID_CHARACTERS_MAX).trimEnd()}`,
    );
  }

  /** The stable code of a refusal. */
  get code(): string | undefined {
    return this.status < 400 ? undefined : this.problem().code;
  }

  private problem(): { code?: string; detail?: string } {
    try {
      const { code, detail } = this.json<Record<string, unknown>>();
      return {
        ...(typeof code === "string" && code !== "" ? { code } : {}),
        ...(typeof detail === "string" ? { detail } : {}),
      };
    } catch {
      return {};
    }
  }
}
