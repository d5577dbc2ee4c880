/**
 * A client of a Strongroom server: it signs every request, believes only answers that a pinned key signed, and heals its
 * clock; it also verifies webhooks and receipts of the audit log. Keys in files are in `strongroom/node`, signed messages in
 * `strongroom/signature`.
 */

export { Answer } from "./answer.js";
export type { Bytes } from "./bytes.js";
export { Client, type Given, type Options } from "./client.js";
export { enrol, importSecret } from "./enrolment.js";
export * from "./errors.js";
export { type KeyFile, type KeyStore, keyFileText, parseKeyFile, type ServerKey } from "./keyfile.js";
export { type Checkpoint, type VerifiedReceipt, verifyReceipt, type Written } from "./receipts.js";
export { type ClientKey, clientKeyOf, KeyRing } from "./ring.js";
export {
  type Begun,
  MemoryOfIds,
  type ReceiverOptions,
  type SeenIds,
  type Webhook,
  type WebhookHeaders,
  WebhookReceiver,
} from "./webhook.js";
