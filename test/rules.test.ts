/** The rules of the house that no compiler holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith(ending))
    .sort();
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** What a file of ours imports: files of ours, from the top folder, and packages by name. */
function importsOf(path: string): string[] {
  const specifiers = [...read(path).matchAll(/\b(?:from|import)\s*\(?\s*['"`]([^'"`\n]+)['"`]/g)].map(
    ([, name]) => String(name),
  );
  return specifiers.map((name) => (name.startsWith('.') ? normalize(join(path, '..', name)) : name));
}

const FEATURES = [
  'account',
  'backup',
  'bulk',
  'check',
  'erasure',
  'exports',
  'history',
  'imports',
  'invitations',
  'jobs',
  'made-up-people',
  'maintenance',
  'roles',
  'second-factor',
  'sessions',
  'setup',
  'undo',
  'users',
];

/**
 * The layers, from the bottom of the house up: what knows nothing of the rest, databases and searching, who may and what
 * they sign in with, commands and queries of features, what answers requests, and what puts it all together.
 */
function layerOf(path: string): number {
  const [, place = ''] = path.split('/');
  const answersRequests = importsOf(path).some((name) => /^@?fastify\b/.test(name));
  if (['lib', 'errors.ts', 'config.ts', 'settings.ts', 'database-url.ts'].includes(place)) return 1;
  if (['db', 'search'].includes(place)) return 2;
  if (place === 'auth') return answersRequests ? 5 : 3;
  if (FEATURES.includes(place)) return answersRequests ? 5 : 4;
  return ['http', 'operations'].includes(place) ? 5 : 6;
}

/** The first circle of imports that is met from a file on, if there is one. */
function circleFrom(
  path: string,
  above: readonly string[] = [],
  done = new Set<string>(),
): string[] | undefined {
  if (above.includes(path)) return [...above.slice(above.indexOf(path)), path];
  if (done.has(path)) return undefined;
  for (const target of importsOf(path).filter((name) => name.startsWith('src/'))) {
    const circle = circleFrom(target, [...above, path], done);
    if (circle) return circle;
  }
  done.add(path);
  return undefined;
}

describe('imports', () => {
  const sources = [...filesIn('src', '.ts'), ...filesIn('src', '.js')];

  test.each(sources)('of %s run downward', (path) => {
    for (const target of importsOf(path).filter((name) => name.startsWith('src/')))
      expect(layerOf(target), `${path} imports ${target}`).toBeLessThanOrEqual(layerOf(path));
  });

  test('go in no circle', () => {
    const done = new Set<string>();
    for (const path of sources) expect(circleFrom(path, [], done)).toBeUndefined();
  });

  test('of a feature’s routes are made by the app alone', () => {
    for (const path of sources.filter((name) => name !== 'src/app.ts'))
      for (const target of importsOf(path).filter((name) => name.endsWith('/routes.ts')))
        expect.fail(`${path} imports ${target}`);
  });

  const importers = (name: string) =>
    sources.filter((path) => importsOf(path).some((target) => target.startsWith(name)));

  test('of what differs between the databases are in src/db/ alone', () => {
    for (const target of [
      'better-sqlite3',
      'pg',
      'src/db/sqlite/',
      'src/db/postgres/',
      'src/db/migrations/',
    ]) {
      for (const path of importers(target)) expect(path, target).toMatch(/^src\/db\//);
    }
    for (const path of sources.filter((source) => !source.startsWith('src/db/'))) {
      expect(read(path), 'SQL as text').not.toMatch(/import[^;]*\bsql\b[^;]*from 'kysely'/);
      expect(read(path), 'a transaction that is not run again when it has to be').not.toContain(
        '.transaction(',
      );
      expect(read(path), 'the name of an engine').not.toMatch(/'(sqlite|postgres)'/);
    }
  });

  test('are where alone the tables of users are written to: commands, the bulk load, what is made anew', () => {
    const writing =
      /(?:insertInto|updateTable|deleteFrom|mergeInto|insertion|updateRows)\(\s*(?:trx,\s*)?'(?:users|user_counts)'|(?:insert into|update|delete from) (?:users|user_counts)\b/i;
    const writers = sources.filter(
      (path) => !path.startsWith('src/db/migrations/') && writing.test(read(path)),
    );
    expect(writers).toEqual([
      'src/db/bulk-load.ts',
      'src/db/postgres/engine.ts',
      'src/db/rebuild-search.ts',
      'src/db/sqlite/engine.ts',
      'src/db/user-counts.ts',
      'src/users/commands.ts',
      'src/users/write.ts',
    ]);
    const counting = sources.filter((path) => /\baddToCounts(?:Last)?\(/.test(read(path)));
    expect(counting).toEqual(['src/db/bulk-load.ts', 'src/db/user-counts.ts', 'src/users/write.ts']);
  });

  test('are where alone history is written to: one file, which commands call, and the rows that it makes', () => {
    const writing =
      /(?:insertInto|updateTable|deleteFrom|insertion)\(\s*(?:trx,\s*)?'(?:change_sets|changes|deleted_users)'/;
    const writers = sources.filter((path) => writing.test(read(path)));
    expect(writers).toEqual(['src/history/insert.ts', 'src/history/record.ts']);
    expect(importers('src/history/insert.ts')).toEqual(['src/history/record.ts']);
  });

  test('of migrations are nothing that lives on, and nothing that lives on imports a part of one', () => {
    const migrations = filesIn('src/db/migrations', '.ts');
    for (const path of migrations) {
      for (const target of importsOf(path))
        expect(target, path).toMatch(/^(kysely$|node:|src\/db\/migrations\/)/);
    }
    const users = importers('src/db/migrations/').filter((path) => !migrations.includes(path));
    expect(users).toEqual(['src/db/migration-list.ts']);
  });

  test('of HTTP are nowhere near a query or a form', () => {
    for (const path of [...importers('fastify'), ...importers('@fastify/')]) {
      expect(path).not.toMatch(
        /(queries|commands|validation|counts|policy)\.ts$|^src\/users\/list\/(?!route)|^src\/(db|search|lib)\/|errors\.ts/,
      );
    }
    for (const path of importers('kysely'))
      expect(path).toMatch(/^src\/db\/|queries\.ts$|^src\/users\/list\/(?!route)|counts\.ts$/);
  });

  test('of the environment go by the command line alone', () => {
    const readers = sources.filter((path) => /process\.env\b(?!`)/.test(read(path)));
    expect(readers).toEqual(['src/main.js']);
  });
});

