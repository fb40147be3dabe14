/** What had been done when somebody looked, so that it is told later what was done since. */
import { engineOf } from '../db/engine.ts';
import type { Db } from '../db/schema.ts';
import { findMissingSets, type Moment } from '../history/queries.ts';
import { findUnfinishedJobs } from '../jobs/queries.ts';

/** To be read before what is looked at: what is done between counts as done since. Jobs go by the numbers of users. */
export async function readMoment(db: Db): Promise<Moment> {
  const jobs = await findUnfinishedJobs(db);
  const set = await engineOf(db).readLastId(db, 'change_sets');
  const missing = await findMissingSets(db, set);
  const growing = [
    ...jobs.map(({ set_id, cursor }) => [set_id, cursor] as const),
    ...missing.map((id) => [id, 0] as const),
  ];
  return { set, growing };
}
