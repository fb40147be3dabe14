/** What is said before very many are put back, whom nobody has looked at. */
import { expect, test } from 'vitest';
import { KINDS, type Kind } from '../../src/history/kinds.ts';
import type { ChangeSet } from '../../src/history/queries.ts';
import { whatBecomesOfAll } from '../../src/undo/words.ts';

const CHANGED = 'Up to 101 users become what they were before.';
const NO_ACCESS =
  'Passwords, second factors and sessions of those who are back do not come back: create access links.';
const NO_SESSIONS = 'Sessions and access links that were ended do not come back.';

test.each<[Kind, string | null, string[]]>([
  ['created', null, ['Up to 101 users are deleted.']],
  ['deleted', null, ['Up to 101 users are brought back, with the same number and values.', NO_ACCESS]],
  ['activated', null, [CHANGED]],
  ['deactivated', null, [CHANGED, NO_SESSIONS]],
  ['access', null, [CHANGED, NO_SESSIONS]],
  ['changed', 'deleted and changed', [CHANGED, NO_ACCESS, NO_SESSIONS]],
  [
    'imported',
    '60 created, 41 changed',
    [
      'Up to 60 users whom this import created are deleted.',
      'Up to 41 users become what they were before.',
      NO_SESSIONS,
    ],
  ],
])('of users who were %s (%s) it is said what does not come back', (kind, detail, sentences) => {
  const set = { kind: KINDS[kind], detail, users: 101 } as ChangeSet;
  expect(whatBecomesOfAll(set, undefined)).toEqual(sentences);
});
