/** Replicas: copies of a database that follow it, from which pages are read. What is read there may be a moment old. */
import type { Db } from './schema.ts';

/** `lag`: how old it may be what it shows, in milliseconds; `problem`: why it is left out, in words. */
export type ReplicaState = { name: string; lag: number; problem: string | undefined };

export type Replicas = {
  readonly chosen: { replica: number; primary: number };
  /** For one page; what it fails to answer is read at the primary. Undefined where none has come to `position`. @param key the same one gets the same replica */
  choose(position: number, key: number): Db | undefined;
  /** For a page that has none: at the primary or, where that turns out to be away before it has answered, at what stands in and has come to `position`. */
  atPrimary(position: number): Db;
  /** While the primary is away, so that nobody can be shut out: a replica with all that it is known to have saved. */
  standIn(): Db | undefined;
  readonly hasStandIn: boolean;
  /** Read at the primary or, once that is away and something stands in for it, there, without waiting any longer. */
  readPrimary<T>(read: (db: Db) => Promise<T>): Promise<T>;
  /** Resolves once something stands in, too: what is being done at the primary goes on unheard. */
  unlessAway(work: Promise<void>): Promise<void>;
  /** Where the primary is: a replica that has come there shows all that was saved before. @throws UnavailableError at once while it is away */
  readPosition(): Promise<number>;
  /** Whether the primary has answered nothing for so long, in milliseconds: nothing was saved there. */
  isSilentFor(time: number): boolean;
  states(): ReplicaState[];
  /** Tells of each that is left out, now and later, or is not any more. @returns what ends it */
  observe(observer: (state: ReplicaState) => void): () => void;
  end(): Promise<void>;
};
