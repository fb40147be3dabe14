/** A small file does not wait behind a large one. */
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { transact } from '../../src/db/transact.ts';
import { makeFolder } from '../../src/imports/folder.ts';
import { findAnotherUnderWay, findUnseenImport, saveImport } from '../../src/imports/queries.ts';
import { runImports } from '../../src/imports/run.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { movableClock } from '../people.ts';
import { startApp } from '../support.ts';
import { bring, csv, importOf } from './bringing.ts';

const SMALL = csv(['username', 'email'], ['ada', 'ada@example.org']);
const LARGE = csv(
  ['username', 'email', 'name'],
  ...Array.from({ length: 3_000 }, (_, row) => [`u${row}`, `u${row}@example.org`, 'x'.repeat(190)]),
);

/** In which order they were read. @param isEnding is asked between any two steps */
async function orderOf(app: FastifyInstance, ids: readonly number[], isEnding: () => boolean) {
  const folder = makeFolder(app.config.importFolder);
  const warn = (_id: number, error: unknown) => {
    throw error;
  };
  await runImports({ db: app.db, alone: new Mutex(), folder, clock: app.clock, warn }, isEnding);
  const read = await Promise.all(ids.map((id) => importOf(app, id)));
  expect(read.map(({ state }) => state)).toEqual(ids.map(() => 'checked'));
  return read.toSorted((one, other) => one.touched_at - other.touched_at).map(({ id }) => id);
}

test('of those that wait the smaller one is read first', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const [large, small] = [await bring(app, LARGE), await bring(app, SMALL)];
  const tick = () => {
    clock.move(1_000);
    return false;
  };
  expect(await orderOf(app, [large, small], tick)).toEqual([small, large]);
});

test('one that comes while a large one is read is read at once', async () => {
  const clock = movableClock();
  const app = await startApp({}, undefined, clock);
  const [large, small] = [await bring(app, LARGE), await bring(app, SMALL)];
  // Until the large one is under way it is as if the small one were not there yet.
  const leased_until = clock() + 2_500;
  await transact(app.db, (trx) => saveImport(trx, small, { lease_owner: 'another', leased_until }));
  const tick = () => {
    clock.move(2_000);
    return false;
  };
  expect(await orderOf(app, [large, small], tick)).toEqual([small, large]);
});

test.each<[string, string, object]>([
  ['shows what its first rows would do', LARGE, { state: 'reading', lease_owner: null, rows: 1_000 }],
  [
    'is refused where all of them fail',
    LARGE.replaceAll('@', ' at '),
    { state: 'unreadable', lease_owner: null, rows: undefined },
  ],
])('one that waits for a large one %s', async (_what, content, expected) => {
  const app = await startApp();
  const [first, second] = [await bring(app, LARGE), await bring(app, `${content}\n`)];
  const folder = makeFolder(app.config.importFolder);
  let asked = 0;
  // Once the first rows of the first one have been judged.
  const isEnding = () => ++asked > 2;
  const warn = () => {};
  await runImports({ db: app.db, alone: new Mutex(), folder, clock: app.clock, warn }, isEnding);
  const { state, lease_owner, totals } = await importOf(app, second);
  expect({ state, lease_owner, rows: JSON.parse(totals ?? '{}').rows }).toEqual(expected);
  expect(await importOf(app, first)).toMatchObject({ state: 'reading', lease_owner: null });
});

/** One for each, with these values. */
async function bringWith(app: FastifyInstance, all: readonly Parameters<typeof saveImport>[2][]) {
  const ids: number[] = [];
  for (const values of all) {
    const id = await bring(app, SMALL);
    await transact(app.db, (trx) => saveImport(trx, id, values));
    ids.push(id);
  }
  return ids;
}

test('looked at is the earliest that waits here, at which nobody is and which nobody has looked at', async () => {
  const app = await startApp();
  const now = app.clock();
  const ids = await bringWith(app, [
    { folder: 'another' },
    { totals: '{}' },
    { lease_owner: 'another', leased_until: now + 1 },
    { state: 'confirmed' },
    { lease_owner: 'another', leased_until: now },
    { size: 1 },
  ]);
  const { id } = makeFolder(app.config.importFolder);
  const lease = { owner: 'own', now, until: now + 1, latest: now + 1 };
  expect(await findUnseenImport(app.db, id, lease)).toMatchObject({ id: ids[4] });
});

test('what one waits for is the largest other one of its folder at which somebody is', async () => {
  const app = await startApp();
  const now = app.clock();
  const under = { lease_owner: 'another', leased_until: now + 1 };
  const ids = await bringWith(app, [
    { ...under, size: 1 },
    { ...under, size: 2 },
    { ...under, size: 3, folder: 'another' },
    { ...under, size: 4, leased_until: now },
    { size: 5, leased_until: now + 1 },
    { ...under, size: 6, state: 'checked' },
    { ...under, size: 7 },
  ]);
  const waiting = await importOf(app, ids[6] ?? 0);
  expect(await findAnotherUnderWay(app.db, waiting, now)).toMatchObject({ id: ids[1] });
});
