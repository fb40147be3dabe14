/** What of a form somebody else has already: all that is wrong with it is said at once. */
import type { Db, User } from '../db/schema.ts';
import type { Fields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { findHolders } from './queries.ts';

type Errors = Readonly<Record<string, string>>;

export type Refusal = { errors: Errors; holders: { username?: User; email?: User } };

/** The problems that are known, and what is taken, beside whose that is. */
export async function refusalOf(
  db: Db,
  values: Fields,
  problems: Errors,
  exceptId?: number,
): Promise<Refusal> {
  const sound = Object.entries(values).filter(([name]) => !(name in problems));
  const holders = await findHolders(db, Object.fromEntries(sound), exceptId);
  const taken = Object.entries(holders).map(([name, { username }]) => [
    name,
    `That ${name} already belongs to ${named(username)}.`,
  ]);
  const errors: Record<string, string> = { ...Object.fromEntries(taken), ...problems };
  // Whoever had it has let go of it since.
  if (Object.keys(errors).length === 0)
    errors.username =
      'Somebody else had this username or email until a moment ago. It is free now: send the form again.';
  return { errors, holders };
}
