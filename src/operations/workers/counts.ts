/** What several processes have counted, as if one had: of one that has ended, what it had counted by then stays. */
import { type Family, MOST_SERIES, type Sample } from '../metrics/families.ts';

/** What comes beyond the most counts as this: each has its own bound, and they need not know the same ones. */
const OTHER = 'other';

/** The same for all, of the one that is there the longest, or whether it is so for all. */
const LEAST: readonly string[] = ['roster_build_info', 'process_start_time_seconds', 'roster_replica_in_use'];
const GREATEST: readonly string[] = ['roster_replica_lag_seconds'];

export class Counts<Who> {
  readonly #of = new Map<Who, readonly Family[]>();
  #ended: readonly Family[] = [];

  note(who: Who, families: readonly Family[]): void {
    this.#of.set(who, families);
  }

  end(who: Who): void {
    const counted = this.#of.get(who)?.filter(({ type }) => type !== 'gauge');
    if (counted) this.#ended = sum([this.#ended, counted]);
    this.#of.delete(who);
  }

  sum(): Family[] {
    return sum([...this.#of.values(), this.#ended]);
  }
}

function sum(all: readonly (readonly Family[])[]): Family[] {
  const byName = new Map<string, { family: Family; samples: Map<string, Sample> }>();
  for (const family of all.flat()) {
    const { samples } = byName.get(family.name) ?? { samples: new Map<string, Sample>() };
    byName.set(family.name, { family, samples });
    for (const sample of family.samples) add(samples, sample, togetherOf(family.name));
  }
  return [...byName.values()].map(({ family, samples }) => ({ ...family, samples: [...samples.values()] }));
}

type Together = (one: number, other: number) => number;

function togetherOf(name: string): Together {
  if (LEAST.includes(name)) return Math.min;
  return GREATEST.includes(name) ? Math.max : (one, other) => one + other;
}

function add(samples: Map<string, Sample>, sample: Sample, together: Together): void {
  const isNew = !samples.has(keyOf(sample));
  const counted = isNew && samples.size >= MOST_SERIES ? asOther(sample) : sample;
  const before = samples.get(keyOf(counted))?.value;
  const value = before === undefined ? sample.value : together(before, sample.value);
  samples.set(keyOf(counted), { ...counted, value });
}

function keyOf({ suffix, labels }: Sample): string {
  return JSON.stringify([suffix, labels]);
}

function asOther({ labels = {}, ...sample }: Sample): Sample {
  return { ...sample, labels: Object.fromEntries(Object.keys(labels).map((name) => [name, OTHER])) };
}
