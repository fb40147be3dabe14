/** The form that asks what is to become of what was changed since: its fields, and what they decide. */
import type { Db, User } from '../db/schema.ts';
import { type Fields, parseForm, readFields } from '../lib/forms.ts';
import { textKey } from '../lib/text.ts';
import { addHolders, type Problems } from '../users/form.ts';
import { type UserChanges, userChangesSchema } from '../users/validation.ts';
import { actOf, type Choices } from './commands.ts';
import { MOST_CONFLICTS, type Part } from './conflicts.ts';
import type { Difference, Step } from './steps.ts';

type Asked = Pick<Step, 'id'>;

const NUMBER = /^\d{1,15}$/;

export function choiceName({ id }: Asked, field?: string): string {
  return field === undefined ? `${id}` : `${id}.${field}`;
}

/** What was chosen; whoever types something wants it, whichever choice stands beside it. */
export function readChoices(body: unknown): Fields {
  const sent = (body ?? {}) as Fields;
  const fields = readFields(sent, Object.keys(sent).filter(isChoice));
  for (const [name, value] of Object.entries(fields)) {
    const [id = '', field, other] = name.split('.');
    if (other && value.trim() !== '') Object.assign(fields, { [id]: 'back', [`${id}.${field}`]: 'back' });
  }
  return fields;
}

export function otherName({ id }: Asked, field: string): string {
  return `${id}.${field}.other`;
}

function isChoice(name: string): boolean {
  return /^(?:seen|users|after|\d{1,16}(?:\.[a-z_]+(?:\.other)?)?)$/.test(name);
}

export function partIn({ users, after = '' }: Fields): Part | undefined {
  if (users === undefined) return undefined;
  const ids = users.split(',').filter((id) => NUMBER.test(id));
  const cursor = NUMBER.test(after) ? Number(after) : 0;
  const place = { cursor, isFirst: false, isLast: false, hasRest: false };
  return { users: ids.slice(0, MOST_CONFLICTS).map(Number), ...place };
}

/** What is wrong with what was typed instead of something that is taken, by the name of its field. */
export function problemsIn(fields: Fields): Problems {
  const typed = Object.entries(fields).filter(([name]) => name.endsWith('.other'));
  const problems = typed.map(([name, value]) => {
    const [id = '', field = ''] = name.split('.');
    const isWanted = [fields[id], fields[`${id}.${field}`]].includes('back');
    const form = parseForm(userChangesSchema, { [field]: value });
    return [name, isWanted && !form.ok ? form.errors[field] : undefined];
  });
  return Object.fromEntries(problems.filter(([, problem]) => problem));
}

export type Holders = Readonly<Record<string, Pick<User, 'id' | 'username'>>>;

/** Of what was typed instead of something that is taken, what is taken as well, by others or by others of the same form. */
export async function takenIn(db: Db, fields: Fields, steps: readonly Step[]) {
  const [errors, holders]: [Record<string, string>, Record<string, User>] = [{}, {}];
  const wanted = steps.flatMap((step) => namesFor(step, choicesIn(fields)));
  for (const { step, field, key } of wanted.filter(({ step, field }) => fields[otherName(step, field)])) {
    const name = otherName(step, field);
    const others = wanted.filter((other) => other.step !== step && other.field === field);
    const found = await addHolders(db, { [field]: fields[name] ?? '' }, {}, step.id);
    const holder = found.holders[field];
    if (others.some((other) => other.key === key))
      errors[name] = `Somebody else is given that ${field} here, too: type another.`;
    else if (holder) Object.assign(errors, { [name]: found.errors[field] });
    if (holder) holders[name] = holder;
  }
  return { errors, holders: holders as Holders };
}

function namesFor(step: Step, choices: Choices) {
  const act = actOf(step, choices);
  if (act === undefined || act.kind === 'delete') return [];
  const names = { ...(act.kind === 'restore' && { username: step.username }), ...act.changes };
  return (['username', 'email'] as const).flatMap((field) => {
    const value = names[field];
    return value === undefined ? [] : { step, field, key: textKey(value) };
  });
}

export function choicesIn(fields: Fields): Choices {
  const isBack = (name: string) => fields[name] === 'back';
  const fieldsOf = (step: Step) => {
    const differences = 'differences' in step ? step.differences : [];
    const chosen = differences.filter(({ field }) =>
      step.kind === 'change' ? isBack(choiceName(step, field)) : step.kind === 'restore',
    );
    return Object.assign({}, ...chosen.map((one) => valueFor(step, one, fields))) as UserChanges;
  };
  return { seen: fields.seen ?? '', isWhole: (step) => isBack(choiceName(step)), fieldsOf };
}

function valueFor(step: Step, { field, was, holder }: Difference, fields: Fields): UserChanges {
  if (holder === undefined) return { [field]: was };
  const form = parseForm(userChangesSchema, { [field]: fields[otherName(step, field)] ?? '' });
  return form.ok ? form.value : {};
}
