/** Everyone as a CSV file: for a client that reads as fast as it can, one that reads slowly, and one that vanishes. */
import { type IncomingMessage, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { SIGNED_IN } from '../session.ts';

const ADDRESS = '/export/file?format=csv&all=on';
/** What the slow one reads, a piece at a time. */
const SLOWLY = { bytes: 64 * 1024, pause: 100, seconds: 60 };
/** Two exports at most are made or read at once: how often whoever has no turn asks again. */
const ASK_AGAIN_AFTER = 100;

/** @returns how many bytes there were */
export async function exportAll(origin: string): Promise<number> {
  const answer = await begin(origin);
  let bytes = 0;
  for await (const piece of answer) bytes += piece.length;
  return bytes;
}

/** For some time, then it goes away. @returns how many bytes it has read */
export async function exportSlowly(origin: string): Promise<number> {
  const answer = await begin(origin);
  const end = performance.now() + 1000 * SLOWLY.seconds;
  let bytes = 0;
  for await (const piece of answer) {
    bytes += piece.length;
    await setTimeout((SLOWLY.pause * piece.length) / SLOWLY.bytes);
    if (performance.now() > end) break;
  }
  return bytes;
}

/** Two at once go away after their first piece. @returns after how many milliseconds a third has its turn */
export async function vanish(origin: string): Promise<number> {
  const two = await Promise.all([begin(origin), begin(origin)]);
  for (const answer of two) {
    await answer[Symbol.asyncIterator]().next();
    answer.destroy();
  }
  const gone = performance.now();
  (await begin(origin)).destroy();
  return performance.now() - gone;
}

/** Once it has its turn. */
async function begin(origin: string): Promise<IncomingMessage> {
  for (;;) {
    const answer = await ask(origin);
    if (answer.statusCode === 200) return answer;
    answer.destroy();
    if (answer.statusCode !== 503) throw new Error(`${ADDRESS} is ${answer.statusCode}.`);
    await setTimeout(ASK_AGAIN_AFTER);
  }
}

function ask(origin: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(origin + ADDRESS, { headers: SIGNED_IN, agent: false }, resolve)
      .once('error', reject)
      .end();
  });
}
