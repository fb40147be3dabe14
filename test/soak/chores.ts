/** What somebody does to very many beside all of that: brings a file, changes all of it, puts that back, and exports it each time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pageOf } from '../page.ts';
import type { Answer } from './browser.ts';
import { expectThat, type Person } from './person.ts';

const LOOK_EVERY = 200;
const PATIENCE = 120_000;

/** Afterwards everyone is as before, but for the history. @param round no two have the same */
export async function doChores(person: Person, round: number, rows: number): Promise<void> {
  const filter = `q=wave${round}n`;
  await importRows(person, round, rows);
  await expectExported(person, filter, rows);
  const bulk = await bulkOf(person, filter, 'deactivate');
  await expectExported(person, `${filter}&status=inactive`, rows);
  await undo(person, bulk);
  await expectExported(person, `${filter}&status=active`, rows);
  await bulkOf(person, filter, 'delete');
  await expectExported(person, filter, 0);
}

async function importRows(person: Person, round: number, rows: number): Promise<void> {
  const lines = Array.from({ length: rows }, (_, row) => {
    const username = `wave${round}n${row}`;
    return `${username},${username}@example.net,Somebody from a file`;
  });
  const sent = await person.bring(`username,email,name\n${lines.join('\n')}\n`);
  expectThat(sent.status === 303, 'a file is brought', sent);
  const shown = pageOf(await follow(person, sent.location, /<h1>Check the import/));
  const { action } = shown.form(shown.buttons.find((button) => button.startsWith('Apply ')) ?? '');
  const applied = await person.post(action, { judged: shown.field('judged') }, 'work');
  expectThat(applied.status === 303, 'an import is applied', applied);
  await follow(person, sent.location, /<h1>Imported/);
}

/** @returns the address of what was done */
async function bulkOf(person: Person, filter: string, act: string): Promise<string> {
  const path = `/bulk?do=${act}&all=on&from=${encodeURIComponent(filter)}`;
  const seen = pageOf(await person.get(path, 'work')).field('seen');
  const answer = await person.post(path, { seen }, 'work');
  expectThat(answer.status === 303, `${act} ${filter}`, answer);
  await follow(person, answer.location, /<p>Done for/);
  return answer.location.replace(/\?.*/, '');
}

async function undo(person: Person, set: string): Promise<void> {
  const { status, body } = await person.post(`${set}/undo`, {}, 'work');
  expectThat(status === 409, `${set} is asked about`);
  const seen = pageOf(body).field('seen');
  const answer = await person.post(`${set}/undo`, { seen }, 'work');
  expectThat(answer.status === 303, `${set} is undone`, answer);
  await follow(person, answer.location, /<p>Done for/);
}

async function expectExported(person: Person, filter: string, count: number): Promise<void> {
  const path = `/export/file?format=jsonl&all=on&from=${encodeURIComponent(filter)}`;
  const answer = await follow(person, path, /^(?!<!doctype)/i);
  const lines = answer.body.split('\n').filter((line) => line !== '');
  expectThat(answer.status === 200 && lines.length === count, `${count} users of ${filter}`, answer);
}

/** Looks at a page until it says that it is over. */
async function follow(person: Person, path: string, end: RegExp): Promise<Answer> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    const answer = await person.get(path, 'work');
    expectThat(answer.status === 200, path, answer);
    if (end.test(answer.body)) return answer;
    expectThat(performance.now() < until, `${path} comes to an end`, answer);
    await sleep(LOOK_EVERY);
  }
}
