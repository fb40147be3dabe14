/** What an import takes of memory has to do with its longest row, and nothing with how many there are. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support.ts';
import { written } from './files.ts';

const SCRIPT = join(import.meta.dirname, 'judge-file.ts');
const MAKING = join(import.meta.dirname, 'make-usernames.ts');
const HEAP = ['--max-old-space-size=56', '--max-semi-space-size=4'];

/** Each with a picture, as directories have them. */
function* rows(count: number): Iterable<string> {
  yield 'username,email,name,thumbnailPhoto\n';
  const picture = 'QUJD'.repeat(23_000);
  for (let row = 0; row < count; row++) yield `u${row},u${row % 2 ? '' : row}@example.org,Ann,${picture}\n`;
}

// In a heap that does not hold the half of it.
test('a hundred megabytes of long rows are judged, and judged again, in little memory', async () => {
  const path = written(() => rows(1_100));
  const { stdout } = await promisify(execFile)(process.execPath, [...HEAP, SCRIPT, path]);
  expect(JSON.parse(stdout)).toMatchObject({ state: 'applying', created: 550, refused: 550 });
});

// In a heap that does not hold the names.
test('usernames of very many are made in little memory, though each name comes twice', async () => {
  const path = join(temporaryFolder(), 'roster.db');
  const { stdout } = await promisify(execFile)(process.execPath, [...HEAP, MAKING, path, '800000']);
  expect(stdout).toBe('800000\n');
});
