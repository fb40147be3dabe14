/** The second factor: codes that change every half minute (TOTP, RFC 6238), and those that replace one once. */
import { randomInt } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import encodeQr from 'qr';

const PERIOD = 30;
/** Steps that the clock of a telephone may be off, either way. */
const DRIFT = 1;
export const RECOVERY_CODES = 10;
/** Without letters and digits that look alike. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const RECOVERY_LENGTH = 12;

/** 160 bits in base 32, as RFC 4226 recommends. */
export function newCodeSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** The time step whose code it is, the present one or a neighbour; undefined for a wrong code. */
export function stepOf(code: string, secret: string, now: number): number | undefined {
  const token = code.replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(token)) return undefined;
  const delta = totp(secret).validate({ token, timestamp: now, window: DRIFT });
  return delta === null ? undefined : Math.floor(now / 1000 / PERIOD) + delta;
}

/** What an app takes up: https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
export function codeAddress(secret: string, username: string): string {
  return totp(secret, username).toString();
}

/** A QR code in SVG: how many modules it is wide, with its quiet zone, and the path of the dark ones. */
export function qrCode(text: string): { size: number; path: string } {
  const rows = encodeQr(text, 'raw', { ecc: 'medium', border: 4 });
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')));
  return { size: rows.length, path: path.join('') };
}

/** Such as `k7wq-m2ad-9xpr`. */
export function newRecoveryCodes(): string[] {
  const letter = () => LETTERS[randomInt(LETTERS.length)];
  return Array.from({ length: RECOVERY_CODES }, () =>
    Array.from({ length: RECOVERY_LENGTH }, letter)
      .join('')
      .replace(/(.{4})(.{4})/, '$1-$2-'),
  );
}

/** A recovery code as it was written, however it was typed. */
export function cleanRecoveryCode(typed: string): string {
  const letters = typed.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return letters.replace(/^(.{4})(.{4})/, '$1-$2-');
}

function totp(secret: string, username = ''): TOTP {
  return new TOTP({
    issuer: 'Roster',
    label: username,
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD,
    secret: Secret.fromBase32(secret),
  });
}
