import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { transact } from '../../../src/db/transact.ts';
import { seedUsers } from '../../../src/seed/seed.ts';
import { temporaryDatabase } from '../../support.ts';
import { type ListWindow, listWindows } from '../list-windows.ts';

/** How the index that has filter and order is walked. */
function walkOf({ status, hasPlace }: ListWindow): RegExp {
  if (hasPlace) return /^SEARCH users USING (COVERING INDEX|INTEGER PRIMARY KEY).*[<>=]\?\)$/;
  return status ? /^SEARCH users USING COVERING INDEX/ : /^SCAN users/;
}

test('every order, with and without a status, walks one index and sorts only what is shown', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  await transact(db, (trx) => sql`analyze`.execute(trx));
  for (const window of listWindows(db)) {
    const sqlOfPlan = `explain query plan ${window.query.sql}`;
    const { rows } = await db.executeQuery<{ detail: string }>({ ...window.query, sql: sqlOfPlan });
    const plan = rows.map(({ detail }) => detail).join('\n');
    const [walked = '', joined = ''] = plan.split('SCAN shown');
    expect(walked.split('\n').at(-2), plan).toMatch(walkOf(window));
    expect(walked, plan).not.toContain('TEMP B-TREE');
    expect(joined, plan).toContain('SEARCH users USING INTEGER PRIMARY KEY (rowid=?)');
  }
});
