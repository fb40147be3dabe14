/** What every database offers to those who search: users whose search text has all of some terms. */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Deadline } from '../deadline.ts';
import type { Term } from '../search/terms.ts';
import type { Db, Schema } from './schema.ts';

/** A condition on a user. */
export type Condition = (where: ExpressionBuilder<Schema, 'users'>) => Expression<SqlBool>;

export type SearchQuery = {
  terms: readonly Term[];
  /** What else is asked of a user. */
  condition: Condition | undefined;
  /** Only users on this side of an id. */
  range?: { operator: '<' | '<=' | '>' | '>='; id: number } | undefined;
  /** From the highest id down. */
  isReversed: boolean;
  /** How many are passed over first. */
  offset?: number;
  limit: number;
};

export type SearchIndex = {
  /** Whether it finds terms at the start of a field alone. */
  readonly prefixOnly: boolean;
  /** Whether a user has the term: for those who were found by something else. */
  has(term: Term): Expression<SqlBool>;
  /**
   * The ids of the first `limit` users whom a query finds, in order.
   * @throws TooBroadError
   */
  find(db: Db, query: SearchQuery, deadline: Deadline): Promise<number[]>;
};
