/** All that Roster says, in one list that can be read from top to bottom, and each sentence in one place. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const STRING = /(['"`])((?:(?!\1)[^\\\n]|\\.)+)\1/g;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
/** What stands inside of a line of text. */
const INLINE_TAG = /<\/?(?:a|bdi|code|em|mark|span|strong|time)\b[^>]*>/g;

const PLACES = [
  ...globSync('views/**/*.eta', { cwd: ROOT }).flatMap((path) => inView(path, read(path))),
  ...globSync('src/**/*.ts', { cwd: ROOT, exclude: ['src/db/migrations/**', 'src/**/make-*.ts'] }).flatMap(
    (path) => sentencesIn(read(path)).map((sentence) => ({ sentence, path })),
  ),
];

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll(COMMENT, '');
}

/** Text of more than one word, and the sentences in its code. */
function inView(path: string, view: string) {
  const texts = view
    .replaceAll(/<%=[\s\S]*?%>/g, '…')
    .replaceAll(/<%[\s\S]*?%>/g, '\n')
    .replaceAll(INLINE_TAG, '')
    .split(/<[^>]*>|\n/);
  const code = (view.match(/<%[\s\S]*?%>/g) ?? []).join('\n');
  const shown = texts.map((text) => text.trim()).filter((text) => /\p{L}\S*\s+\S*\p{L}/u.test(text));
  return [...shown, ...sentencesIn(code)].map((sentence) => ({ sentence, path }));
}

function sentencesIn(code: string): string[] {
  const strings = [...code.matchAll(STRING)].map(([, , text = '']) => text.replaceAll(/\$\{[^}]*\}/g, '…'));
  return strings.filter((text) => /^[\p{Lu}“…].*\s.*[.?:]$/u.test(text));
}

test('what Roster says is what somebody has read as a whole', async () => {
  const sentences = [...new Set(PLACES.map(({ sentence }) => sentence))].toSorted();
  await expect(`${sentences.join('\n')}\n`).toMatchFileSnapshot('sentences.txt');
});

test('each whole sentence stands in one place', () => {
  // Of those with a value, what follows it differs; what an engine refuses it says for itself.
  const whole = PLACES.filter(
    ({ sentence, path }) => /^[^…]*\s[^…]*\.$/.test(sentence) && !path.startsWith('src/db/'),
  ).map(({ sentence }) => sentence);
  expect(whole.filter((sentence, index) => whole.indexOf(sentence) !== index)).toEqual([]);
});
