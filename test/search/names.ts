/** Names from all over the world, each with what people type to find it: itself, its parts, and what `names.txt` says. */
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
    return [...new Set([name, ...name.split(/ +/), ...searches])].map((typed) => [name, typed] as const);
  });
