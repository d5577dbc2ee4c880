/** Structured fields (RFC 9651): parsed and serialised strictly; a name that stands twice is noted, and refused by readers. */

import { type Bytes, decodeBase64, encodeBase64, utf8 } from "../bytes.js";

export type Bare =
  | { readonly type: "integer"; readonly value: number }
  | { readonly type: "decimal"; readonly thousandths: number }
  | { readonly type: "string" | "token" | "display"; readonly value: string }
  | { readonly type: "bytes"; readonly value: Bytes }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "date"; readonly value: number };

export type Parameters = Map<string, Bare>;

export interface Item {
  readonly bare: Bare;
  readonly parameters: Parameters;
}

export interface InnerList {
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}

export type Member = Item | InnerList;

export function isInnerList(member: Member): member is InnerList {
  return "items" in member;
}

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y;
const NUMBER = /-?[0-9]+(?:\.[0-9]+)?/y;
const STRING = /"((?:[ !#-[\]-~]|\\["\\])*)"/y;
const BYTES = /:([A-Za-z0-9+/=]*):/y;
const DISPLAY = /%"((?:[ !#$&-~]|%[0-9a-f]{2})*)"/y;
const OWS = /[ \t]*/y;
const SP = / */y;

class Parser {
  private at = 0;
  repeated = false;

  constructor(private readonly text: string) {}

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  private need(pattern: RegExp): RegExpExecArray {
    const found = this.match(pattern);
    if (found === null) throw new SyntaxError(`unexpected at ${this.at}`);
    return found;
  }

  private take(character: string): boolean {
    const is = this.text[this.at] === character;
    if (is) this.at += 1;
    return is;
  }

  get isDone(): boolean {
    return this.at === this.text.length;
  }

  spaces(): void {
    this.match(SP);
  }

  dictionary(): Map<string, Member> {
    const members = new Map<string, Member>();
    while (!this.isDone) {
      const key = this.need(KEY)[0];
      this.repeated ||= members.has(key);
      members.set(key, this.take("=") ? this.member() : { bare: TRUE, parameters: this.parameters() });
      if (!this.comma()) return members;
    }
    return members;
  }

  list(): Member[] {
    const members: Member[] = [];
    while (!this.isDone) {
      members.push(this.member());
      if (!this.comma()) return members;
    }
    return members;
  }

  private comma(): boolean {
    this.match(OWS);
    if (!this.take(",")) return false;
    this.match(OWS);
    if (this.isDone) throw new SyntaxError("a comma at the end");
    return true;
  }

  private member(): Member {
    if (!this.take("(")) return this.item();
    const items: Item[] = [];
    for (;;) {
      this.spaces();
      if (this.take(")")) return { items, parameters: this.parameters() };
      items.push(this.item());
      const next = this.text[this.at];
      if (next !== " " && next !== ")") throw new SyntaxError("a space is wanted between items");
    }
  }

  item(): Item {
    return { bare: this.bare(), parameters: this.parameters() };
  }

  private parameters(): Parameters {
    const parameters: Parameters = new Map();
    while (this.take(";")) {
      this.spaces();
      const key = this.need(KEY)[0];
      this.repeated ||= parameters.has(key);
      parameters.set(key, this.take("=") ? this.bare() : TRUE);
    }
    return parameters;
  }

  private bare(): Bare {
    const first = this.text[this.at] ?? "";
    if (first === '"') return { type: "string", value: (this.need(STRING)[1] ?? "").replace(/\\(.)/g, "$1") };
    if (first === ":") {
      const value = decodeBase64(this.need(BYTES)[1] ?? "");
      if (value === undefined) throw new SyntaxError("no base64");
      return { type: "bytes", value };
    }
    if (first === "?") {
      this.at += 1;
      if (this.take("1")) return TRUE;
      if (this.take("0")) return { type: "boolean", value: false };
      throw new SyntaxError("no Boolean");
    }
    if (first === "@") {
      this.at += 1;
      const seconds = this.number();
      if (seconds.type !== "integer") throw new SyntaxError("no date");
      return { type: "date", value: seconds.value };
    }
    if (first === "%") return { type: "display", value: displayed(this.need(DISPLAY)[1] ?? "") };
    if (first === "-" || (first >= "0" && first <= "9")) return this.number();
    return { type: "token", value: this.need(TOKEN)[0] };
  }

