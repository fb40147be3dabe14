/** What is done to very many at once, by the pages by which a person does it; each waits until it is done. */
import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { newToken } from '../../../src/auth/tokens.ts';
import { type Page, pageOf } from '../../page.ts';
import { runNode } from '../processes.ts';
import { SIGNED_IN } from '../session.ts';
import type { Others } from './others.ts';

const LOOK_EVERY = 250;
const GONE = /\bGone from [^.]*\./;

/** `firstTotals`: in milliseconds, until its page has those of the first rows, from when the file began to be sent, and from when all of it was. */
export type Brought = { address: string; firstTotals: { fromBegin: number; fromEnd: number } };

/** Once it is read. */
export async function bringFile(origin: string, file: string): Promise<Brought> {
  const form = new FormData();
  form.append('key', newToken());
  form.append('file', await openAsBlob(file), 'people.csv');
  const { body, headers } = new Response(form);
  const begun = performance.now();
  let ended = begun;
  const flush = () => {
    ended = performance.now();
  };
  const sent = body?.pipeThrough(new TransformStream({ flush }));
  const address = await send(origin, '/import', sent, { 'content-type': headers.get('content-type') ?? '' });
  await firstTotals(origin, address);
  const now = performance.now();
  await until(origin, address, isChecked);
  return { address, firstTotals: { fromBegin: now - begun, fromEnd: now - ended } };
}

/** Asks as often as a browser does, which is told when to. */
async function firstTotals(origin: string, address: string): Promise<void> {
  for (;;) {
    const { page, refresh } = await load(origin, address);
    if (isChecked(page) || page.text.includes('so far:')) return;
    await setTimeout(refresh * 1_000);
  }
}

function isChecked({ heading }: Page): boolean {
  return heading === 'Check the import';
}

/** @returns the change set */
export async function applyImport(origin: string, address: string): Promise<string> {
  const page = await read(origin, address);
  console.log(page.text.match(/created .* refused [\d,]+/)?.[0] ?? '');
  await send(origin, `${address}/apply`, new URLSearchParams({ judged: page.field('judged') }));
  const done = await until(origin, address, ({ heading }) => heading === 'Imported');
  return done.link('Look at each change');
}

/** @returns the change set */
export async function changeAll(origin: string, others: Others): Promise<string> {
  const address = `/bulk?do=deactivate&from=${encodeURIComponent('status=active')}&all=on`;
  const set = await others.whileNobodyComes(async () => {
    const page = await read(origin, address);
    return send(origin, address, new URLSearchParams({ seen: page.field('seen') }));
  });
  await until(origin, set, isDone);
  return set;
}

export async function undo(origin: string, set: string): Promise<void> {
  await until(origin, await send(origin, `${set}/undo`, new URLSearchParams({ seen: '' })), isDone);
}

/** By a process of its own, as Roster has one made. */
export async function backUp(settings: Record<string, string>, folder: string): Promise<void> {
  const child = runNode(['src/main.js', 'backup', folder], settings);
  child.stdout.resume();
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`The backup has ended with ${code}.`);
}

/** Each change is one of its own, with a name of before and after in the history. */
export async function changeOneByOne(origin: string, id: number, changes: readonly Record<string, string>[]) {
  for (const change of changes) await send(origin, `/users/${id}`, new URLSearchParams(change));
}

/** @returns what the page says of it once it is done */
export async function erase(origin: string, id: number, username: string): Promise<string> {
  const address = `/users/${id}`;
  await send(origin, `${address}/delete`, new URLSearchParams());
  const set = await send(origin, `${address}/erase`, new URLSearchParams({ username }));
  const { text } = await until(origin, set, (page) => GONE.test(page.text));
  return String(GONE.exec(text)?.[0]);
}

function isDone({ text }: Page): boolean {
  return /\bDone for /.test(text);
}

async function until(origin: string, address: string, isIt: (page: Page) => boolean): Promise<Page> {
  for (;;) {
    const page = await read(origin, address);
    if (isIt(page)) return page;
    await setTimeout(LOOK_EVERY);
  }
}

async function read(origin: string, address: string): Promise<Page> {
  return (await load(origin, address)).page;
}

/** `refresh`: after how many seconds a browser asks for it again. */
async function load(origin: string, address: string): Promise<{ page: Page; refresh: number }> {
  const answer = await fetch(origin + address, { headers: SIGNED_IN });
  if (!answer.ok) throw new Error(`${address} is ${answer.status}.`);
  const refresh = Number.parseInt(answer.headers.get('refresh') ?? '0', 10);
  return { page: pageOf(await answer.text()), refresh };
}

/** @returns where it leads */
async function send(
  origin: string,
  address: string,
  body: RequestInit['body'],
  more: Record<string, string> = {},
): Promise<string> {
  const headers = { ...SIGNED_IN, ...more };
  const request = { method: 'POST', headers, redirect: 'manual', body, duplex: 'half' } as RequestInit;
  const answer = await fetch(origin + address, request);
  if (answer.status !== 303)
    throw new Error(`${address} is ${answer.status}: ${pageOf(await answer.text()).text}`);
  return String(answer.headers.get('location')?.split('?')[0]);
}
