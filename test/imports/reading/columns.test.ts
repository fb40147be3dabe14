import { expect, test } from 'vitest';
import { columnsOf } from '../../../src/imports/reading/columns.ts';
import { UnreadableError } from '../../../src/imports/reading/reading.ts';
import { recognise } from '../../../src/imports/reading/recognise.ts';
import { read, written } from '../files.ts';

function fieldsOf(...headers: string[]) {
  return columnsOf(headers).map(({ field }) => field);
}

test.each([
  [
    'username',
    ['Username', 'USER NAME', 'user_name', 'user-name', 'Login', 'Log.in', 'Account', 'sAMAccountName'],
  ],
  [
    'email',
    ['Email', 'E-mail', 'E-Mail-Address', 'email_address', 'Mail', 'Primary email', 'E-mail 1 - Value'],
  ],
  ['full_name', ['Name', 'Full Name', 'full_name', 'displayName', 'Display name']],
  ['first_name', ['First Name', 'firstname', 'Given name', 'givenName', 'Forename']],
  ['last_name', ['Last name', 'Surname', 'family_name', 'lastName']],
  ['is_active', ['Status', 'Active', 'Is active?', 'enabled', 'Account enabled']],
  ['role', ['Role', 'ROLE', 'User role']],
  ['id', ['ID', 'Id.', 'Number', 'User ID', 'user_id', '#', 'No.']],
  ['username', ['Benutzername']],
  ['first_name', ['Vorname']],
  ['last_name', ['Nachname']],
  ['full_name', ['Vorname Nachname']],
  ['reversed_name', ['Nachname, Vorname', 'Name, Vorname', 'Last name, first name']],
  ['email', ['E-Mail-Adresse', 'Mailadresse']],
  ['is_active', ['Aktiv']],
  ['role', ['Rolle']],
  ['email', ['Email Address [Required]', 'Email (work)', 'Email*', 'Ｅｍａｉｌ', ' email ', 'email:']],
] as const)('the %s may be called %j', (field, headers) => {
  expect(columnsOf(headers).map((column) => column.field)).toEqual(headers.map(() => field));
});

test('beside a Vorname, a Name is the last one, unless another column is', () => {
  expect(fieldsOf('Name', 'Vorname', 'E-Mail')).toEqual(['last_name', 'first_name', 'email']);
  expect(fieldsOf('Nachname', 'Vorname', 'Name')).toEqual([undefined, undefined, 'full_name']);
});

test.each([
  'Password',
  'Last sign in',
  'Manager email',
  'Company name',
  'State',
  'Disabled',
  'Email verified',
  'line',
  'why',
  'reasons',
  'Employee ID',
  '',
  'Имя',
])('“%s” is left out', (header) => {
  expect(fieldsOf(header)).toEqual([undefined]);
});

test.each([
  [
    'Keycloak',
    'id,username,firstName,lastName,email,emailVerified,enabled',
    'id username first_name last_name email - is_active',
  ],
  [
    'Google Workspace',
    'First Name [Required],Last Name [Required],Email Address [Required],Password [Required],Org Unit Path [Required],Status [READ ONLY]',
    'first_name last_name email - - is_active',
  ],
  [
    'Active Directory',
    'SamAccountName,GivenName,Surname,DisplayName,Mail,Enabled,DistinguishedName',
    'username - - full_name email is_active -',
  ],
  ['Moodle', 'username,firstname,lastname,email,course1', 'username first_name last_name email -'],
])('the columns that %s writes are known', (_, header, fields) => {
  expect(
    fieldsOf(...header.split(','))
      .map((field) => field ?? '-')
      .join(' '),
  ).toBe(fields);
});

test('somebody can say which column is which, in whatever language they are called', async () => {
  const content = 'Kennung;E-Mail;Notiz\nann;a@example.org;x\n';
  const fields = ['username', undefined, undefined] as const;
  const { columns } = await recognise(written(content), { fields });
  expect(columns).toEqual([
    { header: 'Kennung', field: 'username' },
    { header: 'E-Mail', field: undefined },
    { header: 'Notiz', field: undefined },
  ]);
  const [row] = await read(content, { fields });
  expect(row?.values).toEqual({ username: 'ann' });
});

test('it is told which lines stand above the names of the columns, also where somebody says which these are', async () => {
  const path = written('Personal, Stand heute;;\n\nKennung;Adresse;Ort\nann;a@example.org;Köln\n');
  const { above, columns } = await recognise(path, { fields: ['username', 'email', undefined] });
  expect(above).toBe(1);
  expect(columns.map(({ header }) => header)).toEqual(['Kennung', 'Adresse', 'Ort']);
  expect((await recognise(written('\nusername;email\nann;a@example.org\n'))).above).toBe(0);
});

test.each([
  ['Braun, Peter|Lovelace, Ada|Helpdesk|', 'Braun, Peter'],
  ['Nguyen, Vi|Chen, Xi|Peter Braun', 'Nguyen, Vi'],
  ['Peter Braun|Grace Hopper|Lovelace, Ada', 'Lovelace, Ada'],
  ['Davis, Jr.|King, Ada, Countess', undefined],
  ['', undefined],
])('of the full names %s it is told which has the last name first', async (names, reversed) => {
  const lines = names.split('|').map((name, index) => `u${index},"${name}"\n`);
  const path = written(`username,Name\n${lines.join('')}`);
  expect((await recognise(path)).reversed).toBe(reversed);
  const turned = await recognise(path, { names: 'reversed' });
  expect(turned.columns.map(({ field }) => field)).toEqual(['username', 'reversed_name']);
  expect(turned.reversed).toBeUndefined();
});

test('a full name in either order is the same field', async () => {
  const path = written('Name;"Nachname, Vorname";Login\nAda;"Lovelace, Ada";ada\n');
  await expect(recognise(path)).rejects.toThrow('are for the same field: take one out');
});

test('the encoding and the delimiter can be chosen', async () => {
  const path = written(Buffer.from('username,email;name\nann,a;\xc3\xa9\n', 'latin1'));
  expect(await recognise(path)).toMatchObject({ encoding: 'utf-8', delimiter: ',' });
  const { encoding, columns } = await recognise(path, { encoding: 'windows-1252', delimiter: ';' });
  expect(encoding).toBe('windows-1252');
  expect(columns.map(({ header }) => header)).toEqual(['username,email', 'name']);
});

test.each([
  ['username\nann\n', ['\n']],
  ['username\r\nann\r\n', ['\r\n']],
  ['username\rann\r', ['\r']],
  ['username\r\n"a\nb"\r\n', ['\r\n', '\n']],
] as const)('of %j it is told what its lines end with', async (content, lineEnds) => {
  expect((await recognise(written(content))).lineEnds).toEqual(lineEnds);
});

test('a file whose columns cannot be told apart says which there are, so that somebody can', async () => {
  const path = written('Kennung;Adresse\nann;a@example.org\n');
  const error = await recognise(path).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnreadableError);
  expect((error as UnreadableError).reading).toEqual({
    encoding: 'utf-8',
    isPlain: true,
    delimiter: ';',
    lineEnds: ['\n'],
    above: 0,
    columns: [
      { header: 'Kennung', field: undefined },
      { header: 'Adresse', field: undefined },
    ],
  });
});

test('a name of brackets that nothing closes is read like any other', () => {
  expect(fieldsOf(`${'['.repeat(300_000)}email`, `${'('.repeat(300_000)}`)).toEqual(['email', undefined]);
});
