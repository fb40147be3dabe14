/** Whether a password is on the public lists that are tried first; a filter beside this file holds them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textKey } from '../lib/text.ts';
import { mayContain } from './bloom.ts';

const FILE = join(import.meta.dirname, 'common-passwords.bin');
const SHORTEST_FORM = 4;

let filter: Buffer | undefined;

export function isCommonPassword(password: string): boolean {
  // Read only when someone chooses a password: Roster starts without it.
  filter ??= readFileSync(FILE);
  const common = filter;
  return formsOf(password).some((form) => mayContain(common, form));
}

/** The password as the filter knows it, then without what stands behind its last letter, and before its first. */
export function formsOf(password: string): string[] {
  const whole = textKey(password)
    .replaceAll(/[\p{Z}\p{Pd}\p{Pc}.,]/gu, '')
    .replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
  const behind = whole.replace(/[^\p{L}\p{M}]+$/u, '');
  const between = behind.replace(/^[^\p{L}]+/u, '');
  return [...new Set([whole, behind, between])].filter((form) => form.length >= SHORTEST_FORM);
}
