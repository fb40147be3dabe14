/** What `npm run test:ha` says of a page that took longer than is promised. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support.ts';
import type { Wish } from './people.ts';
import { traceOf } from './trace.ts';

test('of a page that took long it says each answer, and what a Roster has logged meanwhile, in their order', () => {
  const log = join(temporaryFolder(), 'roster-3000.log');
  const line = (at: number, level: number, msg: string, err?: object) =>
    `${JSON.stringify({ level, time: performance.timeOrigin + at, msg, err })}\n`;
  writeFileSync(
    log,
    [
      line(500, 40, 'before it was asked for'),
      'Roster is at http://127.0.0.1:3000\n',
      line(1_300, 40, 'a replica is left out'),
      line(2_100, 50, 'request failed', { message: 'the connection was lost' }),
      line(2_200, 30, 'signed in'),
    ].join(''),
  );
  const page: Wish = {
    ...{ who: 6, kind: 'page', from: 1_000, to: 3_250 },
    tries: [
      { at: 1_000, took: 1_104, status: 503 },
      { at: 2_150, took: 20, status: undefined },
      { at: 3_200, took: 50, status: 200 },
    ],
  };
  expect(traceOf(page, [log])).toEqual([
    '  +0.00 s 503 after 1.10 s',
    '  +0.30 s roster-3000: a replica is left out',
    '  +1.10 s roster-3000: request failed: the connection was lost',
    '  +1.15 s no answer after 0.02 s',
    '  +2.20 s 200 after 0.05 s',
  ]);
});
