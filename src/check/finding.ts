/** What a check finds: what is wrong, and what to do about it, a sentence each. */
import type { Db } from '../db/schema.ts';

export type Finding = { what: string; todo: string };

/** `kind`: what several of the same have in common, in the plural. */
export type Fault = Finding & { kind: string };

/** `quick`: without what takes long. `ledger`, `secretKeyFile`: the paths of who was erased, and of the key, where they are known. */
export type CheckOptions = { quick: boolean; ledger: string | undefined; secretKeyFile: string | undefined };

export type Check = {
  name: string;
  isLong: boolean;
  /** Where it cannot be read to its end, if it is something of its own. */
  cure?: string;
  find: (db: Db, how: CheckOptions) => AsyncIterable<Fault>;
};

export const PUT_BACK =
  'Roster does not write that: a disk or another program has. Put back the last backup that checks clean: npm run roster -- restore FILE.';

export const DAMAGED =
  'Look after the disk: it loses what is written. Stop Roster, keep the files as they are, and put back the last backup: npm run roster -- restore FILE.';

export const REBUILD = 'Have it made anew: npm run roster -- rebuild-search.';
