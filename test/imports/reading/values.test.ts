import { expect, test } from 'vitest';
import { plain } from '../../../src/lib/text.ts';
import { read } from '../files.ts';

async function valuesOf(content: string, empty: 'leave' | 'clear' = 'leave') {
  return (await read(content, { empty })).map(({ values }) => values);
}

async function problemsOf(content: string) {
  return (await read(content)).map(({ problems }) =>
    problems.map(({ field, message }) => `${field}: ${plain(message)}`),
  );
}

test.each([
  ['active', true],
  ['Active', true],
  ['YES', true],
  ['1', true],
  ['TRUE', true],
  ['enabled', true],
  [' on ', true],
  ['inactive', false],
  ['no', false],
  ['0', false],
  ['False', false],
  ['Disabled', false],
  ['deactivated', false],
  ['aktiv', true],
  ['Inaktiv', false],
  ['ja', true],
  ['nein', false],
])('the status “%s” is %s', async (word, isActive) => {
  expect(await valuesOf(`username,status\nann,${word}\n`)).toEqual([
    { username: 'ann', is_active: isActive },
  ]);
});

test.each([
  ['admin', 'admin'],
  ['Administrator', 'admin'],
  ['EDITOR', 'editor'],
  [' Viewer', 'viewer'],
  ['Member', 'member'],
])('the role “%s” is %s', async (word, role) => {
  expect(await valuesOf(`username,role\nann,${word}\n`)).toEqual([{ username: 'ann', role }]);
});

test('a word that is no role or status is said as it stands there', async () => {
  expect(await problemsOf('username,role,status\nann,Leiterin,Perhaps\n')).toEqual([
    [
      'is_active: “Perhaps” is neither active nor inactive.',
      'role: “Leiterin” is no role. Write member, viewer, editor or administrator.',
    ],
  ]);
});

test.each([
  ['yes', '“yes” under “Left” may mean either. Write active or inactive.'],
  ['1', '“1” under “Left” may mean either. Write active or inactive.'],
  ['F', '“F” under “Left” may mean either. Write active or inactive.'],
  ['left', '“left” is neither active nor inactive. Write inactive for who has left.'],
  ['perhaps', '“perhaps” is neither active nor inactive.'],
])('“%s” in a column that asks something else is no status', async (word, message) => {
  const fields = ['username', 'is_active'] as const;
  const [row] = await read(`Login,Left\nann,${word}\n`, { fields });
  expect(row?.problems.map((problem) => plain(problem.message))).toEqual([message]);
});

test('in a column that asks something else active and inactive are taken, and an empty cell says nothing', async () => {
  const fields = ['username', 'is_active'] as const;
  const rows = await read('Login,Left\nann,Active\nbob,disabled\ncem,\n', { fields });
  expect(rows.map(({ values }) => values.is_active)).toEqual([true, false, undefined]);
});

test('a row says everything that is wrong with it at once, and what is right', async () => {
  const [row] = await read(
    'id,username,email,name,role\nx7,a b,nowhere,Ann\n'.replace('Ann\n', 'Ann,boss\n'),
  );
  expect(row?.problems.map(({ field }) => field)).toEqual(['id', 'username', 'email', 'role']);
  expect(row?.values).toEqual({ full_name: 'Ann' });
});

test('numbers of users are whole and from 1 on', async () => {
  const rows = await read('id,username\n7,a\n"1,200",b\n0,c\n1.5,d\n-3,e\n99999999999999999999,f\n,g\n');
  expect(rows.map(({ id }) => id)).toEqual([7, 1200, undefined, undefined, undefined, undefined, undefined]);
  expect(rows.map(({ problems }) => problems.length)).toEqual([0, 0, 1, 1, 1, 1, 0]);
  expect(plain(rows[2]?.problems[0]?.message ?? '')).toBe('“0” is no number that a user can have.');
});

test('first and last names are joined; one of them alone is for who is new', async () => {
  const rows = await read('username,Last name,First name\na,Lovelace, Ada \nb,Hopper,\nc,,Grace\nd,,\n');
  expect(rows.map(({ values, name }) => [values.full_name, name])).toEqual([
    ['Ada Lovelace', undefined],
    [undefined, 'Hopper'],
    [undefined, 'Grace'],
    [undefined, undefined],
  ]);
});

