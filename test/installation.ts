/** A Roster installed in a folder of its own, for tests that change what is installed. */
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { launch } from './roster.ts';
import { temporaryFolder } from './support.ts';

const PROJECT = join(import.meta.dirname, '..');

/** Has every package, and none of what is beside them: no programs, nothing kept from an earlier start. */
export function installRoster(folder = temporaryFolder()): string {
  for (const name of ['package.json', 'src', 'views', 'public'])
    cpSync(join(PROJECT, name), join(folder, name), { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(PROJECT, 'node_modules')).filter((entry) => !entry.startsWith('.')))
    symlinkSync(join(PROJECT, 'node_modules', name), join(folder, 'node_modules', name));
  return folder;
}

/** What `roster --help` says there, with its packages as they are. */
export async function askForHelp(folder: string, settings: Record<string, string> = {}) {
  const child = launch(process.execPath, [join(folder, 'src', 'main.js'), '--help'], settings);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr };
}
