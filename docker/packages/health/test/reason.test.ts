import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reasonOf } from '../src/index.js';

const SECRET = 'postgres://app:hunter2@db.example/app';

const REASONS: [string, unknown, string][] = [
  [
    'the code of a system error',
    Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' }),
    'ECONNREFUSED',
  ],
  ['the code of a database error', Object.assign(new Error(SECRET), { code: '28P01' }), '28P01'],
  ['a time-out without a code', new Error(`timeout exceeded: ${SECRET}`), 'timeout'],
  ['a time-out in other words', new Error('Command timed out'), 'timeout'],
  ['nothing of a code that is a text', Object.assign(new Error('x'), { code: SECRET }), 'error'],
  ['nothing of a message', new Error(SECRET), 'error'],
  ['nothing of what is no error', SECRET, 'error'],
];

for (const [what, error, reason] of REASONS) {
  test(`a reason tells ${what}`, () => {
    assert.equal(reasonOf(error), reason);
  });
}
