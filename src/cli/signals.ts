/** How the process is told to end: by signals, and by the end of npm where npm has started it. */
import { isAtTerminal } from '../config.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** npm passes on what a terminal, or a service manager, has sent to Roster already. */
const PASSED_ON = 1_000;
const PARENT_CHECK = 200;

/** The second signal ends the process at once. @param reload at SIGHUP, where that does not say that the terminal, or npm, is gone */
export function onStopSignal(env: NodeJS.ProcessEnv, stop: () => void, reload?: () => void): () => void {
  const reloadsAtHangUp = reload !== undefined && !isByNpm(env) && !isAtTerminal();
  const passedOn = isByNpm(env) ? PASSED_ON : 0;
  let first: { signal: NodeJS.Signals; at: number } | undefined;
  function hear(signal: NodeJS.Signals): void {
    if (signal === 'SIGHUP' && reloadsAtHangUp) {
      reload();
      return;
    }
    const now = performance.now();
    if (first === undefined) {
      first = { signal, at: now };
      stop();
      return;
    }
    // Of a terminal that closes, its shell tells as well, and npm by going.
    if (signal === 'SIGHUP' || (signal === first.signal && now - first.at < passedOn)) return;
    process.off(signal, hear);
    process.kill(process.pid, signal);
    // That does not end what is number 1, as in a container.
    process.exit(1);
  }
  for (const signal of SIGNALS) process.on(signal, hear);
  return () => {
    for (const signal of SIGNALS) process.off(signal, hear);
  };
}

/** npm passes SIGHUP on to nobody, and a shell passes on nothing: so Roster hangs up when its npm is gone. */
export function endWithNpm(env: NodeJS.ProcessEnv): void {
  if (!isByNpm(env)) return;
  const { ppid } = process;
  const check = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(check);
    process.kill(process.pid, 'SIGHUP');
  }, PARENT_CHECK).unref();
}

function isByNpm(env: NodeJS.ProcessEnv): boolean {
  return env.npm_package_name === 'roster';
}
