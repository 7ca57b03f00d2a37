/** Against the servers that DATABASE_URL and REDIS_URL name: `pnpm --filter api test:integration`. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Api } from '../src/app.js';
import { readConfig } from '../src/config.js';
import type { HealthReport } from '../src/health/health.service.js';

let api: Api;
let url: string;

before(async () => {
  api = await Api.create(
    readConfig({ ...process.env, PORT: '0' }, () => {
      throw new Error('give the addresses themselves');
    }),
  );
  url = `http://127.0.0.1:${String(await api.listen())}`;
});

after(() => api.end());

async function ready(): Promise<HealthReport> {
  for (;;) {
    const response = await fetch(`${url}/health`);
    if (response.ok) return (await response.json()) as HealthReport;
  }
}

test('both services are asked and answer', { timeout: 20_000 }, async () => {
  const { services } = await ready();

  assert.equal(services.database.status, 'connected');
  assert.equal(services.redis.status, 'connected');
});

test('visits are counted', async () => {
  const visits = async (method: string) =>
    ((await (await fetch(`${url}/visits`, { method })).json()) as { visits: number }).visits;

  const first = await visits('POST');
  assert.equal(await visits('POST'), first + 1);
  assert.equal(await visits('GET'), first + 1);
});

test('what is not there is 404, and liveness asks nobody', async () => {
  assert.equal((await fetch(`${url}/nowhere`)).status, 404);
  const live = await fetch(`${url}/live`);
  assert.deepEqual([live.status, await live.json()], [200, { status: 'ok' }]);
});
