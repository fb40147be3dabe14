/** Numbers are noted outside of the database before they are given, some ahead at a time: whoever is killed has given none that is not. */
import { randomUUID } from 'node:crypto';
import type { NumberedTable } from '../db/engine.ts';
import { watchNumbers } from '../db/numbers.ts';
import type { Db, Trx } from '../db/schema.ts';
import { appendToLedger, lastIdsOfLine } from './ledger.ts';
import { readLastIds } from './numbers.ts';
import { readNames } from './queries.ts';

const FEWEST = 100;
const MOST = FEWEST * 2 ** 10;
/** In milliseconds: numbers that are used up in less were too few. A line takes some, for it is synced. */
const TO_LAST = 1_000;

/** Of one table: `given`, the highest; `upTo`, what is noted; `step`, how many at once, and when that was. */
type Ahead = { given: number; upTo: number; step: number; at: number };

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
    const numbers = this.#tables.get(table) ?? { given: 0, upTo: 0, step: FEWEST, at: -Infinity };
    this.#tables.set(table, numbers);
    numbers.given = Math.max(numbers.given, id);
    if (numbers.given <= numbers.upTo) return;
    try {
      await this.#extend(trx, numbers);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#warn(error as Error);
      this.#isFailing = true;
    }
  }

  async #extend(trx: Trx, numbers: Ahead): Promise<void> {
    const now = performance.now();
    const { step, at } = numbers;
    numbers.step = now - at < TO_LAST ? Math.min(2 * step, MOST) : Math.max(step / 2, FEWEST);
    numbers.at = now;
    // Those of other tables in the same line.
    const reach = [...this.#tables].map(([table, { given, step }]) => [table, given + step] as const);
    await this.#note(trx, { lastId: 0, upTo: Object.fromEntries(reach) });
    for (const [table, upTo] of reach) {
      const ahead = this.#tables.get(table);
      if (ahead) ahead.upTo = upTo;
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
