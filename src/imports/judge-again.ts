/** Judging what is in a stage again: rows that have something in common, or all, where it is told what differs from what was shown. */
import { parseStaged, type StageFile } from '../db/stage-file.ts';
import type { JudgedRow, Verdict } from '../db/stage-rows.ts';
import { type Judgement, type Judging, judgeRows, type RowToJudge } from './judge-rows.ts';
import { shownRow } from './stage-reader.ts';
import { Tally } from './tally.ts';
import { MOST_REFUSED_KEPT, type Totals, VERDICTS } from './types.ts';

/** Is told now and then how far it is; what it throws ends it. @param isNow not only if it is time to */
export type Report = (totals: Totals, isNow?: boolean) => Promise<void>;

const AT_ONCE = 1_000;
const REFUSED = VERDICTS.indexOf('refused');
const MOST_DIFFERENCES = 1_000;

/** @param isShown whether it was shown what they would do, so that it is told what differs @returns what they come to */
export async function judgeAll(
  stage: StageFile,
  judging: Judging,
  report: Report,
  isShown: boolean,
): Promise<Totals> {
  stage.forgetReasons();
  const tally = new Tally();
  for await (const batch of judged(judging, (after) => stage.rowsAfter(after, AT_ONCE))) {
    for (const { row, judgement } of batch) {
      const isOther = differs(row, judgement);
      tally.add(judgement, isOther && isShown);
      if (isOther || row.version !== (judgement.user?.version ?? null))
        stage.judgeRow(row.row, kept(judgement));
      if (isOther && isShown && tally.differences <= MOST_DIFFERENCES) keepDifference(stage, row, judgement);
      keepReasons(stage, row, judgement, tally);
    }
    await report(tally.totals());
  }
  return tally.totals();
}

/** Once all rows are there, of which each was judged by itself. @param tally of these */
export async function judgeTwins(
  stage: StageFile,
  judging: Judging,
  tally: Tally,
  report: Report,
): Promise<void> {
  for await (const batch of judged(judging, (after) => stage.twinsAfter(after, AT_ONCE))) {
    for (const { row, judgement } of batch) {
      tally.replace(row, judgement);
      stage.judgeRow(row.row, kept(judgement));
      keepReasons(stage, row, judgement, tally);
    }
    await report(tally.totals());
  }
}

export function keepReasons(
  stage: StageFile,
  { row, reasons: before = null }: Pick<JudgedRow, 'row'> & Partial<Pick<JudgedRow, 'reasons'>>,
  { verdict, reasons }: Judgement,
  { refused }: Tally,
): void {
  if (verdict !== 'refused' || (refused > MOST_REFUSED_KEPT && before === null)) return;
  stage.keepRefused(row, JSON.stringify(reasons));
}

export function kept({ verdict, user, does }: Judgement): Verdict {
  return {
    verdict: VERDICTS.indexOf(verdict),
    user: user?.id ?? null,
    version: user?.version ?? null,
    does: does && JSON.stringify(does),
  };
}

type Again = { row: JudgedRow; judgement: Judgement };

async function* judged(judging: Judging, next: (after: number) => JudgedRow[]): AsyncGenerator<Again[]> {
  for (let rows = next(0); rows.length > 0; rows = next(rows.at(-1)?.row ?? 0)) {
    const judgements = await judgeRows(judging, rows.map(toJudge));
    yield rows.map((row, index) => ({ row, judgement: judgements[index] as Judgement }));
  }
}

function toJudge({ said, problems, ...row }: JudgedRow): RowToJudge {
  return { ...row, said: parseStaged(said), problems: parseStaged(problems ?? '[]') };
}

function differs(row: JudgedRow, judgement: Judgement): boolean {
  const { verdict, user, does } = kept(judgement);
  // Of whom nothing is done it does not matter who it is.
  const isOther = user !== row.user && verdict !== REFUSED;
  return verdict !== row.verdict || isOther || does !== row.does;
}

function keepDifference(stage: StageFile, row: JudgedRow, judgement: Judgement): void {
  const reasons = JSON.stringify(judgement.reasons);
  const [was, is] = [shownRow(row), shownRow({ ...row, ...kept(judgement), reasons })];
  stage.keepDifference({ row: row.row, was: JSON.stringify(was), is: JSON.stringify(is) });
}
