/** What forms were answered, kept for a day with what they did, so that a form that is sent again does it once. */
import { cachedQuery, executeCached } from '../db/cached-query.ts';
import type { Db, Trx } from '../db/schema.ts';
import { open, seal } from './tokens.ts';

const PURPOSE = 'kept answer';

/** `undo`: the change set that they can undo; `begun`: one that is under way; `session`: the number of the one that was begun. */
type AnswerContent = { to: string; sentence: string } & Partial<
  Record<'undo' | 'begun' | 'session', number | undefined>
>;
/** Where someone is sent, with a sentence. `done before`: by the same form. */
type AnswerOf<Kind> = { kind: Kind } & AnswerContent;
export type Done = AnswerOf<'done'>;
export type DoneBefore = AnswerOf<'done before'>;
export type Answer = Done | DoneBefore | AnswerOf<'nothing done'>;

/** A form that was sent: what is kept for it is found by the hash, and sealed with a key that only the same form gives. */
export type SentForm = { hash: string; key: Buffer };

/** Nothing secret goes in here: it is kept, and given to whoever sends the same form again. */
export function done(to: string, sentence: string, undo?: number): Done {
  return { kind: 'done', to, sentence, undo };
}

/** A change set that goes on by itself. Once whoever sends the form has undone it, the same form begins it anew. */
export function begun(to: string, sentence: string, set: number): Done {
  return { ...done(to, sentence), begun: set };
}

export function doneIn(set: number | undefined, to: string, sentence: string): Answer {
  return set === undefined ? nothingDone(to, sentence) : done(to, sentence, set);
}

/** Not kept: the same form may well do something later. */
export function nothingDone(to: string, sentence: string): AnswerOf<'nothing done'> {
  return { kind: 'nothing done', to, sentence };
}

/** @returns false where there is one, for which it waits until it is saved */
export async function insertAnswer(trx: Trx, form: SentForm, answer: Done, at: number): Promise<boolean> {
  const row = { hash: form.hash, at, answer: sealed(form, answer) };
  const query = cachedQuery(trx, 'keep answer', row, (values) =>
    trx
      .insertInto('kept_answers')
      .values(values)
      .onConflict((conflict) => conflict.doNothing()),
  );
  return (await trx.executeQuery(query)).numAffectedRows === 1n;
}

export async function replaceAnswer(trx: Trx, form: SentForm, done: Done, at: number): Promise<void> {
  const answer = sealed(form, done);
  await trx
    .insertInto('kept_answers')
    .values({ hash: form.hash, at, answer })
    .onConflict((conflict) => conflict.column('hash').doUpdateSet({ answer }))
    .execute();
}

/** What it was is known no more, and that it was done is. */
const FORGOTTEN = '';

function doneAlready(to: string, since = ''): DoneBefore {
  const sentence = `This was done already, when it was sent before${since}. To do it once more, open the form anew.`;
  return { kind: 'done before', to, sentence };
}

/** What it said is true no more. */
export function changedSince({ to }: DoneBefore): DoneBefore {
  return doneAlready(to, ', and was changed since');
}

export async function findAnswer(db: Db, { hash, key }: SentForm): Promise<DoneBefore | undefined> {
  const [row] = await executeCached(db, 'kept answer', { hash }, (values) =>
    db.selectFrom('kept_answers').select('answer').where('hash', '=', values.hash),
  );
  if (row?.answer === FORGOTTEN) return doneAlready('/users');
  const answer = row && (open(key, PURPOSE, row.answer) as AnswerContent | undefined);
  return answer && { kind: 'done before', ...answer };
}

/** All of them, and not that there were some: else a form that is sent again would do it twice. */
export async function forgetAnswers(trx: Trx): Promise<void> {
  await trx.updateTable('kept_answers').set({ answer: FORGOTTEN }).execute();
}

function sealed({ key }: SentForm, { kind: _, ...told }: Done): string {
  return seal(key, PURPOSE, told satisfies AnswerContent);
}
