/** An import that somebody at a terminal waits for: how far it is, what it would do, whether it is wanted, and what became of it. */
import { chmod, copyFile, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine } from '../auth/actor.ts';
import type { Db } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { StartError } from '../errors.ts';
import { beginImport, confirmImport, discardImport } from '../imports/commands.ts';
import { type Folder, filesOf, newName } from '../imports/folder.ts';
import { countToApply } from '../imports/json-columns.ts';
import { findImport, type Import } from '../imports/queries.ts';
import { findTakingBack } from '../imports/take-back.ts';
import type { Choices } from '../imports/types.ts';
import { endOf, rowsOf } from '../imports/words.ts';
import { findJobOfSet, type Job } from '../jobs/queries.ts';
import { workOf } from '../jobs/work.ts';
import { monotonicTime } from '../lib/clock.ts';
import { copyOwner } from '../lib/file-owner.ts';
import { number } from '../lib/formats.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import { plain } from '../lib/text.ts';
import { askYesOrNo, UNCHANGED } from './ask.ts';
import { readTotals, saveRefused, sayDifferences, sayPreview } from './import-report.ts';
import { onStopSignal } from './signals.ts';
import { StatusLine } from './status-line.ts';

const LOOK_EVERY_MS = 250;
const UNDER_WAY: readonly Import['state'][] = ['reading', 'confirmed', 'applying'];
const WILL_BE_DONE: readonly Import['state'][] = ['confirmed', 'applying'];
const STILL_TAKING_BACK = 'The import is being taken back: the next Roster goes on with that.';

const ALL_DONE = 0;
const NOT_ALL_DONE = 1;
const NOTHING_DONE = 2;

type Options = { isDry: boolean; isSure: boolean };

export class AttendedImport {
  readonly #db: Db;
  readonly #folder: Folder;
  readonly #work: () => Promise<void>;
  readonly #hearNoMore: () => void;
  readonly #working = new SingleFlight<void>();
  #isEnding = false;

  constructor(env: NodeJS.ProcessEnv, db: Db, folder: Folder) {
    this.#db = db;
    this.#folder = folder;
    const runner = {
      db,
      importFolder: folder.path,
      clock: Date.now,
      stopwatch: monotonicTime,
      note: () => {},
      warn: (what: string, error: unknown) => console.error(`${what} has met an error: ${error}`),
    };
    this.#work = workOf(runner, () => this.#isEnding);
    this.#hearNoMore = onStopSignal(env, () => {
      this.#isEnding = true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await this.#working.underWay;
    this.#hearNoMore();
  }

