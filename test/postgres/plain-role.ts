/** A role of PostgreSQL that owns neither the server nor the database. */
import { onTestFinished } from 'vitest';
import { temporaryUrl } from '../support.ts';
import { ask } from './ask.ts';

/** @returns the address of a schema as that role reaches it, and as its administrator does. */
export async function plainRole(): Promise<{ url: string; adminUrl: string }> {
  const adminUrl = await temporaryUrl();
  const url = new URL(adminUrl);
  const role = `plain_${url.pathname.slice(-8)}`;
  const schema = String(/search_path=(\w+)/.exec(decodeURIComponent(url.search))?.[1]);
  await ask(
    adminUrl,
    `create role ${role} login password 'plain'`,
    `grant create, usage on schema ${schema} to ${role}`,
  );
  onTestFinished(() => ask(adminUrl, `drop owned by ${role} cascade`, `drop role ${role}`));
  url.username = role;
  url.password = 'plain';
  return { url: url.href, adminUrl };
}
