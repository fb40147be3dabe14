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
    /** Looks whether it was set, and does what follows; done now and then by itself. */
    watchClock(): Promise<void>;
  }
}

const LOOK_EVERY = 10_000;
const TOLD_FOR = 12 * HOUR;

export function addClockWatch(app: FastifyInstance): void {
  /** How far the clock is ahead of the time that the process has run, which nobody sets. */
  const lead = () => app.clock() - performance.now();
  let expected = lead();
  let jump: { what: string; at: number } | undefined;
  let lookedAt = performance.now();
  /** When those sessions were used that are spared: after the clock was set back, and until the others were to be ended first. */
  let spared: { since: number; until?: number } | undefined;
  const look = () => {
    const by = lead() - expected;
    const passed = performance.now() - lookedAt;
    lookedAt += passed;
    if (Math.abs(by) <= SKEW) return;
    expected += by;
    jump = { what: `set ${by < 0 ? 'back' : 'forward'} by ${inWords(Math.abs(by))}`, at: performance.now() };
    app.log.warn(`the clock was ${jump.what}${by < 0 ? AFTER_BACK : AFTER_FORWARD}`);
    if (by < 0) spared = { since: Math.floor(app.clock() - passed) };
  };
  /**
   * Those that were not used for long would last for longer. Of several processes each does so: whoever has signed in since stays so,
   * but where it could not be done then and is tried again, for nobody can tell them apart any more.
   */
  const endSessions = async () => {
    if (spared === undefined) return;
    const { since, until = app.clock() } = spared;
    spared = undefined;
    const { sessionIdle } = app.config;
    await transact(app.db, (trx) => endAllSessions(trx, until, sessionIdle, since)).catch((err) => {
      spared ??= { since, until };
      app.log.error({ err }, 'the clock was set back, and sessions could not be ended yet');
    });
  };
  app.decorate('clockNote', () => {
    look();
    const now = time(app.clock());
    if (jump === undefined || performance.now() - jump.at > TOLD_FOR)
      return `The clock of this server says ${now}.`;
    return `The clock of this server was ${jump.what} of late, and says ${now}: if that is not the time, tell whoever runs Roster.`;
  });

  const watch = () => {
    look();
    return endSessions();
  };
  app.decorate('watchClock', inBackground(app, LOOK_EVERY, watch));
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
