/** The second factor: codes that change every half minute (TOTP, RFC 6238), and those that replace one once. */
import { randomInt } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import encodeQr from 'qr';
import { SKEW } from '../lib/clock.ts';
import { foldDigits } from '../lib/text.ts';

const PERIOD_SECONDS = 30;
const DRIFT_STEPS = 1;
const RECOVERY_CODES = 10;
/** Without letters and digits that look alike. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const RECOVERY_LENGTH = 12;
const RECOVERY = new RegExp(`^[${LETTERS}]{${RECOVERY_LENGTH}}$`);
const LONGEST_TYPED = 100;
/** What people put between digits, and what shows as nothing; Japanese keyboards have `ー` where others have `-`. */
const BETWEEN = /[\s\p{P}\p{C}\p{DI}\u2212\u30FC\uFF70]/gu;

/** 160 bits in base 32, as RFC 4226 recommends. */
export function newCodeSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** Whatever its digits; `code` is as it is written: `050471`, or `k7wq-m2ad-9xpr`. */
export function codeOf(typed: string): { kind: 'digits' | 'recovery' | 'neither'; code: string } {
  const code = withoutBetween(typed);
  if (/^[0-9]{6}$/.test(code)) return { kind: 'digits', code };
  const letters = code.normalize('NFKC').toLowerCase();
  if (RECOVERY.test(letters)) return { kind: 'recovery', code: grouped(letters) };
  return { kind: 'neither', code: '' };
}

export function stepOf(typed: string, secret: string, now: number): number | undefined {
  const { kind, code: token } = codeOf(typed);
  if (kind !== 'digits') return undefined;
  const delta = totp(secret).validate({ token, timestamp: now, window: DRIFT_STEPS });
  return delta === null ? undefined : Math.floor(now / 1000 / PERIOD_SECONDS) + delta;
}

/** Whether no clock can have shown a step's code yet: neither a telephone's nor that of another machine. */
export function isToCome(step: number, now: number): boolean {
  return step > Math.floor((now + SKEW) / 1000 / PERIOD_SECONDS) + DRIFT_STEPS;
}

/** What an app takes up: https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
export function codeAddress(secret: string, username: string): string {
  return totp(secret, username).toString();
}

export function qrCode(text: string): { size: number; path: string } {
  const rows = encodeQr(text, 'raw', { ecc: 'medium', border: 4 });
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')));
  return { size: rows.length, path: path.join('') };
}

export function newRecoveryCodes(): string[] {
  const letter = () => LETTERS[randomInt(LETTERS.length)];
  return Array.from({ length: RECOVERY_CODES }, () =>
    grouped(Array.from({ length: RECOVERY_LENGTH }, letter).join('')),
  );
}

function grouped(letters: string): string {
  return letters.replace(/^(.{4})(.{4})/, '$1-$2-');
}

function withoutBetween(typed: string): string {
  return foldDigits(typed.slice(0, LONGEST_TYPED)).replaceAll(BETWEEN, '');
}

function totp(secret: string, username = ''): TOTP {
  return new TOTP({
    issuer: 'Roster',
    label: username,
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD_SECONDS,
    secret: Secret.fromBase32(secret),
  });
}
