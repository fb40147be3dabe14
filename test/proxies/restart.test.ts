/** Roster is started anew while twenty requests a second come in, pages and forms: nobody sees it. */
import { once } from 'node:events';
import { expect } from 'vitest';
import { addPerson } from '../people.ts';
import { startOnSocket } from '../socket.ts';
import { readyUrl, temporaryDatabase } from '../support.ts';
import { withEach, withSome } from './everyone.ts';
import { startLoad } from './load.ts';
import type { Program } from './programs.ts';
import { BEHIND, startBehind, startProxy } from './start.ts';

const SETTINGS = { ...BEHIND, DRAIN_SECONDS: '2', LOG_LEVEL: 'silent' };

async function startDatabase(): Promise<string> {
  const url = await readyUrl();
  await addPerson(await temporaryDatabase(url), 'ann', 'admin');
  return url;
}

async function usernamesIn(url: string): Promise<Set<string>> {
  const db = await temporaryDatabase(url);
  const users = await db.selectFrom('users').select('username').execute();
  return new Set(users.map(({ username }) => username));
}

withEach(
  'loses no request while Roster is started anew on a socket that stays, as of systemd',
  async (program) => {
    const url = await startDatabase();
    const roster = await startOnSocket({ ...SETTINGS, DATABASE_URL: url });
    const load = await startLoad(await startProxy(program, roster.address));
    for (let round = 0; round < 3; round++) {
      await load.more(20);
      await roster.restart();
    }
    await load.more(20);
    const { created, failures } = await load.stop();
    expect(failures).toEqual([]);
    const stored = await usernamesIn(url);
    expect(created.filter((username) => !stored.has(username))).toEqual([]);
  },
);

/** What fails where nothing holds the socket: it is the proxy that may try again. */
async function restartAlone(program: Program) {
  const url = await startDatabase();
  let roster = await startBehind(url, SETTINGS);
  const load = await startLoad(await startProxy(program, roster.address));
  for (let round = 0; round < 3; round++) {
    await load.more(20);
    const ended = once(roster.child, 'exit');
    roster.child.kill('SIGTERM');
    await ended;
    roster = await startBehind(url, { ...SETTINGS, PORT: new URL(roster.address).port });
  }
  await load.more(20);
  return load.stop();
}

// nginx and Apache do not wait, and Caddy 2.6 does so for pages alone.
withSome(['Caddy', 'HAProxy'], 'with nothing that holds the socket tries again', async (program) => {
  const { failures } = await restartAlone(program);
  const isMissed = (failure: string) => program.name === 'HAProxy' || !failure.startsWith('form');
  expect(failures.filter(isMissed)).toEqual([]);
});
