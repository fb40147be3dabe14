/** What a run has come to: a table of its six parts, how memory went, and what is not as it has to be. */
import { percentile } from '../bench/load.ts';
import type { Kind } from './browser.ts';
import { type Fit, fitLine } from './linear-fit.ts';
import type { Measured, Sample } from './measure.ts';

const PARTS = 6;
/** So many times as long all but a hundredth of the answers may take in the last part as in the second. */
const MOST_SLOWER = 1.3;
/** And so much longer, in milliseconds: where pages take 4 ms, whatever else the machine does moves a hundredth of them by more than a third. */
const MOST_NOISE = 5;
const MOST_MORE_DESCRIPTORS = 10;
/** In megabytes: SQLite's is emptied before; PostgreSQL's own is as long as its settings say. */
const MOST_LOG = { sqlite: 100, postgres: 1_500 };
/** Of all pages. */
const MOST_GIVEN_UP = 0.01;
/** In kilobytes: what the file grows by for each change that is kept. */
const MOST_PER_CHANGE = 4;
/** What is kept at the end of what was kept after the first third. */
const MOST_KEPT = 1.01;
const HOUR = 3_600_000;

type Times = { count: number; p50: number; p99: number };
type Part = Omit<Sample, 'at'> & Record<'page' | 'write', Times>;

/** @param length of the run, in milliseconds */
export function reportOn(measured: Measured, { engine, length, rounds }: Limits) {
  const parts = Array.from({ length: PARTS }, (_, index) => partOf(measured, index, length / PARTS));
  const isSettled = ({ at }: { at: number }) => at > length / 3;
  // Each round does the same, so that a mean of one is beside that of another.
  const byRound = Map.groupBy(measured.samples.filter(isSettled), ({ at }) =>
    Math.floor((at / length) * rounds),
  );
  const memory = fitLine(
    [...byRound.values()].map((some) => [mean(some, 'at') / HOUR, mean(some, 'memory')] as const),
  );
  const heap = fitLine(measured.rests.filter(isSettled).map((rest) => [rest.at / HOUR, rest.heap] as const));
  const [before = 0, after = 0] = measured.kept;
  const kept = after / before;
  const perChange = growth(measured);
  const givenUp = measured.givenUp / parts.reduce((sum, { page }) => sum + page.count, 0);
  const problems = [
    ...measured.faults,
    ...(memory.isRising ? [`Memory grows: ${inWords(memory)}.`] : []),
    ...(measured.kept.length === 2 ? [] : ['What is kept was not measured.']),
    ...(kept > MOST_KEPT ? ['More and more is kept.'] : []),
    ...unboundedIn(parts, MOST_LOG[engine]),
    ...slowerIn(parts),
    ...(givenUp > MOST_GIVEN_UP ? [`${measured.givenUp} searches were given up.`] : []),
    ...(perChange > MOST_PER_CHANGE ? [`The file grows by ${perChange.toFixed(2)} KB a change.`] : []),
  ];
  const lines = [
    ...tableOf(parts),
    `Slower in the last sixth than in the second: by more than ${MOST_SLOWER} times, and by more than ${MOST_NOISE} ms, for so long another program can hold a page up`,
    `Memory after the first third: ${inWords(memory)}`,
    `Heap after the first third, collected after each round, compiled code and all: ${inWords(heap)}`,
    `Objects, strings and arrays that are kept, after the first third and at the end: ${before.toFixed(2)} and ${after.toFixed(2)} MB`,
    `Searches that were given up: ${measured.givenUp}`,
    `The file grew by ${perChange.toFixed(2)} KB a change`,
  ];
  return { lines, problems };
}

export type Limits = { engine: 'sqlite' | 'postgres'; length: number; rounds: number };

function partOf({ samples, answers }: Measured, index: number, length: number): Part {
  const isIn = ({ at }: { at: number }) => Math.floor(at / length) === index;
  const [seen, asked] = [samples.filter(isIn), answers.filter(isIn)];
  const times = (kind: Kind): Times => {
    const taken = asked.filter((one) => one.kind === kind).map(({ milliseconds }) => milliseconds);
    return { count: taken.length, p50: percentile(taken, 0.5), p99: percentile(taken, 0.99) };
  };
  return {
    memory: mean(seen, 'memory'),
    heap: mean(seen, 'heap'),
    descriptors: most(seen, 'descriptors'),
    file: most(seen, 'file'),
    log: most(seen, 'log'),
    page: times('page'),
    write: times('write'),
  };
}

function mean(samples: readonly Sample[], what: keyof Sample): number {
  return samples.reduce((sum, sample) => sum + sample[what], 0) / samples.length;
}

function most(samples: readonly Sample[], what: keyof Sample): number {
  return Math.max(...samples.map((sample) => sample[what]));
}

/** Kilobytes for each change, between the first and the last rest. */
function growth({ rests }: Measured): number {
  const [first, last] = [rests[0], rests.at(-1)];
  if (first === undefined || last === undefined || first === last) return 0;
  return ((last.file - first.file) * 1000) / (last.changes - first.changes);
}

function unboundedIn(parts: readonly Part[], mostLog: number): string[] {
  const [, second, last] = [parts[0], parts[1], parts.at(-1)];
  if (second === undefined || last === undefined) return [];
  const log = Math.max(...parts.map((part) => part.log));
  return [
    ...(last.descriptors > second.descriptors + MOST_MORE_DESCRIPTORS
      ? [`Descriptors grow: ${second.descriptors}, ${last.descriptors} at the end.`]
      : []),
    ...(log > mostLog ? [`The log was ${log.toFixed(0)} MB long.`] : []),
  ];
}

function slowerIn(parts: readonly Part[]): string[] {
  return (['page', 'write'] as const).flatMap((kind) => {
    const [before, after] = [parts[1]?.[kind].p99 ?? 0, parts.at(-1)?.[kind].p99 ?? 0];
    const isSlower = after > before * MOST_SLOWER && after > before + MOST_NOISE;
    return isSlower
      ? [`A ${kind} takes longer: p99 ${before.toFixed(1)} ms, ${after.toFixed(1)} ms at the end.`]
      : [];
  });
}

function inWords({ slope, error, mean: at, count, isRising }: Fit): string {
  const said = `${at.toFixed(1)} MB ${slope < 0 ? '−' : '+'} ${Math.abs(slope).toFixed(1)} MB/h`;
  return `${said} (standard error ${error.toFixed(1)}, ${count} rounds: ${isRising ? 'rising' : 'noise'})`;
}

function tableOf(parts: readonly Part[]): string[] {
  const row = (name: string, of: (part: Part) => string) => `| ${name} | ${parts.map(of).join(' | ')} |`;
  const fixed = (what: 'memory' | 'heap' | 'file' | 'log') => (part: Part) => part[what].toFixed(1);
  const times = (kind: 'page' | 'write') => (part: Part) => {
    const { count, p50, p99 } = part[kind];
    return `${count}: ${p50.toFixed(1)} · ${p99.toFixed(1)}`;
  };
  return [
    row('sixth', (part) => `${parts.indexOf(part) + 1}`),
    `| --- |${' --- |'.repeat(PARTS)}`,
    row('memory of its own, mean, MB', fixed('memory')),
    row('heap, mean, MB', fixed('heap')),
    row('descriptors, at most', ({ descriptors }) => `${descriptors}`),
    row('file, MB', fixed('file')),
    row('log, at most, MB', fixed('log')),
    row('pages: p50 · p99, ms', times('page')),
    row('writes: p50 · p99, ms', times('write')),
  ];
}
