/** Rosters are told to stop, again and again, while everyone keeps asking: nobody sees a connection that is cut. */
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRoster } from '../roster.ts';
import { readyUrl } from '../support.ts';
import { CLIENTS, expectNothingLost, send, startClients } from './clients.ts';

const ROUNDS = inject('isLong') ? 20 : 1;
/** In each a whole Roster is started, on a machine that may have other things to do. */
const PATIENCE = { timeout: 120_000 + ROUNDS * 30_000 };
/** Milliseconds between two checks whether a Roster is ready. */
const HEALTH_CHECK = 100;
// One each: nobody is refused for being too many.
const SETTINGS = { DRAIN_SECONDS: '1', DATABASE_CONNECTIONS: `${CLIENTS}`, LOG_LEVEL: 'silent' };

/** A proxy that keeps connections to those that say they are ready, and does not try again. */
async function startProxy(targets: readonly string[]) {
  const ready = new Set<string>();
  const check = async (target: string) => {
    const isReady = await send(`${target}/readyz`, { agent: false }).then(
      (status) => status === 200,
      () => false,
    );
    if (isReady) ready.add(target);
    else ready.delete(target);
  };
  let isOver = false;
  // One after the other: a check that takes long does not bring back what a later one has found.
  for (const target of targets)
    void (async () => {
      for (; !isOver; await setTimeout(HEALTH_CHECK)) await check(target);
    })();
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  const proxy = createServer((incoming, outgoing) => {
    const target = [...ready][turn++ % Math.max(1, ready.size)];
    const { connection: _, ...headers } = incoming.headers;
    const passed = request(
      `${target}${incoming.url}`,
      { agent, method: `${incoming.method}`, headers },
      (answer) => {
        const { connection: __, 'keep-alive': ___, ...rest } = answer.headers;
        answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, rest));
      },
    );
    passed.on('error', () => outgoing.writeHead(502).end());
    incoming.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    isOver = true;
    agent.destroy();
    proxy.close().closeAllConnections();
  });
  return { address: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, ready };
}

test.each(['sqlite', 'postgres'] as const)(
  'on %s a client that lets go of a connection when it is told to sees none that is cut',
  PATIENCE,
  async (engine) => {
    const url = await readyUrl(engine);
    const told = { failures: [] as string[], acknowledged: [] as string[] };
    for (let round = 0; round < ROUNDS; round++) {
      const { child, address } = await startRoster({ ...SETTINGS, DATABASE_URL: url });
      const clients = startClients(address);
      await clients.more(50);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await clients.ended;
      expect(await ended).toEqual([0, null]);
      told.failures.push(...clients.failures.map((failure) => `${failure} in round ${round}`));
      told.acknowledged.push(...clients.acknowledged);
    }
    await expectNothingLost(told, url);
  },
);

test.each(['sqlite', 'postgres'] as const)(
  'on %s, behind a proxy that asks which Rosters are ready, nobody notices that one is stopped and started',
  PATIENCE,
  async (engine) => {
    const url = await readyUrl(engine);
    // Until the proxy has heard of it, however busy the machine is.
    const settings = { ...SETTINGS, DRAIN_SECONDS: '4', DATABASE_URL: url };
    const rosters = [await startRoster(settings), await startRoster(settings)];
    const proxy = await startProxy(rosters.map(({ address }) => address));
    await expect.poll(() => proxy.ready.size).toBe(2);
    const clients = startClients(proxy.address);
    for (let round = 0; round < ROUNDS; round++) {
      await clients.more(50);
      const roster = rosters.shift();
      if (roster === undefined) break;
      const ended = once(roster.child, 'exit');
      roster.child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      rosters.push(await startRoster({ ...settings, PORT: new URL(roster.address).port }));
      await expect.poll(() => proxy.ready.size).toBe(2);
    }
    await clients.stop();
    await expectNothingLost(clients, url);
  },
);
