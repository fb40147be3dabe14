/** Numbers are noted outside of the database before they are given, some ahead at a time: whoever is killed has given none that is not. */
import { randomUUID } from 'node:crypto';
import { watchAssignedIds } from '../db/assigned-ids.ts';
import type { NumberedTable } from '../db/engine.ts';
import type { Db, Trx } from '../db/schema.ts';
import { monotonicTime, type Stopwatch } from '../lib/clock.ts';
import { readLastIds } from './last-ids.ts';
import { appendToLedger, type LedgerLine, lastIdsOfLine } from './ledger.ts';
import { readNames } from './queries.ts';

/** A share of what there is at a time: each line is synced, and all are read at a start; but no more than a command may leave out. */
const FEWEST = 100;
const SHARE = 50;
const MOST = 1_000;

/** Where they cannot be noted it is tried again after that: somebody waits meanwhile. */
const PAUSE_MS = 1_000;

type Reservation = { given: number; upTo: number };

/** Until it is closed. @param warn is told where they cannot be noted: they are given all the same */
export function reserveIds(
  db: Db,
  ledger: string,
  warn: (error: Error) => void,
  stopwatch = monotonicTime,
): void {
  const numbers = new IdReservations(ledger, warn, stopwatch);
  watchAssignedIds(db, (trx, table, id) => numbers.pass(trx, table, id));
  const destroy = db.destroy.bind(db);
  db.destroy = async () => {
    await numbers.giveBack(db);
    await destroy();
  };
}

class IdReservations {
  readonly #ledger: string;
  readonly #warn: (error: Error) => void;
  readonly #stopwatch: Stopwatch;
  /** Another one that works on the database has its own. */
  readonly #by = randomUUID();
  #isFailing = false;
  #failedAt = Number.NEGATIVE_INFINITY;
  readonly #tables = new Map<NumberedTable, Reservation>();

  constructor(ledger: string, warn: (error: Error) => void, stopwatch: Stopwatch) {
    this.#ledger = ledger;
    this.#warn = warn;
    this.#stopwatch = stopwatch;
  }

  async pass(trx: Trx, table: NumberedTable, id: number): Promise<void> {
    const numbers = this.#tables.get(table) ?? { given: 0, upTo: 0 };
    this.#tables.set(table, numbers);
    numbers.given = Math.max(numbers.given, id);
    if (numbers.given <= numbers.upTo || this.#isPausing) return;
    const names = await readNames(trx);
    // Another transaction may have noted it meanwhile. Nothing is waited for from here on: the last line counts.
    if (numbers.given <= numbers.upTo || this.#isPausing) return;
    try {
      this.#extend(names);
      this.#isFailing = false;
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #extend(names: readonly string[]): void {
    const reach = [...this.#tables].map(([table, { given }]) => [table, reachOf(given)] as const);
    this.#note(names, { lastId: 0, upTo: Object.fromEntries(reach) });
    for (const [table, upTo] of reach) {
      const numbers = this.#tables.get(table);
      if (numbers) numbers.upTo = upTo;
    }
  }

  get #isPausing(): boolean {
    return this.#stopwatch() < this.#failedAt + PAUSE_MS;
  }

  #fail(error: Error): void {
    if (!this.#isFailing) this.#warn(error);
    this.#isFailing = true;
    this.#failedAt = this.#stopwatch();
  }

  /** Where that fails, some numbers are left out. */
  async giveBack(db: Db): Promise<void> {
    if (this.#tables.size === 0) return;
    try {
      this.#note(await readNames(db), lastIdsOfLine(await readLastIds(db)));
    } catch (error) {
      this.#fail(error as Error);
    }
    this.#tables.clear();
  }

  #note(names: readonly string[], numbers: Pick<LedgerLine, 'lastId' | 'others' | 'upTo'>): void {
    for (const database of names)
      appendToLedger(this.#ledger, { database, by: this.#by, ...numbers, users: [] });
  }
}

function reachOf(given: number): number {
  return given + Math.min(MOST, Math.max(FEWEST, Math.floor(given / SHARE)));
}
