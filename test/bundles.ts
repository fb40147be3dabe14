/**
 * Packages of very many files, each as one file, for the Rosters that tests start: to find so many files takes as long as
 * all else that is loaded then. They are made once, and again for another version.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const PACKAGES = ['kysely', 'zod'];
const MODULES = join(import.meta.dirname, '..', 'node_modules');
const FOLDER = join(MODULES, '.cache', 'roster-tests');

function pathOf(name: string): string {
  const { version } = JSON.parse(readFileSync(join(MODULES, name, 'package.json'), 'utf8'));
  return join(FOLDER, `${name}-${version}.mjs`);
}

export default async function setup(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  // For threads and programs of the tests: a Roster says itself where its code is kept.
  process.env.NODE_COMPILE_CACHE ??= FOLDER;
  for (const name of PACKAGES) if (!existsSync(pathOf(name))) await make(name);
}

async function make(name: string): Promise<void> {
  // Not for whoever finds them made.
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({ input: name, cwd: MODULES, platform: 'node' });
  const [{ code }] = (await bundle.generate()).output;
  // Several runs may make it at once.
  const draft = `${pathOf(name)}.${process.pid}`;
  writeFileSync(draft, code);
  renameSync(draft, pathOf(name));
}

const FOUND = Object.fromEntries(PACKAGES.map((name) => [name, pathToFileURL(pathOf(name)).href]));

/** On a machine that is at work all the time, as tests have it, whoever gives way to all others never comes to an end. */
const HOOK = `
  import { registerHooks, syncBuiltinESMExports } from 'node:module';
  import os from 'node:os';
  os.setPriority = () => {};
  syncBuiltinESMExports();
  const found = ${JSON.stringify(FOUND)};
  registerHooks({
    resolve: (name, context, next) => (found[name] ? { url: found[name], shortCircuit: true } : next(name, context)),
  });`;

/** An option with which Node loads these. */
export const BUNDLES = `--import data:text/javascript,${encodeURIComponent(HOOK)}`;
