import { describe, expect, test } from 'vitest';
import { parseForm } from '../../src/lib/forms.ts';
import { named, plain } from '../../src/lib/text.ts';
import { newUserSchema, userChangesSchema } from '../../src/users/validation.ts';
import { readNames } from './names/read.ts';

const ALICE = { username: 'alice', email: 'alice@example.org' };

function errorsOf(fields: Record<string, string>) {
  const form = parseForm(newUserSchema, { ...ALICE, ...fields });
  return form.ok ? {} : form.errors;
}

test('a new user has a username and an email, and is an active member', () => {
  expect(parseForm(newUserSchema, ALICE)).toEqual({
    ok: true,
    value: { ...ALICE, full_name: null, is_active: true, role: 'member' },
  });
});

test('values are trimmed and composed, with the case as typed', () => {
  const form = parseForm(newUserSchema, {
    username: ' A\u030Asa ',
    email: ' A@B.example ',
    full_name: '\u00A0Åsa  B ',
  });
  expect(form).toMatchObject({ value: { username: 'Åsa', email: 'A@B.example', full_name: 'Åsa  B' } });
});

// As they come along from web pages, messengers and spreadsheets.
const INVISIBLE =
  '\u200B \u200E \u200F \u2060 \u00AD \uFEFF \u202A \u202C \u2068 \u2069 \u00A0 \u202F \u3000 \u2003 \u061C';

test.each(INVISIBLE.split(' '))(
  'what shows as nothing (%j) is taken off at the ends, and named inside',
  (unseen) => {
    const around = (text: string) => `${unseen} ${unseen}${text}${unseen}\n${unseen}`;
    const typed = { username: around('zw'), email: around('zw@example.org'), full_name: around('Z W') };
    expect(parseForm(newUserSchema, typed)).toMatchObject({
      value: { username: 'zw', email: 'zw@example.org', full_name: 'Z W' },
    });
    const { username, email } = errorsOf({ username: `zw${unseen}x`, email: `zw${unseen}@example.org` });
    expect(username).toMatch(
      /^The username contains an invisible character (after “\u2068zw\u2069”|that reverses)/,
    );
    expect(email).toMatch(
      /^The email address contains an invisible character (after “\u2068zw\u2069”|that reverses)/,
    );
  },
);

test('of a long address the last characters before an invisible one are named', () => {
  expect(errorsOf({ email: `${'a'.repeat(30)}${'b'.repeat(20)}\u200B@example.org` }).email).toBe(
    `The email address contains an invisible character after “${named(`…${'b'.repeat(20)}`)}”.`,
  );
});

test.each([
  ['Persian, with a joiner between its words', 'علی\u200Cرضا'],
  ['Malayalam, with a joiner behind its last letter', 'മോഹന്\u200D'],
  ['Japanese, with a variant of its last letter', '葛\u{E0100}'],
  ['an emoji', 'Ann ❤\uFE0F'],
])('a full name keeps what its writing needs: %s', (_writing, full_name) => {
  expect(parseForm(newUserSchema, { ...ALICE, full_name: `\u200B${full_name} \u200B` })).toMatchObject({
    value: { full_name },
  });
});

test('changes leave out what was not sent', () => {
  expect(parseForm(userChangesSchema, { full_name: '' })).toEqual({ ok: true, value: { full_name: null } });
  expect(parseForm(userChangesSchema, {})).toEqual({ ok: true, value: {} });
});

test('every field that is wrong is told at once', () => {
  expect(parseForm(newUserSchema, { username: '', email: 'x', is_active: 'maybe' })).toMatchObject({
    errors: {
      username: 'Enter a username.',
      email: 'Enter an email address like name@example.org.',
      is_active: 'Choose active or inactive.',
    },
  });
  expect(parseForm(newUserSchema, {})).toMatchObject({
    errors: { username: 'Enter a username.', email: 'Enter an email address.' },
  });
});

test.each(['1', 'on', 'ON', 'true', 'yes'])('is_active=%s is active', (is_active) => {
  expect(parseForm(newUserSchema, { ...ALICE, is_active })).toMatchObject({ value: { is_active: true } });
});

test.each(['0', 'off', 'false', 'False', 'no'])('is_active=%s is inactive', (is_active) => {
  expect(parseForm(newUserSchema, { ...ALICE, is_active })).toMatchObject({ value: { is_active: false } });
});

