/** Somebody who is erased among very many, with words that nobody else has, and whether any of these is left in a byte of a file. */
import { once } from 'node:events';
import { dirname } from 'node:path';
import { filePathOf } from '../../../src/database-url.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { number } from '../../../src/lib/formats.ts';
import { filesIn, folderOfPostgres, foundInFiles, NAME, TRIGRAMS } from '../../erasure/byte-search.ts';
import { runNode } from '../processes.ts';
import { changeOneByOne, erase } from './acts.ts';

/** Nobody whose page others look at. */
const ID = 5_000;
const USERNAME = 'vqxzjk';
const WORDS = ['zqxjf', 'qxjfzz', USERNAME, 'xjkqqz', NAME];

type Where = { origin: string; database: string; keyFile: string };

export class Erased {
  readonly #where: Where;
  #words: readonly string[] = WORDS;

  constructor(where: Where) {
    this.#where = where;
  }

  /** In the history, too. @throws Error where they cannot be found, so that nothing would be shown by not finding them */
  async giveWords(): Promise<void> {
    await changeOneByOne(this.#where.origin, ID, [
      { full_name: NAME },
      { username: 'zqxjf', email: 'zqxjf@qxjfzz.example' },
      { username: USERNAME, email: 'zqxjf@xjkqqz.example' },
    ]);
    const { found } = await this.look();
    if (found.length < WORDS.length)
      throw new Error(`Of its words only ${found.join(', ')} are in the files.`);
    // In the search index, which keeps them by three letters, where the database is a file.
    if (filePathOf(this.#where.database)) this.#words = [...WORDS, ...TRIGRAMS];
  }

  erase(): Promise<string> {
    return erase(this.#where.origin, ID, USERNAME);
  }

  /** All bytes of the files of the database, and of those beside it. */
  async look(): Promise<{ found: string[]; said: string }> {
    const begun = performance.now();
    const files = filesIn(await this.#folder());
    const { found, bytes } = await foundInFiles(files, this.#words);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    const what = `of ${this.#words.length} words, and threes of letters, that nobody else has`;
    return {
      found,
      said: `${found.length} ${what} in ${number.format(bytes)} bytes of ${files.length} files (${seconds} s)`,
    };
  }

  /** As a command, in a quiet hour. */
  async purge(): Promise<void> {
    const { database, keyFile } = this.#where;
    const begun = performance.now();
    const child = runNode(['src/main.js', 'purge'], { DATABASE_URL: database, SECRET_KEY_FILE: keyFile });
    child.stdout.resume();
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`Purge has ended with ${code}.`);
    console.log(`  purge: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  }

  async #folder(): Promise<string> {
    const { database } = this.#where;
    const path = filePathOf(database);
    if (path !== undefined) return dirname(path);
    const db = await openDatabase(database);
    return folderOfPostgres(db).finally(() => db.destroy());
  }
}
