/** Behind a proxy one Roster after the other is stopped and started, while everyone keeps asking: nobody notices. */
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRoster } from '../roster.ts';
import { readyUrl } from '../support.ts';
import { CLIENTS, expectNothingLost, send, startClients, THINKING } from './clients.ts';
import { inLanes } from './twenty-rounds.ts';
import { IN_TIME, takesTwoMinutes } from './two-minutes.ts';

takesTwoMinutes();

/** Milliseconds between two checks whether a Roster is ready. */
const HEALTH_CHECK = 100;
const SETTINGS = {
  // Until the proxy has heard of it, in short however busy the machine is.
  DRAIN_SECONDS: inject('isLong') ? '2' : '4',
  // One each: nobody is refused for being too many.
  DATABASE_CONNECTIONS: `${CLIENTS}`,
  LOG_LEVEL: 'silent',
};

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
    if (target === undefined) {
      outgoing.writeHead(502).end();
      return;
    }
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
  'on %s, behind a proxy that asks which Rosters are ready, nobody notices that one is stopped and started',
  IN_TIME,
  async (engine) => {
    const url = await readyUrl(engine);
    const settings = { ...SETTINGS, DATABASE_URL: url };
    await inLanes(async (rounds) => {
      const rosters = [await startRoster(settings), await startRoster(settings)];
      const proxy = await startProxy(rosters.map(({ address }) => address));
      await expect.poll(() => proxy.ready.size).toBe(2);
      const clients = startClients(proxy.address, THINKING);
      for (const _round of rounds) {
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
    });
  },
);