/** What all that runs in a thread goes by, other files of tests, too, and what they have left running. */
const EVERYONES =
  /\bspyOn\(\s*(performance|Date|engineOf\(|[\w.]+\.prototype)\b|\bObject\.assign\(engine|\bperformance\.now = /;

/** Each with one part of it alone: timers that are handed to nothing, and the clock that is Roster's if none is handed to it. */
const STOPPING = [
  'test/db/sqlite/opened-file.test.ts',
  'test/http/log-limit.test.ts',
  'test/operations/clock-watch.test.ts',
];

describe('tests', () => {
  test('hand a clock, a stopwatch or a deadline to what they try, and change nobody else’s, nor their engine', () => {
    const tests = filesIn('test', '.ts').filter((path) => path !== 'test/rules.test.ts');
    expect(tests.filter((path) => EVERYONES.test(read(path)))).toEqual([]);
    expect(tests.filter((path) => /\buseFakeTimers\(/.test(read(path)))).toEqual(STOPPING);
  });
});

/** What engines that speak PostgreSQL's protocol across machines lack, or do slowly. A lock for a transaction is none of it. */
const LACKING = {
  triggers: /\bcreate (or replace )?(constraint )?trigger\b/i,
  'lock table': /\block table\b/i,
  'advisory locks of a session': /\bpg_(try_)?advisory_(?!xact)/i,
  savepoints: /(?<!to )\bsavepoint [a-z]|\.savepoint\(/i,
  'temporary tables': /\btemp(orary)? table\b|\.temporary\(\)/i,
} as const;

/** Each once in a migration, or while nobody is served. */
const EXCEPTIONS: Readonly<Record<string, readonly (keyof typeof LACKING)[]>> = {
  // One savepoint each, since whoever may not make the extension goes on without it.
  'src/db/migrations/0002-search.ts': ['savepoints'],
  // And Rosters of before, which may still write, have to wait.
  'src/db/migrations/0006-names.ts': ['lock table', 'savepoints'],
  // Seed and copy take the indexes away and load an empty table: nobody may begin to fill it meanwhile.
  'src/db/postgres/engine.ts': ['lock table'],
  'src/db/postgres/trigrams.ts': ['savepoints'],
};

describe('SQL', () => {
  test('takes nothing that engines across machines lack, with few exceptions', () => {
    const lacking = Object.entries(LACKING) as [keyof typeof LACKING, RegExp][];
    const used = filesIn('src', '.ts')
      .filter((path) => !path.startsWith('src/db/sqlite/'))
      .map(
        (path) =>
          [path, lacking.filter(([, words]) => words.test(read(path))).map(([name]) => name)] as const,
      )
      .filter(([, names]) => names.length > 0);
    expect(Object.fromEntries(used)).toEqual(EXCEPTIONS);
  });
});

describe('views', () => {
  const views = filesIn('views', '.eta');

  test.each(views)(
    '%s puts out unescaped only other views, and has no script and no style of its own',
    (path) => {
      const view = read(path);
      for (const [raw] of view.matchAll(/<%~.*?%>/g))
        expect(raw).toMatch(/^<%~ (it\.body|include\(.*\)) %>$/);
      expect(view).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
      expect(view, 'an unquoted attribute').not.toMatch(/=<%/);
      for (const [, address] of view.matchAll(/\s(?:href|action|src)="(.{20})/g))
        expect(address, 'an address past the one helper').toMatch(/^(#|mailto:|<%= it\.(urlFor|asset)\()/);
      // Enter would do what the first button does.
      expect(view, 'two acts in one form').not.toMatch(/\bformaction\b|<button[^>]*\sname=/);
    },
  );
});
