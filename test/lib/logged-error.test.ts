/** What the log says of errors. */
import { expect, test } from 'vitest';
import { loggedError } from '../../src/lib/logged-error.ts';

test('an error is logged with what it is, where, and why', () => {
  const cause = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  const logged = loggedError(new TypeError('it could not be kept', { cause }));
  expect(logged).toMatchObject({ type: 'TypeError', message: 'it could not be kept' });
  expect(logged.stack).toContain('logged-error.test.ts');
  expect(logged.cause).toMatchObject({ type: 'Error', message: 'no space left', code: 'ENOSPC' });
});

test('what else an error carries is not logged, such as the row that PostgreSQL refused', () => {
  const error = Object.assign(new Error('duplicate key value violates unique constraint "users_email_key"'), {
    code: '23505',
    detail: 'Key (email_key)=(garcia@example.org) already exists.',
    parameters: ['garcia'],
  });
  const logged = JSON.stringify(loggedError(error));
  expect(logged).toContain('users_email_key');
  expect(logged).not.toContain('garcia');
});

test.each([
  ['22P02', 'invalid input syntax for type integer: "garcia"'],
  ['SQLITE_ERROR', 'fts5: syntax error near "garcia"'],
  [undefined, 'Unexpected token \'g\', "garcia" is not valid JSON'],
])('what a message quotes of what it was given is left out: %s', (code, message) => {
  const error = Object.assign(new Error(message), code && { code });
  const logged = loggedError(error);
  expect(logged.message).toContain('"…"');
  expect(JSON.stringify(logged)).not.toContain('garcia');
});

test('an error that comes from another thread is logged as it was', () => {
  const logged = loggedError(new RangeError('too far', { cause: new Error('why') }));
  expect(loggedError(structuredClone(logged))).toEqual(logged);
  expect(loggedError('a text')).toMatchObject({ message: 'a text' });
});

test('several errors in one, as where no address of a host answers, are all logged', () => {
  const error = new AggregateError([new Error('not at ::1'), new Error('not at 127.0.0.1')]);
  expect(loggedError(error)).toMatchObject({
    errors: [{ message: 'not at ::1' }, { message: 'not at 127.0.0.1' }],
  });
});
