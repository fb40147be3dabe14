/**
 * Makes the table of letters again: `node make-allowed-letters.ts LIST… > allowed-letters.ts`, of lists with a range such
 * as `0041..005A` a line. A letter is taken if any list has it, since each version of Unicode lacks some of another's. It was
 * made of Identifier_Status=Allowed (Unicode TS 39, `IdentifierStatus.txt`) of
 * - Unicode 14.0, as `\p{Identifier_Status=Allowed}` of Perl 5.36 (Debian 12) tells it;
 * - Unicode 17.0, as `IDENTIFIER_STATUS` in `src/tables.rs` of the Rust crate unicode-security has it (at 04640a9).
 */
import { readFileSync } from 'node:fs';

const SCRIPTS = ['Latn', 'Grek', 'Cyrl'];
const LAST = 0x1ffff;

const allowed = new Set(process.argv.slice(2).flatMap((file) => read(file)));
process.stdout.write(
  `/** What Unicode allows in identifiers, by script, in ranges of code points; made by make-allowed-letters.ts. */
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
