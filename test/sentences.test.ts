/** All that Roster says, in one list that can be read from top to bottom, and each sentence in one place. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const STRING = /(['"`])((?:(?!\1)[^\\\n]|\\.)*)\1/g;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
/** What is read aloud, or shown where nothing is typed. */
const SAID_BY_ATTRIBUTE = / (?:aria-label|placeholder)="([^"]*)"/g;
/** A value that is compared with. */
const COMPARED = /[!=]== '[^']*'/g;
/** More than one word. */
const WORDS = /\p{L}\S*\s+\S*\p{L}/u;
/** A value may follow it. */
const SENTENCE = /^[\p{Lu}“…].*\s.*[.?:!](?: …)?$/u;
/** What stands inside of a line of text. */
const INLINE_TAG = /<\/?(?:a|bdi|code|em|mark|span|strong|time)\b[^>]*>/g;

const PLACES = [
  ...globSync('views/**/*.eta', { cwd: ROOT }).flatMap((path) => inView(path, read(path))),
  ...globSync('src/**/*.ts', { cwd: ROOT, exclude: ['src/db/migrations/**', 'src/**/make-*.ts'] }).flatMap(
    (path) =>
      stringsIn(read(path))
        .filter((text) => SENTENCE.test(text))
        .map((sentence) => ({ sentence, path })),
  ),
];

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll(COMMENT, '');
}

/** Its text, what its attributes say, and the words in its code. */
function inView(path: string, view: string) {
  const html = view.replaceAll(/<%=[\s\S]*?%>/g, '…').replaceAll(/<%[\s\S]*?%>/g, '\n');
  const texts = html.replaceAll(INLINE_TAG, '').split(/<[^>]*>|\n/);
  const said = [...html.matchAll(SAID_BY_ATTRIBUTE)].map(([, text = '']) => text);
  const code = (view.match(/<%[\s\S]*?%>/g) ?? []).join('\n').replaceAll(COMPARED, '');
  const shown = [...texts, ...said, ...stringsIn(code)].map((text) => text.trim());
  return shown.filter((text) => WORDS.test(text)).map((sentence) => ({ sentence, path }));
}

function stringsIn(code: string): string[] {
  return [...code.matchAll(STRING)].map(([, , text = '']) => text.replaceAll(/\$\{[^}]*\}/g, '…'));
}

test('what Roster says is what somebody has read as a whole', async () => {
  const sentences = [...new Set(PLACES.map(({ sentence }) => sentence))].toSorted();
  await expect(`${sentences.join('\n')}\n`).toMatchFileSnapshot('sentences.txt');
});

test('each whole sentence stands in one place', () => {
  // What an engine refuses it says for itself. Of those with a value, what follows it differs; and a few words, such as
  // “Nothing was changed.”, end many.
  const whole = PLACES.filter(({ path }) => !path.startsWith('src/db/'))
    .flatMap(({ sentence }) => sentence.split(/(?<=[.!?]) /))
    .filter((sentence) => /^([^…\s]+ ){4,}[^…]*[.!?]$/.test(sentence));
  expect(whole.filter((sentence, index) => whole.indexOf(sentence) !== index)).toEqual([]);
});
