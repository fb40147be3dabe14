/** Rosters are told to stop, again and again, while everyone keeps asking: nobody sees a connection that is cut. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startRoster } from '../roster.ts';
import { readyUrl } from '../support.ts';
import { CLIENTS, expectNothingLost, startClients } from './clients.ts';
import { inLanes } from './twenty-rounds.ts';
import { IN_TIME, takesTwoMinutes } from './two-minutes.ts';

takesTwoMinutes();

// One each: nobody is refused for being too many.
const SETTINGS = { DRAIN_SECONDS: '1', DATABASE_CONNECTIONS: `${CLIENTS}`, LOG_LEVEL: 'silent' };

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
