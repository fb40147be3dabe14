/** What SQLite meets at some of its statements, in one database alone. */
import type { Db } from '../../../src/db/schema.ts';
import type { SqliteConnection } from '../../../src/db/sqlite/connection.ts';
import { translated } from '../../../src/db/sqlite/errors.ts';

/** Before each such statement on the connection that writes. @param act what it throws is what SQLite answers @returns what ends it */
export async function beforeStatement(db: Db, statement: RegExp, act: () => void): Promise<() => void> {
  const writer = await db
    .transaction()
    .execute((trx) =>
      trx.getExecutor().provideConnection(async (connection) => (connection as SqliteConnection).statements),
    );
  const { run } = writer;
  writer.run = <R>(...asked: Parameters<typeof run>) => {
    try {
      if (statement.test(asked[0])) act();
    } catch (error) {
      throw translated(error, writer.db);
    }
    return run.apply<typeof writer, typeof asked, ReturnType<typeof run<R>>>(writer, asked);
  };
  return () => {
    writer.run = run;
  };
}
