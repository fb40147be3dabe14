/** Rosters are told to stop, again and again, while everyone keeps asking: nobody sees a connection that is cut. */
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startRoster } from '../roster.ts';
import { readyUrl } from '../support.ts';
import { CLIENTS, expectNothingLost, send, startClients } from './clients.ts';
import { IN_TIME, takesTwoMinutes } from './two-minutes.ts';

takesTwoMinutes();

const ROUNDS = inject('isLong') ? 20 : 1;
/** So many go on at once, each with a Roster of its own: most of a round is waiting. */
const LANES = inject('isLong') ? 4 : 1;
/** Milliseconds between two checks whether a Roster is ready. */
const HEALTH_CHECK = 100;
// One each: nobody is refused for being too many.
const SETTINGS = { DRAIN_SECONDS: '1', DATABASE_CONNECTIONS: `${CLIENTS}`, LOG_LEVEL: 'silent' };

/** All rounds, shared out. */
async function inLanes(run: (rounds: readonly number[]) => Promise<void>): Promise<void> {
  const rounds = Array.from({ length: ROUNDS }, (_, round) => round);
  const lanes = Array.from({ length: LANES }, (_, lane) => rounds.filter((round) => round % LANES === lane));
  await Promise.all(lanes.map(run));
}

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
  IN_TIME,
  async (engine) => {
    const url = await readyUrl(engine);
    const told = { failures: [] as string[], acknowledged: [] as string[] };
    await inLanes(async (rounds) => {
      for (const round of rounds) {
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
    });
    await expectNothingLost(told, url);
  },
);

test.each(['sqlite', 'postgres'] as const)(
  'on %s, behind a proxy that asks which Rosters are ready, nobody notices that one is stopped and started',
  IN_TIME,
  async (engine) => {
    const url = await readyUrl(engine);
    // Until the proxy has heard of it, however busy the machine is.
    const settings = { ...SETTINGS, DRAIN_SECONDS: '4', DATABASE_URL: url };
    await inLanes(async (rounds) => {
      const rosters = [await startRoster(settings), await startRoster(settings)];
      const proxy = await startProxy(rosters.map(({ address }) => address));
      await expect.poll(() => proxy.ready.size).toBe(2);
      const clients = startClients(proxy.address);
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
