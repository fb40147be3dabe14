/** A Bloom filter: a set of texts in a few bytes each, whose "no" is certain and whose "yes" is wrong at times. */
import { createHash } from 'node:crypto';

/** With these, about one text in 160,000 that was never added is taken for one that was. */
const BITS_PER_TEXT = 25;
const HASHES = 16;

export function bloomFilter(texts: ReadonlySet<string>): Buffer {
  const filter = Buffer.alloc(Math.ceil((texts.size * BITS_PER_TEXT) / 8));
  for (const text of texts)
    for (const bit of bitsOf(text, filter)) filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
  return filter;
}

export function mayContain(filter: Buffer, text: string): boolean {
  return bitsOf(text, filter).every((bit) => ((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0);
}

function bitsOf(text: string, filter: Buffer): number[] {
  const digest = createHash('sha512').update(text).digest();
  return Array.from({ length: HASHES }, (_, index) => digest.readUInt32BE(index * 4) % (filter.length * 8));
}
