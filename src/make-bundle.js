/** Makes the bundle that the next start finds: run by `npm ci`, by tests and by the bench. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, isAbsolute, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BUNDLES, findBundle, RECORD, ROOT, stampOf } from './bundle.js';
import { FOLDER, isFolderOwn } from './compile-cache.js';

const KEPT_MS = 86_400_000;
const SOURCES = join(ROOT, 'src', sep);
/** npm writes it at each install. */
const INSTALLED = join(ROOT, 'node_modules', '.package-lock.json');

if (import.meta.main) await makeBundle();

/** Where there is none that holds. Without the bundler, which is for development alone, Roster starts from its files. */
export async function makeBundle() {
  const bundler = await import('rolldown').catch(() => undefined);
  if (bundler === undefined || !isFolderOwn() || findBundle() !== undefined) return;
  mkdirSync(BUNDLES, { recursive: true });
  removeFormer();
  // Where it really lies, though packages may be shared: from there its source maps name the files.
  const folder = mkdtempSync(join(realpathSync(BUNDLES), 'bundle-'));
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
  const stamps = {};
  /** @param {string} path */
  const stamp = (path) => {
    stamps[path] ??= stampOf(path);
  };
  stamp(import.meta.filename);
  if (existsSync(INSTALLED)) stamp(INSTALLED);
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
          if (!isAbsolute(path)) return;
          stamp(path);
          // It says which files a package is loaded from.
          const owner = path.startsWith(SOURCES) ? undefined : findPackageJSON(pathToFileURL(path));
          if (owner !== undefined) stamp(owner);
        },
        transform: (code, path) => ({ code: withPlace(code, path), map: null }),
        generateBundle: (_options, bundle) => {
          for (const file of Object.values(bundle)) if (file.type === 'chunk') file.code = inAscii(file.code);
        },
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
    // V8 keeps a source as long as it runs, and where its lines end once an error has been made in it.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  });
  const files = written.output.map(({ fileName }) => join(dir, fileName));
  return { files, stamps };
}

/** What lies beside a file is found from where that is. @param {string} code @param {string} path */
function withPlace(code, path) {
  const placed = code
    .replaceAll('import.meta.dirname', () => JSON.stringify(dirname(path)))
    .replaceAll('import.meta.url', () => JSON.stringify(pathToFileURL(path).href));
  const [left] = /import\.meta\.(?!main\b)\w+/.exec(placed) ?? [];
  if (left !== undefined && path.startsWith(SOURCES))
    throw new Error(
      `${path}: ${left} would be that of the bundle: use import.meta.dirname or import.meta.url.`,
    );
  return placed;
}

/** V8 takes two bytes for each letter of a source where a single one needs them. @param {string} code */
function inAscii(code) {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Bundles of before, and what was compiled of any: not at once, for somebody may be starting from one, or running. */
function removeFormer() {
  const current = existsSync(RECORD) ? readFileSync(RECORD, 'utf8') : '';
  for (const name of readdirSync(BUNDLES))
    if (name.startsWith('bundle-') && !current.includes(name)) removeOld(join(BUNDLES, name));
  // Node's own folders, one for each version of it.
  for (const folder of readdirSync(FOLDER).filter((name) => name.startsWith('v')))
    for (const name of readdirSync(join(FOLDER, folder))) removeOld(join(FOLDER, folder, name));
}

/** @param {string} path */
function removeOld(path) {
  const { mtimeMs = Number.NaN } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (mtimeMs < Date.now() - KEPT_MS) rmSync(path, { recursive: true, force: true });
}
