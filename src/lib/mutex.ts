/** Work of which one piece is done at a time: whoever comes meanwhile waits until it is over. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /** @param work that asks for no other meanwhile, for which it would wait for ever */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = promise;
    await before;
    try {
      return await work();
    } finally {
      resolve();
    }
  }
}
