/** What is kept of an import as JSON: what somebody has chosen, how the file was read, and what its rows come to. */
import type { Import } from './queries.ts';
import type { Column } from './reading/reading.ts';
import type { Choices, HowRead, KeptChoices, Totals } from './types.ts';

export function choicesOf({ choices }: Pick<Import, 'choices'>): Choices {
  const { fields, of: _, ...others } = JSON.parse(choices) as KeptChoices;
  return fields ? { ...others, fields: fields.map((one) => one ?? undefined) } : others;
}

export function earlierOf({ choices }: Pick<Import, 'choices'>): number | undefined {
  return (JSON.parse(choices) as KeptChoices).of;
}

export function howRead({ reading }: Pick<Import, 'reading'>): HowRead | undefined {
  if (reading === null) return undefined;
  const how = JSON.parse(reading) as HowRead;
  // Of what was read before they were told they are not known.
  return { ...how, lineEnds: how.lineEnds ?? [], columns: how.columns.map(withField) };
}

export function totalsOf({ totals }: Pick<Import, 'totals'>): Totals | undefined {
  return totals === null ? undefined : (JSON.parse(totals) as Totals);
}

export function checkedOf(imported: Import): { how: HowRead; totals: Totals } {
  const [how, totals] = [howRead(imported), totalsOf(imported)];
  if (how === undefined || totals === undefined)
    throw new Error(`Import ${imported.id} is checked, and not read.`);
  return { how, totals };
}

/** So many rows are done in one transaction, and in the order of the file. */
export const MOST_IN_ONE = 100;
/** The numbers of so many new people follow the file. Of more each would change a page of its own of every index: a million took 217 s, by the indexes 46. */
export const MOST_IN_ORDER = 100_000;

export function countToApply({ created, changed }: Pick<Totals, 'created' | 'changed'>): number {
  return created + changed;
}

/** JSON knows no `undefined`. */
function withField({ header, field }: Column): Column {
  return { header, field: field ?? undefined };
}
