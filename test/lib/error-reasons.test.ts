import { expect, test } from 'vitest';
import { OutcomeUnknownError, UnavailableError } from '../../src/errors.ts';
import { reasonOf } from '../../src/lib/error-reasons.ts';

const refusal = (code: string) => Object.assign(new Error(code), { code });
const OTHERS = 'the user who runs Roster has no right to it';

test.each([
  ['ENOSPC', 'its disk is full'],
  ['EDQUOT', 'its disk is full'],
  ['EFBIG', 'its disk takes no larger file'],
  ['EROFS', 'its disk is read-only'],
  ['EIO', 'its disk reports an error'],
  ['EACCES', OTHERS],
  ['EPERM', OTHERS],
  // Of the inside.
  ['ENOENT', undefined],
  ['ECONNRESET', undefined],
])('%s is told as %j, also where something else was thrown because of it', (code, reason) => {
  expect(reasonOf(refusal(code))).toBe(reason);
  expect(reasonOf(new Error('no', { cause: refusal(code) }))).toBe(reason);
});

test('what the database has said goes before, and what is no error has no reason', () => {
  expect(reasonOf(new UnavailableError('x', { reason: 'its disk is on fire' }))).toBe('its disk is on fire');
  expect(reasonOf(new OutcomeUnknownError('x', { cause: refusal('EIO') }))).toBeUndefined();
  expect(reasonOf(undefined)).toBeUndefined();
});
