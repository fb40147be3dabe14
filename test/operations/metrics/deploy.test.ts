/** The alert rules and the dashboard name what a Roster really tells: each name, each label and each value of one. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { transact } from '../../../src/db/transact.ts';
import { beginRun, endRun } from '../../../src/maintenance/queries.ts';
import { FOLDERS } from '../../folders.ts';
import { bring } from '../../imports/bringing.ts';
import { addPerson, signedIn, signIn } from '../../people.ts';
import { isLacking } from '../../requirements.ts';
import { addUser, get, post, sharedApp, temporaryFolder } from '../../support.ts';
import { type Series, scrape, TOKEN } from './scraped.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'src', 'operations', 'deploy');
const RULES = join(FOLDER, 'alerts.yml');
const DASHBOARD = join(FOLDER, 'grafana.json');

/** What Prometheus knows by itself of whatever it asks. */
const OWN_NAMES = ['up'];
const OWN_LABELS = ['instance', 'job'];
/** What a database that is no file does not have. */
const OF_FILES = ['roster_database_log_size_bytes', 'roster_disk_free_bytes'];

type Panel = {
  type: string;
  title: string;
  gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
  fieldConfig?: { defaults: { unit?: string } };
  targets?: { expr: string; legendFormat: string; datasource: { uid: string } }[];
};

const dashboard: {
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string; type: string; definition?: string }[] };
} = JSON.parse(readFileSync(DASHBOARD, 'utf8'));
const targets = dashboard.panels.flatMap(({ targets = [] }) => targets);

const rules = readFileSync(RULES, 'utf8')
  .split(/^ +- (?=alert:)/m)
  .slice(1);
const exprOf = (rule: string) => /^ +expr: (.+)$/m.exec(rule)?.[1] ?? '';

/** Of what a query is made: names with what is asked of their labels, and labels by which is summed up. */
function partsOf(expr: string) {
  const selected = [...expr.matchAll(/\b((?:roster|process)_\w+|up\b)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', selector = '']) => ({
      name,
      asked: [...selector.matchAll(/(\w+)\s*(=~|!=|=)\s*"([^"]*)"/g)].map(
        ([, label = '', operator = '', value = '']) => ({ label, operator, value }),
      ),
    }),
  );
  const by = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/,\s*/));
  return { selected, by };
}

/** One that has done a bit of everything. */
const app = sharedApp({
  METRICS_TOKEN: TOKEN,
  BACKUP_FOLDER: '/srv/backups',
  DATABASE_URL:
    inject('engine') === 'sqlite' ? `sqlite:${join(FOLDERS, 'roster.db')}` : 'postgres://127.0.0.1/roster',
});

async function liveABit(): Promise<Series[]> {
  const roster = await app();
  const { db } = roster;
  const ann = await signedIn(roster, await addPerson(db, 'ann', 'admin'));
  await signIn(roster, 'ann');
  for (const url of ['/users', '/users/999', '/export']) await get(roster, url, ann);
  await post(roster, '/users', { username: 'bob', email: 'bob@example.org' }, ann);
  await addUser(db, { username: 'cem', is_active: false });
  await bring(roster, 'username,email\ndora,dora@example.org\n');
  await transact(db, async (trx) => {
    const now = Date.now();
    const good = { outcome: 'good', file: '/srv/backups/one.db', size: 4_096, users: 1 } as const;
    await endRun(trx, await beginRun(trx, 'backup', now), good, now + 1);
    await endRun(trx, await beginRun(trx, 'backup', now), { outcome: 'bad', problem: 'No room.' }, now + 1);
    await endRun(trx, await beginRun(trx, 'check', now), { outcome: 'good' }, now + 1);
  });
  const series = await scrape(roster);
  // From here on it answers with errors.
  await transact(db, (trx) => trx.schema.alterTable('user_counts').renameTo('lost').execute());
  await get(roster, '/users', ann);
  return [...series, ...(await scrape(roster))];
}

let lived: Promise<Series[]> | undefined;
const served = () => {
  lived ??= liveABit();
  return lived;
};

