/** What people call the browser that a session is in, and the place where it is. */
import ipaddr from 'ipaddr.js';

/** In this order: most call themselves by the names of others, too. */
const BROWSERS: readonly [string, RegExp][] = [
  ['Edge', /Edg/],
  ['Opera', /OPR\//],
  ['Firefox', /Firefox|FxiOS/],
  ['Chrome', /Chrom|CriOS/],
  ['Safari', /Safari/],
];
const SYSTEMS: readonly [string, RegExp][] = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad/],
  ['Windows', /Windows/],
  ['macOS', /Macintosh/],
  ['Linux', /Linux/],
];
const LOCAL = 'in the local network';
/** Of other ranges it is known to others alone. */
const PLACES: Readonly<Record<string, string>> = {
  loopback: 'on Roster’s own machine',
  private: LOCAL,
  uniqueLocal: LOCAL,
  linkLocal: LOCAL,
};

export function browserName(agent: string): string {
  const browser = BROWSERS.find(([, pattern]) => pattern.test(agent))?.[0] ?? 'A browser';
  const system = SYSTEMS.find(([, pattern]) => pattern.test(agent))?.[0];
  return system ? `${browser} on ${system}` : browser;
}

export function placeOf(address: string): string | undefined {
  return ipaddr.isValid(address) ? PLACES[ipaddr.parse(address).range()] : undefined;
}
