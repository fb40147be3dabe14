/** What a user may be made of: the rules that one submission can be checked against alone. */
import { z } from 'zod';
import { ROLES } from '../db/schema.ts';
import { asciiEmail, EMAIL_MAX, parseMailbox } from '../lib/email.ts';
import { identifierProblem } from '../lib/identifiers.ts';
import {
  clean,
  codePoints,
  forbiddenCharacter,
  invisibleCharacter,
  quoted,
  tooManyMarks,
  trim,
} from '../lib/text.ts';

export const USER_FIELDS = ['username', 'email', 'full_name', 'is_active', 'role'] as const;

export const USERNAME_MAX = 64;
export const USERNAME_HINT = `Up to ${USERNAME_MAX} letters, digits, and the signs . _ - +`;
const EMAIL_LOCAL_MAX = 64;
const FULL_NAME_MAX = 200;
/** UTF-16 units; 200 code points can take some 1,200 before they are composed. */
const HUGE = 2_000;

// `\p{DI}` are the characters that show as nothing, some of which count as letters and marks.
const USERNAME = /^(?!.*\p{DI})[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._+-]*$/u;

// A valid email address (HTML Living Standard, 4.10.5.1.5).
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const EMAIL = new RegExp(`^[a-z0-9.!#$%&'*+/=?^_\`{|}~-]+@${LABEL}(?:\\.${LABEL})*$`, 'i');

const NOT_SHOWN = /[\p{DI}\p{C}[\p{Z}--\x20]]/gv;

const NO_ROLE = 'Choose one of the roles.';
const YES_OR_NO: Readonly<Record<string, boolean>> = {
  '1': true,
  on: true,
  true: true,
  yes: true,
  '0': false,
  off: false,
  false: false,
  no: false,
};

const fields = {
  username: text('username', usernameProblem),
  email: text('email address', emailProblem, {
    stored: (typed) => asciiEmail(parseMailbox(clean(typed)).email),
  }),
  full_name: text('full name', fullNameProblem, { hidden: forbiddenCharacter }).transform(
    (name) => name || null,
  ),
  is_active: z.string().transform((word, context) => {
    const isActive = yesOrNo(word);
    if (isActive === undefined) context.addIssue({ code: 'custom', message: 'Choose active or inactive.' });
    return isActive as boolean;
  }),
  role: z.enum(ROLES, NO_ROLE),
};

export const userChangesSchema = z.object(fields).partial();

export const newUserSchema = z.object({
  username: fields.username.prefault(''),
  email: fields.email.prefault(''),
  full_name: fields.full_name.prefault(''),
  is_active: fields.is_active.prefault('1'),
  role: fields.role.default('member'),
});

/** Of someone who is to get in at once; without a username it is made of the email. */
export const invitationSchema = newUserSchema.omit({ is_active: true }).extend({
  username: text('username', (name) => (name === '' ? undefined : usernameProblem(name))).prefault(''),
  role: fields.role.exclude(['member'], NO_ROLE).default('viewer'),
});

export const INVITED_ROLES = invitationSchema.shape.role.unwrap().options;

export type NewInvitation = z.infer<typeof invitationSchema>;

type WholeUser = z.infer<typeof newUserSchema>;
export type NewUser = Pick<WholeUser, 'username' | 'email' | 'is_active' | 'role'> & Partial<WholeUser>;
export type UserChanges = z.infer<typeof userChangesSchema>;

/** What stands before the @ as a username, with a number behind it from the second of that name on. */
export function usernameFrom(email: string, number = 1): string {
  const [before = ''] = email.split('@');
  const name = before.replaceAll(/[^a-z\d._+-]/gi, '').replace(/^[^a-z\d]+/i, '') || 'user';
  const end = number === 1 ? '' : `${number}`;
  return name.slice(0, USERNAME_MAX - end.length) + end;
}

export function yesOrNo(word: string): boolean | undefined {
  const lower = trim(word).toLowerCase();
  return Object.hasOwn(YES_OR_NO, lower) ? YES_OR_NO[lower] : undefined;
}

type Problem = (value: string) => string | undefined;

/** A field of text, with its name in a sentence and the rule that says what is wrong with a value. `hidden`: what it has that shows as nothing, or as something else. */
function text(name: string, problem: Problem, { hidden = hiddenIn as Problem, stored = clean } = {}) {
  return z.string().transform((typed, context) => {
    // Normalising takes time that grows with the square of what is typed, and no field takes this much anyway.
    const isHuge = typed.length > HUGE;
    const value = isHuge ? typed : stored(typed);
    const addIssue = (message: string) => context.addIssue({ code: 'custom', message });
    if (isHuge) addIssue(`The ${name} is far too long.`);
    if (isHuge) return value;
    const hides = hidden(value);
    if (hides !== undefined) addIssue(`The ${name} ${hides}.`);
    const shown = hides === undefined ? value : value.replaceAll(NOT_SHOWN, '');
    const message = hides !== undefined && shown === '' ? undefined : problem(shown);
    if (message !== undefined) addIssue(message);
    return value;
  });
}

function hiddenIn(value: string): string | undefined {
  return forbiddenCharacter(value) ?? invisibleCharacter(value);
}

function usernameProblem(username: string): string | undefined {
  if (username === '') return 'Enter a username.';
  const compatible = username.normalize('NFKC');
  const length = codePoints(compatible);
  if (length > USERNAME_MAX) return tooLong('username', length, USERNAME_MAX);
  if (!/^[\p{L}\p{Nd}]/u.test(username)) return 'The username must start with a letter or a digit.';
  if (!USERNAME.test(username) || !USERNAME.test(compatible)) {
    return 'Use only letters, digits, and the signs . _ - + in the username.';
  }
  const marks = tooManyMarks(username);
  return marks ? `The username ${marks}.` : identifierProblem(username);
}

function emailProblem(email: string): string | undefined {
  if (email === '') return 'Enter an email address.';
  const length = codePoints(email);
  if (length > EMAIL_MAX) return tooLong('email address', length, EMAIL_MAX);
  if (email.indexOf('@') > EMAIL_LOCAL_MAX) {
    return `The part before the @ is too long: ${email.indexOf('@')} characters, at most ${EMAIL_LOCAL_MAX}.`;
  }
  if (EMAIL.test(email)) return undefined;
  const [, domain = ''] = /^[^@]+@([^@]*\P{ASCII}.*)$/u.exec(email) ?? [];
  if (domain) return `There is no domain that is called ${quoted(domain)}.`;
  return 'Enter an email address like name@example.org.';
}

function fullNameProblem(name: string): string | undefined {
  const length = codePoints(name);
  if (length > FULL_NAME_MAX) return tooLong('full name', length, FULL_NAME_MAX);
  if (name !== '' && !/[^\p{DI}\p{Z}\p{C}\p{M}]/u.test(name))
    return 'The full name has no visible character.';
  const marks = tooManyMarks(name);
  return marks && `The full name ${marks}.`;
}

function tooLong(what: string, length: number, most: number): string {
  return `The ${what} is too long: ${length} characters, at most ${most}.`;
}
