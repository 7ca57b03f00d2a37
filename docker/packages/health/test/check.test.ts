import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Check } from '../src/index.js';

const LIMITS = { timeoutMs: 1000, cacheMs: 500 };

/** A service that counts questions and leaves its answers to the test. */
class Service {
  readonly questions: { answer: () => void; fail: (error: Error) => void }[] = [];
  nowMs = 0;
  readonly check = new Check(
    () =>
      new Promise<void>((answer, fail) => {
        this.questions.push({ answer, fail });
      }),
    LIMITS,
    () => this.nowMs,
  );
}

test('a service that answers is connected, with the time that it took', async () => {
  const service = new Service();
  const health = service.check.read();
  service.nowMs = 12.34;
  service.questions[0]?.answer();

  assert.deepEqual(await health, { status: 'connected', response_time_ms: 12.3 });
});

test('a service that fails is disconnected, with the code of the error', async () => {
  const service = new Service();
  const health = service.check.read();
  service.questions[0]?.fail(
    Object.assign(new Error('connect 10.0.0.9:5432'), { code: 'ECONNREFUSED' }),
  );

  assert.deepEqual(await health, {
    status: 'disconnected',
    response_time_ms: 0,
    reason: 'ECONNREFUSED',
  });
});

test('a question that cannot even be put is a disconnected service', async () => {
  const check = new Check(() => {
    throw new Error('not connected');
  }, LIMITS);

  assert.equal((await check.read()).reason, 'error');
});

test('a service that is silent is disconnected at the timeout', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const service = new Service();
  const health = service.check.read();
  t.mock.timers.tick(999);
  service.nowMs = 1000;
  t.mock.timers.tick(1);

  assert.deepEqual(await health, {
    status: 'disconnected',
    response_time_ms: 1000,
    reason: 'timeout',
  });
});

test('a hundred probes at once are one question', async () => {
  const service = new Service();
  const all = Array.from({ length: 100 }, () => service.check.read());
  service.questions[0]?.answer();

  assert.equal(new Set(await Promise.all(all)).size, 1);
  assert.equal(service.questions.length, 1);
});

test('an answer is given again until it is too old', async () => {
  const service = new Service();
  const first = service.check.read();
  service.nowMs = 100;
  service.questions[0]?.answer();
  await first;

  service.nowMs = 599;
  assert.equal(await service.check.read(), await first);
  assert.equal(service.questions.length, 1);

  service.nowMs = 600;
  void service.check.read();
  assert.equal(service.questions.length, 2);
});

test('a service that comes back is connected again', async () => {
  const service = new Service();
  const down = service.check.read();
  service.questions[0]?.fail(new Error('gone'));
  assert.equal((await down).status, 'disconnected');

  service.nowMs = 500;
  const up = service.check.read();
  service.questions[1]?.answer();
  assert.equal((await up).status, 'connected');
});
