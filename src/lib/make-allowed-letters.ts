/**
 * Makes the table of letters again, of lists of what identifiers may have, with a range such as `0041..005A` on each line:
 * `node make-allowed-letters.ts LIST… > allowed-letters.ts`.
 *
 * A letter is in the table if one of the lists has it, since Unicode keeps moving some: version 14 has `ţ` and the old
 * accents of Greek and not the letters of Hausa and Ewe, version 17 the other way round. The lists that it was made of are
 * those of Identifier_Status=Allowed (Unicode TS 39, `IdentifierStatus.txt`):
 * - of Unicode 14.0, as `\p{Identifier_Status=Allowed}` of Perl 5.36 (Debian 12) tells them;
 * - of Unicode 17.0, as `IDENTIFIER_STATUS` in `src/tables.rs` of the Rust crate unicode-security has them (at 04640a9).
 */
import { readFileSync } from 'node:fs';

const SCRIPTS = ['Latn', 'Grek', 'Cyrl'];
const LAST = 0x1ffff;

const allowed = new Set(process.argv.slice(2).flatMap((file) => read(file)));
process.stdout.write(
  `/** The letters that names are written with; made by make-allowed-letters.ts, which says of what. */

/** By script, in ranges of code points: what Unicode allows in identifiers. */
export const ALLOWED_LETTERS: Readonly<Record<string, string>> = {
${SCRIPTS.map((script) => `  ${script}: \`${wrapped(rangesOf(script))}\`,\n`).join('')}};
`,
);

function read(file: string): number[] {
  const ranges = readFileSync(file, 'utf8').matchAll(/^([0-9A-F]+)(?:\.\.([0-9A-F]+))?/gim);
  return [...ranges].flatMap(([, first = '', last = first]) => {
    const start = Number.parseInt(first, 16);
    return Array.from({ length: Number.parseInt(last, 16) - start + 1 }, (_, index) => start + index);
  });
}

function rangesOf(script: string): string[] {
  const letter = new RegExp(`^[\\p{sc=${script}}&&[\\p{L}\\p{M}]]$`, 'v');
  const isIn = (point: number) => {
    const text = String.fromCodePoint(point);
    // What NFKC replaces is judged as what it becomes.
    return allowed.has(point) && letter.test(text) && text.normalize('NFKC') === text;
  };
  const ranges: string[] = [];
  for (let start = 0, end = 0; start <= LAST; start = end + 1) {
    for (end = start; isIn(end + 1) && isIn(start); ) end++;
    if (isIn(start)) ranges.push(start === end ? hex(start) : `${hex(start)}-${hex(end)}`);
  }
  return ranges;
}

function wrapped(ranges: readonly string[]): string {
  return ranges.join(' ').replaceAll(/(.{1,99})(?: |$)/g, '\n    $1');
}

function hex(point: number): string {
  return point.toString(16).toUpperCase().padStart(4, '0');
}
