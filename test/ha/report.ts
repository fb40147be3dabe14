/** Promises beside what was seen, as tables, and which of them are broken. */
import { markdownTable } from '../markdown-table.ts';
import type { Outcome, Suffered } from './rounds.ts';

/** In milliseconds: a page may be read from a replica. */
export const MOST_OF_PAGES = 2_000;

export function reportOn(outcome: Outcome): { lines: string[]; problems: string[] } {
  const { suffered, acknowledged, sentAgain, lost, twice, stuck, ends, logged } = outcome;
  const byFault = [...Map.groupBy(suffered, ({ fault }) => fault)];
  const counts: [promise: string, seen: number, of: string][] = [
    ['nothing that was acknowledged is lost', lost, `of ${acknowledged} users`],
    ['nothing is done twice', twice, `of ${sentAgain} forms that were sent again`],
    ['no connection leads to what is a standby', stuck, `after ${suffered.length} faults`],
    [
      'once all are well again nothing fails',
      sum(suffered, 'failedAfterwards'),
      `after ${suffered.length} faults`,
    ],
    ['no Roster ends by itself', ends, 'of two'],
    [
      'of a kind a Roster logs a line a second',
      Math.max(0, logged.most - 1),
      `more, of ${logged.lines} lines, ${logged.megabytes.toFixed(1)} MB`,
    ],
  ];
  return {
    lines: [
      ...markdownTable(
        [
          'what is done',
          'times',
          'longest until a form is acknowledged',
          'promised',
          'longest until a page is there',
          'promised',
          'answers that failed',
        ],
        byFault.map(([{ name, most }, all]) => [
          name,
          all.length,
          range(all, 'form'),
          `${most / 1_000} s`,
          range(all, 'page'),
          `${MOST_OF_PAGES / 1_000} s`,
          sum(all, 'failed'),
        ]),
      ),
      '',
      ...markdownTable(
        ['promise', 'seen otherwise'],
        counts.map(([promise, seen, of]) => [promise, `${seen} ${of}`]),
      ),
    ],
    problems: [
      ...outcome.problems,
      ...suffered.flatMap(late),
      ...counts.filter(([, seen]) => seen > 0).map(([promise, seen, of]) => `${promise}: ${seen} ${of}`),
    ],
  };
}

function late({ fault, form, page }: Suffered): string[] {
  return [
    ...(form > fault.most ? [`${fault.name}: a form took ${inSeconds(form)}`] : []),
    ...(page > MOST_OF_PAGES ? [`${fault.name}: a page took ${inSeconds(page)}`] : []),
  ];
}

function range(all: readonly Suffered[], what: 'form' | 'page'): string {
  const times = all.map((one) => one[what]);
  return `${(Math.min(...times) / 1_000).toFixed(1)}–${inSeconds(Math.max(...times))}`;
}

function sum(all: readonly Suffered[], what: 'failed' | 'failedAfterwards'): number {
  return all.reduce((count, one) => count + one[what], 0);
}

export function inSeconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
