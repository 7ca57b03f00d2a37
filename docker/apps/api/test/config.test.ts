import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConfigError, type Environment, readConfig } from '../src/config.js';

const FILES: Record<string, string> = { '/run/secrets/database_url': 'postgres://from/file\n' };
const NEEDED = { DATABASE_URL: 'postgres://app@db/app', REDIS_URL: 'redis://cache' };
const NOW = new Date('2026-01-02T03:04:05Z');

function readFile(path: string): string {
  const text = FILES[path];
  if (text === undefined) throw new Error('ENOENT');
  return text;
}

const read = (env: Environment) => readConfig(env, readFile, NOW);

test('two addresses are all that is needed', () => {
  assert.deepEqual(read(NEEDED), {
    port: 3001,
    databaseUrl: 'postgres://app@db/app',
    redisUrl: 'redis://cache',
    health: { timeoutMs: 2000, cacheMs: 1000 },
    shutdownMs: 8000,
    release: { sha: 'unknown', started_at: '2026-01-02T03:04:05.000Z' },
  });
});

test('all else can be set', () => {
  const config = read({
    ...NEEDED,
    PORT: '8000',
    HEALTH_TIMEOUT_MS: '500',
    HEALTH_CACHE_MS: '0',
    SHUTDOWN_TIMEOUT_MS: '100',
    RELEASE_SHA: 'abc1234',
  });

  assert.deepEqual(
    [config.port, config.health, config.shutdownMs, config.release.sha],
    [8000, { timeoutMs: 500, cacheMs: 0 }, 100, 'abc1234'],
  );
});

test('a secret in a file goes before one in the environment', () => {
  const config = read({ ...NEEDED, DATABASE_URL_FILE: '/run/secrets/database_url' });

  assert.equal(config.databaseUrl, 'postgres://from/file');
});

const FAULTS: [string, Environment, string[]][] = [
  [
    'every missing one at once',
    {},
    [
      'DATABASE_URL is missing; give it, or a file with it as DATABASE_URL_FILE',
      'REDIS_URL is missing; give it, or a file with it as REDIS_URL_FILE',
    ],
  ],
  [
    'what is no number',
    { ...NEEDED, PORT: 'http', HEALTH_CACHE_MS: '-1' },
    ['PORT has to be a whole number', 'HEALTH_CACHE_MS has to be a whole number'],
  ],
  [
    'the address of something else, without its value',
    { ...NEEDED, DATABASE_URL: 'mysql://app:hunter2@db' },
    ['DATABASE_URL has to be a URL that begins with postgres://'],
  ],
  [
    'a file that is not there',
    { ...NEEDED, REDIS_URL_FILE: '/run/secrets/redis_url' },
    ['REDIS_URL_FILE: /run/secrets/redis_url cannot be read'],
  ],
];

for (const [what, env, faults] of FAULTS) {
  test(`an environment at fault is refused: it tells ${what}`, () => {
    assert.throws(
      () => read(env),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(error.faults, faults);
        return true;
      },
    );
  });
}
