/** All replicas: they are looked at all the time, and each page is given one that is not too old for it. */
import type { ReplicaState, Replicas } from '../replicas.ts';
import type { Db } from '../schema.ts';
import { RosterPostgresAdapter } from './dialect.ts';
import type { ConnectionPool } from './pool.ts';
import { Primary } from './primary.ts';
import { openReader, type ReadPrimary } from './reader.ts';
import { type Known, Replica } from './replica.ts';

const LOOK_EVERY_MS = 500;

/** `urls`: of one replica each; `longestLag`: with which one is used, in milliseconds. */
export type ReplicaOptions = { urls: readonly string[]; longestLag: number };

/** Resolves once all have been looked at. @param primary whose connections there are as many of to each */
export async function openReplicas(
  url: string,
  primary: ConnectionPool,
  connections: number,
  following: ReplicaOptions,
): Promise<Replicas> {
  const replicas = new ReplicaSet(url, primary, connections, following);
  await replicas.begin();
  return replicas;
}

class ReplicaSet implements Replicas {
  readonly chosen = { replica: 0, primary: 0 };
  readonly #primary: Primary;
  readonly #adapter: RosterPostgresAdapter;
  readonly #replicas: readonly Replica[];
  readonly #longestLag: number;
  readonly #observers = new Set<(state: ReplicaState) => void>();
  /** What is being read at the primary; told once something may stand in for it. */
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(url: string, pool: ConnectionPool, connections: number, { urls, longestLag }: ReplicaOptions) {
    const tell = (state: ReplicaState) => {
      for (const observer of this.#observers) observer(state);
    };
    const requests = { connections, timing: pool.timing };
    this.#replicas = urls.map((replica) => new Replica(replica, requests, tell));
    this.#adapter = new RosterPostgresAdapter(pool);
    this.#primary = new Primary(url, pool, this.#adapter, longestLag, {
      cameToAnother: () => {
        for (const one of this.#replicas) one.distrust();
      },
      wentAway: () => this.#tellWaiting(),
    });
    this.#longestLag = longestLag;
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
    return replica && this.#reader(replica, (read) => read(this.#primary.db));
  }

  get hasStandIn(): boolean {
    return this.#findStandIn() !== undefined;
  }

  async readPrimary<T>(read: (db: Db) => Promise<T>, position = 0): Promise<T> {
    const standIn = this.standIn(position);
    if (standIn) return read(standIn);
    const { promise, resolve } = Promise.withResolvers<Db>();
    const elsewhere = promise.then(read);
    const tell = () => {
      const found = this.standIn(position);
      if (found) resolve(found);
      return found;
    };
    const here = read(this.#primary.db).catch((error) => {
      // Else half a second is lost until that is begun which finds out whether it is away.
      void this.#primary.look();
      if (tell()) return elsewhere;
      throw error;
    });
    this.#waiting.add(tell);
    // What is given up ends by itself, unheard.
    return Promise.race([here, elsewhere]).finally(() => this.#waiting.delete(tell));
  }

  unlessAway(work: Promise<void>): Promise<void> {
    return this.readPrimary(async (db) => {
      if (db === this.#primary.db) await work;
    });
  }

  readPosition(): Promise<number> {
    return this.#primary.readPosition();
  }

  isSilentFor(time: number): boolean {
    return this.#primary.isSilentFor(time);
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
    await this.#primary.look();
    await this.#lookAtReplicas();
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#primary.end(), ...this.#replicas.map((one) => one.end())]);
  }

  #reader(replica: Replica | undefined, readPrimary: ReadPrimary): Db {
    return openReader(this.#adapter, replica, this.#primary, readPrimary);
  }

  #findStandIn(position = 0): Replica | undefined {
    const { isAway, timeline, saved } = this.#primary;
    if (!isAway || this.#replicas.some((one) => one.mayBeWritten(timeline))) return undefined;
    return this.#replicas
      .filter((one) => one.isUsed && one.hasAll && one.position >= Math.max(saved, position))
      .sort((one, other) => other.position - one.position)[0];
  }

  async #look(): Promise<void> {
    this.#tellWaiting();
    await Promise.all([this.#primary.look(), this.#lookAtReplicas()]);
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    for (const tell of this.#waiting) tell();
  }

  async #lookAtReplicas(): Promise<void> {
    const known: Known = {
      identity: this.#primary.identity,
      longestLag: this.#longestLag,
      lagOf: (position) => this.#primary.positions.lagOf(position, performance.now()),
      isBeyond: (position) => this.#primary.isBefore(position),
    };
    await Promise.all(this.#replicas.map((one) => one.look(known)));
  }
}
