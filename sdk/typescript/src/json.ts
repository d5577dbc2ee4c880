/**
 * The JSON of a receipt (RFC 8259): objects, arrays, strings, and integers from 0 to 2^53 - 1. The platform's own reader
 * keeps silent where a member stands twice and where it rounds a number, so only the strings are left to it.
 */

import { ReceiptError } from "./errors.js";

const DEPTH_MAX = 8;
const SPACE = /[ \t\n\r]*/y;
const INTEGER = /0|[1-9][0-9]{0,15}/y;

/** A value. The members of an object are in a map: no name has a meaning of its own there. */
export type Json = string | number | readonly Json[] | ReadonlyMap<string, Json>;

/** Whether no half of a surrogate pair stands alone in it: UTF-8 has none. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Reads a text that is one value. Throws ReceiptError. */
export function readJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  if (!reader.isAtEnd()) throw malformed("something stands behind it");
  return value;
}

function malformed(why: string): ReceiptError {
  return new ReceiptError("audit.receipt_must_be_well_formed", `it is no JSON of a receipt: ${why}`);
}

class Reader {
  #at = 0;

  constructor(private readonly text: string) {}

  isAtEnd(): boolean {
    this.#match(SPACE);
    return this.#at === this.text.length;
  }

  value(depth: number): Json {
    if (depth > DEPTH_MAX) throw malformed("it is too deep");
    if (this.#takes("{")) return this.#object(depth);
    if (this.#takes("[")) return this.#array(depth);
    return this.text[this.#at] === '"' ? this.#string() : this.#integer();
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #takes(mark: string): boolean {
    this.#match(SPACE);
    if (this.text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #must(mark: string): void {
    if (!this.#takes(mark)) throw malformed(`${mark} is wanted at character ${this.#at}`);
  }

  #object(depth: number): ReadonlyMap<string, Json> {
    const members = new Map<string, Json>();
    if (this.#takes("}")) return members;
    do {
      this.#match(SPACE);
      const name = this.#string();
      if (members.has(name)) throw malformed("a member stands in it twice");
      this.#must(":");
      members.set(name, this.value(depth + 1));
    } while (this.#takes(","));
    this.#must("}");
    return members;
  }

  #array(depth: number): readonly Json[] {
    const values: Json[] = [];
    if (this.#takes("]")) return values;
    do values.push(this.value(depth + 1));
    while (this.#takes(","));
    this.#must("]");
    return values;
  }

  #integer(): number {
    const number = Number(this.#match(INTEGER) ?? Number.NaN);
    if (Number.isSafeInteger(number)) return number;
    throw malformed(`a string, or an integer from 0 to 2^53 - 1, is wanted at character ${this.#at}`);
  }

  #string(): string {
    const start = this.#at;
    if (this.text[start] !== '"') throw malformed(`a string is wanted at character ${start}`);
    let end = start + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === "\\" ? 2 : 1;
    this.#at = end + 1;
    try {
      const read = JSON.parse(this.text.slice(start, end + 1)) as string;
      if (isWellFormed(read)) return read;
    } catch {
      throw malformed(`the string at character ${start} is none`);
    }
    throw malformed(`the string at character ${start} has half a character`);
  }
}
