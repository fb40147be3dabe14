/** Two edits of one user that began with the same: what becomes of both. */
import { expect, test } from 'vitest';
import type { User } from '../../src/db/schema.ts';
import { merge } from '../../src/users/merge.ts';
import type { UserChanges } from '../../src/users/validation.ts';
import { aUser } from './a-user.ts';

const BASE = aUser();
type Case = [
  what: string,
  theirs: UserChanges,
  mine: UserChanges,
  changes: UserChanges,
  kept: string[],
  conflicts: string[],
];
const A: UserChanges = { full_name: 'Ada' };
const B: UserChanges = { full_name: 'Ada B' };
const OFF: UserChanges = { is_active: false };

test.each<Case>([
  ['nothing is nothing', {}, {}, {}, [], []],
  ['mine alone is written', {}, A, A, [], []],
  ['theirs alone is kept', A, {}, {}, ['full_name'], []],
  ['what is as it was at the beginning is no change of mine', A, { full_name: null }, {}, ['full_name'], []],
  ['different fields are both kept', OFF, A, A, ['is_active'], []],
  ['the same in both is nothing', A, A, {}, [], []],
  ['the same field is a conflict', A, B, {}, [], ['full_name']],
  [
    'of a conflict the rest is merged',
    { ...A, ...OFF },
    { ...B, role: 'viewer' },
    { role: 'viewer' },
    ['is_active'],
    ['full_name'],
  ],
  [
    'emptied by one and changed by the other is a conflict',
    { email: 'b@x' },
    { email: 'c@x' },
    {},
    [],
    ['email'],
  ],
  ['changed and changed back is as it was', {}, B, B, [], []],
])('%s', (_what, theirs, mine, changes, kept, conflicts) => {
  expect(merge(BASE, { ...BASE, ...theirs } as User, mine)).toEqual({
    changes,
    theirs: kept,
    conflicts,
  });
});

test('where it is not known with what both began, all that differs is a conflict', () => {
  const mine = { full_name: null, email: 'b@example.org', is_active: true };
  expect(merge(undefined, { ...BASE, full_name: 'Ada' }, mine)).toMatchObject({
    changes: {},
    conflicts: ['email', 'full_name'],
  });
});
