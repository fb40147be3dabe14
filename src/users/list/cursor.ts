/** Where a page begins that was reached by next or previous, as in https://use-the-index-luke.com/no-offset. */
import type { User } from '../../db/schema.ts';
import type { Fields } from '../../lib/forms.ts';
import { sortKeyOf } from '../../search/search-text.ts';
import { orderOf, type Sort } from './order.ts';

/** More than any key has, in UTF-16 units. */
const LONGEST_KEY = 512;

/** The user may have gone since: what counts is where it would be in the order. */
export type Cursor = { side: 'after' | 'before'; id: number; key: string | number };

export function cursorAt(side: Cursor['side'], user: User, sort: Sort): Cursor {
  return { side, id: user.id, key: user[orderOf(sort).column] };
}

export function cursorAtLetter(letter: string, sort: Sort): Cursor {
  const { isDescending } = orderOf(sort);
  return { side: 'after', id: 0, key: isDescending ? String.fromCharCode(letter.charCodeAt(0) + 1) : letter };
}

export function oppositeOf(cursor: Cursor): Cursor {
  return { ...cursor, side: cursor.side === 'after' ? 'before' : 'after' };
}

/** `after=username.17.bob`: the order, the id and the key. */
export function formatCursor({ side, id, key }: Cursor, sort: Sort): [name: string, value: string] {
  return [side, orderOf(sort).key === 'id' ? `${sort}.${id}` : `${sort}.${id}.${key}`];
}

/** Undefined for what no link of ours carries, such as a cursor of another order. */
export function parseCursor(query: Fields, sort: Sort): Cursor | undefined {
  const side = query.after === undefined ? 'before' : 'after';
  const [, order, digits, text] = /^(-?[a-z]+)\.(\d{1,16})(?:\.(.+))?$/s.exec(query[side] ?? '') ?? [];
  const id = Number(digits);
  if (order !== sort || !Number.isSafeInteger(id)) return undefined;
  const { column } = orderOf(sort);
  if (column === 'id') return text === undefined ? { side, id, key: id } : undefined;
  // PostgreSQL refuses a NUL.
  if (text === undefined || text.includes('\0') || text.length > LONGEST_KEY) return undefined;
  if (column === 'email_key') return { side, id, key: text };
  if (column !== 'created_at') return { side, id, key: sortKeyOf(text) };
  return /^\d{1,15}$/.test(text) ? { side, id, key: Number(text) } : undefined;
}
