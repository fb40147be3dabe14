/** The exports of several processes, of which there are as many at a time as of one; those of a process that has ended are over. */
import { MOST, type Slot, Slots } from '../../exports/slots.ts';
import { monotonicTime } from '../../lib/clock.ts';

export class SharedSlots<Who> {
  readonly #slots = new Slots(MOST, monotonicTime);
  readonly #taken = new Map<Who, Map<number, Slot>>();

  /** @param number by which the process tells its own from each other */
  take(process: Who, number: number, person: string): boolean {
    const slot = this.#slots.take(person);
    if (slot === undefined) return false;
    const own = this.#taken.get(process) ?? new Map<number, Slot>();
    this.#taken.set(process, own.set(number, slot));
    return true;
  }

  endWriting(process: Who, number: number): void {
    this.#taken.get(process)?.get(number)?.endWriting();
  }

  endReading(process: Who, number: number): void {
    const own = this.#taken.get(process);
    own?.get(number)?.endReading();
    own?.delete(number);
  }

  end(process: Who): void {
    for (const slot of this.#taken.get(process)?.values() ?? []) {
      slot.endWriting();
      slot.endReading();
    }
    this.#taken.delete(process);
  }
}
