/** What was done, in words that follow whoever did it: "marta changed the email". */
import { ROLE_NAMES } from '../auth/policy.ts';
import type { Role, User } from '../db/schema.ts';
import type { Job } from '../jobs/queries.ts';
import { shownEmail } from '../lib/email.ts';
import { and, date, number, pluralize, usersOf } from '../lib/formats.ts';
import { capital, named } from '../lib/text.ts';
import type { FieldChanges } from './fields.ts';
import { importCountsOf } from './import-counts.ts';
import {
  ACTORS,
  type AccessEvent,
  type KeptField,
  KINDS,
  type Kind,
  nameOfCode,
  ROLE_CHANGED,
  WAYS,
} from './kinds.ts';
import type { ChangeSet } from './queries.ts';
import { isMixed } from './undo-kind.ts';

const NOT_AS_COLUMN: Readonly<Partial<Record<KeptField, string>>> = {
  is_active: 'Status',
  created_at: 'Created',
};

export function fieldName(field: KeptField): string {
  return NOT_AS_COLUMN[field] ?? capital(field.replaceAll('_', ' '));
}

/** As one chooses among them; the others are shown where none is chosen. */
export const KIND_NAMES: Readonly<Partial<Record<Kind, string>>> = {
  created: 'Created',
  changed: 'Changed',
  activated: 'Activated',
  deactivated: 'Deactivated',
  deleted: 'Deleted',
  restored: 'Brought back',
  erased: 'Erased',
  exported: 'Exported',
  imported: 'Imported',
  access: 'Access',
};

/** `of`: the word that leads to whom it was done; `here`: what stands on the page of whom it was done to. */
type Words = { done: string; of?: 'of' | 'for' | 'to' | ''; here?: string };

type WithWords =
  | Exclude<AccessEvent, 'second factor required of' | 'second factors given up'>
  | 'access link not sent by mail: late'
  | typeof ROLE_CHANGED;

/** By what was done, or by that and its detail. */
const EVENTS: Readonly<Record<string, Words>> = {
  'access link not sent by mail': { done: 'could not send the access link by mail', of: 'to' },
  'access link not sent by mail: late': {
    done: 'got no answer about the mail with the access link',
    of: 'for',
  },
  'access link sent by mail': { done: 'sent the access link by mail', of: 'to' },
  'access link made': { done: 'created an access link', of: 'for' },
  'access link withdrawn': { done: 'withdrew the access link' },
  'all sessions ended': { done: 'ended all sessions' },
  'first administrator made': {
    done: 'set up the first administrator',
    of: '',
    here: 'set up this user as the first administrator',
  },
  invited: { done: 'invited', of: '', here: 'invited this user' },
  'let in again': {
    done: 'set the password, removed any second factor and ended all sessions',
    of: 'of',
  },
  'made an administrator': {
    done: 'made an administrator',
    of: 'of',
    here: 'made an administrator of this user',
  },
  'other sessions ended': { done: 'ended all other sessions' },
  'password changed': { done: 'changed the password' },
  'password set by link': { done: 'chose a password', of: 'for' },
  'recovery codes renewed': { done: 'made new recovery codes', of: 'for' },
  [ROLE_CHANGED]: { done: 'changed the role' },
  'second factor removed': { done: 'removed the second factor' },
  'second factor replaced': { done: 'replaced the second factor' },
  'second factor set': { done: 'set up the second factor' },
  'session ended': { done: 'ended a session' },
} satisfies Record<WithWords, Words>;

export function wordsOf(set: ChangeSet, fields: FieldChanges): Required<Words> {
  const words = wordsFor(set, fields);
  return { of: '', here: words.done, ...words };
}

/** Without what leads to nobody: it says itself whom it was done to. */
function wordsFor(set: ChangeSet, fields: FieldChanges): Words {
  const kind = nameOfCode(KINDS, set.kind);
  // How many is not known before the end, nor where there was none.
  const many = set.users === 0 ? 'users' : usersOf(set.users);
  if (set.event === 'second factor required of')
    return { done: `asked ${peopleOf(set.detail)} for a second factor` };
  if (set.event === 'second factors given up')
    return { done: `gave up ${pluralize(Number(set.detail), 'second factor')}, with the key that was lost` };
  if (set.event !== null) {
    const words = EVENTS[`${set.event}: ${set.detail}`] ?? EVENTS[set.event];
    return { done: set.event, of: 'of', ...words };
  }
  if (kind === 'loaded') return { done: `added ${many} at once` };
  if (kind === 'copied') return { done: `copied ${many} from another database` };
  if (kind === 'put back') return { done: `restored everything from a backup ${set.detail}` };
  if (kind === 'began') return { done: `began to keep history, with ${many}` };
  if (kind === 'exported') return { done: `exported ${many} as ${set.detail}` };
  if (kind === 'imported' && set.users !== 1)
    return { done: `imported ${many} from a file${importedOf(set)}` };
  if (set.users !== 1) return { done: `${isMixed(set) ? set.detail : verbOf(kind)} ${many}` };
  if (kind === 'changed' || kind === 'access')
    return { done: `changed ${namesOf(Object.keys(fields) as KeptField[])}`, of: 'of' };
  return { done: verbOf(kind), here: `${verbOf(kind)} this user` };
}

