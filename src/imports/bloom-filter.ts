/** A Bloom filter of two hashes: whether a key was there before, in a few bits each. None that was is missed, few that were not are taken for one. */

const BITS = 2 ** 27;
const PAGE_BITS = 2 ** 17;

export class BloomFilter {
  /** Made as they are needed: all together take 16 MB, and most files have few rows. */
  readonly #pages = new Array<Uint32Array | undefined>(BITS / PAGE_BITS);

  /** @returns whether it may have been there */
  add(key: string): boolean {
    let one = 0x811c9dc5;
    let other = 0x9747b28c;
    for (let index = 0; index < key.length; index++) {
      const unit = key.charCodeAt(index);
      one = Math.imul(one ^ unit, 0x01000193);
      other = Math.imul(other ^ unit, 0x5bd1e995) ^ (other >>> 15);
    }
    // Not short of either: the answer is no only if both were there.
    const first = this.#set(one);
    return this.#set(other) && first;
  }

  #set(hash: number): boolean {
    const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    const bit = ((mixed ^ (mixed >>> 13)) >>> 0) % BITS;
    const page = this.#page(Math.floor(bit / PAGE_BITS));
    const [word, mask] = [(bit % PAGE_BITS) >>> 5, 1 << (bit & 31)];
    const before = page[word] ?? 0;
    page[word] = before | mask;
    return (before & mask) !== 0;
  }

  #page(index: number): Uint32Array {
    const made = this.#pages[index] ?? new Uint32Array(PAGE_BITS / 32);
    this.#pages[index] = made;
    return made;
  }
}
