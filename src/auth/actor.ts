/** Who acts: every change that is made has one, and what was done is noted with them. */
import type { ChangeSet, Role, Trx } from '../db/schema.ts';
import { afterCommit } from '../db/transact.ts';
import { ForbiddenError } from '../errors.ts';
import { type Rule, whoMay } from './policy.ts';

type Named = { id: number; username: string };

type NoteFields = { job: number };

export type Actor = {
  user: Named | undefined;
  role: Role;
  /** `open` while there is no administrator: whoever is there may do what an editor may, and has no `user`. */
  via: 'form' | 'open' | 'setup' | 'link' | 'undo' | 'bulk' | 'import' | 'command line';
  address: string | undefined;
  /** One that is open, for what is done to many users at once. */
  changeSet?: Pick<ChangeSet, 'id' | 'at' | 'kind' | 'subject_id'>;
  note: (event: string, user?: Named, more?: NoteFields) => void;
};

export const commandLine: Actor = {
  user: undefined,
  role: 'admin',
  via: 'command line',
  address: undefined,
  note: () => {},
};

export function audit(trx: Trx, actor: Actor, event: string, user?: Named): void {
  afterCommit(trx, () => actor.note(event, user));
}

/** @throws ForbiddenError unless the actor may do it. */
export function authorize(actor: Pick<Actor, 'role'> | undefined, may: Rule): void {
  if (actor === undefined || !may(actor)) throw new ForbiddenError(whoMay(may));
}
