/** Makes the bundle that the next start finds: run by `npm ci`, by tests and by the bench. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BUNDLES, findBundle, RECORD, ROOT, stampOf } from './bundle.js';
import { FOLDER, isFolderOwn } from './compile-cache.js';

const KEPT_MS = 86_400_000;

if (import.meta.main) await makeBundle();

/** Where there is none that holds. Without the bundler, which is for development alone, Roster starts from its files. */
export async function makeBundle() {
  const bundler = await import('rolldown').catch(() => undefined);
  if (bundler === undefined || !isFolderOwn() || findBundle() !== undefined) return;
  mkdirSync(BUNDLES, { recursive: true });
  removeFormer();
  const folder = mkdtempSync(join(BUNDLES, 'bundle-'));
  const { files, stamps } = await bundle(bundler, folder);
  const [entry] = files;
  for (const path of files) stamps[path] = stampOf(path);
  const draft = join(folder, 'record.json');
  writeFileSync(draft, JSON.stringify({ entry, stamps }));
  renameSync(draft, RECORD);
}

/** @param {typeof import('rolldown')} bundler @param {string} dir */
async function bundle({ rolldown }, dir) {
  /** @type {Record<string, string>} */
  const stamps = { [import.meta.filename]: stampOf(import.meta.filename) };
  const made = await rolldown({
    input: join(ROOT, 'src', 'cli', 'commands.ts'),
    cwd: ROOT,
    platform: 'node',
    tsconfig: false,
    // A program, and what talks to PostgreSQL, which tests make fail from outside: on SQLite nobody loads it.
    external: ['better-sqlite3', /^pg($|-)/],
    plugins: [
      {
        name: 'roster',
        load: (path) => {
          if (isAbsolute(path)) stamps[path] = stampOf(path);
        },
        transform: (code, path) => ({ code: withPlace(code, path), map: null }),
      },
    ],
  });
  const written = await made.write({
    dir,
    // By their ending Node knows what they are, and need not look.
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
    sourcemap: true,
    sourcemapExcludeSources: true,
    keepNames: true,
  });
  const files = written.output.map(({ fileName }) => join(dir, fileName));
  return { files, stamps };
}

/** What lies beside a file is found from where that is. @param {string} code @param {string} path */
function withPlace(code, path) {
  return code
    .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
    .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
}

/** Bundles of before, and what was compiled of them: not at once, for somebody may be starting from one. */
function removeFormer() {
  for (const entry of readdirSync(FOLDER, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN;
    if (entry.isFile() && changedAt < Date.now() - KEPT_MS) rmSync(path, { force: true });
  }
}