describe('a username', () => {
  test.each([
    'a',
    '0',
    'A.b_c-d+e',
    'straße',
    'мария',
    '王小明',
    'क्षमा',
    'ﬁ',
    'a'.repeat(64),
    '𠮷'.repeat(64),
  ])('may be %s', (username) => {
    expect(errorsOf({ username })).toEqual({});
  });

  test.each([
    ['  ', 'Enter a username.'],
    ['a'.repeat(65), 'The username is too long: 65 characters, at most 64.'],
    ['ﬁ'.repeat(33), 'The username is too long: 66 characters, at most 64.'],
    ['.alice', 'The username must start with a letter or a digit.'],
    ['-', 'The username must start with a letter or a digit.'],
    ['\u0301a', 'The username must start with a letter or a digit.'],
    ['al ice', 'Use only letters, digits, and the signs . _ - + in the username.'],
    ['a@b', 'Use only letters, digits, and the signs . _ - + in the username.'],
    ['a²', 'Use only letters, digits, and the signs . _ - + in the username.'],
    ['a\u200Db', 'The username contains an invisible character after “\u2068a\u2069”.'],
    ['a\u115Fb', 'The username contains an invisible character after “\u2068a\u2069”.'],
    ['a\uFE0F', 'The username contains an invisible character after “\u2068a\u2069”.'],
    ['al\u00A0ice', 'The username contains an invisible character after “\u2068al\u2069”.'],
    ['\uFE0Fa', 'The username contains an invisible character at its start.'],
    ['😀', 'The username must start with a letter or a digit.'],
    ['pаypal', 'The username mixes letters of different scripts, such as Latin and Cyrillic.'],
    ['a\0b', 'The username contains a NUL character.'],
    ['a\u202Eb', 'The username contains an invisible character that reverses the direction of text.'],
    ['a\nb', 'The username contains a control character, such as a tab or a line break.'],
    ['a\uDC00', /^The username contains a broken character/],
  ])('may not be %j', (username, sentence) => {
    expect(errorsOf({ username }).username).toMatch(sentence);
  });
});

describe('of the usernames of the world', () => {
  test.each(readNames('taken'))('%s is taken (%s)', (username) => {
    expect(errorsOf({ username })).toEqual({});
    expect(errorsOf({ username: username.normalize('NFD') })).toEqual({});
  });

  test.each(readNames('refused'))('%s is refused, with a sentence that says why', (username, sentence) => {
    expect(plain(String(errorsOf({ username }).username))).toBe(sentence);
  });
});

describe('an email address', () => {
  test.each([
    'a@b',
    'first.last+tag@sub.example.org',
    "o'brien!#$%&*/=?^_`{|}~-@example.org",
    `${'a'.repeat(64)}@example.org`,
    `a@${`${'b'.repeat(60)}.`.repeat(4)}example`,
  ])('may be %s', (email) => {
    expect(errorsOf({ email })).toEqual({});
  });

  test.each([
    ['', 'Enter an email address.'],
    ['alice', 'Enter an email address like name@example.org.'],
    ['@example.org', 'Enter an email address like name@example.org.'],
    ['a@b@c', 'Enter an email address like name@example.org.'],
    ['a b@c', 'Enter an email address like name@example.org.'],
    ['a@-b', 'Enter an email address like name@example.org.'],
    ['a@b..c', 'Enter an email address like name@example.org.'],
    ['a@b.', 'Enter an email address like name@example.org.'],
    [`a@${'b'.repeat(64)}`, 'Enter an email address like name@example.org.'],
    ['älice@example.org', 'Enter an email address like name@example.org.'],
    [`${'a'.repeat(65)}@example.org`, 'The part before the @ is too long: 65 characters, at most 64.'],
    [
      `a@${`${'b'.repeat(60)}.`.repeat(4)}examples9`,
      'The email address is too long: 255 characters, at most 254.',
    ],
    ['a\0@b', 'The email address contains a NUL character.'],
    ['a\u202E@b', /^The email address contains an invisible character/],
  ])('may not be %j', (email, sentence) => {
    expect(errorsOf({ email }).email).toMatch(sentence);
  });
});

