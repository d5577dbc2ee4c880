/** Where a server is, and which URLs are its own. */

import { StrongroomError } from "./errors.js";

function wrong(text: string): StrongroomError {
  return new StrongroomError(
    "client.url_must_be_valid",
    `\`${text}\` is no URL of the server, like https://host:8443/v1`,
  );
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw wrong(text);
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Scheme, host and port, without a slash at the end. Plaintext is for loopback only. Throws StrongroomError. */
export function baseOf(server: string): string {
  const url = parsed(server);
  if (!["https:", "http:"].includes(url.protocol) || url.username !== "" || url.password !== "") throw wrong(server);
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    const text = `plain http is for loopback only, and ${url.hostname} is not; use https`;
    throw new StrongroomError("client.plaintext_must_stay_on_loopback", text);
  }
  return url.origin;
}

/** A path, or a whole URL of the server: a signature for one must not be sent to another. Throws StrongroomError. */
export function urlOf(base: string, target: string): URL {
  const text = target.startsWith("/") ? base + target : target;
  const isOurs = text === base || text.startsWith(`${base}/`) || text.startsWith(`${base}?`);
  if (!isOurs || text.includes("#")) throw wrong(target);
  const url = parsed(text);
  if (url.origin !== base || url.username !== "" || url.password !== "") throw wrong(target);
  return url;
}
