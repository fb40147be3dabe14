/** What makes every row of a file fail is told by its first thousand rows, in however many pieces they are read. */
import { expect, test } from 'vitest';
import { commandLine } from '../../src/auth/actor.ts';
import { plain } from '../../src/lib/text.ts';
import { addUser, startApp } from '../support.ts';
import { check, csv, importOf, totalsOf } from './bringing.ts';

/** So long that some ten are read at once. */
const PICTURE = 'QUJD'.repeat(18_000);

async function problemOf(rows: readonly (readonly string[])[], names = ['Login', 'Mail', 'Picture']) {
  const app = await startApp();
  const id = await check(app, csv(names, ...rows));
  const { state, problem } = await importOf(app, id);
  return { state, problem: plain(problem ?? ''), rows: (await totalsOf(app, id)).rows };
}

const long = (count: number, email: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => [`u${index}`, email(index), PICTURE]);

test('where long rows all fail, it is said, though few of them are read at once', async () => {
  const { state, problem } = await problemOf(long(60, () => 'nowhere'));
  expect(state).toBe('unreadable');
  expect(problem).toMatch(/^The column “Mail” fails in every row: Enter an email address/);
});

test('where all names fail, it is said of their column, also where they have the last name first', async () => {
  const rows = Array.from({ length: 20 }, (_, index) => [`u${index}`, 'Love\u202Elace']);
  for (const header of ['Name', '"Name, Vorname"']) {
    const { problem } = await problemOf(rows, ['Login', header]);
    expect(problem).toContain(`The column “${header.replaceAll('"', '')}” fails in every row: `);
  }
  const halves = await problemOf(
    rows.map((row) => [...row, 'A']),
    ['Login', 'Last name', 'First name'],
  );
  expect(halves.problem).toMatch(/^Every row fails: The full name contains/);
});

test('where the first rows fail and a later one does not, the rest is read', async () => {
  const { state, rows } = await problemOf(
    long(60, (index) => (index < 45 ? 'nowhere' : `u${index}@example.org`)),
  );
  expect([state, rows]).toEqual(['checked', 60]);
});

test('where every row has one cell too many it is said once, and where they differ of each', async () => {
  const rows = (cells: (index: number) => string[]) =>
    Array.from({ length: 60 }, (_, index) => [`u${index}`, `u${index}@example.org`, ...cells(index)]);
  const { state, problem } = await problemOf(
    rows(() => ['x']),
    ['Login', 'Mail'],
  );
  expect(state).toBe('unreadable');
  expect(problem).toBe(
    'Every row fails: The row has 3 cells, the first line has 2. Read it differently, or put it right in the file.',
  );
  const others = rows((index) => Array.from({ length: 1 + (index % 2) }, () => 'x'));
  expect(await problemOf(others, ['Login', 'Mail'])).toMatchObject({ state: 'checked', rows: 60 });
});

test.each([
  [
    'username',
    ['same', 'u1@example.org'],
    'The column “Login” says the same in every row, and no two people have the same username.',
  ],
  [
    'email',
    ['u1', 'same@example.org'],
    'The column “Mail” says the same in every row, and no two people have the same email address.',
  ],
])(
  'a column that gives everybody the same %s is told as such',
  async (_field, [login = '', mail = ''], sentence) => {
    const rows = Array.from({ length: 1_500 }, (_, index) => [
      login.replace('1', `${index}`),
      mail.replace('1', `${index}`),
    ]);
    const { state, problem } = await problemOf(rows, ['Login', 'Mail']);
    expect(state).toBe('unreadable');
    expect(problem).toBe(`${sentence} Read it differently, or put it right in the file.`);
  },
);

test('numbers that are all the same matter where rows are found by them, and nowhere else', async () => {
  const app = await startApp();
  const { id } = await addUser(app.db, { username: 'bob' });
  const some = Array.from({ length: 30 }, (_, index) => index);
  const found = csv(['id', 'name'], ...some.map((index) => [id, `Bob ${index}`]));
  const byNumber = await importOf(app, await check(app, found, commandLine, { match: 'id' }));
  expect(plain(byNumber.problem ?? '')).toMatch(
    /^The column “id” says the same in every row, and no two people have the same number\./,
  );
  const others = csv(
    ['id', 'username', 'email'],
    ...some.map((index) => [id, `u${index}`, `u${index}@example.org`]),
  );
  expect(await importOf(app, await check(app, others))).toMatchObject({ state: 'checked' });
});
