import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { transact } from '../../../src/db/transact.ts';
import { seedUsers } from '../../../src/seed/seed.ts';
import { temporaryDatabase } from '../../support.ts';
import { type ListWindow, listWindows } from '../list-windows.ts';

/** How the index that has filter and order is walked. */
function walkOf({ status, hasPlace, isFar }: ListWindow): RegExp {
  if (hasPlace) return /^SEARCH users USING (INDEX|INTEGER PRIMARY KEY).*[<>=]\?\)$/;
  // From one end of the status, or of all: no row is compared with the other end.
  if (isFar)
    return status
      ? /^(SCAN|SEARCH) users USING COVERING INDEX users_status\S*( \(is_active[<>]\?\))?$/
      : /^SCAN users USING COVERING INDEX \S+$/;
  return status
    ? /^SEARCH users USING INDEX users_status\S* \(is_active=\?\)$/
    : /^SCAN users( USING INDEX \S+)?$/;
}

test('every order, with and without a status, walks one index and sorts only what is shown', async () => {
  const db = await temporaryDatabase();
  await seedUsers(db, 5000);
  await transact(db, (trx) => sql`analyze`.execute(trx));
  for (const window of listWindows(db)) {
    const sqlOfPlan = `explain query plan ${window.query.sql}`;
    const { rows } = await db.executeQuery<{ detail: string }>({ ...window.query, sql: sqlOfPlan });
    const plan = rows.map(({ detail }) => detail).join('\n');
    const [walked = '', joined] = plan.split('SCAN shown');
    expect(walked.trim().split('\n').at(-1), `${window.query.sql}\n${plan}`).toMatch(walkOf(window));
    expect(walked, plan).not.toContain('TEMP B-TREE');
    if (window.isFar) expect(joined, plan).toContain('SEARCH users USING INTEGER PRIMARY KEY (rowid=?)');
    else expect(joined).toBeUndefined();
  }
});
