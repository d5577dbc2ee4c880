/** Why a request was not made, or its answer not believed. Every error has a stable code, which names the rule. */

/** What this package throws. `code` names the rule that was broken and never changes its meaning; the text is for people. */
export class StrongroomError extends Error {
  constructor(
    readonly code: string,
    text: string,
    options?: ErrorOptions,
  ) {
    super(`${code}: ${text}`, options);
    this.name = new.target.name;
  }
}

/** A message breaks a rule of the profile of HTTP signatures (its section 4 lists the codes). */
export class SignatureError extends StrongroomError {}

/** A header field that no HTTP message can have: a name that is none, a line break in a value. */
export class UnreadableMessage extends StrongroomError {
  constructor(what: string) {
    super("client.message_must_be_readable", `${what} fits into no HTTP message`);
  }
}

/** A key file that is missing, unreadable, open to others, or not one. */
export class KeyFileError extends StrongroomError {
  constructor(path: string, reason: string, isOpen = false) {
    super(isOpen ? "client.key_file_must_be_private" : "client.key_file_must_be_readable", `${path}: ${reason}`);
  }
}

/** The server could not be reached, or went away. Whether the request was executed is not known where `wasSent`. */
export class TransportError extends StrongroomError {
  constructor(
    text: string,
    readonly wasSent: boolean,
    options?: ErrorOptions,
  ) {
    const hint = wasSent ? "whether the request was executed is not known" : "the request was not sent";
    super("client.server_must_answer", `${text}; ${hint}`, options);
  }
}

/** An answer that no pinned key signed, or that answers something else. */
export class UnbelievableAnswer extends StrongroomError {
  constructor(reason: unknown) {
    const text = reason instanceof Error ? reason.message : String(reason);
    super("client.answer_must_be_signed", `the answer cannot be believed: ${text}`, { cause: reason });
  }
}

/** The server refused; the code is its own. */
export class Refused extends StrongroomError {
  constructor(
    readonly status: number,
    code: string,
    detail: string,
  ) {
    super(code, detail);
  }
}

/** A webhook that is not to be acted on. */
export class WebhookError extends StrongroomError {}

/** A receipt that proves nothing, or a key by which none can be verified (`spec/receipts.md`, section 3). */
export class ReceiptError extends StrongroomError {}
