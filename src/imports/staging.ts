/** From a file to rows in a stage, each with what it would do. */
import { KEYS, type Key, makeStage, type StagedRow, type StageFile } from '../db/stage.ts';
import { named, quotable, textKey } from '../lib/text.ts';
import { type Judgement, type Judging, judgeRows } from './judge.ts';
import { judgeAll, judgeTwins, keepReasons, kept, type Report } from './judging.ts';
import { lacksUsernames, makesUsernames, UsernameMaker } from './made-usernames.ts';
import { type Row, UnreadableError } from './reading/reading.ts';
import { Seen } from './seen.ts';
import { Tally } from './tally.ts';
import type { HowRead, Said, Totals } from './types.ts';

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
  rows: AsyncIterable<readonly NewRow[]>,
  judging: Judging,
  tally: Tally,
  refuse: (first: readonly Judgement[]) => void,
  report: Report,
): Promise<void> {
  const seen = { id: new Seen(), username_key: new Seen(), email_key: new Seen() };
  for await (const batch of rows) {
    const staged = batch.map((row, index) => stagedRow(tally.rows + index + 1, row));
    const judgements = await judgeRows(judging, staged);
    const isFirst = tally.rows === 0;
    if (isFirst) refuse(judgements);
    await stage.inOne(async () => {
      for (const [index, row] of staged.entries()) {
        const judgement = judgements[index] as Judgement;
        tally.add(judgement);
        stage.addRow(row, kept(judgement), JSON.stringify(batch[index]?.cells));
        keepReasons(stage, row, judgement, tally);
        noteKeys(stage, row, seen);
      }
    });
    await report(tally.totals(), isFirst);
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

function stagedRow(row: number, { line, id, values, problems, made }: NewRow): StagedRow {
  const username = values.username ?? made;
  const said: Said = made === undefined ? values : { ...values, made };
  return {
    row,
    line,
    id: id ?? null,
    username_key: username === undefined ? null : textKey(username),
    email_key: values.email === undefined ? null : textKey(values.email),
    said: JSON.stringify(said),
    problems: problems.length === 0 ? null : JSON.stringify(problems),
  };
}

function noteKeys(stage: StageFile, row: StagedRow, seen: Readonly<Record<Key, Seen>>): void {
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
