/** The users, and how many there are of each status. */
import { sql } from 'kysely';
import type { Trx } from '../schema.ts';

export async function up(trx: Trx): Promise<void> {
  await sql`
    create table users (
      id integer primary key autoincrement,
      username text not null check (length(username) between 1 and 256 and username = trim(username)),
      username_key text not null check (length(username_key) between 1 and 256),
      email text not null check (length(email) between 3 and 254 and email like '_%@_%'),
      email_key text not null check (length(email_key) between 3 and 254),
      full_name text check (length(full_name) between 1 and 200 and full_name = trim(full_name)),
      is_active integer not null check (is_active in (0, 1)),
      created_at integer not null check (created_at >= 0),
      updated_at integer not null check (updated_at >= 0),
      version integer not null default 1 check (version >= 1)
    ) strict`.execute(trx);
  await sql`
    create table user_counts (
      is_active integer primary key check (is_active in (0, 1)),
      count integer not null check (count >= 0)
    ) strict`.execute(trx);
  await sql`insert into user_counts (is_active, count) values (0, 0), (1, 0)`.execute(trx);

  // One index for every order that the list offers, without a status and with one; each ends with the row's id.
  await sql`create unique index users_username_key on users (username_key)`.execute(trx);
  await sql`create unique index users_email_key on users (email_key)`.execute(trx);
  await sql`create index users_created_at on users (created_at)`.execute(trx);
  await sql`create index users_status on users (is_active)`.execute(trx);
  await sql`create index users_status_username_key on users (is_active, username_key)`.execute(trx);
  await sql`create index users_status_email_key on users (is_active, email_key)`.execute(trx);
  await sql`create index users_status_created_at on users (is_active, created_at)`.execute(trx);
}
