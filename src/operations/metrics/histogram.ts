/** How often something took how long, or was how many: by buckets, from which Prometheus makes quantiles. */
import type { Family, Labels, Sample } from './families.ts';

export class Histogram {
  readonly #bounds: readonly number[];
  /** Of each bucket by itself; the last has no bound. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const place = this.#bounds.findIndex((bound) => value <= bound);
    const bucket = place === -1 ? this.#bounds.length : place;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** Each bucket has all that is below its bound. */
  samples(labels: Labels = {}): Sample[] {
    let count = 0;
    const buckets = [...this.#bounds, '+Inf'].map((le, place) => {
      count += this.#counts[place] ?? 0;
      return { value: count, labels: { ...labels, le: `${le}` }, suffix: '_bucket' };
    });
    return [
      ...buckets,
      { value: this.#sum, labels, suffix: '_sum' },
      { value: count, labels, suffix: '_count' },
    ];
  }
}

export function histogram(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'histogram', help, samples };
}

export function samplesBy<K extends string>(label: string, all: Readonly<Record<K, Histogram>>): Sample[] {
  return Object.entries<Histogram>(all).flatMap(([name, one]) => one.samples({ [label]: name }));
}