async function expectServed(expr: string): Promise<void> {
  const all = await served();
  const { selected, by } = partsOf(expr);
  expect(selected.length, expr).toBeGreaterThan(0);
  const labels = new Set(OWN_LABELS);
  for (const { name, asked } of selected) {
    const known = OWN_NAMES.includes(name) || (inject('engine') === 'postgres' && OF_FILES.includes(name));
    const own = all.filter((series) => series.name === name);
    if (!known) expect(own.length, `${name} in ${expr}`).toBeGreaterThan(0);
    for (const series of own) for (const label of Object.keys(series.labels)) labels.add(label);
    for (const { label, operator, value } of asked.filter((one) => !OWN_LABELS.includes(one.label))) {
      const values = own.map((series) => series.labels[label]);
      expect(values, `${label} of ${name}`).not.toContain(undefined);
      if (operator !== '=~') expect(values, `${label} of ${name} in ${expr}`).toContain(value);
    }
  }
  for (const label of by) expect(labels, `${label} in ${expr}`).toContain(label);
}

describe('the alert rules', () => {
  test('are ten, each with what it is and what to do', () => {
    expect(rules.length).toBe(10);
    for (const rule of rules) {
      expect(rule).toMatch(/^alert: Roster[A-Z]\w+$/m);
      expect(rule).toMatch(/^ +severity: (critical|warning)$/m);
      expect(rule).toMatch(/^ +summary: \S.{20,}$/m);
      expect(rule).toMatch(/^ +description: [A-Z].{40,}$/m);
    }
  });

  test.each(rules.map((rule) => [/^alert: (\w+)/.exec(rule)?.[1] ?? '', exprOf(rule)]))(
    '%s asks for what is told',
    async (_name, expr) => expectServed(expr),
  );
});

describe('the dashboard', () => {
  test('asks for what is told, of the Rosters that are chosen', async () => {
    expect(targets.length).toBeGreaterThan(30);
    for (const { expr, datasource } of targets) {
      expect(datasource.uid).toMatch(/^\$\{datasource\}$/);
      for (const { name, asked } of partsOf(expr).selected)
        expect(asked, `${name} in ${expr}`).toContainEqual({
          label: 'instance',
          operator: '=~',
          value: '$instance',
        });
      await expectServed(expr);
    }
  });

  test('is one that Grafana takes: panels side by side, each with a unit, and a choice of where to ask', () => {
    const { schemaVersion, panels, templating } = dashboard;
    expect(schemaVersion).toBeGreaterThanOrEqual(39);
    expect(templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['instance', 'query'],
    ]);
    const taken = new Set<string>();
    for (const { type, title, gridPos, fieldConfig, targets: asked = [] } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), title).toBe(false);
          taken.add(`${x} ${y}`);
        }
      if (type === 'row') continue;
      expect(fieldConfig?.defaults.unit, title).toBeTruthy();
      expect(asked.length, title).toBeGreaterThan(0);
    }
  });

  test('its names of labels are labels of what it asks for', async () => {
    for (const { expr, legendFormat } of targets)
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        const { by } = partsOf(expr);
        expect([...by, ...OWN_LABELS], `${legendFormat} of ${expr}`).toContain(label);
      }
  });
});

const promtool = spawnSync('promtool', ['--version']).status === 0;
const why = promtool ? '' : ' (skipped: there is no promtool; it is in Debian’s package prometheus)';

describe('promtool', () => {
  test.skipIf(isLacking(promtool))(`finds nothing wrong with the alert rules${why}`, () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
    expect(stdout + stderr).toContain('SUCCESS: 10 rules found');
    expect(status).toBe(0);
  });

  test.skipIf(isLacking(promtool))(`finds nothing wrong with the queries of the dashboard${why}`, () => {
    const queries = targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m'));
    const records = queries.map(
      (expr, at) => `      - record: query:${at}\n        expr: ${JSON.stringify(expr)}\n`,
    );
    const path = join(temporaryFolder(), 'queries.yml');
    writeFileSync(path, `groups:\n  - name: dashboard\n    rules:\n${records.join('')}`);
    const { stdout, stderr } = spawnSync('promtool', ['check', 'rules', path], { encoding: 'utf8' });
    expect(stdout + stderr).toContain(`SUCCESS: ${queries.length} rules found`);
  });

  test.skipIf(isLacking(promtool))(`finds nothing wrong with what is told${why}`, async () => {
    const roster = await app();
    const { body } = await get(roster, '/metrics', { authorization: `Bearer ${TOKEN}` });
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
    expect(checked.stdout + checked.stderr).toBe('');
    expect(checked.status).toBe(0);
  });
});
