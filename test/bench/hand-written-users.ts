/** The users in the database as the hand-written server reads and writes them: one prepared statement for each. */
import Sqlite from 'better-sqlite3';
import type { Session } from '../../src/auth/sessions.ts';
import { hashOf } from '../../src/auth/tokens.ts';
import type { User } from '../../src/db/schema.ts';
import { KINDS } from '../../src/history/kinds.ts';
import type { ChangeSet } from '../../src/history/queries.ts';
import { textKey } from '../../src/lib/text.ts';
import type { NewUser } from '../../src/users/validation.ts';

type Row = Omit<User, 'is_active'> & { is_active: number };

type Flag = 'is_active' | 'has_second_factor' | 'is_code_required' | 'has_draft';
type SessionRow = Omit<Session, Flag> & Record<Flag, number>;

const SESSION = `
  select s.id, s.user_id, u.username, u.role, u.is_active, s.created_at, s.seen_at, c.code_secret is not null as has_second_factor,
    r.is_code_required, s.draft is not null as has_draft
  from sessions s join users u on u.id = s.user_id join credentials c on c.user_id = s.user_id
    join role_rules r on r.role = u.role
  where s.token_hash = ?`;
const HOUR = 60 * 60 * 1000;

function isLive({ seen_at, created_at }: SessionRow): boolean {
  const now = Date.now();
  return now < seen_at + 12 * HOUR && now < created_at + 168 * HOUR;
}

export function openUsers(path: string) {
  const db = new Sqlite(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  const one = db.prepare<[number], Row>('select * from users where id = ?');
  const some = db.prepare<[number, number], Row>('select * from users where id > ? order by id limit ?');
  const count = db
    .prepare<[number], number>('select sum(count) from user_counts where is_active = ?')
    .pluck();
  const session = db.prepare<[string], SessionRow>(SESSION);
  const loaded = db.prepare<[number, number], ChangeSet>(
    `select * from change_sets where kind = ${KINDS.loaded} and first_id <= ? and last_id >= ? order by at limit 1`,
  );
  const counts = { active: count.get(1) ?? 0, inactive: count.get(0) ?? 0 };
  return {
    /** Read once; kept by `insert`. */
    counts,
    /** Whose token it is, as long as that lasts. */
    sessionOf(token: string): Session | undefined {
      const row = session.get(hashOf(token));
      if (row === undefined || !isLive(row)) return undefined;
      const { is_active, has_second_factor, is_code_required, has_draft, ...rest } = row;
      return {
        ...rest,
        is_active: is_active === 1,
        has_second_factor: has_second_factor === 1,
        is_code_required: is_code_required === 1,
        has_draft: has_draft === 1,
      };
    },
    get(id: number): User {
      const row = one.get(id);
      if (row === undefined) throw new Error(`There is no user ${id}.`);
      return fromRow(row);
    },
    /** How they came, if with others; what was done to a few of them since is left out. */
    beginningOf: (id: number): ChangeSet | undefined => loaded.get(id, id),
    after: (id: number, limit: number): User[] => some.all(id, limit).map(fromRow),
    insert: prepareInsert(db, counts),
    close: () => db.close(),
  };
}

/** Makes what inserts a user and returns the id. */
function prepareInsert(db: Sqlite.Database, counts: { active: number; inactive: number }) {
  const insert = db.prepare(
    `insert into users (username, username_key, email, email_key, full_name, is_active, created_at, updated_at)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const count = db.prepare(
    "update user_counts set count = count + 1 where is_active = ? and role = 'member'",
  );
  const { immediate } = db.transaction(({ username, email, full_name, is_active }: NewUser): number => {
    const [now, active] = [Date.now(), Number(is_active)];
    count.run(active);
    const keys = [username, textKey(username), email, textKey(email)];
    return Number(insert.run(...keys, full_name, active, now, now).lastInsertRowid);
  });
  return (user: NewUser): number => {
    const id = immediate(user);
    counts[user.is_active ? 'active' : 'inactive']++;
    return id;
  };
}

function fromRow(row: Row): User {
  return { ...row, is_active: row.is_active === 1 };
}
