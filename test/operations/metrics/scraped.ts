/** What a Roster tells of itself, as Prometheus reads it. */
import type { FastifyInstance } from 'fastify';
import { expect } from 'vitest';
import { get } from '../../support.ts';

export const TOKEN = 'a-token-for-the-tests-alone';
export const WITH_TOKEN = { authorization: `Bearer ${TOKEN}` };

export type Series = { name: string; labels: Readonly<Record<string, string>>; value: number };

const LINE = /^(?<name>[a-z_0-9]+)(?:\{(?<labels>.*)\})? (?<value>\S+)$/;
const LABEL = /(?<name>\w+)="(?<value>(?:[^"\\]|\\.)*)"/g;

export function parse(text: string): Series[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const { name = '', labels = '', value = '' } = LINE.exec(line)?.groups ?? {};
    const pairs = [...labels.matchAll(LABEL)].map(({ groups }) => [groups?.name, groups?.value]);
    return { name, labels: Object.fromEntries(pairs), value: Number(value) };
  });
}

export async function scrape(app: FastifyInstance): Promise<Series[]> {
  const { statusCode, body } = await get(app, '/metrics', WITH_TOKEN);
  expect(statusCode).toBe(200);
  return parse(body);
}

/** The sum of those of a name that have some labels; undefined where there is none. */
export function sumOf(
  all: readonly Series[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = all.filter(
    (one) =>
      one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  );
  return found.length > 0 ? found.reduce((sum, { value }) => sum + value, 0) : undefined;
}
