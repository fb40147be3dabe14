/** The files in `public/`, served under a hash of their contents, so that a browser may keep them for good. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const FOLDER = join(import.meta.dirname, '..', 'public');
const PREFIX = `/assets/${hashOf(FOLDER)}/`;

/** The address of a file in `public/`. */
export function asset(name: string): string {
  return PREFIX + name;
}

export async function assetRoutes(app: FastifyInstance): Promise<void> {
  await app.register(fastifyStatic, {
    root: FOLDER,
    prefix: PREFIX,
    wildcard: false,
    immutable: true,
    maxAge: '365d',
    setHeaders(reply, path) {
      if (path.endsWith('speculation-rules.json')) reply.type('application/speculationrules+json');
    },
  });
}

function hashOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort())
    hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 12);
}
