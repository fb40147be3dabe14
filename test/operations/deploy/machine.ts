/** A machine to set Roster up on: all that is on this one, and what is changed there is gone with it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FOLDERS } from '../../folders.ts';
import { firstProcessIn, withoutNpm } from './namespaces.ts';
import { PROJECT } from './pages.ts';
import { NPM, SYSTEMCTL } from './stand-ins.ts';

export type Machine = {
  /** The folder with what is not as on this machine. */
  changes: string;
  /** Types commands into a terminal, and an answer where it is asked for; fails as soon as one of them does. */
  type(commands: string, answers?: Record<string, string>): Promise<string>;
  stop(): Promise<void>;
};

const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child'];

/** Its first process takes care of what has lost its own parent, and ends with what it reads. */
const SET_UP = `
  cd "$1"
  mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/changes,workdir=$1/work" root
  mount -t proc proc root/proc
  mount --rbind /dev root/dev
  cp --dereference --remove-destination /etc/resolv.conf root/etc/ || true
  for brought in "\${@:3}"; do cp -r "$brought" root/root/; done
  mkdir --parents root/opt/stand-ins/node_modules
  cd root/opt/stand-ins
  printf '%s' "$SYSTEMCTL" >systemctl
  printf '%s' "$NPM" >npm
  chmod +x systemctl npm
  cp "$PROJECT/package-lock.json" .
  mount --bind -o ro "$PROJECT/node_modules" node_modules
  echo ready
  read -r`;

/** Whether this user may make one here. */
export async function canMakeMachines(): Promise<boolean> {
  const programs = ['git', 'script', 'setpriv', 'useradd', 'nsenter', 'unshare'];
  if (programs.some((program) => spawnSync('which', [program]).status !== 0)) return false;
  const folder = mkdtempSync(join(FOLDERS, 'roster-test-'));
  try {
    await (await startMachine(folder)).stop();
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Beginning = {
  /** The changes of a machine that this one begins with; of several, with colons between, the last one first. */
  from?: string;
  /** What is brought to it, into the folder /root. */
  bring?: readonly string[];
};

/** @param folder an empty one */
export async function startMachine(folder: string, { from, bring = [] }: Beginning = {}): Promise<Machine> {
  for (const name of ['root', 'changes', 'work']) mkdirSync(join(folder, name));
  const layers = from === undefined ? '/' : `${from}:/`;
  const first = spawn('unshare', [...NAMESPACES, 'bash', '-ec', SET_UP, 'bash', folder, layers, ...bring], {
    env: { ...process.env, SYSTEMCTL, NPM, PROJECT },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const { value } = await createInterface(first.stdout)[Symbol.asyncIterator]().next();
  if (value !== 'ready') throw new Error('No machine can be made here.');
  const env = withoutNpm(process.env);
  const within = [`--target=${firstProcessIn(first)}`, '--mount', '--pid', 'chroot', `${folder}/root`];
  return {
    changes: join(folder, 'changes'),
    async type(commands, answers = {}) {
      const terminal = ['script', '--quiet', '--return', '--command', 'bash -ec "$COMMANDS"', '/dev/null'];
      const child = spawn('nsenter', [...within, ...terminal], {
        env: { ...env, PATH: `/opt/stand-ins:/usr/local/sbin:${env.PATH}`, COMMANDS: commands },
        stdio: 'pipe',
      });
      let said = '';
      const open = new Map(Object.entries(answers));
      child.stdout.setEncoding('utf8').on('data', (chunk) => {
        said += chunk;
        for (const [question, answer] of open) {
          if (!said.includes(question)) continue;
          open.delete(question);
          child.stdin.write(`${answer}\n`);
        }
      });
      const [code] = await once(child, 'close');
      if (code !== 0) throw new Error(`Ended with ${code}:\n${commands}\n${said}`);
      if (open.size > 0) throw new Error(`Never asked: ${[...open.keys()].join(', ')}\n${said}`);
      return said.replaceAll('\r', '');
    },
    async stop() {
      first.stdin.end();
      if (first.exitCode === null) await once(first, 'exit');
    },
  };
}