  private number(): Bare & { type: "integer" | "decimal" } {
    const text = this.need(NUMBER)[0];
    const [whole = "", fraction] = text.replace("-", "").split(".");
    const sign = text.startsWith("-") ? -1 : 1;
    if (fraction === undefined) {
      if (whole.length > 15) throw new SyntaxError("an integer has at most 15 digits");
      return { type: "integer", value: whole === "0" ? 0 : sign * Number(whole) };
    }
    if (whole.length > 12 || fraction.length > 3) throw new SyntaxError("a decimal has at most 12 and 3 digits");
    return { type: "decimal", thousandths: sign * Number(whole + fraction.padEnd(3, "0")) };
  }
}

const TRUE: Bare = { type: "boolean", value: true };

function displayed(text: string): string {
  const bytes: number[] = [];
  for (const [part] of text.matchAll(/%..|[^%]/g)) {
    bytes.push(part.startsWith("%") ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0));
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
}

/** What was read, and whether a name stood twice anywhere in it. */
export interface Read<T> {
  readonly value: T;
  readonly repeated: boolean;
}

function whole<T>(text: string, read: (parser: Parser) => T): Read<T> | undefined {
  const parser = new Parser(text);
  try {
    parser.spaces();
    const value = read(parser);
    parser.spaces();
    return parser.isDone ? { value, repeated: parser.repeated } : undefined;
  } catch {
    // What is no structured field has no value; why is of no use to anybody.
    return undefined;
  }
}

/** A dictionary; undefined where it is none. Of a name that stands twice the last one wins. */
export function parseDictionary(text: string): Read<Map<string, Member>> | undefined {
  return whole(text, (parser) => parser.dictionary());
}

export function parseList(text: string): Read<Member[]> | undefined {
  return whole(text, (parser) => parser.list());
}

export function parseItem(text: string): Read<Item> | undefined {
  return whole(text, (parser) => parser.item());
}

/** A string (section 4.1.6); undefined where it is not printable ASCII. */
export function serializeString(text: string): string | undefined {
  return /^[ -~]*$/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : undefined;
}

function serializeBare(bare: Bare): string {
  switch (bare.type) {
    case "integer":
      return String(bare.value);
    case "decimal": {
      const size = String(Math.abs(bare.thousandths)).padStart(4, "0");
      const fraction = size.slice(-3).replace(/0{1,2}$/, "");
      return `${bare.thousandths < 0 ? "-" : ""}${size.slice(0, -3)}.${fraction}`;
    }
    case "string":
      return serializeString(bare.value) ?? "";
    case "token":
      return bare.value;
    case "bytes":
      return `:${encodeBase64(bare.value)}:`;
    case "boolean":
      return bare.value ? "?1" : "?0";
    case "date":
      return `@${bare.value}`;
    case "display": {
      const isEscaped = (byte: number) => byte < 0x20 || byte > 0x7e || byte === 0x25 || byte === 0x22;
      const text = (byte: number) =>
        isEscaped(byte) ? `%${byte.toString(16).padStart(2, "0")}` : String.fromCharCode(byte);
      return `%"${Array.from(utf8(bare.value), text).join("")}"`;
    }
  }
}

function serializeParameters(parameters: Parameters): string {
  let text = "";
  for (const [key, bare] of parameters) {
    text += bare.type === "boolean" && bare.value ? `;${key}` : `;${key}=${serializeBare(bare)}`;
  }
  return text;
}

/** An item or an inner list, strictly. */
export function serializeMember(member: Member): string {
  if (!isInnerList(member)) return serializeBare(member.bare) + serializeParameters(member.parameters);
  return `(${member.items.map(serializeMember).join(" ")})${serializeParameters(member.parameters)}`;
}

/** A dictionary, strictly. */
export function serializeDictionary(members: Map<string, Member>): string {
  const one = ([key, member]: [string, Member]): string => {
    const isTrue = !isInnerList(member) && member.bare.type === "boolean" && member.bare.value;
    return isTrue ? key + serializeParameters(member.parameters) : `${key}=${serializeMember(member)}`;
  };
  return [...members].map(one).join(", ");
}
