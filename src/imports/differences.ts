/** What rows would do otherwise than it was shown, each in a sentence: what was there, what is there by now, and who has changed it. */
import type { Actor } from '../auth/actor.ts';
import type { Db, User } from '../db/schema.ts';
import { usersByIds } from '../db/users-by-ids.ts';
import { readChangesSince } from '../history/changes-since.ts';
import type { KeptField } from '../history/kinds.ts';
import { fieldName, namesOf, shownValue } from '../history/words.ts';
import { and, number } from '../lib/formats.ts';
import { named, quotable } from '../lib/text.ts';
import { nameWhoDid, seenOf } from '../users/concurrent-changes.ts';
import type { RowDifference, ShownRow, Verdict } from './types.ts';

type WhoOf = (field: KeptField) => string | undefined;

/** Of a row that was shown, and of what it would do by now. */
const WAS: Readonly<Record<Verdict, string>> = {
  created: 'was new',
  changed: 'was to change',
  same: 'was the same',
  refused: 'was refused',
};
const IS: typeof WAS = { created: 'is new', changed: 'changes', same: 'is the same', refused: 'is refused' };

export async function describeDifferences(
  db: Db,
  actor: Actor | undefined,
  differences: readonly RowDifference[],
): Promise<string[]> {
  const ids = differences.flatMap(({ is }) => is.user?.id ?? []);
  const users = await usersByIds(db, ids).selectAll('users').execute();
  const byId = new Map(users.map((user) => [user.id, user]));
  const sentences: string[] = [];
  for (const difference of differences) {
    const user = isOfOne(difference) ? byId.get(difference.is.user?.id ?? 0) : undefined;
    sentences.push(sentenceOf(difference, actor, await whoHasChanged(db, actor, user, difference.was)));
  }
  return sentences;
}

async function whoHasChanged(
  db: Db,
  actor: Actor | undefined,
  user: User | undefined,
  { version }: ShownRow,
): Promise<WhoOf> {
  if (user === undefined || version === null) return () => undefined;
  const since = await readChangesSince(db, user, version);
  const nameOf = await nameWhoDid(db, actor, since);
  return (field) => {
    const done = since.doneBy.get(field);
    return done && nameOf(done);
  };
}

function isOfOne({ was, is }: RowDifference): boolean {
  return was.user !== undefined && was.user.id === is.user?.id;
}

/** Of what is refused it is not kept which fields it would change. */
function isKnown(difference: RowDifference): boolean {
  const { was, is } = difference;
  return isOfOne(difference) && was.verdict !== 'refused' && is.verdict !== 'refused';
}

/** "Line 2, ada: the full name was “Ada”, is “A. Byron” by now (changed by bob), and becomes “Ada Byron”" */
function sentenceOf(difference: RowDifference, actor: Actor | undefined, whoOf: WhoOf): string {
  const { was, is } = difference;
  const name = is.user?.username ?? was.user?.username ?? is.values.username ?? is.values.email;
  const whom = name === undefined ? '' : `, ${named(quotable(name))}`;
  const fields = isKnown(difference) ? changedSince(difference, actor, whoOf) : [];
  const isOther = was.verdict !== is.verdict || fields.length === 0;
  const verdicts = isOther ? [`${verdictOf(was, WAS)}, now ${verdictOf(is, IS)}${valuesOf(difference)}`] : [];
  const why = is.reasons[0] ? `. ${is.reasons[0].message}` : '';
  return `Line ${number.format(is.line)}${whom}: ${[...verdicts, ...fields].join('; ')}${why}`;
}

function verdictOf({ verdict, fields }: ShownRow, words: typeof WAS): string {
  return verdict === 'changed'
    ? `${words.changed} ${namesOf(Object.keys(fields) as KeptField[])}`
    : words[verdict];
}

/** Where nothing was known of it before. */
function valuesOf(difference: RowDifference): string {
  const fields = Object.entries(difference.is.fields) as [KeptField, { was: Value; became: Value }][];
  if (isKnown(difference) || difference.is.verdict !== 'changed') return '';
  const values = fields.map(
    ([field, { was, became }]) => `${told(field, was)} becomes ${told(field, became)}`,
  );
  return `: ${and.format(values)}`;
}

/** A field that no row changes has what the row says. */
function changedSince({ was, is }: RowDifference, actor: Actor | undefined, whoOf: WhoOf): string[] {
  const names = Object.keys({ ...was.fields, ...is.fields }) as KeptField[];
  return seenOf(names, actor, is.user?.id ?? 0).flatMap((field) => {
    const [then, now] = [was.fields[field], is.fields[field]];
    const before = then ? then.was : now?.became;
    const there = now ? now.was : then?.became;
    if (before === there) return [];
    const who = whoOf(field);
    const by = who === undefined ? '' : ` (changed by ${who})`;
    const end = now ? `, and becomes ${told(field, now.became)}` : ', as in the file';
    return [
      `the ${fieldName(field).toLowerCase()} was ${told(field, before)}, is ${told(field, there)} by now${by}${end}`,
    ];
  });
}

type Value = User[KeptField] | undefined;

function told(field: KeptField, value: Value): string {
  return value === null || value === undefined ? 'empty' : `“${named(quotable(shownValue(field, value)))}”`;
}
