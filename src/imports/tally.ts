/** What the rows of an import come to. */
import type { JudgedRow } from '../db/stage.ts';
import type { Judgement } from './judge.ts';
import { type Does, type Totals, VERDICTS, type Verdict } from './types.ts';

export class Tally {
  rows = 0;
  differences = 0;
  readonly #verdicts: Record<Verdict, number> = { created: 0, changed: 0, same: 0, refused: 0 };
  readonly #fields: Record<string, number> = {};

  get refused(): number {
    return this.#verdicts.refused;
  }

  /** @param isOther than it was shown */
  add({ verdict, does }: Judgement, isOther = false): void {
    this.rows += 1;
    this.differences += Number(isOther);
    this.#count(verdict, does, 1);
  }

  /** @param before as it was judged, and added */
  replace({ verdict, does }: JudgedRow, judgement: Judgement): void {
    this.#count(VERDICTS[verdict] ?? 'refused', JSON.parse(does ?? 'null'), -1);
    this.#count(judgement.verdict, judgement.does, 1);
  }

  /** @param read how many rows there are, as far as that is known */
  totals(read: number): Totals {
    const { rows, differences } = this;
    return { ...this.#verdicts, rows, fields: { ...this.#fields }, differences, read };
  }

  #count(verdict: Verdict, does: Does | null, by: number): void {
    this.#verdicts[verdict] += by;
    if (verdict !== 'changed') return;
    for (const field of Object.keys(does?.fields ?? {}))
      this.#fields[field] = (this.#fields[field] ?? 0) + by;
  }
}
