/** What one of several processes hears of its parent, and tells it. Without the parent Node ends it at once. */
import { EventEmitter, once } from 'node:events';
import type { Slot, TakeSlot } from '../../exports/slots.ts';
import type { Port } from '../../http/graceful-shutdown.ts';
import type { Family } from '../metrics/families.ts';
import type { FromParent, FromWorker, Place, Task } from './messages.ts';

/** What was counted since is lost with a process that is killed. */
const SAYS_EVERY_MS = 1_000;

export class ParentLink {
  readonly task: Task;
  /** None where its parent gives none. What it gives is undefined for whoever has to ask again. */
  readonly takeSlot: TakeSlot | undefined;
  readonly port: Port = {
    turn: () => this.#ask('turn'),
    closed: () => this.#ask('closed'),
  };
  readonly #heard: EventEmitter;
  #exports = 0;
  #counted: () => readonly Family[] = () => [];
  /** Until it answers there is nothing that has to be brought to an end. */
  #end: (isReplaced: boolean) => void = () => process.exit(0);

  /** Asks for its task: what comes before anybody listens, Node forgets. */
  static async open(): Promise<ParentLink> {
    // Each question that waits adds listeners, and however many may.
    const heard = new EventEmitter().setMaxListeners(0);
    process.on('message', (message: FromParent) => heard.emit(message.kind, message));
    const given = once(heard, 'task');
    void tell({ kind: 'ready' });
    const [{ task, givesSlots }] = await given;
    return new ParentLink(task, givesSlots === true, heard);
  }

  private constructor(task: Task, givesSlots: boolean, heard: EventEmitter) {
    this.task = task;
    this.takeSlot = givesSlots ? (person) => this.#takeSlot(person) : undefined;
    this.#heard = heard;
    heard.on('stop', () => this.#end(false)).on('replaced', () => this.#end(true));
    heard.on('slot', ({ number, isGiven }) => heard.emit(`slot ${number}`, isGiven));
    // Somebody means this process alone: once another one answers it is told that it is replaced.
    process.on('SIGTERM', () => void tell({ kind: 'leaves' }));
    // What a terminal sends goes to all of them: the parent says what is to be done.
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  }

  /** @param end may be called more than once */
  onEnd(end: (isReplaced: boolean) => void): void {
    this.#end = end;
  }

  /** From then on it says that it lives: one that hangs before it answers is ended as one that hangs later. */
  sayListening(place: Place): void {
    void tell({ kind: 'listening', place });
    setInterval(() => void this.sayCounted(), SAYS_EVERY_MS).unref();
  }

  /** @param counted what this process has counted so far @returns what all have */
  countBy(counted: () => readonly Family[]): () => Promise<readonly Family[]> {
    this.#counted = counted;
    return async () => {
      void tell({ kind: 'asks', families: counted() });
      const [{ families }] = await once(this.#heard, 'counted');
      return families;
    };
  }

  async sayCounted(): Promise<void> {
    await tell({ kind: 'alive', families: this.#counted() });
  }

  async #takeSlot(person: string): Promise<Slot | undefined> {
    const number = this.#exports++;
    const answer = once(this.#heard, `slot ${number}`);
    void tell({ kind: 'export', number, person });
    const [isGiven] = await answer;
    if (!isGiven) return undefined;
    return {
      endWriting: () => void tell({ kind: 'written', number }),
      endReading: () => void tell({ kind: 'read', number }),
    };
  }

  async #ask(kind: 'turn' | 'closed'): Promise<void> {
    void tell({ kind });
    await once(this.#heard, kind);
  }
}

// Where the parent is gone Node ends this process.
function tell(message: FromWorker): Promise<unknown> {
  return new Promise((resolve) => process.send?.(message, resolve));
}
