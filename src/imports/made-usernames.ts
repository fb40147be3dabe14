/** Usernames for who is new in a file without any: made of their emails, the same ones whenever it is read. */
import type { Db } from '../db/schema.ts';
import { usersByKeys } from '../db/users-by-keys.ts';
import { textKey } from '../lib/text.ts';
import { usernameFrom } from '../users/validation.ts';
import { BloomFilter } from './bloom-filter.ts';
import type { Field, Row } from './reading/reading.ts';
import type { HowRead } from './types.ts';

/** Of so many names it is known how far their numbers go; of others it is found out again. */
const MOST_KNOWN = 50_000;
/** So often it is looked for the next number that is free; whoever has none then is refused. */
const MOST_ROUNDS = 500;

export function makesUsernames({ columns, usernames }: Pick<HowRead, 'columns' | 'usernames'>): boolean {
  return usernames === 'email' && !columns.some(({ field }) => field === 'username');
}

export function lacksUsernames(how: Pick<HowRead, 'columns' | 'usernames'>): boolean {
  const has = (name: Field) => how.columns.some(({ field }) => field === name);
  return has('email') && !has('username') && !makesUsernames(how);
}

export class UsernameMaker {
  readonly #db: Db;
  readonly #given = new BloomFilter();
  /** The number of the last one, of names that several would have. */
  readonly #last = new Map<string, number>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** @returns with those of the rows that are about nobody who is there */
  async make(rows: readonly Row[]): Promise<Map<Row, string>> {
    const known = await usersByKeys(this.#db, 'email_key', rows.flatMap(emailKeyOf));
    const keys = new Set(known.map(({ email_key }) => email_key));
    let open = rows.filter((row) => emailKeyOf(row).some((key) => !keys.has(key)));
    const made = new Map<Row, string>();
    for (let round = 0; open.length > 0 && round < MOST_ROUNDS; round++) {
      for (const row of open) made.set(row, this.#next(row.values.email ?? ''));
      const names = open.map((row) => textKey(made.get(row) ?? ''));
      const holders = await usersByKeys(this.#db, 'username_key', names);
      const taken = new Set(holders.map(({ username_key }) => username_key));
      open = open.filter((row) => taken.has(textKey(made.get(row) ?? '')));
    }
    for (const row of open) made.delete(row);
    return made;
  }

  #next(email: string): string {
    const first = textKey(usernameFrom(email));
    for (let number = (this.#last.get(first) ?? 0) + 1; ; number++) {
      const name = usernameFrom(email, number);
      if (this.#given.add(textKey(name))) continue;
      if (number > 1) this.#note(first, number);
      return name;
    }
  }

  #note(first: string, number: number): void {
    if (this.#last.size >= MOST_KNOWN) this.#last.clear();
    this.#last.set(first, number);
  }
}

function emailKeyOf({ values: { email } }: Row): string[] {
  return email === undefined ? [] : [textKey(email)];
}
