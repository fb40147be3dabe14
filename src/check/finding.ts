/** What a check finds: what is wrong, and what to do about it, a sentence each. */
import type { Db } from '../db/schema.ts';

export type Finding = { what: string; todo: string };

/** `kind`: what several of the same have in common, in the plural. */
export type Fault = Finding & { kind: string };

export type Check = {
  /** What is looked at. */
  name: string;
  /** Whether it takes long with millions of users. */
  isLong: boolean;
  find: (db: Db, options: { quick: boolean }) => AsyncIterable<Fault>;
};

/** For what no Roster writes. */
export const PUT_BACK =
  'Roster does not write that: a disk or another program has. Put back the last backup that checks clean: npm run roster -- restore FILE.';

export const REBUILD = 'Have it made anew: npm run roster -- rebuild-search.';
