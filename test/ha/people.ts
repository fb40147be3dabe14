/** Who works with the Rosters meanwhile: some create users by forms, some turn pages, each until it is answered well. */
import { setTimeout } from 'node:timers/promises';
import { newToken } from '../../src/auth/tokens.ts';
import { type Answer, Browser } from '../soak/browser.ts';
import { until } from './until.ts';
import { ADMINISTRATOR } from './world.ts';

const [WRITERS, READERS] = [6, 4];
/** In milliseconds: before the next, and before the same is asked again. */
const [THINKING, AGAIN_AFTER] = [50, 100];
const SEVERAL = 3;
/** Of so many forms that are acknowledged one is sent again, as by whoever does not get the answer. */
const LOST_ANSWERS = 10;

/** An answer, or none, and when it was asked for, and for how long: in milliseconds. */
export type Try = { at: number; took: number; status: number | undefined };

/** What somebody wanted, and when they had it: in milliseconds, after so many tries. */
export type Wish = { who: number; kind: 'form' | 'page'; from: number; to: number; tries: Try[] };

type Sort = Pick<Wish, 'who' | 'kind'>;

export class People {
  readonly #origin: string;
  readonly #work: Promise<void>[] = [];
  readonly #fault: (what: string) => void;
  readonly wishes: Wish[] = [];
  /** Usernames of those whose creation was acknowledged. */
  readonly acknowledged: string[] = [];
  /** Of those whose form was refused when it was sent again: the first had been done. */
  readonly refusedAgain: string[] = [];
  sentAgain = 0;
  #isOver = false;
  #number = 0;

  /** @param fault is told of answers that nobody may get, whatever was killed */
  constructor(origin: string, fault: (what: string) => void) {
    [this.#origin, this.#fault] = [origin, fault];
  }

  async begin(): Promise<void> {
    const sorts = [...Array(WRITERS).fill('form'), ...Array(READERS).fill('page')] as Wish['kind'][];
    for (const [index, kind] of sorts.entries()) {
      const browser = new Browser(this.#origin, `2001:db8:${index + 1}::1`, () => {});
      const { status } = await browser.post('/sign-in', ADMINISTRATOR);
      if (status !== 303) throw new Error(`Signing in is ${status}.`);
      this.#work.push(this.#goOn({ who: index, kind }, browser));
    }
  }

  /** Until each has had several things that they have asked for from now on. @returns those of everyone */
  async more(): Promise<Wish[]> {
    const now = performance.now();
    const had = () => this.wishes.filter(({ from }) => from > now);
    await until('all who work are answered', async () => {
      const counts = [...Map.groupBy(had(), ({ who }) => who).values()].map(({ length }) => length);
      return counts.length === this.#work.length && Math.min(...counts) >= SEVERAL;
    });
    return had();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#work);
  }

  async #goOn(sort: Sort, browser: Browser): Promise<void> {
    while (!this.#isOver) {
      await (sort.kind === 'form' ? this.#create(sort, browser) : this.#look(sort, browser));
      await setTimeout(THINKING);
    }
    browser.close();
  }

  async #create(sort: Sort, browser: Browser): Promise<void> {
    const username = `user${this.#number++}`;
    const form = { key: newToken(), username, email: `${username}@example.org` };
    const send = () => this.#untilGood(sort, () => browser.post('/users', form));
    const { answer, asked } = await send();
    const { status, location, body } = answer;
    if (asked > 1) this.sentAgain++;
    if (status === 303 && /^\/users\/\d+$/.test(location)) this.acknowledged.push(username);
    else if (asked > 1 && isTaken(answer)) this.refusedAgain.push(username);
    else this.#fault(`${username} is answered ${status} ${location} ${body.slice(0, 200)}`);
    if (this.acknowledged.length % LOST_ANSWERS !== 0) return;
    this.sentAgain++;
    if (isTaken((await send()).answer)) this.refusedAgain.push(username);
  }

  async #look(sort: Sort, browser: Browser): Promise<void> {
    const { answer } = await this.#untilGood(sort, () => browser.get('/users'));
    if (answer.status !== 200) this.#fault(`a page is answered ${answer.status}`);
  }

  /** Of those who are told to ask again, or whose connection ends, each does, with the same. */
  async #untilGood(sort: Sort, ask: () => Promise<Answer>): Promise<{ answer: Answer; asked: number }> {
    const tries: Try[] = [];
    for (;;) {
      const at = performance.now();
      const answer = await ask().catch(() => undefined);
      const to = performance.now();
      tries.push({ at, took: to - at, status: answer?.status });
      if (answer && answer.status < 500) {
        this.wishes.push({ ...sort, from: tries[0]?.at ?? at, to, tries });
        return { answer, asked: tries.length };
      }
      await setTimeout(AGAIN_AFTER);
    }
  }
}

function isTaken({ status, body }: Answer): boolean {
  return status === 422 && body.includes('already belongs');
}
