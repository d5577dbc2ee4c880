/** A real `strongroom serve` in a folder of its own. `STRONGROOM_BIN` names the program. */

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "../src/index.js";
import { readKeyFile } from "../src/node.js";

/** Where the vectors and the example are. */
export const repository = process.env.STRONGROOM_REPOSITORY ?? "../..";

const program = process.env.STRONGROOM_BIN ?? "strongroom";

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The server, its operator's key, and a fund that is open. */
export class Served {
  private process: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    readonly url: string,
  ) {}

  /** One that has been up for long enough to challenge nobody, unless `isForgetful`. */
  static async begin(isForgetful = false): Promise<Served> {
    const folder = await mkdtemp(join(tmpdir(), "strongroom-"));
    const served = new Served(folder, `http://127.0.0.1:${await freePort()}`);
    const { first_enrolment } = JSON.parse(await served.start()) as { first_enrolment: string };
    await served.run(["key", "enrol", "--code", first_enrolment, "--out", "operator.key"], undefined);
    const seed = ["--seed-date", "last-session", "--seed-price", "BTC=92000"];
    await served.run(["fund", "open", join(repository, "funds/bitcoin.toml"), ...seed]);
    await served.run(["principal", "add", "ap-one", "--role", "participant", "--participant", "AP One"]);
    const operator = await Client.of(await readKeyFile(join(folder, "operator.key")));
    while (!isForgetful && (await operator.get("/v1/whoami")).tries > 1) await sleep(100);
    return served;
  }

  async start(): Promise<string> {
    const out = join(this.folder, "server.txt");
    const listen = this.url.replace("http://", "");
    const file = openSync(out, "w");
    const child = spawn(program, ["serve", "--listen", listen, "--json"], {
      cwd: this.folder,
      stdio: ["ignore", file, file],
    });
    this.process = child;
    for (let tries = 0; tries < 600; tries += 1) {
      const said = readFileSync(out, "utf8");
      if (said.includes("url") && said.endsWith("\n")) return said;
      assert.equal(child.exitCode, null, said);
      await sleep(50);
    }
    throw new Error("the server does not start");
  }

  async kill(): Promise<void> {
    const child = this.process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async end(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true });
  }

  async run(command: string[], key: string | undefined = "operator.key"): Promise<string> {
    const signing = command[1] === "enrol" ? [] : ["--key", key];
    const all = [...command, "--server", this.url, ...signing];
    return (await promisify(execFile)(program, all, { cwd: this.folder })).stdout;
  }

  async issue(...more: string[]): Promise<Record<string, string>> {
    const scopes = ["--scope", "read", "--scope", "orders:write", "--env", "dev", "--json"];
    return JSON.parse(await this.run(["key", "issue", "--principal", "ap-one", ...scopes, ...more])) as Record<
      string,
      string
    >;
  }

  async code(): Promise<string> {
    const { enrolment, code } = await this.issue();
    return `${enrolment}.${code}`;
  }

  /** The ids of the open orders. */
  async orders(): Promise<string[]> {
    const orders = JSON.parse(await this.run(["order", "list", "--json"])) as { id: string }[];
    return orders.map((order) => order.id);
  }
}

/** Stands between client and server: sees every request, and may change or withhold what comes back. */
export class Between {
  readonly headers: Headers[] = [];

  constructor(private readonly change: (came: Response, count: number) => Response | Promise<Response>) {}

  readonly fetch: typeof fetch = async (input, init) => {
    this.headers.push(new Headers(init?.headers));
    const { length } = this.headers;
    return await this.change(await fetch(input, init), length);
  };
}

/** The nonce of a signed request. */
export function nonceOf(headers: Headers): string {
  return /nonce="([^"]+)"/.exec(headers.get("signature-input") ?? "")?.[1] ?? "";
}
