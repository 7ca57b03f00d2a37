import 'reflect-metadata';
import { readFileSync } from 'node:fs';

import { Api } from './app.js';
import { ConfigError, readConfig } from './config.js';

async function main(): Promise<void> {
  const api = await Api.create(readConfig(process.env, (path) => readFileSync(path, 'utf8')));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      api.end().then(() => process.exit(0), fail);
    });
  }
  await api.listen();
}

/** A port that is taken and an environment at fault have their reason in the message; a bug has a trace. */
function fail(error: unknown): never {
  const isForeseen = error instanceof Error && (error instanceof ConfigError || 'code' in error);
  console.error(isForeseen ? `error: ${error.message}` : error);
  process.exit(1);
}

main().catch(fail);
