/** Group commit: transactions that come together are savepoints of one, so that the disk, which is slow, syncs once. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { ContendedError, OutcomeUnknownError, UnavailableError } from '../../errors.ts';
import { Deadline } from '../../lib/deadline.ts';
import type { TextChange } from '../engine.ts';
import type { Timing } from '../timing.ts';
import { emptyLog } from './checkpoint.ts';
import { GONE, isBusy, isMaybeSaved, lost, outcomeUnknown, refuse } from './errors.ts';
import { makeIndexesAhead, writeSearchTexts } from './fts5-index.ts';
import { nextVersion } from './generation.ts';
import type { OpenedFile } from './opened-file.ts';
import { countChanges, readUserVersion, type Statements } from './statements.ts';

const WAIT_FOR_WRITERS_MS = 4_000;
/** SQLite has no queue: whoever looks seldom would hardly ever find the file free beside somebody who writes again and again. */
const TRY_AGAIN_AFTER_MS = 1;
/** As long as `transact` tries again, and more. */
const EACH_ALONE_MS = 10_000;

type Group = { committed: Promise<void>; size: number; changesBefore: number; texts: TextChange[] };

export class GroupCommit {
  readonly #writer: Statements;
  readonly #file: OpenedFile;
  readonly #timing: Timing;
  #lastTurn: Promise<void> = Promise.resolve();
  #group: Group | undefined;
  #endOfIndexes = 0;
  #isLogOwn = false;
  #eachAloneUntil = 0;

  constructor(writer: Statements, file: OpenedFile, timing: Timing) {
    this.#writer = writer;
    this.#file = file;
    this.#timing = timing;
  }

  static deadline(): Deadline {
    return Deadline.in(WAIT_FOR_WRITERS_MS);
  }

  async takeTurn(): Promise<() => void> {
    const { promise: over, resolve: endTurn } = Promise.withResolvers<void>();
    const before = this.#lastTurn;
    this.#lastTurn = over;
    await before;
    return endTurn;
  }

  /** For a transaction that begins: as a rule together with others. */
  takeTurnToBegin(): Promise<() => void> {
    return performance.now() < this.#eachAloneUntil ? this.takeTurnAlone() : this.takeTurn();
  }

