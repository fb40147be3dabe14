/** What every database offers to those who search: users whose search text has all of some terms. */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Deadline } from '../lib/deadline.ts';
import type { Term } from '../search/terms.ts';
import type { Db, Schema } from './schema.ts';

export type Condition = (where: ExpressionBuilder<Schema, 'users'>) => Expression<SqlBool>;

export type SearchQuery = {
  terms: readonly Term[];
  condition: Condition | undefined;
  range?: { operator: '<' | '<=' | '>' | '>='; id: number } | undefined;
  /** Undefined where any order will do. */
  isReversed: boolean | undefined;
  offset?: number;
  limit: number;
};

export type SearchIndex = {
  readonly prefixOnly: boolean;
  /** For those who were found by something else. */
  has(term: Term): Expression<SqlBool>;
  /** Whether more than so many have all of some terms, where that is known sooner than who they are; else false. */
  hasMoreThan?(db: Db, most: number, terms: readonly Term[]): Promise<boolean>;
  /** @throws TooBroadError */
  find(db: Db, query: SearchQuery, deadline: Deadline): Promise<number[]>;
};
