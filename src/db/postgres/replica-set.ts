/** All replicas: they are looked at all the time, and each page is given one that is not too old for it. */
import { Kysely, sql } from 'kysely';
import type { ReplicaState, Replicas } from '../replicas.ts';
import type { Db, Schema } from '../schema.ts';
import { PostgresConnection } from './connection.ts';
import { dialectOf, RosterPostgresAdapter } from './dialect.ts';
import type { ConnectionPool } from './pool.ts';
import { Progress } from './progress.ts';
import { openReader } from './reader.ts';
import { IDENTITY, openWatch, Replica } from './replica.ts';

/** In milliseconds. */
const INTERVAL = 500;
/** In a row, of looks at the primary: then it is away. */
const MOST_FAILURES = 2;
/** In milliseconds: a failover is over by then; for longer nobody knows whether only Roster does not reach it. */
const LONGEST_AWAY = 60_000;

/** `urls`: of one replica each; `longestLag`: with which one is used, in milliseconds. */
export type Following = { urls: readonly string[]; longestLag: number };

/** Resolves once all have been looked at. @param primary whose connections there are as many of to each */
export async function openReplicas(
  url: string,
  primary: ConnectionPool,
  connections: number,
  following: Following,
): Promise<Replicas> {
  const replicas = new ReplicaSet(url, primary, connections, following);
  await replicas.begin();
  return replicas;
}

class ReplicaSet implements Replicas {
  readonly chosen = { replica: 0, primary: 0 };
  readonly #primary: ConnectionPool;
  readonly #adapter: RosterPostgresAdapter;
  readonly #db: Db;
  readonly #watch: Db;
  readonly #replicas: readonly Replica[];
  readonly #longestLag: number;
  readonly #progress: Progress;
  readonly #observers = new Set<(state: ReplicaState) => void>();
  #identity: string | undefined;
  #seenAt = 0;
  #failures = 0;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(url: string, primary: ConnectionPool, connections: number, { urls, longestLag }: Following) {
    const tell = (state: ReplicaState) => {
      for (const observer of this.#observers) observer(state);
    };
    const requests = { connections, timing: primary.timing };
    this.#primary = primary;
    this.#adapter = new RosterPostgresAdapter(primary);
    this.#db = new Kysely<Schema>({
      dialect: dialectOf(this.#adapter, () => new PostgresConnection(primary)),
    });
    this.#watch = openWatch(url);
    this.#replicas = urls.map((replica) => new Replica(replica, requests, tell));
    this.#longestLag = longestLag;
    this.#progress = new Progress(longestLag);
  }

  choose(position: number, key: number): Db | undefined {
    const first = key % this.#replicas.length;
    const inTurn = [...this.#replicas.slice(first), ...this.#replicas.slice(0, first)];
    const replica = inTurn.find((one) => one.isUsed && one.position >= position);
    this.chosen[replica ? 'replica' : 'primary']++;
    return replica && openReader(this.#adapter, replica, this.#primary);
  }

  standIn(): Db | undefined {
    const isAway = this.#failures >= MOST_FAILURES && performance.now() - this.#seenAt < LONGEST_AWAY;
    if (!isAway) return undefined;
    const [first] = this.#replicas
      .filter((one) => one.isUsed && one.hasAll && one.position >= this.#progress.last)
      .sort((one, other) => other.position - one.position);
    return first && openReader(this.#adapter, first, this.#primary);
  }

  async readPosition(): Promise<number> {
    // Where the next record goes: a commit that is told before it is written (`synchronous_commit`) is before it, too.
    const { rows } = await sql<{ position: number }>`
      select pg_current_wal_insert_lsn() - '0/0' as position`.execute(this.#db);
    const [{ position }] = rows as [{ position: number }];
    return position;
  }

  states(): ReplicaState[] {
    return this.#replicas.map(({ state }) => state);
  }

  observe(observer: (state: ReplicaState) => void): () => void {
    for (const state of this.states()) if (state.problem !== undefined) observer(state);
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  async begin(): Promise<void> {
    await this.#lookAtPrimary();
    await this.#lookAtReplicas();
    this.#timer = setInterval(() => {
      void this.#lookAtPrimary();
      void this.#lookAtReplicas();
    }, INTERVAL).unref();
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#watch.destroy(), ...this.#replicas.map((one) => one.end())]);
  }

  async #lookAtReplicas(): Promise<void> {
    const lagOf = (position: number) => this.#progress.lagOf(position, performance.now());
    await Promise.all(this.#replicas.map((one) => one.look(this.#identity, lagOf, this.#longestLag)));
  }

  /** Where it does not answer, what was known of it is still true. */
  async #lookAtPrimary(): Promise<void> {
    this.#looking ??= this.#readPrimary(performance.now())
      .catch(() => {
        this.#failures++;
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #readPrimary(at: number): Promise<void> {
    // As far as it is written: where the next record goes may be behind a page's header, where no replica is before that.
    const { rows } = await sql<{ position: number; identity: string }>`
      select pg_current_wal_lsn() - '0/0' as position, ${IDENTITY} as identity`.execute(this.#watch);
    for (const { position, identity } of rows) {
      this.#progress.note(at, position);
      this.#identity = identity;
      this.#seenAt = at;
      this.#failures = 0;
    }
  }
}
