/** The units of systemd: what systemd itself says of them, and that they run Roster as “npm start” does. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lack } from '../../requirements.ts';
import { temporaryFolder } from '../../support.ts';
import { DEPLOY, PROJECT, readDeployed } from './pages.ts';

const UNITS = ['roster.service', 'roster.socket', 'roster-backup.service', 'roster-backup.timer'];
const SERVICES = UNITS.filter((unit) => unit.endsWith('.service'));

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
const WITHOUT = 'It takes systemd-analyze.';

/** The units as they are installed, of a Roster that lies here. */
function install(): string {
  const folder = temporaryFolder();
  for (const unit of UNITS)
    writeFileSync(join(folder, unit), readDeployed(unit).replaceAll('/opt/roster', PROJECT));
  for (const service of SERVICES) {
    mkdirSync(join(folder, `${service}.d`));
    cpSync(join(DEPLOY, 'hardening.conf'), join(folder, `${service}.d`, 'hardening.conf'));
  }
  return folder;
}

function analyze(verb: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [verb, ...args], { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

function lineOf(unit: string, name: string): string {
  const [, value] = new RegExp(`^${name}=(.*)$`, 'm').exec(readDeployed(unit)) ?? [];
  if (value === undefined) throw new Error(`${unit} has no ${name}.`);
  return value;
}

const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const [, SET, START] = /^exec env (\S+) (.*)$/.exec(scripts.start) ?? [];

test('systemd finds nothing wrong with them', ({ skip }) => {
  if (!hasSystemd) return lack(skip, WITHOUT);
  const folder = install();
  const units = UNITS.map((unit) => join(folder, unit));
  expect(analyze('verify', '--man=no', ...units)).toEqual({ status: 0, said: '' });
});

test.for(SERVICES)('%s is exposed by 1.5 at most, as systemd counts', (service, { skip }) => {
  if (!hasSystemd) return lack(skip, WITHOUT);
  const path = join(install(), service);
  const { status, said } = analyze('security', '--offline=true', '--threshold=15', '--no-pager', path);
  expect(said).toMatch(/Overall exposure level for/);
  expect(status, said).toBe(0);
});

test('the service starts Roster as “npm start” does', () => {
  expect(lineOf('roster.service', 'ExecStart')).toBe(`/opt/roster/node_modules/.bin/${START}`);
  expect(readDeployed('roster.service').split('\n')).toContain(`Environment=${SET}`);
});

test('systemd waits longer for it to stop than it takes, and a container for as long', () => {
  const [, lastCall = ''] =
    /LAST_CALL = ([\d_]+)/.exec(readFileSync(join(PROJECT, 'src/server.ts'), 'utf8')) ?? [];
  const [, drain] = /DRAIN_SECONDS=(\d+)/.exec(readDeployed('roster.service')) ?? [];
  const takes = Number(drain) + Number(lastCall.replaceAll('_', '')) / 1_000;
  expect(takes).toBeGreaterThan(9);
  expect(Number(lineOf('roster.service', 'TimeoutStopSec'))).toBeGreaterThan(takes);
  const [, timeout] = /--stop-timeout (\d+)/.exec(readDeployed('README.md')) ?? [];
  expect(Number(timeout)).toBeGreaterThan(takes);
});

test('the settings that come with them are such as Roster takes', async () => {
  const { readConfig } = await import('../../../src/config.ts');
  const lines = readDeployed('roster.env').matchAll(/^([A-Z_]+)=(.*)$/gm);
  const settings = Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
  expect(readConfig(settings)).toMatchObject({
    databaseUrl: 'sqlite:/var/lib/roster/roster.db',
    secretKeyFile: '/var/lib/roster/secret.key',
    trustProxy: ['127.0.0.1'],
  });
});
