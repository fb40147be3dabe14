/** What systemd is told of a Roster that it runs: that it serves now, and, as often as it wants to hear it, that it lives. */
import { execFile } from 'node:child_process';

/** By systemd's own command, for Node has no datagram sockets. Where nothing asks to be told, nothing is. */
export function tellServiceManager({ NOTIFY_SOCKET, WATCHDOG_USEC, PATH }: NodeJS.ProcessEnv): void {
  if (!NOTIFY_SOCKET) return;
  const tell = (what: string) =>
    execFile('systemd-notify', [what], { env: { NOTIFY_SOCKET, PATH } }, (error) => {
      if (error) console.warn(`Warning: systemd does not know ${what}: ${error.message.trim()}`);
    });
  tell('READY=1');
  const patience = Number(WATCHDOG_USEC) / 1_000;
  // A turn of the event loop that takes longer than that is the last one.
  if (patience > 0) setInterval(tell, patience / 3, 'WATCHDOG=1').unref();
}
