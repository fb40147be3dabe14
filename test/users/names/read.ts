/** The lists of usernames beside this file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The lines of a list: a username, and what is said of it. */
export function readNames(list: 'taken' | 'refused'): [string, string][] {
  const lines = readFileSync(join(import.meta.dirname, `${list}.txt`), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [username = '', about = ''] = line.replaceAll(/\\u\{(\w+)\}/g, shown).split('\t');
      return [username, about];
    });
}

function shown(_escape: string, point: string): string {
  return String.fromCodePoint(Number.parseInt(point, 16));
}
