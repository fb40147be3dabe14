/** What `npm run test:ha` says of what it has seen. */
import { expect, test } from 'vitest';
import { KILLS, SWITCHOVER } from './faults.ts';
import { reportOn } from './report.ts';
import type { Outcome, Suffered } from './rounds.ts';

const suffer = (more: Partial<Suffered>): Suffered => ({
  ...{ fault: SWITCHOVER, form: 4_000, page: 900, failed: 7, failedAfterwards: 0, trace: [] },
  ...more,
});

const outcome = (more: Partial<Outcome>): Outcome => ({
  ...{ suffered: [suffer({}), suffer({ form: 9_940 })], problems: [], acknowledged: 1_000, sentAgain: 20 },
  ...{ lost: 0, twice: 0, stuck: 0, ends: 0, logged: { lines: 30, megabytes: 0.1, most: 1 } },
  ...more,
});

test('where every promise is kept it says how long people have waited, and no problem', () => {
  const { lines, problems } = reportOn(outcome({}));
  expect(problems).toEqual([]);
  expect(lines).toContain('| a switchover | 2 | 4.0–9.9 s | 10 s | 0.9–0.9 s | 2 s | 14 |');
  expect(lines).toContain('| nothing that was acknowledged is lost | 0 of 1000 users |');
});

test('each promise that is broken is a problem', () => {
  const suffered = [suffer({ form: 10_100 }), ...KILLS.map((fault) => suffer({ fault, page: 2_100 }))];
  const logged = { lines: 30, megabytes: 0.1, most: 4 };
  const broken = { problems: ['a page is answered 404'], lost: 1, twice: 2, stuck: 3, ends: 4, logged };
  expect(reportOn(outcome({ ...broken, suffered })).problems).toEqual([
    'a page is answered 404',
    'a switchover: a form took 10.1 s',
    ...KILLS.map(({ name }) => `${name}: a page took 2.1 s`),
    'nothing that was acknowledged is lost: 1 of 1000 users',
    'nothing is done twice: 2 of 20 forms that were sent again',
    'no connection leads to what is a standby: 3 after 6 faults',
    'no Roster ends by itself: 4 of two',
    'of a kind a Roster logs a line a second: 3 more, of 30 lines, 0.1 MB',
  ]);
});
