import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readConfig } from '../src/config.js';
import { HealthService, type Pingable } from '../src/health/health.service.js';

const CONFIG = readConfig(
  {
    DATABASE_URL: 'postgres://app:hunter2@db/app',
    REDIS_URL: 'redis://:hunter2@cache',
    RELEASE_SHA: 'abc1234',
  },
  () => '',
  new Date('2026-01-02T03:04:05Z'),
);

const up = { ping: () => Promise.resolve() };
const down = {
  ping: () =>
    Promise.reject(Object.assign(new Error('hunter2 was refused'), { code: 'ECONNREFUSED' })),
};

const reportOf = (database: Pingable, cache: Pingable) =>
  new HealthService(CONFIG, database, cache).report();

const CASES: [string, Pingable, Pingable, [string, string, string]][] = [
  ['both answer', up, up, ['ok', 'connected', 'connected']],
  ['the database is down', down, up, ['unavailable', 'disconnected', 'connected']],
  ['Redis is down', up, down, ['unavailable', 'connected', 'disconnected']],
  ['both are down', down, down, ['unavailable', 'disconnected', 'disconnected']],
];

for (const [what, database, cache, expected] of CASES) {
  test(`the report when ${what}`, async () => {
    const { status, services } = await reportOf(database, cache);

    assert.deepEqual([status, services.database.status, services.redis.status], expected);
  });
}

test('the report has what an operator looks for, and no secret', async () => {
  const report = await reportOf(up, down);

  assert.deepEqual(Object.keys(report), [
    ...['status', 'timestamp', 'uptime', 'services', 'memory', 'cpu', 'release'],
  ]);
  assert.deepEqual(report.release, { sha: 'abc1234', started_at: '2026-01-02T03:04:05.000Z' });
  assert.ok(Date.parse(report.timestamp) <= Date.now());
  const { rss, heap_used, heap_total, external } = report.memory;
  for (const figure of [report.uptime, rss, heap_used, heap_total, external, report.cpu.user]) {
    assert.ok(figure > 0);
  }
  assert.ok(report.cpu.system >= 0);
  assert.doesNotMatch(JSON.stringify(report), /hunter2/);
});

test('both are asked at the same time', async () => {
  const asked: string[] = [];
  let answerBoth: () => void = () => undefined;
  const both = new Promise<void>((resolve) => {
    answerBoth = resolve;
  });
  const slow = (name: string) => ({
    ping: () => {
      asked.push(name);
      return both;
    },
  });
  const report = reportOf(slow('database'), slow('redis'));
  assert.deepEqual(asked, ['database', 'redis']);
  answerBoth();
  assert.equal((await report).status, 'ok');
});
