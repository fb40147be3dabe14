/** The files in `public/`, in memory, under a hash of their contents, by which a browser may keep them for good. */
// By hand, because what a package adds to this (folders, ranges, dates) costs a tenth of the start.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { anyone } from '../auth/policy.ts';
import { type Encoding, encodingFor } from './compression.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'public');
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/speculationrules+json',
};

const compressBest: Readonly<Record<Encoding, (bytes: Buffer) => Promise<Buffer>>> = {
  br: promisify(brotliCompress),
  gzip: (bytes) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
};

const IMPORT = /^@import "([\w-]+\.css)" layer\((\w+)\);$/gm;
const COMMENT = /\/\*.*?\*\/\s*/gs;

const FILES = [
  { name: 'app.css', bytes: Buffer.from(joinStyles()) },
  ...readdirSync(FOLDER)
    .filter((name) => name !== 'css')
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(FOLDER, name)) })),
];
const VERSION = hashOf(FILES);

export function assetPath(name: string): string {
  return `/assets/${VERSION}/${name}`;
}

/** A page of another version, as while processes are replaced, gets those of this one rather than none. */
const cachingOf = (version: string) =>
  version === VERSION ? 'public, max-age=31536000, immutable' : 'no-store';

export function assetRoutes(app: FastifyInstance): void {
  for (const { name, bytes } of FILES) {
    const type = TYPES[extname(name)];
    if (type === undefined) throw new Error(`public/${name} has no type in assets.ts.`);
    const compressed = compressor(bytes);
    // The page that says what is wrong with an address has its look there.
    const config = { may: anyone, isBeforeSetup: true, isForAnyHost: true };
    const path = `/assets/:version/${name}`;
    app.get<{ Params: { version: string } }>(path, { config }, async ({ params }, reply) => {
      const encoding = encodingFor(reply, bytes.length);
      const body = encoding ? await compressed(encoding) : bytes;
      if (encoding) reply.header('content-encoding', encoding);
      return reply.header('cache-control', cachingOf(params.version)).type(type).send(body);
    });
  }
}

/** Once, when someone first asks, and on another thread: for the style sheet it takes 20 ms. */
function compressor(bytes: Buffer): (encoding: Encoding) => Promise<Buffer> {
  const kept: Partial<Record<Encoding, Promise<Buffer>>> = {};
  return (encoding) => {
    kept[encoding] ??= compressBest[encoding](bytes);
    return kept[encoding];
  };
}

function joinStyles(): string {
  const read = (file: string) => readFileSync(join(FOLDER, 'css', file), 'utf8').replaceAll(COMMENT, '');
  return read('app.css').replaceAll(IMPORT, (_line, file, layer) => `@layer ${layer} {\n${read(file)}}`);
}

function hashOf(files: typeof FILES): string {
  const hash = createHash('sha256');
  for (const { name, bytes } of files) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  return hash.digest('hex').slice(0, 12);
}
