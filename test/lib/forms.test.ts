import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { formatQuery, parseForm, parseQuery, parseUrlEncoded, readFields } from '../../src/lib/forms.ts';
import { runs } from '../runs.ts';

describe('the body of a form', () => {
  test('is read as a browser writes it', () => {
    expect({ ...parseUrlEncoded('a=1&b=x+y%26%C3%A9&c=&d&=e') }).toEqual({
      a: '1',
      b: 'x y&é',
      c: '',
      d: '',
      '': 'e',
    });
    expect({ ...parseUrlEncoded('') }).toEqual({});
  });

  test('comes out as it went in, whatever it holds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (fields) => {
        expect({ ...parseUrlEncoded(new URLSearchParams(fields).toString()) }).toEqual({ ...fields });
      }),
      runs(2000),
    );
  });

  test('may hold names that objects already have', () => {
    expect(parseUrlEncoded('__proto__=x&constructor=y').constructor).toBe('y');
  });

  test.each(['a=%', 'a=%4', 'a=%zz', 'a=%u0041'])('with bad percent-encoding (%s) is refused', (body) => {
    expect(() => readFields(parseUrlEncoded(`b=1&${body}`), ['b', 'a'])).toThrow('The field “a” has a “%”');
  });

  test('that is no UTF-8 is read, with the broken characters marked', () => {
    expect(parseUrlEncoded('a=x%ED%A0%80y%FFé').a).toMatch(/^x\uFFFD+y\uFFFDé$/);
  });

  test('with a field sent twice is refused', () => {
    for (const body of ['a=1&b=2&%61=3', 'a=1&b=2&a=1', 'a&a&b=2', 'a=&b=2&a='])
      expect(() => readFields(parseUrlEncoded(body), ['b', 'a'])).toThrow('The field “a” was sent twice.');
  });

  test('with more than 100 fields is refused, with 100 read', () => {
    const fields = (count: number) => Array.from({ length: count }, (_, index) => `f${index}=x`).join('&');
    expect(Object.keys(parseUrlEncoded(fields(100)))).toHaveLength(100);
    expect(() => parseUrlEncoded(fields(101))).toThrow('at most 100 fields');
    expect({ ...parseUrlEncoded(`${'&'.repeat(500_000)}a=1`) }).toEqual({ a: '1' });
    expect(() => readFields(parseUrlEncoded(`a=1${'&'.repeat(200)}a=2`), ['a'])).toThrow('sent twice');
  });
});

test('of a query, the first of repeated parameters counts, and what is badly encoded stays', () => {
  expect({ ...parseQuery('a=1&a=2&b=%zz&c') }).toEqual({ a: '1', b: '%zz', c: '' });
});

test('a query is written as browsers write it, whatever it holds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string())), (parameters) => {
      expect(formatQuery(parameters)).toBe(`${new URLSearchParams(parameters)}`);
    }),
    runs(2000),
  );
});

test.each(['x=9', 'x=9&x=8', 'x', '=x', 'x=%', '%=x', '%zz', 'x=%FF', '__proto__=x', 'toString=x'])(
  'a field that the form does not have (%s) is ignored, wherever it stands',
  (added) => {
    for (const body of [`${added}&a=1&b=2`, `a=1&${added}&b=2`, `a=1&b=2&${added}`])
      expect(readFields(parseUrlEncoded(body), ['a', 'b', 'c'])).toEqual({ a: '1', b: '2' });
  },
);

test('a form without a body has no fields', () => {
  expect(readFields(undefined, ['a'])).toEqual({});
});

describe('a parsed form', () => {
  const schema = z.object({ a: z.string().min(1, 'Enter a.').max(2, 'Too long.'), b: z.string('Enter b.') });

  test('is a value', () => {
    expect(parseForm(schema, { a: 'x', b: 'y' })).toEqual({ ok: true, value: { a: 'x', b: 'y' } });
  });

  test('or one error for every field that is wrong', () => {
    expect(parseForm(schema, { a: 'long' })).toEqual({
      ok: false,
      errors: { a: 'Too long.', b: 'Enter b.' },
    });
  });
});
