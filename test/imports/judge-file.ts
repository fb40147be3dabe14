/** Has the file that is named judged, and judged again since somebody has come meanwhile, in a process of its own, and says what it comes to. */
import { copyFileSync } from 'node:fs';
import { commandLine } from '../../src/auth/actor.ts';
import { openDatabase } from '../../src/db/database.ts';
import { transact } from '../../src/db/transact.ts';
import { beginImport, confirmImport } from '../../src/imports/commands.ts';
import { filesOf, makeFolder, newName } from '../../src/imports/folder.ts';
import { findImport } from '../../src/imports/queries.ts';
import { runImports } from '../../src/imports/run.ts';
import { Mutex } from '../../src/lib/mutex.ts';
import { createUser } from '../../src/users/commands.ts';
import { newUserSchema } from '../../src/users/validation.ts';

const [path = ''] = process.argv.slice(2);
const db = await openDatabase(`sqlite:${path}.db`);
const folder = makeFolder(`${path}.imports`);
const file = newName();
copyFileSync(path, filesOf(folder, file).upload);
const warn = (_id: number, error: unknown) => console.error(error);
const run = () => runImports({ db, alone: new Mutex(), folder, clock: Date.now, warn }, () => false);

const upload = { file, name: 'users.csv', size: 1 };
const id = await transact(db, (trx) => beginImport(trx, commandLine, folder, upload, Date.now()));
await run();
const bob = newUserSchema.parse({ username: 'bob', email: 'bob@example.org' });
await transact(db, (trx) => createUser(trx, commandLine, bob, Date.now()));
await transact(db, (trx) => confirmImport(trx, commandLine, id, 1, Date.now()));
await run();
const { state, totals } = (await findImport(db, id)) ?? {};
console.log(JSON.stringify({ state, ...JSON.parse(totals ?? '{}') }));
await db.destroy();
