/** All rows of something, in their order: moved, or only summed up, by which two databases are compared. */
import { createHash } from 'node:crypto';
import { letTimersRun, type Progress } from '../lib/progress.ts';

const REPORT_EVERY = 50_000;

export type Sum = { total: number; digest: string };

/** @param after those that come after one, or the first ones; none at the end */
export async function goThrough<R extends object>(
  after: (last: R | undefined) => Promise<R[]>,
  each: (rows: readonly R[]) => Promise<unknown> = async () => {},
  progress: Progress = () => {},
): Promise<Sum> {
  const hash = createHash('sha256');
  let total = 0;
  let last: R | undefined;
  for (;;) {
    await letTimersRun();
    const rows = await after(last);
    if (rows.length === 0) return { total, digest: hash.digest('hex') };
    await each(rows);
    for (const row of rows) hash.update(textOf(row));
    last = rows.at(-1);
    total += rows.length;
    if (total % REPORT_EVERY === 0) progress(total);
  }
}

/** Every value, in whatever order a database gives its columns. */
export function textOf(row: object): string {
  return JSON.stringify(Object.entries(row).sort());
}
