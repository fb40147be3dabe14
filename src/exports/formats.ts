/** The formats in which users leave Roster. */
import type { User } from '../db/schema.ts';
import { BYTE_ORDER_MARK, csvOf } from '../lib/csv.ts';
import { vCardOf } from './vcard.ts';

export type Format = {
  name: string;
  hint: string;
  extension: string;
  type: string;
  begin: string;
  /** @param directory the identity of the database */
  write(users: readonly User[], directory: string): string;
};

const COLUMNS = ['username', 'email', 'full_name', 'status', 'role'] as const;

type InCells = Pick<User, 'username' | 'email' | 'full_name' | 'is_active' | 'role'>;

export const FORMATS = {
  csv: {
    name: 'CSV',
    hint: 'For Excel and other spreadsheets: username, email, full name, status and role.',
    extension: 'csv',
    type: 'text/csv; charset=utf-8',
    begin: BYTE_ORDER_MARK + csvOf([COLUMNS]),
    write: (users: readonly InCells[]) => csvOf(users.map(cellsOf)),
  },
  semicolons: {
    name: 'CSV with semicolons',
    hint: 'The same, for Excel where decimals have a comma, as in German and French.',
    extension: 'csv',
    type: 'text/csv; charset=utf-8',
    begin: BYTE_ORDER_MARK + csvOf([COLUMNS], ';'),
    write: (users: readonly InCells[]) => csvOf(users.map(cellsOf), ';'),
  },
  jsonl: {
    name: 'JSON Lines',
    hint: 'For programs: also the number of each, and when they were created and changed.',
    extension: 'jsonl',
    type: 'application/jsonl; charset=utf-8',
    begin: '',
    write: (users) => users.map((user) => `${JSON.stringify(valuesOf(user))}\n`).join(''),
  },
  vcard: {
    name: 'vCard',
    hint: 'For address books: names and emails.',
    extension: 'vcf',
    type: 'text/vcard; charset=utf-8',
    begin: '',
    write: (users, directory) => users.map((user) => vCardOf(user, directory)).join(''),
  },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

export function parseFormat(typed: string | undefined): FormatName | undefined {
  return (Object.keys(FORMATS) as FormatName[]).find((name) => name === typed);
}

function cellsOf({ username, email, full_name, is_active, role }: InCells): string[] {
  return [username, email, full_name ?? '', is_active ? 'active' : 'inactive', role];
}

function valuesOf({ id, username, email, full_name, is_active, role, created_at, updated_at }: User) {
  const [created, updated] = [created_at, updated_at].map((at) => new Date(at).toISOString());
  return { id, username, email, full_name, is_active, role, created_at: created, updated_at: updated };
}
