/** What was done, in words. */
import { expect, test } from 'vitest';
import type { ChangeSet } from '../../src/db/schema.ts';
import type { FieldChanges } from '../../src/history/fields.ts';
import { KINDS, WAYS } from '../../src/history/kinds.ts';
import { titleOf, wayOf, wordsOf } from '../../src/history/words.ts';
import { plain } from '../../src/lib/text.ts';

const SET: ChangeSet = {
  id: 7,
  at: 0,
  actor_id: 1,
  subject_id: null,
  undoes: null,
  first_id: null,
  last_id: null,
  users: 1,
  kind: KINDS.access,
  via: WAYS.form,
  actor_kind: 1,
  event: null,
  detail: null,
};
const EMAIL: FieldChanges = { email: { was: 'a@example.org', became: 'b@example.org' } };

test.each<[Partial<ChangeSet>, FieldChanges, inHistory: string, onTheirPage: string]>([
  [{ kind: KINDS.created }, {}, 'Created bob', 'created this user'],
  [{ kind: KINDS.deactivated }, {}, 'Deactivated bob', 'deactivated this user'],
  [{ kind: KINDS.deleted }, {}, 'Deleted bob', 'deleted this user'],
  [{ kind: KINDS.restored }, {}, 'Brought back bob', 'brought back this user'],
  [{ kind: KINDS.imported }, {}, 'Imported bob', 'imported this user'],
  [{ kind: 99 }, {}, 'Did something new to bob', 'did something new to this user'],
  [{ kind: KINDS.changed }, EMAIL, 'Changed the email of bob', 'changed the email'],
  [{ event: 'invited' }, {}, 'Invited bob', 'invited this user'],
  [{ event: 'access link made' }, {}, 'Created an access link for bob', 'created an access link'],
  [
    { event: 'access link sent by mail' },
    {},
    'Sent the access link by mail to bob',
    'sent the access link by mail',
  ],
  [
    { event: 'let in again' },
    {},
    'Set the password, removed any second factor and ended all sessions of bob',
    'set the password, removed any second factor and ended all sessions',
  ],
  [
    { event: 'made an administrator' },
    {},
    'Made an administrator of bob',
    'made an administrator of this user',
  ],
  [
    { event: 'first administrator made' },
    {},
    'Set up the first administrator bob',
    'set up this user as the first administrator',
  ],
])('of one user, %j, names whom it was done to, in the history and on their page', (set, fields, ...said) => {
  const row = { set: { ...SET, ...set }, fields };
  expect([titleOf({ ...row, whom: { name: 'bob' } }), wordsOf(row.set, fields).here].map(plain)).toEqual(
    said,
  );
});

test.each<[Partial<ChangeSet>, string]>([
  [{ kind: KINDS.deleted, users: 3 }, 'Deleted 3 users'],
  [{ kind: KINDS.deleted, users: 0 }, 'Deleted users'],
  [{ kind: KINDS.imported, users: 0 }, 'Imported users from a file'],
  [{ kind: KINDS.loaded }, 'Added 1 user at once'],
  [
    { event: 'second factor required of', detail: 'viewer, editor', users: 0 },
    'Asked viewers and editors for a second factor',
  ],
  [{ event: 'second factor required of', detail: 'nobody', users: 0 }, 'Asked nobody for a second factor'],
  [
    { event: 'second factors given up', detail: '1', users: 0 },
    'Gave up 1 second factor, with the key that was lost',
  ],
])('of others, %j, says itself whom it was about', (set, said) => {
  expect(titleOf({ set: { ...SET, ...set }, fields: {} })).toBe(said);
});

test('of one user from a file it is told how many rows were refused beside', () => {
  const imported = {
    ...SET,
    kind: KINDS.imported,
    via: WAYS.import,
    detail: '1 created, 0 changed, 99 refused',
  };
  expect(wayOf(imported)).toBe('from a file, 99 rows refused');
});
