/** The address of the history, which says what is shown: `/history?kind=deleted&by=ada`. */

import { DAY } from '../lib/clock.ts';
import { parseDay, readDay } from '../lib/days.ts';
import type { Fields } from '../lib/forms.ts';
import { parameterReader } from '../lib/parameters.ts';
import { trim } from '../lib/text.ts';
import type { Kind } from './kinds.ts';
import type { HistoryCursor } from './list.ts';
import { KIND_NAMES } from './words.ts';

/** As it is typed: who is meant by a name is looked up later. */
export type HistoryState = {
  user?: string | undefined;
  by?: string | undefined;
  kind?: Kind | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

const NAMES = ['user', 'by', 'kind', 'from', 'to'] as const;

export function parseHistory(query: Fields): {
  state: HistoryState;
  cursor: HistoryCursor | undefined;
  notices: string[];
} {
  const notices: string[] = [];
  const typed = (name: string) => trim(query[name] ?? '') || undefined;
  const read = parameterReader(query, notices);
  const kinds = Object.keys(KIND_NAMES) as Kind[];
  const day = 'it can be a date such as 2026-01-31';
  const state = {
    user: typed('user'),
    by: typed('by'),
    kind: read('kind', (value) => kinds.find((kind) => kind === value), `it can be ${kinds.join(', ')}`),
    from: read('from', readDay, day),
    to: read('to', readDay, day),
  };
  if (state.from && state.to && state.from > state.to)
    notices.push('Nothing was done between these dates: the first is after the second.');
  return { state, cursor: parseCursor('older', query.older) ?? parseCursor('newer', query.newer), notices };
}

export function historyAddress(state: HistoryState, cursor?: HistoryCursor): string {
  const query = new URLSearchParams();
  for (const name of NAMES) if (state[name] !== undefined) query.set(name, state[name]);
  if (cursor) query.set(cursor.side, `${cursor.at}.${cursor.id}`);
  const text = query.toString();
  return text === '' ? '/history' : `/history?${text}`;
}

export function timesOf({ from, to }: HistoryState): {
  from: number | undefined;
  before: number | undefined;
} {
  const end = to === undefined ? undefined : parseDay(to);
  return {
    from: from === undefined ? undefined : parseDay(from),
    before: end === undefined ? end : end + DAY,
  };
}

function parseCursor(side: HistoryCursor['side'], typed = ''): HistoryCursor | undefined {
  const [, at, id] = /^(\d{1,15})\.(\d{1,15})$/.exec(typed) ?? [];
  return at === undefined ? undefined : { side, at: Number(at), id: Number(id) };
}
