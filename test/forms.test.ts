import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseForm, parseQuery, parseUrlEncoded, readFields } from '../src/forms.ts';

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
      { numRuns: 2000 },
    );
  });

  test('may hold names that objects already have', () => {
    expect(parseUrlEncoded('__proto__=x&constructor=y').constructor).toBe('y');
  });

  test.each(['a=%', 'a=%4', 'a=%zz', '%=a', 'a=%u0041'])(
    'with bad percent-encoding (%s) is refused',
    (body) => {
      expect(() => parseUrlEncoded(body)).toThrow('“%”');
    },
  );

  test('that is no UTF-8 is read, with the broken characters marked', () => {
    expect(parseUrlEncoded('a=x%ED%A0%80y%FFé').a).toMatch(/^x\uFFFD+y\uFFFDé$/);
  });

  test('with a field sent twice is refused', () => {
    expect(() => parseUrlEncoded('a=1&b=2&%61=3')).toThrow('The field “a” was sent twice.');
  });

  test('with more than 100 fields is refused, with 100 read', () => {
    const fields = (count: number) => Array.from({ length: count }, (_, index) => `f${index}=x`).join('&');
    expect(Object.keys(parseUrlEncoded(fields(100)))).toHaveLength(100);
    expect(() => parseUrlEncoded(fields(101))).toThrow('at most 100 fields');
    expect({ ...parseUrlEncoded(`${'&'.repeat(500_000)}a=1`) }).toEqual({ a: '1' });
    expect(() => parseUrlEncoded(`a=1${'&'.repeat(200)}a=2`)).toThrow('sent twice');
  });
});

test('of a query, the first of repeated parameters counts, and what is badly encoded stays', () => {
  expect({ ...parseQuery('a=1&a=2&b=%zz&c') }).toEqual({ a: '1', b: '%zz', c: '' });
});

test('a field that the form does not have is refused', () => {
  expect(() => readFields({ a: '1', role: 'admin' }, ['a'])).toThrow('no field “role”');
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
