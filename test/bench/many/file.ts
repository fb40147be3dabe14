/** A file of users: of a tenth who are there already, every second with another name, and new ones. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { person } from '../../../src/made-up-people/people.ts';

/** Who is signed in is one of the first. */
const FIRST = 1_000;

/** @param users how many were made up: those who are new come after them */
export async function writePeople(path: string, count: number, users: number): Promise<void> {
  await pipeline(Readable.from(linesOf(count, users)), createWriteStream(path));
}

function* linesOf(count: number, users: number): Generator<string> {
  yield 'username,email,full_name,status,role\r\n';
  const known = Math.floor(count / 10);
  for (let row = 0; row < count; row++) {
    const isKnown = row < known;
    const { username, email, full_name, is_active, role } = person(isKnown ? FIRST + row : users + row);
    const name = `"${full_name ?? ''}${isKnown && row % 2 === 1 ? ' Also' : ''}"`;
    yield `${username},${email},${name},${is_active ? 'active' : 'inactive'},${role ?? 'member'}\r\n`;
  }
}
