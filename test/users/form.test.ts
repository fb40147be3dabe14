/** What a form of a user changes. */
import { expect, test } from 'vitest';
import { parseChanges, valuesOf } from '../../src/users/form.ts';

const OLD = {
  username: 'ƾ',
  email: 'ada@xn--gre-6ka8l.example',
  full_name: null,
  is_active: true,
  role: 'member' as const,
  created_at: 1,
};

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
