/** The numbers by which history is kept: they stay, whatever their names are, and none is given twice. */
import type { KEPT_FIELDS } from '../db/schema.ts';

export const KINDS = {
  created: 1,
  changed: 2,
  activated: 3,
  deactivated: 4,
  deleted: 5,
  restored: 6,
  access: 7,
  loaded: 8,
  copied: 9,
  began: 10, // history: of those who were there already nobody knows what was done before
  erased: 11,
  exported: 12,
  role: 13, // beside a change of a role and something else, for whoever asks for access alone
  'own role': 14, // beside a change of several users' roles, for each of them alone
  imported: 15,
  'put back': 16, // a backup: what was done after its moment is not in the history any more
} as const;

export const WAYS = { form: 1, setup: 2, 'command line': 3, link: 4, undo: 5, bulk: 6, import: 7 } as const;

export const ACTORS = { user: 1, visitor: 2, 'command line': 3 } as const;

/** What is done to how people sign in, as it is kept: with these words, whatever is shown. */
export type AccessEvent =
  | 'access link made'
  | 'access link not sent by mail'
  | 'access link sent by mail'
  | 'access link withdrawn'
  | 'all sessions ended'
  | 'first administrator made'
  | 'invited'
  | 'let in again'
  | 'made an administrator'
  | 'other sessions ended'
  | 'password changed'
  | 'password set by link'
  | 'recovery codes renewed'
  | 'second factor removed'
  | 'second factor replaced'
  | 'second factor required of'
  | 'second factor set'
  | 'second factors given up'
  | 'session ended';

export const ROLE_CHANGED = 'role changed';

export type Kind = keyof typeof KINDS;
export type KeptField = keyof typeof KEPT_FIELDS;

/** Seen by administrators, and by whom it is about. */
export function isAboutAccess(kind: Kind): boolean {
  return ['access', 'role', 'own role'].includes(kind);
}

/** Undefined for one that a newer Roster has given. */
export function nameOfCode<N extends string>(
  codes: Readonly<Record<N, number>>,
  code: number,
): N | undefined {
  return (Object.keys(codes) as N[]).find((name) => codes[name] === code);
}
