/** Connections that were handed to a process, and that it ended without having taken: others get them. */
// Of such a process Node's cluster waits for an answer for ever, with the connection open that nobody reads, and may not notice that it has ended:
// its channel is not said to be closed while what was sent by it is not acknowledged. So this follows what cluster says to its processes.
import type { ChildProcess, SendHandle } from 'node:child_process';
import type { Worker } from 'node:cluster';

type Connection = SendHandle & { close(): void };
type Internal = { cmd?: string; act?: string; seq?: number; ack?: number };

/** @param isOtherThere whether another one would take them; else they are cut */
export function handOnAgain({ process }: Worker, isOtherThere: () => boolean): void {
  const onTheirWay = new Map<number, Connection>();
  const send = process.send.bind(process) as (...sent: unknown[]) => boolean;
  process.send = (message: unknown, connection?: unknown, ...more: unknown[]) => {
    const { act, seq } = message as Internal;
    if (act === 'newconn' && seq !== undefined) onTheirWay.set(seq, connection as Connection);
    return send(message, connection, ...more);
  };
  process.on('internalMessage', ({ ack }: Internal) => ack !== undefined && onTheirWay.delete(ack));
  // Once it has ended and all is read that it had said.
  process.once('close', () => {
    process.emit('disconnect');
    for (const [seq, connection] of onTheirWay)
      if (isOtherThere()) refuse(process, seq);
      else connection.close();
  });
}

/** As a process does itself that does not listen any more. */
function refuse(process: ChildProcess, seq: number): void {
  const refusal = { cmd: 'NODE_CLUSTER', ack: seq, accepted: false };
  (process as NodeJS.EventEmitter).emit('internalMessage', refusal);
}
