/** The networks that an address belongs to: what one customer of a provider is given, and so can choose from. */
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** `freeNames`: how many usernames may be failed at from there before there is a wait. */
export type Network = { name: string; freeNames: number };

const FREE_NAMES = 20;
/** Of IPv6: lengths of prefixes in bits, which providers give to homes, to customers and to businesses (RFC 6177). */
const PREFIXES = [
  { bits: 48, freeNames: 5 * FREE_NAMES },
  { bits: 56, freeNames: 2 * FREE_NAMES },
  { bits: 64, freeNames: FREE_NAMES },
] as const;

/** The largest first. @param address in canonical form, or whatever stands for addresses that are not known. */
export function networksOf(address: string): Network[] {
  if (!isIPv6(address)) return [{ name: address, freeNames: FREE_NAMES }];
  return PREFIXES.map(({ bits, freeNames }) => {
    const network = ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits}`);
    return { name: `${network}/${bits}`, freeNames };
  });
}

export function largestNetworkOf(address: string): string {
  return networksOf(address)[0]?.name ?? address;
}
