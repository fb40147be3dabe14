/** Users as contacts: vCard 4.0, https://www.rfc-editor.org/rfc/rfc6350 */
import type { User } from '../db/schema.ts';
import { displayName } from '../lib/formats.ts';

/** In octets, without the line break (3.2). */
const LONGEST_LINE = 75;

/** @param directory tells users of one Roster from those of another */
export function vCardOf(user: User, directory: string): string {
  const lines = [
    'BEGIN:VCARD',
    'VERSION:4.0',
    `UID;VALUE=text:${directory}-${user.id}`,
    `FN:${escaped(displayName(user))}`,
    `NICKNAME:${escaped(user.username)}`,
    `EMAIL:${escaped(user.email)}`,
    `REV:${timestamp(user.updated_at)}`,
    'END:VCARD',
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join('');
}

function escaped(text: string): string {
  return text.replaceAll(/[\\,;]/g, '\\$&').replaceAll('\n', '\\n');
}

/** `20260131T140000Z` (4.3.5). */
function timestamp(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

/** No letter is cut into two. */
function folded(line: string): string {
  let length = 0;
  let result = '';
  for (const letter of line) {
    const bytes = Buffer.byteLength(letter);
    if (length + bytes > LONGEST_LINE) {
      result += '\r\n ';
      length = 1;
    }
    result += letter;
    length += bytes;
  }
  return result;
}
