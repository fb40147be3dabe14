/** What an import is made of, as it is kept: how it was read, what somebody has chosen, and what it comes to. */
import type { Role } from '../db/schema.ts';
import type { FieldChanges } from '../history/fields.ts';
import type { UserChanges } from '../users/validation.ts';
import type { Choice, Field, Problem, Reading } from './reading/reading.ts';

export const VERDICTS = ['created', 'changed', 'same', 'refused'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** By what a row is found to be about somebody who is there. */
export const MATCHES = ['username', 'email', 'id'] as const satisfies Field[];
export type Match = (typeof MATCHES)[number];

/** What an empty cell does to a full name. */
export const EMPTIES = ['leave', 'clear'] as const;
export type Empty = (typeof EMPTIES)[number];

export const MADE_OF = ['email'] as const satisfies Field[];
type MadeOf = (typeof MADE_OF)[number];

export type Choices = Choice & { match?: Match; empty?: Empty; usernames?: MadeOf };

/** With the import whose refused rows are brought back. */
export type KeptChoices = Choices & { of?: number | undefined };

export type HowRead = Reading & { match: Match; empty: Empty; usernames?: MadeOf | undefined };

/** Of all rows; while it is read, of those that have been judged so far, `read` are there already. The verdicts add up to the rows. */
export type Totals = Readonly<Record<Verdict, number>> & {
  rows: number;
  fields: Readonly<Partial<Record<Field, number>>>;
  /** How many rows have found whoever is there by another cell than was chosen, if any. */
  otherwise?: Readonly<Partial<Record<Match, number>>>;
  roles?: Readonly<Partial<Record<Role, number>>>;
  /** Of how many the full name stays, since the file has lost letters of it. */
  lost?: number;
  /** How many full names that would be written have a sign in them that may stand for a lost letter. */
  doubtful?: number;
  /** How many rows of nothing but empty cells are left out, and none of the rows. */
  empty?: number | undefined;
  /** Who becomes one, created or changed, if anybody: how many, and the usernames of the first. */
  administrators?: { count: number; names: readonly string[] };
  /** Of rows whose verdict is another one than it was when it was shown: as `differences` has them. */
  differences: number;
  read: number;
  /** Who was there and is not in the file; once all of it is read. */
  absent?: number | undefined;
};

export const MOST_REFUSED_KEPT = 10_000;

/** `isTaken`: somebody else has what a row gives; another row of the same file may take it from them. */
export type Reason = Problem & { isTaken?: true };

export type Target = { id: number; username: string };

/** `lost`: letters of the full name are, which stays. */
export type Does = { username: string; fields: FieldChanges; lost?: true };

/** What a row says; for who is new alone `made`, a username, and `name`. `by`: by what somebody is found, if not by what was chosen. */
export type Said = UserChanges & { made?: string; name?: string; by?: Match };

export type RefusedRow = { row: number; line: number; cells: readonly string[]; reasons: readonly Reason[] };

/** `values`: what the row says; `fields`: what it changes of whom it is about. */
export type ShownRow = {
  row: number;
  line: number;
  verdict: Verdict;
  user: Target | undefined;
  /** Of whom it is about, as they were when it was judged. */
  version: number | null;
  /** By what they were found, where it is not what was chosen. */
  by: Match | undefined;
  values: UserChanges;
  fields: FieldChanges;
  reasons: readonly Reason[];
};

export type RowDifference = { was: ShownRow; is: ShownRow };
