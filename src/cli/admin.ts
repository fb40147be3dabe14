/** `npm run roster -- admin alice --email …`: makes an administrator, and lets one in again who was locked out. */

import { commandLine } from '../auth/actor.ts';
import { hashPassword } from '../auth/password-hashing.ts';
import { passwordProblem } from '../auth/password-rules.ts';
import { findMissingKey } from '../auth/secret-key.ts';
import type { Db } from '../db/schema.ts';
import { transact } from '../db/transact.ts';
import { NotUniqueError, StartError } from '../errors.ts';
import { shownEmail } from '../lib/email.ts';
import { parseForm } from '../lib/forms.ts';
import { administratorSchema, makeAdministrator } from '../setup/commands.ts';
import { findUserByEmail, findUserByUsername } from '../users/queries.ts';
import { readArguments } from './arguments.ts';
import { namedIn, openNamed } from './named-database.ts';
import { readNewPassword } from './read-password.ts';

const USAGE = 'Say who: npm run roster -- admin alice --email alice@example.com';

export async function admin(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, ['email'], ['new-database']);
  const [username, ...rest] = positionals;
  if (!username || rest.length > 0) throw new StartError(USAGE);
  // Whom somebody may wait for who is to be erased as the last administrator.
  const db = await openNamed(env, { mayMake: values['new-database'] ?? false, erases: false });
  try {
    const user = await whoToBe(db, username, values.email);
    const password = await readNewPassword(`Password for ${user.username}: `);
    const problem = passwordProblem(password, user);
    if (problem) throw new StartError(problem);
    const hash = await hashPassword(password);
    await transact(db, (trx) => makeAdministrator(trx, commandLine, user, hash, Date.now())).catch(
      sayIfTaken,
    );
    console.log(`${user.username} is an administrator, without a second factor, and signed out everywhere.`);
    const missing = await findMissingKey(db, namedIn(env).secretKeyFile);
    if (missing) console.warn(`Warning: ${missing.what} ${missing.todo}`);
  } finally {
    await db.destroy();
  }
}

/** @throws StartError for what is no username or email, for those of two users, and for no user and no email for one. */
async function whoToBe(db: Db, username: string, email: string | undefined) {
  const existing = await findUserByUsername(db, username);
  if (existing) {
    const isMeant = email === undefined || (await findUserByEmail(db, email))?.id === existing.id;
    if (!isMeant)
      throw new StartError(
        `There is ${existing.username} already, with the email ${shownEmail(existing.email)}.`,
      );
    return existing;
  }
  if (email === undefined) throw new StartError(`There is no user ${username}; with --email one is made.`);
  const form = parseForm(administratorSchema, { username, email });
  if (!form.ok) throw new StartError(Object.values(form.errors).join('\n'));
  return form.value;
}

function sayIfTaken(error: unknown): never {
  if (!(error instanceof NotUniqueError)) throw error;
  throw new StartError('That email already belongs to someone else.');
}
