/** The folder of imports: whose it is where a command makes it as root, and what happens where it cannot be read. */
import { chownSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeStage } from '../../src/db/stage-file.ts';
import { filesOf, makeFolder, newName } from '../../src/imports/folder.ts';
import { confirm } from '../bulk/asking.ts';
import { pageOf } from '../page.ts';
import { addPerson, signedIn } from '../people.ts';
import { isLacking } from '../requirements.ts';
import { addUsers, get, startApp, temporaryFolder } from '../support.ts';
import { check, csv } from './bringing.ts';
import { send } from './by-pages.ts';

const SOMEBODY = 12_345;
const FILE = csv(['username', 'email'], ['ada', 'ada@example.org']);

test.skipIf(isLacking(process.getuid?.() === 0))(
  'made by root, it is theirs whose the folder around it is',
  () => {
    const data = temporaryFolder();
    chownSync(data, SOMEBODY, SOMEBODY);
    const folder = makeFolder(join(data, 'deep', 'imports'));
    const { stage } = filesOf(folder, newName());
    makeStage(stage).close();
    const paths = [
      join(data, 'deep'),
      folder.path,
      ...readdirSync(folder.path).map((name) => join(folder.path, name)),
    ];
    expect(paths).toHaveLength(4);
    expect(new Set(paths.map((path) => statSync(path).uid))).toEqual(new Set([SOMEBODY]));
  },
);

test('where it cannot be read, that is said on pages, and whatever has nothing to do with it is done', async () => {
  const app = await startApp();
  const ann = await signedIn(app, await addPerson(app.db, 'ann', 'admin'));
  const id = await check(app, FILE);
  rmSync(app.config.importFolder, { recursive: true });
  // As good as one of another user: root may read those.
  writeFileSync(app.config.importFolder, '');
  const sentence =
    'Roster may not read the folder for files that are imported. Tell whoever runs Roster: its log says which.';
  for (const address of [`/imports/${id}`, `/imports/${id}/refused`, `/imports/${id}/refused-rows`]) {
    const answer = await get(app, address, ann);
    expect([address, answer.statusCode]).toEqual([address, 503]);
    expect(pageOf(answer).text).toContain(sentence);
  }
  const sent = await send(app, ann, { name: 'users.csv', content: FILE });
  expect(sent.statusCode).toBe(503);
  expect(pageOf(sent).text).toContain(sentence);
  await addUsers(
    app.db,
    Array.from({ length: 150 }, (_, index) => `u${index}`),
  );
  await confirm(app, ann, 'deactivate', 'from=q%3Du&all=on');
  await app.runJobs();
  const inactive = app.db.selectFrom('users').select('id').where('is_active', '=', false);
  expect((await inactive.execute()).length).toBeGreaterThanOrEqual(150);
});
