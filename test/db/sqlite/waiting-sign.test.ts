/** What one who writes sees of others who wait, and that it stops nobody. */
import { symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WaitingSign } from '../../../src/db/sqlite/waiting-sign.ts';
import { temporaryFolder } from '../../support.ts';

const EARLIER = new Date(2026, 0);

test('whoever waits is seen by others, until these have waited themselves', () => {
  const path = join(temporaryFolder(), 'roster.db-shm');
  writeFileSync(path, '');
  utimesSync(path, EARLIER, EARLIER);
  const [one, other] = [new WaitingSign(path), new WaitingSign(path)];
  one.forget();
  expect(one.isShown()).toBe(false);
  other.show();
  expect(one.isShown()).toBe(true);
  one.forget();
  expect(one.isShown()).toBe(false);
});

test('what cannot be looked at says nothing', () => {
  const path = join(temporaryFolder(), 'roster.db-shm');
  symlinkSync(path, path);
  const sign = new WaitingSign(path);
  sign.show();
  sign.forget();
  expect(sign.isShown()).toBe(false);
});
