/** The pages for whoever runs Roster, followed to the letter by root on a machine where nothing is set up yet. */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { FOLDERS } from '../../folders.ts';
import { freePort } from '../../free-port.ts';
import { startPostgres } from '../../postgres/start.ts';
import { lack } from '../../requirements.ts';
import { temporaryFolder } from '../../support.ts';
import { canMakeMachines, type Machine, startMachine } from './machine.ts';
import { commandsOf, PROJECT } from './pages.ts';

const NOT_ALLOWED = 'It takes root on Linux, overlay file systems, and git, script and useradd.';
const PASSWORD = 'a password for one of these pages';
const ASKED = { 'Password for alice: ': PASSWORD, 'Repeat the password: ': PASSWORD };
const SURE = { 'Restore it? [y/N]': 'y' };

const [INSTALL = '', FIRST_START = ''] = commandsOf('As a service');

/** As a newer Roster would: from then on no older one opens the database. */
const CHANGE_FORM = `
  systemctl stop roster
  cat >/tmp/change.cjs <<'END'
  const Database = require('/opt/roster/node_modules/better-sqlite3');
  const db = new Database('/var/lib/roster/roster.db');
  db.pragma(\`user_version = \${db.pragma('user_version', { simple: true }) + 1}\`);
END
  /opt/roster/node_modules/.bin/node /tmp/change.cjs
  ! roster check`;

/** What tests begin with: the service installed, up to its settings; and then with users, stopped. */
const base = mkdtempSync(join(FOLDERS, 'roster-test-'));
let begun: { installed: string; used: string; said: string } | undefined;

beforeAll(async () => {
  if (!(await canMakeMachines())) return;
  const first = await startMachine(folderIn(base), { bring: [repository()] });
  await first.type(`cd /root/roster\n${INSTALL}`);
  await first.stop();
  const second = await startMachine(folderIn(base), { from: first.changes });
  await second.type(await ownSettings());
  const said = await second.type(FIRST_START, ASKED);
  await second.type('roster seed 3 && systemctl stop roster');
  await second.stop();
  begun = { installed: first.changes, used: `${second.changes}:${first.changes}`, said };
});

afterAll(() => rmSync(base, { recursive: true }));

function folderIn(parent: string): string {
  return mkdtempSync(join(parent, 'machine-'));
}

/** The project as it is here, committed or not, as a repository of its own. */
function repository(): string {
  const folder = join(base, 'roster');
  const git = (cwd: string, ...args: string[]) => execFileSync('git', args, { cwd, encoding: 'utf8' });
  const names = git(PROJECT, 'ls-files', '--cached', '--others', '--exclude-standard', '-z').split('\0');
  for (const name of names.filter((one) => /^(src|public|views)\/|^[^/]+$/.test(one)))
    cpSync(join(PROJECT, name), join(folder, name));
  git(folder, 'init', '--quiet', '--initial-branch=main');
  commit(folder, 'before');
  return folder;
}

function commit(folder: string, message: string): void {
  const who = ['-c', 'user.name=Roster', '-c', 'user.email=roster@example.org'];
  execFileSync('git', ['add', '--all'], { cwd: folder });
  execFileSync('git', [...who, 'commit', '--quiet', '--message', message], { cwd: folder });
}

/** Beside others that are tested now, and without a wait at each stop. */
async function ownSettings(): Promise<string> {
  return `printf 'PORT=${await freePort()}\nDRAIN_SECONDS=0\n' >>/etc/roster.env`;
}

async function newMachine(from: string, bring: readonly string[] = []): Promise<Machine> {
  const machine = await startMachine(temporaryFolder(), { from, bring });
  onTestFinished(() => machine.stop());
  await machine.type(await ownSettings());
  return machine;
}

/** One on which Roster runs, with an administrator and three others. */
async function runningMachine({ used }: { used: string }): Promise<Machine> {
  const machine = await newMachine(used);
  await machine.type('systemctl start roster');
  return machine;
}

/** How many users there are, as its command says; and that it serves. */
async function usersOf(machine: Machine): Promise<number> {
  const said = await machine.type(`
    . /etc/roster.env
    ready="fetch('http://127.0.0.1:$PORT/readyz').then(({ ok }) => process.exit(ok ? 0 : 1))"
    /opt/roster/node_modules/.bin/node -e "$ready"
    roster export /var/lib/roster/all.jsonl --force >/dev/null
    wc --lines </var/lib/roster/all.jsonl`);
  return Number(said.trim().split('\n').at(-1));
}

