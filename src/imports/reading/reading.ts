/** What is recognised of a file of users, and what its rows say. */
import type { UserChanges } from '../../users/validation.ts';

/** By their names in the Encoding Standard (WHATWG, 4.2). The first four are recognised; the others can be chosen. */
export const ENCODINGS = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16 (little-endian)',
  'utf-16be': 'UTF-16 (big-endian)',
  'windows-1252': 'Windows, Western European (1252)',
  'windows-1250': 'Windows, Central European (1250)',
  'windows-1251': 'Windows, Cyrillic (1251)',
  'windows-1253': 'Windows, Greek (1253)',
  'windows-1254': 'Windows, Turkish (1254)',
  macintosh: 'Mac OS Roman',
  shift_jis: 'Japanese (Shift_JIS)',
  gb18030: 'Chinese (GB18030)',
  'euc-kr': 'Korean (EUC-KR)',
} as const;
export type Encoding = keyof typeof ENCODINGS;

export const DELIMITERS = { ',': 'Comma', ';': 'Semicolon', '\t': 'Tab' } as const;
export type Delimiter = keyof typeof DELIMITERS;

export const LINE_ENDS = { '\r\n': 'CR LF', '\n': 'LF', '\r': 'CR' } as const;
export type LineEnd = keyof typeof LINE_ENDS;

export type Field =
  | 'id'
  | 'username'
  | 'email'
  | 'full_name'
  /** “Lovelace, Ada”. */
  | 'reversed_name'
  | 'first_name'
  | 'last_name'
  | 'is_active'
  | 'role';

/** Without a field it is left out. */
export type Column = { header: string; field: Field | undefined };

export type Reading = {
  encoding: Encoding;
  /** As far as it was looked at nothing but ASCII is in it: by the first other letter its encoding may turn out to be another one. */
  isPlain?: boolean | undefined;
  delimiter: Delimiter;
  /** All that are found where it begins, also inside of cells. */
  lineEnds: readonly LineEnd[];
  /** The last line of what stands above the names of the columns, such as a title; 0 where nothing does. */
  above: number;
  columns: readonly Column[];
  /** The first of the full names that have the last name first, where they are not turned round. */
  reversed?: string | undefined;
};

/** What full names are, where somebody says so. */
export const NAME_ORDERS = ['reversed'] as const;

export type Choice = {
  names?: (typeof NAME_ORDERS)[number];
  encoding?: Encoding;
  delimiter?: Delimiter;
  fields?: readonly (Field | undefined)[];
};

/** Who is told what turns out while a file is read. */
export type Listener = { onEncoding(found: Encoding): Promise<void>; onEmptyRow(): void };

/** Without a field it is about the whole row. The message is a sentence. */
export type Problem = { field: Field | undefined; message: string };

export type Row = {
  /** As an editor of text counts lines, where the row begins. */
  line: number;
  cells: readonly string[];
  id: number | undefined;
  /** Without what no column says, and what an empty cell leaves. */
  values: UserChanges;
  /** Of who is new alone: beside the email in the same cell, or one half of it. */
  name?: string | undefined;
  problems: readonly Problem[];
};

/** The message is a sentence for a person: what is wrong with the file, and what to do. */
export class UnreadableError extends Error {
  override name = 'UnreadableError';
  /** Where it is the columns alone that cannot be read, and somebody can say which is which. */
  readonly reading: Reading | undefined;

  constructor(message: string, reading?: Reading) {
    super(message);
    this.reading = reading;
  }
}
