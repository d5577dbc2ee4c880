/** The signatures of a message: `Signature-Input` and `Signature`, read within bounds (RFC 9421 section 4). */

import type { Bytes } from "../bytes.js";
import { type Component, componentOf, isSame, plain } from "./component.js";
import type { Fields } from "./message.js";
import {
  ALGORITHMS,
  Broken,
  COMPONENTS_MAX,
  KEY_ID_CHARACTERS_MAX,
  LABELS_MAX,
  malformed,
  mustCover,
  outOfBounds,
  PARAMETERS_MAX,
  SIGNATURE_BYTES_MAX,
  SIGNATURE_INPUT_BYTES_MAX,
} from "./rules.js";
import { isInnerList, type Member, type Parameters, parseDictionary, serializeMember } from "./structured.js";

const TYPES = new Map([
  ["created", "integer"],
  ["expires", "integer"],
  ["keyid", "string"],
  ["alg", "string"],
  ["nonce", "string"],
  ["tag", "string"],
]);

/** A dictionary over its lines, each of which must be whole, in printable ASCII, and say nothing twice. */
export function dictionary(field: string, lines: readonly string[]): Map<string, Member> {
  const members = new Map<string, Member>();
  let repeated = false;
  for (const line of lines) {
    const read = /^[\t -~]*$/.test(line) ? parseDictionary(line) : undefined;
    if (read === undefined) throw malformed(field);
    repeated ||= read.repeated;
    for (const [name, member] of read.value) {
      repeated ||= members.has(name);
      members.set(name, member);
    }
  }
  if (repeated) throw malformed(field);
  return members;
}

/** A dictionary of byte sequences; undefined for members that are something else. */
export function byteSequences(field: string, lines: readonly string[]): Map<string, Bytes | undefined> {
  const found = new Map<string, Bytes | undefined>();
  for (const [name, member] of dictionary(field, lines)) {
    found.set(name, !isInnerList(member) && member.bare.type === "bytes" ? member.bare.value : undefined);
  }
  return found;
}

/** The lines of a field, where all of them together are within a bound. */
export function boundedLines(fields: Fields, name: string, bytesMax: number): string[] {
  const lines = fields.lines(name);
  const size = lines.reduce((sum, line) => sum + line.length, 0);
  if (size > bytesMax) throw outOfBounds(`${name} has at most ${bytesMax} bytes`);
  return lines;
}

/** A member of `Signature-Input`: its components in order, its parameters, and both serialised in `text`. */
export class Input {
  constructor(
    readonly label: string,
    readonly components: readonly Component[],
    readonly parameters: Parameters,
    readonly text: string,
  ) {}

  /** A parameter that is an integer, and required. */
  integer(name: string): number {
    const bare = this.parameters.get(name);
    if (bare?.type !== "integer") throw mustHave(name);
    return bare.value;
  }

  /** A parameter that is a string, if it is there. */
  maybe(name: string): string | undefined {
    const bare = this.parameters.get(name);
    return bare?.type === "string" ? bare.value : undefined;
  }

  /** A parameter that is a string, and required. */
  string(name: string): string {
    const text = this.maybe(name);
    if (text === undefined) throw mustHave(name);
    return text;
  }

  /** The key's name, of 1 to 256 characters. */
  keyId(): string {
    const name = this.string("keyid");
    if (name.length < 1 || name.length > KEY_ID_CHARACTERS_MAX) throw malformed("keyid");
    return name;
  }

  /** The algorithm, one that the profile knows. */
  algorithm(): string {
    const name = this.string("alg");
    if (!ALGORITHMS.includes(name)) throw algorithmMustBeTheKeys(name);
    return name;
  }

  covers(component: Component): boolean {
    return this.components.some((own) => isSame(own, component));
  }

  /** Method, and authority, path and query, or the target URI; of the answered request in a response. */
  mustCoverTarget(req: boolean): void {
    const whole = this.covers(plain("@target-uri", req));
    for (const name of whole ? ["@method"] : ["@method", "@authority", "@path", "@query"]) {
      if (!this.covers(plain(name, req))) throw mustCover(plain(name, req).text);
    }
  }

  /** Each of some fields, where the message has it. */
  mustCoverPresent(fields: Fields, names: readonly string[]): void {
    for (const name of names) {
      if (fields.has(name) && !this.covers(plain(name))) throw mustCover(`"${name}"`);
    }
  }
}

/** A signature that names another algorithm than its key has. */
export function algorithmMustBeTheKeys(named: string): Broken {
  return new Broken("algorithm_must_be_the_keys", `the algorithm must be the key's; the signature names ${named}`);
}

function mustHave(name: string): Broken {
  return new Broken("signature_must_have_parameter", `the signature must have the parameter ${name}`);
}

/** The members of `Signature-Input`, in their order. */
export function readInputs(fields: Fields): Input[] {
  const lines = boundedLines(fields, "signature-input", SIGNATURE_INPUT_BYTES_MAX);
  const inputs = [...dictionary("signature-input", lines)].map(([label, member]) => inputOf(label, member));
  if (inputs.length > LABELS_MAX) throw outOfBounds(`a message has at most ${LABELS_MAX} labels`);
  return inputs;
}

function inputOf(label: string, member: Member): Input {
  if (!isInnerList(member)) throw malformed("signature-input");
  if (member.items.length > COMPONENTS_MAX)
    throw outOfBounds(`a signature covers at most ${COMPONENTS_MAX} components`);
  if (member.parameters.size > PARAMETERS_MAX)
    throw outOfBounds(`a signature has at most ${PARAMETERS_MAX} parameters`);
  const components = member.items.map((item) => {
    const component = componentOf(item);
    if (component === undefined) throw malformed("signature-input");
    return component;
  });
  for (const [name, bare] of member.parameters) {
    if (TYPES.has(name) && TYPES.get(name) !== bare.type) throw malformed(name);
  }
  return new Input(label, components, member.parameters, serializeMember(member));
}

/** The one signature that counts: its input and its bytes. */
export function tagged(fields: Fields, tag: string): { input: Input; signature: Bytes } {
  const [input, ...others] = readInputs(fields).filter((each) => each.maybe("tag") === tag);
  const unsigned = new Broken("must_be_signed", `the message must be signed under the tag ${tag}`);
  if (input === undefined) throw unsigned;
  if (others.length > 0) throw new Broken("must_have_one_signature", `exactly one signature must have the tag ${tag}`);
  const members = byteSequences("signature", boundedLines(fields, "signature", SIGNATURE_BYTES_MAX));
  if ([...members.values()].includes(undefined)) throw malformed("signature");
  if (members.size > LABELS_MAX) throw outOfBounds(`a message has at most ${LABELS_MAX} labels`);
  const signature = members.get(input.label);
  if (signature === undefined) throw unsigned;
  return { input, signature };
}