test('as a service: it runs as a user of its own, and keeps what it has from all others', async ({
  skip,
}) => {
  if (!begun) return lack(skip, NOT_ALLOWED);
  expect(begun.said).toContain('alice is an administrator');
  const machine = await runningMachine(begun);
  expect(await usersOf(machine)).toBe(4);
  expect(
    await machine.type('ps -o user= -p "$(cat /opt/stand-ins/roster.pid)"; cat /opt/stand-ins/roster.log'),
  ).toMatch(
    /^roster\nRoster is at https:\/\/users\.example\.org \(listening at http:\/\/127\.0\.0\.1:\d+\)\n$/,
  );
  expect(await machine.type('find /var/lib/roster /srv/backups /etc/roster.env -perm /077')).toBe('');
});

test('with a socket that systemd holds, whoever comes while Roster is started anew is answered', async ({
  skip,
}) => {
  if (!begun) return lack(skip, NOT_ALLOWED);
  const [hold = ''] = commandsOf('Proxies');
  const machine = await runningMachine(begun);
  // Beside others that are tested now.
  const port = await freePort();
  await machine.type(`sed --in-place 's/:3000/:${port}/' /etc/systemd/system/roster.socket`);
  await machine.type(hold);
  const ask = `fetch('http://127.0.0.1:${port}/readyz').then(({ ok }) => process.exit(ok ? 0 : 1))`;
  await machine.type(`
    systemctl stop roster
    /opt/roster/node_modules/.bin/node -e "${ask}" &
    systemctl start roster
    wait $!`);
});

test('upgrading brings what is new, and going back what was before', async ({ skip }) => {
  if (!begun) return lack(skip, NOT_ALLOWED);
  const [upgrade = '', back = ''] = commandsOf('Upgrading');
  const machine = await runningMachine(begun);
  const newer = `
    cd /root/roster
    echo '// Newer.' >>src/server.ts
    git -c user.name=a -c user.email=a commit --quiet --all --message newer`;
  await machine.type(newer);
  await machine.type(upgrade);
  expect(await machine.type('tail --lines=1 /opt/roster/src/server.ts')).toContain('// Newer.');
  await machine.type('roster seed 5');
  expect(await usersOf(machine)).toBe(9);
  await machine.type(CHANGE_FORM);
  await machine.type(back, SURE);
  expect(await machine.type('tail --lines=1 /opt/roster/src/server.ts')).not.toContain('// Newer.');
  expect(await usersOf(machine)).toBe(4);
});

test('backing up and restoring: what was lost since is there again', async ({ skip }) => {
  if (!begun) return lack(skip, NOT_ALLOWED);
  const [backup = '', key = ''] = commandsOf('Backing up');
  const [restore = ''] = commandsOf('Restoring');
  const machine = await runningMachine(begun);
  await machine.type(backup);
  await machine.type(key);
  await machine.type('cmp /root/roster-secret.key /var/lib/roster/secret.key');
  await machine.type('roster seed 5');
  await machine.type(restore, SURE);
  expect(await usersOf(machine)).toBe(4);
});

test('moving to another machine: all are there, and the key', async ({ skip }) => {
  if (!begun) return lack(skip, NOT_ALLOWED);
  const [leave = '', arrive = ''] = commandsOf('Moving to another machine');
  const old = await runningMachine(begun);
  await old.type(leave);
  const bring = ['moving.db', 'moving.db.key'].map((name) => join(old.changes, 'srv/backups', name));
  const machine = await newMachine(begun.installed, bring);
  await machine.type('mv /root/moving.* /srv/backups/');
  await machine.type(arrive, SURE);
  expect(await usersOf(machine)).toBe(4);
  const key = 'cat /var/lib/roster/secret.key';
  expect(await machine.type(key)).toBe(await old.type(key));
});

test('moving to PostgreSQL: all are there, and nothing of it is left in the file’s place', async ({
  skip,
}) => {
  if (!begun) return lack(skip, NOT_ALLOWED);
  const [move = ''] = commandsOf('Moving to PostgreSQL');
  const { url, stop } = await startPostgres(['fsync=off']);
  onTestFinished(stop);
  const machine = await runningMachine(begun);
  await machine.type(`printf "NEW_URL='%s'\n" '${url}' >>/etc/roster.env`);
  await machine.type(move);
  expect(await machine.type('cat /etc/roster.env')).toContain(`DATABASE_URL='${url}'`);
  expect(await usersOf(machine)).toBe(4);
  expect(await machine.type('ls /var/lib/roster')).not.toContain('roster.db');
});
