/** A database in which all has happened that happens to users. */
import type { FastifyInstance } from 'fastify';
import { commandLine } from '../../src/auth/actor.ts';
import type { Act } from '../../src/bulk/acts.ts';
import { readHistorySnapshot } from '../../src/bulk/history-snapshot.ts';
import { beginBulk } from '../../src/bulk/job.ts';
import { seedUsers } from '../../src/cli/seed.ts';
import type { ChangeSet, Db, Trx } from '../../src/db/schema.ts';
import { transact } from '../../src/db/transact.ts';
import { eraseUser } from '../../src/erasure/commands.ts';
import { findChangeSet } from '../../src/history/queries.ts';
import { addMadeUpPeople, removeMadeUpPeople } from '../../src/made-up-people/commands.ts';
import { undoChangeSet } from '../../src/undo/commands.ts';
import { beginUndo } from '../../src/undo/job.ts';
import { changeUser, deleteUser, restoreUser } from '../../src/users/commands.ts';
import { parseFrom } from '../../src/users/list/address.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { apply, check, csv } from '../imports/bringing.ts';
import { addPerson, signedIn } from '../people.ts';
import { addUser } from '../support.ts';

/** Some 2,000 users: made up, loaded, made, changed, deleted, brought back, erased, imported, changed many at once, and undone. */
export async function live(app: FastifyInstance): Promise<void> {
  const { db, clock } = app;
  const doing = <T>(work: (trx: Trx) => Promise<T>) => transact(db, work);
  const ann = await addPerson(db, 'ann', 'admin', { hasCode: true, recoveryHashes: ['a', 'b'] });
  await signedIn(app, ann);
  await doing((trx) => addMadeUpPeople(trx, commandLine, clock()));
  await seedUsers(db, 1_500);
  await doing((trx) => removeMadeUpPeople(trx, commandLine, clock()));
  const { id } = await addUser(db, { username: 'eve', full_name: 'Ève  Ørsted 山田' });
  await doing((trx) => changeUser(trx, commandLine, id, { username: 'eva', role: 'viewer' }, clock()));
  await doing((trx) => deleteUser(trx, commandLine, id, clock()));
  await addUser(db, { username: 'eva', email: 'other@example.org' });
  await doing((trx) => restoreUser(trx, commandLine, id, clock(), { changes: { username: 'eve' } }));
  const erased = await addUser(db, { username: 'tom' });
  await doing((trx) => changeUser(trx, commandLine, erased.id, { full_name: 'Tom' }, clock()));
  await doing((trx) => deleteUser(trx, commandLine, erased.id, clock()));
  await doing((trx) => eraseUser(trx, commandLine, erased.id, clock()));
  const rows = Array.from({ length: 400 }, (_, at) => [`new${at}`, `new${at}@example.org`]);
  const imported = await apply(
    app,
    await check(app, csv(['username', 'email'], ['eve', 'new@example.org'], ...rows)),
  );
  await changeAll(app, { do: 'role', role: 'editor' }, 'q=new1', 111);
  await changeAll(app, { do: 'delete' }, 'q=new2', 111);
  const set = await setOf(db, imported.set_id);
  await doing((trx) => beginUndo(trx, commandLine, set, clock()));
  await app.runJobs();
  const bob = await addUser(db, { username: 'bob' });
  const { set: renamed } = (await doing((trx) =>
    changeUser(trx, commandLine, bob.id, { username: 'rob' }, clock()),
  )) as { set: number };
  await doing(async (trx) => undoChangeSet(trx, commandLine, await setOf(trx, renamed), undefined, clock()));
  if ((await findUserByUsername(db, 'bob')) === undefined) throw new Error('Nothing was undone.');
}

async function setOf(db: Db, id: number | null): Promise<ChangeSet> {
  const set = await findChangeSet(db, Number(id));
  if (set === undefined) throw new Error('There is no such change set.');
  return set;
}

async function changeAll({ db, clock, runJobs }: FastifyInstance, act: Act, from: string, total: number) {
  const list = parseFrom({ from }, clock());
  const since = await readHistorySnapshot(db);
  await transact(db, (trx) => beginBulk(trx, commandLine, act, { list, total, since }, clock()));
  await runJobs();
}
