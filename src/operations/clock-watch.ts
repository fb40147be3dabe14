/** Notices that the machine's clock is set while Roster runs: the log says so, and whoever's code is refused; set back, it ends all sessions. */
import type { FastifyInstance } from 'fastify';
import { endAllSessions } from '../auth/sessions.ts';
import { transact } from '../db/transact.ts';
import { HOUR, MINUTE, SKEW } from '../lib/clock.ts';
import { time } from '../lib/formats.ts';
import { inBackground } from './background.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** What the clock says, and whether it was set of late: for someone whose code is refused. */
    clockNote(): string;
    watchClock(): Promise<void>;
  }
}

const LOOK_EVERY = 10_000;
const TOLD_FOR = 12 * HOUR;

export function addClockWatch(app: FastifyInstance): void {
  const watch = new ClockWatch(app);
  app.decorate('clockNote', () => watch.note());
  app.decorate(
    'watchClock',
    inBackground(app, LOOK_EVERY, () => watch.watch()),
  );
}

class ClockWatch {
  readonly #app: FastifyInstance;
  #expectedLead: number;
  #lookedAt: number;
  #jump: { what: string; at: number } | undefined;
  /** When those sessions were used that are spared: after the clock was set back, and until the others were to be ended first. */
  #spared: { since: number; until?: number } | undefined;

  constructor(app: FastifyInstance) {
    this.#app = app;
    this.#lookedAt = app.stopwatch();
    this.#expectedLead = this.#lead;
  }

  /** How far the clock is ahead of the time that the process has run, which nobody sets. */
  get #lead(): number {
    return this.#app.clock() - this.#app.stopwatch();
  }

  note(): string {
    this.#look();
    const now = time(this.#app.clock());
    if (this.#jump === undefined || this.#app.stopwatch() - this.#jump.at > TOLD_FOR)
      return `The clock of this server says ${now}.`;
    return `The clock of this server was ${this.#jump.what} of late, and says ${now}: if that is not the time, tell whoever runs Roster.`;
  }

  watch(): Promise<void> {
    this.#look();
    return this.#endSessions();
  }

  #look(): void {
    const by = this.#lead - this.#expectedLead;
    const passed = this.#app.stopwatch() - this.#lookedAt;
    this.#lookedAt += passed;
    if (Math.abs(by) <= SKEW) return;
    this.#expectedLead += by;
    const what = `set ${by < 0 ? 'back' : 'forward'} by ${inWords(Math.abs(by))}`;
    this.#jump = { what, at: this.#app.stopwatch() };
    this.#app.log.warn(`the clock was ${what}${by < 0 ? AFTER_BACK : AFTER_FORWARD}`);
    if (by < 0) this.#spared = { since: Math.floor(this.#app.clock() - passed) };
  }

  // Those that were not used for long would last for longer. Whoever has signed in since stays so, unless this fails and is tried again.
  async #endSessions(): Promise<void> {
    if (this.#spared === undefined) return;
    const { db, config, clock, log } = this.#app;
    const { since, until = clock() } = this.#spared;
    this.#spared = undefined;
    await transact(db, (trx) => endAllSessions(trx, until, config.sessionIdle, since)).catch((err) => {
      this.#spared ??= { since, until };
      log.error({ err }, 'the clock was set back, and sessions could not be ended yet');
    });
  }
}

const AFTER_BACK =
  ': people have to sign in again, since nobody knows how old their sessions are, and waits after wrong passwords are over';
/** The time that a process has run stands still while its machine sleeps. */
const AFTER_FORWARD =
  ', or this machine was asleep: what has become too old meanwhile, such as sessions and links, is over';

function inWords(milliseconds: number): string {
  const minutes = Math.round(milliseconds / MINUTE);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
