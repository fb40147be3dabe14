/** Signing in: whether the time tells who exists, and whether many who sign in at once keep others waiting. */
import { ask, type Request } from './answers.ts';
import { connect } from './client.ts';
import { percentile } from './load.ts';
import { PLAIN } from './named-queries.ts';
import { PASSWORD } from './session.ts';

const TIMES = 50;
/** So many sign in at once. */
export const AT_ONCE = 200;
/** Milliseconds in which a page is asked for again and again while nobody signs in. */
const ALONE = 1_000;

/** In milliseconds. */
export type SignIns = {
  /** Medians of a failed sign-in. */
  unknownUser: number;
  wrongPassword: number;
  /** From the first to the last answer of those who sign in at once, and how many were let in. */
  allOf: number;
  letIn: number;
  /** The list's first page, alone and meanwhile. */
  alone: { p50: number; p99: number };
  meanwhile: { p50: number; p99: number; most: number };
};

let asked = 0;

export async function measureSignIns(origin: string): Promise<SignIns> {
  const unknown: number[] = [];
  const wrong: number[] = [];
  // In turns, so that a busy moment of the machine meets both.
  for (let time = 0; time <= TIMES; time++) {
    for (const [username, times] of [
      [`nobody${time}`, unknown],
      ['bench', wrong],
    ] as const) {
      const started = performance.now();
      await ask(origin, signIn(username, 'not the password'));
      if (time > 0) times.push(performance.now() - started);
    }
  }
  const alone = await turnPages(origin, new Promise((resolve) => setTimeout(resolve, ALONE)));
  const started = performance.now();
  const signing = Promise.all(Array.from({ length: AT_ONCE }, () => ask(origin, signIn('bench', PASSWORD))));
  const meanwhile = await turnPages(origin, signing);
  const answers = await signing;
  return {
    unknownUser: percentile(unknown, 0.5),
    wrongPassword: percentile(wrong, 0.5),
    allOf: performance.now() - started,
    letIn: answers.filter(({ status }) => status === 303).length,
    alone: { p50: percentile(alone, 0.5), p99: percentile(alone, 0.99) },
    meanwhile: {
      p50: percentile(meanwhile, 0.5),
      p99: percentile(meanwhile, 0.99),
      most: Math.max(...meanwhile),
    },
  };
}

/** From another address each time, so that nobody has to wait for the failures of the others. */
function signIn(username: string, password: string): Request {
  const address = `2001:db8:${(++asked).toString(16)}::1`;
  return {
    method: 'POST',
    path: '/sign-in',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-forwarded-for': address,
      // Another browser than the one that is signed in.
      cookie: '',
    },
    body: new URLSearchParams({ username, password }).toString(),
  };
}

/** How long each of the pages took that somebody asked for until `end`. */
async function turnPages(origin: string, end: Promise<unknown>): Promise<number[]> {
  const client = connect(origin);
  const times: number[] = [];
  let isOver = false;
  void end.finally(() => {
    isOver = true;
  });
  while (!isOver) times.push((await client.ask(PLAIN)).time);
  client.close();
  return times;
}
