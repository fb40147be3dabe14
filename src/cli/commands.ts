/** The command line: what each command does, and what is said when there is none like it. */

import {
  ClosedFolderError,
  DamagedError,
  OutcomeUnknownError,
  StartError,
  UnavailableError,
} from '../errors.ts';
import { plain } from '../lib/text.ts';
import { SETTINGS_HELP } from '../settings.ts';
import { readArguments } from './arguments.ts';
import { endWithNpm } from './signals.ts';

const HELP = `Roster, a user directory.

  npm start                  serves it
  npm run seed -- 100000     adds that many made-up users; in a database that is there, in the first one of the project,
                             or with --new-database in a new one
  npm run roster -- copy --from sqlite:data/roster.db --to postgres://user@host/database
                             moves everything to an empty database; its password is taken from PGPASSWORD
  npm run roster -- copy --from-env OLD_URL --to-env NEW_URL
                             the same, with addresses from environment variables: what is on the command line,
                             every user of the machine can see; where the keys of both are not what
                             SECRET_KEY_FILE, or else its default, says: --from-key FILE, --to-key FILE
  npm run roster -- admin alice --email alice@example.com
                             makes an administrator, or lets one in again; asks for the password;
                             in a database that is there, or with --new-database in a new one
  npm run roster -- import users.csv
                             reads users from a file, says what they would do, and applies them once you say so;
                             --yes applies them without asking, --dry-run does not, --match username (or id, or email)
                             says by what a row is about somebody who is there, --make-usernames makes usernames
                             from the part of the email before the @ where the file has none, --empty clear has an empty
                             cell take out a full name, --names reversed turns full names round that have the last name
                             first, --encoding windows-1252 and --delimiter semicolon say what is not recognised; ends with 0 where all is done, 1 where something is not (rows were refused, it was
                             interrupted, or somebody's change stays of what was taken back), and 2 where nothing was done
  npm run roster -- export users.csv
                             writes everyone into a file: .csv, .jsonl or .vcf; or some of them, with the end of a
                             list's address: --filter "status=active&role=member"; a file that is there is replaced
                             with --force alone
  npm run roster -- check
                             looks for what is wrong in the database, beside a Roster that works with it, and says what to
                             do; --quick leaves out what takes long with millions of users; ends with 0 where nothing
                             is wrong, 1 where something is, and 2 where it could not look; check FILE looks through a
                             backup
  npm run roster -- backup /srv/backups
                             writes everything of this moment into a file there, named by the date, while Roster runs; or into
                             a file that is not there yet, with an ending such as .db (--force replaces it); --with-key puts the
                             secret key beside it, --compact leaves out what was deleted, --keep 14 leaves so many of this
                             database in the folder, with their keys
  npm run roster -- restore FILE
                             puts a backup in the place of the database, or into an empty one on PostgreSQL: stop every
                             Roster first; shows both and asks, --yes does not; --without-access brings nobody's password;
                             --give-up-key goes on where the key of second factors is lost;
                             ends with 1 where the key is missing, and 2 where nothing was done
  npm run roster -- rebuild-search
                             rebuilds the search index, and what lists are sorted and counted by
  npm run roster -- purge
                             writes the database anew, without what was deleted: nobody else writes meanwhile, and on
                             PostgreSQL nobody reads
  npm run roster -- change-key
                             seals all secrets with a new key; stop every Roster first
  npm run roster -- give-up-key FINGERPRINT
                             goes on without a key that is lost, and without what was sealed with it

${SETTINGS_HELP}`;

type Command = {
  /** Of all that Roster is, a command loads what it needs. What it ends with is what it returns, if that is a number. */
  load: () => Promise<(env: NodeJS.ProcessEnv, args: readonly string[]) => Promise<unknown>>;
  /** What it ends with where it fails: 1 says of an import that not all of it is done, and of a check that something is wrong. */
  failed?: number;
};

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['serve', { load: async () => (await import('../server.ts')).serve }],
  ['seed', { load: async () => (await import('./seed.ts')).seed }],
  ['copy', { load: async () => (await import('./copy.ts')).copy }],
  ['admin', { load: async () => (await import('./admin.ts')).admin }],
  ['import', { load: async () => (await import('./import.ts')).importFile, failed: 2 }],
  ['export', { load: async () => (await import('./export.ts')).exportFile, failed: 2 }],
  ['restore', { load: async () => (await import('./restore.ts')).restore, failed: 2 }],
  ['check', { load: async () => (await import('./check.ts')).check, failed: 2 }],
  ['backup', { load: async () => (await import('./backup.ts')).backup }],
  ['rebuild-search', { load: async () => (await import('./rebuild-search.ts')).rebuild }],
  ['purge', { load: async () => (await import('./purge.ts')).purge }],
  ['change-key', { load: async () => (await import('./change-key.ts')).changeKey }],
  ['give-up-key', { load: async () => (await import('./give-up-key.ts')).giveUpKey }],
]);

export async function main(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  endWithNpm(env);
  try {
    await run(args, env);
  } catch (error) {
    const sentence = sentenceFor(error);
    // Of a mistake of ours whoever mends it needs all there is.
    console.error(sentence === undefined ? error : plain(sentence));
    process.exit(COMMANDS.get(args[0] ?? 'serve')?.failed ?? 1);
  }
}

function sentenceFor(error: unknown): string | undefined {
  if (error instanceof StartError || error instanceof ClosedFolderError) return error.message;
  if (error instanceof DamagedError) return `${error.message}.`;
  if (error instanceof UnavailableError)
    return `The database ${error.reason ? `cannot be used (${error.reason})` : 'is gone'}: what was under way was not saved. Run it again.`;
  if (error instanceof OutcomeUnknownError)
    return `The database ${error.reason ? `failed at the end (${error.reason})` : 'is gone'}: look whether the users are there.`;
  return undefined;
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [name = 'serve', ...rest] = args;
  if (args.includes('--help') || args.includes('-h')) return console.log(HELP);
  const command = name === 'serve' && rest.length > 0 ? undefined : COMMANDS.get(name);
  if (command === undefined) {
    readArguments(args, []);
    throw new StartError(`There is no command "${args.join(' ')}"; see npm start -- --help.`);
  }
  const begin = await command.load();
  const code = await begin(env, rest);
  if (typeof code === 'number' && code !== 0) process.exit(code);
}
