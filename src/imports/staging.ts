/** From a file to rows in a stage, each with what it would do. */
import { KEYS, type Key, makeStage, type StagedRow, type StageFile } from '../db/stage.ts';
import { named, quotable, textKey } from '../lib/text.ts';
import { type Judgement, type Judging, judgeRows, type RowToJudge } from './judge.ts';
import { judgeAll, judgeTwins, keepReasons, kept, type Report } from './judging.ts';
import { lacksUsernames, makesUsernames, UsernameMaker } from './made-usernames.ts';
import { type Row, UnreadableError } from './reading/reading.ts';
import { Seen } from './seen.ts';
import { Tally } from './tally.ts';
import type { HowRead, Totals } from './types.ts';

/** Of fewer rows that all fail each may be a mistake of its own. */
const LEAST_OF_SAMPLE = 20;

/** @param rows in batches @throws UnreadableError also where a column makes all of the first rows fail */
export async function stageRows(
  path: string,
  rows: AsyncIterable<readonly Row[]>,
  judging: Judging,
  howRead: HowRead,
  report: Report,
): Promise<Totals> {
  const stage = makeStage(path);
  const tally = new Tally();
  try {
    await addAll(
      stage,
      withUsernames(rows, judging, howRead),
      judging,
      tally,
      (judgements) => refuseFailing(judgements, howRead),
      report,
    );
    const totals = await withTwins(stage, judging, tally, report);
    stage.indexVerdicts();
    stage.save(path);
    return totals;
  } finally {
    stage.close();
  }
}

async function withTwins(stage: StageFile, judging: Judging, tally: Tally, report: Report): Promise<Totals> {
  if (!stage.findTwins()) return tally.totals();
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
  refuse: (first: readonly Judgement[]) => void,
  report: Report,
): Promise<void> {
  const seen = { id: new Seen(), username_key: new Seen(), email_key: new Seen() };
  for await (const batch of ahead(rows)) {
    const toJudge = batch.map(rowToJudge);
    const judgements = await judgeRows(judging, toJudge);
    const isFirst = tally.rows === 0;
    if (isFirst) refuse(judgements);
    await stage.inOne(async () => {
      for (const [index, { line, cells }] of batch.entries()) {
        const judgement = judgements[index] as Judgement;
        const judged = toJudge[index] as RowToJudge;
        tally.add(judgement);
        const row = stagedRow(tally.rows, line, judged);
        stage.addRow(row, kept(judgement), JSON.stringify(cells));
        keepReasons(stage, row, judgement, tally);
        noteKeys(stage, judged, seen);
      }
    });
    await report(tally.totals(), isFirst);
  }
}

/** While the database answers, what comes next is read. */
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

/** `made`: their username. */
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

function rowToJudge({ id, values, problems, made }: NewRow): RowToJudge {
  const username = values.username ?? made;
  return {
    id: id ?? null,
    username_key: username === undefined ? null : textKey(username),
    email_key: values.email === undefined ? null : textKey(values.email),
    said: made === undefined ? values : { ...values, made },
    problems,
  };
}

function stagedRow(row: number, line: number, { said, problems, ...keys }: RowToJudge): StagedRow {
  const kept = problems.length === 0 ? null : JSON.stringify(problems);
  return { row, line, ...keys, said: JSON.stringify(said), problems: kept };
}

function noteKeys(stage: StageFile, row: RowToJudge, seen: Readonly<Record<Key, Seen>>): void {
  for (const field of KEYS) {
    const key = row[field];
    if (key !== null && seen[field].add(String(key))) stage.addDoubtful(field, key);
  }
}

/** @throws UnreadableError */
function refuseFailing(judgements: readonly Judgement[], howRead: HowRead): void {
  const [first, ...others] = judgements;
  const isSample = judgements.length >= LEAST_OF_SAMPLE;
  const failing = first?.reasons.find(
    ({ field }) =>
      field &&
      (isSample || (field === 'username' && lacksUsernames(howRead))) &&
      others.every(({ reasons }) => reasons.some((reason) => reason.field === field)),
  );
  if (failing) throw new UnreadableError(sentenceOf(failing.field, failing.message, howRead), howRead);
}

const NAMES: Readonly<Record<string, string>> = { username: 'username', email: 'email address' };

function sentenceOf(field: string | undefined, message: string, how: HowRead): string {
  const column = how.columns.find((one) => one.field === field);
  if (column)
    return `The column “${named(quotable(column.header))}” fails in every row: ${message} Read it differently, or put it right in the file.`;
  const made =
    field === 'username' && lacksUsernames(how) ? 'have usernames made of the emails' : 'add one to the file';
  return `No column says the ${NAMES[field ?? ''] ?? field}, and every row needs one: say which column it is, or ${made}.`;
}
