/** Whom an export is of, as it is said on the command line: nobody sees there that something was not understood, so it is refused. */
import { StartError } from '../errors.ts';
import { quoted, trim } from '../lib/text.ts';
import { SORT_RULE } from '../users/list/address.ts';
import { FILTER_ROWS } from '../users/list/filter.ts';
import { parseSort } from '../users/list/order.ts';
import { parseSelection, type Selection } from '../users/list/selection.ts';

const FILTERS = FILTER_ROWS.map(([, row]) => row);
/** Also in the address of a list: where its page begins is nothing to an export. */
const PLACES = ['page', 'per_page', 'after', 'before'];

/** @param typed undefined for everyone @throws StartError */
export function readFilter(typed: string | undefined): Selection {
  const given = [...new URLSearchParams(typed)];
  if (typed !== undefined && given.length === 0)
    throw new StartError(
      'The filter is empty: say who, as in "status=active", or leave it out for everyone.',
    );
  for (const [index, [name, value]] of given.entries()) {
    const isSecond = given.findIndex(([other]) => other === name) < index;
    const problem = isSecond ? `says ${quoted(name)} twice` : problemOf(name, value);
    if (problem !== undefined) throw new StartError(`The filter ${problem}. Nothing is exported.`);
  }
  return parseSelection({ all: 'on', from: typed ?? '' }, Date.now());
}

function problemOf(name: string, value: string): string | undefined {
  if (PLACES.includes(name)) return undefined;
  const rows = [...FILTERS, { parameter: 'sort', parse: parseSort, rule: SORT_RULE }];
  const row = rows.find(({ parameter }) => parameter === name);
  if (row === undefined)
    return `cannot be by ${quoted(name)}, but by ${FILTERS.map(({ parameter }) => parameter).join(', ')}`;
  return row.parse(trim(value), Date.now()) === undefined
    ? `says ${quoted(`${name}=${value}`)}: ${row.rule}`
    : undefined;
}
