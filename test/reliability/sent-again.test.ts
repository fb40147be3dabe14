/** Roster is killed under load: whoever sends the last form again, with its key, finds it done once, on either database. */
import { once } from 'node:events';
import { describe, expect, inject, test } from 'vitest';
import { newToken } from '../../src/auth/tokens.ts';
import { type Roster, startRoster } from '../roster.ts';
import { readyUrl, temporaryDatabase } from '../support.ts';

const ROUNDS = inject('isLong') ? 20 : 2;
const WRITERS = 4;

type Form = Readonly<Record<string, string>>;
type Told = { status: number; location: string | null; body: string };

async function send({ address }: Roster, form: Form): Promise<Told> {
  const body = new URLSearchParams(form);
  const answer = await fetch(`${address}/users`, { method: 'POST', body, redirect: 'manual' });
  return { status: answer.status, location: answer.headers.get('location'), body: await answer.text() };
}

/** Sends forms until Roster is killed, once some have been answered; the answers, undefined where none came. */
async function killAfter(count: number, roster: Roster, round: number) {
  const answers = new Map<Form, Told | undefined>();
  let left = count;
  const write = async (writer: number) => {
    for (let number = 0; ; number++) {
      const username = `r${round}w${writer}n${number}`;
      const form = { username, email: `${username}@example.org`, key: newToken() };
      answers.set(form, undefined);
      const told = await send(roster, form).catch(() => undefined);
      if (told === undefined) return;
      answers.set(form, told);
      if (--left === 0) roster.child.kill('SIGKILL');
    }
  };
  await Promise.all([
    once(roster.child, 'exit'),
    ...Array.from({ length: WRITERS }, (_, number) => write(number)),
  ]);
  return answers;
}

describe.each(['sqlite', 'postgres'] as const)('on %s', (engine) => {
  test('what was under way when Roster was killed is done once, and told as it would have been', async () => {
    const url = await readyUrl(engine);
    const settings = { DATABASE_URL: url, LOG_LEVEL: 'silent' };
    let roster = await startRoster(settings);
    let sent = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await killAfter(1 + Math.floor(Math.random() * 40), roster, round);
      roster = await startRoster(settings);
      for (const [form, told] of answers) {
        const again = await send(roster, form);
        expect(again).toMatchObject({ status: 303, body: `User ${form.username} created!\n` });
        if (told) expect(again).toEqual(told);
        expect(await send(roster, form)).toEqual(again);
      }
      expect([...answers.values()]).toContain(undefined);
      sent += answers.size;
    }
    const db = await temporaryDatabase(url);
    expect(await db.selectFrom('users').select('id').execute()).toHaveLength(sent);
    expect(await db.selectFrom('change_sets').select('id').execute()).toHaveLength(sent);
  });
});
