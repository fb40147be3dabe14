import { expect, test } from 'vitest';
import { isSameButForLost } from '../../src/imports/lost-letters.ts';

test.each([
  ['Ay?e Çelik', 'Ayşe Çelik', true],
  ['Ay_e Çelik', 'Ayşe Çelik', true],
  ['Ay\ufffde', 'Ayşe', true],
  ['????', 'Иван', true],
  // A letter past U+FFFF is two for some programs, and one for others.
  ['? Li', '𠮷 Li', true],
  ['?? Li', '𠮷 Li', true],
  ['Ayse', 'Ayşe', false],
  ['Ay?e', 'Ayte', false],
  ['Ay?e', 'Ayşen', false],
  ['Ay?e', 'Ay?e', false],
  ['Ay?a', 'Ayşe', false],
  ['', '', false],
])('%j has lost letters of %j: %j', (cell, there, isLost) => {
  expect(isSameButForLost(cell, there)).toBe(isLost);
});
