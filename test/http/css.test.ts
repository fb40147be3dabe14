/** What holds the style sheet together: no rule that nothing needs, no size beside those with a name, nothing twice. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROLES } from '../../src/db/schema.ts';
import { TEMPLATES } from '../../src/http/templates.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'public', 'css');
const FILES = readdirSync(FOLDER).map((file) => ({ file, text: readFileSync(join(FOLDER, file), 'utf8') }));
const RULES = FILES.flatMap(({ file, text }) => rulesOf(file, text));
const DECLARATIONS = RULES.flatMap(({ name, declarations }) =>
  declarations.map((declaration) => ({ name, declaration, ...splitDeclaration(declaration) })),
);
const TOKENS = new Map(
  DECLARATIONS.filter(({ name }) => name === 'tokens.css :root').map(({ property, value }) => [
    property,
    value,
  ]),
);
/** For which properties which tokens are. */
const KINDS = [
  { properties: /^font(-size)?$/, tokens: /^--(tiny|compact|small|large|title)$/ },
  { properties: /radius$/, tokens: /^--radius$/ },
  { properties: /^outline/, tokens: /^--ring$/ },
  { properties: /./, tokens: /^--(s\d|target|target-dense|tick|avatar|form-width|column-width)$/ },
];
/** What puts something in its place, and is no part of how it looks. */
const PLACING =
  /^(display|flex|align|justify|place|grid|gap|row|column|position|overflow|order|margin|min|max)/;

test('every file is in the order of app.css once, and none is long', () => {
  const imported = [...textOf('app.css').matchAll(/@import "(.+?)"/g)].map(([, file]) => file);
  expect(imported.toSorted()).toEqual(readdirSync(FOLDER).filter((file) => file !== 'app.css'));
  for (const { file, text } of FILES) expect(text.split('\n').length, file).toBeLessThanOrEqual(150);
});

test('every class that has a style stands in a view', () => {
  const classes = classesInViews();
  const unused = RULES.flatMap(({ name, selector }) =>
    [...selector.matchAll(/\.([a-z][\w-]*)/g)].flatMap(([, styled = '']) =>
      // A view writes "hue-" and a number after it.
      classes.has(styled) || classes.has(styled.replace(/\d+$/, '')) ? [] : `.${styled} in ${name}`,
    ),
  );
  expect(unused).toEqual([]);
});

