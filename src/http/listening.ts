/** Why an address cannot be listened at, in a sentence that names the setting to change. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartError } from '../errors.ts';

/** A descriptor goes before host and port. */
export type Listening = { host: string; port: number; fd?: number };

export type Address = { host: string; port: number; by?: 'PORT' | 'METRICS_PORT' };

/** @throws StartError where it cannot be listened at */
export async function checkPort(listening: Address, address = listening.host): Promise<void> {
  const probe = createServer().listen(listening.port, address);
  await once(probe, 'listening').catch(explainListening(listening));
  probe.close();
  await once(probe, 'close');
}

export function explainListening({
  host,
  port,
  by = 'PORT',
}: Address): (error: NodeJS.ErrnoException) => never {
  const sentences: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${host} is in use; give ${by} another number, or 0 for a free one.`,
    EACCES: `Port ${port} of ${host} may not be opened by this user; give ${by} a number above 1023.`,
    EINVAL: `${host} is no address to listen at; give HOST another one.`,
    EADDRNOTAVAIL: `${host} is no address of this machine; give HOST another one.`,
    ENOTFOUND: `${host} is no name that this machine knows; give HOST another one.`,
  };
  return (error) => {
    const sentence = sentences[error.code ?? ''];
    throw sentence ? new StartError(sentence, { cause: error }) : error;
  };
}
