/** Which user of this machine is at the other end of a connection: Linux alone says so. */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import ipaddr from 'ipaddr.js';

/** As /proc/net/tcp says it (proc_net_tcp(5)), whatever headers and programs say of themselves. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** Of what is being closed the owner is not told any more: it looks like root's. */
const ESTABLISHED = '01';
/** Of a process that sees everyone by the number they have (user_namespaces(7)); in a container others may look like it. */
const SAME_NUMBERS = /^\s*0\s+0\s+4294967295\s*$/;

export async function isOwnUser(socket: Socket): Promise<boolean> {
  const map = await readFile('/proc/self/uid_map', 'latin1').catch(() => '');
  if (!SAME_NUMBERS.test(map)) return false;
  const user = await peerUserOf(socket);
  return user !== undefined && user === process.getuid?.();
}

/** The number of the user, or undefined where that cannot be known. */
async function peerUserOf(socket: Socket): Promise<number | undefined> {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (!remoteAddress || !remotePort || !localAddress || !localPort) return undefined;
  const theirs = endsOf(remoteAddress, remotePort);
  const ours = endsOf(localAddress, localPort);
  const rows = (await Promise.all(TABLES.map(readRows))).flat();
  const own = rows.find(
    ([, local = '', remote = '', state]) =>
      state === ESTABLISHED && theirs.includes(local) && ours.includes(remote),
  );
  return own?.[7] === undefined ? undefined : Number(own[7]);
}

async function readRows(path: string): Promise<string[][]> {
  const table = await readFile(path, 'latin1').catch(() => '');
  return table.split('\n').map((line) => line.trim().split(/\s+/));
}

/** One end of a connection as the tables write it: of IPv4 also as a socket for IPv6 calls it. */
function endsOf(address: string, port: number): string[] {
  const canonical = ipaddr.process(address);
  const forms = canonical instanceof ipaddr.IPv4 ? [canonical, canonical.toIPv4MappedAddress()] : [canonical];
  const hexPort = port.toString(16).padStart(4, '0');
  return forms.map((form) => `${hexOf(form.toByteArray())}:${hexPort}`.toUpperCase());
}

/** In words of four bytes, each in the order of the machine. */
function hexOf(bytes: number[]): string {
  const buffer = Buffer.from(bytes);
  return (endianness() === 'LE' ? buffer.swap32() : buffer).toString('hex');
}
