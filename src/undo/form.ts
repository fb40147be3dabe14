/** The form that asks what is to become of what was changed since: its fields, and what they decide. */
import { type Fields, parseForm } from '../lib/forms.ts';
import { type UserChanges, userChangesSchema } from '../users/validation.ts';
import type { Choices } from './commands.ts';
import type { Difference, Step } from './steps.ts';

type Asked = Pick<Step, 'id'>;

/** One is chosen; for those who are not asked about one by one `rest` is. */
export function choiceName({ id }: Asked, field?: string): string {
  return field === undefined ? `${id}` : `${id}.${field}`;
}

/** What is to stand there where somebody else has what was there before. */
export function otherName({ id }: Asked, field: string): string {
  return `${id}.${field}.other`;
}

export function isChoice(name: string): boolean {
  return /^(?:seen|rest|\d{1,16}(?:\.[a-z_]+(?:\.other)?)?)$/.test(name);
}

/** What is wrong with what was typed instead of something that is taken, by the name of its field. */
export function problemsIn(fields: Fields): Record<string, string> {
  const typed = Object.entries(fields).filter(([name]) => name.endsWith('.other'));
  const problems = typed.map(([name, value]) => {
    const [id = '', field = ''] = name.split('.');
    const isWanted = [fields[id], fields[`${id}.${field}`]].includes('back');
    const form = parseForm(userChangesSchema, { [field]: value });
    return [name, isWanted && !form.ok ? form.errors[field] : undefined];
  });
  return Object.fromEntries(problems.filter(([, problem]) => problem));
}

export function choicesIn(fields: Fields): Choices {
  const isBack = (name: string) => (fields[name] ?? fields.rest) === 'back';
  const fieldsOf = (step: Step) => {
    const differences = 'differences' in step ? step.differences : [];
    const chosen = differences.filter(({ field }) =>
      step.kind === 'change' ? isBack(choiceName(step, field)) : step.kind === 'restore',
    );
    return Object.assign({}, ...chosen.map((one) => valueFor(step, one, fields))) as UserChanges;
  };
  return { seen: fields.seen ?? '', isWhole: (step) => isBack(choiceName(step)), fieldsOf };
}

/** Nothing where another value is wanted and none was typed. */
function valueFor(step: Step, { field, was, holder }: Difference, fields: Fields): UserChanges {
  if (holder === undefined) return { [field]: was };
  const form = parseForm(userChangesSchema, { [field]: fields[otherName(step, field)] ?? '' });
  return form.ok ? form.value : {};
}
