/** The clock of a Roster that runs is really set, as NTP does: by Debian's package faketime, where it is there. */
import { once } from 'node:events';
import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { pageOf } from '../page.ts';
import { addPerson, codeAt, HOUR, PASSWORD } from '../people.ts';
import { isLacking } from '../requirements.ts';
import { run } from '../roster.ts';
import { readyUrl, temporaryDatabase, temporaryFolder } from '../support.ts';

const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
const ENGINES = inject('isLong') ? (['sqlite', 'postgres'] as const) : (['postgres'] as const);
type Engine = (typeof ENGINES)[number];

/** A Roster whose clock is ahead, until it is set, while time moves on. @param ahead as faketime takes it: `+2h` */
async function startAhead(engine: Engine, ahead: string) {
  const file = join(temporaryFolder(), 'ahead');
  const set = (to: string) => writeFileSync(file, to);
  set(ahead);
  const url = await readyUrl(engine);
  await addPerson(await temporaryDatabase(url), 'ann', 'admin');
  const child = run([], {
    PORT: '0',
    DATABASE_URL: url,
    LD_PRELOAD: library ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    // Only the time of day is set; newer versions have another name for it.
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    log += chunk;
  });
  while (!log.includes('\n')) await once(child.stdout, 'data');
  const [, address = ''] = /^Roster is at (\S+)/.exec(log) ?? [];
  return { address, child, set, log: () => log };
}

function browserAt(address: string) {
  let cookie = '';
  return async (path: string, fields?: Record<string, string>) => {
    const answer = await fetch(address + path, {
      redirect: 'manual',
      headers: { cookie, origin: address },
      ...(fields && { method: 'POST', body: new URLSearchParams(fields) }),
    });
    cookie = answer.headers.getSetCookie().findLast((line) => line.startsWith('roster_session_')) ?? cookie;
    return { status: answer.status, body: await answer.text() };
  };
}

test.skipIf(isLacking(library !== undefined)).each(ENGINES)(
  'on %s a server that was two hours ahead takes right codes as soon as its clock is set right (needs Debian’s package faketime)',
  async (engine) => {
    const { address, child, set, log } = await startAhead(engine, '+2h');
    const browser = browserAt(address);
    await browser('/sign-in', { username: 'ann', password: PASSWORD });
    const page = pageOf(await browser('/account/code'));
    const secret = page.secret.replaceAll(' ', '');
    const sealed = page.field('sealed');
    const code = codeAt(Date.now() + 2 * HOUR, secret);
    expect((await browser('/account/code', { sealed, code, password: PASSWORD })).body).toContain('recovery');

    const signIn = async (time: number) => {
      const asked = await browserAt(address)('/sign-in', { username: 'ann', password: PASSWORD });
      const ticket = pageOf(asked).field('ticket');
      return browserAt(address)('/sign-in', { ticket, code: codeAt(time, secret) });
    };
    set('+0');
    expect((await signIn(Date.now())).status).toBe(303);
    expect((await browser('/users')).status).toBe(303);
    const early = await signIn(Date.now() + 2 * HOUR);
    expect(early.status).toBe(422);
    expect(pageOf(early).text).toContain('The clock of this server was set back by 2 h 0 min of late');

    set('+2h');
    const right = await signIn(Date.now());
    expect(right.status).toBe(422);
    expect(pageOf(right).text).toContain('The clock of this server was set forward by 2 h 0 min of late');
    await expect
      .poll(log)
      .toMatch(/the clock was set back by 2 h 0 min.*the clock was set forward by 2 h 0 min/s);
    expect(child.exitCode).toBeNull();
  },
);

test.skipIf(isLacking(library !== undefined)).each(ENGINES)(
  'on %s sessions end soon after the clock is set back, whether they were used since or not (needs Debian’s package faketime)',
  async (engine) => {
    const { address, child, set, log } = await startAhead(engine, '+0');
    const browser = browserAt(address);
    await browser('/sign-in', { username: 'ann', password: PASSWORD });
    set('+11h');
    await expect.poll(log).toContain('the clock was set forward by 11 h 0 min');
    // It is not used meanwhile: by its own time it would go on for eleven hours more.
    set('+1h');
    await expect.poll(log).toContain('the clock was set back by 10 h 0 min');
    await expect.poll(async () => (await browser('/users')).status).toBe(303);
    expect((await browser('/sign-in', { username: 'ann', password: PASSWORD })).status).toBe(303);
    expect((await browser('/users')).status).toBe(200);
    expect(child.exitCode).toBeNull();
  },
);

/** After what seconds since 1970 are in 32 bits with a sign. */
const END_OF_32_BITS = Date.UTC(2038, 0, 19, 3, 14, 8);

test.skipIf(isLacking(library !== undefined)).each(ENGINES)(
  'on %s people work over the 19th of January 2038 (needs Debian’s package faketime)',
  async (engine) => {
    const { address, set } = await startAhead(
      engine,
      `+${Math.round((END_OF_32_BITS - Date.now()) / 1000) - 30}`,
    );
    const browser = browserAt(address);
    await browser('/sign-in', { username: 'ann', password: PASSWORD });
    for (const username of ['before', 'after']) {
      const made = await browser('/users', { username, email: `${username}@example.org` });
      expect(made.status).toBe(303);
      expect(pageOf(await browser('/history')).text).toContain(username);
      set(`+${Math.round((END_OF_32_BITS - Date.now()) / 1000) + 30}`);
    }
    const found = pageOf(await browser('/users?created_after=2038-01-19&q=example.org'));
    expect(found.users).toHaveLength(2);
  },
);
