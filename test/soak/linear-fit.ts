/** A line through points, by least squares, and how sure its slope is. */

export type Point = readonly [x: number, y: number];

/** `error` is the standard error of the slope; `sure` what it is at least, were it noise 19 times of 20. */
export type Fit = { slope: number; error: number; mean: number; count: number; isRising: boolean };

/** Of Student's distribution, two-sided at 95 %, by degrees of freedom: from the tables. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13];
const NORMAL = 1.96;

export function fitLine(points: readonly Point[]): Fit {
  const count = points.length;
  const average = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / count;
  const [meanX, mean] = [average(([x]) => x), average(([, y]) => y)];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - mean), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - mean - slope * (x - meanX)) ** 2, 0);
  const error = Math.sqrt(rest / (count - 2) / spread);
  const isRising = slope > error * (STUDENT[count - 3] ?? NORMAL);
  return { slope, error, mean, count, isRising };
}
