/** A hash of each user’s number and version: sums of them tell whether many are the same, and as they were. */
import { sql } from 'kysely';

/** The hashes of ten million then add up to what JavaScript can count to. */
const PRIME = sql.lit(99_999_989);
const WHO = sql`(users.id * 1009 + users.version) % ${PRIME}`;

/** Squared: what is linear would add up to the same wherever numbers and versions do. */
export const USER_HASH = sql<number | string>`(${WHO}) * (${WHO}) % ${PRIME}`;
