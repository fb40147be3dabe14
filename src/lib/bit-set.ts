/** Many whole numbers, a bit each: those of users lie close together. */

const BITS = 2 ** 16;

export class BitSet {
  readonly #blocks = new Map<number, Uint32Array>();

  add(number: number): void {
    const high = Math.floor(number / BITS);
    const block = this.#blocks.get(high) ?? new Uint32Array(BITS / 32);
    this.#blocks.set(high, block);
    const bit = number % BITS;
    block[bit >>> 5] = (block[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }

  has(number: number): boolean {
    const bit = number % BITS;
    const word = this.#blocks.get(Math.floor(number / BITS))?.[bit >>> 5] ?? 0;
    return (word & (1 << (bit & 31))) !== 0;
  }
}
