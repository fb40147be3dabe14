/** A program that is started, killed and started again; what it says is in a file, and it never outlives this process. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

const services = new Set<Service>();

process.on('exit', () => {
  for (const service of services) service.child?.kill('SIGKILL');
});
// A signal that nobody listens to would skip "exit".
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));

type Command = SpawnOptions & { program: string; args: readonly string[]; log: string };

export class Service {
  readonly name: string;
  readonly log: string;
  readonly #command: Command;
  #isWanted = false;
  child: ChildProcess | undefined;
  /** How often it has ended by itself. */
  ends = 0;

  constructor(name: string, command: Command) {
    [this.name, this.log, this.#command] = [name, command.log, command];
    services.add(this);
  }

  start(): void {
    const { program, args, log, ...options } = this.#command;
    const output = openSync(log, 'a');
    const child = spawn(program, args, { ...options, stdio: ['ignore', output, output] });
    closeSync(output);
    child.once('exit', () => {
      if (this.#isWanted) this.ends++;
    });
    this.#isWanted = true;
    this.child = child;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isWanted = false;
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}
