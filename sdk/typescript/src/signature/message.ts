/** The messages that a signature covers, and what the derived components are in them (RFC 9421 section 2.2). */

import { UnreadableMessage } from "../errors.js";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const NEVER_IN_A_VALUE = /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/;

/** Header fields in their order, as text of Latin-1; names are compared in lower case. */
export class Fields {
  readonly pairs: [string, string][] = [];

  constructor(pairs: Iterable<readonly [string, string]> = []) {
    for (const [name, value] of pairs) this.append(name, value);
  }

  /** Adds a line. Throws UnreadableMessage where no HTTP message can have it. */
  append(name: string, value: string): void {
    if (!TOKEN.test(name)) throw new UnreadableMessage(`the field name ${JSON.stringify(name)}`);
    if (NEVER_IN_A_VALUE.test(value)) throw new UnreadableMessage(`the value of ${name}`);
    this.pairs.push([name.toLowerCase(), value]);
  }

  /** Every line of a field; the name in lower case. */
  lines(name: string): string[] {
    return this.pairs.filter(([own]) => own === name).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.pairs.some(([own]) => own === name);
  }

  /** The same fields without every line of some; the names in lower case. */
  without(...names: string[]): Fields {
    return new Fields(this.pairs.filter(([own]) => !names.includes(own)));
  }
}

/** What of a request is not in its header fields; path and query as sent, no query where there is no question mark. */
export interface Target {
  readonly method: string;
  readonly scheme: string;
  /** Host and port, as in `Host`. */
  readonly authority: string;
  readonly path: string;
  readonly query: string | null;
}

/** A request: its target and its header fields. */
export interface Request {
  readonly target: Target;
  readonly fields: Fields;
}

/** A response and the request that it answers. */
export interface Response {
  readonly status: number;
  readonly fields: Fields;
  readonly request: Request;
}

export type Message = Request | Response;

export function isResponse(message: Message): message is Response {
  return "status" in message;
}

/** In lower case, without the scheme's own port (section 2.2.3). */
function authorityOf(target: Target): string {
  const port = { https: ":443", http: ":80" }[target.scheme.toLowerCase()] ?? "\0";
  const { authority } = target;
  return (authority.endsWith(port) ? authority.slice(0, -port.length) : authority).toLowerCase();
}

function pathAndQuery(target: Target): string {
  return (target.path || "/") + (target.query === null ? "" : `?${target.query}`);
}

/** The derived component of that name; undefined where a request has none. */
export function derived(target: Target, name: string): string | undefined {
  switch (name) {
    case "@method":
      return target.method;
    case "@authority":
      return authorityOf(target);
    case "@scheme":
      return target.scheme.toLowerCase();
    case "@path":
      return target.path || "/";
    case "@query":
      return `?${target.query ?? ""}`;
    case "@request-target":
      return target.method === "CONNECT" ? authorityOf(target) : pathAndQuery(target);
    case "@target-uri":
      return `${target.scheme.toLowerCase()}://${authorityOf(target)}${pathAndQuery(target)}`;
    default:
      return undefined;
  }
}

/** A parameter of the query, decoded as a form and encoded again (section 2.2.8); undefined unless it comes once. */
export function queryParameter(query: string, name: string): string | undefined {
  const wanted = new URLSearchParams(`${name}=`).keys().next().value ?? "";
  const pairs = query.split("&").filter((pair) => new URLSearchParams(pair).keys().next().value === wanted);
  const [only] = pairs;
  if (pairs.length !== 1 || only === undefined) return undefined;
  const raw = only.includes("=") ? only.slice(only.indexOf("=") + 1) : "";
  try {
    const decoded = decodeURIComponent(raw.replaceAll("+", " ").replace(/%(?![0-9a-fA-F]{2})/g, "%25"));
    return encodeURIComponent(decoded).replace(/[!'()~]/g, (character) => {
      return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
    });
  } catch {
    return undefined;
  }
}
