/** What the rows of an import come to. */
import type { Judgement } from './judge.ts';
import type { Totals } from './types.ts';

export class Tally {
  #rows = 0;
  #differences = 0;
  readonly #verdicts = { created: 0, changed: 0, same: 0, refused: 0 };
  readonly #fields: Record<string, number> = {};

  /** @param differs from what was shown */
  add({ verdict, does }: Judgement, differs = false): void {
    this.#rows += 1;
    this.#differences += Number(differs);
    this.#verdicts[verdict] += 1;
    if (verdict !== 'changed') return;
    for (const field of Object.keys(does?.fields ?? {})) this.#fields[field] = (this.#fields[field] ?? 0) + 1;
  }

  /** @param read how many rows there are, as far as they are read */
  totals(read: number): Totals {
    return {
      ...this.#verdicts,
      rows: this.#rows,
      fields: { ...this.#fields },
      differences: this.#differences,
      read,
    };
  }
}
