/** Which encoding a file is in, by its bytes. */
import { isAscii } from 'node:buffer';
import { open } from 'node:fs/promises';
import type { Encoding } from './reading.ts';

const MARKS: readonly [Encoding, readonly number[]][] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** Undefined where nothing but ASCII is in what it begins with, which says the same in either. */
export async function recogniseEncoding(path: string, head: Buffer): Promise<Encoding | undefined> {
  const marked = MARKS.find(([, mark]) => mark.every((byte, index) => head[index] === byte));
  return marked?.[0] ?? utf16Of(head) ?? (isAscii(head) ? undefined : await encodingFrom(path, 0));
}

/** @param start in bytes, before which all is ASCII */
export async function encodingFrom(path: string, start: number): Promise<Encoding> {
  return (await isUtf8(path, start)) ? 'utf-8' : 'windows-1252';
}

/** Of the shortest names of columns, and of fewer it may be chance. */
const LEAST_BESIDE = 3;

/** Of a letter, digit or delimiter from ASCII one byte is zero, always on the same side: beside each other they have one in two, as a NUL here and there has not. */
function utf16Of(head: Buffer): Encoding | undefined {
  let [even, odd] = [0, 0];
  for (let at = 2; at < head.length; at++) {
    if (head[at] !== 0 || head[at - 2] !== 0 || head[at - 1] === 0) continue;
    if (at % 2 === 0) even++;
    else odd++;
  }
  const few = Math.max(LEAST_BESIDE, head.length / 40);
  if (odd > few && odd > 10 * even) return 'utf-16le';
  return even > few && even > 10 * odd ? 'utf-16be' : undefined;
}

/** By where it is first anything but ASCII. A byte that is wrong there, among letters that are right, is one cell’s problem. */
async function isUtf8(path: string, start: number): Promise<boolean> {
  await using file = await open(path);
  const buffer = Buffer.alloc(2 ** 16);
  const decoder = new TextDecoder();
  for (let at = start; ; at += buffer.length) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    const bytes = buffer.subarray(0, bytesRead);
    // The letter at its end may go on.
    const text = decoder.decode(bytes, { stream: bytesRead > 0 });
    if (bytesRead > 0 && text.length === bytesRead && isAscii(bytes)) continue;
    const broken = text.match(/\uFFFD/g)?.length ?? 0;
    const whole = text.match(/[^\p{ASCII}\uFFFD]/gu)?.length ?? 0;
    if (bytesRead === 0 || broken + whole > 0) return broken <= whole;
  }
}
