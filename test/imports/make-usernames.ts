/** Makes usernames of very many emails, two of each name, in a process of its own, and says how many there were. */
import { openDatabase } from '../../src/db/database.ts';
import { UsernameMaker } from '../../src/imports/made-usernames.ts';
import type { Row } from '../../src/imports/reading/reading.ts';

const AT_ONCE = 1_000;
const [path = '', count = '0'] = process.argv.slice(2);
const db = await openDatabase(`sqlite:${path}`);
const maker = new UsernameMaker(db);
let made = 0;
for (let first = 0; first < Number(count); first += AT_ONCE) {
  const rows = Array.from({ length: AT_ONCE }, (_, index): Row => {
    const name = `somebody.with.a.long.name.${Math.floor((first + index) / 2)}`;
    const email = `${name}@${index % 2}.example.org`;
    return {
      line: first + index + 2,
      cells: [email],
      id: undefined,
      values: { email },
      problems: [],
    };
  });
  made += (await maker.make(rows)).size;
}
console.log(made);
await db.destroy();
