/** The log as people read it. */
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { lineAsText } from '../../src/http/log-text.ts';

const AT = new Date(2026, 10, 29, 16, 57, 21).getTime();

/** Without the colours that a terminal would have. */
function said(line: object): string {
  return stripVTControlCharacters(
    lineAsText(JSON.stringify({ level: 30, time: AT, pid: 1, hostname: 'here', ...line })),
  );
}

const REQUEST = {
  msg: 'request',
  reqId: '0190f3a2-7c1b',
  method: 'GET',
  route: '/users/:id',
  status: 200,
  ms: 12.3,
  databaseMs: 3.1,
  bytes: 14_200,
  actor: 5,
  address: '203.0.113.7',
};

test('a request is a line that fits into a terminal of 80 columns', () => {
  const line = said(REQUEST);
  expect(line).toBe('16:57:21 200 GET /users/:id 12.3 ms (3.1) 14.2 KB #5 203.0.113.7 0190f3a2-7c1b\n');
  expect(line.trimEnd().length).toBeLessThanOrEqual(80);
});

test('what is not known of a request is left out', () => {
  expect(said({ msg: 'request', reqId: 'x', bytes: 0, ms: 1, method: 'POST', aborted: true })).toBe(
    '16:57:21 –   POST – 1 ms 0 bytes aborted x\n',
  );
});

test('other lines have their level, what they say and what is known besides', () => {
  expect(said({ level: 40, msg: 'a mail could not be sent', outcome: 'late', reqId: 'x' })).toBe(
    '16:57:21 WARN a mail could not be sent outcome=late x\n',
  );
  expect(said({ msg: 'signed in', event: 'signed in', user: 5, list: [1, 2] })).toBe(
    '16:57:21 INFO signed in user=5 list=[1,2]\n',
  );
});

test('an error follows with its stack, and with what caused it', () => {
  const err = { message: 'no', stack: 'Error: no\n    at a.ts:1', cause: { message: 'why' } };
  expect(said({ level: 50, msg: 'request failed', err })).toBe(
    '16:57:21 ERROR request failed\n    Error: no\n    at a.ts:1\n    why\n',
  );
});

test('nothing in a line can steer the terminal', () => {
  const line = lineAsText(
    JSON.stringify({ level: 40, time: AT, msg: 'a\u001b[2Jb\nc', what: 'd\u001b]0;e\u0007' }),
  );
  expect(stripVTControlCharacters(line)).toBe('16:57:21 WARN a\uFFFD[2Jb\uFFFDc what=d\uFFFD]0;e\uFFFD\n');
});
