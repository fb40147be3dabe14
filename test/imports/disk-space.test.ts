/** A file whose rows take more room than there is: it is given up while there is some left for everybody else, and leaves nothing. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { confirmImport } from '../../src/imports/commands.ts';
import { SPARE } from '../../src/lib/disk-space.ts';
import { breakUpdates } from '../engines.ts';
import { withRoom } from '../full-disk.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn } from '../people.ts';
import { addUser, get, startApp } from '../support.ts';
import { actorFor, bring, check, csv, importOf } from './bringing.ts';

const FILE = csv(['username', 'email'], ['ada', 'ada@example.org'], ['bob', 'bob@example.org']);
const NO_ROOM = 'There is too little room on Roster’s disk to look at all of its rows';

test('what is read is given up before the room of others is taken, and its rows are gone at once', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const id = await bring(app, FILE, actorFor(ann));
  await withRoom(SPARE - 1, () => app.runJobs());
  expect((await importOf(app, id)).state).toBe('unreadable');
  expect(readdirSync(app.config.importFolder).filter((name) => /stage/.test(name))).toEqual([]);
  const page = pageOf(await get(app, `/imports/${id}`, await signedIn(app, ann)));
  expect(page.text).toContain(NO_ROOM);
});

test('what was confirmed and has to be judged again is not applied where it might take the room of others', async () => {
  const app = await startApp();
  const id = await check(app, FILE);
  await transact(app.db, (trx) => confirmImport(trx, commandLine, id, 1, app.clock()));
  await addUser(app.db, { username: 'somebody' });
  await withRoom(SPARE + 1, () => app.runJobs());
  expect(await importOf(app, id)).toMatchObject({
    state: 'unreadable',
    problem: expect.stringContaining(NO_ROOM),
  });
  expect(readdirSync(app.config.importFolder).filter((name) => /stage/.test(name))).toEqual([]);
});

test('files that are a day old go even where the database cannot be written', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  await check(app, FILE);
  clock.move(25 * 60 * 60_000);
  await breakUpdates(app.db, 'imports');
  await app.runJobs();
  expect(readdirSync(app.config.importFolder)).toEqual(['identity']);
});
