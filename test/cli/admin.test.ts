/** `npm run roster -- admin`. */
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadKey } from '../../src/auth/secret-key.ts';
import { nameOf } from '../../src/db/database.ts';
import { findUserByUsername } from '../../src/users/queries.ts';
import { keyPathOf } from '../backup/backed-up.ts';
import { runCommand } from '../command.ts';
import { addPerson, PASSWORD, signedIn, signIn } from '../people.ts';
import { runToEnd } from '../roster.ts';
import { addUser, get, readyUrl, startApp, temporaryDatabase } from '../support.ts';

type Start = typeof runCommand | typeof runToEnd;

/** Runs the command with lines of standard input; without terminal. What it says once it has named the database. */
async function admin(
  url: string,
  args: readonly string[],
  input: string | Buffer,
  start: Start = runCommand,
) {
  const { code, out, error } = await start(['admin', ...args], { DATABASE_URL: url }, input);
  return { code, said: (out + error).replace(`Database: ${nameOf(url)}\n`, '') };
}

describe('the command line', () => {
  test('makes an administrator, who then signs in', async () => {
    const url = await readyUrl();
    await temporaryDatabase(url);
    const made = await admin(url, ['ann', '--email', 'ann@example.org'], `${PASSWORD}\n`, runToEnd);
    expect(made).toEqual({ code: 0, said: expect.stringMatching(/^ann is an administrator, .*\n$/) });
    const app = await startApp({}, await temporaryDatabase(url));
    expect(await signIn(app, 'ann')).toBeDefined();
  });

  test('lets someone in again who was locked out: inactive, without role, password and telephone', async () => {
    const url = await readyUrl();
    const app = await startApp({}, await temporaryDatabase(url));
    await addPerson(app.db, 'boss', 'admin');
    const ann = await addPerson(app.db, 'ann', 'viewer', {
      hasCode: true,
      full_name: 'Ann Ada',
      is_active: false,
    });
    const session = await signedIn(app, ann);
    expect((await admin(url, ['ANN'], 'a bicycle in the library\r\n')).code).toBe(0);
    expect(await findUserByUsername(app.db, 'ann')).toMatchObject({ role: 'admin', full_name: 'Ann Ada' });
    expect((await get(app, '/users', session)).statusCode).toBe(303);
    const headers = await signIn(app, 'ann', 'a bicycle in the library');
    expect((await get(app, '/roles', headers)).statusCode).toBe(200);
  });

  test('says of who is an administrator already what it did, and that Roster does not start without its key', async () => {
    const url = await readyUrl();
    const db = await temporaryDatabase(url);
    const path = keyPathOf(url);
    const ann = await addPerson(db, 'ann', 'admin');
    await loadKey(db, path);
    rmSync(path);
    const { code, said } = await admin(url, ['ann'], `${PASSWORD}\n`);
    expect(code).toBe(0);
    expect(said).toContain(`${path} is not there. Roster does not start like this. Put the file`);
    const sets = db.selectFrom('change_sets').select('event').where('subject_id', '=', ann.id);
    expect(await sets.orderBy('id', 'desc').executeTakeFirst()).toEqual({ event: 'let in again' });
  });

  test('finds whom it means by a domain in either form, and someone whose name would be refused today', async () => {
    const url = await readyUrl();
    const app = await startApp({}, await temporaryDatabase(url));
    await addUser(app.db, { username: 'ƾ', email: 'ada@xn--bcher-kva.example' });
    const other = await admin(url, ['ƾ', '--email', 'ada@grüße.example'], `${PASSWORD}\n`);
    expect(other.said).toContain('There is ƾ already, with the email ada@bücher.example.');
    expect((await admin(url, ['ƾ', '--email', 'ada@bücher.example'], `${PASSWORD}\n`)).code).toBe(0);
    expect((await admin(url, ['bob', '--email', 'bob@bücher.example'], `${PASSWORD}\n`)).code).toBe(0);
    expect(await findUserByUsername(app.db, 'bob')).toMatchObject({ email: 'bob@xn--bcher-kva.example' });
  });

  test.each([
    ['U+FEFF before it', `\uFEFF${PASSWORD}\n`],
    ['U+FEFF before it, and the end of a line as on Windows', `\uFEFF${PASSWORD}\r\nmore`],
    ['no end of a line', PASSWORD],
    ['what is no UTF-8 in later lines', Buffer.from(`${PASSWORD}\r\ncaf\xe9\0`, 'latin1')],
  ])('a password that is piped in with %s is the password alone', async (_name, input) => {
    const url = await readyUrl();
    const app = await startApp({}, await temporaryDatabase(url));
    expect((await admin(url, ['ann', '--email', 'ann@example.org'], input)).code).toBe(0);
    expect(await signIn(app, 'ann')).toBeDefined();
  });

  test.each([
    ['UTF-16', Buffer.from(`\uFEFF${PASSWORD}\n`, 'utf16le')],
    ['UTF-16 without U+FEFF', Buffer.from(`${PASSWORD}\n`, 'utf16le')],
    ['Latin-1', Buffer.from('a bicycle in the café\n', 'latin1')],
  ])('a password that is piped in as %s is refused', async (_name, input) => {
    const url = await readyUrl();
    await temporaryDatabase(url);
    expect(await admin(url, ['ann', '--email', 'ann@example.org'], input)).toEqual({
      code: 1,
      said: expect.stringContaining('The password on standard input is not in UTF-8: '),
    });
  });

  test('says what is wrong, and changes nothing', async () => {
    const url = await readyUrl();
    const db = await temporaryDatabase(url);
    await addUser(db, { username: 'bob' });
    const refusals: [string[], string, RegExp][] = [
      [
        ['ann', '--email', 'ann@example.org'],
        'short\n',
        /^The password is too short: 5 characters, at least 15\.\n$/,
      ],
      [['ann', '--email', 'ann@example.org'], 'ann@example.org it is\n', /^The password must not contain/],
      [
        ['ann', '--email', 'bob@example.org'],
        `${PASSWORD}\n`,
        /^That email already belongs to someone else\.\n$/,
      ],
      [
        ['bob', '--email', 'ann@example.org'],
        `${PASSWORD}\n`,
        /^There is bob already, with the email bob@example\.org\.\n$/,
      ],
      [['alice'], '', /^There is no user alice; with --email one is made\.\n$/],
      [['al ice', '--email', 'x'], '', /^Use only letters.*\nEnter an email address.*\n$/],
      [['alice', '--email', 'a@b.example'], '', /^There was no password on standard input\.\n$/],
      [['ann', 'bob'], '', /^Say who: /],
      [['ann', '--password', PASSWORD], '', /^There is no option --password here\./],
    ];
    for (const [args, input, sentence] of refusals)
      expect(await admin(url, args, input)).toEqual({ code: 1, said: expect.stringMatching(sentence) });
    expect(await db.selectFrom('users').select(['username', 'role']).execute()).toEqual([
      { username: 'bob', role: 'member' },
    ]);
  });
});