describe('an email address at an international domain', () => {
  test.each([
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['Ada@BU\u0308CHER.Example', 'Ada@xn--bcher-kva.example'],
    ['ada@bücher。example', 'ada@xn--bcher-kva.example'],
    ['ada@ｂücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@straße.example', 'ada@xn--strae-oqa.example'],
    ['ada@例え.テスト', 'ada@xn--r8jz45g.xn--zckzah'],
    ['ada@пример.com', 'ada@xn--e1afmkfd.com'],
    ['Ada@XN--BCHER-KVA.Example', 'Ada@XN--BCHER-KVA.Example'],
    ['Ada@EXAMPLE.Org', 'Ada@EXAMPLE.Org'],
  ])('%s is stored as %s', (email, stored) => {
    expect(parseForm(newUserSchema, { ...ALICE, email })).toMatchObject({ value: { email: stored } });
  });

  test.each([
    'bü_cher.example',
    'bü/cher',
    'bü:80',
    '１２７.1',
    'bü cher.example',
    'ü\u0378.example',
    'xn--a.ü',
  ])('may not be at %s, which no domain is called', (domain) => {
    expect(errorsOf({ email: `ada@${domain}` }).email).toBe(
      `There is no domain that is called “${named(domain)}”.`,
    );
  });

  test.each([
    ['älice@bücher.example', 'Enter an email address like name@example.org.'],
    ['ada@bücher..example', 'Enter an email address like name@example.org.'],
    ['a@b@bücher.example', 'Enter an email address like name@example.org.'],
    [`ada@${'ü'.repeat(60)}.example`, 'Enter an email address like name@example.org.'],
    [`ada@${'ü.'.repeat(40)}example`, 'The email address is too long: 331 characters, at most 254.'],
    [
      'ada@b\u00ADücher.example',
      'The email address contains an invisible character after “\u2068ada@b\u2069”.',
    ],
  ])('may not be %j', (email, sentence) => {
    expect(errorsOf({ email }).email).toBe(sentence);
  });
});

describe('a full name', () => {
  test.each([
    '',
    'Ann',
    '😀',
    'علی‌رضا',
    'שלום\u200F !',
    '👩‍👧',
    'x'.repeat(200),
    '𠮷'.repeat(200),
    '<b>"&\'</b>',
    'Lê Thị Hồng Nhung',
    'Z\u0300\u0301\u0302\u0303oe',
    'יִשְׂרָאֵ֣ל',
    'أُمُّ كُلْثُومٍ',
    'မြွှေး အောင်ဆန်းစုကြည်',
    'བསྒྲུབས་བསྟན་འཛིན་རྒྱ་མཚོ',
    'ព្រះបាទនរោត្ដម សីហនុ',
    'น้ำผึ้ง ก้อนทอง',
    '1\uFE0F\u20E3',
  ])('may be %s', (full_name) => {
    expect(errorsOf({ full_name })).toEqual({});
  });

  test('as long as an attack is refused without being normalised, which would take minutes', () => {
    const full_name = `a${'\u0301\u0316'.repeat(400_000)}`;
    expect(errorsOf({ full_name, username: full_name, email: full_name })).toEqual({
      full_name: 'The full name is far too long.',
      username: 'The username is far too long.',
      email: 'The email address is far too long.',
    });
  });

  test.each([
    ['x'.repeat(201), 'The full name is too long: 201 characters, at most 200.'],
    ['a\u202Eb', 'The full name contains an invisible character that reverses the direction of text.'],
    ['a\u0007b', 'The full name contains a control character, such as a tab or a line break.'],
    ['a\0', 'The full name contains a NUL character.'],
    ['a\uFFFF', 'The full name contains a character that is none, by Unicode.'],
    ['\u3164\u115F', 'The full name has no visible character.'],
    [
      `Z${'\u0300\u0301'.repeat(31)}oe`,
      `The full name has 62 marks in a row on “${named('Z')}”, at most 4 are taken.`,
    ],
    [
      `Z${'\u0300\u0301\u200D'.repeat(3)}`,
      `The full name has 6 marks in a row on “${named('Z')}”, at most 4 are taken.`,
    ],
    ['Zoe\u0308\u0308', `The full name has the same mark twice in a row on “${named('e')}”.`],
    ['Zoë\u0308', `The full name has the same mark twice in a row on “${named('e')}”.`],
    [`Ann \u0301\u0300\u0302\u0303\u0304`, 'The full name has 5 marks in a row, at most 4 are taken.'],
  ])('may not be %j', (full_name, sentence) => {
    expect(errorsOf({ full_name }).full_name).toBe(sentence);
  });
});

test.each([
  [{ full_name: `${'a'.repeat(249)}\u00A0b` }, 1],
  [{ username: 'a\uE000!b' }, 1],
  [{ username: `a\u202E!${'b'.repeat(70)}` }, 2],
])('what is wrong with %j is told once', (values, problems) => {
  const messages = userChangesSchema.safeParse(values).error?.issues.map(({ message }) => message);
  expect(messages).toHaveLength(problems);
});
