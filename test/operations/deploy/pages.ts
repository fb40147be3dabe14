/** What lies in `src/operations/deploy/`, and the commands on the pages of its README. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const PROJECT = join(import.meta.dirname, '..', '..', '..');
export const DEPLOY = join(PROJECT, 'src', 'operations', 'deploy');

export function readDeployed(name: string): string {
  return readFileSync(join(DEPLOY, name), 'utf8');
}

/** The blocks of commands on the page with a heading, in their order. */
export function commandsOf(heading: string): string[] {
  const [, page] = readDeployed('README.md').split(`\n## ${heading}\n`);
  const blocks = page?.split('\n## ')[0]?.matchAll(/^```sh\n(.*?)^```/gms);
  return [...(blocks ?? [])].map(([, commands = '']) => commands);
}

/** The first block in a language: of a proxy, what is written otherwise for several Rosters. @throws Error where there is none */
export function blockOf(language: string): string {
  const [, block] =
    new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(readDeployed('README.md')) ?? [];
  if (block === undefined) throw new Error(`The page has no ${language}.`);
  return block;
}
