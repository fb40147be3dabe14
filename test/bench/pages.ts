/** How long one list page takes when nobody else asks: every order, every status, near the ends and in the middle. */
import { SORT_KEYS, STATUSES } from '../../src/users/list.ts';
import { percentile } from './load.ts';

/** Milliseconds, as seen from another process: of the slowest page of a kind, and of the one in the middle. */
export type PageTimes = { kind: string; slowest: number; path: string; median: number };

const PER_PAGE = 10;
/** How often each page is asked for; the median counts. */
const TIMES = 5;

const KINDS: readonly (readonly [kind: string, page: (pages: number) => number])[] = [
  ['first page', () => 1],
  ['second page', () => 2],
  ['page 100', () => 100],
  ['last page but one', (pages) => pages - 1],
  ['last page', (pages) => pages],
  ['jump to the middle', (pages) => Math.ceil(pages / 2)],
];

export async function measurePages(origin: string): Promise<PageTimes[]> {
  const lists: { query: string; pages: number }[] = [];
  for (const status of [undefined, ...STATUSES]) {
    const filter = status === undefined ? '' : `&status=${status}`;
    const total = totalOf(await (await fetch(`${origin}/users?sort=id${filter}`)).text());
    for (const sort of SORT_KEYS.flatMap((key) => [key, `-${key}`])) {
      lists.push({ query: `sort=${sort}${filter}`, pages: Math.ceil(total / PER_PAGE) });
    }
  }
  const measured: PageTimes[] = [];
  for (const [kind, pageOf] of KINDS) {
    const times: { path: string; time: number }[] = [];
    for (const { query, pages } of lists) {
      const path = `/users?${query}&page=${pageOf(pages)}`;
      times.push({ path, time: await medianTime(origin + path) });
    }
    times.sort((one, other) => other.time - one.time);
    const [slowest] = times;
    const median = percentile(
      times.map(({ time }) => time),
      0.5,
    );
    measured.push({ kind, slowest: slowest?.time ?? Number.NaN, path: slowest?.path ?? '', median });
  }
  return measured;
}

async function medianTime(url: string): Promise<number> {
  const times = [];
  for (let turn = 0; turn < TIMES; turn++) {
    const started = performance.now();
    const answer = await fetch(url);
    await answer.arrayBuffer();
    times.push(performance.now() - started);
    if (answer.status !== 200) throw new Error(`${url} is ${answer.status}.`);
  }
  return percentile(times, 0.5);
}

/** The number of users that a list page says there are. */
function totalOf(html: string): number {
  return Number(/Showing [\d,]+–[\d,]+ of ([\d,]+)/.exec(html)?.[1]?.replaceAll(',', ''));
}
