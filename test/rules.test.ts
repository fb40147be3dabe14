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

/** From the bottom of the house to its top: a file imports only from floors below its own, or from its own folder. */
const FLOORS: readonly (readonly string[])[] = [
  ['src/text.ts', 'src/database-url.ts'],
  ['src/settings.ts'],
  [
    'src/errors.ts',
    'src/admission-queue.ts',
    'src/clock.ts',
    'src/deadline.ts',
    'src/formats.ts',
    'src/compile-cache.js',
    'src/node-version.js',
    'src/local-address.ts',
    'src/log-limit.ts',
    'src/make-file.ts',
    'src/pagination.ts',
    'src/progress.ts',
    'src/redaction.ts',
    'src/signals.ts',
    'src/unread-bodies.ts',
    'src/search/',
    'src/sessions/tokens.ts',
    'src/sessions/bloom.ts',
    'src/sessions/surprises.ts',
  ],
  [
    'src/arguments.ts',
    'src/config.ts',
    'src/host.ts',
    'src/forms.ts',
    'src/db/',
    'src/sessions/passwords.ts',
    'src/sessions/password-queue.ts',
    'src/sessions/key-file.ts',
    'src/sessions/networks.ts',
    'src/sessions/second-factor-secrets.ts',
    'src/sessions/codes.ts',
    'src/sessions/common-passwords.ts',
  ],
  ['src/sessions/policy.ts'],
  ['src/sessions/form.ts', 'src/sessions/make-common-passwords.ts', 'src/sessions/key-rotation.ts'],
  [
    'src/users/form.ts',
    'src/users/counts.ts',
    'src/sessions/queries.ts',
    'src/sessions/credentials.ts',
    'src/roles/queries.ts',
    'src/invitations/queries.ts',
  ],
  ['src/sessions/last-administrator.ts'],
  [
    'src/users/queries.ts',
    'src/sessions/cookie.ts',
    'src/sessions/throttle.ts',
    'src/sessions/tickets.ts',
    'src/sessions/secret-key.ts',
  ],
  ['src/sessions/second-factor.ts', 'src/sessions/actor.ts'],
  ['src/users/commands.ts'],
  ['src/users/list/'],
  [
    'src/compression.ts',
    'src/client-address.ts',
    'src/clock-watch.ts',
    'src/cross-site.ts',
    'src/exposed-files.ts',
    'src/readiness.ts',
    'src/named-database.ts',
    'src/setup/commands.ts',
    'src/invitations/commands.ts',
    'src/roles/commands.ts',
  ],
  ['src/assets.ts', 'src/seed/', 'src/copy/', 'src/rebuild/', 'src/admin/', 'src/keys/'],
  ['src/security.ts'],
  ['src/flash.ts', 'src/templates.ts'],
  ['src/views.ts'],
  [
    'src/sessions/drafts.ts',
    'src/sessions/audit.ts',
    'src/sessions/acting.ts',
    'src/sessions/device.ts',
    'src/sessions/from-elsewhere.ts',
    'src/sessions/password-attempt.ts',
    'src/sessions/pruning.ts',
  ],
  ['src/sessions/access.ts'],
  ['src/error-pages.ts', 'src/health.ts', 'src/well-known.ts', 'src/methods.ts', 'src/draining.ts'],
  ['src/sessions/authenticate.ts', 'src/refusals.ts'],
  ['src/sessions/begin.ts', 'src/admission.ts'],
  ['src/sessions/sign-in.ts', 'src/users/request.ts', 'src/account/show.ts'],
  ['src/sessions/routes.ts', 'src/account/', 'src/invitations/', 'src/setup/', 'src/roles/'],
  ['src/users/editing.ts', 'src/users/deletion.ts'],
  ['src/users/routes.ts'],
  ['src/app.ts'],
  ['src/server.ts'],
  ['src/commands.ts'],
  ['src/main.js'],
];

function floorOf(path: string): number {
  return FLOORS.findIndex((places) =>
    places.some((place) => path === place || (place.endsWith('/') && path.startsWith(place))),
  );
}

describe('imports', () => {
  const sources = [...filesIn('src', '.ts'), ...filesIn('src', '.js')];

  test.each(sources)('of %s run downward', (path) => {
    expect(floorOf(path), 'every file has its floor').toBeGreaterThanOrEqual(0);
    for (const target of importsOf(path).filter((name) => name.startsWith('src/'))) {
      const isSameFolder = [
        'src/db/',
        'src/seed/',
        'src/search/',
        'src/users/list/',
        'src/account/',
        'src/admin/',
      ].some((folder) => target.startsWith(folder) && path.startsWith(folder));
      expect(isSameFolder || floorOf(target) < floorOf(path), `${path} imports ${target}`).toBe(true);
    }
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

  test('of nobody: only commands, the bulk load and what is made anew write to the tables of users', () => {
    const writing =
      /(?:insertInto|updateTable|deleteFrom|mergeInto)\(\s*'(?:users|user_counts)'|(?:insert into|update|delete from) (?:users|user_counts)\b/i;
    const writers = sources.filter(
      (path) => !path.startsWith('src/db/migrations/') && writing.test(read(path)),
    );
    expect(writers).toEqual([
      'src/db/bulk-load.ts',
      'src/db/rebuild-search.ts',
      'src/db/user-counts.ts',
      'src/users/commands.ts',
    ]);
    const counting = sources.filter((path) => /\baddToCounts\(/.test(read(path)));
    expect(counting).toEqual(['src/db/bulk-load.ts', 'src/db/user-counts.ts', 'src/users/commands.ts']);
  });

  test('of migrations are nothing that lives on, and nothing that lives on imports a part of one', () => {
    const migrations = filesIn('src/db/migrations', '.ts');
    for (const path of migrations) {
      for (const target of importsOf(path))
        expect(target, path).toMatch(/^(kysely$|node:|src\/db\/migrations\/)/);
    }
    const users = importers('src/db/migrations/').filter((path) => !migrations.includes(path));
    expect(users).toEqual(['src/db/database.ts']);
  });

  test('of HTTP are nowhere near a query or a form', () => {
    for (const path of [...importers('fastify'), ...importers('@fastify/')]) {
      expect(path).not.toMatch(
        /queries\.ts|form\.ts|^src\/users\/list\/(?!route)|^src\/db\/|pagination|text\.ts|errors\.ts|forms\.ts/,
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
      // Enter would do what the first button does.
      expect(view, 'two acts in one form').not.toMatch(/\bformaction\b|<button[^>]*\sname=/);
    },
  );
});
