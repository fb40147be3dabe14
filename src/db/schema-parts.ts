/** Parts of a database, such as "table users", each with how it was made. */
export type SchemaParts = ReadonlyMap<string, string>;

/** `part` is missing, or made in another way, or is none of Roster's. */
export type SchemaDrift = { part: string; kind: 'missing' | 'other' | 'foreign' };

export function driftOf(expected: SchemaParts, found: SchemaParts): SchemaDrift[] {
  const missing = [...expected.keys()].filter((part) => !found.has(part));
  const other = [...expected].filter(([part, made]) => found.has(part) && found.get(part) !== made);
  const foreign = [...found.keys()].filter((part) => !expected.has(part));
  return [
    ...missing.map((part) => ({ part, kind: 'missing' }) as const),
    ...other.map(([part]) => ({ part, kind: 'other' }) as const),
    ...foreign.map((part) => ({ part, kind: 'foreign' }) as const),
  ];
}
