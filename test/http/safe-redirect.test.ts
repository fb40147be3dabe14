import fc from 'fast-check';
import { expect, test } from 'vitest';
import { localAddress } from '../../src/http/safe-redirect.ts';
import { runs } from '../runs.ts';

test.each([
  ['/users/7?from=page%3D2', '/users/7?from=page%3D2'],
  ['/users?q=%22a%22&page=2#top', '/users?q=%22a%22&page=2'],
  ['/', '/'],
  ['/a/../users', '/users'],
])('%s is here', (written, address) => {
  expect(localAddress(written)).toBe(address);
});

test.each([
  undefined,
  '',
  'users',
  '//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/..//evil.example',
  '/.//evil.example',
  '/%2e%2e//evil.example',
  '/a/..//evil.example/x',
  '/\t/evil.example',
  '/\n/evil.example',
  ' //evil.example',
  '\u0000//evil.example',
  'https://evil.example',
  'https:evil.example',
  'https:/users',
  'http://here.invalid@evil.example',
  'http://here.invalid/users',
  'javascript:alert(1)',
  'data:text/html,x',
  '//evil.example\\@here.invalid/',
])('%j is not, and leads to the list', (written) => {
  expect(localAddress(written)).toBe('/users');
});

test('whatever is written, a browser that is sent there stays on this origin', () => {
  const part = fc.oneof(
    fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '@',
      ':',
      '?',
      '#',
      '%2f',
      '%5c',
      '%2e',
      '\t',
      '\r\n',
      ' ',
      'evil.example',
      'http:',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const address = localAddress(parts.join(''));
      const url = new URL(address, 'https://users.example.org/sign-in');
      expect(url.origin).toBe('https://users.example.org');
      expect(address).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
    }),
    runs(5000),
  );
});