  async run(path: string, choices: Choices, { isDry, isSure }: Options): Promise<number> {
    const id = await this.#bring(path, choices);
    let imported = await this.#follow(id);
    if (imported.state === 'checked') {
      sayPreview(path, imported);
      await saveRefused(path, this.#folder, imported);
    }
    while (imported.state === 'checked') {
      if (readTotals(imported).differences > 0) await sayDifferences(this.#db, this.#folder, imported);
      const isWanted = !isDry && (await this.#isWanted(imported, isSure));
      if (!isWanted) return this.#discard(imported, isDry);
      await transact(this.#db, (trx) => confirmImport(trx, commandLine, id, imported.judged, Date.now()));
      imported = await this.#follow(id);
    }
    return this.#end(imported);
  }

  async #bring(path: string, choices: Choices): Promise<number> {
    const file = newName();
    const { upload } = filesOf(this.#folder, file);
    try {
      const size = await this.#copy(path, upload).catch((error: NodeJS.ErrnoException) => {
        throw new StartError(`${path} cannot be copied into ${this.#folder.path} (${error.code}).`);
      });
      const brought = { file, name: basename(path), size };
      return await transact(this.#db, (trx) =>
        beginImport(trx, commandLine, this.#folder, brought, Date.now(), choices),
      );
    } catch (error) {
      await rm(upload, { force: true });
      throw error;
    }
  }

  /** For whoever runs Roster alone. @returns its size */
  async #copy(path: string, upload: string): Promise<number> {
    await copyFile(path, upload);
    await chmod(upload, 0o600);
    copyOwner(upload, this.#folder.path);
    return (await stat(upload)).size;
  }

  /** Works, or waits for another Roster that does, and says how far it is. @returns once there is something to decide, or nothing */
  async #follow(id: number): Promise<Import> {
    const line = new StatusLine();
    try {
      for (let looks = 0; ; looks++) {
        const imported = await findImport(this.#db, id);
        if (imported === undefined) throw new StartError('Somebody has removed this import meanwhile.');
        if (!UNDER_WAY.includes(imported.state) || this.#isEnding) return imported;
        line.say(await this.#howFar(imported));
        const late = sleep(LOOK_EVERY_MS);
        const working = this.#working.run(this.#work);
        await (looks === 0 ? Promise.race([working, late]) : late);
      }
    } finally {
      line.clear();
    }
  }

  async #howFar(imported: Import): Promise<string> {
    if (imported.state === 'reading') return `${number.format(readTotals(imported).read)} rows read`;
    const { done = 0 } =
      imported.set_id === null ? {} : ((await findJobOfSet(this.#db, imported.set_id)) ?? {});
    return `${number.format(done)} of ${number.format(countToApply(readTotals(imported)))} rows applied`;
  }

  async #isWanted(imported: Import, isSure: boolean): Promise<boolean> {
    const count = countToApply(readTotals(imported));
    if (count === 0 || this.#isEnding) return false;
    if (isSure) return true;
    const answer = await askYesOrNo(`Apply ${rowsOf(count)}?`);
    if (answer === undefined) console.log('Nobody is there to be asked: with --yes it is applied.');
    return answer ?? false;
  }

  async #discard(imported: Import, isDry: boolean): Promise<number> {
    await transact(this.#db, (trx) => discardImport(trx, commandLine, imported.id, Date.now()));
    await this.#work();
    const { refused, rows } = readTotals(imported);
    const isNothingToDo = countToApply(readTotals(imported)) === 0;
    console.log(isNothingToDo ? '0 changes.' : UNCHANGED);
    if (refused === rows || !(isDry || isNothingToDo)) return NOTHING_DONE;
    return refused > 0 ? NOT_ALL_DONE : ALL_DONE;
  }

  async #end(imported: Import): Promise<number> {
    const { state, problem, set_id, id } = imported;
    // Its files are gone by then.
    if (!UNDER_WAY.includes(state)) await this.#work();
    if (state === 'done') {
      const { created, changed, refused } = readTotals(imported);
      console.log(
        `${number.format(created)} created, ${number.format(changed)} changed. Undo is in the history: /history/${set_id}`,
      );
      return refused > 0 ? NOT_ALL_DONE : ALL_DONE;
    }
    if (state === 'unreadable' || state === 'reading') {
      await transact(this.#db, (trx) => discardImport(trx, commandLine, id, Date.now()));
      await this.#work();
    }
    const takingBack = await findTakingBack(this.#db, imported);
    const { isWhole, sentence } = endOfTakingBack(imported, takingBack);
    const said = problem === null || state === 'discarded' ? sentenceOf(state) : '';
    console.error(plain([problem, said, sentence].filter(Boolean).join(' ')));
    return isWhole && !WILL_BE_DONE.includes(state) ? NOTHING_DONE : NOT_ALL_DONE;
  }
}

function endOfTakingBack(imported: Import, job: Job | undefined) {
  if (imported.state !== 'taken back') return { isWhole: true };
  if (job && job.state !== 'done') return { isWhole: false, sentence: STILL_TAKING_BACK };
  const left = job?.left_out ?? 0;
  return { isWhole: left === 0, sentence: endOf(imported, undefined, left) };
}

function sentenceOf(state: Import['state']): string {
  if (WILL_BE_DONE.includes(state))
    return 'It is not all applied yet: the next Roster goes on with it, or takes all of it back.';
  return UNCHANGED;
}
