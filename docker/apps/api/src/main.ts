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

function fail(error: unknown): never {
  console.error(error instanceof ConfigError ? `error: ${error.message}` : error);
  process.exit(1);
}

main().catch(fail);
