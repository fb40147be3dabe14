/** What pages read of the rows of an import, on the machine that has them. */
import { DAMAGED, isStageBusy, openStageToRead, parseStaged, type StageFile } from '../db/stage-file.ts';
import type { JudgedRow, Key, Refused } from '../db/stage-rows.ts';
import { BusyError } from '../errors.ts';
import { ignoreErrors } from '../lib/make-file.ts';
import { type Folder, filesOf } from './folder.ts';
import { saidBy } from './judge-rows.ts';
import { doubtfulName } from './lost-letters.ts';
import type { Import } from './queries.ts';
import {
  type Does,
  type RefusedRow,
  type RowDifference,
  type Said,
  type ShownRow,
  VERDICTS,
  type Verdict,
} from './types.ts';

/** Undefined where another machine has it, or its rows are gone or damaged. @throws BusyError at once: others’ pages do not wait */
export function readStage<T>(
  folder: Folder | undefined,
  imported: Pick<Import, 'folder' | 'file'>,
  read: (stage: StageReader) => T,
): T | undefined {
  if (folder === undefined || imported.folder !== folder.id) return undefined;
  try {
    return ignoreErrors(DAMAGED, () => readAt(filesOf(folder, imported.file).stage, read));
  } catch (error) {
    throw isStageBusy(error) ? new BusyError('Its rows are being judged.') : error;
  }
}

function readAt<T>(path: string, read: (stage: StageReader) => T): T | undefined {
  const stage = openStageToRead(path, 0);
  try {
    return stage && read(new StageReader(stage));
  } finally {
    stage?.close();
  }
}

/** `before`: how many come before them; `count`: of how many it is kept why. */
export type RefusedPage = { rows: readonly RefusedRow[]; before: number; count: number };

export class StageReader {
  readonly #stage: StageFile;

  constructor(stage: StageFile) {
    this.#stage = stage;
  }

  refused(after: number, limit: number): RefusedRow[] {
    return this.#stage.refusedAfter(after, limit).map(refusedRow);
  }

  refusedAfter(row: number, limit: number): RefusedPage {
    return this.#pageOf(this.refused(row, limit), row);
  }

  refusedBefore(row: number, limit: number): RefusedPage {
    return this.#pageOf(this.#stage.refusedBefore(row, limit).map(refusedRow), 0);
  }

  #pageOf(rows: readonly RefusedRow[], after: number): RefusedPage {
    const before = this.#stage.countRefusedBefore(rows[0]?.row ?? after + 1);
    return { rows, before, count: this.#stage.countRefusedBefore(Number.MAX_SAFE_INTEGER) };
  }

  examples(verdict: Verdict, limit: number): ShownRow[] {
    return this.#stage.ofVerdict(VERDICTS.indexOf(verdict), limit).map(shownRow);
  }

  keysOf(verdict: Verdict, limit: number): Pick<JudgedRow, Key>[] {
    return this.#stage.keysOfVerdict(VERDICTS.indexOf(verdict), limit);
  }

  /** Of so many rows that are written. */
  doubtfulNames(limit: number): { line: number; name: string }[] {
    const rows = [...this.examples('created', limit), ...this.examples('changed', limit)];
    return rows.flatMap((row) => {
      const name = doubtfulName(row);
      return name === undefined ? [] : [{ line: row.line, name }];
    });
  }

  differences(limit: number): RowDifference[] {
    return this.#stage
      .differences(limit)
      .map(({ was, is }) => ({ was: parseStaged(was), is: parseStaged(is) }));
  }
}

function refusedRow({ cells, reasons, ...row }: Refused): RefusedRow {
  return { ...row, cells: parseStaged(cells), reasons: parseStaged(reasons) };
}

export function shownRow({ row, line, verdict, user, version, does, said, reasons }: JudgedRow): ShownRow {
  const { username, fields } = parseStaged<Partial<Does>>(does ?? '{}');
  const told = parseStaged<Said>(said);
  return {
    row,
    line,
    verdict: VERDICTS[verdict] ?? 'refused',
    user: user === null || username === undefined ? undefined : { id: user, username },
    version,
    by: user === null ? undefined : told.by,
    values: saidBy(told, user === null),
    fields: fields ?? {},
    reasons: parseStaged(reasons ?? '[]'),
  };
}