test.each(['Nachname, Vorname', 'Name, Vorname'])('a name under “%s” is turned round', async (header) => {
  const rows = ['Lovelace, Ada', ' de la Cruz ,Ana María ', 'Lovelace', 'Lovelace,', 'King, Ada, Countess'];
  const lines = [header, ...rows].map(
    (name, index) => `${index === 0 ? 'username' : `u${index}`},"${name}"\n`,
  );
  const names = await valuesOf(lines.join(''));
  expect(names.map(({ full_name }) => full_name)).toEqual([
    'Ada Lovelace',
    'Ana María de la Cruz',
    'Lovelace',
    'Lovelace,',
    'King, Ada, Countess',
  ]);
});

test.each([
  ['Richards, Viv', 'Viv Richards'],
  ['Nguyen, Vi', 'Vi Nguyen'],
  ['Chen, Xi', 'Xi Chen'],
  ['Wu, Ma', 'Ma Wu'],
  ['Rahman, Md', 'Md Rahman'],
  ['Smith, V.', 'V. Smith'],
  ['Sammy Davis, Jr.', 'Sammy Davis, Jr.'],
  ['SAMMY DAVIS, JR.', 'SAMMY DAVIS, JR.'],
  ['ADA LOVELACE, PHD', 'ADA LOVELACE, PHD'],
  ['Davis, sr', 'Davis, sr'],
  ['Loudon Wainwright, III', 'Loudon Wainwright, III'],
  ['Greg House, M.D.', 'Greg House, M.D.'],
  ['Ada Lovelace, PhD', 'Ada Lovelace, PhD'],
])('of %s it is known what stands behind a name: %s', async (reversed, name) => {
  const [row] = await valuesOf(`username,"Nachname, Vorname"\na,"${reversed}"\n`);
  expect(row?.full_name).toBe(name);
});

test('a comma in a name under any other header stays', async () => {
  const [row] = await valuesOf('username,Name\na,"Sammy Davis, Jr."\n');
  expect(row?.full_name).toBe('Sammy Davis, Jr.');
});

test('an address with a name beside it is taken, and the name is kept apart', async () => {
  const rows = await read('email\n"""Lovelace, Ada"" <ada@example.org>"\nBob <bob>\ncem@example.org;\n');
  expect(rows.map(({ values: { email }, name }) => [email, name])).toEqual([
    ['ada@example.org', 'Ada Lovelace'],
    [undefined, undefined],
    ['cem@example.org', undefined],
  ]);
});

test('where there is a full name, first and last names are left out', async () => {
  expect(await valuesOf('username,first name,name\na,Countess,Ada Lovelace\n')).toEqual([
    { username: 'a', full_name: 'Ada Lovelace' },
  ]);
});

test('an empty cell leaves what Roster has', async () => {
  expect(await valuesOf('username,email,name,status,role\nann,,  ,,\n')).toEqual([{ username: 'ann' }]);
});

test('an empty cell clears the full name, and nothing else, where that was chosen', async () => {
  expect(await valuesOf('username,email,name,status,role\nann,,  ,,\n', 'clear')).toEqual([
    { username: 'ann', full_name: null },
  ]);
  expect(await valuesOf('username,first name,last name\nann,,\n', 'clear')).toEqual([
    { username: 'ann', full_name: null },
  ]);
  expect(await valuesOf('username,email\nann,\n', 'clear')).toEqual([{ username: 'ann' }]);
});

test('the apostrophe that keeps a spreadsheet from running a cell is taken off, and no other', async () => {
  const names = await valuesOf("username,name\na,'=1+1\nb,'t Hooft\nc,''t Hooft\n");
  expect(names.map(({ full_name }) => full_name)).toEqual(['=1+1', "'t Hooft", "'t Hooft"]);
});

test('values are stored as the form would store them', async () => {
  expect(await valuesOf('username,email,name\n ann ,ann@bücher.example,Jose\u0301\n')).toEqual([
    { username: 'ann', email: 'ann@xn--bcher-kva.example', full_name: 'José' },
  ]);
});
