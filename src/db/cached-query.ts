/** Queries that are built once, and then run with new values: building one can cost more than running it. */
import type { Compilable, CompiledQuery } from 'kysely';
import type { Db } from './schema.ts';

class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const queriesByAdapter = new WeakMap<object, Map<string, CompiledQuery>>();

/** `shape`: a name no other query has, and all it depends on besides values; `build` gets placeholders to pass on. */
export function cachedQuery<V extends Record<string, unknown>, R>(
  db: Db,
  shape: string,
  values: V,
  build: (values: V) => Compilable<R>,
): CompiledQuery<R> {
  const { adapter } = db.getExecutor();
  const built = queriesByAdapter.get(adapter) ?? new Map<string, CompiledQuery>();
  queriesByAdapter.set(adapter, built);
  const given = Object.keys(values).filter((name) => values[name] !== undefined);
  const key = `${shape}: ${given}`;
  let query = built.get(key);
  if (query === undefined) {
    const placeholders = Object.fromEntries(given.map((name) => [name, new Placeholder(name)]));
    query = build(placeholders as V).compile();
    built.set(key, query);
  }
  const parameters = query.parameters.map((value) =>
    value instanceof Placeholder ? values[value.name] : value,
  );
  return { ...query, parameters } as CompiledQuery<R>;
}

export async function executeCached<V extends Record<string, unknown>, R>(
  db: Db,
  shape: string,
  values: V,
  build: (values: V) => Compilable<R>,
): Promise<R[]> {
  return (await db.executeQuery(cachedQuery(db, shape, values, build))).rows;
}
