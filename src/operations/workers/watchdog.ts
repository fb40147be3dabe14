/** Who says nothing any more hangs. Counted in looks, and in no time, for machines sleep. */

export const LOOK_EVERY_MS = 10_000;
const MOST_LOOKS = 6;

export class Watchdog<Who> {
  readonly #looks = new Map<Who, number>();

  heard(who: Who): void {
    this.#looks.delete(who);
  }

  look(all: readonly Who[]): Who[] {
    return all.filter((who) => {
      const looks = this.#looks.get(who) ?? 0;
      this.#looks.set(who, looks + 1);
      return looks === MOST_LOOKS;
    });
  }
}
