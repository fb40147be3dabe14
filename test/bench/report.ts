/** What was measured, as tables for a terminal. */
import type { CounterRates } from './counter.ts';
import type { Load } from './load.ts';
import type { PageTimes } from './pages.ts';
import type { Scenario } from './scenarios.ts';
import { type PerServer, SERVERS } from './servers.ts';
import type { Engine } from './workspace.ts';

export type Result = { scenario: Scenario; loads: PerServer<Load> };

/** The most that Roster is to take: milliseconds to the first page, and megabytes in memory after the load. */
const FIRST_PAGE = 400;
const RESIDENT = 150;

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const hundredths = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** The most that a list page is to take on PostgreSQL, in milliseconds: near an end, and jumped to in the middle. */
const LIST_PAGE = 25;
const JUMP = 100;
/** The least share of creates a second that is to be left when the number of users is kept. */
const COUNTED = 0.6;

export type Measured = {
  database: Engine;
  results: readonly Result[];
  pages: readonly PageTimes[];
  firstPage: PerServer<number>;
  resident: PerServer<number>;
  counter: CounterRates | undefined;
};

export function print(measured: Measured): void {
  const { results, pages, firstPage, resident, counter } = measured;
  printTable(['', 'server', 'requests/s', 'p50 ms', 'p99 ms', 'of hand-written'], results.flatMap(loadRows));
  printTable(
    ['list pages one by one', 'median ms', 'slowest ms', ''],
    pages.map(({ kind, median, slowest, path }) => [
      kind,
      hundredths.format(median),
      hundredths.format(slowest),
      path,
    ]),
  );
  if (counter) {
    printTable(
      ['create', 'a second'],
      [
        ['with the number of users kept', whole.format(counter.counted)],
        ['without', whole.format(counter.uncounted)],
      ],
    );
  }
  printTable(
    ['', 'first page after, ms', 'resident after the load, MB'],
    SERVERS.map((name) => [name, known(firstPage[name]), known(resident[name])]),
  );
  printTable(
    ['Roster', 'to reach', 'measured', ''],
    measured.database === 'sqlite' ? sqliteTargets(measured) : postgresTargets(measured),
  );
}

function sqliteTargets({ results, firstPage, resident }: Measured): string[][] {
  return [
    ...results.flatMap(targetRows),
    limitRow('first page', 'ms', FIRST_PAGE, firstPage.Roster),
    limitRow('resident', 'MB', RESIDENT, resident.Roster),
  ];
}

function postgresTargets({ pages, counter }: Measured): string[][] {
  const slowest = (isJump: boolean) =>
    Math.max(...pages.filter(({ kind }) => kind.startsWith('jump') === isJump).map((page) => page.slowest));
  const share = counter ? counter.counted / counter.uncounted : Number.NaN;
  return [
    limitRow('any list page', 'ms', LIST_PAGE, slowest(false)),
    limitRow('jump to the middle', 'ms', JUMP, slowest(true)),
    [
      'create',
      `${hundredths.format(COUNTED)} of uncounted`,
      hundredths.format(share),
      verdict(share >= COUNTED),
    ],
  ];
}

function loadRows({ scenario, loads }: Result): string[][] {
  return SERVERS.map((name, index) => {
    const { rate, p50, p99 } = loads[name];
    const share = hundredths.format(rate / loads['hand-written'].rate);
    return [
      index === 0 ? scenario.name : '',
      name,
      whole.format(rate),
      hundredths.format(p50),
      hundredths.format(p99),
      share,
    ];
  });
}

function targetRows({ scenario: { name, target }, loads }: Result): string[][] {
  if (target === undefined) return [];
  if ('rate' in target) {
    const { rate } = loads.Roster;
    return [
      [name, `${whole.format(target.rate)}/s`, `${whole.format(rate)}/s`, verdict(rate >= target.rate)],
    ];
  }
  const ratio = loads.Roster.rate / loads['hand-written'].rate;
  const wanted = `${hundredths.format(target.ratio)} of hand-written`;
  return [[name, wanted, hundredths.format(ratio), verdict(ratio >= target.ratio)]];
}

function limitRow(what: string, unit: string, most: number, measured: number): string[] {
  const isKnown = !Number.isNaN(measured);
  return [what, `${most} ${unit}`, `${known(measured)} ${unit}`, isKnown ? verdict(measured <= most) : ''];
}

function known(value: number): string {
  return Number.isNaN(value) ? 'n/a' : whole.format(value);
}

function verdict(isReached: boolean): string {
  return isReached ? 'reached' : 'missed';
}

/** Words to the left, figures to the right. */
function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const cells = (line: readonly string[]) =>
    line.map((cell, column) => {
      const width = widths[column] ?? 0;
      return /^[\d.,]+$/.test(rows[0]?.[column] ?? '') ? cell.padStart(width) : cell.padEnd(width);
    });
  console.log(`\n${lines.map((line) => cells(line).join('  ').trimEnd()).join('\n')}`);
}
