/** What the rows of an import come to. */
import { parseStaged } from '../db/stage-file.ts';
import type { JudgedRow } from '../db/stage-rows.ts';
import { type Judgement, saidBy } from './judge-rows.ts';
import { mayHaveLost } from './lost-letters.ts';
import { type Said, type Totals, VERDICTS, type Verdict } from './types.ts';

const MOST_NAMED = 100;

type Judged = Pick<Judgement, 'verdict' | 'by' | 'does' | 'values'>;

export class Tally {
  rows = 0;
  differences = 0;
  readonly #verdicts: Record<Verdict, number> = { created: 0, changed: 0, same: 0, refused: 0 };
  readonly #fields: Record<string, number> = {};
  readonly #otherwise: Record<string, number> = {};
  readonly #roles: Record<string, number> = {};
  #lost = 0;
  #doubtful = 0;
  readonly #administrators = { count: 0, names: [] as string[] };

  get refused(): number {
    return this.#verdicts.refused;
  }

  add(judgement: Judged, isOther = false): void {
    this.rows += 1;
    this.differences += Number(isOther);
    this.#count(judgement, 1);
  }

  replace({ verdict, user, does, said }: JudgedRow, judgement: Judged): void {
    const before = {
      verdict: VERDICTS[verdict] ?? 'refused',
      does: parseStaged<Judged['does']>(does ?? 'null'),
    };
    const told = parseStaged<Said>(said);
    const by = user === null ? undefined : told.by;
    this.#count({ ...before, by, values: saidBy(told, user === null) }, -1);
    this.#count(judgement, 1);
  }

  totals(): Totals {
    const { rows, differences } = this;
    const totals = { ...this.#verdicts, rows, fields: { ...this.#fields }, differences, read: rows };
    const { count, names } = this.#administrators;
    return {
      ...totals,
      ...(Object.values(this.#otherwise).some((some) => some > 0) && { otherwise: { ...this.#otherwise } }),
      ...(this.#lost > 0 && { lost: this.#lost }),
      ...(this.#doubtful > 0 && { doubtful: this.#doubtful }),
      ...(totals.created > 0 && { roles: { ...this.#roles } }),
      ...(count > 0 && { administrators: { count, names: [...names] } }),
    };
  }

  #count(judged: Judged, by: 1 | -1): void {
    const { verdict, does, values } = judged;
    this.#verdicts[verdict] += by;
    if (judged.by && verdict !== 'refused') add(this.#otherwise, judged.by, by);
    if (does?.lost) this.#lost += by;
    if (mayHaveLost(nameToWrite(judged) ?? '')) this.#doubtful += by;
    if (verdict === 'created') add(this.#roles, values.role ?? 'member', by);
    if (verdict === 'changed')
      for (const field of Object.keys(does?.fields ?? {})) add(this.#fields, field, by);
    const name = newAdministrator(judged);
    if (name !== undefined) this.#countAdministrator(name, by);
  }

  #countAdministrator(name: string, by: 1 | -1): void {
    const { names } = this.#administrators;
    this.#administrators.count += by;
    if (by < 0 && names.includes(name)) names.splice(names.indexOf(name), 1);
    if (by > 0 && names.length < MOST_NAMED) names.push(name);
  }
}

function add(counts: Record<string, number>, name: string, by: number): void {
  counts[name] = (counts[name] ?? 0) + by;
}

function nameToWrite({ verdict, does, values }: Judged): string | null | undefined {
  if (verdict === 'created') return values.full_name;
  return verdict === 'changed' && does?.fields.full_name ? values.full_name : undefined;
}

function newAdministrator({ verdict, does, values }: Judged): string | undefined {
  if (verdict === 'created') return values.role === 'admin' ? values.username : undefined;
  return verdict === 'changed' && does?.fields.role?.became === 'admin' ? does.username : undefined;
}
