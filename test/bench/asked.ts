/** Asks one server everything that has a name. */
import { connect } from './client.ts';
import type { Limits } from './limits.ts';
import { percentile } from './load.ts';
import { type BroadQuery, broadQueries, type NamedQuery, namedQueries } from './named-queries.ts';
import { type HoldUp, measureHoldUp, type Timing, timeQuery, warmUp } from './timing.ts';

export type AskedQueries = {
  /** Milliseconds that a plain first page takes: the median of all that were asked for in between. */
  plain: number;
  named: readonly { query: NamedQuery; timing: Timing }[];
  broad: readonly { query: BroadQuery; timing: Timing; holdUp: HoldUp }[];
  /** What holds up others when nobody does. */
  idle: HoldUp;
};

export async function askQueries(origin: string, users: number, limits: Limits): Promise<AskedQueries> {
  const client = connect(origin);
  const queries = await namedQueries(client, limits);
  await warmUp(client, queries);
  const plain: number[] = [];
  const named: { query: NamedQuery; timing: Timing }[] = [];
  for (const query of queries) {
    named.push({ query, timing: await timeQuery(client, query, plain) });
  }
  const broad: { query: BroadQuery; timing: Timing; holdUp: HoldUp }[] = [];
  for (const query of broadQueries(users)) {
    const timing = await timeQuery(client, { paths: [query.path] }, plain);
    broad.push({ query, timing, holdUp: await measureHoldUp(origin, query) });
  }
  const idle = await measureHoldUp(origin, undefined);
  client.close();
  return { plain: percentile(plain, 0.5), named, broad, idle };
}
