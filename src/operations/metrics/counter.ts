/** How often something was, by labels. Prometheus keeps each combination for good, so there are never more than so many. */
import type { Sample } from './families.ts';

/** What comes new beyond the most counts as this. */
const OTHER = 'other';

type Series = { values: readonly string[]; value: number };

export class Counter {
  readonly #names: readonly string[];
  readonly #most: number;
  readonly #series = new Map<string, Series>();

  constructor(names: readonly string[], most: number) {
    this.#names = names;
    this.#most = most;
  }

  add(values: readonly string[], by = 1): void {
    const series = this.#find(values);
    series.value += by;
  }

  samples(): Sample[] {
    return [...this.#series.values()].map(({ values, value }) => ({
      value,
      labels: Object.fromEntries(this.#names.map((name, place) => [name, values[place] ?? ''])),
    }));
  }

  #find(values: readonly string[]): Series {
    const key = values.join('\n');
    const found = this.#series.get(key);
    if (found) return found;
    const others = values.map(() => OTHER);
    if (this.#series.size >= this.#most && key !== others.join('\n')) return this.#find(others);
    const begun = { values, value: 0 };
    this.#series.set(key, begun);
    return begun;
  }
}
