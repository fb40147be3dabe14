/** Secrets that stand for someone: made at random, and kept as hashes alone. */
import { createCipheriv, createDecipheriv, createHmac, hash, randomBytes } from 'node:crypto';
import { NotFoundError } from '../errors.ts';
import { withoutUnseen } from '../lib/text.ts';

/** Some bytes take as long as many, and each page needs some. */
const MANY = 4096;

let many = Buffer.alloc(0);

/** At random, for what is no secret: a page shows it, or who is sent what it sealed. */
function publicBytes(size: number): Buffer {
  if (many.length < size) many = randomBytes(MANY);
  const few = many.subarray(0, size);
  many = many.subarray(size);
  return few;
}

const TIME_BYTES = 6;
const TIME_LETTERS = 8;

export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Those made one after the other begin alike, and what they lead to lies together in an index (as UUIDs of version 7, RFC 9562). */
export function newKey(now = Date.now()): string {
  const key = publicBytes(32);
  key.writeUIntBE(now, 0, TIME_BYTES);
  return key.toString('base64url');
}

export function timeOfKey(key: string): string {
  return key.slice(0, TIME_LETTERS);
}

export function isToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

const LINK_CUT_OFF = 'This is not the whole link. Copy all of it, up to its last letter, and open that.';

/** Without what cannot belong to it, such as the end of a sentence. @throws NotFoundError for what is no whole link */
export function tokenIn(typed: string): string {
  const seen = withoutUnseen(typed);
  const [, token] = /^[^\w-]*([\w-]{43})[_-]*(?![\w-])/.exec(seen) ?? [];
  if (token === undefined) throw new NotFoundError(LINK_CUT_OFF);
  return token;
}

export function derivedToken(key: Buffer, ...parts: readonly (string | number | undefined)[]): string {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
}

/** What is kept of a secret that is random itself, so that nobody could try them all. */
export function hashOf(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

const NONCE = 12;
const TAG = 16;

/** A value that travels through a browser and comes back unread and unchanged (AES-256-GCM, NIST SP 800-38D). */
export function seal(key: Buffer, purpose: string, value: unknown): string {
  const nonce = publicBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
}

export function open(key: Buffer, purpose: string, text: string): unknown {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < NONCE + TAG) return undefined;
  const tag = bytes.subarray(NONCE, NONCE + TAG);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(Buffer.from(purpose)).setAuthTag(tag);
  try {
    const value = Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]);
    return JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}
