/** What a program keeps in its heap, by a snapshot: without what V8 makes of its code, which goes on for hours. */
import { readFileSync, rmSync } from 'node:fs';
import type { Inspector } from './inspector.ts';

/** As V8's `heap-snapshot-generator.cc` names them: https://github.com/v8/v8/blob/main/src/profiler/heap-snapshot-generator.h */
const OF_V8 = new Set(['hidden', 'code', 'object shape', 'synthetic']);

type Snapshot = {
  snapshot: { meta: { node_fields: string[]; node_types: [string[], ...unknown[]] } };
  nodes: number[];
};

/** Megabytes of objects, strings, arrays and functions of an inspected process. @param path where it may write the snapshot */
export async function keptBy({ ask }: Inspector, path: string): Promise<number> {
  const expression = `process.getBuiltinModule('v8').writeHeapSnapshot(${JSON.stringify(path)})`;
  await ask('Runtime.evaluate', { expression });
  const kept = keptIn(path);
  rmSync(path);
  return kept;
}

function keptIn(path: string): number {
  const { snapshot, nodes }: Snapshot = JSON.parse(readFileSync(path, 'utf8'));
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [type, size] = [fields.indexOf('type'), fields.indexOf('self_size')];
  let bytes = 0;
  for (let at = 0; at < nodes.length; at += fields.length)
    if (!OF_V8.has(types[0][nodes[at + type] ?? 0] ?? '')) bytes += nodes[at + size] ?? 0;
  return bytes / 1e6;
}
