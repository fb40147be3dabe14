/** Those who work meanwhile: twenty pages a second of all kinds, five who are new, and somebody who signs in. */
import { setTimeout } from 'node:timers/promises';
import { percentile } from '../load.ts';
import { PASSWORD, SIGNED_IN } from '../session.ts';

const PAGES = [
  '/users',
  '/users?page=77',
  '/users?q=martin',
  '/users?status=inactive&page=5',
  '/users?sort=name&page=40',
  '/users/77',
  '/history',
  '/users?role=editor',
];
const PAGE_EVERY = 50;
/** Often enough that all but a hundredth says something. */
const CREATE_EVERY = 200;
const SIGN_IN_EVERY = 3_000;
const SETTLE = 10_000;
const SLOW = 50;

type Times = { p50: number; p99: number; most: number; over: number };
/** In milliseconds; `over`: the share that took more than 50; `slowest`: the page of which all but a hundredth take longest; `anonymous`: the most memory of its own, in MB. */
export type During = {
  seconds: number;
  pages: Times;
  slowest: string;
  creates: Times;
  signIns: Times;
  anonymous: number;
};

export class Others {
  readonly #origin: string;
  readonly #anonymous: () => number;
  readonly #working: Promise<unknown>;
  #pages = timesOfPages();
  #creates: number[] = [];
  #signIns: number[] = [];
  #most = 0;
  #isOver = false;
  #isPaused = false;
  #creating: Promise<void> = Promise.resolve();

  constructor(origin: string, anonymous: () => number) {
    this.#origin = origin;
    this.#anonymous = anonymous;
    this.#working = Promise.all([this.#turnPages(), this.#create(), this.#signIn()]);
  }

  async during<T>(work: () => Promise<T>): Promise<During & { result: T }> {
    [this.#pages, this.#creates, this.#signIns, this.#most] = [timesOfPages(), [], [], 0];
    const begun = performance.now();
    const result = await work();
    const seconds = (performance.now() - begun) / 1000;
    return {
      seconds,
      pages: summed([...this.#pages.values()].flat()),
      slowest: slowestOf(this.#pages),
      creates: summed(this.#creates),
      signIns: summed(this.#signIns),
      anonymous: this.#most,
      result,
    };
  }

  settle(): Promise<void> {
    return setTimeout(SETTLE);
  }

  /** Nobody is created, so that what was asked is still so. */
  async whileNobodyComes<T>(work: () => Promise<T>): Promise<T> {
    this.#isPaused = true;
    await this.#creating;
    const result = await work();
    this.#isPaused = false;
    return result;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  async #turnPages(): Promise<void> {
    const asked = new Set<Promise<void>>();
    for (let page = 0; !this.#isOver; page++) {
      const address = PAGES[page % PAGES.length] ?? '';
      const answer = this.#ask(address, 200, this.#pages.get(address) ?? []).finally(() =>
        asked.delete(answer),
      );
      asked.add(answer);
      this.#most = Math.max(this.#most, this.#anonymous());
      await setTimeout(PAGE_EVERY);
    }
    await Promise.all(asked);
  }

  async #create(): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      await setTimeout(CREATE_EVERY);
      if (this.#isPaused) continue;
      const user = { username: `meanwhile${number}`, email: `meanwhile${number}@example.org` };
      this.#creating = this.#ask('/users', 303, this.#creates, new URLSearchParams(user));
      await this.#creating;
    }
  }

  /** Each in a browser of their own. */
  async #signIn(): Promise<void> {
    while (!this.#isOver) {
      await setTimeout(SIGN_IN_EVERY);
      const { cookie, ...headers } = SIGNED_IN;
      const form = new URLSearchParams({ username: 'bench', password: PASSWORD });
      await this.#ask('/sign-in', 303, this.#signIns, form, headers);
    }
  }

  async #ask(
    path: string,
    status: number,
    times: number[],
    body?: URLSearchParams,
    headers: Record<string, string> = SIGNED_IN,
  ): Promise<void> {
    const begun = performance.now();
    const options = { headers, redirect: 'manual' } as const;
    const answer = await fetch(this.#origin + path, body ? { ...options, method: 'POST', body } : options);
    await answer.text();
    times.push(performance.now() - begun);
    if (answer.status !== status) throw new Error(`${path} is ${answer.status}.`);
  }
}

function summed(times: readonly number[]): Times {
  const over = times.filter((time) => time > SLOW).length / times.length;
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), most: Math.max(...times), over };
}

function timesOfPages(): Map<string, number[]> {
  return new Map(PAGES.map((address) => [address, []]));
}

function slowestOf(pages: ReadonlyMap<string, readonly number[]>): string {
  const [slowest] = [...pages]
    .map(([address, times]) => ({ address, p99: percentile(times, 0.99) }))
    .sort((one, other) => other.p99 - one.p99);
  return `${slowest?.address} ${slowest?.p99.toFixed(0)} ms`;
}
