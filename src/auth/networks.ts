/** The networks that an address belongs to: what one customer of a provider is given, and so can choose from. */
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A name for a network, and how many names may be failed at from there before there is a wait. */
export type Network = { name: string; free: number };

const FREE = 20;
/** Of IPv6: lengths of prefixes in bits, which providers give to homes, to customers and to businesses (RFC 6177). */
const PREFIXES = [
  { bits: 48, free: 5 * FREE },
  { bits: 56, free: 2 * FREE },
  { bits: 64, free: FREE },
] as const;

/** The largest first. @param address in canonical form, or whatever stands for addresses that are not known. */
export function networksOf(address: string): Network[] {
  if (!isIPv6(address)) return [{ name: address, free: FREE }];
  return PREFIXES.map(({ bits, free }) => {
    const network = ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits}`);
    return { name: `${network}/${bits}`, free };
  });
}

/** The largest network that an address belongs to. */
export function largestNetworkOf(address: string): string {
  return networksOf(address)[0]?.name ?? address;
}
