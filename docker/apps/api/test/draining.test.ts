import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { Draining } from '../src/draining.js';

/** A server whose answers wait for the test, and a client that keeps its connections. */
async function started() {
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => waiting.push(response));
  const draining = new Draining(server);
  server.listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  const ask = async () => {
    const [response] = (await once(get({ port, agent }), 'response')) as [IncomingMessage];
    return response.resume();
  };
  const arrived = async (count: number) => {
    while (waiting.length < count) await once(server, 'request');
  };
  return { server, draining, waiting, ask, arrived };
}

test('an answer under way is finished, and says that it is the last one', async () => {
  const { server, draining, waiting, ask, arrived } = await started();
  const answer = ask();
  await arrived(1);

  const ended = once(server, 'close');
  draining.begin();
  server.close();
  assert.equal(draining.inFlight, 1);
  waiting[0]?.end('whole');

  assert.equal((await answer).headers.connection, 'close');
  await ended;
  assert.equal(draining.inFlight, 0);
});

test('an answer whose head was sent before the end is finished, too', async () => {
  const { server, draining, waiting, ask, arrived } = await started();
  const answer = ask();
  await arrived(1);
  waiting[0]?.write('half');
  assert.equal((await answer).headers.connection, 'keep-alive');

  const ended = once(server, 'close');
  draining.begin();
  server.close();
  waiting[0]?.end('whole');

  await ended; // although the client would have kept the connection
});

test('a connection that waits for a next request does not keep the server', async () => {
  const { server, draining, waiting, ask, arrived } = await started();
  const answer = ask();
  await arrived(1);
  waiting[0]?.end('whole');
  await once(await answer, 'end');

  const ended = once(server, 'close');
  draining.begin();
  server.close();

  await ended;
});
