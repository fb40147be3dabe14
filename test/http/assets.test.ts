import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assetPath } from '../../src/http/assets.ts';
import { get, startApp } from '../support.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'public');

test('every file in public/ is served as it is, with its type, and kept for good', async () => {
  const app = await startApp();
  for (const name of readdirSync(FOLDER).filter((entry) => entry !== 'css')) {
    const answer = await get(app, assetPath(name));
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload).toEqual(readFileSync(join(FOLDER, name)));
    expect(answer.headers['content-type']).toMatch(/^(image\/svg\+xml|application\/speculationrules\+json)/);
    expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  }
});

test('the style sheet is one file, in which every rule of public/css/ stands in its layer', async () => {
  const app = await startApp();
  const answer = await get(app, assetPath('app.css'));
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toBe('text/css; charset=utf-8');
  expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(answer.body).toMatch(/^@layer base, layout, components;$/m);
  expect(answer.body).not.toMatch(/@import|\/\*/);
  for (const [, file, layer] of readStyles('app.css').matchAll(/@import "(.+)" layer\((.+)\)/g))
    expect(answer.body).toContain(`@layer ${layer} {\n${readStyles(`${file}`)}}\n`);
});

test('a page of another version gets the files of this one, which are not kept', async () => {
  const app = await startApp();
  const answer = await get(app, '/assets/0123456789ab/app.css');
  expect(answer.body).toBe((await get(app, assetPath('app.css'))).body);
  expect(answer.headers['cache-control']).toBe('no-store');
});

test('no other file is found', async () => {
  const app = await startApp();
  expect((await get(app, assetPath('../package.json'))).statusCode).toBe(404);
});

/** A file of the style sheet without its comments. */
function readStyles(name: string): string {
  return readFileSync(join(FOLDER, 'css', name), 'utf8').replaceAll(/\/\*.*?\*\/\s*/gs, '');
}
