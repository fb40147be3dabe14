/** What is committed together, where the search index that is written with it cannot be. */
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { commandLine } from '../../../src/auth/actor.ts';
import { insertSession } from '../../../src/auth/sessions.ts';
import { engineOf, timingOf } from '../../../src/db/engine.ts';
import { rebuildSearch } from '../../../src/db/rebuild-search.ts';
import type { Db } from '../../../src/db/schema.ts';
import { transact } from '../../../src/db/transact.ts';
import { DamagedError, UnavailableError } from '../../../src/errors.ts';
import { changeUser } from '../../../src/users/commands.ts';
import { findUser } from '../../../src/users/queries.ts';
import { addUser, readyUrl, temporaryDatabase } from '../../support.ts';
import { beforeStatement } from './faults.ts';

/** As many as fill one level of the index: whoever comes next has it merge them. */
const SEGMENTS = 15;

async function openFilled() {
  const url = await readyUrl('sqlite');
  const db = await temporaryDatabase(url);
  for (let id = 1; id <= SEGMENTS; id++) await addUser(db, { username: `user${id}` });
  const groups: number[] = [];
  timingOf(db).observe({ onPart: () => {}, onGroup: (size) => groups.push(size) });
  return { db, groups, damage: (which: string) => damage(url.slice('sqlite:'.length), which) };
}

function damage(path: string, which: string): void {
  const other = new Sqlite(path).unsafeMode();
  other.exec(`update users_search_0_data set block = zeroblob(length(block)) where ${which}`);
  other.close();
}

function signIn(db: Db, token: string) {
  return transact(db, (trx) =>
    insertSession(trx, { token, user_id: 1, address: '::1', browser: 'Firefox' }, 1),
  );
}

const rename = (db: Db, id: number) =>
  transact(db, (trx) => changeUser(trx, commandLine, id, { full_name: 'Zoë' }, 1));

test.each([
  ['what it holds of texts', 'id > 10'],
  ['what says where they are', 'id = 10'],
])(
  'where the search index is damaged, in %s, whoever comes together with a change of it is saved all the same',
  async (_what, which) => {
    const { db, groups, damage } = await openFilled();
    damage(which);
    // Whoever tries again does so at the same moment, too.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    onTestFinished(() => random.mockRestore());
    const all = [signIn(db, 'one'), rename(db, 3), signIn(db, 'two'), rename(db, 4), signIn(db, 'three')];
    const done = await Promise.allSettled(all);
    expect(done.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(groups).toEqual([1, 1, 1]);
    expect(await db.selectFrom('sessions').select('id').execute()).toHaveLength(3);
    expect((await findUser(db, 3))?.full_name).toBeNull();
    await transact(db, (trx) => rebuildSearch(trx));
    await rename(db, 3);
    expect(await Array.fromAsync(engineOf(db).findWronglyIndexed(db))).toEqual([]);
  },
);

test('whose text the damaged index does not take is told that there is damage', async () => {
  const { db, damage } = await openFilled();
  damage('id > 10');
  const done = await Promise.allSettled([signIn(db, 'one'), rename(db, 3)]);
  expect(done).toMatchObject([{ status: 'fulfilled' }, { reason: expect.any(DamagedError) }]);
});

test.each(['SQLITE_IOERR_READ', 'SQLITE_IOERR_FSYNC', 'SQLITE_NOMEM'])(
  '%s while search texts are written, before the commit, has saved nothing, and that is what is said',
  async (code) => {
    const { db } = await openFilled();
    const mend = await beforeStatement(db, /^\s*insert into users_search/, () => {
      throw new Sqlite.SqliteError('failed', code);
    });
    await expect(rename(db, 3)).rejects.toThrow(UnavailableError);
    mend();
    expect((await findUser(db, 3))?.full_name).toBeNull();
    await rename(db, 3);
  },
);
