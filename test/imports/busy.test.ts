/** While another process writes to the rows of an import. */
import Sqlite from 'better-sqlite3';
import type { FastifyInstance } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { confirmImport } from '../../src/imports/commands.ts';
import { filesOf } from '../../src/imports/folder.ts';
import { saveImport } from '../../src/imports/queries.ts';
import { ENDED } from '../../src/jobs/failures.ts';
import { pageOf } from '../page.ts';
import { addPerson, movableClock, signedIn } from '../people.ts';
import { addUser, get, startApp } from '../support.ts';
import { actorFor, check, csv, importOf } from './bringing.ts';

/** Less than an import itself waits for another process. */
const SOON_MS = 900;

async function writeTo(app: FastifyInstance, id: number) {
  const { file } = await importOf(app, id);
  const other = new Sqlite(filesOf({ path: app.config.importFolder }, file).stage);
  onTestFinished(() => void other.close());
  other.exec('begin exclusive');
  return () => other.exec('rollback');
}

test('what was confirmed is judged again once nobody does, however often somebody did', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const id = await check(app, csv(['username', 'email'], ['ada', 'ada@example.org']));
  const { judged } = await importOf(app, id);
  await transact(app.db, async (trx) => {
    await confirmImport(trx, commandLine, id, judged, app.clock());
    // Had each time ended the process, once more would be all.
    await saveImport(trx, id, { failures: 4 * ENDED });
  });
  await addUser(app.db, { username: 'bob' });
  const end = await writeTo(app, id);
  await app.runJobs();
  expect((await importOf(app, id)).state).toBe('confirmed');
  end();
  clock.move(20_000);
  await app.runJobs();
  expect((await importOf(app, id)).state).toBe('done');
});

test('what cannot be judged is tried again after pauses that grow, as its page says, and given up in the end', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  const id = await check(app, csv(['username', 'email'], ['ada', 'ada@example.org']), actorFor(ann));
  const { judged } = await importOf(app, id);
  await transact(app.db, (trx) => confirmImport(trx, actorFor(ann), id, judged, app.clock()));
  await addUser(app.db, { username: 'bob' });
  await writeTo(app, id);
  for (const pause of [15_000, 30_000]) {
    await app.runJobs();
    const { state, leased_until } = await importOf(app, id);
    expect([state, leased_until - clock()]).toEqual(['confirmed', pause]);
    const { text } = pageOf(await get(app, `/imports/${id}`, headers));
    expect(text).toContain('An error came up: it is tried again by itself, after a while.');
    clock.move(pause);
  }
  await transact(app.db, (trx) => saveImport(trx, id, { failures: 19 }));
  await app.runJobs();
  const problem = 'Roster has met an error while it was reading the file: its log says which.';
  expect(await importOf(app, id)).toMatchObject({ state: 'unreadable', problem });
});

test('a page that would show them asks to be reloaded, and holds up no other', async () => {
  const app = await startApp();
  const ann = await addPerson(app.db, 'ann', 'admin');
  const headers = await signedIn(app, ann);
  const id = await check(app, csv(['username', 'email'], ['ada', 'none']), actorFor(ann));
  await writeTo(app, id);
  for (const address of [`/imports/${id}`, `/imports/${id}/refused`]) {
    const times: number[] = [];
    for (let time = 0; time < 3; time++) {
      const begun = performance.now();
      const answer = await get(app, address, headers);
      times.push(performance.now() - begun);
      expect(answer.statusCode).toBe(503);
      expect(pageOf(answer).text).toContain('Reload this page');
    }
    // A busy machine makes one or the other of them wait as well.
    expect(Math.min(...times)).toBeLessThan(SOON_MS);
  }
});
