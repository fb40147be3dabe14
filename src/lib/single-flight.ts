/** Work of which never a second one is under way beside it: whoever comes meanwhile gets the same result. */
export class SingleFlight<T> {
  #underWay: Promise<T> | undefined;

  get underWay(): Promise<T> | undefined {
    return this.#underWay;
  }

  run(work: () => Promise<T>): Promise<T> {
    this.#underWay ??= work().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }
}
