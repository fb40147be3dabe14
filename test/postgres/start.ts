/** Starts a PostgreSQL that never outlives this process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Postgres = {
  url: string;
  /** A number that no other PostgreSQL started here has now. */
  run: number;
  restart(): Promise<void>;
  crash(): Promise<void>;
  /** Restarts it as a standby, which only reads; `restart` makes it a primary again. */
  demote(): Promise<void>;
  /** Restarts it, and starts another one that follows it: the address of that. */
  standby(): Promise<string>;
  /** Ends one of these in the middle of everything. */
  kill(standby: string): Promise<void>;
  /** Starts it again. */
  revive(standby: string): Promise<void>;
  stop(): Promise<void>;
};

/** @param args the address of a server there is, or settings (`fsync=off`) of one to be made. */
export async function startPostgres(args: readonly string[]): Promise<Postgres> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Not ended together with this process by Ctrl-C, so that it can clear up after it.
    detached: true,
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('There is no PostgreSQL; what it said is above.');
    return value as string;
  };
  const ask = async (command: string) => {
    child.stdin.write(`${command}\n`);
    return answer();
  };
  return {
    url: await answer(),
    run: child.pid ?? 0,
    restart: async () => void (await ask('restart')),
    crash: async () => void (await ask('crash')),
    demote: async () => void (await ask('demote')),
    standby: () => ask('standby'),
    kill: async (standby) => void (await ask(`kill ${standby}`)),
    revive: async (standby) => void (await ask(`revive ${standby}`)),
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
