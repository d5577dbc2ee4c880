/** Covered components and the signature base (RFC 9421 sections 2 and 2.5). */

import { type Bytes, encodeBase64, latin1 } from "../bytes.js";
import { derived, type Fields, isResponse, type Message, queryParameter } from "./message.js";
import { BASE_BYTES_MAX, Broken, outOfBounds } from "./rules.js";
import {
  type Item,
  parseDictionary,
  parseItem,
  parseList,
  serializeDictionary,
  serializeMember,
} from "./structured.js";

/** How a value is written; `unknown` where nothing is known by the identifier. */
type Form = "plain" | "sf" | "bs" | "key" | "query-param" | "unknown";

/** A component identifier. `key` is a member's or a query parameter's name, `text` the identifier, serialised. */
export interface Component {
  readonly name: string;
  readonly form: Form;
  readonly key?: string;
  readonly req: boolean;
  readonly text: string;
}

const FIELD_NAME = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;
const PRINTABLE = /^[\t -~]*$/;
const DERIVED = new Set([
  "@method",
  "@target-uri",
  "@authority",
  "@scheme",
  "@request-target",
  "@path",
  "@query",
  "@status",
]);
const DICTIONARIES = new Set([
  "accept-signature",
  "cdn-cache-control",
  "content-digest",
  "priority",
  "repr-digest",
  "signature",
  "signature-input",
  "want-content-digest",
  "want-repr-digest",
]);
const LISTS = new Set(["accept-ch", "cache-status", "client-cert-chain", "proxy-status"]);
const ITEMS = new Set(["client-cert", "deprecation", "idempotency-key"]);

/** A component without parameters, or with `req` alone. */
export function plain(name: string, req = false): Component {
  return { name, form: "plain", req, text: `"${name}"${req ? ";req" : ""}` };
}

/** Whether both stand for the same value, whatever the order of their parameters. */
export function isSame(one: Component, other: Component): boolean {
  return one.name === other.name && one.form === other.form && one.key === other.key && one.req === other.req;
}

/** From an item of `Signature-Input`; undefined where it is no string. */
export function componentOf(item: Item): Component | undefined {
  if (item.bare.type !== "string") return undefined;
  const name = item.bare.value;
  const req = item.parameters.has("req");
  return { name, ...formOf(name, item), req, text: serializeMember(item) };
}

function formOf(name: string, item: Item): { form: Form; key?: string } {
  const unknown = { form: "unknown" } as const;
  const texts = new Map<string, string>();
  for (const [parameter, bare] of item.parameters) {
    if (["sf", "bs", "req"].includes(parameter)) {
      if (bare.type !== "boolean" || !bare.value) return unknown;
    } else if (["key", "name"].includes(parameter) && bare.type === "string") {
      texts.set(parameter, bare.value);
    } else {
      // `tr` names a trailer, and trailers come after the decision has been made.
      return unknown;
    }
  }
  const sf = item.parameters.has("sf");
  const bs = item.parameters.has("bs");
  const [key, query] = [texts.get("key"), texts.get("name")];
  if (name.startsWith("@")) {
    if (sf || bs || key !== undefined) return unknown;
    if (name === "@query-param") return query === undefined ? unknown : { form: "query-param", key: query };
    return query === undefined && DERIVED.has(name) ? { form: "plain" } : unknown;
  }
  if (query !== undefined || !FIELD_NAME.test(name)) return unknown;
  // A member is serialised strictly with or without `sf`, so the two identifiers are one.
  if (key !== undefined) return bs ? unknown : { form: "key", key };
  if (sf && bs) return unknown;
  return { form: sf ? "sf" : bs ? "bs" : "plain" };
}

/** A component that this message cannot have. */
export function unknownComponent(component: Component): Broken {
  const text = `the covered component ${component.text} must be one that this message can have`;
  return new Broken("signature_must_cover_known_components", text);
}

/** The text that is signed. Each component must be covered once, be present, and have a value in printable ASCII. */
export function signatureBase(message: Message, components: readonly Component[], parameters: string): Bytes {
  let base = "";
  components.forEach((component, at) => {
    if (components.slice(0, at).some((earlier) => isSame(earlier, component))) {
      throw new Broken("signature_must_cover_once", `the component ${component.text} must be covered only once`);
    }
    base += `${component.text}: ${valueIn(message, component)}\n`;
    if (base.length > BASE_BYTES_MAX) throw outOfBounds(`a signature base has at most ${BASE_BYTES_MAX} bytes`);
  });
  return latin1(`${base}"@signature-params": ${parameters}`);
}

function valueIn(message: Message, component: Component): string {
  const absent = () => {
    const text = `the covered component ${component.text} must be present, in ASCII`;
    return new Broken("signature_must_cover_what_is_present", text);
  };
  if (component.req && !isResponse(message)) throw unknownComponent(component);
  const spoken = component.req && isResponse(message) ? message.request : message;
  if (!component.name.startsWith("@")) {
    const value = fieldOf(spoken.fields, component);
    if (value === undefined) throw absent();
    return value;
  }
  const value = derivedOf(spoken, component);
  const isQuery = component.form === "query-param";
  if (value === undefined) throw isQuery ? absent() : unknownComponent(component);
  if ((value === "" && !isQuery) || !/^[!-~]*$/.test(value)) throw absent();
  return value;
}

function derivedOf(message: Message, component: Component): string | undefined {
  if (isResponse(message)) return component.name === "@status" ? String(message.status) : undefined;
  if (component.form === "query-param") return queryParameter(message.target.query ?? "", component.key ?? "");
  return derived(message.target, component.name);
}

function fieldOf(fields: Fields, component: Component): string | undefined {
  const lines = fields.lines(component.name).map((line) => line.replace(/^[ \t]+|[ \t]+$/g, ""));
  if (lines.length === 0) return undefined;
  if (component.form === "bs") return lines.map((line) => `:${encodeBase64(latin1(line))}:`).join(", ");
  const joined = lines.join(", ");
  if (!PRINTABLE.test(joined)) return undefined;
  if (component.form === "sf") return strict(component.name, joined);
  if (component.form !== "key") return joined;
  const member = parseDictionary(joined)?.value.get(component.key ?? "");
  return member === undefined ? undefined : serializeMember(member);
}

/** A field serialised strictly (RFC 9421 section 2.1.1); undefined where it is not known to be a structured one. */
function strict(name: string, joined: string): string | undefined {
  if (DICTIONARIES.has(name)) {
    const read = parseDictionary(joined);
    return read && serializeDictionary(read.value);
  }
  if (LISTS.has(name)) return parseList(joined)?.value.map(serializeMember).join(", ");
  if (!ITEMS.has(name)) return undefined;
  const read = parseItem(joined);
  return read && serializeMember(read.value);
}
