import { expect, test } from 'vitest';
import { vCardOf } from '../../src/exports/vcard.ts';
import { addUser, temporaryDatabase } from '../support.ts';

test('a card is what RFC 6350 asks for, with lines of 75 octets at most and no letter cut into two', async () => {
  const db = await temporaryDatabase();
  const full_name = `Ada; of "A", B\\C ${'ü'.repeat(60)}`;
  const user = await addUser(db, { username: 'ada', email: 'ada@example.com', full_name });
  const card = vCardOf({ ...user, updated_at: Date.UTC(2026, 0, 31, 14) }, 'some-directory');
  const lines = card.split('\r\n');
  expect(lines.pop()).toBe('');
  for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
  expect(card.replaceAll('\r\n ', '').split('\r\n').slice(0, -1)).toEqual([
    'BEGIN:VCARD',
    'VERSION:4.0',
    `UID;VALUE=text:some-directory-${user.id}`,
    `FN:Ada\\; of "A"\\, B\\\\C ${'ü'.repeat(60)}`,
    'NICKNAME:ada',
    'EMAIL:ada@example.com',
    'REV:20260131T140000Z',
    'END:VCARD',
  ]);
});
