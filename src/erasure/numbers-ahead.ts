/** Numbers are noted outside of the database before they are given, some ahead at a time: whoever is killed has given none that is not. */
import { randomUUID } from 'node:crypto';
import type { NumberedTable } from '../db/engine.ts';
import { watchNumbers } from '../db/numbers.ts';
import type { Db, Trx } from '../db/schema.ts';
import { appendToLedger, lastIdsOfLine } from './ledger.ts';
import { readLastIds } from './numbers.ts';
import { readNames } from './queries.ts';

/** So many at a time, and of many a share: each line is synced, and all are read at a start. */
const FEWEST = 100;
const SHARE = 50;

/** Of one table: the highest that was given, and what is noted. */
type Ahead = { given: number; upTo: number };

/** Until it is closed. @param warn is told where they cannot be noted: they are given all the same */
export function noteNumbersAhead(db: Db, ledger: string, warn: (error: Error) => void): void {
  const numbers = new NumbersAhead(ledger, warn);
  watchNumbers(db, (trx, table, id) => numbers.pass(trx, table, id));
  const destroy = db.destroy.bind(db);
  db.destroy = async () => {
    await numbers.giveBack(db);
    await destroy();
  };
}

class NumbersAhead {
  readonly #ledger: string;
  readonly #warn: (error: Error) => void;
  /** Another one that works on the database has its own. */
  readonly #by = randomUUID();
  #isFailing = false;
  readonly #tables = new Map<NumberedTable, Ahead>();

  constructor(ledger: string, warn: (error: Error) => void) {
    this.#ledger = ledger;
    this.#warn = warn;
  }

  async pass(trx: Trx, table: NumberedTable, id: number): Promise<void> {
    const numbers = this.#tables.get(table) ?? { given: 0, upTo: 0 };
    this.#tables.set(table, numbers);
    numbers.given = Math.max(numbers.given, id);
    if (numbers.given <= numbers.upTo) return;
    try {
      await this.#extend(trx);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#warn(error as Error);
      this.#isFailing = true;
    }
  }

  /** Of all tables in one line. */
  async #extend(trx: Trx): Promise<void> {
    const reach = [...this.#tables].map(([table, { given }]) => {
      return [table, given + Math.max(FEWEST, Math.floor(given / SHARE))] as const;
    });
    await this.#note(trx, { lastId: 0, upTo: Object.fromEntries(reach) });
    for (const [table, upTo] of reach) {
      const numbers = this.#tables.get(table);
      if (numbers) numbers.upTo = upTo;
    }
  }

  /** Where that fails, some numbers are left out. */
  async giveBack(db: Db): Promise<void> {
    if (this.#tables.size === 0) return;
    await readLastIds(db)
      .then((lastIds) => this.#note(db, lastIdsOfLine(lastIds)))
      .catch(() => {});
    this.#tables.clear();
  }

  async #note(db: Db, numbers: Omit<Parameters<typeof appendToLedger>[1], 'database' | 'by' | 'users'>) {
    for (const database of await readNames(db))
      appendToLedger(this.#ledger, { database, by: this.#by, ...numbers, users: [] });
  }
}
