/** The most that each kind of named query is to take. */
import type { Engine } from './workspace.ts';

/** In milliseconds, and as a multiple of what the plain first page takes in the same run. */
export type Limit = { milliseconds?: number; multiple?: number };

type Kind = 'first' | 'neighbour' | 'jump' | 'namesakes' | 'nobody' | 'broad' | 'holdUp' | 'create';
export type Limits = Record<Kind, Limit>;

const TEN_MILLION = 10_000_000;

/** What is too broad for an answer is refused after a second, and holds up nobody else meanwhile. */
const BROAD = { broad: { milliseconds: 1000 }, holdUp: { milliseconds: 50 } };

export function limitsOf(users: number, engine: Engine): Limits {
  if (engine === 'postgres') return { ...same(25), jump: { milliseconds: 100 }, ...BROAD };
  if (users < TEN_MILLION) return { ...same(6), ...BROAD };
  return {
    first: { milliseconds: 3, multiple: 1.5 },
    neighbour: { multiple: 1.5 },
    jump: { milliseconds: 50 },
    namesakes: { milliseconds: 20 },
    nobody: { milliseconds: 2 },
    create: { milliseconds: 2 },
    ...BROAD,
  };
}

function same(milliseconds: number) {
  const limit = { milliseconds };
  return { first: limit, neighbour: limit, jump: limit, namesakes: limit, nobody: limit, create: limit };
}

/** @param plain what the plain first page takes. */
export function isWithin({ milliseconds, multiple }: Limit, time: number, plain: number): boolean {
  return (
    (milliseconds === undefined || time <= milliseconds) &&
    (multiple === undefined || time <= multiple * plain)
  );
}
