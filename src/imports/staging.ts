/** From a file to rows in a stage, each with what it would do. */
import { makeStage, type StagedRow, type StageFile } from '../db/stage.ts';
import { named, quotable, textKey } from '../lib/text.ts';
import { type Judging, judgeRows } from './judge.ts';
import { judgeAll, type Report } from './judging.ts';
import { type Reading, type Row, UnreadableError } from './reading/reading.ts';
import { Tally } from './totals.ts';
import type { HowRead, Totals } from './types.ts';

/** If all of the first ones fail by one column, so do the others. */
const SAMPLE = 1_000;
/** Of fewer rows each is somebody’s own mistake. */
const LEAST_OF_SAMPLE = 20;

/** @param rows in batches @throws UnreadableError */
export async function stageRows(
  path: string,
  rows: AsyncIterable<readonly Row[]>,
  judging: Judging,
  howRead: HowRead,
  report: Report,
): Promise<Totals> {
  const stage = makeStage(path);
  try {
    await addAll(stage, rows, judging, howRead, report);
    stage.findTwins();
    const totals = await judgeAll(stage, judging, report);
    stage.save(path);
    return totals;
  } finally {
    stage.close();
  }
}

async function addAll(
  stage: StageFile,
  rows: AsyncIterable<readonly Row[]>,
  judging: Judging,
  howRead: HowRead,
  report: Report,
): Promise<void> {
  let count = 0;
  let sample: StagedRow[] | undefined = [];
  let known = new Tally().totals(0);
  for await (const batch of rows) {
    const staged = batch.map((row, index) => stagedRow(count + index + 1, row));
    stage.inTurn(() => stage.addRows(staged));
    count += batch.length;
    sample?.push(...staged);
    if (sample && sample.length >= SAMPLE) {
      known = await judgeSample(sample, judging, howRead);
      sample = undefined;
      await report({ ...known, read: count }, true);
    } else await report({ ...known, read: count });
  }
  if (sample && sample.length >= LEAST_OF_SAMPLE) await judgeSample(sample, judging, howRead);
}

function stagedRow(row: number, { line, id, values, cells, problems }: Row): StagedRow {
  return {
    row,
    line,
    id: id ?? null,
    username_key: values.username === undefined ? null : textKey(values.username),
    email_key: values.email === undefined ? null : textKey(values.email),
    cells: JSON.stringify(cells),
    said: JSON.stringify(values),
    problems: problems.length === 0 ? null : JSON.stringify(problems),
  };
}

/** @throws UnreadableError where one column makes each of them fail */
async function judgeSample(
  sample: readonly StagedRow[],
  judging: Judging,
  howRead: HowRead,
): Promise<Totals> {
  const judgements = await judgeRows({ ...judging, ended: [] }, sample);
  const tally = new Tally();
  for (const judgement of judgements) tally.add(judgement);
  const [first, ...others] = judgements.map(({ does }) => does?.reasons ?? []);
  const failing = first?.find(
    ({ field }) => field && others.every((reasons) => reasons.some((reason) => reason.field === field)),
  );
  if (failing) throw new UnreadableError(sentenceOf(failing.field, failing.message, howRead), howRead);
  return tally.totals(sample.length);
}

const NAMES: Readonly<Record<string, string>> = { username: 'username', email: 'email address' };

function sentenceOf(field: string | undefined, message: string, { columns }: Reading): string {
  const column = columns.find((one) => one.field === field);
  if (column)
    return `The column “${named(quotable(column.header))}” fails in every row: ${message} Read it differently, or put it right in the file.`;
  return `No column says the ${NAMES[field ?? ''] ?? field}, and every row needs one: say which column it is, or add one to the file.`;
}
