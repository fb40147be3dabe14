/** One replica: how far it is, and whether it is in use. */
import { sql } from 'kysely';
import { UnavailableError } from '../../errors.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import type { ReplicaState } from '../replicas.ts';
import type { Db } from '../schema.ts';
import { type ConnectionPool, openPool, type Requests } from './pool.ts';
import { IDENTITY, openProbe, SILENCE, TIMELINE } from './probe.ts';

const LEFT_OUT_FOR_MS = 2_000;
const ASTRAY = 'it may not follow the primary that there is now';

/** What is known of the primary when a replica is looked at. `longestLag`: with which one is used, in milliseconds; `isBeyond`: whether the primary, asked now, has not come to a position. */
export type Known = {
  identity: string | undefined;
  longestLag: number;
  lagOf: (position: number) => number;
  isBeyond: (position: number) => Promise<boolean>;
};

export class Replica {
  readonly name: string;
  readonly pool: ConnectionPool;
  readonly #watch: Db;
  readonly #tell: (state: ReplicaState) => void;
  /** Before which it shows all that was saved. */
  position = 0;
  hasAll = false;
  #isPrimary = false;
  /** On which it is primary, or was when it last answered. */
  #timeline = '';
  #lag = Number.POSITIVE_INFINITY;
  #problem: string | undefined = 'nobody has looked at it yet';
  #leftOutUntil = 0;
  /** What it had got when the primary came to another timeline, endless until that is known: one beyond it has got something of that one. */
  #gotBefore: number | undefined;
  readonly #looking = new SingleFlight<void>();
  readonly #waiting = new Set<() => void>();

  constructor(url: string, requests: Requests, tell: (state: ReplicaState) => void) {
    // Behind one pooler they differ by their databases.
    const { host, pathname } = new URL(url);
    this.name = host + pathname;
    this.pool = openPool(url, requests);
    this.#watch = openProbe(url);
    this.#tell = tell;
  }

  get state(): ReplicaState {
    return { name: this.name, lag: this.#lag, problem: this.#problem };
  }

  get isUsed(): boolean {
    return this.#problem === undefined && !this.pool.isSaturated;
  }

  /** Whether somebody may be shut out there: it is primary, or was when it was promoted. @param timeline of the primary that is known */
  mayBeWritten(timeline = ''): boolean {
    return this.#isPrimary || this.#timeline > timeline;
  }

  /** Never rejects. */
  look(known: Known): Promise<void> {
    return this.#looking.run(() => this.#look(known));
  }

  leaveOut(problem: string): void {
    this.#leftOutUntil = performance.now() + LEFT_OUT_FOR_MS;
    this.#set(problem);
  }

  /** @throws UnavailableError once it has fallen silent, too; one that is slow is waited for */
  unlessSilent<T>(asked: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = () => reject(new UnavailableError('it has fallen silent'));
    this.#waiting.add(giveUp);
    return Promise.race([asked, promise]).finally(() => this.#waiting.delete(giveUp));
  }

  /** The primary is another one, which this one may not follow: it can be as far on a log that goes on elsewhere. */
  distrust(): void {
    this.#gotBefore = Number.POSITIVE_INFINITY;
    this.#set(ASTRAY);
  }

  async end(): Promise<void> {
    await this.#watch.destroy();
    await this.pool.end();
  }

  async #look({ identity, longestLag, lagOf, isBeyond }: Known): Promise<void> {
    const gotBefore = this.#gotBefore;
    try {
      const found = await readReplica(this.#watch);
      this.position = found.position ?? 0;
      if (gotBefore === Number.POSITIVE_INFINITY) this.#gotBefore = found.got ?? 0;
      else if (gotBefore !== undefined && this.position > gotBefore) this.#gotBefore = undefined;
      this.hasAll = found.has_all;
      this.#isPrimary = found.position === null && found.identity === identity;
      this.#timeline = this.#isPrimary ? found.timeline : '';
      this.#lag = lagOf(this.position);
      const isBehind = this.#lag > longestLag;
      const behind = isBehind ? `it is more than ${longestLag / 1_000} s behind` : undefined;
      const beyond = (await isBeyond(this.position)) ? 'it has what the primary has not' : undefined;
      const astray = this.#gotBefore === undefined ? undefined : ASTRAY;
      this.#set(problemOf(found, identity) ?? astray ?? behind ?? beyond);
    } catch (error) {
      // One that has died, as any primary may; but that it was promoted is still true.
      this.#isPrimary = false;
      this.#lag = Number.POSITIVE_INFINITY;
      this.#set((error as Error).message);
      const isSilent = this.pool.answeredAt < performance.now() - SILENCE / 2;
      if (isSilent) for (const giveUp of this.#waiting) giveUp();
    }
  }

  #set(problem: string | undefined): void {
    if (problem === undefined && performance.now() < this.#leftOutUntil) return;
    const isNews = (problem === undefined) !== (this.#problem === undefined);
    this.#problem = problem;
    if (isNews) this.#tell(this.state);
  }
}

/** `timeline`: empty where it is no primary. */
type Found = {
  position: number | null;
  got: number | null;
  has_all: boolean;
  identity: string;
  timeline: string;
};

async function readReplica(watch: Db): Promise<Found> {
  const { rows } = await sql<Found>`
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() - '0/0' end as position,
      greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0' as got,
      coalesce(pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn(), false) as has_all, ${IDENTITY} as identity,
      case when pg_is_in_recovery() then '' else ${TIMELINE} end as timeline`.execute(watch);
  return rows[0] as Found;
}

function problemOf(found: Found, identity: string | undefined): string | undefined {
  if (found.position === null) return 'it is no standby';
  return identity === undefined || found.identity === identity
    ? undefined
    : 'it is a copy of another database';
}
