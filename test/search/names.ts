/** Names from all over the world, each with what people type to find it: `names.txt`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const NAMES: readonly (readonly [name: string, typed: string])[] = readFileSync(
  join(import.meta.dirname, 'names.txt'),
  'utf8',
)
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .flatMap((line) => {
    const [name = '', ...searches] = line.split(' | ');
    return searches.map((typed) => [name, typed] as const);
  });
