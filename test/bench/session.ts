/** Whoever drives the servers is signed in, as an administrator who is one of the made-up users. */

import { commandLine } from '../../src/auth/actor.ts';
import { cookieMarkOf, cookieOf, sessionCookie } from '../../src/auth/cookie.ts';
import { setPassword } from '../../src/auth/credentials.ts';
import { hashPassword } from '../../src/auth/password-hashing.ts';
import { loadKey } from '../../src/auth/secret-key.ts';
import { insertSession } from '../../src/auth/sessions.ts';
import { newToken } from '../../src/auth/tokens.ts';
import { openDatabase } from '../../src/db/database.ts';
import { transact } from '../../src/db/transact.ts';
import { changeUser } from '../../src/users/commands.ts';

const TOKEN = newToken();
const NOW = Date.now();
const ADMINISTRATOR = 100;
export const PASSWORD = 'sixteen connections or so';

/** What every request carries; the cookie once there is the administrator whose it is. */
export const SIGNED_IN = {
  cookie: '',
  'sec-fetch-site': 'same-origin',
  // As a proxy says it.
  'x-forwarded-for': '192.0.2.1',
};

/** @param keyFile of the Roster that serves the database, which makes the database’s id, by which cookies are named. */
export async function addAdministrator(url: string, keyFile: string): Promise<void> {
  const db = await openDatabase(url);
  try {
    const { databaseId } = await loadKey(db, keyFile);
    const owner = {
      config: { origin: undefined, sessionLasts: 0 },
      cookieMark: cookieMarkOf(databaseId),
    };
    // Whoever works with Roster every day has hidden what was left to do at first.
    const { name: hidden } = cookieOf(owner, 'first_steps', 0);
    SIGNED_IN.cookie = `${sessionCookie(owner).name}=${TOKEN}; ${hidden}=1`;
    const hash = await hashPassword(PASSWORD);
    await transact(db, async (trx) => {
      await changeUser(
        trx,
        commandLine,
        ADMINISTRATOR,
        { role: 'admin', is_active: true, username: 'bench' },
        NOW,
      );
      await setPassword(trx, ADMINISTRATOR, hash, NOW);
      const session = { token: TOKEN, user_id: ADMINISTRATOR, address: '127.0.0.1', browser: 'bench' };
      await insertSession(trx, session, NOW);
    });
  } finally {
    await db.destroy();
  }
}
