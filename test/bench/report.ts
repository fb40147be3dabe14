/** What was measured, as tables for a terminal. */
import type { AskedQueries } from './asked.ts';
import type { CounterRates } from './counter.ts';
import { isWithin, type Limit, type Limits } from './limits.ts';
import type { Load } from './load.ts';
import type { NamedQuery } from './named-queries.ts';
import type { NotModified } from './not-modified.ts';
import type { OneCreate } from './one-create.ts';
import type { Scenario } from './scenarios.ts';
import { type PerServer, SERVERS } from './servers.ts';
import { AT_ONCE, type SignIns } from './sign-ins.ts';
import type { HoldUp, Timing } from './timing.ts';
import type { Engine } from './workspace.ts';

export type Result = { scenario: Scenario; loads: PerServer<Load> };

/** The most that Roster is to take: milliseconds to the first page, and megabytes in memory after all of it. */
const FIRST_PAGE = 400;
const RESIDENT = 250;
/** The most that making up so many users, with all indexes, is to take, in seconds. */
const SEED = 40;
const SEEDED = 1_000_000;

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const hundredths = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** The least share of creates a second that is to be left on PostgreSQL when the number of users is kept. */
const COUNTED = 0.6;

export type Measured = {
  database: Engine;
  users: number;
  /** Seconds. */
  seedTime: number;
  limits: Limits;
  results: readonly Result[];
  /** None among few. */
  asked: AskedQueries | undefined;
  oneCreate: OneCreate;
  signIns: SignIns;
  notModified: readonly NotModified[];
  firstPage: PerServer<number>;
  resident: PerServer<number>;
  counter: CounterRates | undefined;
};

export function print(measured: Measured): void {
  const { results, limits, asked, oneCreate, signIns, notModified, firstPage, resident, counter } = measured;
  printTable(
    [
      '',
      'server',
      'requests/s',
      'in its turns',
      'CPU µs',
      'p50 ms',
      'p99 ms',
      'of hand-written',
      'of Express',
    ],
    results.flatMap(loadRows),
  );
  if (asked) printAsked(asked, limits);
  printTable(
    ['create, one at a time', 'median ms', 'a sync, ms', 'beside it, ms', 'limit', ''],
    [createRow(oneCreate, limits)],
  );
  printTable(
    ['signing in', 'median ms'],
    [
      ['an unknown user', hundredths.format(signIns.unknownUser)],
      ['a wrong password', hundredths.format(signIns.wrongPassword)],
    ],
  );
  printTable(
    ['a page that still holds (304)', 'made/s', '304/s', 'of making it'],
    notModified.map(notModifiedRow),
  );
  printTable(['the list meanwhile', 'p50 ms', 'p99 ms', 'most ms'], signInRows(signIns));
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
    ['', 'first page after, ms', 'resident after all of it, MB'],
    SERVERS.map((name) => [name, known(firstPage[name]), known(resident[name])]),
  );
  printTable(['Roster', 'to reach', 'measured', ''], targetRows(measured));
}

function printAsked(asked: AskedQueries, limits: Limits): void {
  printTable(
    [
      'one at a time',
      'median ms',
      'slowest ms',
      '× plain',
      'limit',
      '',
      'found',
      'status',
      'the slowest address',
    ],
    queryRows(asked, limits),
  );
  printTable(
    ['others meanwhile', 'held up ms', 'but for 1%', 'limit', '', 'their pages', 'answers to it'],
    holdUpRows(asked, limits),
  );
}

/** The rates and the start are those of SQLite; on PostgreSQL its own share of a create counts. */
function targetRows({
  database,
  users,
  seedTime,
  results,
  oneCreate,
  firstPage,
  resident,
  counter,
}: Measured): string[][] {
  const share = counter ? counter.counted / counter.uncounted : Number.NaN;
  const own =
    database === 'sqlite'
      ? [
          ...results.flatMap(rateRows),
          syncRow(oneCreate),
          limitRow('first page', 'ms', FIRST_PAGE, firstPage.Roster),
        ]
      : [shareRow('create', COUNTED, 'uncounted', share)];
  const seeding = limitRow(`making up ${whole.format(users)} users`, 's', SEED, seedTime);
  return [
    ...own,
    limitRow('resident', 'MB', RESIDENT, resident.Roster),
    users === SEEDED ? seeding : seeding.with(1, '').with(3, ''),
  ];
}

