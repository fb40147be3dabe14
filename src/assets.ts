/**
 * The files in `public/`: kept in memory and served under a hash of their contents, so that a browser may keep them for
 * good. By hand, because what a package adds to this (folders, ranges, dates) costs a tenth of the start.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const FOLDER = join(import.meta.dirname, '..', 'public');
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/speculationrules+json',
};

const FILES = readdirSync(FOLDER)
  .sort()
  .map((name) => ({ name, type: TYPES[extname(name)], bytes: readFileSync(join(FOLDER, name)) }));
const PREFIX = `/assets/${hashOf(FILES)}/`;

/** The address of a file in `public/`. */
export function asset(name: string): string {
  return PREFIX + name;
}

export function assetRoutes(app: FastifyInstance): void {
  for (const { name, type, bytes } of FILES) {
    if (type === undefined) throw new Error(`public/${name} has no type in assets.ts.`);
    app.get(asset(name), async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=31536000, immutable').type(type).send(bytes),
    );
  }
}

function hashOf(files: typeof FILES): string {
  const hash = createHash('sha256');
  for (const { name, bytes } of files) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  return hash.digest('hex').slice(0, 12);
}
