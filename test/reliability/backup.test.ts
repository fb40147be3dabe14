/** A backup is killed at any moment: what has its name is whole, with its key, and the next one tidies up. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backUpInto, fill, keyPathOf, usernamesIn, within } from '../backup/backed-up.ts';
import { backupsIn, expectWhole } from '../backup/files.ts';
import { runToEnd } from '../roster.ts';
import { readyUrl, temporaryFolder } from '../support.ts';
import { chosen, killAt, momentsIn, timeout } from './kill-at.ts';

test.each(['sqlite', 'postgres'] as const)(
  'a backup of %s that is killed is there whole, with its key, or not at all; the next one leaves nothing of it',
  { timeout },
  async (engine) => {
    const url = await readyUrl(engine);
    await fill(url);
    const users = await within(url, usernamesIn);
    const making = async (moment: number) => {
      const folder = temporaryFolder();
      const settings = { DATABASE_URL: url, SECRET_KEY_FILE: keyPathOf(url), ...killAt(moment) };
      return { folder, ...(await runToEnd(['backup', folder, '--with-key'], settings)) };
    };
    const whole = await making(0);
    expect(whole.code).toBe(0);
    const found = { nothing: 0, draft: 0, key: 0, backup: 0 };
    for (const moment of chosen(momentsIn(whole.error), 12)) {
      const { folder, code } = await making(moment);
      expect(code, `killed at ${moment}`).toBe(null);
      const left = readdirSync(folder);
      const backups = backupsIn(folder);
      for (const name of backups) {
        expect(left, `killed at ${moment}`).toContain(`${name}.key`);
        const db = await expectWhole(join(folder, name));
        expect(await usernamesIn(db), `killed at ${moment}`).toEqual(users);
      }
      const isKey = left.some((name) => name.endsWith('.key'));
      found[backups.length > 0 ? 'backup' : isKey ? 'key' : left.length > 0 ? 'draft' : 'nothing']++;
      await backUpInto(folder, url, '--with-key');
      const now = backupsIn(folder);
      expect(now, `killed at ${moment}`).toHaveLength(backups.length + 1);
      expect(
        readdirSync(folder)
          .filter((name) => name !== 'erased.jsonl')
          .sort(),
      ).toEqual(now.flatMap((name) => [name, `${name}.key`]).sort());
    }
    const { nothing: _, ...struck } = found;
    for (const [what, times] of Object.entries(struck)) expect([what, times > 0]).toEqual([what, true]);
  },
);
