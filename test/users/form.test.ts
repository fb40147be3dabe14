/** What a form of a user changes. */
import { expect, test } from 'vitest';
import { parseChanges, valuesOf } from '../../src/users/form.ts';
import { aUser } from './a-user.ts';

const OLD = aUser({ username: 'ƾ', email: 'ada@xn--gre-6ka8l.example' });

test('what a form sends back as it was shown is neither judged nor a change', () => {
  expect(parseChanges(valuesOf(OLD), OLD)).toEqual({ ok: true, value: {} });
  expect(parseChanges({ ...valuesOf(OLD), full_name: ' Ada ' }, OLD)).toEqual({
    ok: true,
    value: { full_name: 'Ada' },
  });
  expect(parseChanges({ username: 'ƿ' }, OLD)).toMatchObject({
    ok: false,
    errors: { username: expect.stringContaining('ƿ') },
  });
});
