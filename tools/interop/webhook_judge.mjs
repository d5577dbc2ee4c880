// Verifies webhooks with the npm package `standardwebhooks` as it is: webhook_judge.mjs FOLDER, where it is installed.
// Standard input has a JSON list of {secret, headers, content}; standard output gets a list of true and false.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Webhook, WebhookVerificationError } = createRequire(`${process.argv[2]}/`)("standardwebhooks");

function isGood({ secret, headers, content }) {
  try {
    new Webhook(secret).verify(content, headers, { jsonParse: false });
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(isGood)));
