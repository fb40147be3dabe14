/** All replicas: they are looked at all the time, and each page is given one that is not too old for it. */
import { Kysely, sql } from 'kysely';
import { UnavailableError } from '../../errors.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import type { ReplicaState, Replicas } from '../replicas.ts';
import type { Db, Schema } from '../schema.ts';
import { PostgresConnection } from './connection.ts';
import { dialectOf, RosterPostgresAdapter } from './dialect.ts';
import { LogPositions } from './log-positions.ts';
import type { ConnectionPool } from './pool.ts';
import { openReader, type Primary } from './reader.ts';
import { IDENTITY, type Known, openWatch, Replica, SILENCE, TIMELINE } from './replica.ts';

/** In milliseconds. */
const INTERVAL = 500;

/** How far the log is written: where the next record goes may be behind a page's header, where no replica is before that. */
const WRITTEN = sql<number>`pg_current_wal_lsn() - '0/0'`;

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
  readonly #positions: LogPositions;
  readonly #observers = new Set<(state: ReplicaState) => void>();
  #identity: string | undefined;
  #timeline: string | undefined;
  #seenAt = performance.now();
  #hasFailed = false;
  /** How far those were told to wait for who were answered last. */
  #told = 0;
  /** What is being read at the primary; told once something stands in for it. */
  readonly #waiting = new Set<() => void>();
  readonly #looking = new SingleFlight<void>();
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
    this.#positions = new LogPositions(longestLag);
  }

  choose(position: number, key: number): Db | undefined {
    const first = key % this.#replicas.length;
    const inTurn = [...this.#replicas.slice(first), ...this.#replicas.slice(0, first)];
    const replica =
      inTurn.find((one) => one.isUsed && one.position >= position) ?? this.#findStandIn(position);
    this.chosen[replica ? 'replica' : 'primary']++;
    return replica && this.#reader(replica, (read) => this.readPrimary(read, position));
  }

  atPrimary(position: number): Db {
    return this.#reader(undefined, (read) => this.readPrimary(read, position));
  }

  standIn(position = 0): Db | undefined {
    const replica = this.#findStandIn(position);
    // What it fails no other one is asked: they would be asked in turn, without end.
    return replica && this.#reader(replica, (read) => read(this.#db));
  }

  get hasStandIn(): boolean {
    return this.#findStandIn() !== undefined;
  }

  async readPrimary<T>(read: (db: Db) => Promise<T>, position = 0): Promise<T> {
    const standIn = this.standIn(position);
    if (standIn) return read(standIn);
    const { promise, resolve } = Promise.withResolvers<Db>();
    const tell = () => {
      const found = this.standIn(position);
      if (found) resolve(found);
      return found;
    };
    const elsewhere = promise.then(read);
    const here = read(this.#db).catch((error) => {
      if (tell()) return elsewhere;
      throw error;
    });
    this.#waiting.add(tell);
    // What is given up ends by itself, unheard.
    return Promise.race([here, elsewhere]).finally(() => this.#waiting.delete(tell));
  }

  unlessAway(work: Promise<void>): Promise<void> {
    return this.readPrimary(async (db) => {
      if (db === this.#db) await work;
    });
  }

  async readPosition(): Promise<number> {
    if (this.#isAway) throw new UnavailableError('the primary is away');
    // Where the next record goes: a commit that is told before it is written (`synchronous_commit`) is before it, too.
    type Row = { position: number; written: number; timeline: string };
    const { rows } = await sql<Row>`
      select pg_current_wal_insert_lsn() - '0/0' as position, ${WRITTEN} as written, ${TIMELINE} as timeline`.execute(
      this.#db,
    );
    const [{ position, written, timeline }] = rows as [Row];
    this.#comeTo(timeline);
    this.#told = Math.max(this.#told, written);
    return position;
  }

  isSilentSince(time: number): boolean {
    return this.#answeredAt < time;
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
    this.#timer = setInterval(() => void this.#look(), INTERVAL).unref();
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#watch.destroy(), ...this.#replicas.map((one) => one.end())]);
  }

  #reader(replica: Replica | undefined, read: Primary['read']): Db {
    return openReader(this.#adapter, replica, { db: this.#db, pool: this.#primary, read });
  }

  #findStandIn(position = 0): Replica | undefined {
    if (!this.#isAway || this.#replicas.some((one) => one.mayBeWritten(this.#timeline))) return undefined;
    const saved = Math.max(this.#positions.last, this.#told, position);
    return this.#replicas
      .filter((one) => one.isUsed && one.hasAll && one.position >= saved)
      .sort((one, other) => other.position - one.position)[0];
  }

  get #answeredAt(): number {
    return Math.max(this.#seenAt, this.#primary.answeredAt);
  }

  /** Neither a look nor a page is answered. */
  get #isAway(): boolean {
    return this.#hasFailed && this.isSilentSince(performance.now() - SILENCE);
  }

  /** Not only when it is looked at next: whoever waits may be given up before, and find nothing that stands in when they come again. */
  #tellOnceAway(): void {
    const left = this.#answeredAt + SILENCE - performance.now();
    setTimeout(() => this.#tellWaiting(), Math.max(0, left) + 2).unref();
  }

  async #look(): Promise<void> {
    this.#tellWaiting();
    await Promise.all([this.#lookAtPrimary(), this.#lookAtReplicas()]);
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    for (const tell of this.#waiting) tell();
  }

  async #lookAtReplicas(): Promise<void> {
    const known: Known = {
      identity: this.#identity,
      longestLag: this.#longestLag,
      lagOf: (position) => this.#positions.lagOf(position, performance.now()),
      isBeyond: (position) => this.#isBeyond(position),
    };
    await Promise.all(this.#replicas.map((one) => one.look(known)));
  }

  /** As one is that was primary, and saved what no other one got. While the primary does not answer nobody knows. */
  async #isBeyond(position: number): Promise<boolean> {
    if (position <= this.#positions.last) return false;
    // A look that began before may have seen less.
    await this.#looking.underWay;
    if (this.#hasFailed) return false;
    await this.#lookAtPrimary();
    return !this.#hasFailed && position > this.#positions.last;
  }

  /** Where it does not answer, what was known of it is still true. */
  #lookAtPrimary(): Promise<void> {
    return this.#looking.run(() =>
      this.#notePrimary(performance.now()).catch(() => {
        this.#hasFailed = true;
        this.#tellOnceAway();
      }),
    );
  }

  async #notePrimary(at: number): Promise<void> {
    const { rows } = await sql<{ position: number; identity: string; timeline: string }>`
      select ${WRITTEN} as position, ${IDENTITY} as identity, ${TIMELINE} as timeline`.execute(this.#watch);
    for (const { position, identity, timeline } of rows) {
      this.#comeTo(timeline);
      this.#positions.note(at, position);
      this.#identity = identity;
      this.#seenAt = performance.now();
      this.#hasFailed = false;
    }
  }

  #comeTo(timeline: string): void {
    const isAnother = this.#timeline !== undefined && timeline !== this.#timeline;
    this.#timeline = timeline;
    if (!isAnother) return;
    this.#told = 0;
    for (const one of this.#replicas) one.distrust();
  }
}
