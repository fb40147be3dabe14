/** How often a property is tried: a tenth of its runs, and all of them with `npm run test:long`. */
const LEAST = 20;

export function runs(all: number): { numRuns: number } {
  const some = Math.min(all, Math.max(LEAST, all / 10));
  return { numRuns: process.env.PROPERTY_RUNS === 'all' ? all : some };
}
