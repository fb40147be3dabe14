/** Made-up people: believable, varied, and the same for the same number on every machine. */
import { DAY } from '../lib/clock.ts';
import type { NewUser } from '../users/validation.ts';
import { FIRST_NAMES, LAST_NAMES } from './names.ts';

export type Person = NewUser & { created_at: number; updated_at: number };

type Name = { written: string; ascii: string };

const FIRST = names(FIRST_NAMES);
const LAST = names(LAST_NAMES);
const PAIRS = FIRST.length * LAST.length;
/** Shares no factor with PAIRS, so that multiplying by it visits every pair of names once, in no visible order. */
const STRIDE = nextCoprime(Math.floor(PAIRS * 0.618), PAIRS);

const DOMAINS = ['example.org', 'example.com', 'example.net', 'mail.example.org', 'staff.example.com'];
const SEPARATORS = ['.', '.', '.', '_', '-'];
const START = Date.UTC(2019, 0, 7, 8);
const YEARS = 7.3 * 365 * DAY;
const LAST_NUMBER = 100_000_000;

/** The person with a number from 0 on; no two have the same username or email. */
export function person(number: number): Person {
  const random = randomFor(number);
  const pair = (number * STRIDE) % PAIRS;
  const first = FIRST[pair % FIRST.length] as Name;
  const last = LAST[Math.floor(pair / FIRST.length)] as Name;
  const round = Math.floor(number / PAIRS);
  const username = first.ascii + pick(SEPARATORS, random()) + last.ascii + (round > 0 ? round + 1 : '');
  // Ever more people join in a day, and not strictly one after the other, as when several enter a stack of forms.
  const progress = Math.sqrt(Math.sqrt(number / LAST_NUMBER));
  const created_at = START + Math.floor(progress * YEARS + random() * 2 * DAY);
  return {
    username,
    email: `${username}@${pick(DOMAINS, random())}`,
    full_name: random() < 0.93 ? `${first.written} ${last.written}` : null,
    is_active: random() < 0.9,
    role: 'member',
    created_at,
    updated_at: created_at,
  };
}

function names(list: string): Name[] {
  return list.split(/\s+/).map((entry) => {
    const [ascii = '', written = ascii] = entry.split(':');
    return { written, ascii: ascii.toLowerCase() };
  });
}

function pick<T>(choices: readonly T[], random: number): T {
  return choices[Math.floor(random * choices.length)] as T;
}

// Mulberry32, started from the person's number: a stream of its own for everyone, whatever was made before.
function randomFor(number: number): () => number {
  let state = Math.imul(number + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function nextCoprime(from: number, to: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let number = from;
  while (divisor(number, to) !== 1) number++;
  return number;
}
