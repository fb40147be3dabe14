/** How long pages, creates and long work take for one person who does one thing after the other. */
import { pageOf } from '../../page.ts';
import type { Client } from '../client.ts';
import { percentile } from '../load.ts';
import { totalOf } from '../named-queries.ts';
import { processorTime } from '../processor.ts';
import { SIGNED_IN } from '../session.ts';

/** In milliseconds; `processor`: for how long one answer keeps one busy. `said`: what was found, or why nothing was. */
export type Timed = { processor: number; least: number; median: number; p99: number; said: string };

/** @returns for how long there was something done for the answers, in milliseconds since some moment */
type Processor = () => number;

const TIMES = 36;
/** An address is asked for no longer than that, in milliseconds. */
const LONGEST = 5_000;

/** The first answer is not timed: it reads from the disk what later ones find in memory. */
export async function timePage(client: Client, path: string, processor: Processor): Promise<Timed> {
  let asked = await client.ask(path);
  const times: number[] = [];
  const end = performance.now() + LONGEST;
  const before = processor();
  do {
    asked = await client.ask(path);
    times.push(asked.time);
  } while (times.length < TIMES && performance.now() < end);
  const { status, html } = asked;
  return summed(times, processor() - before, status === 200 ? totalOf(html) : `given up, ${status}`);
}

export async function timeCreates(origin: string, processor: Processor): Promise<Timed> {
  const times: number[] = [];
  const before = processor();
  for (let number = 0; number < TIMES; number++) {
    const user = { username: `growth.${number}`, email: `growth.${number}@example.org` };
    const begun = performance.now();
    const answer = await fetch(`${origin}/users`, {
      method: 'POST',
      headers: SIGNED_IN,
      redirect: 'manual',
      body: new URLSearchParams(user),
    });
    await answer.text();
    times.push(performance.now() - begun);
    if (answer.status !== 303) throw new Error(`A create is ${answer.status}.`);
  }
  return summed(times, processor() - before, '');
}

/** As whoever is about to deactivate all of a list sees it. @returns how many they are, in the words of the page */
export async function countAll(origin: string, list: string): Promise<string> {
  const address = `${origin}/bulk?do=deactivate&from=${encodeURIComponent(list)}&all=on`;
  const answer = await fetch(address, { headers: SIGNED_IN });
  return pageOf(await answer.text()).heading;
}

export type Took<T> = { processor: number; seconds: number; result: T };

/** `processor`: for how long one was busy with it, here or in a process that was started here; in seconds, as all of it. */
export async function secondsOf<T>(work: () => Promise<T>): Promise<Took<T>> {
  const [begun, before] = [performance.now(), processorTime([process.pid])];
  const result = await work();
  const [took, busy] = [performance.now() - begun, processorTime([process.pid]) - before];
  return { processor: busy / 1000, seconds: took / 1000, result };
}

function summed(times: readonly number[], processor: number, said: string): Timed {
  return {
    processor: processor / times.length,
    least: Math.min(...times),
    median: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    said,
  };
}
