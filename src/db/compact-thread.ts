/** Writes a database file anew without what was deleted: one long step of SQLite's, for which nobody waits in a thread of its own. */
import { workerData } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import type { Compacting } from './backup-file.ts';

const { path, to } = workerData as Compacting;
const db = new Sqlite(path);
db.pragma('journal_mode = OFF');
db.pragma('synchronous = OFF');
// A search index holds what was deleted until all of it has become one: https://sqlite.org/fts5.html#the_optimize_command
const indexes = db.prepare("select name from sqlite_schema where sql like 'create virtual table%fts5%'");
for (const name of indexes.pluck().all()) db.exec(`insert into "${name}" ("${name}") values ('optimize')`);
db.prepare('vacuum into ?').run(to);
db.close();
