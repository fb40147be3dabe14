/** Judging all rows of a stage: for the first time, or again, where it is told what differs from what was shown. */
import type { Judged, Refused, StagedJudged, StageFile } from '../db/stage.ts';
import { type Judgement, type Judging, judgeRows } from './judge.ts';
import { judgedRow } from './stage.ts';
import { Tally } from './totals.ts';
import { type Totals, VERDICTS } from './types.ts';

/** Is told now and then how far it is; what it throws ends it. @param isNow not only if it is time to */
export type Report = (totals: Totals, isNow?: boolean) => Promise<void>;

const AT_ONCE = 500;
/** Of more it is counted alone how many there are. */
export const MOST_REFUSED = 10_000;
const MOST_DIFFERENCES = 1_000;

export async function judgeAll(
  stage: StageFile,
  judging: Judging,
  report: Report,
  isAgain = false,
): Promise<Totals> {
  if (isAgain) stage.forgetReasons();
  const tally = new Tally();
  let totals = tally.totals(0);
  for (let last = 0; ; ) {
    const rows = stage.rowsAfter(last, AT_ONCE);
    last = rows.at(-1)?.row ?? last;
    if (rows.length === 0) break;
    const judgements = await judgeRows(judging, rows);
    const results = rows.map((row, index) => resultOf(row, judgements[index] as Judgement));
    stage.inTurn(() => keep(stage, results, totals, isAgain));
    for (const { judgement, isOther } of results) tally.add(judgement, isAgain && isOther);
    totals = tally.totals(last);
    await report(totals);
  }
  stage.indexVerdicts();
  return totals;
}

type Result = { row: StagedJudged; judged: Judged; judgement: Judgement; isOther: boolean };

function resultOf(row: StagedJudged, judgement: Judgement): Result {
  const { verdict, user, does } = judgement;
  const judged = {
    row: row.row,
    verdict: VERDICTS.indexOf(verdict),
    user: user?.id ?? null,
    version: user?.version ?? null,
    does: does && JSON.stringify(does),
  };
  const isOther = judged.verdict !== row.verdict || judged.user !== row.user || judged.does !== row.does;
  return { row, judged, judgement, isOther };
}

function keep(stage: StageFile, results: readonly Result[], before: Totals, isAgain: boolean): void {
  const news = results.filter(({ isOther, judged, row }) => isOther || judged.version !== row.version);
  stage.judge(news.map(({ judged }) => judged));
  stage.keepRefused(refusedOf(results).slice(0, Math.max(0, MOST_REFUSED - before.refused)));
  if (!isAgain) return;
  const others = results.filter(({ isOther }) => isOther);
  const differences = others.map(({ row, judged }) => ({
    row: row.row,
    was: JSON.stringify(judgedRow(row)),
    is: JSON.stringify(judgedRow({ ...row, ...judged })),
  }));
  stage.keepDifferences(differences.slice(0, Math.max(0, MOST_DIFFERENCES - before.differences)));
}

function refusedOf(results: readonly Result[]): Refused[] {
  return results.flatMap(({ row: { row, line, cells }, judgement: { does, verdict } }) =>
    verdict === 'refused' ? [{ row, line, cells, reasons: JSON.stringify(does?.reasons ?? []) }] : [],
  );
}
