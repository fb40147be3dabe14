/** What is noted elsewhere, counted: sign-ins, by what the log says of them, and mails. */
import type { FailedAttempt } from '../../auth/audit.ts';
import { MAIL_OUTCOMES, type Mailer, type MailOutcome } from '../../invitations/mailer.ts';
import { by, counter, type Family } from './families.ts';

export const SIGN_INS = {
  'signed in': 'signed in',
  'sign-in failed': 'wrong',
  'sign-in failed: wrong code': 'wrong code',
  'sign-in failed: too late': 'too late',
  'sign-in failed: second factor removed meanwhile': 'too late',
  'sign-in failed: second factor locked': 'locked',
  'sign-in failed: key lost': 'key lost',
  'sign-in refused: too many attempts': 'throttled',
  'sign-in refused: too many at once': 'busy',
} as const satisfies Record<
  'signed in' | 'sign-in failed' | Extract<FailedAttempt, `sign-in ${string}`>,
  string
>;

/** Who has to wait after wrong ones: to sign in, or signed in already, where the password or a code is asked once more. */
export const THROTTLED = {
  'sign-in refused: too many attempts': 'sign-in',
  'password refused: too many attempts': 'own password',
  'code refused: too many attempts': 'own code',
} as const satisfies Partial<Record<FailedAttempt, string>>;

/** Cheap enough to be counted also where nobody asks. */
export class Events {
  readonly #signIns = zeroes(Object.values(SIGN_INS));
  readonly #throttled = zeroes(Object.values(THROTTLED));
  readonly #mails = zeroes(MAIL_OUTCOMES);

  /** Of the audit; most of them are no sign-in. */
  readonly hear = (event: string): void => {
    if (isIn(SIGN_INS, event)) this.#signIns[SIGN_INS[event]]++;
    if (isIn(THROTTLED, event)) this.#throttled[THROTTLED[event]]++;
  };

  countMails(mailer: Mailer): Mailer {
    const count = (outcome: MailOutcome) => {
      this.#mails[outcome]++;
      return outcome;
    };
    return { ...mailer, send: (link, mail, log) => mailer.send(link, mail, log).then(count) };
  }

  families(): Family[] {
    return [
      counter('roster_sign_ins_total', 'Sign-ins, by what became of them.', by('outcome', this.#signIns)),
      counter(
        'roster_throttled_attempts_total',
        'Passwords and codes that were not looked at, after wrong ones.',
        by('what', this.#throttled),
      ),
      counter('roster_mails_total', 'Mails, by what became of them.', by('outcome', this.#mails)),
    ];
  }
}

function zeroes<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
}

function isIn<T extends object>(table: T, name: string): name is keyof T & string {
  return Object.hasOwn(table, name);
}
