import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asciiEmail, emailKey, parseMailbox, shownEmail } from '../../src/lib/email.ts';

describe('an address that is stored in ASCII', () => {
  test.each([
    ['ada@xn--bcher-kva.example', 'ada@bücher.example'],
    ['Ada@XN--BCHER-KVA.Example', 'Ada@bücher.example'],
    ['ada@mail.xn--bcher-kva.example', 'ada@mail.bücher.example'],
    ['ada@xn--e1afmkfd.com', 'ada@пример.com'],
    ['ada@xn--r8jz45g.xn--zckzah', 'ada@例え.テスト'],
    ['ada@xn--strae-oqa.example', 'ada@straße.example'],
    ['Ada@EXAMPLE.org', 'Ada@EXAMPLE.org'],
    ['xn--bcher-kva@example.org', 'xn--bcher-kva@example.org'],
  ])('%s is shown as %s', (stored, shown) => {
    expect(shownEmail(stored)).toBe(shown);
    expect(emailKey(shown)).toBe(emailKey(stored));
  });

  test.each([
    ['letters of two scripts', 'раураl.example'],
    ['rare letters', 'ƾü.example'],
    ['digits of two scripts', 'राम1२.example'],
    ['tatweel', 'محمـد.example'],
    ['a script that usernames are not written in', 'ᏣᎳᎩ.example'],
    ['too many marks', `a${'\u0323\u0300\u0301\u0302\u0303'}.example`],
    ['what is no letter', '💩.example'],
    ['an invisible joiner', 'क्\u200Dष.example'],
  ])('stays as it is where its domain has %s', (_what, domain) => {
    const stored = `ada@${new URL(`http://${domain}`).hostname}`;
    expect(stored).toMatch(/^ada@xn--/);
    expect(shownEmail(stored)).toBe(stored);
  });

  test.each([
    'ada@xn--zzzzz-.example',
    'ada@xn--a.example',
    'ada@xn--example-.com',
    'ada@xn--BÜCHER.example',
  ])('stays as it is where it stands for no other: %s', (stored) => expect(shownEmail(stored)).toBe(stored));
});

const domain = fc.oneof(
  fc.domain(),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc
    .array(fc.stringMatching(/^[\p{L}\p{M}\p{Nd}-]{1,8}$/u), { minLength: 1, maxLength: 3 })
    .map((labels) => labels.join('.')),
  fc
    .array(fc.constantFrom(...'ü.。-aßЖ例א\u0301\u200D/:%@#?[]1１xn--'), { maxLength: 12 })
    .map((all) => all.join('')),
);
const email = fc.oneof(
  domain,
  fc.tuple(fc.string({ unit: 'grapheme', maxLength: 10 }), domain).map((parts) => parts.join('@')),
);

test('whatever is typed has one stored form, what is before its last @ stays, and ASCII stays to the letter', () => {
  let converted = 0;
  fc.assert(
    fc.property(email, (typed) => {
      const stored = asciiEmail(typed);
      expect(asciiEmail(stored)).toBe(stored);
      if (stored === typed) return;
      converted++;
      expect(typed.slice(typed.lastIndexOf('@'))).toMatch(/\P{ASCII}/u);
      expect(stored.slice(stored.lastIndexOf('@'))).toMatch(/^@[a-z\d.-]+$/);
      expect(stored.slice(0, stored.lastIndexOf('@'))).toBe(typed.slice(0, typed.lastIndexOf('@')));
    }),
    { numRuns: 5000 },
  );
  expect(converted).toBeGreaterThan(200);
});

test('whatever is shown in place of what is stored is found and stored as that', () => {
  let different = 0;
  fc.assert(
    fc.property(email, (typed) => {
      const stored = asciiEmail(typed);
      const shown = shownEmail(stored);
      if (shown === stored) return;
      different++;
      expect(asciiEmail(shown)).toBe(stored);
      expect(emailKey(shown)).toBe(emailKey(stored));
      expect(shownEmail(shown)).toBe(shown);
    }),
    { numRuns: 5000 },
  );
  expect(different).toBeGreaterThan(50);
});

describe('what a mail program copies', () => {
  test.each([
    ['Ada Lovelace <ada@example.org>', 'ada@example.org', 'Ada Lovelace'],
    ['"Lovelace, Ada" <ada@example.org>;', 'ada@example.org', 'Ada Lovelace'],
    ["'Ada Lovelace' <mailto:ada@example.org>", 'ada@example.org', 'Ada Lovelace'],
    ['"Sammy Davis, Jr." <sammy@example.org>', 'sammy@example.org', 'Sammy Davis, Jr.'],
    ['"ada@example.org" <ada@example.org>', 'ada@example.org', ''],
    ['<ada@example.org>', 'ada@example.org', ''],
    ['mailto:ada@example.org', 'ada@example.org', ''],
    [' ada@example.org, ', 'ada@example.org', ''],
    ['Zoë <zoe@bücher.example>', 'zoe@bücher.example', 'Zoë'],
  ])('%s is an address, and whose it is', (typed, email, name) => {
    expect(parseMailbox(typed)).toEqual({ email, name });
  });

  test.each(['Ada <ada@example.org>; Bob <bob@example.org>', 'Ada <ada>', 'ada@example.org Ada', 'Ada', ''])(
    '%j is none',
    (typed) => {
      expect(parseMailbox(typed)).toEqual({ email: typed, name: '' });
    },
  );

  test('however long it is, that is told at once', () => {
    const long = '<'.repeat(1e6) + 'a@'.repeat(1e6);
    expect(parseMailbox(long)).toEqual({ email: long, name: '' });
  });
});
