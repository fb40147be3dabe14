/** People who sign in. */
import { argon2Sync } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Secret, TOTP } from 'otpauth';
import { sessionCookie } from '../src/auth/cookie.ts';
import { setCode, setPassword } from '../src/auth/credentials.ts';
import { hashPassword } from '../src/auth/password-hashing.ts';
import { sealSecret } from '../src/auth/second-factor-secrets.ts';
import { insertSession } from '../src/auth/sessions.ts';
import { newToken } from '../src/auth/tokens.ts';
import type { Db, Role, User } from '../src/db/schema.ts';
import { transact } from '../src/db/transact.ts';
import { addUser, post, QUICK_COST, SECRET_KEY } from './support.ts';

export const PASSWORD = 'lemon trees on the roof';
/** Of the second factor of those who have one, in base 32. */
export const CODE_SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

/** As an earlier Roster could have hashed a password: with less memory. */
export function oldHash(password: string): string {
  const nonce = Buffer.from('some salt that is old');
  const digest = argon2Sync('argon2id', {
    message: password,
    nonce,
    parallelism: 1,
    tagLength: 32,
    memory: 4096,
    passes: 3,
  });
  const [salt, hash] = [nonce, digest].map((bytes) => bytes.toString('base64').replaceAll('=', ''));
  return `$argon2id$v=19$m=4096,t=3,p=1$${salt}$${hash}`;
}

let hash: Promise<string> | undefined;

/** Someone with a role, and a password. */
export async function addPerson(
  db: Db,
  username: string,
  role: Role,
  {
    hasCode = false,
    recoveryHashes = [] as string[],
    at = Date.now(),
    ...rest
  }: Partial<User> & {
    hasCode?: boolean;
    recoveryHashes?: string[];
    at?: number;
  } = {},
): Promise<User> {
  hash ??= hashPassword(PASSWORD, QUICK_COST);
  const [user, known] = [await addUser(db, { username, ...rest, role }, at), await hash];
  await transact(db, async (trx) => {
    await setPassword(trx, user.id, known, 1);
    if (hasCode)
      await setCode(trx, user.id, {
        sealed: sealSecret(SECRET_KEY, user.id, CODE_SECRET),
        step: 0,
        recoveryHashes,
      });
  });
  return user;
}

/** What a browser sends along that is signed in as someone, and sends a form of ours. */
export type Headers = { cookie: string; 'sec-fetch-site': string };

/** A session as signing in would begin it. */
export async function signedIn(app: FastifyInstance, user: User): Promise<Headers> {
  const token = newToken();
  const session = {
    token,
    user_id: user.id,
    address: '127.0.0.1',
    browser: 'Mozilla/5.0 (X11; Linux) Firefox/150.0',
  };
  await transact(app.db, (trx) => insertSession(trx, session, app.clock()));
  return headersFor(app, token);
}

export function headersFor(app: FastifyInstance, token: string): Headers {
  return { cookie: `${sessionCookie(app).name}=${token}`, 'sec-fetch-site': 'same-origin' };
}

/** Signs in by the form; undefined where that was refused. */
export async function signIn(
  app: FastifyInstance,
  username: string,
  password = PASSWORD,
): Promise<Headers | undefined> {
  const answer = await post(app, '/sign-in', { username, password });
  const token = answer.cookies.find(({ name }) => name === sessionCookie(app).name)?.value;
  return answer.statusCode === 303 && token ? headersFor(app, token) : undefined;
}

export const HOUR = 60 * 60 * 1000;

/** A clock that stands still until it is moved, by milliseconds. */
export function movableClock(start = Date.UTC(2026, 5, 1, 12)) {
  let now = start;
  const move = (by: number) => {
    now += by;
  };
  return Object.assign(() => now, { move });
}

/** The code of a second factor that is shown at a time. */
export function codeAt(time: number, secret = CODE_SECRET): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: time });
}
