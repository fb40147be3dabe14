/** The thread in which jobs are done, as the thread sees it that answers requests: pages never wait for what they compute. */
import { Worker } from 'node:worker_threads';
import type { JobRunner } from './run.ts';
import type { WorkRunner } from './work.ts';

/** `ledger`: in which it is noted which numbers are given. */
export type Settings = { databaseUrl: string; importFolder: string; ledger: string };

/** What it is told: to do what there is to do, and then to say so by this number; or to end between two batches. */
export type Order = number | 'end';

export type Report =
  | { kind: 'done'; order: number }
  | { kind: 'note'; note: Parameters<JobRunner['note']> }
  | { kind: 'warn'; what: string; error: unknown };

const MEMORY = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

export class JobsThread {
  readonly #settings: Settings;
  readonly #hear: Pick<WorkRunner, 'note' | 'warn'>;
  #worker: Worker | undefined;
  #exited: Promise<void> = Promise.resolve();
  #isEnding = false;
  #orders = 0;
  readonly #waiting = new Map<number, () => void>();

  constructor(settings: Settings, hear: Pick<WorkRunner, 'note' | 'warn'>) {
    this.#settings = settings;
    this.#hear = hear;
  }

  /** Resolves when what there is to do is done, or the thread has crashed; never rejects. */
  async run(): Promise<void> {
    if (this.#isEnding) return this.#exited;
    try {
      this.#worker ??= this.#begin();
    } catch (error) {
      // As where no more threads are let be.
      return this.#hear.warn('the thread of jobs', error);
    }
    const order = ++this.#orders;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(order, resolve);
    this.#worker.postMessage(order satisfies Order);
    await promise;
  }

  async end(): Promise<void> {
    // Told once: it does not hear more while it lets go of its database.
    if (!this.#isEnding) this.#worker?.postMessage('end' satisfies Order);
    this.#isEnding = true;
    await this.#exited;
  }

  /** At the first job: it takes memory, and a moment. */
  #begin(): Worker {
    const worker = new Worker(new URL('./thread-main.ts', import.meta.url), {
      workerData: this.#settings,
      resourceLimits: MEMORY,
      // With any descriptor of the database file that is closed the locks of the whole process on it would be gone.
      trackUnmanagedFds: false,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    worker.on('message', (report: Report) => this.#take(report));
    worker.on('error', (error) => this.#hear.warn('the thread of jobs', error));
    worker.on('exit', () => {
      // Whoever asks next begins a new one, which goes on with what this one has left once its lease is over.
      this.#worker = undefined;
      for (const done of this.#waiting.values()) done();
      this.#waiting.clear();
      resolve();
    });
    return worker;
  }

  #take(report: Report): void {
    if (report.kind === 'note') this.#hear.note(...report.note);
    else if (report.kind === 'warn') this.#hear.warn(report.what, report.error);
    else this.#waiting.get(report.order)?.();
    if (report.kind === 'done') this.#waiting.delete(report.order);
  }
}
