/** A constant that is written out in a statement: for an index of some rows alone, which SQLite takes for no value beside it. */
import { type RawBuilder, sql } from 'kysely';

/** @param value never what somebody has typed */
export function literal<Value extends string>(value: Value): RawBuilder<Value> {
  return sql.lit(value);
}
