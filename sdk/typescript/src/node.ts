/** Keys in files, where there are files: readable by their owner only, replaced whole or not at all. */

import { randomBytes } from "node:crypto";
import { type FileHandle, open, realpath, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { KeyFileError } from "./errors.js";
import { type KeyFile, type KeyStore, keyFileText, parseKeyFile } from "./keyfile.js";

const OWNER_ONLY = 0o600;

function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

async function within<T>(handle: FileHandle, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

/** Reads a key file. One that others may open is refused. Throws KeyFileError. */
export async function readKeyFile(path: string): Promise<KeyFile> {
  let text: string;
  try {
    text = await within(await open(path, "r"), async (handle) => {
      const { mode } = await handle.stat();
      if (process.platform !== "win32" && (mode & 0o077) !== 0) {
        throw new KeyFileError(path, `it can be read by others; run \`chmod 600 ${path}\``, true);
      }
      return await handle.readFile("utf8");
    });
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw new KeyFileError(path, `it cannot be read (${reasonOf(error)})`);
  }
  return parseKeyFile(text, path);
}

async function writeWhole(path: string, text: string): Promise<void> {
  await within(await open(path, "wx", OWNER_ONLY), async (handle) => {
    await handle.writeFile(text);
    await handle.sync();
  });
}

/** Writes a new file that only its owner can read; an existing one stays as it is. Throws KeyFileError. */
export async function writeKeyFile(path: string, keys: KeyFile): Promise<void> {
  try {
    await writeWhole(path, keyFileText(keys));
  } catch (error) {
    throw new KeyFileError(path, `it cannot be written (${reasonOf(error)})`);
  }
}

/**
 * Puts keys in the place of others: after a crash at any moment the path holds the old file or the new one. Throws
 * KeyFileError.
 */
export async function replaceKeyFile(path: string, keys: KeyFile): Promise<void> {
  try {
    const place = await realpath(path).catch(() => path);
    const temporary = join(dirname(place), `.${basename(place)}-${randomBytes(8).toString("hex")}`);
    try {
      await writeWhole(temporary, keyFileText(keys));
      await rename(temporary, place);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    // So that the new name survives a power cut, where the system can promise it.
    if (process.platform !== "win32") await within(await open(dirname(place), "r"), (folder) => folder.sync());
  } catch (error) {
    throw new KeyFileError(path, `it cannot be replaced (${reasonOf(error)})`);
  }
}

/** A key in a file. */
export class FileStore implements KeyStore {
  constructor(readonly path: string) {}

  async load(): Promise<KeyFile> {
    return await readKeyFile(this.path);
  }

  async save(keys: KeyFile): Promise<void> {
    await replaceKeyFile(this.path, keys);
  }
}
