/** What the parent of several processes, and each of them, say to each other. */
import type { Listening } from '../../http/listening.ts';
import type { Family } from '../metrics/families.ts';

export type Task = { listening: Listening; setupToken: string; startId: string };

export type Place = { host: string; metricsAddress: string | undefined };

/** `givesSlots`: which a parent by the code of before a reload may not. `replaced`: nobody waits for its end; `turn`: whoever wanted to connect by then is handed on; `closed`: none listens any more; `counted`: by all of them; `slot`: whether an export may begin. */
export type FromParent =
  | { kind: 'task'; task: Task; givesSlots?: true }
  | { kind: 'stop' | 'replaced' | 'turn' | 'closed' }
  | { kind: 'slot'; number: number; isGiven: boolean }
  | { kind: 'counted'; families: readonly Family[] };

/** `ready`: for its task. `leaves`: wants to be replaced. `alive`: said again and again, with what it has counted so far. `asks`: wants to know what all have. */
export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'listening'; place: Place }
  | { kind: 'leaves' }
  | { kind: 'turn' }
  | { kind: 'closed' }
  | AboutExport
  | { kind: 'alive' | 'asks'; families: readonly Family[] };

/** `export`: it would begin one, of a number of its own; `written`, `read`: nothing more is written of it, or read. */
export type AboutExport =
  | { kind: 'export'; number: number; person: string }
  | { kind: 'written'; number: number }
  | { kind: 'read'; number: number };
