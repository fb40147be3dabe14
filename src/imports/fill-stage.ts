/** From a file to rows in a stage, each with what it would do. */
import type { User } from '../db/schema.ts';
import { makeStage, type StageFile } from '../db/stage-file.ts';
import { KEYS, type Key, type StagedRow } from '../db/stage-rows.ts';
import type { Mutex } from '../lib/mutex.ts';
import { textKey } from '../lib/text.ts';
import { BloomFilter } from './bloom-filter.ts';
import { judgeAll, judgeTwins, keepReasons, kept, type Report } from './judge-again.ts';
import { type Judgement, type Judging, judgeRows, type RowToJudge } from './judge-rows.ts';
import { makesUsernames, UsernameMaker } from './made-usernames.ts';
import type { Row } from './reading/reading.ts';
import { Sample } from './sample.ts';
import { inSteps, type StepOptions, save } from './stage-steps.ts';
import { Tally } from './tally.ts';
import type { HowRead, Match, Said, Totals } from './types.ts';

/** @param rows in batches @throws UnreadableError also where a column makes all of the first rows fail; NoRoomError */
export async function stageRows(
  path: string,
  rows: AsyncIterable<readonly Row[]>,
  judging: Judging,
  howRead: HowRead,
  { alone, report }: { alone: Mutex; report: Report },
): Promise<Totals> {
  const stage = makeStage(path);
  const tally = new Tally();
  const going: StepOptions = { alone, report: () => report(tally.totals()) };
  try {
    await addAll(stage, withUsernames(rows, judging, howRead), judging, tally, new Sample(howRead), report);
    await inSteps(stage, stage.findTwins(), going);
    const totals = await withTwins(stage, judging, tally, report);
    await save(stage, going.report);
    return totals;
  } catch (error) {
    // Whoever goes on makes another one; on a full disk it would be in everybody's way.
    stage.discard();
    throw error;
  } finally {
    stage.close();
  }
}

/** What the first rows would do, of a file that waits. @throws UnreadableError as when all of it is read */
export async function judgeFirst(
  rows: AsyncIterable<readonly Row[]>,
  judging: Judging,
  howRead: HowRead,
): Promise<Totals> {
  const tally = new Tally();
  const sample = new Sample(howRead);
  for await (const { toJudge, judgements } of judged(withUsernames(rows, judging, howRead), judging)) {
    sample.add(toJudge, judgements);
    for (const judgement of judgements) tally.add(judgement);
    break;
  }
  return tally.totals();
}

async function withTwins(stage: StageFile, judging: Judging, tally: Tally, report: Report): Promise<Totals> {
  if (!stage.hasTwins) return tally.totals();
  // Of administrators who go one after the other the last stays: who that is may be another one now.
  if (judging.ended.length > 0) return judgeAll(stage, { ...judging, ended: [] }, report, false);
  await judgeTwins(stage, judging, tally, report);
  return tally.totals();
}

async function addAll(
  stage: StageFile,
  rows: AsyncGenerator<readonly NewRow[]>,
  judging: Judging,
  tally: Tally,
  sample: Sample,
  report: Report,
): Promise<void> {
  const seen = { id: new BloomFilter(), username_key: new BloomFilter(), email_key: new BloomFilter() };
  for await (const { batch, toJudge, judgements } of ahead(judged(rows, judging))) {
    const isFirst = tally.rows === 0;
    sample.add(toJudge, judgements);
    stage.requireRoom();
    await stage.inOne(async () => {
      for (const [index, { line, cells }] of batch.entries()) {
        const judgement = judgements[index] as Judgement;
        const read = toJudge[index] as RowToJudge;
        const { user, by } = judgement;
        const judged = user && by ? withKeyOf(user, judging.match, read) : read;
        tally.add(judgement);
        const row = stagedRow(tally.rows, line, judged);
        stage.addRow(row, kept(judgement), JSON.stringify(cells));
        keepReasons(stage, row, judgement, tally);
        noteKeys(stage, judged, seen);
      }
    });
    await report(tally.totals(), isFirst);
  }
  sample.end();
}

type JudgedBatch = {
  batch: readonly NewRow[];
  toJudge: readonly RowToJudge[];
  judgements: readonly Judgement[];
};

async function* judged(
  rows: AsyncGenerator<readonly NewRow[]>,
  judging: Judging,
): AsyncGenerator<JudgedBatch> {
  for await (const batch of ahead(rows)) {
    const toJudge = batch.map((row) => rowToJudge(row, judging.match));
    yield { batch, toJudge, judgements: await judgeRows(judging, toJudge) };
  }
}

/** While the database answers, what comes next is read, and what came before goes into the stage. */
async function* ahead<T>(batches: AsyncGenerator<T>): AsyncGenerator<T> {
  const read = () => {
    const next = batches.next();
    // What fails is thrown in its turn.
    next.catch(() => {});
    return next;
  };
  try {
    for (let next = read(); ; ) {
      const { done, value } = await next;
      if (done) return;
      next = read();
      yield value;
    }
  } finally {
    await batches.return(undefined);
  }
}

/** By which a row without what was chosen finds who is there. Never by number: those of other programs are somebody else’s here. */
const OTHERWISE = ['username', 'email'] as const;

type NewRow = Row & { made?: string | undefined };

async function* withUsernames(
  rows: AsyncIterable<readonly Row[]>,
  { db }: Judging,
  howRead: HowRead,
): AsyncGenerator<readonly NewRow[]> {
  const maker = makesUsernames(howRead) ? new UsernameMaker(db) : undefined;
  for await (const batch of rows) {
    const made = await maker?.make(batch);
    yield made ? batch.map((row) => ({ ...row, made: made.get(row) })) : batch;
  }
}

function rowToJudge(row: NewRow, match: Match): RowToJudge {
  const { id, values, problems, made, name } = row;
  const username = values.username ?? made;
  const by = says(match, row) ? undefined : OTHERWISE.find((field) => says(field, row));
  return {
    id: id ?? null,
    username_key: username === undefined ? null : textKey(username),
    email_key: values.email === undefined ? null : textKey(values.email),
    said: made === undefined && by === undefined && name === undefined ? values : saidOf(row, by),
    problems,
  };
}

/** Also what is wrong is no empty cell. */
function says(field: Match, { id, values, problems }: NewRow): boolean {
  const isThere = (field === 'id' ? id : values[field]) !== undefined;
  return isThere || problems.some((problem) => problem.field === field);
}

function saidOf({ values, made, name }: NewRow, by: Match | undefined): Said {
  return { ...values, ...(made && { made }), ...(name && { name }), ...(by && { by }) };
}

/** Whoever was found by another cell has the one that was chosen, too, so that two rows about them are told. */
function withKeyOf(user: User, match: Match, judged: RowToJudge): RowToJudge {
  if (match === 'id') return { ...judged, id: user.id };
  return { ...judged, [`${match}_key`]: user[`${match}_key`] };
}

function stagedRow(row: number, line: number, judged: RowToJudge): StagedRow {
  // One by one, here and in `reading/rows.ts`: rest and spread take some 0.7 s of a million rows.
  const { id, username_key, email_key, said } = judged;
  const problems = judged.problems.length === 0 ? null : JSON.stringify(judged.problems);
  return { row, line, id, username_key, email_key, said: JSON.stringify(said), problems };
}

function noteKeys(stage: StageFile, row: RowToJudge, seen: Readonly<Record<Key, BloomFilter>>): void {
  for (const field of KEYS) {
    const key = row[field];
    if (key !== null && seen[field].add(String(key))) stage.addDoubtful(field, key);
  }
}