test('every custom property that is used is there, and every one that is there is used', () => {
  const used = DECLARATIONS.flatMap(({ value }) =>
    [...value.matchAll(/var\((--[\w-]+)/g)].map(([, name]) => name),
  );
  const defined = DECLARATIONS.map(({ property }) => property).filter((property) =>
    property.startsWith('--'),
  );
  expect([...new Set(used)].toSorted()).toEqual([...new Set(defined)].toSorted());
});

test('the breakpoints are those of tokens.css', () => {
  const [, list = ''] = /breakpoints are (.+)\. \*\//.exec(textOf('tokens.css')) ?? [];
  const declared = list.match(/[\d.]+rem/g) ?? [];
  const used = RULES.flatMap(({ selector }) =>
    selector.startsWith('@media') ? (selector.match(/[\d.]+\w+/g) ?? []) : [],
  );
  expect(declared.length).toBeLessThanOrEqual(3);
  expect([...new Set(used)].toSorted()).toEqual(declared.toSorted());
});

test('a size that has a name is used by its name', () => {
  const nameless = DECLARATIONS.filter(({ property, value }) => {
    const { tokens } = KINDS.find(({ properties }) => properties.test(property)) ?? {};
    const named = [...TOKENS].filter(([token]) => tokens?.test(token)).map(([, size]) => inPixels(size));
    const sizes = value.match(/\d*\.?\d+(rem|px)\b/g) ?? [];
    return !property.startsWith('--') && sizes.some((size) => named.includes(inPixels(size)));
  });
  expect(nameless).toEqual([]);
  for (const [token, size] of TOKENS)
    if (/rem$/.test(size)) expect(KINDS.filter(({ tokens }) => tokens.test(token))).toHaveLength(1);
});

test('a colour has a value for light and one for dark', () => {
  const single = DECLARATIONS.filter(({ value }) => /#/.test(value.replaceAll(/light-dark\([^)]*\)/g, '')));
  expect(single).toEqual([]);
});

/** What stands on what, in text of which the contrast is 7:1 (WCAG 2.2, 1.4.6). */
const GROUNDS = ['--paper', '--surface', '--sunken', '--tint', '--danger-tint', '--notice-tint'];
const TEXT: [string, string[]][] = [
  ['--ink', [...GROUNDS, '--found']],
  ['--soft', GROUNDS],
  ['--accent', GROUNDS],
  ['--danger', GROUNDS],
  ['--on-accent', ['--accent']],
  ['--on-danger', ['--danger']],
];

test.each(['light', 'dark'])(
  '%s: text is told from what it stands on by 7:1, the edge of a field by 3:1',
  (scheme) => {
    const colour = (token: string) => luminanceOf(TOKENS.get(token) ?? '', scheme);
    for (const [text, grounds] of TEXT)
      for (const ground of grounds)
        expect(contrast(colour(text), colour(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(7);
    for (const ground of ['--paper', '--surface', '--sunken'])
      expect(contrast(colour('--edge'), colour(ground)), `--edge on ${ground}`).toBeGreaterThanOrEqual(3);
    for (const { name, declarations } of RULES.filter(({ name }) => /^avatar\.css \.hue-\d$/.test(name))) {
      const [letters = 0, circle = 0] = declarations.map((line) => luminanceOf(line, scheme));
      expect(contrast(letters, circle), name).toBeGreaterThanOrEqual(7);
    }
  },
);

test('no box, and nothing else that is seen, is written twice', () => {
  const looks = RULES.map(({ name, declarations }) => ({
    name,
    look: new Set(declarations.filter((declaration) => !PLACING.test(declaration))),
  }));
  const twice = looks.flatMap((one, index) =>
    looks
      .slice(index + 1)
      .map((other) => ({ other, shared: [...one.look].filter((line) => other.look.has(line)) }))
      .filter(({ shared }) => shared.length >= 3)
      .map(({ other, shared }) => `${one.name} and ${other.name}: ${shared.join('; ')}`),
  );
  expect(twice).toEqual([]);
});

type Rule = { name: string; selector: string; declarations: string[] };

/** The rules of a file, those in others by themselves; what is before `{` is the selector of each. */
function rulesOf(file: string, text: string): Rule[] {
  const rules: Rule[] = [];
  const open: Rule[] = [];
  for (const [, before = '', end] of text.replaceAll(/\/\*.*?\*\//gs, '').matchAll(/([^{};]*)([{};])/g)) {
    const part = before.trim().replaceAll(/\s+/g, ' ');
    if (end === '{') {
      const rule = { name: `${open.at(-1)?.name ?? file} ${part}`, selector: part, declarations: [] };
      open.push(rule);
      rules.push(rule);
    } else if (part) open.at(-1)?.declarations.push(part);
    if (end === '}') open.pop();
  }
  return rules;
}

function splitDeclaration(declaration: string): { property: string; value: string } {
  const [property = '', ...value] = declaration.split(/:\s*/);
  return { property, value: value.join(':') };
}

function textOf(file: string): string {
  return readFileSync(join(FOLDER, file), 'utf8');
}

/** Words that views write into `class`, also those that depend on what is shown, and roles, which are data. */
function classesInViews(): Set<string> {
  const views = readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.eta'),
  );
  const attributes = views.flatMap((file) => [
    ...readFileSync(join(TEMPLATES, file), 'utf8').matchAll(/ class="([^"]*)"/g),
  ]);
  return new Set([...ROLES, ...attributes.flatMap(([, classes = '']) => classes.split(/[^\w-]+/))]);
}

/** Of the one of both colours in a value that a scheme has (WCAG 2.2, relative luminance). */
function luminanceOf(value: string, scheme: string): number {
  const [light = '', dark = ''] = value.match(/#[\da-f]+/g) ?? [];
  const digits = (scheme === 'light' ? light : dark).slice(1);
  const channels = (digits.length === 3 ? digits.replaceAll(/./g, '$&$&') : digits).match(/../g) ?? [];
  const [red = 0, green = 0, blue = 0] = channels.map((channel) => {
    const part = Number.parseInt(channel, 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

function inPixels(size: string): number {
  return Number.parseFloat(size) * (size.endsWith('rem') ? 16 : 1);
}
