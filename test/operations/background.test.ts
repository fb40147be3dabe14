/** Work that nobody waits for. */
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { inBackground } from '../../src/operations/background.ts';

test('it begins as soon as Roster listens, again after each interval, and no more once Roster has ended', async () => {
  const app = fastify();
  const third = Promise.withResolvers<void>();
  let times = 0;
  inBackground(app, 1, async () => {
    if (++times === 3) third.resolve();
  });
  await app.ready();
  expect(times).toBe(0);
  await app.listen({ port: 0, host: '127.0.0.1' });
  await third.promise;
  await app.close();
  const before = times;
  await app.close();
  expect(times).toBe(before);
});

test('whatever is under way is told that Roster ends, which waits for it', async () => {
  const app = fastify();
  const [begun, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const said: string[] = [];
  const run = inBackground(app, 60_000, async (isEnding) => {
    begun.resolve();
    await going.promise;
    said.push(isEnding() ? 'told' : 'not told');
  });
  await app.ready();
  void run();
  await begun.promise;
  const closed = app.close().then(() => said.push('closed'));
  // A process that does not wait would be at its end by now.
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  going.resolve();
  await closed;
  expect(said).toEqual(['told', 'closed']);
});
