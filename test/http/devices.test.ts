import { expect, test } from 'vitest';
import { placeOf } from '../../src/http/devices.ts';

test.each([
  ['127.0.0.1', 'on Roster’s own machine'],
  ['::1', 'on Roster’s own machine'],
  ['10.1.2.3', 'in the local network'],
  ['172.16.0.9', 'in the local network'],
  ['192.168.178.20', 'in the local network'],
  ['fd12:3456::7', 'in the local network'],
  ['fe80::1', 'in the local network'],
  ['192.0.2.7', undefined],
  ['2001:db8::7', undefined],
  ['8.8.8.8', undefined],
  ['unknown', undefined],
])('a session from %s is said to be %s', (address, place) => {
  expect(placeOf(address)).toBe(place);
});
