/** What takes long on the rows of an import, beside jobs in the same thread and other processes that may take it over. */
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { transact } from '../../src/db/transact.ts';
import { confirmImport } from '../../src/imports/commands.ts';
import { makeFolder } from '../../src/imports/folder.ts';
import { saveImport } from '../../src/imports/queries.ts';
import { runImports } from '../../src/imports/run.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { addUser, startApp } from '../support.ts';
import { bring, csv, importOf, totalsOf } from './bringing.ts';

const TWINS = csv(
  ['username', 'email'],
  ...Array.from({ length: 50 }, (_, index) => [`u${index}`, `u${index % 40}@example.org`]),
);

/** Somebody is in the midst of a transaction until `end` is called; `asked` once somebody waits for that. */
class Busy extends Mutex {
  readonly #asked = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  readonly asked = this.#asked.promise;
  readonly end = this.#over.resolve;

  override async run<T>(work: () => T | Promise<T>): Promise<T> {
    this.#asked.resolve();
    await this.#over.promise;
    return super.run(work);
  }
}

function runBeside(app: FastifyInstance, alone: Mutex) {
  const { db, clock, config } = app;
  const warn = (_id: number, error: unknown) => {
    throw error;
  };
  return runImports({ db, clock, alone, folder: makeFolder(config.importFolder), warn }, () => false);
}

test('whatever takes long waits until no job is amid a transaction: which rows are twins, and their order', async () => {
  const app = await startApp();
  const id = await bring(app, TWINS);
  const [reading, applying] = [new Busy(), new Busy()];
  const read = runBeside(app, reading);
  await reading.asked;
  expect(await importOf(app, id)).toMatchObject({ state: 'reading' });
  reading.end();
  await read;
  expect(await totalsOf(app, id)).toMatchObject({ created: 30, refused: 20 });
  await transact(app.db, (trx) => confirmImport(trx, commandLine, id, 1, app.clock()));
  const applied = runBeside(app, applying);
  await applying.asked;
  expect(await importOf(app, id)).toMatchObject({ state: 'confirmed' });
  applying.end();
  await applied;
  expect(await importOf(app, id)).toMatchObject({ state: 'applying' });
});

test('what somebody else has taken over by then is left to them, and nothing is written of it', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'absent' });
  const id = await bring(app, TWINS);
  const busy = new Busy();
  const read = runBeside(app, busy);
  await busy.asked;
  await transact(app.db, (trx) =>
    saveImport(trx, id, { lease_owner: 'another', leased_until: app.clock() + 15_000 }),
  );
  busy.end();
  await read;
  expect(await importOf(app, id)).toMatchObject({ state: 'reading', lease_owner: 'another' });
  expect(await app.db.selectFrom('absent_users').selectAll().execute()).toEqual([]);
});
