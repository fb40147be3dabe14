/** A program that is started, killed and started again; what it says is in a file, and it never outlives this process. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { endWithThis } from '../bench/processes.ts';

type Command = SpawnOptions & { program: string; args: readonly string[]; log: string };

export class Service {
  readonly log: string;
  readonly #command: Command;
  #isWanted = false;
  #child: ChildProcess | undefined;
  /** How often it has ended by itself. */
  ends = 0;

  constructor(command: Command) {
    [this.log, this.#command] = [command.log, command];
  }

  start(): void {
    const { program, args, log, ...options } = this.#command;
    const output = openSync(log, 'a');
    const child = endWithThis(spawn(program, args, { ...options, stdio: ['ignore', output, output] }));
    closeSync(output);
    child.once('exit', () => {
      if (this.#isWanted) this.ends++;
    });
    this.#isWanted = true;
    this.#child = child;
  }

  async kill(): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
