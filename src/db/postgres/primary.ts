/** What is known of the primary, by looks at it and by what pages and forms are answered: how far its log is, and whether it is away. */
import { Kysely, sql } from 'kysely';
import { UnavailableError } from '../../errors.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import type { Db, Schema } from '../schema.ts';
import { PostgresConnection } from './connection.ts';
import { dialectOf, type RosterPostgresAdapter } from './dialect.ts';
import { LogPositions } from './log-positions.ts';
import type { ConnectionPool } from './pool.ts';
import { IDENTITY, openProbe, SILENCE, TIMELINE } from './probe.ts';

/** How far the log is written: where the next record goes may be behind a page's header, where no replica is before that. */
const WRITTEN = sql<number>`pg_current_wal_lsn() - '0/0'`;

/** `cameToAnother`: its log goes on as another timeline; `wentAway`: no look was answered, nor anything else for a second. */
type PrimaryEvents = { cameToAnother(): void; wentAway(): void };

export class Primary {
  readonly pool: ConnectionPool;
  readonly db: Db;
  readonly positions: LogPositions;
  identity: string | undefined;
  timeline: string | undefined;
  readonly #watch: Db;
  readonly #events: PrimaryEvents;
  #seenAt = performance.now();
  #hasFailed = false;
  /** How far those were told to wait for who were answered last. */
  #told = 0;
  readonly #looking = new SingleFlight<void>();

  /** @param longestLag with which a replica is used, in milliseconds */
  constructor(
    url: string,
    pool: ConnectionPool,
    adapter: RosterPostgresAdapter,
    longestLag: number,
    events: PrimaryEvents,
  ) {
    this.pool = pool;
    this.db = new Kysely<Schema>({ dialect: dialectOf(adapter, () => new PostgresConnection(pool)) });
    this.positions = new LogPositions(longestLag);
    this.#watch = openProbe(url);
    this.#events = events;
  }

  /** Neither a look nor a page is answered. */
  get isAway(): boolean {
    return this.#hasFailed && this.isSilentFor(SILENCE);
  }

  isSilentFor(time: number): boolean {
    return this.#answeredAt < performance.now() - time;
  }

  /** Before which all is that is known to be saved. */
  get saved(): number {
    return Math.max(this.positions.last, this.#told);
  }

  /** @throws UnavailableError at once while it is away */
  async readPosition(): Promise<number> {
    if (this.isAway) throw new UnavailableError('the primary is away');
    // Where the next record goes: a commit that is told before it is written (`synchronous_commit`) is before it, too.
    type Row = { position: number; written: number; timeline: string };
    const { rows } = await sql<Row>`
      select pg_current_wal_insert_lsn() - '0/0' as position, ${WRITTEN} as written, ${TIMELINE} as timeline`.execute(
      this.db,
    );
    const [{ position, written, timeline }] = rows as [Row];
    this.#comeTo(timeline);
    this.#told = Math.max(this.#told, written);
    return position;
  }

  /** Where it does not answer, what was known of it is still true. */
  look(): Promise<void> {
    return this.#looking.run(() =>
      this.#note(performance.now()).catch(() => {
        this.#hasFailed = true;
        this.#tellOnceAway();
      }),
    );
  }

  /** Whether it has not come to where a replica is, as one that was primary, and saved what no other one got. While it does not answer nobody knows. */
  async isBefore(position: number): Promise<boolean> {
    if (position <= this.positions.last) return false;
    // A look that began before may have seen less.
    await this.#looking.underWay;
    if (this.#hasFailed) return false;
    await this.look();
    return !this.#hasFailed && position > this.positions.last;
  }

  async end(): Promise<void> {
    await this.#watch.destroy();
  }

  get #answeredAt(): number {
    return Math.max(this.#seenAt, this.pool.answeredAt);
  }

  /** Not only at the next look: whoever waits may be given up before, and come again when nothing stands in any more. */
  #tellOnceAway(): void {
    const left = this.#answeredAt + SILENCE - performance.now();
    // A timer may be a millisecond early.
    setTimeout(() => this.#events.wentAway(), Math.max(0, left) + 2).unref();
  }

  async #note(at: number): Promise<void> {
    const { rows } = await sql<{ position: number; identity: string; timeline: string }>`
      select ${WRITTEN} as position, ${IDENTITY} as identity, ${TIMELINE} as timeline`.execute(this.#watch);
    for (const { position, identity, timeline } of rows) {
      this.#comeTo(timeline);
      this.positions.note(at, position);
      this.identity = identity;
      this.#seenAt = performance.now();
      this.#hasFailed = false;
    }
  }

  #comeTo(timeline: string): void {
    const isAnother = this.timeline !== undefined && timeline !== this.timeline;
    this.timeline = timeline;
    if (!isAnother) return;
    this.#told = 0;
    this.#events.cameToAnother();
  }
}
