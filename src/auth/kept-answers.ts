/** What forms were answered, kept for a day with what they did, so that a form that is sent again does it once. */
import { executeCached } from '../db/cached-query.ts';
import type { Db, Trx } from '../db/schema.ts';

/** Where someone is sent, with a sentence, and the change set that they can undo. `done before`: by the same form. */
type AnswerOf<Kind> = { kind: Kind; to: string; sentence: string; undo?: number | undefined };
export type Done = AnswerOf<'done'>;
export type DoneBefore = AnswerOf<'done before'>;
export type Answer = AnswerOf<'done' | 'done before' | 'nothing done'>;

/** Nothing secret goes in here: it is kept, and given to whoever sends the same form again. */
export function done(to: string, sentence: string, undo?: number): Done {
  return { kind: 'done', to, sentence, undo };
}

/** Not kept: the same form may well do something later. */
export function nothingDone(to: string, sentence: string): AnswerOf<'nothing done'> {
  return { kind: 'nothing done', to, sentence };
}

/** Whoever sends the same form at this moment waits for the end of the transaction. @returns what was answered before */
export async function claimAnswer(trx: Trx, hash: string, at: number): Promise<DoneBefore | undefined> {
  const claimed = await executeCached(trx, 'claim answer', { hash, at }, (values) =>
    trx
      .insertInto('kept_answers')
      .values({ ...values, answer: null })
      .onConflict((conflict) => conflict.doNothing())
      .returning('at'),
  );
  return claimed.length > 0 ? undefined : findAnswer(trx, hash);
}

export async function saveAnswer(trx: Trx, hash: string, { to, sentence, undo }: Done): Promise<void> {
  const answer = JSON.stringify({ to, sentence, undo });
  await executeCached(trx, 'save answer', { answer, hash }, (values) =>
    trx.updateTable('kept_answers').set({ answer: values.answer }).where('hash', '=', values.hash),
  );
}

/** Whether or not there was one. */
export async function keepAnswer(trx: Trx, hash: string, answer: Done, at: number): Promise<void> {
  await claimAnswer(trx, hash, at);
  await saveAnswer(trx, hash, answer);
}

export async function disclaimAnswer(trx: Trx, hash: string): Promise<void> {
  await trx.deleteFrom('kept_answers').where('hash', '=', hash).execute();
}

export async function findAnswer(db: Db, hash: string): Promise<DoneBefore | undefined> {
  const [row] = await executeCached(db, 'kept answer', { hash }, (values) =>
    db.selectFrom('kept_answers').select('answer').where('hash', '=', values.hash),
  );
  return row?.answer
    ? { kind: 'done before', ...(JSON.parse(row.answer) as Omit<DoneBefore, 'kind'>) }
    : undefined;
}