function queryRows({ plain, named, broad }: AskedQueries, limits: Limits): string[][] {
  const row = (name: string, timing: Timing, limit: Limit, judgement: string) => [
    name,
    hundredths.format(timing.median),
    hundredths.format(timing.slowest),
    hundredths.format(timing.median / plain),
    limitText(limit),
    judgement,
    timing.found,
    String(timing.status),
    timing.path,
  ];
  return [
    ...named.map(({ query, timing }) => row(query.name, timing, query.limit, judge(query, timing, plain))),
    // In time means every time.
    ...broad.map(({ query, timing }) =>
      row(query.name, timing, limits.broad, verdict(isWithin(limits.broad, timing.slowest, plain))),
    ),
  ];
}

function judge({ limit, finds }: NamedQuery, { median, status, found }: Timing, plain: number): string {
  if (finds !== undefined && found !== whole.format(finds)) return 'wrong';
  return verdict(status === 200 && isWithin(limit, median, plain));
}

function holdUpRows({ plain, broad, idle }: AskedQueries, { holdUp: limit }: Limits): string[][] {
  const row = (name: string, { most, p99, pages, answers }: HoldUp, judgement: string) => [
    name,
    hundredths.format(most - plain),
    hundredths.format(p99 - plain),
    limitText(limit),
    judgement,
    whole.format(pages),
    whole.format(answers),
  ];
  return [
    row('nothing else', idle, ''),
    ...broad.map(({ query, holdUp }) =>
      row(query.name, holdUp, verdict(isWithin(limit, holdUp.most - plain, plain))),
    ),
  ];
}

function createRow({ create, sync }: OneCreate, { create: limit }: Limits): string[] {
  const beside = create - sync;
  const judgement = verdict(isWithin(limit, beside, Number.NaN));
  return ['', ...[create, sync, beside].map((time) => hundredths.format(time)), limitText(limit), judgement];
}

function signInRows({ alone, meanwhile, letIn, allOf }: SignIns): string[][] {
  const seconds = hundredths.format(allOf / 1000);
  const row = (name: string, { p50, p99, most }: { p50: number; p99: number; most?: number }) => [
    name,
    hundredths.format(p50),
    hundredths.format(p99),
    most === undefined ? '' : hundredths.format(most),
  ];
  return [
    row('nobody signs in', alone),
    row(`${AT_ONCE} sign in at once, ${letIn} of them let in within ${seconds} s`, meanwhile),
  ];
}

function notModifiedRow({ page, made, notModified }: NotModified): string[] {
  const cost = made.rate / notModified.rate;
  return [page, whole.format(made.rate), whole.format(notModified.rate), hundredths.format(cost)];
}

function limitText({ milliseconds, multiple }: Limit): string {
  const parts = [milliseconds && `${milliseconds} ms`, multiple && `${multiple} ×`];
  return parts.filter(Boolean).join(', ');
}

function loadRows({ scenario, loads }: Result): string[][] {
  return SERVERS.map((name, index) => {
    const { rate, slowest, fastest, cpuTime, p50, p99 } = loads[name];
    return [
      index === 0 ? scenario.name : '',
      name,
      whole.format(rate),
      `${whole.format(slowest)}–${whole.format(fastest)}`,
      known(cpuTime),
      hundredths.format(p50),
      hundredths.format(p99),
      hundredths.format(rate / loads['hand-written'].rate),
      hundredths.format(rate / loads.Express.rate),
    ];
  });
}

function rateRows({ scenario: { name, targets }, loads }: Result): string[][] {
  const { rate } = loads.Roster;
  return targets.map((target) =>
    'rate' in target
      ? [name, `${whole.format(target.rate)}/s`, `${whole.format(rate)}/s`, verdict(rate >= target.rate)]
      : shareRow(name, target.ratio, target.of, rate / loads[target.of].rate),
  );
}

/** What no create can be faster than, but for those that are synced together. */
function syncRow({ sync }: OneCreate): string[] {
  return ['bare syncs of this disk', '', `${whole.format(1000 / sync)}/s`, ''];
}

function shareRow(what: string, least: number, ofWhat: string, measured: number): string[] {
  const wanted = `${hundredths.format(least)} of ${ofWhat}`;
  return [what, wanted, hundredths.format(measured), verdict(measured >= least)];
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
