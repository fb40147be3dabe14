/** A socket that another program holds, such as systemd: while Roster is started anew, whoever connects waits there and is not refused. */
import { StartError } from '../errors.ts';

/** The first that is handed on, by the protocol of sd_listen_fds(3). */
const FIRST = 3;

/** Its descriptor. @throws StartError where there is more than one */
export function inheritedSocket({ LISTEN_PID, LISTEN_FDS }: NodeJS.ProcessEnv): number | undefined {
  // Others may have inherited the variables, and not the socket.
  if (LISTEN_FDS === undefined || LISTEN_PID !== `${process.pid}`) return undefined;
  if (LISTEN_FDS !== '1')
    throw new StartError(`Roster listens at one socket, and was given ${LISTEN_FDS} (LISTEN_FDS).`);
  return FIRST;
}
