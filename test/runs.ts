/** How often a property is tried: a tenth of its runs, and all of them with `npm run test:long`. */
const LEAST = 20;

export function runs(all: number): { numRuns: number } {
  const some = Math.min(all, Math.max(LEAST, all / 10));
  return { numRuns: process.env.PROPERTY_RUNS === 'all' ? all : some };
}

/** Asked at each combination whether it is tried: one in so many, as different ones as can be, and all with `npm run test:long`. @param every a prime that no dimension is divided by */
export function oneIn(every: number): () => boolean {
  let asked = 0;
  return () => process.env.PROPERTY_RUNS === 'all' || asked++ % every === 0;
}