/** "Changed the role of bob", also where nothing is a link. */
export function titleOf({
  set,
  fields,
  whom,
}: {
  set: ChangeSet;
  fields: FieldChanges;
  whom?: { name: string } | undefined;
}): string {
  const { done, of, here } = wordsOf(set, fields);
  const words = whom ? [done, of, named(whom.name)] : [here];
  return capital(words.filter((word) => word !== '').join(' '));
}

/** Not while it is under way, nor where it was taken back before its end. */
function importedOf(set: ChangeSet): string {
  const { created = 0, changed = 0 } = importCountsOf(set) ?? {};
  if (set.users === 0 || created + changed !== set.users) return '';
  const parts = [
    created > 0 && `${number.format(created)} created`,
    changed > 0 && `${number.format(changed)} changed`,
    ...refusedOf(set),
  ];
  return `: ${parts.filter((part) => part !== false).join(', ')}`;
}

function refusedOf(set: ChangeSet): string[] {
  const { refused = 0 } = importCountsOf(set) ?? {};
  return refused > 0 ? [`${pluralize(refused, 'row')} refused`] : [];
}

function verbOf(kind: Kind | undefined): string {
  if (kind === 'restored') return 'brought back';
  return kind === 'access' ? 'changed the role of' : (kind ?? 'did something new to');
}

/** Not how someone signs in, nor what was loaded without a change for each. */
export function isUndoable({ kind, event, users }: ChangeSet): boolean {
  const name = nameOfCode(KINDS, kind);
  const isOver =
    name === undefined || ['loaded', 'copied', 'began', 'erased', 'exported', 'put back'].includes(name);
  return event === null && users > 0 && !isOver;
}

export function wayOf(set: ChangeSet): string {
  const { via, actor_id, users } = set;
  const way = nameOfCode(WAYS, via);
  if (way === 'form') return actor_id === null ? '' : 'by form';
  if (way === 'undo') return 'by Undo';
  if (way === 'bulk') return 'in bulk';
  if (way === 'import') return users === 1 ? ['from a file', ...refusedOf(set)].join(', ') : '';
  return way === 'setup' ? 'when Roster was set up' : '';
}

/** The same where much stands below each other: nearly all is done by form, and only of a creation one wonders. */
export function wayInList(set: ChangeSet): string {
  const way = wayOf(set);
  return way === 'by form' && set.kind !== KINDS.created ? '' : way;
}

export const UNFINISHED: Readonly<Partial<Record<Job['state'], string>>> = {
  running: 'under way',
  stopped: 'stopped before its end',
};

export function whoDid({ actor_kind, via }: Pick<ChangeSet, 'actor_kind' | 'via'>): string {
  if (nameOfCode(WAYS, via) === 'link') return 'Somebody with the access link';
  return nameOfCode(ACTORS, actor_kind) === 'command line' ? 'The command line' : 'Somebody at this machine';
}

/** Within a sentence. */
export function byWhom(set: Parameters<typeof whoDid>[0]): string {
  return whoDid(set).replace(/^./, (letter) => letter.toLowerCase());
}

export function shownValue<F extends KeptField>(field: F, value: User[F]): string {
  if (field === 'is_active') return value ? 'Active' : 'Inactive';
  if (field === 'role') return ROLE_NAMES[value as Role].one;
  if (field === 'email') return shownEmail(String(value));
  if (field === 'created_at') return date.format(Number(value));
  return String(value ?? '');
}

/** "the full name and email" */
export function namesOf(fields: readonly KeptField[]): string {
  const names = fields.map((field) => fieldName(field).toLowerCase());
  return names.length > 0 ? `the ${and.format(names)}` : 'something';
}

function peopleOf(roles: string | null): string {
  const names = (roles ?? '').split(', ').map((role) => ROLE_NAMES[role as Role]?.many ?? role);
  return and.format(names);
}
