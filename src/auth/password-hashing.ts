/** Passwords as they are kept: hashed with Argon2id (RFC 9106), as slowly as a sign-in may be. */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** `memory` in KiB. */
export type Argon2Cost = { memory: number; passes: number; parallelism: number };

/** OWASP's least for Argon2id: 19 MiB and two passes. */
export const COST: Argon2Cost = { memory: 19 * 1024, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

const derive = promisify(argon2);

export async function hashPassword(password: string, cost = COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return encode(cost, salt, await digest(password, cost, salt, HASH_BYTES));
}

/** @param hash undefined where there is no such user; that takes as long. */
export async function isPassword(password: string, hash: string | undefined, cost = COST): Promise<boolean> {
  const known = decode(hash ?? nobody(cost));
  const given = await digest(password, known.cost, known.salt, known.digest.length);
  return timingSafeEqual(given, known.digest) && hash !== undefined;
}

export function isOutdated(hash: string, cost = COST): boolean {
  return !hash.startsWith(encode(cost, Buffer.alloc(0), Buffer.alloc(0)).slice(0, -1));
}

/** What is compared with when there is no such user: as much work, and never equal to anything. */
function nobody(cost: Argon2Cost): string {
  return encode(cost, Buffer.alloc(SALT_BYTES), Buffer.alloc(HASH_BYTES));
}

/** UTF-16 units; no password is that long, and composing a huge text takes time that grows with the square of it. */
const HUGE = 4_000;

/** Composed, so that it does not matter on which keyboard a letter with an accent is typed (NFC). */
async function digest(password: string, { passes, ...others }: Argon2Cost, nonce: Buffer, length: number) {
  const message = password.slice(0, HUGE).normalize('NFC');
  return derive('argon2id', { message, nonce, tagLength: length, passes, ...others });
}

function encode({ memory, passes, parallelism }: Argon2Cost, salt: Buffer, digest: Buffer): string {
  const [s, d] = [salt, digest].map((bytes) => bytes.toString('base64').replaceAll('=', ''));
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${s}$${d}`;
}

function decode(hash: string) {
  const [, memory, passes, parallelism, salt = '', digest = ''] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(hash) ?? [];
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    digest: Buffer.from(digest, 'base64'),
  };
}
