/** The parent of the processes that answer at one port: it starts another one where one dies, reloads them and stops them. */
// By node:cluster, whose parent listens and hands each connection on: one that a process cannot take any more another one gets.
// With SO_REUSEPORT whoever waits for a process that ends would be cut off, and Windows and macOS have none.
import type { Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../../errors.ts';
import type { Log } from '../../http/logger.ts';
import { Mutex } from '../../lib/mutex.ts';
import { fork, kill, livingWorkers, tell } from './child.ts';
import { Counts } from './counts.ts';
import { handOnAgain } from './handed-on.ts';
import type { AboutExport, FromWorker, Place, Task } from './messages.ts';
import { RestartBackoff } from './restart-backoff.ts';
import { SharedSlots } from './shared-slots.ts';
import { LOOK_EVERY_MS, Watchdog } from './watchdog.ts';

/** `count` processes. `patience`: how long one takes to end at most that was told to, in milliseconds. */
type Plan = { count: number; patience: number };

export class Workers {
  readonly #plan: Plan;
  readonly #log: Log;
  readonly #counts = new Counts<Worker>();
  readonly #exports = new SharedSlots<Worker>();
  /** Those that answer, the oldest first; whoever is to be replaced is not among them any more. */
  readonly #serving = new Set<Worker>();
  readonly #closed = new Set<Worker>();
  readonly #watchdog = new Watchdog<Worker>();
  readonly #backoff = new RestartBackoff();
  /** Of those who begin others, who would each see that one is missing. */
  readonly #turn = new Mutex();
  #mending: Promise<void> | undefined;
  #reloads = Promise.resolve();
  #isStopping = false;
  /** Another one after each reload, whose code may be another. */
  #task: Task;
  /** At which they are said to answer. */
  #port: number | undefined;

  constructor({ task, ...plan }: Plan & { task: Task }, log: Log) {
    this.#plan = plan;
    this.#task = task;
    this.#log = log;
  }

  /** @returns where they answer. @throws StartError where one cannot, which has said why */
  async start(): Promise<Place> {
    setInterval(() => this.#endSilent(), LOOK_EVERY_MS).unref();
    return this.#turn.run(async () => {
      // One by itself: what is wrong is said once.
      const place = await this.#begin();
      this.#port = Number(place.host.split(':').at(-1));
      await this.#beginMissing();
      return place;
    });
  }

  /** One after the other, by the code that is there now. */
  reload(): void {
    this.#reloads = this.#reloads.then(() => this.#reload());
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const all = livingWorkers();
    setTimeout(() => all.forEach(kill), this.#plan.patience).unref();
    for (const worker of all) tell(worker, { kind: 'stop' });
    await Promise.all(all.map((worker) => once(worker, 'exit')));
  }

  /** Of one that ends because all do nobody hears. @throws StartError */
  async #begin(): Promise<Place> {
    const worker = fork(this.#plan.count);
    handOnAgain(worker, () => this.#serving.size > 0);
    const { promise, resolve, reject } = Promise.withResolvers<Place>();
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') this.#giveTask(worker);
      else if (message.kind === 'listening') resolve(message.place);
      else this.#hear(worker, message);
    });
    // Of one that could not even be started there is no other word.
    worker.once('error', (error) =>
      reject(new StartError(`A process could not be started: ${error.message}`)),
    );
    worker.once('exit', (code, signal) => {
      if (!this.#isStopping) reject(new StartError('A process has ended before it answered.'));
      this.#forget(worker, signal ?? code);
    });
    const place = await promise;
    // Before it listened to this it may not have heard of it.
    if (this.#isStopping) tell(worker, { kind: 'stop' });
    this.#serving.add(worker);
    return place;
  }

  #giveTask(worker: Worker): void {
    if (this.#isStopping) kill(worker);
    else tell(worker, { kind: 'task', task: this.#task, givesSlots: true });
  }

  #hear(worker: Worker, message: Exclude<FromWorker, { kind: 'ready' | 'listening' }>): void {
    if (message.kind === 'leaves') return void this.#leave(worker);
    if (message.kind === 'turn') {
      // After it has taken a connection, which goes to them before this.
      setImmediate(() => tell(worker, { kind: 'turn' }));
      return;
    }
    if (message.kind === 'closed') {
      this.#closed.add(worker);
      this.#sayIfClosed();
      return;
    }
    if (message.kind === 'export' || message.kind === 'written' || message.kind === 'read') {
      this.#hearOfExport(worker, message);
      return;
    }
    // After a reload it may be by newer code, and say what is not known here.
    if (message.kind !== 'alive' && message.kind !== 'asks') return;
    this.#watchdog.heard(worker);
    this.#counts.note(worker, message.families);
    if (message.kind === 'asks') tell(worker, { kind: 'counted', families: this.#counts.sum() });
  }

  #hearOfExport(worker: Worker, message: AboutExport): void {
    const { kind, number } = message;
    if (kind === 'export')
      tell(worker, { kind: 'slot', number, isGiven: this.#exports.take(worker, number, message.person) });
    else if (kind === 'written') this.#exports.endWriting(worker, number);
    else this.#exports.endReading(worker, number);
  }

  #forget(worker: Worker, ending: number | string): void {
    this.#counts.end(worker);
    this.#exports.end(worker);
    this.#closed.delete(worker);
    this.#watchdog.heard(worker);
    this.#sayIfClosed();
    this.#endWithoutSocket();
    if (!this.#serving.delete(worker)) return;
    this.#keepPort();
    this.#replace(`Process ${worker.process.pid} has ended (${ending})`);
  }

  /** The last of them takes the port along: where it was any that is free, the next one has to be given that one. */
  #keepPort(): void {
    const { listening } = this.#task;
    if (this.#serving.size > 0 || this.#port === undefined) return;
    this.#task = { ...this.#task, listening: { ...listening, port: this.#port } };
  }

  /** The last of them takes along what was handed on: whoever has done that does it once more. */
  #endWithoutSocket(): void {
    if (this.#isStopping || this.#task.listening.fd === undefined || livingWorkers().length > 0) return;
    this.#log('error', 'No process is left that has the socket: Roster ends, to be given it anew.');
    process.exit(1);
  }

  #replace(why: string): void {
    if (this.#isStopping) return;
    this.#sayPause(`${why}: another one is started`);
    this.#mending ??= this.#mend().finally(() => {
      this.#mending = undefined;
    });
  }

  /** Whoever dies meanwhile is seen to here, too. */
  async #mend(): Promise<void> {
    do {
      await sleep(this.#backoff.left(performance.now()));
      await this.#turn
        .run(() => this.#beginMissing())
        .catch(() => this.#sayPause('One has ended before it answered: another one is started'));
    } while (!this.#isStopping && this.#serving.size < this.#plan.count);
  }

  #sayPause(what: string, backoff = this.#backoff): void {
    if (!this.#isStopping) this.#log('error', `${what} in ${backoff.next(performance.now()) / 1_000} s.`);
  }

  /** All at once, in the turn. @throws StartError where one could not be begun, once all others were */
  async #beginMissing(): Promise<void> {
    if (this.#isStopping) return;
    const length = Math.max(0, this.#plan.count - this.#serving.size);
    const begun = await Promise.allSettled(Array.from({ length }, () => this.#begin()));
    for (const one of begun) if (one.status === 'rejected') throw one.reason;
  }

  async #reload(): Promise<void> {
    this.#task = { ...this.#task, startId: randomUUID() };
    // With whoever is just being begun, maybe by the code of before.
    const all = await this.#turn.run(() => [...this.#serving]);
    // Asked for before there are any: those that are about to be begun are of that code.
    if (all.length === 0) return;
    for (const worker of all) {
      if (!(await this.#succeed(worker))) return;
      if (worker.isDead()) continue;
      // It answers to its end what it has begun, for however long: the next one is not waited with for that.
      await Promise.race([once(worker, 'exit'), sleep(this.#plan.patience, undefined, { ref: false })]);
    }
    this.#log('info', 'All processes were replaced.');
  }

  /** It goes on until another one answers, however often that has to be tried. */
  async #leave(worker: Worker): Promise<void> {
    // Its own: for those that die nothing is different by it.
    const backoff = new RestartBackoff();
    while (!(await this.#succeed(worker)) && !this.#isStopping) {
      this.#sayPause(`Process ${worker.process.pid} is replaced, if one starts then,`, backoff);
      await sleep(backoff.left(performance.now()));
    }
  }

  /** Another one answers in its place before it ends. @returns whether that could be begun, or is there already */
  async #succeed(worker: Worker): Promise<boolean> {
    return this.#turn.run(async () => {
      if (this.#isStopping) return false;
      if (!this.#serving.has(worker)) return true;
      try {
        await this.#begin();
      } catch {
        this.#log('error', 'A new process did not start, so those that are there go on.');
        return false;
      }
      if (this.#serving.delete(worker)) tell(worker, { kind: 'replaced' });
      return true;
    });
  }

  /** Nobody is answered before, who would come back at once to a port that is about to be closed. */
  #sayIfClosed(): void {
    const all = livingWorkers();
    if (all.every((worker) => this.#closed.has(worker)))
      for (const worker of all) tell(worker, { kind: 'closed' });
  }

  #endSilent(): void {
    for (const worker of this.#watchdog.look(livingWorkers())) {
      this.#log('error', `Process ${worker.process.pid} does not answer any more, and is ended.`);
      kill(worker);
    }
  }
}