  /** Once no transaction is under way, nor any that waits to be committed. */
  async takeTurnAlone(): Promise<() => void> {
    for (;;) {
      await this.#group?.committed.catch(() => {});
      const endTurn = await this.takeTurn();
      if (!this.#writer.db.inTransaction) return endTurn;
      endTurn();
    }
  }

  async begin(deadline: Deadline): Promise<void> {
    if (!this.#writer.db.inTransaction) this.#group = await this.#openGroup(deadline);
    if (this.#group) this.#group.size++;
    // Whoever is first is alone so far, and rolls back all: see `rollback`.
    if (this.#group?.size !== 1) this.#writer.run('savepoint one');
  }

  /** Fulfilled once the transaction is saved: after the end of the turn. */
  release(texts: readonly TextChange[]): Promise<void> {
    if (this.#group?.size !== 1) this.#writer.run('release one');
    this.#group?.texts.push(...texts);
    return this.#group?.committed ?? Promise.resolve();
  }

  rollback(): void {
    // After some errors SQLite has rolled back all by itself; one that is alone takes back virtual tables made ahead, too.
    if (!this.#writer.db.inTransaction || this.#group?.size === 1) {
      this.#rollbackAll();
      return;
    }
    this.#writer.run('rollback to one');
    this.#writer.run('release one');
    if (this.#group) this.#group.size--;
  }

  async #openGroup(deadline: Deadline): Promise<Group> {
    try {
      // What savepoints may take back stays in memory: else it goes through a file, page by page. What is sorted may need one.
      this.#writer.execute('pragma temp_store = MEMORY');
      // Immediate: a transaction that starts by reading and then writes fails at once when another one wrote in between.
      await retryWhileBusy(() => this.#writer.run('begin immediate'), deadline).finally(() =>
        this.#writer.execute('pragma temp_store = FILE'),
      );
      this.#endOfIndexes = makeIndexesAhead(this.#writer, this.#endOfIndexes);
    } catch (error) {
      // Else whoever comes next would find a transaction that nobody commits.
      this.#rollbackAll();
      throw this.#lostOr(error);
    }
    const changesBefore = countChanges(this.#writer);
    const group: Group = { committed: Promise.resolve(), size: 0, changesBefore, texts: [] };
    group.committed = this.#commit(group);
    // Its members hear of a failure; where they have all failed before, there is nobody to tell.
    group.committed.catch(() => {});
    return group;
  }

  /** Also where SQLite has rolled back by itself: what was made ahead is gone with it. */
  #rollbackAll(): void {
    this.#endOfIndexes = 0;
    if (this.#writer.db.inTransaction) this.#writer.run('rollback');
  }

  /** Commits once all that came in the same turn of the event loop have had theirs. */
  async #commit(group: Group): Promise<void> {
    await setImmediate();
    const endTurn = await this.takeTurn();
    const isChanged = countChanges(this.#writer) !== group.changesBefore;
    try {
      if (this.#group !== group || !this.#writer.db.inTransaction) throw new UnavailableError('rolled back');
      refuse(this.#file.lookInside());
      if (isChanged) this.#raiseGeneration();
      this.#save(group);
    } catch (error) {
      if (this.#group === group) this.#rollbackAll();
      throw this.#lostOr(error);
    } finally {
      endTurn();
    }
    const problem = this.#file.lookAtPaths();
    if (problem) throw new OutcomeUnknownError(problem, { reason: GONE });
    if (!isChanged) return;
    this.#timing.group(group.size);
    this.#emptyLogOnce();
  }

  /** Each transaction that changes something does so, and with it writes the first page: the log shows whose it is. */
  #raiseGeneration(): void {
    const version = readUserVersion(this.#writer);
    refuse(this.#file.follow(() => version));
    // Not among the statements that are kept prepared: it is another one each time.
    this.#writer.execute(`pragma user_version = ${nextVersion(version)}`);
  }

  /** Merging the search index frees many pages, which `scrub.ts` overwrites later. Not by `run`: this pragma takes effect when it is prepared. */
  #save(group: Group): void {
    this.#writer.execute('pragma secure_delete = FAST');
    try {
      this.#writeTexts(group);
      this.#commitNow();
    } finally {
      this.#writer.execute('pragma secure_delete = ON');
    }
  }

  /** @throws ContendedError where one of several may be what an index that is damaged cannot take: then each comes anew, alone. */
  #writeTexts({ texts, size }: Group): void {
    try {
      writeSearchTexts(this.#writer, texts);
    } catch (error) {
      if (size === 1 || error instanceof UnavailableError) throw error;
      this.#eachAloneUntil = performance.now() + EACH_ALONE_MS;
      throw new ContendedError('a search text cannot be written', { cause: error });
    }
  }

  /** @throws OutcomeUnknownError where it may have been saved all the same. */
  #commitNow(): void {
    try {
      this.#writer.run('commit');
    } catch (error) {
      throw isMaybeSaved(error) ? outcomeUnknown(error) : error;
    }
  }

  // Else a copy of the file from before this process opened it might pass for what the log goes on from: `unmatched-files.ts`.
  #emptyLogOnce(): void {
    if (this.#isLogOwn) return;
    try {
      this.#isLogOwn = emptyLog(this.#writer);
    } catch {
      // What was changed is saved, in the log.
    }
  }

  /** What was put in the place of the file may be what SQLite fails at. */
  #lostOr(error: unknown): unknown {
    // What may have been saved may be in a file that comes back.
    if (error instanceof OutcomeUnknownError) return error;
    const problem = this.#file.look();
    return problem ? lost(problem, error) : error;
  }
}

/** Waits for other processes and threads without stopping this one. */
export async function retryWhileBusy<T>(act: () => T, deadline: Deadline): Promise<T> {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || deadline.isPast) throw error;
      await setTimeout(TRY_AGAIN_AFTER_MS);
    }
  }
}
