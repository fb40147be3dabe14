/** What is said of something that is done to many users. */
import { ROLE_NAMES } from '../auth/policy.ts';
import type { Role } from '../db/schema.ts';
import { number, usersOf } from '../lib/formats.ts';
import { named } from '../lib/text.ts';
import { ACTS, type Act, type Why } from './acts.ts';
import type { Left } from './commands.ts';

export const NOTHING_CHOSEN = 'Choose what to do with those ticked.';
export const NOTHING_TICKED = 'Nothing was ticked. Tick users first, or all that match.';
export const TOO_LONG =
  'The search is too long to export those ticked. Export all that match, or tick fewer.';
export const BULK_BEGUN = 'It has begun, and goes on by itself.';

/** In a sentence of its own, more names would hide it. */
const MOST_NAMED = 5;

type Words = { name: string; verb: string; done: string; means: string };

const WORDS: Readonly<Record<Act['do'], Words>> = {
  role: {
    name: 'Change role',
    verb: 'Change the role of',
    done: 'given another role',
    means:
      'Whoever is signed in with another role is signed out, and access links that wait for somebody end. A role alone lets nobody in: that takes an access link.',
  },
  activate: {
    name: 'Activate',
    verb: 'Activate',
    done: 'activated',
    means: 'They can sign in again, where their role allows it and they have a password.',
  },
  deactivate: {
    name: 'Deactivate',
    verb: 'Deactivate',
    done: 'deactivated',
    means: 'They stay listed, and cannot sign in: whoever is signed in is signed out at once.',
  },
  delete: {
    name: 'Delete',
    verb: 'Delete',
    done: 'deleted',
    means: 'They leave the list, and can be brought back from the history, with the same numbers and values.',
  },
};

const titleOf = ({ do: act }: Act, count: number) => `${WORDS[act].verb} ${usersOf(count)}`;

function questionOf(act: Act, count: number): string {
  return count === 0 ? `Nobody to ${WORDS[act.do].verb.toLowerCase()}` : `${titleOf(act, count)}?`;
}

/** What follows a name, or how many they are: "2 users: inactive already". */
function whyOf(why: Why, { do: act, role }: Act): string {
  const state =
    act === 'role' ? (role ? ROLE_NAMES[role].one : '') : act === 'activate' ? 'active' : 'inactive';
  return {
    'already so': `${state} already`,
    yourself: 'you yourself, which is done on your own page alone',
    'not allowed': 'for administrators alone to change',
    'last administrator': 'the last administrator',
    'changed since': 'changed by somebody else meanwhile',
    gone: 'not there any more',
  }[why];
}

const NAMES = Object.entries(WORDS).map(([act, { name }]) => [act as Act['do'], name] as const);

export const bulkHelpers = {
  bulkOffered: (actor: { role: Role }) => NAMES.filter(([act]) => ACTS[act].may(actor)),
  bulkQuestion: questionOf,
  bulkTitle: titleOf,
  bulkMeans: ({ do: act }: Act) => WORDS[act].means,
  whyLeftOut: whyOf,
};

export function sentenceOfDone(act: Act, count: number, left: readonly Left[]): string {
  const names = left.slice(0, MOST_NAMED).map(({ whom, why }) => `${named(whom.name)} (${whyOf(why, act)})`);
  const others = left.length > MOST_NAMED ? `, and ${number.format(left.length - MOST_NAMED)} more` : '';
  const rest = left.length > 0 ? ` Left as they are: ${names.join(', ')}${others}.` : '';
  return count === 0
    ? `Nobody was ${WORDS[act.do].done}.${rest}`
    : `${usersOf(count)} ${WORDS[act.do].done}!${rest}`;
}
