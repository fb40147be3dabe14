/** What each row of a file would do is known before anything is done. */
import { expect, test } from 'vitest';
import { findUserByUsername } from '../../src/users/queries.ts';
import { addPerson } from '../people.ts';
import { addUser, startApp } from '../support.ts';
import { actorFor, check, countsOf, csv, importOf, look, totalsOf } from './bringing.ts';

test('rows are created, changed, the same or refused, and these add up to the rows of the file', async () => {
  const app = await startApp();
  await addUser(app.db, { username: 'ada', full_name: 'Ada' });
  await addUser(app.db, { username: 'bob', full_name: 'Bob' });
  const id = await check(
    app,
    csv(
      ['username', 'email', 'name'],
      ['ada', 'ada@example.org', 'Ada Byron'],
      ['bob', 'bob@example.org', 'Bob'],
      ['cleo', 'cleo@example.org', ''],
      ['dan', 'no address', ''],
    ),
  );
  expect(await importOf(app, id)).toMatchObject({ state: 'checked', judged: 1, problem: null });
  expect(await totalsOf(app, id)).toEqual({
    created: 1,
    changed: 1,
    same: 1,
    refused: 1,
    rows: 4,
    read: 4,
    fields: { full_name: 1 },
    differences: 0,
  });
  const changed = await look(app, id, (stage) => stage.examples('changed', 10));
  expect(changed).toMatchObject([
    { line: 2, user: { username: 'ada' }, fields: { full_name: { was: 'Ada', became: 'Ada Byron' } } },
  ]);
  const refused = await look(app, id, (stage) => stage.refused(0, 10));
  expect(refused).toMatchObject([
    { line: 5, cells: ['dan', 'no address', ''], reasons: [{ field: 'email' }] },
  ]);
  expect(await findUserByUsername(app.db, 'cleo')).toBeUndefined();
});
