/** Who acts: every change that is made has one, and what was done is noted with them. */
import type { Role, Trx } from '../db/schema.ts';
import { afterCommit } from '../db/transact.ts';
import { ForbiddenError } from '../errors.ts';
import { type Rule, whoMay } from './policy.ts';

type Named = { id: number; username: string };

export type Actor = {
  /** Who it is; undefined where nobody is signed in: see `via`. */
  user: Named | undefined;
  role: Role;
  /** `open` while there is no administrator, and whoever is there may do what an editor may. */
  via: 'form' | 'open' | 'setup' | 'link' | 'command line';
  /** Where the request came from, if there was one. */
  address: string | undefined;
  /** Notes what was done, for whoever reads the log. */
  note: (event: string, user?: Named) => void;
};

/** Whoever can run commands on the machine. */
export const commandLine: Actor = {
  user: undefined,
  role: 'admin',
  via: 'command line',
  address: undefined,
  note: () => {},
};

/** Notes what an actor has done, once it is saved. */
export function audit(trx: Trx, actor: Actor, event: string, user?: Named): void {
  afterCommit(trx, () => actor.note(event, user));
}

/** @throws ForbiddenError unless someone may do something. */
export function authorize(actor: Pick<Actor, 'role'> | undefined, may: Rule): void {
  if (actor === undefined || !may(actor)) throw new ForbiddenError(whoMay(may));
}
