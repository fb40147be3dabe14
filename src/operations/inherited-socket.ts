/** A socket that another program holds, such as systemd: while Roster is started anew, whoever connects waits there and is not refused. */
import { readFileSync, readlinkSync } from 'node:fs';
import { StartError } from '../errors.ts';

/** The first that is handed on, by the protocol of sd_listen_fds(3). */
const FIRST = 3;

const OF_FILES =
  'Roster listens at an address of the network, and was given a socket of files (LISTEN_FDS), where nobody has one: have it opened at an address and a port, as with “ListenStream=127.0.0.1:3000”.';

/** Its descriptor. @throws StartError where there is more than one */
export function inheritedSocket({ LISTEN_PID, LISTEN_FDS }: NodeJS.ProcessEnv): number | undefined {
  // Others may have inherited the variables, and not the socket.
  if (LISTEN_FDS === undefined || LISTEN_PID !== `${process.pid}`) return undefined;
  if (LISTEN_FDS !== '1')
    throw new StartError(`Roster listens at one socket, and was given ${LISTEN_FDS} (LISTEN_FDS).`);
  return FIRST;
}

/** @throws StartError where whoever connects would have no address. Linux alone says of what a socket is. */
export function checkInheritedSocket(descriptor: number): void {
  if (process.platform !== 'linux') return;
  const [number] = /\d+/.exec(readlinkSync(`/proc/self/fd/${descriptor}`)) ?? [];
  // One socket a row, its number before its path (proc(5)).
  const rows = readFileSync('/proc/net/unix', 'latin1').split('\n');
  if (rows.some((row) => row.split(/\s+/)[6] === number)) throw new StartError(OF_FILES);
}
