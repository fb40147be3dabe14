/** What a run is measured by: every ten seconds the process and its files, and how long each answer took. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Kind } from './browser.ts';
import type { Server } from './server.ts';
import type { Place } from './workspace.ts';

/** In megabytes, but for the descriptors and `at`, in milliseconds since the beginning. */
export type Sample = {
  at: number;
  /** What is the process's own: nothing that is mapped from a file. */
  memory: number;
  heap: number;
  descriptors: number;
  file: number;
  log: number;
};

export type Answered = { at: number; kind: Kind; milliseconds: number };

/** Between two rounds of chores, with all collected that nobody needs. */
export type Rest = { at: number; heap: number; changes: number; file: number };

export class Measured {
  #began = performance.now();
  readonly samples: Sample[] = [];
  readonly answers: Answered[] = [];
  readonly rests: Rest[] = [];
  /** Megabytes that the program keeps: after the first third, and once all is over. */
  readonly kept: number[] = [];
  readonly faults: string[] = [];
  givenUp = 0;

  get now(): number {
    return performance.now() - this.#began;
  }

  /** All that is needed is there by now. */
  begin(): void {
    this.#began = performance.now();
  }

  answered(kind: Kind, milliseconds: number): void {
    this.answers.push({ at: this.now, kind, milliseconds });
  }

  fault(what: string): void {
    this.faults.push(`after ${Math.round(this.now / 1000)} s: ${what}`);
  }

  async sample(server: Server, place: Place): Promise<void> {
    this.samples.push({
      at: this.now,
      memory: ownMemoryOf(server.pid),
      heap: await server.heap(),
      descriptors: descriptorsOf(server.pid),
      ...(await place.sizes()),
    });
  }
}

// Linux only: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html, in KiB.
function ownMemoryOf(pid: number): number {
  const kibibytes = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
}

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export function megabytesOf(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) / 1e6;
}
