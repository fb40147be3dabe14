import { expect, test } from 'vitest';
import { runCommand } from '../../command.ts';
import { plainRole } from '../../postgres/plain-role.ts';
import { temporaryDatabase } from '../../support.ts';

test('whoever does not own the database hears what purge has left', async () => {
  const { url } = await plainRole();
  await temporaryDatabase(url);
  const { code, out } = await runCommand(['purge'], { DATABASE_URL: url });
  expect(out).toContain('The tables were written anew, but not pg_statistic');
  expect(out).not.toContain('Nothing that was deleted before');
  expect(code).toBe(0);
});
