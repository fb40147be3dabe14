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
  isReversed: boolean;
  offset?: number;
  limit: number;
};

export type Asked = Pick<SearchQuery, 'terms' | 'condition'>;

/** Ascending; `first`: some, or none, who come before all others. */
export type Found = { kind: 'all'; ids: readonly number[] } | { kind: 'too many'; first: readonly number[] };

export type SearchIndex = {
  readonly prefixOnly: boolean;
  /** For those who were found by something else. */
  has(term: Term): Expression<SqlBool>;
  /** @throws TooBroadError */
  find(db: Db, query: SearchQuery, deadline: Deadline): Promise<number[]>;
  /** That there are more than `most` may be known sooner than who they are. @throws TooBroadError */
  findAll(db: Db, query: Asked, most: number, deadline: Deadline): Promise<Found>;
};
