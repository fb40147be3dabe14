import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asset } from '../src/assets.ts';
import { get, startApp } from './support.ts';

const FOLDER = join(import.meta.dirname, '..', 'public');

test('every file in public/ is served as it is, with its type, and kept for good', async () => {
  const app = await startApp();
  for (const name of readdirSync(FOLDER)) {
    const answer = await get(app, asset(name));
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload).toEqual(readFileSync(join(FOLDER, name)));
    expect(answer.headers['content-type']).toMatch(
      /^(text\/css|image\/svg\+xml|application\/speculationrules\+json)/,
    );
    expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  }
});

test('the files of another version are not found', async () => {
  const app = await startApp();
  expect((await get(app, '/assets/0123456789ab/app.css')).statusCode).toBe(404);
  expect((await get(app, asset('../package.json'))).statusCode).toBe(404);
});
