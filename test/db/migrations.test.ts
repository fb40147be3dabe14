import { expect, test } from 'vitest';
import { seedUsers } from '../../src/cli/seed.ts';
import { MIGRATIONS } from '../../src/db/database.ts';
import { engineOf } from '../../src/db/engine.ts';
import type { Db } from '../../src/db/schema.ts';
import { Deadline } from '../../src/lib/deadline.ts';
import { parseSearch } from '../../src/search/terms.ts';
import { countByStatus } from '../../src/users/counts.ts';
import { addUser, temporaryDatabase, temporaryUrl } from '../support.ts';
import { makeVersion } from './versions.ts';

async function find(db: Db, q: string): Promise<number[]> {
  const search = await engineOf(db).searchIndexOf(db);
  const question = { terms: parseSearch(q), condition: undefined, isReversed: false, limit: 3_000 };
  return search.find(db, question, Deadline.in(60_000));
}

/** Searches, and the names that they find. */
const NAMES = {
  'muller jurg': 'Jürgen Müller',
  'lodz strasse': 'Łódź Straße',
  "d'arc": 'Jeanne d’Arc',
  ΣΊΣΥΦΟΣ: 'Σίσυφος',
  नमस्ते: 'नमस्ते',
  かぎ: 'かぎ',
  istanbul: 'İSTANBUL',
};

/** The id of the last one, who is in another index of SQLite's than the others. */
const FAR = 800_000;

const VERSIONS = MIGRATIONS.map((_migration, index) => index + 1);

test.each(VERSIONS)(
  'users of version %i are all found once the database has been opened',
  async (version) => {
    const today = await temporaryDatabase();
    await seedUsers(today, 2_500);
    for (const [index, full_name] of Object.values(NAMES).entries())
      await addUser(today, { username: `odd${index}`, full_name });
    const rows = await today.selectFrom('users').selectAll().orderBy('id').execute();
    const users = rows.map((user, index) => (index < rows.length - 1 ? user : { ...user, id: FAR }));
    const url = await temporaryUrl();
    await makeVersion(version, url, users);

    const db = await temporaryDatabase(url);
    expect(await db.selectFrom('users').selectAll().orderBy('id').execute()).toEqual(users);
    expect(await countByStatus(db, 'member')).toEqual(await countByStatus(today, 'member'));
    expect(await find(db, 'example')).toEqual(users.map(({ id }) => id));
    for (const [index, q] of Object.keys(NAMES).entries())
      expect(await find(db, q), q).toEqual([users[2_500 + index]?.id]);
    const { id } = await addUser(db, { username: 'late', full_name: 'Zoë Späth' });
    expect(id).toBe(FAR + 1);
    expect(await find(db, 'zoe spath')).toEqual([id]);
  },
);
