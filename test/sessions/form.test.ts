import { describe, expect, test } from 'vitest';
import { newPasswordProblems, passwordProblem } from '../../src/sessions/form.ts';

const ALICE = { username: 'alice', email: 'a.liddell@example.org' };

describe('a password', () => {
  test.each([
    'correct horse battery staple',
    'lemon trees on the roof',
    ' spaces  are  characters ',
    'пароль для моего дома',
    '日本語のとても長いパスワードです',
    '👩‍👩‍👧 has three children, not four',
    'Tr0ub4dor&3 zwischen uns',
    `${'lemon trees '.repeat(10)}on the roof`,
    'x7#kQ2!mZ9@pL4$',
  ])('%s is taken', (password) => {
    expect(passwordProblem(password, ALICE)).toBeUndefined();
  });

  test.each([
    ['', 'Enter a password.'],
    ['a', 'The password is too short: 1 character, at least 15.'],
    ['short of fiftee', undefined],
    ['short of fifte', 'The password is too short: 14 characters, at least 15.'],
    // Fifteen units of UTF-16 and more, but fourteen characters.
    ['😀😁😂😃😄😅😆😇😈😉😊😋😌😍', 'The password is too short: 14 characters, at least 15.'],
    ['cafe\u0301 short of', 'The password is too short: 13 characters, at least 15.'],
  ])('is as long as people count: %s', (password, problem) => {
    expect(passwordProblem(password, ALICE)).toBe(problem);
  });

  test('may have 128 characters and more, but not any number', () => {
    const words = (length: number) =>
      Array.from({ length }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7919) % 20_000))).join('');
    expect(passwordProblem(words(128), ALICE)).toBeUndefined();
    expect(passwordProblem(words(256), ALICE)).toBeUndefined();
    expect(passwordProblem(words(257), ALICE)).toBe('The password is too long: 257 characters, at most 256.');
    expect(passwordProblem('e\u0301'.repeat(1_000_000), ALICE)).toMatch(/far too long/);
  });

  test.each([
    'aaaaaaaaaaaaaaaaaaaa',
    'ababababababababab',
    'abcabcabcabcabcabc',
    'lemonlemonlemonlemon',
    '123456789012345',
    '987654321098765',
    'abcdefghijklmnop',
    'ZYXWVUTSRQPONMLK',
    'qwertyuiopasdfghjkl',
    'QWERTZUIOPASDFGH',
    'poiuytrewqlkjhgf',
    '1qaz2wsx3edc4rfv5tgb',
    'qwerty123456qwerty',
    '１２３４５６７８９０１２３４５',
    'aaaaaaaaabbbbbbbbbccccccccc',
    'Password12!Password12!',
    '                    ',
  ])('%s is too easy to guess', (password) => {
    expect(passwordProblem(password, ALICE)).toMatch(/too easy to guess/);
  });

  test.each([
    'my name is ALICE, really',
    'write to a.liddell@example.org',
    'call me A.Liddell today',
    'ａｌｉｃｅ in wonderland',
  ])('%s has a name of its owner in it', (password) => {
    expect(passwordProblem(password, ALICE)).toBe('The password must not contain the username or the email.');
  });

  test('may contain a name that is in every other word', () => {
    const al = { username: 'al', email: 'al@example.org' };
    expect(passwordProblem('all small walls are tall', al)).toBeUndefined();
  });
});

test('a password is chosen by typing it twice, composed or not', () => {
  const of = (new_password: string, new_password_again: string) =>
    newPasswordProblems({ new_password, new_password_again }, ALICE);
  expect(of('caf\u00e9 au lait, s il vous plait', 'cafe\u0301 au lait, s il vous plait')).toEqual({});
  expect(of('lemon trees on the roof', 'lemon trees on the rof')).toEqual({
    new_password_again: 'That is not what you have typed above.',
  });
  expect(of('short', 'shorter')).toEqual({ new_password: expect.stringMatching(/too short/) });
});
